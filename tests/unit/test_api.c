// SPDX-License-Identifier: GPL-2.0-or-later
/* The API over a real unix socket, with a small engine that only keeps a model. The loop runs in a thread of its own. */
#define _GNU_SOURCE	/* syscall() */
#include "ctl/api.h"

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>
#include <event2/event.h>
#include <event2/thread.h>

#include "base/array.h"
#include "ctl/live.h"
#include "ctl/live_resolve.h"
#include "ctl/live_dns_host.h"
#include "ctl/live_lease.h"
#include "ctl/live_policy.h"
#include "ctl/live_capture.h"
#include "ctl/live_recorder.h"
#include "ctl/model.h"
#include "ctl/yaml.h"

enum { SOMEBODY = 4242, DAEMON_UID = 4241, ANSWER_MAX = 1 << 20 };

struct pending {
	struct pending *next;
	live_edit_fn *edit;
	live_done_fn *done;
	void *arg;
};

struct engine {
	struct model *model;
	bool hold;			/* changes wait for release() */
	bool addressed;			/* every port has an address */
	struct pending *pending;
	unsigned freed;
	struct capture_conf capture;	/* the last that was begun */
	struct capture_sink sink;
	unsigned captures;		/* running */
	struct api *api;		/* for events */
};

static void run_change(struct engine *e, live_edit_fn *edit, live_done_fn *done, void *arg)
{
	json_t *tree = model_export(e->model, MODEL_TRANSIENT | MODEL_OWNER);
	struct model *next = NULL;
	struct error err = { 0 };
	int rc = edit(arg, tree, &err);

	if (rc == 0)
		rc = model_parse(tree, NULL, live_env(e), &next, &err);
	json_decref(tree);
	if (rc == 0) {
		model_free(e->model);
		e->model = next;
	}
	done(arg, &err);
}

void live_change(struct engine *e, live_edit_fn *edit, live_done_fn *done, void *arg)
{
	struct pending *p;

	if (!e->hold) {
		run_change(e, edit, done, arg);
		return;
	}
	p = calloc(1, sizeof(*p));
	*p = (struct pending){ e->pending, edit, done, arg };
	e->pending = p;
}

static void release(struct engine *e)
{
	e->hold = false;
	while (e->pending) {
		struct pending *p = e->pending;

		e->pending = p->next;
		run_change(e, p->edit, p->done, p->arg);
		free(p);
	}
}

const struct model *live_model(struct engine *e)
{
	return e->model;
}

const struct model_env *live_env(struct engine *e)
{
	static const struct model_env env = { .transient = true };

	(void)e;
	return &env;
}

json_t *live_network(struct engine *e, const char *net)
{
	(void)e, (void)net;
	return json_pack("{s:s}", "gateway_mac", "02:00:00:00:00:01");
}

json_t *live_port(struct engine *e, const char *net, const char *port)
{
	json_t *addresses = e->addressed ? json_pack("[{s:s s:s}]", "ip", "10.77.0.5", "source", "arp") : json_array();

	(void)net, (void)port;
	return json_pack("{s:s, s:o, s:o}", "state", "up", "addresses", addresses, "dns_name",
			 e->addressed ? json_string("vm1.lab.internal") : json_null());
}

json_t *live_forward(struct engine *e, const char *net, const char *id)
{
	(void)e, (void)net, (void)id;
	return json_pack("{s:s, s:i}", "state", "up", "hits", 3);
}

char *live_metrics(struct engine *e, uid_t uid, bool all)
{
	char text[64];

	(void)e;
	snprintf(text, sizeof(text), "uid %u %s\n# EOF\n", (unsigned)uid, all ? "all" : "own");
	return strdup(text);
}

int live_check(struct engine *e, const struct model *next, struct error *err)
{
	(void)e, (void)next, (void)err;
	return 0;
}

json_t *live_policy_rules(struct engine *e, const char *net, const char *port)
{
	(void)e, (void)net, (void)port;
	return json_array();
}

json_t *live_flows(struct engine *e, const char *net, const char *port)
{
	(void)e, (void)net, (void)port;
	return json_pack("{s:[] s:i}", "flows", "more", 0);
}

void live_resolve(struct engine *e, const struct resolve_asked *q, live_resolve_fn *done, void *arg)
{
	struct error err = { 0 };

	(void)e;
	done(arg, json_pack("{s:s s:s s:s s:s*}", "network", q->net, "name", q->name, "type", q->type, "port", q->port), &err);
}

void live_explain(struct engine *e, const char *net, const char *port, const char *to, live_explain_fn *done, void *arg)
{
	struct error err = { 0 };

	(void)e;
	if (!strcmp(port, "vm1"))
		done(arg, json_pack("{s:s s:s s:b}", "network", net, "destination", to, "passes", 1), &err);
	else
		done(arg, NULL, (error_set(&err, -ENOENT, "network %s has no port %s", net, port), &err));
}

/* A forward was hit once in each second in which somebody listened before. */
void live_tell_counts(struct engine *e, bool first)
{
	if (!first)
		api_event(e->api, "lab", NULL, json_pack("{s:s}", "event", "forward-hit"));
}

void live_client(struct engine *e, int fd, uid_t uid)
{
	(void)e, (void)fd, (void)uid;
}

json_t *live_daemon(struct engine *e)
{
	(void)e;
	return json_pack("{s:i s:i}", "api_version", 1, "engine_restarts", 3);
}

json_t *live_leases(struct engine *e, const char *net)
{
	(void)e, (void)net;
	return json_pack("[{s:s, s:s}]", "ip", "10.77.0.5", "port", "vm1");
}

json_t *live_lease_explain(struct engine *e, const char *net, const struct lease_query *query, struct error *err)
{
	(void)e, (void)net, (void)query, (void)err;
	return json_object();
}

json_t *live_dns_host_names(struct engine *e, const char *net)
{
	(void)e, (void)net;
	return json_pack("[{s:s, s:s}]", "name", "vm1.lab.internal", "address", "10.77.0.5");
}

json_t *live_fdb(struct engine *e, const char *net)
{
	(void)e, (void)net;
	return json_array();
}

void live_lease_free(struct engine *e, const char *net, const char *port, uint32_t ip, live_done_fn *done, void *arg)
{
	struct error err = { 0 };

	(void)net;
	if (ip == 0x0a4d0005 && (!port || !strcmp(port, "vm1")))
		e->freed++;
	else
		error_set(&err, -ENOENT, "no such lease");
	done(arg, &err);
}

void live_lease6_free(struct engine *e, const char *net, const char *port, struct addr a, live_done_fn *done, void *arg)
{
	struct error err = { 0 };

	(void)e, (void)net, (void)port, (void)a;
	error_set(&err, -ENOENT, "there is no such lease");
	done(arg, &err);
}

struct live_capture *live_capture_new(struct engine *e, const struct capture_conf *conf, const struct capture_sink *sink, struct error *err)
{
	if (conf->filter && !strcmp(conf->filter, "nonsense")) {
		error_set(err, -EINVAL, "filter: nonsense");
		return NULL;
	}
	e->capture = *conf;
	e->capture.filter = NULL;
	e->sink = *sink;
	e->captures++;
	sink->write(sink->arg, "begin", 5);
	return (struct live_capture *)(void *)e;
}

int live_past(struct engine *e, const struct capture_conf *conf, const struct capture_sink *sink, struct error *err)
{
	(void)e, (void)err;
	if (conf->count == 9)
		return error_set(err, -EFBIG, "too many");
	sink->write(sink->arg, "the past", 8);
	return 0;
}

