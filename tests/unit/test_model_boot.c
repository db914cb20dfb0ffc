// SPDX-License-Identifier: GPL-2.0-or-later
/* What guests boot, in the model: read, refused, written back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/array.h"
#include "tests/unit/model_text.h"

static void test_read(void **state)
{
	struct model *m = model_of("networks:\n  lab:\n    subnet: 10.77.0.0/24\n    boot: { tftp: /srv/boot, server: 10.77.0.9, file: a.0, efi-x64: b.efi, ipxe: '' }\n"
				   "    segments:\n      20: { subnet: 10.78.0.0/24 }\n  plain:\n    subnet: 10.79.0.0/24\n");
	const struct net_conf *lab = model_net(m, "lab");
	const struct boot_conf *boot = net_boot(lab);
	json_t *tree = net_export(lab, 0);
	char *text = json_dumps(json_object_get(tree, "boot"), JSON_COMPACT | JSON_SORT_KEYS);

	(void)state;
	assert_non_null(boot);
	assert_string_equal(boot->tftp, "/srv/boot");
	assert_int_equal(boot->server, 0x0a4d0009);
	assert_string_equal(boot->file, "a.0");
	assert_string_equal(boot->of[BOOT_EFI_X64], "b.efi");
	assert_ptr_equal(net_boot(model_segment(m, "lab:20")), boot);
	assert_null(net_boot(model_net(m, "plain")));
	assert_string_equal(text, "{\"efi-x64\":\"b.efi\",\"file\":\"a.0\",\"server\":\"10.77.0.9\",\"tftp\":\"/srv/boot\"}");
	free(text);
	json_decref(tree);
	model_free(m);
}

static const struct {
	const char *boot, *says;
} bad[] = {
	{ "{ tftp: srv/boot }", "tftp: srv/boot is not the path of a directory" },
	{ "{ file: 'a b' }", "file: a b is not a file or a URL" },
	{ "{ efi-x86: a }", "efi-x86" },
	{ "{ server: here }", "server: here" },
	{ "yes", "boot: is not a mapping" },
	{ "[]", "boot: is not a mapping" },
};

static void refused(const char *settings, const char *says)
{
	struct error err = { .rc = 0 };
	char text[300];

	snprintf(text, sizeof(text), "networks:\n  lab:\n    %s\n", settings);
	assert_null(model_of_text(text, NULL, &err));
	print_message("  %s\n", err.message);
	assert_non_null(strstr(err.message, says));
}

static void test_refused(void **state)
{
	char text[200];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		snprintf(text, sizeof(text), "subnet: 10.77.0.0/24\n    boot: %s", bad[i].boot);
		refused(text, bad[i].says);
	}
	refused("mode: internal\n    boot: { file: a }", "boot: the network has no subnet");
	refused("mode: bridged\n    uplink: eth0\n    boot: { tftp: /srv }", "boot: the network has no subnet");
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_read), cmocka_unit_test(test_refused) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
