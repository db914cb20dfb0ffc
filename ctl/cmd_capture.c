// SPDX-License-Identifier: GPL-2.0-or-later
/* capture: frames of a port or a network, as lines on a terminal, as pcapng elsewhere */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/array.h"
#include "ctl/cli.h"
#include "ctl/cli_api.h"
#include "ctl/cli_blocks.h"
#include "ctl/cli_frame.h"
#include "ctl/cli_output.h"
#include "ctl/pcapng.h"

enum { QUERY_MAX = 4096, INTERFACES_MAX = 8192 };

static const struct flag flags[] = {
	{ "--write", 'w', FLAG_TEXT, "FILE", NULL, "pcapng into this file; - is standard output" },
	{ "--count", 'c', FLAG_NUMBER, "N", NULL, "frames, then end" },
	{ "--direction", 'd', FLAG_TEXT, "in|out|both", NULL, "from the guest, to it; both of a port, in of a network unless given" },
	{ "--snaplen", 's', FLAG_NUMBER, "BYTES", NULL, "of each frame; all unless given" },
	{ "--past", 'p', FLAG_SWITCH, NULL, NULL, "what was kept: dropped frames, and what guests and services said to one another" },
	{ "--text", 0, FLAG_SWITCH, NULL, NULL, "a line for each frame, also where standard output is no terminal" },
	{ 0 },
};

enum form { FORM_TEXT, FORM_JSON, FORM_FILE };

/* reading - what comes, and what becomes of it */
struct reading {
	struct cli *cli;
	enum form form;
	bool past;
	int fd;				/* FORM_FILE: where to */
	struct block_reader blocks;
	char (*names)[PCAPNG_NAME_TEXT];	/* of interfaces, without the network; grown one by one */
	unsigned nnames;
	uint64_t frames, lost;
};

/* ---- what is shown of a frame ---- */

static const char *name_of(const struct reading *r, const struct pcapng_packet *p)
{
	const char *slash = p->interface < r->nnames ? strchr(r->names[p->interface], '/') : NULL;

	return slash ? slash + 1 : "?";
}

static const char *way_of(const struct pcapng_packet *p)
{
	return p->way == PCAPNG_INBOUND ? "in" : p->way == PCAPNG_OUTBOUND ? "out" : "-";
}

static void print_text(const struct reading *r, const struct pcapng_packet *p)
{
	time_t seconds = (time_t)(p->wall_ns / 1000000000);
	char text[FRAME_TEXT], when[16];
	struct tm tm;

	if (p->lost)
		printf("... %" PRIu64 " frames lost\n", p->lost);
	strftime(when, sizeof(when), "%H:%M:%S", localtime_r(&seconds, &tm));
	printf("%s.%06" PRIu64 " %-12s %-3s %s, %u bytes", when, p->wall_ns % 1000000000 / 1000, name_of(r, p), way_of(p),
	       frame_text(p->bytes, p->kept, text), p->len);
	for (unsigned i = 0; i < p->ncomments; i++)
		printf("%s%s", i ? "; " : "  [", p->comments[i]);
	puts(p->ncomments ? "]" : "");
}

static void print_json(const struct reading *r, const struct pcapng_packet *p)
{
	char text[FRAME_TEXT];
	json_t *comments = json_array(), *o;

	for (unsigned i = 0; i < p->ncomments; i++)
		json_array_append_new(comments, json_string(p->comments[i]));
	o = json_pack("{s:I s:s s:s s:s s:I s:I s:o*}", "time_ns", (json_int_t)p->wall_ns, "port", name_of(r, p), "direction", way_of(p),
		      "frame", frame_text(p->bytes, p->kept, text), "length", (json_int_t)p->len, "lost", (json_int_t)p->lost, "comments",
		      comments);
	json_dumpf(o, stdout, JSON_COMPACT);
	putchar('\n');
	json_decref(o);
}

/* ---- blocks ---- */

static void note_interface(struct reading *r, const struct pcapng_interface *i)
{
	void *names = r->nnames < INTERFACES_MAX ? realloc(r->names, (r->nnames + 1) * sizeof(*r->names)) : NULL;

	if (!names)
		return;
	r->names = names;
	memcpy(r->names[r->nnames++], i->name, PCAPNG_NAME_TEXT);
}

