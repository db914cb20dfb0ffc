/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctl/capture_file.h - what was seen of frames, as a capture file that grows: an interface for each port, when it is first needed
 *
 * Comments of a frame say what only the switch knows: the verdict, the VLAN of an untagged frame, the NAT's other side, that
 * segments or a checksum are left to the receiver. Control thread.
 */
#ifndef CTL_CAPTURE_FILE_H
#define CTL_CAPTURE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct capture_file;
struct engine;
struct live_port;
struct sighting;

/* capture_file_new() - begin with the section's header. NULL: no memory */
struct capture_file *capture_file_new(struct engine *e, uint32_t snaplen);
void capture_file_free(struct capture_file *f);

/* capture_file_port() - the interface of a port, now; capture_file_put() - a frame, whose bytes stand behind @s
 * @lost:	frames before it that were to be in the file and are not
 * Return: false when the port is not known any more, or there is no memory: the frame is not in the file.
 */
bool capture_file_port(struct capture_file *f, const struct live_port *p);
bool capture_file_put(struct capture_file *f, const struct sighting *s, uint64_t lost);

/* capture_file_interface() - the interface NET/PORT, described by @about where it is new; its index, or -ENOMEM
 * capture_file_put_at() - a frame there
 */
int capture_file_interface(struct capture_file *f, const char *net, const char *port, const char *about);
bool capture_file_put_at(struct capture_file *f, int interface, const struct sighting *s, uint64_t lost);

/* capture_file_end() - how many frames there were of each interface, and lost at the end */
void capture_file_end(struct capture_file *f, uint64_t lost);

/* capture_file_bytes() - what was written since the last capture_file_taken(); borrowed */
const void *capture_file_bytes(const struct capture_file *f, size_t *size);
void capture_file_taken(struct capture_file *f);

#endif