void live_capture_free(struct live_capture *c)
{
	((struct engine *)(void *)c)->captures--;
}

/* ---- the bench: an API in a thread, and a client ---- */

struct bench {
	struct engine engine;
	struct api *api;
	struct event_base *base;
	pthread_t thread;
	bool stopped;
	char path[64];
};

static struct model *model_of(const char *yaml)
{
	const struct model_env env = { .transient = true };
	json_t *tree = yaml_parse(yaml, strlen(yaml), "t", NULL, NULL);
	struct model *model = NULL;
	struct error err = { 0 };

	if (model_parse(tree, NULL, &env, &model, &err) < 0)
		print_message("%s\n", err.message);
	assert_non_null(model);
	json_decref(tree);
	return model;
}

static void *run_loop(void *arg)
{
	event_base_loop(arg, EVLOOP_NO_EXIT_ON_EMPTY);
	return NULL;
}

static int listen_at(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	strcpy(address.sun_path, path);
	unlink(path);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	chmod(path, 0777);
	assert_int_equal(listen(fd, 1024), 0);
	return fd;
}

/* start() - as an administrator root is root and others are of the group; as a stranger the uid is nobody's here */
static int start(void **state, bool admin)
{
	struct bench *b = calloc(1, sizeof(*b));
	struct api_conf conf = { .uid = DAEMON_UID, .has_admin_gid = admin, .admin_gid = getgid(), .engine = &b->engine };
	struct error err = { 0 };

	signal(SIGPIPE, SIG_IGN);
	evthread_use_pthreads();
	snprintf(b->path, sizeof(b->path), "/tmp/lanyard-api-%d.sock", getpid());
	conf.base = b->base = event_base_new();
	conf.fd = listen_at(b->path);
	b->engine.model = model_of("networks: {}");
	b->api = api_new(&conf, &err);
	assert_non_null(b->api);
	b->engine.api = b->api;
	assert_int_equal(pthread_create(&b->thread, NULL, run_loop, b->base), 0);
	*state = b;
	return 0;
}

static int setup(void **state)
{
	return start(state, true);
}

static int setup_stranger(void **state)
{
	return start(state, false);
}

static void stop_loop(struct bench *b)
{
	if (b->stopped)
		return;
	b->stopped = true;
	event_base_loopbreak(b->base);
	pthread_join(b->thread, NULL);
}

static int teardown(void **state)
{
	struct bench *b = *state;

	stop_loop(b);
	api_free(b->api);
	release(&b->engine);
	model_free(b->engine.model);
	event_base_free(b->base);
	unlink(b->path);
	free(b);
	return 0;
}

/* in_loop() - run @fn in the loop's thread and wait for it */
struct task {
	void (*fn)(struct bench *b, const void *arg);
	struct bench *b;
	const void *arg;
	int done[2];
};

static void on_task(evutil_socket_t fd, short what, void *arg)
{
	struct task *task = arg;

	(void)fd, (void)what;
	task->fn(task->b, task->arg);
	assert_int_equal(write(task->done[1], "x", 1), 1);
}

static void in_loop(struct bench *b, void (*fn)(struct bench *b, const void *arg), const void *arg)
{
	const struct timeval soon = { 0, 1 };	/* a timer comes after what can be read; what is active comes before */
	struct task task = { fn, b, arg, { -1, -1 } };
	char byte;

	assert_int_equal(pipe(task.done), 0);
	event_base_once(b->base, -1, EV_TIMEOUT, on_task, &task, &soon);
	assert_int_equal(read(task.done[0], &byte, 1), 1);
	close(task.done[0]);
	close(task.done[1]);
}

static void set_model(struct bench *b, const void *yaml)
{
	model_free(b->engine.model);
	b->engine.model = model_of(yaml);
}

/* connect_as() - the uid that the daemon is told; only root can choose, for others 0 is whoever runs this */
static int connect_as(struct bench *b, uid_t uid)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct timeval limit = { 10, 0 };

	strcpy(address.sun_path, b->path);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	if (uid && getuid() == 0)	/* the system call itself: for this thread alone */
		assert_int_equal(syscall(SYS_setresuid, -1, uid, -1), 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	if (uid && getuid() == 0)
		assert_int_equal(syscall(SYS_setresuid, -1, 0, -1), 0);
	return fd;
}

static void send_all(int fd, const char *text, size_t size)
{
	while (size) {
		ssize_t n = send(fd, text, size, MSG_NOSIGNAL);

		if (n <= 0)
			return;		/* hung up on: what was answered tells why */
		text += n;
		size -= (size_t)n;
	}
}

/* receive() - one answer: status, and its body in @body; -1 when the connection ended first */
static int receive(int fd, char *body)
{
	static char text[ANSWER_MAX];
	size_t n = 0, want = 0;
	char *end = NULL;
	int status;

	while (!end || n < want) {
		ssize_t got = recv(fd, text + n, sizeof(text) - 1 - n, 0);

		if (got <= 0)
			return -1;
		n += (size_t)got;
		text[n] = '\0';
		if (!end && (end = strstr(text, "\r\n\r\n"))) {
			const char *length = strcasestr(text, "Content-Length: ");

			want = (size_t)(end + 4 - text) + (length ? strtoul(length + 16, NULL, 10) : 0);
		}
	}
	if (sscanf(text, "HTTP/1.1 %d", &status) != 1)
		return -1;
	strcpy(body, end + 4);
	return status;
}

static char answer[ANSWER_MAX];

static int ask(int fd, const char *method, const char *path, const char *type, const char *body)
{
	char *text = NULL;

	assert_true(asprintf(&text, "%s %s HTTP/1.1\r\nHost: l\r\nContent-Type: %s\r\nContent-Length: %zu\r\n\r\n%s", method,
			     path, type, strlen(body), body) > 0);
	send_all(fd, text, strlen(text));
	free(text);
	return receive(fd, answer);
}

static int ask_json(int fd, const char *method, const char *path, const char *body)
{
	return ask(fd, method, path, "application/json", body ? body : "");
}

/* step - one request of a conversation, its status, and text that its answer has; "!" in front: that it lacks */
struct step {
	const char *what, *method, *path, *body;
	int status;
	const char *has;
};

static void walk(int fd, const struct step *steps, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		int status = ask_json(fd, steps[i].method, steps[i].path, steps[i].body);

		print_message("  %s\n", steps[i].what);
		if (status != steps[i].status)
			print_message("    %d %s\n", status, answer);
		assert_int_equal(status, steps[i].status);
		if (steps[i].has && (steps[i].has[0] == '!' ? strstr(answer, steps[i].has + 1) != NULL :
							      strstr(answer, steps[i].has) == NULL)) {
			print_message("    %s\n    %s\n", steps[i].has, answer);
			fail();
		}
	}
}

#define NET "/v1/networks/lab"

