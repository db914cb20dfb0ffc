/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctl/check_answer.h - the outside host of a check: it answers probes, says whom it saw, and comes back where it is asked to
 *
 * One port, TCP and UDP. A datagram is a line of text:
 *
 *	lanyard-check NUMBER				lanyard-check NUMBER from ADDRESS PORT
 *	lanyard-check NUMBER knock tcp|udp ADDRESS PORT	lanyard-check NUMBER yes|no
 *
 * NUMBER is eight hexadecimal digits. A knock is one connection or datagram, of which nothing is passed on but whether a probe guest
 * answered; addresses of the machine itself and of many are refused. TCP is accepted and closed.
 */
#ifndef CTL_CHECK_ANSWER_H
#define CTL_CHECK_ANSWER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"

struct error;

/* answer_run() - answer on @port of every address until a signal ends it. Return: a negative errno with @err */
int answer_run(uint16_t port, struct error *err);

struct answer_request {
	char number[9];
	bool knock, tcp;
	struct addr to;			/* of a knock */
	uint16_t port;
};

/* answer_parse() - Return: 0, or -EBADMSG: no request, or a knock where none may be */
int answer_parse(struct answer_request *q, const char *data, size_t size);

#endif
