/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dhcp/boot.h - what a machine that boots from the network is told: by PXE, by UEFI HTTP boot, by iPXE
 *
 * Firmware says by option 93, of DHCPv6 61, for which machine it needs a program (RFC 4578 2.1, IANA "Processor Architecture Types"), by
 * option 60, 16, in which way it would fetch it ("PXEClient", "HTTPClient"), and iPXE by option 77, 15, that it is there already and wants
 * its script.
 * Pure; any thread.
 */
#ifndef DHCP_BOOT_H
#define DHCP_BOOT_H

#include <stdbool.h>
#include <stdint.h>

enum { BOOT_FILE_SIZE = 256, BOOT_DIR_SIZE = 256 };

#define BOOT_HTTP_CLASS "HTTPClient"

/* boot_kind - which program a machine can run, and how it fetches it */
enum boot_kind {
	BOOT_BIOS, BOOT_EFI_IA32, BOOT_EFI_X64, BOOT_EFI_ARM32, BOOT_EFI_ARM64, BOOT_EFI_RISCV64,	/* by TFTP */
	BOOT_HTTP_IA32, BOOT_HTTP_X64, BOOT_HTTP_ARM64, BOOT_HTTP_RISCV64,
	BOOT_KINDS,
	BOOT_OTHER = BOOT_KINDS,	/* it did not say, or what nobody knows */
};

/* boot_conf - a network's settings; empty or 0: nothing is said */
struct boot_conf {
	char tftp[BOOT_DIR_SIZE];		/* directory that the gateway lends by TFTP, absolute */
	uint32_t server;			/* where files are, host order; else the gateway */
	char file[BOOT_FILE_SIZE];		/* for whom `of` has none */
	char of[BOOT_KINDS][BOOT_FILE_SIZE];	/* file, or URL where it is fetched by HTTP */
	char ipxe[BOOT_FILE_SIZE];		/* script or program for iPXE */
};

/* boot_choice - for one client; its texts are borrowed */
struct boot_choice {
	const char *file;		/* never empty when it is boot_choose()'s */
	const char *server_name;	/* or NULL */
	uint32_t server;
};

struct guest_traits;

/* boot_choose() - what this client is to load
 * @own_ip:	the gateway's address
 *
 * Return: false when it is told nothing: there is nothing for it, or not in the way it fetches.
 */
bool boot_choose(const struct boot_conf *conf, uint32_t own_ip, const struct guest_traits *t, struct boot_choice *choice);

/* boot_by_http() - is it firmware that boots by HTTP? Then it is told a URL, and by option 60 that this is for it (UEFI 2.10 24.7.3) */
bool boot_by_http(const struct guest_traits *t);

/* boot_is_url() - of HTTP, which such firmware fetches? */
bool boot_is_url(const char *text);

/* boot_kind_of() - by its architectures */
enum boot_kind boot_kind_of(const struct guest_traits *t);

#endif
