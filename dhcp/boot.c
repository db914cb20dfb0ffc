// SPDX-License-Identifier: GPL-2.0-or-later
#include "dhcp/boot.h"

#include <string.h>

#include "base/array.h"
#include "base/bytes.h"
#include "dhcp/message.h"

/* What EFI machines sent as "EBC" (7, 9) has always meant x64. */
static const struct {
	uint16_t number;
	enum boot_kind kind;
} kinds[] = {
	{ 0x00, BOOT_BIOS },	    { 0x06, BOOT_EFI_IA32 },  { 0x07, BOOT_EFI_X64 },	 { 0x09, BOOT_EFI_X64 },
	{ 0x0a, BOOT_EFI_ARM32 },   { 0x0b, BOOT_EFI_ARM64 }, { 0x0f, BOOT_HTTP_IA32 },	 { 0x10, BOOT_HTTP_X64 },
	{ 0x11, BOOT_HTTP_X64 },    { 0x13, BOOT_HTTP_ARM64 }, { 0x1b, BOOT_EFI_RISCV64 }, { 0x1c, BOOT_HTTP_RISCV64 },
};

enum boot_kind boot_kind_of(const struct dhcp_message *m)
{
	size_t size = 0;
	const uint8_t *p = message_option(m, OPTION_ARCH, &size);

	for (size_t at = 0; p && at + 2 <= size; at += 2)	/* the client's own order of preference */
		for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
			if (kinds[i].number == get_u16(p + at))
				return kinds[i].kind;
	return BOOT_OTHER;
}

static bool begins(const struct dhcp_message *m, uint8_t code, const char *word)
{
	size_t size = 0;
	const uint8_t *p = message_option(m, code, &size);

	return p && size >= strlen(word) && !memcmp(p, word, strlen(word));
}

/* is_ipxe() - it sends its name bare, where RFC 3004 wants its length before it; other senders keep to that */
static bool is_ipxe(const struct dhcp_message *m)
{
	return begins(m, OPTION_USER_CLASS, "iPXE") || begins(m, OPTION_USER_CLASS, "\004iPXE");
}

bool boot_by_http(const struct dhcp_message *m)
{
	return begins(m, OPTION_VENDOR_CLASS, BOOT_HTTP_CLASS) && !is_ipxe(m);
}

static bool is_url(const char *text)
{
	return !strncmp(text, "http://", 7) || !strncmp(text, "https://", 8);
}

bool boot_choose(const struct boot_conf *conf, uint32_t own_ip, const struct dhcp_message *m, struct boot_choice *choice)
{
	enum boot_kind kind = boot_kind_of(m);
	const char *file = conf->file;

	if (conf->ipxe[0] && is_ipxe(m))
		file = conf->ipxe;
	else if (kind < BOOT_KINDS && conf->of[kind][0])
		file = conf->of[kind];
	if (!file[0] || (boot_by_http(m) && !is_url(file)))
		return false;
	*choice = (struct boot_choice){ .file = file, .server = conf->server ? conf->server : own_ip };
	return true;
}
