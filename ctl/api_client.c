// SPDX-License-Identifier: GPL-2.0-or-later
#define _GNU_SOURCE	/* struct ucred */
#include "ctl/api_client.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/listener.h>

#include "base/clock.h"
#include "ctl/live.h"

int client_fd(const struct api_client *client)
{
	return bufferevent_getfd(client->bev);
}

/* member_of() - is @gid the caller's group, or one of those it had when it connected (Linux 4.13: SO_PEERGROUPS)? */
static bool member_of(int fd, gid_t own, gid_t gid)
{
	gid_t groups[API_GROUPS_MAX];
	socklen_t size = sizeof(groups);

	if (own == gid)
		return true;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &size) < 0)
		return false;
	for (size_t i = 0; i < size / sizeof(groups[0]); i++)
		if (groups[i] == gid)
			return true;
	return false;
}

/* identify() - ask the socket who connected it */
static int identify(struct api_client *client)
{
	const struct api_conf *conf = &client->api->conf;
	struct ucred cred;
	socklen_t size = sizeof(cred);
	int fd = client_fd(client);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &size) < 0)
		return -errno;
	live_client(conf->engine, fd, cred.uid);
	client->who.uid = cred.uid;
	client->who.admin = cred.uid == 0 || cred.uid == conf->uid ||
			    (conf->has_admin_gid && member_of(fd, cred.gid, conf->admin_gid));
	return 0;
}

/* client_hang_up() - evhttp finds the end of the input, or cannot send its answer, and frees the connection
 *
 * It must not be made to read while it works on a request, so a busy client stays until it is answered.
 */
void client_hang_up(struct api_client *client)
{
	if (!client || client->ending)
		return;
	client->ending = true;
	client->deadline_ms = UINT64_MAX;
	shutdown(client_fd(client), SHUT_RDWR);
}

static void unbuffer(struct api_client *client)
{
	client->api->buffered -= client->buffered;
	client->buffered = 0;
}

void client_request(struct api_client *client)
{
	unbuffer(client);
	client->busy = true;
	client->deadline_ms = UINT64_MAX;
}

void client_answering(struct api_client *client)
{
	if (!client)
		return;
	client->busy = false;
	if (!client->ending)
		client->deadline_ms = clock_now_ms() + IDLE_S * 1000;
}

size_t client_unsent(const struct api_client *client)
{
	return evbuffer_get_length(bufferevent_get_output(client->bev));
}

struct api_client *client_of(struct api *api, struct evhttp_request *req)
{
	struct evhttp_connection *connection = evhttp_request_get_connection(req);
	struct bufferevent *bev = connection ? evhttp_connection_get_bufferevent(connection) : NULL;
	struct api_client *client;

	TAILQ_FOREACH(client, &api->clients, link)
		if (client->bev == bev)
			return client->known && !client->ending ? client : NULL;
	return NULL;
}

unsigned api_busy_of(const struct api *api, uid_t uid)
{
	const struct api_client *client;
	unsigned n = 0;

	TAILQ_FOREACH(client, &api->clients, link)
		n += client->busy && client->known && client->who.uid == uid;
	return n;
}

/* make_room_of() - @uid has one client too many: the oldest that is not busy goes, or else the newest */
static void make_room_of(struct api *api, uid_t uid, struct api_client *newest)
{
	struct api_client *client, *oldest = NULL;
	unsigned n = 0;

	TAILQ_FOREACH(client, &api->clients, link) {
		if (!client->known || client->ending || client->who.uid != uid)
			continue;
		n++;
		if (!oldest && !client->busy)
			oldest = client;
	}
	if (n > CLIENTS_OF_UID_MAX)
		client_hang_up(oldest ? oldest : newest);
}

/* make_room_for_bytes() - whoever holds most of an incomplete request goes */
static void make_room_for_bytes(struct api *api)
{
	struct api_client *client, *largest = NULL;

	TAILQ_FOREACH(client, &api->clients, link)
		if (!client->ending && (!largest || client->buffered > largest->buffered))
			largest = client;
	if (largest) {
		unbuffer(largest);
		client_hang_up(largest);
	}
}

static void forget(struct api_client *client)
{
	struct api *api = client->api;

	unbuffer(client);
	TAILQ_REMOVE(&api->clients, client, link);
	if (api->nclients-- == CLIENTS_MAX && api->listener)
		evconnlistener_enable(api->listener);
	free(client);
}

