// SPDX-License-Identifier: GPL-2.0-or-later
#include "ctl/client.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <curl/curl.h>

#include "base/array.h"
#include "base/error.h"
#include "ctl/paths.h"

enum {
	CLIENT_URL_MAX = 8192,
	ANSWER_MAX = 64 << 20,	/* bytes; a model of every size that is allowed fits */
	CONNECT_S = 5,
	ANSWER_S = 30,		/* the slowest change waits for the disk and for a namespace */
};

struct client {
	int fd;				/* of the newest connection */
	CURL *curl;
	char socket[CLIENT_PATH_MAX];
	char why[CURL_ERROR_SIZE];
};

/* reply - what is being received */
struct reply {
	const struct client *client;
	char *text;
	size_t size;
	size_t room;
	int (*line)(void *arg, const char *text);	/* or: */
	int (*bytes)(void *arg, const uint8_t *data, size_t size);	/* neither: collect everything */
	void *arg;
	int line_rc;
};

/* A signal while a stream runs: its socket is shut, and libcurl finds its end. */
static volatile sig_atomic_t stream_fd = -1, interrupted;

static void on_interrupt(int signal)
{
	(void)signal;
	interrupted = 1;
	if (stream_fd >= 0)
		shutdown(stream_fd, SHUT_RDWR);
	else
		_exit(130);
}

/* --- where the daemon is --------------------------------------------------------------------------- */

/* is_socket() - of this user; anybody may put things into /tmp, which is where the last resort lies */
static bool is_socket(const char *path, uid_t owner)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISSOCK(st.st_mode) && st.st_uid == owner;
}

static int unreachable(struct error *err, const char *fmt, const char *path)
{
	error_set(err, -ENOENT, fmt, path);
	error_code(err, "unreachable");
	error_hint(err, "lanyardd &");
	return -ENOENT;
}

int client_socket(const char *given, char path[CLIENT_PATH_MAX], struct error *err)
{
	static const char system_socket[] = "/run/lanyard/" PATHS_API_SOCKET;
	char dir[PATHS_SIZE];

	if (!given)
		given = getenv("LANYARD_SOCKET");
	if (given && *given) {
		if (snprintf(path, CLIENT_PATH_MAX, "%s", given) >= CLIENT_PATH_MAX)
			return unreachable(err, "daemon: the socket's path is too long: %.200s", given);
		return 0;
	}
	if (paths_runtime(getuid(), dir, sizeof(dir)) < 0 || paths_join(path, CLIENT_PATH_MAX, dir, PATHS_API_SOCKET) < 0)
		path[0] = '\0';
	if (is_socket(path, getuid()))
		return 0;
	if (is_socket(system_socket, 0)) {
		snprintf(path, CLIENT_PATH_MAX, "%s", system_socket);
		return 0;
	}
	return unreachable(err, "daemon: not running: no socket at %s", path[0] ? path : system_socket);
}

int client_sibling(const char *socket, const char *name, char path[CLIENT_PATH_MAX], struct error *err)
{
	const char *slash = strrchr(socket, '/');
	int n = slash ? (int)(slash + 1 - socket) : 0;

	if (snprintf(path, CLIENT_PATH_MAX, "%.*s%s", n, socket, name) >= CLIENT_PATH_MAX)
		return error_set(err, -ENAMETOOLONG, "%s: the path beside %s is too long for a socket", name, socket);
	return 0;
}

/* --- one request ------------------------------------------------------------------------------------- */

struct client *client_new(const char *socket, struct error *err)
{
	struct client *client = calloc(1, sizeof(*client));

	if (client && curl_global_init(CURL_GLOBAL_NOTHING) == CURLE_OK)
		client->curl = curl_easy_init();
	if (!client || !client->curl) {
		free(client);
		error_set(err, -ENOMEM, "daemon: out of memory");
		return NULL;
	}
	snprintf(client->socket, sizeof(client->socket), "%s", socket);
	return client;
}

void client_free(struct client *client)
{
	if (!client)
		return;
	curl_easy_cleanup(client->curl);
	free(client);
}

