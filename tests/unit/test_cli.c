// SPDX-License-Identifier: GPL-2.0-or-later
/* What is typed: flags and words, names, forwards, guesses; and QEMU's arguments, which are printed for a shell. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/array.h"
#include "base/nearest.h"
#include "ctl/cli.h"
#include "ctl/cli_api.h"
#include "ctl/cli_commands.h"
#include "ctl/cli_output.h"
#include "ctl/cli_words.h"
#include "ctl/qemu.h"

static const struct flag flags[] = {
	{ "--mtu", 0, FLAG_NUMBER, "N", "mtu", "" },
	{ "--pool", 0, FLAG_TEXT, "A-B", "dhcp.pool", "" },
	{ "--dhcp", 0, FLAG_BOOL, "true|false", "dhcp.enabled", "" },
	{ "--listen", 'l', FLAG_LIST, "ADDRESS", "listen", "" },
	{ "--wait", 'w', FLAG_DURATION, "TIME", NULL, "" },
	{ "--force", 0, FLAG_SWITCH, NULL, NULL, "" },
	{ 0 },
};

/* --- lines ------------------------------------------------------------------------------------------- */

static const struct {
	const char *line;
	const char *settings;	/* NULL: refused */
	unsigned nwords;
	const char *rest;	/* first word behind "--" */
} lines[] = {
	{ "lab", "{}", 1, NULL },
	{ "--mtu 1400 lab", "{\"mtu\":1400}", 1, NULL },
	{ "lab --mtu=1400", "{\"mtu\":1400}", 1, NULL },
	{ "lab --dhcp false --pool 1-2", "{\"dhcp\":{\"enabled\":false,\"pool\":\"1-2\"}}", 1, NULL },
	{ "a --listen 1.1.1.1 b -l ::1", "{\"listen\":[\"1.1.1.1\",\"::1\"]}", 2, NULL },
	{ "--force --force", "{}", 0, NULL },
	{ "lab -- sh --mtu x", "{}", 1, "sh" },
	{ "--wait 90s", "{}", 0, NULL },
	{ "-", "{}", 1, NULL },
	{ "--mtu", NULL, 0, NULL },
	{ "--mtu x", NULL, 0, NULL },
	{ "--mtu -1", NULL, 0, NULL },
	{ "--mtu 1 --mtu 2", NULL, 0, NULL },
	{ "--mut 1", NULL, 0, NULL },
	{ "--dhcp yes", NULL, 0, NULL },
	{ "--wait 30", NULL, 0, NULL },
	{ "--force=yes", NULL, 0, NULL },
	{ "-x", NULL, 0, NULL },
	{ "--pool \xff", NULL, 0, NULL },
};

static char **split_line(const char *line, char *copy, char **argv)
{
	size_t n = 0;

	strcpy(copy, line);
	for (char *p = strtok(copy, " "); p; p = strtok(NULL, " "))
		argv[n++] = p;
	argv[n] = NULL;
	return argv;
}

static void test_lines(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		char copy[128], *argv[16], *dump;
		struct args args = { .ngiven = 0 };
		struct error err = { .rc = 0 };
		json_t *settings = NULL;
		int rc = args_parse(&args, flags, cli_general, split_line(lines[i].line, copy, argv), false, &err);

		print_message("  %s\n", lines[i].line);
		if (rc >= 0)
			settings = args_settings(&args, &err);
		if (!lines[i].settings) {
			assert_null(settings);
			if (rc < 0)
				assert_int_equal(cli_status(&err), CLI_USAGE);
			continue;
		}
		assert_non_null(settings);
		dump = json_dumps(settings, JSON_COMPACT);
		assert_string_equal(dump, lines[i].settings);
		assert_int_equal(args.nwords, lines[i].nwords);
		assert_true(lines[i].rest ? args.rest && !strcmp(args.rest[0], lines[i].rest) : !args.rest);
		free(dump);
		json_decref(settings);
	}
}

