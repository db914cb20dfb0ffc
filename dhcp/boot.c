// SPDX-License-Identifier: GPL-2.0-or-later
#include "dhcp/boot.h"

#include <string.h>

#include "base/array.h"
#include "base/bytes.h"
#include "dhcp/traits.h"

/* What EFI machines sent as "EBC" (7, 9) has always meant x64. */
static const struct {
	uint16_t number;
	enum boot_kind kind;
} kinds[] = {
	{ 0x00, BOOT_BIOS },	    { 0x06, BOOT_EFI_IA32 },  { 0x07, BOOT_EFI_X64 },	 { 0x09, BOOT_EFI_X64 },
	{ 0x0a, BOOT_EFI_ARM32 },   { 0x0b, BOOT_EFI_ARM64 }, { 0x0f, BOOT_HTTP_IA32 },	 { 0x10, BOOT_HTTP_X64 },
	{ 0x11, BOOT_HTTP_X64 },    { 0x13, BOOT_HTTP_ARM64 }, { 0x1b, BOOT_EFI_RISCV64 }, { 0x1c, BOOT_HTTP_RISCV64 },
};

enum boot_kind boot_kind_of(const struct guest_traits *t)
{
	for (size_t at = 0; t->arch && at + 2 <= t->arch_size; at += 2)	/* the client's own order of preference */
		for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
			if (kinds[i].number == get_u16(t->arch + at))
				return kinds[i].kind;
	return BOOT_OTHER;
}

static bool begins(const char *word, const uint8_t *data, size_t size)
{
	return size >= strlen(word) && !memcmp(data, word, strlen(word));
}

/* is_ipxe() - by DHCPv4 it sends its name bare, where RFC 3004 wants its length before it; other senders keep to that */
static bool is_ipxe(const struct guest_traits *t)
{
	return said_any(&t->user, begins, "iPXE");
}

bool boot_by_http(const struct guest_traits *t)
{
	return said_any(&t->vendor, begins, BOOT_HTTP_CLASS) && !is_ipxe(t);
}

bool boot_is_url(const char *text)
{
	return !strncmp(text, "http://", 7) || !strncmp(text, "https://", 8);
}

bool boot_choose(const struct boot_conf *conf, uint32_t own_ip, const struct guest_traits *t, struct boot_choice *choice)
{
	enum boot_kind kind = boot_kind_of(t);
	const char *file = conf->file;

	if (conf->ipxe[0] && is_ipxe(t))
		file = conf->ipxe;
	else if (kind < BOOT_KINDS && conf->of[kind][0])
		file = conf->of[kind];
	if (!file[0] || (boot_by_http(t) && !boot_is_url(file)))
		return false;
	*choice = (struct boot_choice){ .file = file, .server = conf->server ? conf->server : own_ip };
	return true;
}
