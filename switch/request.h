/* SPDX-License-Identifier: GPL-2.0-or-later */
/* switch/request.h - what a worker hands to the control thread: a lease to decide, a query to relay, an
 * address seen, a peer that is gone
 *
 * One bounded inbox for all workers. A port may have as many requests waiting as there are places free: alone half of the inbox, and
 * where n ports are in a hurry each has an n+1st, so that one guest's flood leaves room for the others'. The end of a port is told whatever
 * else waits. request_post() and request_in_time() may be called by any worker; the rest belongs to the control thread.
 */
#ifndef SWITCH_REQUEST_H
#define SWITCH_REQUEST_H

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/text.h"
#include "switch/verdict.h"

enum { REQUEST_DATA = 1600, REQUESTS = 512 };

enum request_kind { REQUEST_DHCP, REQUEST_DNS, REQUEST_STATION, REQUEST_WIRE, REQUEST_PORT_GONE, REQUEST_DENIED, REQUEST_LOOP, REQUEST_GROUP_LEFT, REQUEST_DNS_STREAM,
		    REQUEST_TFTP };

struct request {
	uint8_t kind;			/* enum request_kind */
	uint8_t src_mac[MAC_SIZE];
	bool broadcast;			/* was not addressed to the gateway's own address */
	uint16_t vid;
	uint16_t sport;
	uint32_t net_id;
	uint32_t port;			/* id */
	struct addr src, dst;
	int32_t rc;			/* REQUEST_PORT_GONE: why; REQUEST_DNS_STREAM: a descriptor, which whoever takes it owns */
	uint32_t size;			/* bytes of data */
	uint8_t data[REQUEST_DATA];	/* UDP payload */
};

struct requests;
struct worker;

struct requests *requests_new(void);
void requests_free(struct requests *r);

/* request_post() - Return: VERDICT_FORWARDED when queued, else VERDICT_DROP_QUOTA or VERDICT_DROP_BUSY */
enum verdict request_post(struct requests *r, const struct request *request);

/* request_leave() - as request_post(), for frames that come in bursts: the control thread is woken, by requests_wake(), when the round of
 * worker @w is over. On one processor it would begin to run at each of them otherwise. Not for REQUEST_PORT_GONE. */
enum verdict request_leave(struct requests *r, struct worker *w, const struct request *request);
void requests_wake(struct requests *r);

/* request_in_time() - may @port post one more, of which it may post @per_s a second (0: any number)? A second's worth may come at once. */
bool request_in_time(struct requests *r, uint32_t port, uint32_t per_s, uint64_t now_ms);

/* request_take() - the oldest request; gives its port's share back. Return: false when there is none */
bool request_take(struct requests *r, struct request *request);

/* requests_fd() - readable when there may be requests; requests_sleep() before waiting on it: false when some are there */
int requests_fd(const struct requests *r);
bool requests_sleep(struct requests *r);

#endif