static void on_end(struct evhttp_connection *connection, void *arg)
{
	struct api_client *client = arg;

	(void)connection;
	evbuffer_remove_cb_entry(bufferevent_get_input(client->bev), client->counter);
	api_forget(client->api, client);
	forget(client);
}

/* on_input() - count what was read; who sends on without waiting for his answer, or all together too much, is put out */
static void on_input(struct evbuffer *input, const struct evbuffer_cb_info *info, void *arg)
{
	struct api_client *client = arg;

	(void)input;
	client->buffered += info->n_added;
	client->api->buffered += info->n_added;
	if (client->busy && client->buffered > AHEAD_MAX)
		client_hang_up(client);
	else if (client->api->buffered > BUFFERED_MAX)
		make_room_for_bytes(client->api);
}

/* greet() - evhttp has its connection ready: it is the argument of the bufferevent's callbacks, none if it failed */
static void greet(struct api_client *client)
{
	void *connection = NULL;
	struct bufferevent *bev = client->bev;

	bufferevent_getcb(bev, NULL, NULL, NULL, &connection);
	client->counter = connection ? evbuffer_add_cb(bufferevent_get_input(bev), on_input, client) : NULL;
	if (client->counter) {
		evhttp_connection_set_closecb(connection, on_end, client);
		client->known = true;
		if (identify(client) < 0)
			client_hang_up(client);
		else
			make_room_of(client->api, client->who.uid, client);
	} else {
		if (connection)
			client_hang_up(client);
		forget(client);
	}
	bufferevent_decref(bev);
}

/* on_greet() - clients were accepted in this turn, and nothing was read from them yet */
static void on_greet(evutil_socket_t fd, short what, void *arg)
{
	struct api *api = arg;
	struct api_client *client, *next;

	(void)fd, (void)what;
	for (client = TAILQ_FIRST(&api->clients); client; client = next) {
		next = TAILQ_NEXT(client, link);
		if (!client->known)
			greet(client);
	}
}

static void on_tick(evutil_socket_t fd, short what, void *arg)
{
	struct api *api = arg;
	struct api_client *client, *next;
	uint64_t now = clock_now_ms();

	(void)fd, (void)what;
	for (client = TAILQ_FIRST(&api->clients); client; client = next) {
		next = TAILQ_NEXT(client, link);
		if (client->deadline_ms <= now)
			client_hang_up(client);
	}
	api_tick(api);
	if (!TAILQ_EMPTY(&api->clients))
		event_add(api->tick, &(struct timeval){ .tv_sec = 1 });
}

/* on_connection() - evhttp wants a bufferevent for a client it accepted; with NULL it makes its own, which we refuse */
static struct bufferevent *on_connection(struct event_base *base, void *arg)
{
	struct api *api = arg;
	struct api_client *client = calloc(1, sizeof(*client));
	struct bufferevent *bev = client ? bufferevent_socket_new(base, -1, 0) : NULL;

	if (!bev) {
		free(client);
		return NULL;
	}
	bufferevent_incref(bev);	/* until the client was greeted */
	client->api = api;
	client->bev = bev;
	client->deadline_ms = clock_now_ms() + READ_S * 1000;
	TAILQ_INSERT_TAIL(&api->clients, client, link);
	if (++api->nclients == CLIENTS_MAX)
		evconnlistener_disable(api->listener);
	event_active(api->greet, 0, 0);
	if (!event_pending(api->tick, EV_TIMEOUT, NULL))
		event_add(api->tick, &(struct timeval){ .tv_sec = 1 });
	return bev;
}

int clients_init(struct api *api)
{
	TAILQ_INIT(&api->clients);
	api->tick = evtimer_new(api->conf.base, on_tick, api);
	api->greet = event_new(api->conf.base, -1, 0, on_greet, api);
	evhttp_set_bevcb(api->http, on_connection, api);
	return api->tick && api->greet ? 0 : -ENOMEM;
}

void clients_fini(struct api *api)
{
	if (api->greet)
		on_greet(-1, 0, api);	/* who was accepted in this very turn has an end, too */
	if (api->tick)
		event_free(api->tick);
	if (api->greet)
		event_free(api->greet);
}