static void test_limits(void **state)
{
	static char word[] = "word", flag[] = "--force";
	char *argv[ARGS_MAX + 2] = { NULL };
	struct args args = { .ngiven = 0 };
	struct error err;

	(void)state;
	for (size_t i = 0; i <= ARGS_MAX; i++)
		argv[i] = word;
	assert_int_equal(args_parse(&args, flags, NULL, argv, false, &err), -EINVAL);
	for (size_t i = 0; i <= ARGS_MAX; i++)
		argv[i] = flag;
	memset(&args, 0, sizeof(args));
	assert_int_equal(args_parse(&args, flags, NULL, argv, false, &err), -EINVAL);
	argv[0] = word;
	memset(&args, 0, sizeof(args));
	assert_int_equal(args_parse(&args, flags, NULL, argv, true, &err), 0);	/* stops before the first word */
	assert_int_equal(args.nwords, 0);
}

/* --- words -------------------------------------------------------------------------------------------- */

static const struct {
	const char *text, *listen;
	unsigned port;		/* 0: refused */
	const char *proto, *to;
	unsigned to_port;
	unsigned count;		/* 0: 1 */
} forwards[] = {
	{ "8080:web1:80", "", 8080, "tcp", "web1", 80, 0 },
	{ "8080:web1", "", 8080, "tcp", "web1", 8080, 0 },
	{ "53:ns:53/udp", "", 53, "udp", "ns", 53, 0 },
	{ "127.0.0.1:8080:web1:80", "127.0.0.1", 8080, "tcp", "web1", 80, 0 },
	{ "127.0.0.1:8080:web1", "127.0.0.1", 8080, "tcp", "web1", 8080, 0 },
	{ "[fd00::1]:8080:[fd00::5]:80/tcp", "fd00::1", 8080, "tcp", "fd00::5", 80, 0 },
	{ "8080:10.77.0.5:80", "", 8080, "tcp", "10.77.0.5", 80, 0 },
	{ "8000-8099:web1", "", 8000, "tcp", "web1", 8000, 100 },
	{ "8000-8099:web1:9000/udp", "", 8000, "udp", "web1", 9000, 100 },
	{ "[::]:8000-8099:web1:9000-9099", "::", 8000, "tcp", "web1", 9000, 100 },
	{ "8000-8099:web1:9000-9098", "", 0, "", "", 0, 0 },
	{ "8000:web1:9000-9001", "", 0, "", "", 0, 0 },
	{ "8099-8000:web1", "", 0, "", "", 0, 0 },
	{ "8000-:web1", "", 0, "", "", 0, 0 },
	{ "8000-65536:web1", "", 0, "", "", 0, 0 },
	{ "8080", "", 0, "", "", 0, 0 },
	{ "", "", 0, "", "", 0, 0 },
	{ ":", "", 0, "", "", 0, 0 },
	{ "8080:", "", 0, "", "", 0, 0 },
	{ "8080::80", "", 0, "", "", 0, 0 },
	{ "web1:80", "", 0, "", "", 0, 0 },
	{ "0:web1:80", "", 0, "", "", 0, 0 },
	{ "8080:web1:65536", "", 0, "", "", 0, 0 },
	{ "8080:web1:80/sctp", "", 0, "", "", 0, 0 },
	{ "8080:web1:80/", "", 0, "", "", 0, 0 },
	{ "::1:8080:web1:80", "", 0, "", "", 0, 0 },
	{ "a:b:c:d:e", "", 0, "", "", 0, 0 },
};

static void test_forwards(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(forwards); i++) {
		struct forward_words f;
		struct error err;
		int rc = forward_parse(forwards[i].text, &f, &err);

		print_message("  %s\n", forwards[i].text);
		assert_int_equal(rc, forwards[i].port ? 0 : -EINVAL);
		if (rc < 0)
			continue;
		assert_int_equal(f.ports.first, forwards[i].port);
		assert_int_equal(f.ports.count, forwards[i].count ? forwards[i].count : 1);
		assert_int_equal(f.to_port, forwards[i].to_port);
		assert_string_equal(f.proto, forwards[i].proto);
		assert_string_equal(f.to, forwards[i].to);
		assert_string_equal(f.listen, forwards[i].listen);
	}
}