static const struct step objects[] = {
	{ "nothing yet", "GET", "/v1/networks", NULL, 200, "{\"networks\":[]}" },
	{ "make a network", "POST", "/v1/networks", "{\"name\":\"lab\",\"subnet\":\"10.77.0.0/24\"}", 201,
	  "\"gateway\":\"10.77.0.1\"" },
	{ "with its state and defaults", "GET", NET, NULL, 200, "\"gateway_mac\":\"02:00:00:00:00:01\"" },
	{ "defaults are named", "GET", NET, NULL, 200, "\"defaults\":[\"mode\",\"gateway\",\"subnet6\",\"mtu\"" },
	{ "make it again", "POST", "/v1/networks", "{\"name\":\"lab\",\"subnet\":\"10.77.0.0/24\"}", 200, "\"lab\"" },
	{ "again, subnet left open", "POST", "/v1/networks", "{\"name\":\"lab\",\"mtu\":1500}", 200, "10.77.0.0/24" },
	{ "again, otherwise", "POST", "/v1/networks", "{\"name\":\"lab\",\"mtu\":9000}", 409,
	  "{\"error\":{\"code\":\"exists\",\"message\":\"network lab exists with other settings\",\"hint\":\"\"}}" },
	{ "patch", "PATCH", NET, "{\"mtu\":9000,\"dhcp\":{\"lease\":\"2h\"}}", 200, "\"lease\":\"2h\"" },
	{ "patch deeper keeps the rest", "PATCH", NET, "{\"dhcp\":{\"pool\":\"10.77.0.9-10.77.0.19\"}}", 200, "\"lease\":\"2h\"" },
	{ "patch with null is the default", "PATCH", NET, "{\"mtu\":null,\"dhcp\":null}", 200, "\"mtu\":1500" },
	{ "a bad patch changes nothing", "PATCH", NET, "{\"mtu\":1,\"nat\":\"user\"}", 400,
	  "network lab: mtu: 1 is not in 576..65520" },
	{ "a mode without what it needs", "PATCH", NET, "{\"mode\":\"bridged\",\"subnet\":null}", 400, "uplink: is missing" },
	{ "rename is refused", "PATCH", NET, "{\"name\":\"zoo\"}", 400, "network lab: name cannot be changed" },
	{ "not a setting", "PATCH", NET, "{\"ports\":{}}", 400, "network: ports: unknown field" },
	{ "unknown field", "PATCH", NET, "{\"mut\":1}", 400, "network lab: mut: unknown field; did you mean mtu?" },
	{ "no name", "POST", "/v1/networks", "{}", 400, "network: name is missing" },
	{ "bad name", "POST", "/v1/networks", "{\"name\":\"A B\"}", 400, "network A B: not a name" },
	{ "not there", "GET", "/v1/networks/zoo", NULL, 404, "\"code\":\"not-found\"" },
	{ "patch what is not there", "PATCH", "/v1/networks/zoo", "{}", 404, "there is no network zoo" },

	{ "make a port", "POST", NET "/ports", "{\"name\":\"vm1\",\"kind\":\"stream\"}", 201, "\"state\":\"up\"" },
	{ "the same", "POST", NET "/ports", "{\"name\":\"vm1\",\"kind\":\"stream\",\"vlan\":1,\"link\":\"up\"}", 200, NULL },
	{ "other settings", "POST", NET "/ports", "{\"name\":\"vm1\",\"kind\":\"stream\",\"vlan\":2}", 409,
	  "port lab/vm1 exists with other settings" },
	{ "replace", "PUT", NET "/ports/vm1", "{\"name\":\"vm1\",\"kind\":\"stream\",\"vlan\":2}", 200, "\"vlan\":2" },
	{ "patch to a trunk", "PATCH", NET "/ports/vm1", "{\"trunk\":\"10,20-29\",\"native\":1}", 200, "\"trunk\":\"10,20-29\"" },
	{ "and back", "PATCH", NET "/ports/vm1", "{\"vlan\":3}", 200, "!trunk" },
	{ "a VLAN that is none", "PATCH", NET "/ports/vm1", "{\"vlan\":5000}", 400,
	  "network lab: port vm1: vlan: 5000 is not in 1..4094" },
	{ "transient is no setting", "PUT", NET "/ports/vm2", "{\"kind\":\"attached\",\"transient\":true}", 400, "transient" },
	{ "put makes", "PUT", NET "/ports/vm2", "{\"kind\":\"attached\"}", 201, "\"kind\":\"attached\"" },
	{ "list", "GET", NET "/ports", NULL, 200, "\"name\":\"vm2\"" },
	{ "no such port", "GET", NET "/ports/vm9", NULL, 404, "network lab has no port vm9" },
	{ "remove", "DELETE", NET "/ports/vm2", NULL, 200, "{}" },
	{ "removed", "DELETE", NET "/ports/vm2", NULL, 404, "network lab has no port vm2" },
	{ "in a network that is not there", "POST", "/v1/networks/zoo/ports", "{\"name\":\"a\",\"kind\":\"stream\"}", 404,
	  "there is no network zoo" },

	{ "forward, parts apart", "POST", NET "/forwards", "{\"name\":\"web\",\"port\":8080,\"to\":\"vm1\",\"to_port\":80}", 201,
	  "\"id\":\"web\"" },
	{ "the same in the file's form", "POST", NET "/forwards", "{\"name\":\"web\",\"listen\":8080,\"to\":\"vm1:80\"}", 200,
	  "\"listen\":[\"127.0.0.1\",\"::1\"]" },
	{ "other target", "POST", NET "/forwards", "{\"name\":\"web\",\"listen\":8080,\"to\":\"vm1:81\"}", 409, "exists" },
	{ "without a name", "POST", NET "/forwards", "{\"port\":53,\"proto\":\"udp\",\"to\":\"vm1\"}", 201, "\"id\":\"53/udp\"" },
	{ "found by its dash", "GET", NET "/forwards/53-udp", NULL, 200, "\"to_port\":53" },
	{ "found by its slash", "GET", NET "/forwards/53%2fudp", NULL, 200, "\"hits\":3" },
	{ "a named one by its port", "GET", NET "/forwards/8080-tcp", NULL, 200, "\"id\":\"web\"" },
	{ "patch the target", "PATCH", NET "/forwards/web", "{\"to\":\"vm2:8000\"}", 200, "\"to_port\":8000" },
	{ "patch the port of a nameless one", "PATCH", NET "/forwards/53-udp", "{\"port\":54}", 200, "\"id\":\"54/udp\"" },
	{ "the old id is gone", "GET", NET "/forwards/53-udp", NULL, 404, NULL },
	{ "a port in use", "POST", NET "/forwards", "{\"name\":\"two\",\"listen\":\"127.0.0.1:8080\",\"to\":\"vm1:1\"}", 409,
	  "\"code\":\"port-in-use\"" },
	{ "replace without a name keeps it", "PUT", NET "/forwards/8080-tcp", "{\"port\":8080,\"to\":\"vm1\",\"to_port\":80}", 200,
	  "\"name\":\"web\"" },
	{ "a bad one", "POST", NET "/forwards", "{\"listen\":\"x\",\"to\":\"vm1:1\"}", 400, "forward new: listen: x is not a port" },
	{ "remove by port", "DELETE", NET "/forwards/54-udp", NULL, 200, NULL },
	{ "list of forwards", "GET", NET "/forwards", NULL, 200, "{\"forwards\":[{\"id\":\"web\"" },

	{ "reserve", "POST", NET "/reservations", "{\"port\":\"vm1\",\"ip\":\"10.77.0.50\"}", 201, "{\"port\":\"vm1\"" },
	{ "again", "POST", NET "/reservations", "{\"port\":\"vm1\",\"ip\":\"10.77.0.50\"}", 200, NULL },
	{ "another address", "POST", NET "/reservations", "{\"port\":\"vm1\",\"ip\":\"10.77.0.51\"}", 409, NULL },
	{ "put it", "PUT", NET "/reservations/vm1", "{\"ip\":\"10.77.0.51\"}", 200, "10.77.0.51" },
	{ "outside", "PUT", NET "/reservations/vm1", "{\"ip\":\"10.78.0.51\"}", 400, "is no guest's address" },
	{ "one field too many", "PUT", NET "/reservations/vm1", "{\"ip\":\"10.77.0.51\",\"mac\":1}", 400, "mac: is not a MAC address" },
	{ "more than an address", "PUT", NET "/reservations/vm1", "{\"ip\":\"10.77.0.51\",\"mac\":\"02:00:00:00:00:05\",\"hostname\":\"desk\"}", 200,
	  "\"mac\":\"02:00:00:00:00:05\",\"hostname\":\"desk\"" },
	{ "one thing of it", "PATCH", NET "/reservations/vm1", "{\"hostname\":null,\"options\":[\"ntp-servers 10.77.0.9\"]}", 200,
	  "\"options\":[\"ntp-servers 10.77.0.9\"]" },
	{ "an address alone again", "PUT", NET "/reservations/vm1", "{\"ip\":\"10.77.0.51\"}", 200, "!mac" },
	{ "and something to it", "PATCH", NET "/reservations/vm1", "{\"lease\":\"2h\"}", 200, "\"ip\":\"10.77.0.51\",\"lease\":\"2h\"" },
	{ "remove it", "DELETE", NET "/reservations/vm1", NULL, 200, NULL },

	{ "record", "POST", NET "/records", "{\"name\":\"WWW.lab.internal\",\"type\":\"CNAME\",\"value\":\"vm1\"}", 201,
	  "\"id\":\"www-CNAME\"" },
	{ "the same record", "POST", NET "/records", "{\"name\":\"www\",\"type\":\"CNAME\",\"value\":\"vm1\"}", 200, NULL },
	{ "record otherwise", "POST", NET "/records", "{\"name\":\"www\",\"type\":\"CNAME\",\"value\":\"vm2\"}", 409, NULL },
	{ "put the record", "PUT", NET "/records/www-CNAME", "{\"value\":\"vm2\"}", 200, "\"value\":\"vm2\"" },
	{ "get the record", "GET", NET "/records/www.lab.internal-CNAME", NULL, 200, "\"value\":\"vm2\"" },
	{ "bad value", "POST", NET "/records", "{\"name\":\"a\",\"type\":\"A\",\"value\":\"b\"}", 400, "is not what A holds" },
	{ "remove the record", "DELETE", NET "/records/www-CNAME", NULL, 200, NULL },
	{ "no record", "GET", NET "/records", NULL, 200, "{\"records\":[]}" },

	{ "leases", "GET", NET "/leases", NULL, 200, "{\"leases\":[{\"ip\":\"10.77.0.5\"" },
	{ "a lease", "GET", NET "/leases/10.77.0.5", NULL, 200, "\"port\":\"vm1\"" },
	{ "no lease", "GET", NET "/leases/10.77.0.6", NULL, 404, NULL },
	{ "not an address", "GET", NET "/leases/x", NULL, 400, NULL },
	{ "free", "DELETE", NET "/leases/10.77.0.5", NULL, 200, "{}" },
	{ "free another", "DELETE", NET "/leases/10.77.0.6", NULL, 404, NULL },
	{ "fdb", "GET", NET "/fdb", NULL, 200, "{\"fdb\":[]}" },
	{ "daemon", "GET", "/v1/daemon", NULL, 200, "\"api_version\":1" },

	{ "a network with ports stays", "DELETE", NET, NULL, 409, "\"code\":\"busy\"" },
	{ "unless forced", "DELETE", NET "?force=true", NULL, 200, "{}" },
	{ "it is gone", "GET", "/v1/networks", NULL, 200, "{\"networks\":[]}" },

	{ "no such path", "GET", "/v1/nothing", NULL, 404, "there is nothing at /v1/nothing" },
	{ "no version", "GET", "/networks", NULL, 404, NULL },
	{ "no such group", "POST", "/v1/networks", "{\"name\":\"lab\"}", 201, NULL },
	{ "no such collection", "GET", NET "/colours", NULL, 404, NULL },
	{ "too long a path", "GET", NET "/ports/a/b/c/d", NULL, 404, NULL },
	{ "a method without meaning", "PUT", "/v1/networks", "{}", 405, NULL },
	{ "post on an object", "POST", NET "/ports/a", "{}", 405, NULL },
	{ "body no JSON", "POST", "/v1/networks", "{", 400, "the body is not JSON: line 1" },
	{ "body no object", "POST", "/v1/networks", "[]", 400, "the body is not a JSON object" },
	{ "no body", "POST", "/v1/networks", "", 400, NULL },
	{ "twice the same key", "POST", "/v1/networks", "{\"name\":\"a\",\"name\":\"b\"}", 400, "duplicate object key" },
	{ "number too large", "PATCH", NET, "{\"mtu\":18446744073709551616}", 400, "too big integer" },
	{ "real numbers", "PATCH", NET, "{\"mtu\":1e308}", 400, "mtu: is not a whole number" },
	{ "minus zero", "PATCH", NET, "{\"mtu\":-0}", 400, "mtu: 0 is not in" },
	{ "NUL in text", "PATCH", NET, "{\"domain\":\"a\\u0000b\"}", 400, "not JSON" },
	{ "not UTF-8", "PATCH", NET, "{\"domain\":\"\xff\xfe\"}", 400, "unable to decode byte 0xff" },
	{ "escapes in a name are shown harmless", "POST", "/v1/networks", "{\"name\":\"\\u001b[31m\"}", 400, "\\\\x1b[31m" },
};

