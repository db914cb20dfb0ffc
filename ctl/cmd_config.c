// SPDX-License-Identifier: GPL-2.0-or-later
/* apply, diff, export, events */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/cli.h"
#include "ctl/cli_api.h"
#include "ctl/cli_output.h"

enum { FILE_MAX = 1 << 20 };	/* bytes; the daemon takes no more */

static const struct flag apply_flags[] = {
	{ "--file", 'f', FLAG_TEXT, "FILE", NULL, "YAML; - is standard input" },
	{ "--dry-run", 0, FLAG_SWITCH, NULL, NULL, "only show what would change" },
	{ 0 },
};
static const struct flag diff_flags[] = {
	{ "--file", 'f', FLAG_TEXT, "FILE", NULL, "YAML; - is standard input" },
	{ 0 },
};

/* read_file() - Return: 0 and *@text for free(), with its size; or a negative errno with cli->err */
static int read_file(struct cli *cli, const char *name, char **text, size_t *size)
{
	FILE *f = strcmp(name, "-") ? fopen(name, "re") : stdin;
	char *buffer = malloc(FILE_MAX + 1);
	size_t n = 0;
	int rc = 0;

	if (!f)
		rc = error_set(&cli->err, -errno, "%.200s: cannot open it: %s", name, strerror(errno));
	else if (!buffer)
		rc = error_set(&cli->err, -ENOMEM, "%.200s: out of memory", name);
	if (rc == 0) {
		errno = 0;
		n = fread(buffer, 1, FILE_MAX + 1, f);
		if (ferror(f))
			rc = error_set(&cli->err, errno ? -errno : -EIO, "%.200s: cannot read it: %s", name, strerror(errno));
		else if (n > FILE_MAX)
			rc = error_set(&cli->err, -EFBIG, "%.200s: longer than 1 MiB", name);
	}
	if (f && f != stdin)
		fclose(f);
	if (rc < 0) {
		free(buffer);
		return rc;
	}
	*text = buffer;
	*size = n;
	return 0;
}

/* put_config() - the daemon reads the YAML, so that its errors can name the line */
static int put_config(struct cli *cli, const char *name, const char *text, size_t size, bool dry, json_t **changes)
{
	char file[CLI_PATH_MAX], path[CLI_PATH_MAX + 64], *answer = NULL;
	struct request request = {
		.method = "PUT", .path = path, .type = "application/yaml", .body = text, .size = size,
	};
	int rc = cli_client(cli);

	if (rc < 0)
		return rc;
	cli_path(file, strcmp(name, "-") ? name : "stdin", NULL);
	snprintf(path, sizeof(path), "/v1/config?file=%s%s", file + strlen("/v1/"), dry ? "&dry_run=true" : "");
	rc = client_text(cli->client, &request, &answer, &cli->err);
	if (rc == 0 && !(*changes = json_loads(answer, 0, NULL)))
		rc = error_set(&cli->err, -EBADMSG, "daemon: the answer is not JSON");
	free(answer);
	return rc;
}

static int send_file(struct cli *cli, const struct args *args, bool dry, json_t **changes)
{
	const char *name = args_text(args, "--file");
	char *text = NULL;
	size_t size = 0;
	int rc;

	if (!name) {
		error_set(&cli->err, -EINVAL, "-f FILE is missing");
		error_code(&cli->err, "usage");
		return -EINVAL;
	}
	rc = read_file(cli, name, &text, &size);
	if (rc == 0)
		rc = put_config(cli, name, text, size, dry, changes);
	free(text);
	return rc;
}

static int apply(struct cli *cli, const struct args *args)
{
	json_t *answer = NULL;
	int rc = send_file(cli, args, args_has(args, "--dry-run"), &answer);

	if (rc == 0)
		output_changes(cli, answer);
	json_decref(answer);
	return rc;
}

static int diff(struct cli *cli, const struct args *args)
{
	json_t *answer = NULL;
	int rc = send_file(cli, args, true, &answer);

	if (rc == 0) {
		output_changes(cli, answer);
		rc = json_array_size(json_object_get(answer, "changes")) ? CLI_PROBLEMS : CLI_DONE;
	}
	json_decref(answer);
	return rc;
}

static int export(struct cli *cli, const struct args *args)
{
	struct request request = { .method = "GET", .path = "/v1/config" };
	char *text = NULL;
	int rc = cli_client(cli);

	(void)args;
	if (rc < 0)
		return rc;
	request.accept = cli->json ? "application/json" : "application/yaml";
	rc = client_text(cli->client, &request, &text, &cli->err);
	if (rc == 0)
		fputs(text, stdout);
	free(text);
	return rc;
}

const struct command cmd_config[] = {
	{ NULL, "apply", "-f FILE", "make everything as the file says", "apply -f configs/nat-network.yaml", 0, 0, false,
	  apply_flags, apply },
	{ NULL, "diff", "-f FILE", "what apply would change; exit status 8 when there is something", NULL, 0, 0, false,
	  diff_flags, diff },
	{ NULL, "export", "", "everything as a file for apply", "export >lab.yaml", 0, 0, false, NULL, export },
	{ 0 },
};
