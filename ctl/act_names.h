/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctl/act_names.h - names of guests in the host's hosts(5) file: a block for each network that asks for it, and nothing else in it changes
 *
 * The block stands between two comments at the end of the file. The file is replaced as a whole where that can be done, so a reader sees the old
 * one or the new one; one that is a mount point (in a container) is written in place. It may block.
 */
#ifndef CTL_ACT_NAMES_H
#define CTL_ACT_NAMES_H

#include <stddef.h>

#define NAMES_FILE "/etc/hosts"
#define NAMES_HELD "names:"		/* the journal's name of a network's block, before the network's */

/* names_block() - have @net's block in the file @path consist of @lines; "" takes it out, and leaves the file as it was without it
 * Return: 0, or a negative errno with the file unchanged; -EFBIG for one of more than a megabyte.
 */
int names_block(const char *path, const char *net, const char *lines);

#endif