static int write_all(struct reading *r, const uint8_t *data, size_t size)
{
	while (size) {
		ssize_t n = write(r->fd, data, size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EPIPE ? -EPIPE : error_set(&r->cli->err, -errno, "capture: cannot write: %s", strerror(errno));
		data += n;
		size -= (size_t)n;
	}
	return 0;
}

static void on_block(void *arg, const struct pcapng_block *b)
{
	struct reading *r = arg;

	if (b->type == PCAPNG_SECTION && !r->cli->quiet && !r->past)
		output_note("capturing; Ctrl-C ends it");
	if (b->type == PCAPNG_INTERFACE)
		note_interface(r, &b->interface);
	if (b->type == PCAPNG_STATISTICS && b->statistics.interface == 0)
		r->lost = 0;			/* the file's own count comes, for each interface */
	if (b->type == PCAPNG_STATISTICS)
		r->lost += b->statistics.lost;
	if (b->type != PCAPNG_PACKET)
		return;
	r->frames++;
	r->lost += b->packet.lost;
	if (r->form == FORM_TEXT)
		print_text(r, &b->packet);
	else if (r->form == FORM_JSON)
		print_json(r, &b->packet);
}

static int on_whole(void *arg, const uint8_t *data, size_t size)
{
	struct reading *r = arg;

	return r->form == FORM_FILE ? write_all(r, data, size) : fflush(stdout) == 0 ? 0 : -EPIPE;
}

static int on_bytes(void *arg, const uint8_t *data, size_t size)
{
	struct reading *r = arg;

	return blocks_take(&r->blocks, data, size, &r->cli->err);
}

/* ---- the command ---- */

static int bad_usage(struct cli *cli, const char *message)
{
	error_set(&cli->err, -EINVAL, "capture: %s", message);
	error_code(&cli->err, "usage");
	return -EINVAL;
}

/* join() - the words of the filter, as they would be in one */
static bool join(const struct args *args, char *to, size_t room)
{
	size_t n = 0;

	to[0] = '\0';
	for (unsigned i = 1; i < args->nwords; i++) {
		n += (size_t)snprintf(to + n, room - n, "%s%s", i > 1 ? " " : "", args->words[i]);
		if (n >= room)
			return false;
	}
	return true;
}

/* read_place() - NET, NET/PORT, or a PORT that just one network has; what is neither is left to the daemon to say */
static void read_place(struct cli *cli, const char *text, struct port_name *place)
{
	const char *slash = strchr(text, '/');
	size_t n = MIN_OF(strcspn(text, "/"), sizeof(place->net) - 1);
	char path[CLI_PATH_MAX];
	struct port_name found;
	struct error ignored;
	json_t *answer = NULL;

	*place = (struct port_name){ .net = "" };
	memcpy(place->net, text, n);
	if (slash) {
		memcpy(place->port, slash + 1, MIN_OF(strlen(slash + 1), sizeof(place->port) - 1));
		return;
	}
	cli_path(path, "networks", place->net, NULL);
	if (client_json(cli->client, "GET", path, NULL, 0, &answer, &ignored) < 0 && cli_port_name(cli, text, &found) == 0)
		*place = found;
	json_decref(answer);
}

static int make_path(struct cli *cli, const struct args *args, char path[QUERY_MAX])
{
	static const struct { const char *flag, *key; } options[] = {
		{ "--direction", "direction" }, { "--snaplen", "snaplen" }, { "--count", "count" },
	};
	char filter[QUERY_MAX];
	struct port_name place;
	bool fits = join(args, filter, sizeof(filter));

	read_place(cli, args->words[0], &place);
	snprintf(path, QUERY_MAX, "/v1/capture");
	fits = fits && cli_query(path, QUERY_MAX, "net", place.net);
	if (place.port[0])
		fits = fits && cli_query(path, QUERY_MAX, "port", place.port);
	for (size_t i = 0; i < ARRAY_SIZE(options); i++)
		if (args_has(args, options[i].flag))
			fits = fits && cli_query(path, QUERY_MAX, options[i].key, args_text(args, options[i].flag));
	if (args_has(args, "--past"))
		fits = fits && cli_query(path, QUERY_MAX, "past", "true");
	if (filter[0])
		fits = fits && cli_query(path, QUERY_MAX, "filter", filter);
	return fits ? 0 : bad_usage(cli, "the filter is too long");
}

static int open_output(struct reading *r, const struct args *args)
{
	const char *file = args_text(args, "--write");

	r->fd = STDOUT_FILENO;
	if (file && (r->cli->json || args_has(args, "--text")))
		return bad_usage(r->cli, "a file gets pcapng: give --write, --text or --json");
	r->form = r->cli->json ? FORM_JSON : args_has(args, "--text") || (!file && isatty(STDOUT_FILENO)) ? FORM_TEXT : FORM_FILE;
	if (!file || !strcmp(file, "-"))
		return 0;
	r->fd = open(file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	return r->fd < 0 ? error_set(&r->cli->err, -errno, "%.200s: cannot open it: %s", file, strerror(errno)) : 0;
}

static void tell(const struct reading *r)
{
	if (r->cli->quiet)
		return;
	if (r->lost)
		output_note("%" PRIu64 " frames, and %" PRIu64 " lost", r->frames, r->lost);
	else
		output_note("%" PRIu64 " frames", r->frames);
}

static int capture(struct cli *cli, const struct args *args)
{
	struct reading r = { .cli = cli, .past = args_has(args, "--past"), .blocks = { .block = on_block, .whole = on_whole, .arg = &r } };
	char path[QUERY_MAX];
	int rc = blocks_init(&r.blocks, &cli->err);

	if (rc == 0)
		rc = cli_client(cli);
	if (rc == 0)
		rc = make_path(cli, args, path);
	if (rc == 0)
		rc = open_output(&r, args);
	if (rc == 0) {
		rc = client_bytes(cli->client, path, on_bytes, &r, &cli->err);
		if (r.fd > STDERR_FILENO && close(r.fd) < 0 && rc == 0)
			rc = error_set(&cli->err, -errno, "capture: cannot write: %s", strerror(errno));
		if (rc == 0)
			tell(&r);
	}
	free(r.names);
	blocks_fini(&r.blocks);
	return rc == -EPIPE ? CLI_DONE : rc;
}

const struct command cmd_capture[] = {
	{ NULL, "capture", "NET[/PORT] [FILTER]", "frames as they pass: lines on a terminal, pcapng into a file or a pipe",
	  "capture lab/web1 tcp port 80 -w web1.pcapng", 1, ARGS_MAX, false, flags, capture },
	{ 0 },
};
