/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/packet/turns.h - rates of two things that take turns: each turn is compared with the one of the other beside it, so that a machine
 * which changes its mind from minute to minute does so for both
 */
#ifndef TESTS_PACKET_TURNS_H
#define TESTS_PACKET_TURNS_H

#include <stddef.h>

struct turns;

/* turns_new() - room for @n turns of each; Return: for free(), or NULL */
struct turns *turns_new(unsigned n);

/* turns_whose() - whose turn is number @i of all 2 * n? First, second, second, first: neither is always the later one. Return: 0 or 1 */
unsigned turns_whose(unsigned i);

/* turns_note() - what turn @i of all came to */
void turns_note(struct turns *t, unsigned i, double rate);

/* turns_result - medians; @ratio of the second to the first by turn, and its quartiles */
struct turns_result {
	double first, second, ratio, lower, upper;
};
struct turns_result turns_result(struct turns *t);

#endif