static void test_objects(void **state)
{
	struct bench *b = *state;
	int fd = connect_as(b, 0);

	walk(fd, objects, ARRAY_SIZE(objects));
	close(fd);
	assert_int_equal(b->engine.freed, 1);
}

/* ---- the whole model ---- */

static const char config[] =
	"networks:\n"
	"  lab:\n"
	"    subnet: 10.77.0.0/24\n"
	"    ports:\n"
	"      vm1: {kind: stream}\n"
	"    forwards:\n"
	"      web: {listen: 8080, to: 'vm1:80'}\n";

static void test_config(void **state)
{
	struct bench *b = *state;
	int fd = connect_as(b, 0);

	assert_int_equal(ask(fd, "PUT", "/v1/config?dry_run=true", "application/yaml", config), 200);
	assert_string_equal(answer, "{\"changes\":[{\"action\":\"add\",\"object\":\"network lab\"},"
				    "{\"action\":\"add\",\"object\":\"port lab/vm1\"},"
				    "{\"action\":\"add\",\"object\":\"forward lab/web\"}]}\n");
	assert_int_equal(ask_json(fd, "GET", "/v1/networks", NULL), 200);
	assert_string_equal(answer, "{\"networks\":[]}\n");
	assert_int_equal(ask(fd, "PUT", "/v1/config", "application/yaml", config), 200);
	assert_int_equal(ask(fd, "PUT", "/v1/config", "application/yaml", config), 200);
	assert_string_equal(answer, "{\"changes\":[]}\n");
	assert_int_equal(ask_json(fd, "GET", "/v1/config?format=yaml", NULL), 200);
	assert_string_equal(answer, config);
	assert_int_equal(ask_json(fd, "GET", "/v1/config", NULL), 200);
	assert_int_equal(ask_json(fd, "PUT", "/v1/config", strdupa(answer)), 200);
	assert_string_equal(answer, "{\"changes\":[]}\n");
	assert_int_equal(ask(fd, "PUT", "/v1/config?file=my.yaml", "application/yaml", "networks:\n  lab:\n    mtu: 5\n"), 400);
	assert_non_null(strstr(answer, "my.yaml:3: network lab: mtu: 5 is not in 576..65520"));
	assert_int_equal(ask(fd, "PUT", "/v1/config?file=my.yaml", "application/yaml", "networks: {lab: \n"), 400);
	assert_non_null(strstr(answer, "\"message\":\"my.yaml:2: "));
	assert_int_equal(ask(fd, "PUT", "/v1/config", "application/yaml", "networks:\n  lab:\n    ports:\n      a: {kind: attached, transient: true}"), 400);
	assert_non_null(strstr(answer, "configuration:4: network lab: port a: transient: is for ports made by attaching"));
	assert_int_equal(ask_json(fd, "GET", "/v1/config?format=yaml", NULL), 200);
	assert_string_equal(answer, config);	/* refused as a whole */
	assert_int_equal(ask(fd, "PUT", "/v1/config", "application/yaml", "networks: {}\n"), 200);
	assert_non_null(strstr(answer, "{\"action\":\"remove\",\"object\":\"network lab\"}"));
	close(fd);
}

