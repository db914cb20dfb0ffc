// SPDX-License-Identifier: GPL-2.0-or-later
/* What guests that boot from the network are told, and the directory that they load it from. */
#include "ctl/model_parts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"

/* dir_valid() - empty takes a setting back, as for a file */
static bool dir_valid(const char *text)
{
	return !text[0] || text[0] == '/';
}

static bool boot_file_valid(const char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text <= ' ' || *text == 0x7f)
			return false;
	return true;
}

#define FILE_AT(member) &field_text, FIELD_AT(struct net_boot, conf.member), .valid = boot_file_valid, .wants = "a file or a URL, without blanks"

static const struct field rows[] = {
	{ "tftp", &field_text, FIELD_AT(struct net_boot, conf.tftp), .valid = dir_valid, .wants = "the path of a directory, from / on" },
	{ "server", &field_ip4, FIELD_AT(struct net_boot, conf.server) },
	{ "file", FILE_AT(file) },
	{ "bios", FILE_AT(of[BOOT_BIOS]) },
	{ "efi-ia32", FILE_AT(of[BOOT_EFI_IA32]) },
	{ "efi-x64", FILE_AT(of[BOOT_EFI_X64]) },
	{ "efi-arm32", FILE_AT(of[BOOT_EFI_ARM32]) },
	{ "efi-arm64", FILE_AT(of[BOOT_EFI_ARM64]) },
	{ "efi-riscv64", FILE_AT(of[BOOT_EFI_RISCV64]) },
	{ "http-ia32", FILE_AT(of[BOOT_HTTP_IA32]) },
	{ "http-x64", FILE_AT(of[BOOT_HTTP_X64]) },
	{ "http-arm64", FILE_AT(of[BOOT_HTTP_ARM64]) },
	{ "http-riscv64", FILE_AT(of[BOOT_HTTP_RISCV64]) },
	{ "ipxe", FILE_AT(ipxe) },
};

int boot_read(struct model_ctx *ctx, const json_t *object, struct net_conf *net)
{
	const json_t *group = json_object_get(object, "boot");
	struct ctx_mark mark;
	int rc;

	if (!group || json_is_null(group))
		return 0;
	if (!json_is_object(group))
		return ctx_fail(ctx, object, "boot", -EINVAL, "is not a mapping");
	net->boot = calloc(1, sizeof(*net->boot));
	if (!net->boot)
		return error_set(ctx->err, -ENOMEM, "out of memory");
	mark = ctx_enter(ctx, object, "boot", "boot", "");
	rc = fields_read(ctx, rows, ARRAY_SIZE(rows), group, net->boot, &net->boot->set);
	ctx_leave(ctx, mark);
	return rc;
}

int boot_complete(struct model_ctx *ctx, const json_t *object, const struct net_conf *net)
{
	if (net->boot && net->boot->set && (!net->has_subnet || net->mode == NET_BRIDGED))
		return ctx_fail(ctx, object, "boot", -EINVAL, "the network has no subnet: nobody is told by lanyard what to boot");
	return 0;
}

json_t *boot_tree(const struct net_conf *net)
{
	json_t *object = net->boot ? fields_write(rows, ARRAY_SIZE(rows), net->boot, net->boot->set, 0) : json_object(), *value;
	const char *key;
	void *next;

	json_object_foreach_safe(object, next, key, value)
		if (json_is_string(value) && !json_string_value(value)[0])
			json_object_del(object, key);
	return object;
}

const struct boot_conf *net_boot(const struct net_conf *net)
{
	return net->boot ? &net->boot->conf : NULL;
}
