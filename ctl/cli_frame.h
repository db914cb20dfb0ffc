/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctl/cli_frame.h - a frame in one line, for people: what it is, from whom to whom
 *
 * The bytes are a guest's: nothing in them is believed, and of text in them only printable ASCII is shown. Pure.
 */
#ifndef CTL_CLI_FRAME_H
#define CTL_CLI_FRAME_H

#include <stddef.h>
#include <stdint.h>

enum { FRAME_TEXT = 400 };

/* frame_text() - "10.0.0.2:4000 > 10.0.0.1:80 tcp syn seq 1 win 64240"
 * @size:	bytes there are, which may be fewer than the frame had
 */
char *frame_text(const uint8_t *bytes, size_t size, char text[FRAME_TEXT]);

#endif
