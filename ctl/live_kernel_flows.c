// SPDX-License-Identifier: GPL-2.0-or-later
/* Flows that the host's kernel translates (ctl/flow_rows.h): the keeper reads them, for a network with `nat: kernel`, when somebody asks. */
#include <unistd.h>

#include "ctl/engine.h"
#include "ctl/flow_rows.h"
#include "ctl/host_client.h"
#include "ctl/live_hostif.h"

static struct addr address(const struct host_flow *f, const uint8_t *bytes)
{
	return f->family == 4 ? addr4((uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3]) : addr6(bytes);
}

static void add(struct flow_rows *l, const struct host_flow *f)
{
	static const char *const states[] = { [HOST_FLOW_OPENING] = "opening", [HOST_FLOW_OPEN] = "open", [HOST_FLOW_CLOSING] = "closing" };
	struct addr guest = address(f, f->guest);
	json_t *row = flow_rows_add(l, &(struct flow_row){
		.port = flow_guest(&l->net->local, guest), .by = f->inward ? "forward" : "nat", .state = states[f->state % 3], .proto = f->proto,
		.guest = guest, .guest_port = f->guest_port, .remote = address(f, f->remote), .remote_port = f->remote_port,
	});
	json_t *figures = row && (f->bytes_out || f->bytes_in) ? json_pack("{s:I s:I}", "bytes_out", (json_int_t)f->bytes_out, "bytes_in",
									     (json_int_t)f->bytes_in) : NULL;

	if (figures)
		json_object_update(row, figures);
	json_decref(figures);
}

void flow_rows_kernel(struct flow_rows *l)
{
	char name[HOST_NAME_SIZE];
	struct error err;
	struct host_flow f;
	uint32_t n, shown = 0;
	int fd = host_flows(l->net->engine->host, live_hostif_held(l->net->conf, name), &n, &err);

	if (fd < 0) {
		log_warn("net=%s event=kernel-flows-unknown reason=\"%s\"", l->net->name, err.message);
		return;
	}
	for (; read(fd, &f, sizeof(f)) == sizeof(f); shown++)
		add(l, &f);
	l->more += n > shown ? n - shown : 0;
	close(fd);
}
