// SPDX-License-Identifier: GPL-2.0-or-later
/* ctl/keeper_main.c - lanyardd: the command line, see docs/lanyardd.8 */
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/text.h"
#include "ctl/keeper.h"
#include "ctl/paths.h"

static const char usage[] =
	"usage: lanyardd [--runtime-dir DIR] [--state-dir DIR] [--config FILE] [--workers N]\n"
	"                [--engine-user USER] [--host-domains DOMAIN[,...]]\n"
	"       lanyardd -t --config FILE\n";

static const struct option options[] = {
	{ "runtime-dir", required_argument, NULL, 'r' }, { "state-dir", required_argument, NULL, 's' },
	{ "config", required_argument, NULL, 'c' },	 { "workers", required_argument, NULL, 'w' },
	{ "engine-user", required_argument, NULL, 'u' }, { "host-domains", required_argument, NULL, 'd' },
	{ "test", no_argument, NULL, 't' },		 { "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

/* absolute() - directories as the engine and the pid file's readers can use them, wherever they run */
static int absolute(const char *path, char *to, size_t room)
{
	char here[PATHS_SIZE];

	if (path[0] == '/')
		return snprintf(to, room, "%s", path) < (int)room ? 0 : -1;
	return getcwd(here, sizeof(here)) && paths_join(to, room, here, path) == 0 ? 0 : -1;
}

static int wrong(const char *what)
{
	fprintf(stderr, "lanyardd: %s\n%s", what, usage);
	return 2;
}

int main(int argc, char **argv)
{
	static char runtime[PATHS_SIZE], state[PATHS_SIZE], config[PATHS_SIZE], engine[PATH_MAX];
	struct keeper_conf conf = { .runtime_dir = runtime, .state_dir = state, .engine = engine };
	const char *user = NULL;
	unsigned long workers;
	bool test = false;
	int c, rc = 0;

	if (paths_runtime(geteuid(), runtime, sizeof(runtime)) < 0)
		runtime[0] = '\0';
	if (paths_state(geteuid(), state, sizeof(state)) < 0)
		state[0] = '\0';
	while (rc == 0 && (c = getopt_long(argc, argv, "t", options, NULL)) != -1) {
		if (c == 'r')
			rc = absolute(optarg, runtime, sizeof(runtime));
		else if (c == 's')
			rc = absolute(optarg, state, sizeof(state));
		else if (c == 'c')
			rc = absolute(optarg, config, sizeof(config));
		else if (c == 'w')
			rc = number_parse(optarg, 1, 256, &workers);
		else if (c == 'u')
			user = optarg;
		else if (c == 'd')
			conf.host_domains = optarg;
		else if (c == 'h')
			return fputs(usage, stdout) < 0;
		else if (c != 't')
			return wrong("unknown option");
		if (c == 'w')
			conf.workers = optarg;
		test = test || c == 't';
	}
	if (rc < 0 || optind < argc)
		return wrong(rc < 0 ? "a path that is too long, or a number of workers outside 1..256" : "unknown argument");
	if (test && !config[0])
		return wrong("-t checks a file: give it with --config");
	if (!test && (!runtime[0] || !state[0]))
		return wrong("no home directory: give --runtime-dir and --state-dir");
	if (rights_user_find(user, &conf.engine_user) < 0)
		return wrong("--engine-user: no such user");
	if (engine_path(engine, sizeof(engine)) < 0)
		return wrong("lanyard-engine is neither beside lanyardd nor in ../libexec/lanyard");
	if (!test && acts_open() < 0)
		return wrong("lanyard-iface and the other programs that act are neither beside lanyardd nor in ../libexec/lanyard");
	conf.config = config[0] ? config : NULL;
	if (test)
		return engine_check(&conf) < 0;
	return keeper_run(&conf);
}