static const struct {
	const char *text, *net, *port;	/* NULL: refused */
} names[] = {
	{ "lab/web1", "lab", "web1" }, { "a/b", "a", "b" },  { "lab", NULL, NULL },  { "lab/", NULL, NULL },
	{ "/web1", NULL, NULL },       { "/", NULL, NULL },  { "", NULL, NULL },     { "lab/web1/x", NULL, NULL },
	{ "Lab/web1", NULL, NULL },    { "lab/-x", NULL, NULL }, { "../web1", NULL, NULL },
	{ "lab/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", NULL, NULL },
};

static void test_names(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		struct port_name name;
		struct error err;
		int rc = port_name_parse(names[i].text, &name, &err);

		print_message("  %s\n", names[i].text);
		assert_int_equal(rc, names[i].net ? 0 : -EINVAL);
		if (rc < 0)
			continue;
		assert_string_equal(name.net, names[i].net);
		assert_string_equal(name.port, names[i].port);
	}
}

static void test_forward_ids(void **state)
{
	static const char *const cases[][2] = {
		{ "8080", "8080-tcp" }, { "8080/udp", "8080-udp" }, { "8080/tcp", "8080-tcp" }, { "web", "web" }, { "99999", "99999" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char id[FORWARD_ID_TEXT];

		forward_id(cases[i][0], id);
		assert_string_equal(id, cases[i][1]);
	}
}

static void test_guesses(void **state)
{
	static const char *const words[] = { "net", "port", "forward", "lease", "events", "export" };
	static const char *const cases[][2] = {
		{ "nte", "net" }, { "prot", "port" }, { "foward", "forward" }, { "lesae", "lease" }, { "event", "events" },
		{ "xyz", NULL }, { "", NULL }, { "doctor", NULL },
		{ "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct nearest near = nearest_start(cases[i][0]);

		print_message("  %s\n", cases[i][0]);
		for (size_t j = 0; j < ARRAY_SIZE(words); j++)
			nearest_try(&near, words[j]);
		if (cases[i][1])
			assert_string_equal(near.word, cases[i][1]);
		else
			assert_null(near.word);
	}
}

static void test_commands(void **state)
{
	static const struct {
		const char *first, *second;
		int taken;		/* 0: unknown */
	} cases[] = {
		{ "net", "add", 2 }, { "ps", "lab", 1 }, { "ps", NULL, 1 }, { "net", NULL, 0 }, { "net", "ad", 0 },
		{ "capture", "lab", 1 }, { "why", NULL, 1 }, { "explain", NULL, 0 }, { "", NULL, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char *argv[] = { (char *)(uintptr_t)cases[i].first, (char *)(uintptr_t)cases[i].second, NULL };
		struct error err = { .rc = 0 };
		int taken = 0;
		const struct command *c = command_find(argv, &taken, &err);

		assert_int_equal(taken, cases[i].taken);
		assert_true(!!c == !!cases[i].taken);
		if (!c)
			assert_int_equal(cli_status(&err), CLI_USAGE);
	}
}

/* --- output ------------------------------------------------------------------------------------------- */

static void test_paths(void **state)
{
	char path[CLI_PATH_MAX];

	(void)state;
	cli_path(path, "networks", "lab", "records", "*.x/y z-A", NULL);
	assert_string_equal(path, "/v1/networks/lab/records/%2A.x%2Fy%20z-A");
}

static void test_cells(void **state)
{
	json_t *row = json_pack("{s:s,s:i,s:[s,s],s:{s:b},s:n}", "name", "a\x1b[2Jb", "n", -5, "list", "x", "y", "dhcp",
				"enabled", 0, "none");
	char cell[CELL_TEXT];

	(void)state;
	cell_text(row_get(row, "name"), cell);
	assert_string_equal(cell, "a\\x1b[2Jb");	/* a guest's host name moves no cursor */
	cell_text(row_get(row, "n"), cell);
	assert_string_equal(cell, "-5");
	cell_text(row_get(row, "list"), cell);
	assert_string_equal(cell, "x,y");
	cell_text(row_get(row, "dhcp.enabled"), cell);
	assert_string_equal(cell, "false");
	cell_text(row_get(row, "none"), cell);
	assert_string_equal(cell, "");
	cell_text(row_get(row, "dhcp.pool"), cell);
	assert_string_equal(cell, "");
	json_decref(row);
}

static void test_bytes(void **state)
{
	static const struct {
		unsigned long long n;
		const char *text;
	} cases[] = {
		{ 0, "0" }, { 999, "999" }, { 1000, "1.0K" }, { 1234567, "1.2M" }, { 45600000, "46M" }, { ~0ull, "18E" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char cell[CELL_TEXT];

		cell_bytes(cases[i].n, cell);
		assert_string_equal(cell, cases[i].text);
	}
}

static void test_status(void **state)
{
	static const struct {
		const char *code;
		int status;
	} cases[] = {
		{ "invalid", 1 },    { "unsupported", 1 }, { "usage", 2 },	   { "exists", 3 },	{ "not-found", 4 },
		{ "permission", 5 }, { "unreachable", 6 }, { "timed-out", 7 },	   { "port-in-use", 1 }, { "busy", 1 },
		{ "no-space", 1 },   { "too-large", 1 },   { "out-of-memory", 1 }, { "", 1 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct error err = { .rc = -1 };

		error_code(&err, cases[i].code);
		assert_int_equal(cli_status(&err), cases[i].status);
	}
}

/* --- QEMU --------------------------------------------------------------------------------------------- */

static void test_qemu_versions(void **state)
{
	static const struct {
		const char *text;
		unsigned major, minor;		/* 0: refused */
	} cases[] = {
		{ "QEMU emulator version 7.2.22 (Debian 1:7.2+dfsg-7+deb12u18)\nCopyright", 7, 2 },
		{ "QEMU emulator version 10.0.50", 10, 0 },
		{ "QEMU emulator version x", 0, 0 },
		{ "", 0, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct qemu_version v = { 0, 0 };

		assert_int_equal(qemu_version_parse(cases[i].text, &v), cases[i].major ? 0 : -EINVAL);
		assert_int_equal(v.major, cases[i].major);
		assert_int_equal(v.minor, cases[i].minor);
	}
}

static void test_qemu_arguments(void **state)
{
	static const struct {
		struct qemu_version version;
		struct qemu_port port;
		const char *line;
	} cases[] = {
		{ { 7, 2 }, { .mtu = 1500 },
		  "-netdev stream,id=lab.vm1,server=on,addr.type=unix,addr.path=/r/a,,b.sock -device "
		  "virtio-net-pci,netdev=lab.vm1,mac=02:00:00:00:00:01" },
		{ { 7, 2 }, { .dials = true, .mtu = 1500 },
		  "-netdev stream,id=lab.vm1,server=off,addr.type=unix,addr.path=/r/a,,b.sock -device "
		  "virtio-net-pci,netdev=lab.vm1,mac=02:00:00:00:00:01" },
		{ { 8, 0 }, { .dials = true, .mtu = 9000 },
		  "-netdev stream,id=lab.vm1,server=off,addr.type=unix,addr.path=/r/a,,b.sock,reconnect=1 -device "
		  "virtio-net-pci,netdev=lab.vm1,mac=02:00:00:00:00:01,host_mtu=9000" },
		{ { 9, 2 }, { .dials = true, .net = "1ab" },
		  "-netdev stream,id=n1ab.vm1,server=off,addr.type=unix,addr.path=/r/a,,b.sock,reconnect-ms=1000 -device "
		  "virtio-net-pci,netdev=n1ab.vm1,mac=02:00:00:00:00:01" },
		{ { 7, 2 }, { .vhost = true, .dials = true, .queues = 1, .memory = "512M" },
		  "-object memory-backend-memfd,id=mem,size=512M,share=on -machine memory-backend=mem -chardev "
		  "socket,id=lab.vm1.chr,path=/r/a,,b.sock,reconnect=1 -netdev vhost-user,id=lab.vm1,chardev=lab.vm1.chr -device "
		  "virtio-net-pci,netdev=lab.vm1,mac=02:00:00:00:00:01" },
		{ { 7, 2 }, { .vhost = true, .dials = true, .queues = 2, .emulated = true },
		  "-chardev socket,id=lab.vm1.chr,path=/r/a,,b.sock,reconnect=1 -netdev "
		  "vhost-user,id=lab.vm1,chardev=lab.vm1.chr,queues=2 -device "
		  "virtio-net-pci,netdev=lab.vm1,mac=02:00:00:00:00:01,mq=on,vectors=0" },
		{ { 9, 2 }, { .vhost = true, .queues = 4, .emulated = true, .packed = true, .mtu = 9000 },
		  "-chardev socket,id=lab.vm1.chr,path=/r/a,,b.sock,server=on,wait=off -netdev "
		  "vhost-user,id=lab.vm1,chardev=lab.vm1.chr,queues=4 -device "
		  "virtio-net-pci,netdev=lab.vm1,mac=02:00:00:00:00:01,host_mtu=9000,mq=on,vectors=10,packed=on" },
	};
	char args[QEMU_ARGS][QEMU_ARG_TEXT];

	(void)state;
	assert_false(qemu_dials((struct qemu_version){ 7, 2 }));
	assert_true(qemu_dials((struct qemu_version){ 8, 0 }));
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct qemu_port port = cases[i].port;
		char line[QEMU_ARGS * QEMU_ARG_TEXT] = "";
		int n;

		port.net = port.net ? port.net : "lab";
		port.port = "vm1";
		port.path = "/r/a,b.sock";
		port.mac = "02:00:00:00:00:01";
		n = qemu_args(&port, cases[i].version, args);
		for (int j = 0; j < n; j++)
			sprintf(line + strlen(line), "%s%s", j ? " " : "", args[j]);
		assert_string_equal(line, cases[i].line);
	}
}

static void test_qemu_too_long(void **state)
{
	struct qemu_port port = { .port = "vm1", .net = "lab", .mac = "02:00:00:00:00:01" };
	char args[QEMU_ARGS][QEMU_ARG_TEXT], path[QEMU_ARG_TEXT];

	(void)state;
	memset(path, 'a', sizeof(path));
	path[sizeof(path) - 1] = '\0';
	port.path = path;
	assert_int_equal(qemu_args(&port, (struct qemu_version){ 7, 2 }, args), -ENAMETOOLONG);
	port.path = "/s";
	port.mac = path;
	assert_int_equal(qemu_args(&port, (struct qemu_version){ 7, 2 }, args), -ENAMETOOLONG);
}

static void test_qemu_memory(void **state)
{
	static const char *const good[] = { "1", "512M", "4G", "1048576K", "1T" };
	static const char *const bad[] = { "", "0", "00M", "M", "512MB", "512m", "-1", "1.5G", "5,share=off", "9999999999999999" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++)
		assert_true(qemu_memory_valid(good[i]));
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_false(qemu_memory_valid(bad[i]));
}

static void test_qemu_needs(void **state)
{
	static const struct {
		struct qemu_version version;
		bool stream, vhost;
	} cases[] = {
		{ { 0, 0 }, true, true }, { { 4, 2 }, false, false }, { { 5, 0 }, false, true }, { { 7, 1 }, false, true },
		{ { 7, 2 }, true, true }, { { 10, 0 }, true, true },
	};
	struct error err;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(qemu_check(cases[i].version, false, &err), cases[i].stream ? 0 : -ENOTSUP);
		assert_int_equal(qemu_check(cases[i].version, true, &err), cases[i].vhost ? 0 : -ENOTSUP);
	}
}

static void test_quoting(void **state)
{
	static const char *const cases[][2] = {
		{ "a=b,c:/d.e", "a=b,c:/d.e" }, { "", "''" }, { "a b", "'a b'" }, { "it's", "'it'\\''s'" }, { "$(x)", "'$(x)'" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char to[64];

		assert_string_equal(shell_quote(to, sizeof(to), cases[i][0]), cases[i][1]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines),	    cmocka_unit_test(test_limits),   cmocka_unit_test(test_forwards),
		cmocka_unit_test(test_names),	    cmocka_unit_test(test_forward_ids), cmocka_unit_test(test_guesses),
		cmocka_unit_test(test_commands),    cmocka_unit_test(test_paths),    cmocka_unit_test(test_cells),
		cmocka_unit_test(test_bytes),	    cmocka_unit_test(test_status),   cmocka_unit_test(test_qemu_versions),
		cmocka_unit_test(test_qemu_arguments), cmocka_unit_test(test_qemu_too_long), cmocka_unit_test(test_qemu_memory),
		cmocka_unit_test(test_qemu_needs), cmocka_unit_test(test_quoting),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
