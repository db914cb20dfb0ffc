/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctl/api_capture.h - GET /v1/capture: a capture file that grows until the client goes, or has what it asked for
 *
 * What a client has not read yet is bounded: a slow one loses frames, and its file says how many.
 */
#ifndef CTL_API_CAPTURE_H
#define CTL_API_CAPTURE_H

#include "ctl/api_call.h"

enum { CAPTURE_UNSENT_MAX = 2 << 20 };	/* bytes kept for a slow client */

/* capture_begin() - answer with what ?net= ?port= ?filter= ?direction= ?snaplen= ?count= ask for, or ?past= with what the recorders kept; takes the call */
void capture_begin(struct call *call);

/* captures_forget() - the client is gone; captures_end() - all are */
void captures_forget(struct api *api, struct api_client *client);
void captures_end(struct api *api);

#endif
