// SPDX-License-Identifier: GPL-2.0-or-later
/* ctl/start_main.c - lanyardd: the command line, see docs/lanyardd.8 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/log.h"
#include "base/text.h"
#include "ctl/start.h"

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
	return -1;
}

/* options_read() - Return: 0, 1 for -t, 2 for --help, or -1: wrong() has said why */
static int options_read(int argc, char **argv, struct start_conf *conf, char *runtime, char *state, char *config)
{
	const char *user = NULL;
	unsigned long workers;
	int c, rc = 0, test = 0;

	while (rc == 0 && (c = getopt_long(argc, argv, "t", options, NULL)) != -1) {
		if (c == 'r')
			rc = absolute(optarg, runtime, PATHS_SIZE);
		else if (c == 's')
			rc = absolute(optarg, state, PATHS_SIZE);
		else if (c == 'c')
			rc = absolute(optarg, config, PATHS_SIZE);
		else if (c == 'w' && (rc = number_parse(optarg, 1, 256, &workers)) == 0)
			conf->workers = (uint32_t)workers;
		else if (c == 'u')
			user = optarg;
		else if (c == 'd')
			conf->host_domains = optarg;
		else if (c == 't')
			test = 1;
		else if (c == 'h')
			return 2;
		else if (c != 'w')
			return wrong("unknown option");
	}
	if (rc < 0 || optind < argc)
		return wrong(rc < 0 ? "a path that is too long, or a number of workers outside 1..256" : "unknown argument");
	if (home_user_find(user, &conf->engine_user) < 0)
		return wrong("--engine-user: no such user");
	if (conf->host_domains && strlen(conf->host_domains) >= START_DOMAINS_SIZE)
		return wrong("--host-domains: too many");
	return test;
}

/* check_config() - become `lanyard-engine -t`; returns only on failure */
static int check_config(const struct start_conf *conf)
{
	const char *argv[] = { "lanyard-engine", "-t", "--config", conf->config, NULL };

	execv(conf->engine, (char *const *)argv);
	log_error("event=engine-not-started path=%s reason=\"%s\"", conf->engine, strerror(errno));
	return 1;
}

/* The engine's sockets, TAPs and files and the keeper's copies need more than the 1024 that a shell gives. */
static void raise_limits(void)
{
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);
	}
}

/* fill_standard() - what is opened later is none of stdin, stdout, stderr, wherever these are closed */
static void fill_standard(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		close(fd);
}

int main(int argc, char **argv)
{
	static char runtime[PATHS_SIZE], state[PATHS_SIZE], config[PATHS_SIZE], engine[PATH_MAX], keeper[PATH_MAX];
	struct start_conf conf = { .runtime_dir = runtime, .state_dir = state, .config = config, .engine = engine, .keeper = keeper };
	int what;

	if (paths_runtime(geteuid(), runtime, sizeof(runtime)) < 0)
		runtime[0] = '\0';
	if (paths_state(geteuid(), state, sizeof(state)) < 0)
		state[0] = '\0';
	what = options_read(argc, argv, &conf, runtime, state, config);
	if (what == 2)
		return fputs(usage, stdout) < 0;
	if (what < 0)
		return 2;
	if (what == 1 && !config[0])
		return -2 * wrong("-t checks a file: give it with --config");
	if (what == 0 && (!runtime[0] || !state[0]))
		return -2 * wrong("no home directory: give --runtime-dir and --state-dir");
	if (start_engine_path(engine, sizeof(engine)) < 0 || start_path("lanyard-keeper", keeper, sizeof(keeper)) < 0)
		return -2 * wrong("lanyard-engine and lanyard-keeper are neither beside lanyardd nor in ../libexec/lanyard");
	if (what == 1)
		return check_config(&conf);
	fill_standard();
	raise_limits();
	return start_run(&conf) < 0;
}
