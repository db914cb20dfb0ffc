/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctl/client.h - talking to the daemon: HTTP/1.1 on its unix socket, by libcurl
 *
 * One client serves one thread. Calls block until the daemon has answered or a time limit has passed. What the
 * daemon refuses comes back as its own error: code, message and hint as docs/api.md describes them. Codes
 * made here: "unreachable" (nobody listens), "permission" (the socket is closed to us), "timed-out", "failed".
 */
#ifndef CTL_CLIENT_H
#define CTL_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

struct client;
struct error;

enum { CLIENT_PATH_MAX = 108 };	/* sun_path */

/* client_socket() - find the daemon's socket
 * @given:	path of --socket, or NULL
 *
 * Looks at @given, LANYARD_SOCKET, the user's runtime directory and /run/lanyard, in this order; of the last two
 * the first that is there. Return: 0, or -ENOENT with @err ("unreachable").
 */
int client_socket(const char *given, char path[CLIENT_PATH_MAX], struct error *err);

/* client_sibling() - the file @name in the directory of @socket; 0 or -ENAMETOOLONG with @err */
int client_sibling(const char *socket, const char *name, char path[CLIENT_PATH_MAX], struct error *err);

struct client *client_new(const char *socket, struct error *err);
void client_free(struct client *client);

struct request {
	const char *method;		/* "GET" ... */
	const char *path;		/* with its query: "/v1/networks/lab" */
	const char *type;		/* content type of the body */
	const char *accept;		/* content type wanted */
	const char *body;		/* or NULL for none */
	size_t size;			/* bytes of body */
	long wait_s;			/* how long the daemon may take, beyond the usual limit */
};

/* client_text() - make a request; the answer as text
 *
 * Return: 0 and *@text for free(), ended by NUL; or a negative errno with @err.
 */
int client_text(struct client *client, const struct request *request, char **text, struct error *err);

/* client_json() - the same with JSON both ways
 * @body:	borrowed, or NULL
 * @answer:	a new reference, NULL when the answer was empty; @answer itself may be NULL
 */
int client_json(struct client *client, const char *method, const char *path, const json_t *body, long wait_s,
		json_t **answer, struct error *err);

/* client_lines() - GET @path for as long as the daemon goes on, and hand over each line
 * @line:	called without the line's end; a negative value ends it all
 *
 * Return: 0 when the daemon ended it, what @line returned, or a negative errno with @err.
 */
int client_lines(struct client *client, const char *path, int (*line)(void *arg, const char *text), void *arg,
		 struct error *err);

/* client_bytes() - GET @path for as long as the daemon goes on, and hand over what comes as it comes
 * @bytes:	a negative value ends it all
 *
 * SIGINT, SIGTERM and SIGALRM end it as if the daemon had. Return: as client_lines().
 */
int client_bytes(struct client *client, const char *path, int (*bytes)(void *arg, const uint8_t *data, size_t size), void *arg,
		 struct error *err);

/* client_error() - turn an error in the API's shape into @err; Return: false when @tree is none */
bool client_error(const json_t *tree, struct error *err);

#endif