static void test_config_keeps(void **state)
{
	struct bench *b = *state;
	int fd = connect_as(b, 0);

	in_loop(b, set_model, "networks:\n  lab:\n    subnet: 10.99.0.0/24\n    owner: 77\n    ports:\n"
			      "      box: {kind: attached, transient: true}\n");
	assert_int_equal(ask(fd, "PUT", "/v1/config", "application/yaml", "networks:\n  lab:\n    mtu: 1400\n"), 200);
	assert_string_equal(answer, "{\"changes\":[{\"action\":\"change\",\"object\":\"network lab\",\"settings\":[\"mtu: 1500 to 1400\"]}]}\n");
	print_message("  what is only asked about is not made\n");
	assert_int_equal(ask(fd, "PATCH", "/v1/networks/lab?dry_run=true", "application/json", "{\"mtu\": 1300}"), 200);
	assert_string_equal(answer, "{\"changes\":[{\"action\":\"change\",\"object\":\"network lab\",\"settings\":[\"mtu: 1400 to 1300\"]}]}\n");
	assert_int_equal(ask(fd, "PATCH", "/v1/networks/lab?dry_run=true", "application/json", "{\"mtu\": 13}"), 400);
	assert_int_equal(ask(fd, "DELETE", "/v1/networks/lab/ports/box?dry_run=true", "application/json", ""), 200);
	assert_string_equal(answer, "{\"changes\":[{\"action\":\"remove\",\"object\":\"port lab/box\"}]}\n");
	assert_int_equal(ask_json(fd, "GET", "/v1/networks/lab", NULL), 200);
	assert_non_null(strstr(answer, "\"subnet\":\"10.99.0.0/24\""));
	assert_non_null(strstr(answer, "\"owner\":77"));
	assert_int_equal(ask_json(fd, "GET", "/v1/networks/lab/ports/box", NULL), 200);
	close(fd);
}

/* ---- who may ---- */

static const struct step strangers[] = {
	{ "makes a network of his own", "POST", "/v1/networks", "{\"name\":\"own\"}", 201, "\"owner\":" },
	{ "attached ports are his", "POST", "/v1/networks/own/ports", "{\"name\":\"a\",\"kind\":\"attached\"}", 201, NULL },
	{ "but nothing that the daemon would open", "POST", "/v1/networks/own/ports",
	  "{\"name\":\"b\",\"kind\":\"stream\",\"path\":\"/etc/x\"}", 403, "opened with the daemon's rights" },
	{ "nor a low port", "POST", "/v1/networks/own/forwards", "{\"port\":80,\"to\":\"a\"}", 403, "below 1024" },
	{ "a high one is fine", "POST", "/v1/networks/own/forwards", "{\"port\":8080,\"to\":\"a\"}", 201, NULL },
	{ "sees only his own", "GET", "/v1/networks", NULL, 200, "!\"name\":\"other\"" },
	{ "may not look", "GET", "/v1/networks/other", NULL, 403, "network other belongs to another user" },
	{ "may not look inside", "GET", "/v1/networks/other/ports", NULL, 403, NULL },
	{ "may not look at leases", "GET", "/v1/networks/other/leases", NULL, 403, NULL },
	{ "may not free", "DELETE", "/v1/networks/other/leases/10.77.0.5", NULL, 403, NULL },
	{ "may not change", "PATCH", "/v1/networks/other", "{\"mtu\":9000}", 403, "\"code\":\"permission\"" },
	{ "may not take the name", "POST", "/v1/networks", "{\"name\":\"other\"}", 403, NULL },
	{ "may not add", "POST", "/v1/networks/other/ports", "{\"name\":\"a\",\"kind\":\"attached\"}", 403, NULL },
	{ "may not remove", "DELETE", "/v1/networks/other?force=true", NULL, 403, NULL },
	{ "may not wait", "GET", "/v1/networks/other/ports/vm1?wait=1", NULL, 403, NULL },
	{ "may not apply over it", "PUT", "/v1/config", "{\"networks\":{\"other\":{}}}", 403, "belongs to another user" },
	{ "may not give away", "PUT", "/v1/config", "{\"networks\":{\"mine\":{\"owner\":0}}}", 403, NULL },
	{ "applies his own", "PUT", "/v1/config", "{\"networks\":{\"mine\":{}}}", 200, "remove" },
	{ "the other is still there, unseen", "GET", "/v1/config", NULL, 200, "!other" },
};

static void still_other(struct bench *b, const void *arg)
{
	(void)arg;
	assert_non_null(model_net(b->engine.model, "other"));
	assert_non_null(model_net(b->engine.model, "mine"));
	assert_null(model_net(b->engine.model, "own"));
}

/* What the API shows of traffic: of one's own networks alone. */
static void test_look(void **state)
{
	struct bench *b = *state;
	int fd = connect_as(b, 0);

	in_loop(b, set_model, "networks: {lab: {ports: {vm1: {kind: stream}}}, other: {owner: 77}}");
	assert_int_equal(ask_json(fd, "GET", "/v1/explain?port=lab/vm1&to=1.1.1.1%3A443", NULL), 200);
	assert_non_null(strstr(answer, "\"network\":\"lab\",\"destination\":\"1.1.1.1:443\",\"passes\":true"));
	assert_int_equal(ask_json(fd, "GET", "/v1/explain?port=lab/vm9&to=1.1.1.1", NULL), 404);
	assert_int_equal(ask_json(fd, "GET", "/v1/explain?port=none/vm1&to=1.1.1.1", NULL), 404);
	assert_int_equal(ask_json(fd, "GET", "/v1/explain?port=lab&to=1.1.1.1", NULL), 400);
	assert_int_equal(ask_json(fd, "GET", "/v1/explain?port=lab/vm1", NULL), 400);
	assert_int_equal(ask_json(fd, "DELETE", "/v1/explain?port=lab/vm1&to=1.1.1.1", NULL), 405);
	assert_int_equal(ask_json(fd, "GET", NET "/flows", NULL), 200);
	assert_int_equal(ask_json(fd, "GET", NET "/flows?port=vm9", NULL), 404);
	assert_int_equal(ask_json(fd, "DELETE", NET "/flows", NULL), 405);
	close(fd);
}

static void test_look_of_others(void **state)
{
	struct bench *b = *state;
	int fd;

	in_loop(b, set_model, "networks: {other: {owner: 77, ports: {vm1: {kind: stream}}}}");
	fd = connect_as(b, SOMEBODY);
	assert_int_equal(ask_json(fd, "GET", "/v1/explain?port=other/vm1&to=1.1.1.1", NULL), 403);
	assert_int_equal(ask_json(fd, "GET", "/v1/networks/other/flows", NULL), 403);
	close(fd);
}

