/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/packet/core_distance.h - how far two cores are from one another: a cache line's way there and back
 *
 * On a virtual machine this may change from one minute to the next, when the host moves its CPUs, and figures of rings that
 * two cores share change with it: compare only what was taken at the same distance.
 */
#ifndef TESTS_PACKET_CORE_DISTANCE_H
#define TESTS_PACKET_CORE_DISTANCE_H

/* core_distance_ns() - best of some milliseconds; Return: nanoseconds, or a negative errno. The caller is pinned to @near. */
double core_distance_ns(unsigned near, unsigned far);

#endif
