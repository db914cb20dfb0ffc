// SPDX-License-Identifier: GPL-2.0-or-later
/* lanyard-engine - parses what strangers send and moves their frames; started by lanyardd, which acts on the host for it */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>
#include <urcu/urcu-qsbr.h>

#include "base/text.h"
#include "ctl/engine_run.h"
#include "ctl/model.h"
#include "ctl/paths.h"
#include "ctl/yaml.h"
#include "switch/worker.h"

/* check_file() - lanyardd -t: is this file one that would be taken? */
static int check_file(const char *path)
{
	struct error err = { 0 };
	struct line_map *lines;
	struct model *model;
	json_t *tree = yaml_load(path, &lines, &err);
	int rc = tree ? model_parse(tree, lines, NULL, &model, &err) : err.rc;

	if (rc < 0) {
		fprintf(stderr, "lanyardd: %s\n", err.message);
		if (err.hint[0])
			fprintf(stderr, "hint: %s\n", err.hint);
		return EXIT_FAILURE;
	}
	printf("%s: ok, %zu network%s\n", path, model->nnetworks, model->nnetworks == 1 ? "" : "s");
	model_free(model);
	line_map_free(lines);
	json_decref(tree);
	return EXIT_SUCCESS;
}

/* Each flow and forward is a descriptor: take what the administrator allows. */
static void raise_descriptor_limit(void)
{
	struct rlimit r;

	if (getrlimit(RLIMIT_NOFILE, &r) == 0) {
		r.rlim_cur = r.rlim_max;
		setrlimit(RLIMIT_NOFILE, &r);
	}
}

static int usage(void)
{
	fprintf(stderr, "usage: lanyard-engine [--runtime-dir DIR] [--state-dir DIR] [--config FILE] [--workers N] [-t]\n"
			"It is started by lanyardd(8).\n");
	return 2;
}

enum { NO_ADMINS = UINT32_MAX };

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "runtime-dir", required_argument, NULL, 'r' }, { "state-dir", required_argument, NULL, 's' },
		{ "config", required_argument, NULL, 'c' },	 { "workers", required_argument, NULL, 'w' },
		{ "uid", required_argument, NULL, 'u' },	 { "admins", required_argument, NULL, 'a' },
		{ "test", no_argument, NULL, 't' },		 { 0 },
	};
	static char runtime_dir[PATHS_SIZE], state_dir[PATHS_SIZE];
	struct engine_conf conf = { .runtime_dir = runtime_dir, .state_dir = state_dir };
	unsigned long workers = 0, uid = getuid(), admins = NO_ADMINS;
	int opt, rc = 0, test = 0;

	paths_runtime(getuid(), runtime_dir, sizeof(runtime_dir));
	paths_state(getuid(), state_dir, sizeof(state_dir));
	while (rc == 0 && (opt = getopt_long(argc, argv, "t", options, NULL)) != -1) {
		if (opt == 'r')
			conf.runtime_dir = optarg;
		else if (opt == 's')
			conf.state_dir = optarg;
		else if (opt == 'c')
			conf.config = optarg;
		else if (opt == 't')
			test = 1;
		else if (opt == 'u')
			rc = number_parse(optarg, 0, UINT32_MAX - 1, &uid);
		else if (opt == 'a')
			rc = number_parse(optarg, 0, UINT32_MAX - 1, &admins);
		else
			rc = opt == 'w' ? number_parse(optarg, 1, MAX_WORKERS, &workers) : -EINVAL;
	}
	if (rc < 0 || optind != argc || (test && !conf.config))
		return usage();
	if (test)
		return check_file(conf.config);
	conf.workers = (unsigned)workers;
	conf.uid = (unsigned)uid;
	conf.admins = admins == NO_ADMINS ? -1 : (long)admins;
	signal(SIGPIPE, SIG_IGN);
	raise_descriptor_limit();
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	conf.confined = confine_engine(conf.state_dir, conf.uid != geteuid());
	urcu_qsbr_register_thread();	/* the control thread calls call_rcu() */
	urcu_qsbr_thread_offline();	/* and never reads under RCU */
	return engine_run(&conf);
}