static void test_strangers(void **state)
{
	struct bench *b = *state;
	int fd;

	in_loop(b, set_model, "networks: {other: {owner: 77, subnet: 10.77.0.0/24, ports: {vm1: {kind: stream}}}}");
	fd = connect_as(b, SOMEBODY);
	walk(fd, strangers, ARRAY_SIZE(strangers));
	in_loop(b, still_other, NULL);
	close(fd);
}

/* ---- waiting and listening ---- */

static void nothing(struct bench *b, const void *arg)
{
	(void)b, (void)arg;
}

static void give_address(struct bench *b, const void *arg)
{
	b->engine.addressed = true;
	api_event(b->api, "lab", arg, json_pack("{s:s}", "event", "address"));
}

static void drop_port(struct bench *b, const void *arg)
{
	set_model(b, "networks: {lab: {}}");
	api_event(b->api, "lab", arg, json_pack("{s:s}", "event", "port-removed"));
}

static void send_request(int fd, const char *path)
{
	char text[256];

	snprintf(text, sizeof(text), "GET %s HTTP/1.1\r\nHost: l\r\n\r\n", path);
	send_all(fd, text, strlen(text));
}

static void test_wait(void **state)
{
	struct bench *b = *state;
	int fd = connect_as(b, 0), other = connect_as(b, 0), third = connect_as(b, 0);

	in_loop(b, set_model, "networks: {lab: {ports: {vm1: {kind: stream}, vm2: {kind: stream}}}}");
	assert_int_equal(ask_json(fd, "GET", NET "/ports/vm1?wait=x", NULL), 400);
	assert_int_equal(ask_json(fd, "GET", NET "/ports/vm9?wait=5", NULL), 404);
	assert_int_equal(ask_json(fd, "GET", NET "/ports/vm1?wait=5&for=fun", NULL), 400);
	assert_int_equal(ask_json(fd, "GET", NET "/ports/vm1?wait=1", NULL), 504);
	assert_non_null(strstr(answer, "\"code\":\"timed-out\",\"message\":\"port lab/vm1 has no address after 1 s\""));
	send_request(fd, NET "/ports/vm1?wait=60");
	send_request(other, NET "/ports/vm2?wait=60s");
	send_request(third, NET "/ports/vm2?wait=60s");
	close(third);
	in_loop(b, nothing, NULL);	/* what was sent before has been read when this has run */
	in_loop(b, give_address, "vm1");
	assert_int_equal(receive(fd, answer), 200);
	assert_non_null(strstr(answer, "10.77.0.5"));
	assert_int_equal(ask_json(fd, "GET", NET "/ports/vm1?wait=60", NULL), 200);	/* has one already */
	assert_int_equal(ask_json(fd, "GET", NET "/ports/vm1?wait=60&for=link", NULL), 200);
	assert_int_equal(ask_json(fd, "GET", NET "/ports/vm1?wait=60&for=dns", NULL), 200);
	assert_int_equal(ask_json(fd, "GET", NET "/ports/vm1?wait=1&for=lease", NULL), 504);	/* seen by ARP is no lease */
	assert_non_null(strstr(answer, "has no lease after 1 s"));
	assert_int_equal(ask_json(fd, "GET", NET "/ports/vm1?wait=1&for=address6", NULL), 504);
	in_loop(b, drop_port, "vm2");
	assert_int_equal(receive(other, answer), 404);
	close(fd);
	close(other);
}

/* line() - the next line of a chunked stream that begins with { */
static const char *line(int fd)
{
	static char text[4096];
	size_t n = 0;

	for (;;) {
		if (recv(fd, text + n, 1, 0) != 1)
			return NULL;
		if (text[n++] != '\n' || n == sizeof(text))
			continue;
		text[n - 1] = '\0';
		n = 0;
		if (text[0] == '{')
			return text;
	}
}

static void some_event(struct bench *b, const void *arg)
{
	api_event(b->api, arg, "vm1", json_pack("{s:s, s:i}", "event", "link", "n", 1));
}

static void many_events(struct bench *b, const void *arg)
{
	for (int i = 0; i < 100000; i++)
		api_event(b->api, NULL, NULL, json_pack("{s:s, s:i}", "event", arg, "n", i));
}

static bool listened;

static void look_for_listeners(struct bench *b, const void *arg)
{
	(void)arg;
	listened = api_listened(b->api);
}

static void test_events(void **state)
{
	struct bench *b = *state;
	int fd = connect_as(b, 0);
	const char *text;

	in_loop(b, set_model, "networks: {lab: {}}");
	in_loop(b, look_for_listeners, NULL);
	assert_false(listened);
	send_request(fd, "/v1/events");
	while (recv(fd, answer, 1, MSG_PEEK) != 1)
		;
	text = line(fd);
	assert_non_null(text);
	assert_non_null(strstr(text, "\"event\":\"listening\",\"engine_restarts\":3}"));
	in_loop(b, look_for_listeners, NULL);
	assert_true(listened);
	in_loop(b, some_event, "lab");
	text = line(fd);
	assert_non_null(text);
	assert_non_null(strstr(text, "\"event\":\"link\",\"network\":\"lab\",\"port\":\"vm1\",\"n\":1}"));
	assert_int_equal(strncmp(text, "{\"time\":\"2", 10), 0);
	in_loop(b, many_events, "flood");
	while ((text = line(fd)) && !strstr(text, "\"event\":\"lost\",\"count\":"))
		assert_non_null(strstr(text, "flood"));
	assert_non_null(text);		/* it was told what it missed, by the next second */
	while ((text = line(fd)) && !strstr(text, "forward-hit"))	/* and of what counters know, a second later */
		;
	assert_non_null(text);
	close(fd);
}

/* A listener of one network hears of that one alone; not of others, nor of what is about none. */
static void test_events_of_one(void **state)
{
	struct bench *b = *state;
	int fd = connect_as(b, 0);
	const char *text;

	in_loop(b, set_model, "networks: {lab: {}, other: {}}");
	assert_int_equal(ask_json(fd, "GET", "/v1/events?network=0123456789012345678901234567890123456789012345678901234567890123456789",
				  NULL), 400);
	send_request(fd, "/v1/events?network=other");
	while (recv(fd, answer, 1, MSG_PEEK) != 1)
		;
	in_loop(b, some_event, "lab");
	in_loop(b, some_event, NULL);
	in_loop(b, some_event, "other");
	text = line(fd);
	assert_non_null(strstr(text, "listening"));
	text = line(fd);
	assert_non_null(strstr(text, "\"network\":\"other\""));
	close(fd);
}

static void test_events_of_others(void **state)
{
	struct bench *b = *state;
	int fd;

	in_loop(b, set_model, "networks: {other: {owner: 77}}");
	fd = connect_as(b, SOMEBODY);
	send_request(fd, "/v1/events");
	while (recv(fd, answer, 1, MSG_PEEK) != 1)
		;
	in_loop(b, some_event, "other");
	in_loop(b, some_event, "gone");
	in_loop(b, some_event, NULL);
	assert_null(strstr(line(fd), "network"));
	close(fd);
}

/* ---- captures ---- */