static bool grow(struct reply *reply, size_t more)
{
	size_t room = MAX_OF(reply->room * 2, reply->size + more + 1);
	char *text;

	if (reply->size + more < reply->room)
		return true;
	if (room > ANSWER_MAX || !(text = realloc(reply->text, room)))
		return false;
	reply->text = text;
	reply->room = room;
	return true;
}

/* hand_over() - give complete lines to the caller, and keep the rest */
static bool hand_over(struct reply *reply)
{
	char *from = reply->text, *end;

	while ((end = memchr(from, '\n', reply->size - (size_t)(from - reply->text)))) {
		*end = '\0';
		if (from != end)
			reply->line_rc = reply->line(reply->arg, from);
		if (reply->line_rc < 0)
			return false;
		from = end + 1;
	}
	reply->size -= (size_t)(from - reply->text);
	memmove(reply->text, from, reply->size);
	return true;
}

/* hand_bytes() - all that is there; from now on a signal ends the connection */
static bool hand_bytes(struct reply *reply)
{
	stream_fd = reply->client->fd;
	reply->line_rc = reply->bytes(reply->arg, (const uint8_t *)reply->text, reply->size);
	reply->size = 0;
	return reply->line_rc >= 0;
}

static size_t on_data(char *data, size_t one, size_t n, void *arg)
{
	struct reply *reply = arg;
	long status = 0;

	(void)one;	/* always 1 */
	if (!grow(reply, n))
		return 0;
	memcpy(reply->text + reply->size, data, n);
	reply->size += n;
	reply->text[reply->size] = '\0';
	curl_easy_getinfo(reply->client->curl, CURLINFO_RESPONSE_CODE, &status);
	if (reply->bytes && status < 300)
		return hand_bytes(reply) ? n : 0;
	if (reply->line && status < 300 && !hand_over(reply))
		return 0;
	return n;
}

static struct curl_slist *headers(const struct request *request)
{
	struct curl_slist *list = curl_slist_append(NULL, "Expect:");	/* no round trip before a body */
	char line[128];

	if (request->body) {
		snprintf(line, sizeof(line), "Content-Type: %s", request->type);
		list = curl_slist_append(list, line);
	}
	snprintf(line, sizeof(line), "Accept: %s", request->accept ? request->accept : "application/json");
	return curl_slist_append(list, line);
}

/* libcurl tells the socket of a transfer that goes on to nobody but who was there when it was made */
static int on_socket(void *arg, curl_socket_t fd, curlsocktype purpose)
{
	struct client *client = arg;

	(void)purpose;
	client->fd = fd;
	return CURL_SOCKOPT_OK;
}

static void prepare(struct client *client, const struct request *request, struct reply *reply)
{
	CURL *curl = client->curl;
	char url[CLIENT_URL_MAX];

	snprintf(url, sizeof(url), "http://lanyard%s", request->path);
	curl_easy_reset(curl);		/* keeps the connection */
	client->why[0] = '\0';
	curl_easy_setopt(curl, CURLOPT_URL, url);
	curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, client->socket);
	curl_easy_setopt(curl, CURLOPT_PROXY, "");	/* http_proxy is about other things */
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_SOCKOPTFUNCTION, on_socket);
	curl_easy_setopt(curl, CURLOPT_SOCKOPTDATA, client);
	curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, request->method);
	curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, client->why);
	curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_S);
	if (!reply->line && !reply->bytes)
		curl_easy_setopt(curl, CURLOPT_TIMEOUT, (long)ANSWER_S + request->wait_s);
	if (request->body) {
		curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->size);
		curl_easy_setopt(curl, CURLOPT_POSTFIELDS, request->body);
	}
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_data);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, reply);
}

static int transport_error(struct client *client, CURLcode code, struct error *err)
{
	long os_errno = 0;

	curl_easy_getinfo(client->curl, CURLINFO_OS_ERRNO, &os_errno);
	if (code == CURLE_COULDNT_CONNECT && os_errno == EACCES)
		return error_set(err, -EACCES, "daemon: %s is closed to this user", client->socket);
	if (code == CURLE_COULDNT_CONNECT)
		return unreachable(err, "daemon: not running: nobody listens on %s", client->socket);
	if (code == CURLE_OPERATION_TIMEDOUT)
		return error_set(err, -ETIMEDOUT, "daemon: no answer in time on %s", client->socket);
	return error_set(err, -EIO, "daemon: %s", client->why[0] ? client->why : curl_easy_strerror(code));
}

