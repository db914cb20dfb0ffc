/* SPDX-License-Identifier: GPL-2.0-or-later */
/* base/nearest.h - guesses at misspelt words. Any thread; borrows both words. */
#ifndef BASE_NEAREST_H
#define BASE_NEAREST_H

#include <stddef.h>

/* The word of a set that is nearest to a misspelt one, if any is near enough: at most a third of its letters. */
struct nearest {
	const char *typed;
	const char *word;	/* NULL while none is near */
	size_t distance;
};

struct nearest nearest_start(const char *typed);
void nearest_try(struct nearest *near, const char *word);

#endif