static const struct step captures[] = {
	{ "no network", "GET", "/v1/capture", NULL, 400, "net: is missing" },
	{ "an unknown one", "GET", "/v1/capture?net=zoo", NULL, 404, "there is no network zoo" },
	{ "an unknown port", "GET", "/v1/capture?net=lab&port=vm9", NULL, 404, "network lab has no port vm9" },
	{ "a direction", "GET", "/v1/capture?net=lab&direction=up", NULL, 400, "direction: not one of in, out and both" },
	{ "a length", "GET", "/v1/capture?net=lab&snaplen=0", NULL, 400, "snaplen: not a number in 1.." },
	{ "a number", "GET", "/v1/capture?net=lab&count=many", NULL, 400, "count: not a number in 1.." },
	{ "what the engine refuses", "GET", "/v1/capture?net=lab&filter=nonsense", NULL, 400, "filter: nonsense" },
	{ "the past", "GET", "/v1/capture?net=lab&past=true", NULL, 200, "the past" },
	{ "too much of it", "GET", "/v1/capture?net=lab&past=true&count=9", NULL, 413, "too many" },
	{ "a method", "POST", "/v1/capture?net=lab", NULL, 405, "no meaning" },
};

static void write_some(struct bench *b, const void *arg)
{
	struct capture_sink *sink = &b->engine.sink;

	sink->write(sink->arg, arg, strlen(arg));
}

/* fill() - as a capture does: no more than there is room for */
static void fill(struct bench *b, const void *arg)
{
	static char much[64 << 10];
	struct capture_sink *sink = &b->engine.sink;
	size_t *written = *(size_t *const *)arg;

	while (sink->room(sink->arg) >= sizeof(much)) {
		sink->write(sink->arg, much, sizeof(much));
		*written += sizeof(much);
	}
}

static void end_capture(struct bench *b, const void *arg)
{
	(void)arg;
	b->engine.captures--;
	b->engine.sink.end(b->engine.sink.arg);
}

static void count_captures(struct bench *b, const void *arg)
{
	**(unsigned *const *)arg = b->engine.captures;
}

static unsigned captures_of(struct bench *b)
{
	unsigned n, *to = &n;

	in_loop(b, count_captures, &to);
	return n;
}

/* until() - read until @what has come */
static void until(int fd, const char *what)
{
	size_t n = 0;

	for (answer[0] = '\0'; !strstr(answer, what); answer[n] = '\0') {
		ssize_t got = recv(fd, answer + n, sizeof(answer) - 1 - n, 0);

		assert_true(got > 0);
		n += (size_t)got;
	}
}

static void test_capture(void **state)
{
	struct bench *b = *state;
	int fd = connect_as(b, 0);

	in_loop(b, set_model, "networks: {lab: {ports: {vm1: {kind: stream}}}}");
	walk(fd, captures, ARRAY_SIZE(captures));
	send_request(fd, "/v1/capture?net=lab&port=vm1&direction=out&snaplen=96&count=7&filter=arp");
	until(fd, "5\r\nbegin\r\n");
	assert_non_null(strstr(answer, "application/x-pcapng"));
	assert_string_equal(b->engine.capture.net, "lab");
	assert_string_equal(b->engine.capture.port, "vm1");
	assert_int_equal(b->engine.capture.ways, 2);
	assert_int_equal(b->engine.capture.snaplen, 96);
	assert_int_equal(b->engine.capture.count, 7);
	in_loop(b, write_some, "frames");
	until(fd, "6\r\nframes\r\n");
	in_loop(b, end_capture, NULL);
	until(fd, "0\r\n\r\n");
	assert_int_equal(ask_json(fd, "GET", NET, NULL), 200);	/* the connection goes on */
	close(fd);
}

/* What a client does not read is bounded; and when it goes the capture does. */
static void test_capture_slow(void **state)
{
	struct bench *b = *state;
	size_t written = 0, *to = &written;
	int fds[3];

	in_loop(b, set_model, "networks: {lab: {}}");
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
		fds[i] = connect_as(b, 0);
		send_request(fds[i], "/v1/capture?net=lab");
		until(fds[i], "begin");
	}
	for (int i = 0; i < 50; i++)
		in_loop(b, fill, &to);
	assert_in_range(written, 1 << 20, 8 << 20);
	assert_int_equal(captures_of(b), 3);
	close(fds[0]);
	close(fds[1]);
	for (int tries = 0; captures_of(b) != 1; tries++)
		assert_true(tries < 100000);
	close(fds[2]);
	while (captures_of(b))
		;
}

static void test_capture_of_others(void **state)
{
	struct bench *b = *state;
	int fd = connect_as(b, SOMEBODY);

	in_loop(b, set_model, "networks: {other: {owner: 77}}");
	assert_int_equal(ask_json(fd, "GET", "/v1/capture?net=other", NULL), 403);
	close(fd);
}

/* ---- bad clients (SEC-07) ---- */

static void test_nesting(void **state)
{
	struct bench *b = *state;
	char *text = malloc(40001);
	int fd = connect_as(b, 0);

	memset(text, '[', 20000);
	memset(text + 20000, ']', 20000);
	text[40000] = '\0';
	assert_int_equal(ask_json(fd, "POST", "/v1/networks", text), 400);
	assert_non_null(strstr(answer, "nested deeper than 16 levels"));
	assert_int_equal(ask(fd, "PUT", "/v1/config", "application/yaml", text), 400);
	assert_non_null(strstr(answer, "nested deeper than 16 levels"));
	for (unsigned depth = 15; depth <= 17; depth++) {	/* the limit itself, with brackets in text beside it */
		memcpy(text, "{\"[[[\\\"[[\":", 11);
		memset(text + 11, '[', depth - 1);
		memset(text + 10 + depth, ']', depth - 1);
		strcpy(text + 9 + 2 * depth, "}");
		assert_int_equal(ask_json(fd, "POST", "/v1/networks", text), 400);
		assert_int_equal(strstr(answer, "nested deeper") != NULL, depth > 16);
	}
	assert_int_equal(ask_json(fd, "GET", "/v1/daemon", NULL), 200);
	free(text);
	close(fd);
}