bool client_error(const json_t *tree, struct error *err)
{
	const json_t *e = json_object_get(tree, "error");
	const char *code = json_string_value(json_object_get(e, "code"));
	const char *message = json_string_value(json_object_get(e, "message"));
	const char *hint = json_string_value(json_object_get(e, "hint"));

	if (!code || !message)
		return false;
	error_set(err, -EREMOTEIO, "%s", message);
	error_code(err, code);
	if (hint)
		error_hint(err, "%s", hint);
	return true;
}

static int refused(const char *text, long status, struct error *err)
{
	json_t *tree = text ? json_loads(text, 0, NULL) : NULL;

	if (!client_error(tree, err))
		error_set(err, -EREMOTEIO, "daemon: answered with status %ld", status);
	json_decref(tree);
	return -EREMOTEIO;
}

/* perform() - Return: 0 with what was received in @reply, or a negative errno; reply->text stays for free() */
static int perform(struct client *client, const struct request *request, struct reply *reply, struct error *err)
{
	struct curl_slist *list = headers(request);
	long status = 0;
	CURLcode code;

	reply->client = client;
	prepare(client, request, reply);
	curl_easy_setopt(client->curl, CURLOPT_HTTPHEADER, list);
	code = curl_easy_perform(client->curl);
	curl_slist_free_all(list);
	if (reply->line_rc < 0)
		return reply->line_rc;
	if (code != CURLE_OK)
		return transport_error(client, code, err);
	curl_easy_getinfo(client->curl, CURLINFO_RESPONSE_CODE, &status);
	return status >= 300 ? refused(reply->text, status, err) : 0;
}

int client_text(struct client *client, const struct request *request, char **text, struct error *err)
{
	struct reply reply = { .text = NULL };
	int rc = perform(client, request, &reply, err);

	if (rc == 0 && !reply.text)
		reply.text = calloc(1, 1);
	if (rc == 0 && !reply.text)
		rc = error_set(err, -ENOMEM, "daemon: out of memory");
	if (rc < 0) {
		free(reply.text);
		return rc;
	}
	*text = reply.text;
	return 0;
}

int client_json(struct client *client, const char *method, const char *path, const json_t *body, long wait_s,
		json_t **answer, struct error *err)
{
	char *sent = body ? json_dumps(body, JSON_COMPACT) : NULL;
	struct request request = {
		.method = method, .path = path, .type = "application/json", .wait_s = wait_s,
		.body = sent, .size = sent ? strlen(sent) : 0,
	};
	json_t *tree = NULL;
	char *text = NULL;
	int rc = client_text(client, &request, &text, err);

	if (rc == 0 && text[0]) {
		tree = json_loads(text, 0, NULL);
		if (!tree)
			rc = error_set(err, -EBADMSG, "daemon: the answer to %s %s is not JSON", method, path);
	}
	free(text);
	free(sent);
	if (rc == 0 && answer)
		*answer = tree;
	else
		json_decref(tree);
	return rc;
}

int client_lines(struct client *client, const char *path, int (*line)(void *arg, const char *text), void *arg,
		 struct error *err)
{
	struct request request = { .method = "GET", .path = path };
	struct reply reply = { .line = line, .arg = arg };
	int rc = perform(client, &request, &reply, err);

	free(reply.text);
	return rc;
}

int client_bytes(struct client *client, const char *path, int (*bytes)(void *arg, const uint8_t *data, size_t size), void *arg,
		 struct error *err)
{
	struct request request = { .method = "GET", .path = path };
	struct reply reply = { .bytes = bytes, .arg = arg };
	struct sigaction action = { .sa_handler = on_interrupt }, old_int, old_term, old_alarm;
	int rc;

	sigaction(SIGINT, &action, &old_int);
	sigaction(SIGTERM, &action, &old_term);
	sigaction(SIGALRM, &action, &old_alarm);
	rc = perform(client, &request, &reply, err);
	stream_fd = -1;
	sigaction(SIGINT, &old_int, NULL);
	sigaction(SIGTERM, &old_term, NULL);
	sigaction(SIGALRM, &old_alarm, NULL);
	free(reply.text);
	return interrupted ? 0 : rc;
}