static const struct {
	const char *what, *text;
	int status;	/* -1: the connection just ends */
} bad_requests[] = {
	{ "a gigabyte announced", "PUT /v1/config HTTP/1.1\r\nContent-Length: 1073741824\r\n\r\n{", 413 },
	{ "a negative length", "PUT /v1/config HTTP/1.1\r\nContent-Length: -5\r\n\r\n", 400 },
	{ "a length that is none", "PUT /v1/config HTTP/1.1\r\nContent-Length: x\r\n\r\n", 400 },
	{ "a chunk too large", "PUT /v1/config HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n40000000\r\n{", 413 },
	{ "a broken chunk", "PUT /v1/config HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 413 },
	{ "not HTTP", "hello world\r\n\r\n", 400 },
	{ "an unknown method", "BREW /v1/daemon HTTP/1.1\r\n\r\n", 501 },
	{ "a method we do not take", "OPTIONS /v1/daemon HTTP/1.1\r\n\r\n", 501 },
	{ "a path with NUL", "GET /v1/networks/a%00b HTTP/1.1\r\n\r\n", 404 },
	{ "a path that is not UTF-8", "GET /v1/networks/%ff%fe HTTP/1.1\r\n\r\n", 404 },
	{ "a path that climbs", "GET /v1/../v1/daemon HTTP/1.1\r\n\r\n", 404 },
	{ "a foreign URI", "GET http://elsewhere/v1/daemon HTTP/1.1\r\n\r\n", 200 },
	{ "an odd query", "GET /v1/networks?a=1&a=2&&=&x HTTP/1.1\r\n\r\n", 400 },
};

static void test_bad_requests(void **state)
{
	struct bench *b = *state;

	for (size_t i = 0; i < ARRAY_SIZE(bad_requests); i++) {
		int fd = connect_as(b, 0), status;

		print_message("  %s\n", bad_requests[i].what);
		send_all(fd, bad_requests[i].text, strlen(bad_requests[i].text));
		status = receive(fd, answer);
		print_message("    %d\n", status);
		if (strcmp(bad_requests[i].what, "an odd query"))
			assert_int_equal(status, bad_requests[i].status);
		close(fd);
	}
}

static void test_large_body(void **state)
{
	struct bench *b = *state;
	char *text = malloc((1 << 20) + 10);
	int fd = connect_as(b, 0);

	memset(text, ' ', (1 << 20) + 1);
	text[(1 << 20) + 1] = '\0';
	assert_int_equal(ask_json(fd, "POST", "/v1/networks", text), 413);
	assert_non_null(strstr(answer, "\"code\":\"too-large\""));
	close(fd);
	fd = connect_as(b, 0);
	memcpy(text, "{\"name\":\"lab\"", 13);
	memcpy(text + (1 << 20) - 1, "}", 2);
	assert_int_equal(ask_json(fd, "POST", "/v1/networks", text), 201);	/* just fits */
	free(text);
	close(fd);
}

static void test_long_header(void **state)
{
	struct bench *b = *state;
	char *text = malloc(1 << 20);
	int fd = connect_as(b, 0), status;

	memset(text, 'a', 1 << 20);
	memcpy(text, "GET /v1/daemon HTTP/1.1\r\nX: ", 28);
	send_all(fd, text, 1 << 20);
	status = receive(fd, answer);
	assert_true(status == 400 || status == 413 || status == -1);
	free(text);
	close(fd);
}

/* Five hundred clients who never finish, and whole requests are still answered at once. */
static void test_slow_senders(void **state)
{
	struct bench *b = *state;
	int fds[500], fd;

	for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
		fds[i] = connect_as(b, 0);
		send_all(fds[i], "PUT /v1/config HTTP/1.1\r\nContent-Length: 99999\r\n\r\n{", i % 53);
	}
	for (size_t i = 0; i < 20; i++) {
		fd = connect_as(b, 0);
		assert_int_equal(ask_json(fd, "GET", "/v1/daemon", NULL), 200);
		close(fd);
		send_all(fds[i * 25], "x", 1);
	}
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		close(fds[i]);
}

/* Whoever holds most bytes of requests that do not end makes room for the others. */
static void test_hoarders(void **state)
{
	static const char head[] = "PUT /v1/config HTTP/1.1\r\nContent-Length: 1048576\r\n\r\n";
	struct bench *b = *state;
	char *half = calloc(1, 600000);
	int fds[40], fd, kept = 0;

	for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
		fds[i] = connect_as(b, 0);
		send_all(fds[i], head, strlen(head));
		send_all(fds[i], half, 600000);
	}
	fd = connect_as(b, 0);
	assert_int_equal(ask_json(fd, "POST", "/v1/networks", "{\"name\":\"lab\"}"), 201);
	close(fd);
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
		kept += recv(fds[i], answer, 1, MSG_DONTWAIT) < 0 && errno == EAGAIN;
		close(fds[i]);
	}
	assert_true(kept <= 7);	/* 4 MiB of 600,000 bytes each */
	free(half);
}

static void test_pipelining(void **state)
{
	static const char request[] = "GET /v1/daemon HTTP/1.1\r\nHost: l\r\n\r\n";
	struct bench *b = *state;
	char all[100 * sizeof(request)] = "";
	int fd = connect_as(b, 0), n = 0;

	for (int i = 0; i < 100; i++)
		strcat(all, request);
	send_all(fd, all, strlen(all));
	shutdown(fd, SHUT_WR);
	for (ssize_t got, have = 0; (got = recv(fd, answer + have, sizeof(answer) - 1 - (size_t)have, 0)) > 0;) {
		have += got;
		answer[have] = '\0';
	}
	for (const char *p = answer; (p = strstr(p, "HTTP/1.1 200")); p++)
		n++;
	assert_true(n >= 1);	/* as many as evhttp had answered when the input ended; none twice, and no crash */
	close(fd);
	fd = connect_as(b, 0);
	assert_int_equal(ask_json(fd, "GET", "/v1/daemon", NULL), 200);
	close(fd);
}

static void hold(struct bench *b, const void *arg)
{
	(void)arg;
	b->engine.hold = true;
}

static void let_go(struct bench *b, const void *arg)
{
	(void)arg;
	release(&b->engine);
}

static const char new_lab[] = "POST /v1/networks HTTP/1.1\r\nContent-Length: 14\r\n\r\n{\"name\":\"lab\"}";

/* held() - wait until the engine has @n changes waiting */
static void count_held(struct bench *b, const void *arg)
{
	unsigned n = 0;

	for (struct pending *p = b->engine.pending; p; p = p->next)
		n++;
	*(unsigned *)arg = n;
}

static void wait_held(struct bench *b, unsigned n)
{
	unsigned have = 0;

	for (int i = 0; i < 100000 && have < n; i++)
		in_loop(b, count_held, &have);
	assert_int_equal(have, n);
}

static void test_gone_before_the_answer(void **state)
{
	struct bench *b = *state;
	int fd = connect_as(b, 0);

	in_loop(b, hold, NULL);
	send_all(fd, new_lab, strlen(new_lab));
	wait_held(b, 1);
	close(fd);
	fd = connect_as(b, 0);
	send_all(fd, new_lab, strlen(new_lab));
	wait_held(b, 2);
	while (send(fd, new_lab, strlen(new_lab), MSG_DONTWAIT | MSG_NOSIGNAL) > 0)
		;	/* on and on, without waiting for the answer */
	in_loop(b, let_go, NULL);
	close(fd);
	fd = connect_as(b, 0);
	assert_int_equal(ask_json(fd, "GET", "/v1/networks/lab", NULL), 200);
	close(fd);
}

static void test_end_with_changes_waiting(void **state)
{
	struct bench *b = *state;
	int fd = connect_as(b, 0), waiter, listener;

	in_loop(b, set_model, "networks: {lab: {ports: {vm1: {kind: stream}}}}");
	waiter = connect_as(b, 0);
	listener = connect_as(b, 0);
	send_request(waiter, NET "/ports/vm1?wait=60");
	send_request(listener, "/v1/events");
	while (recv(listener, answer, 1, MSG_PEEK) != 1)
		;
	in_loop(b, hold, NULL);
	send_all(fd, new_lab, strlen(new_lab));
	wait_held(b, 1);
	stop_loop(b);
	api_free(b->api);
	b->api = NULL;
	release(&b->engine);	/* must not touch what is gone */
	assert_int_equal(receive(fd, answer), -1);
	close(fd);
	close(waiter);
	close(listener);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
#define STRANGER(name) cmocka_unit_test_setup_teardown(name, setup_stranger, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_objects), TEST(test_config), TEST(test_config_keeps), STRANGER(test_strangers), TEST(test_wait),
		TEST(test_events), TEST(test_events_of_one), TEST(test_look), STRANGER(test_look_of_others), STRANGER(test_events_of_others),
		TEST(test_capture), TEST(test_capture_slow), STRANGER(test_capture_of_others), TEST(test_nesting), TEST(test_bad_requests),
		TEST(test_large_body), TEST(test_long_header), TEST(test_slow_senders), TEST(test_hoarders),
		TEST(test_pipelining), TEST(test_gone_before_the_answer), TEST(test_end_with_changes_waiting),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
