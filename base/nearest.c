// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/nearest.h"

#include <stdint.h>
#include <string.h>

#include "base/array.h"

struct nearest nearest_start(const char *typed)
{
	return (struct nearest){ .typed = typed, .distance = MAX_OF(strlen(typed) / 3, (size_t)1) + 1 };
}

/* distance() - letters to insert, remove or replace, and neighbours to swap, to get from @a to @b */
static size_t distance(const char *a, const char *b)
{
	size_t rows[3][32] = { 0 };
	size_t na = strlen(a), nb = strlen(b);

	if (na > 30 || nb > 30)
		return SIZE_MAX;
	for (size_t i = 0; i <= na; i++) {
		size_t *now = rows[i % 3], *up = rows[(i + 2) % 3], *upper = rows[(i + 1) % 3];

		now[0] = i;
		for (size_t j = 1; j <= nb; j++) {
			if (i == 0) {
				now[j] = j;
				continue;
			}
			now[j] = MIN_OF(up[j], now[j - 1]) + 1;
			now[j] = MIN_OF(now[j], up[j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				now[j] = MIN_OF(now[j], upper[j - 2] + 1);
		}
	}
	return rows[na % 3][nb];
}

void nearest_try(struct nearest *near, const char *word)
{
	size_t d = distance(near->typed, word);

	if (d < near->distance) {
		near->distance = d;
		near->word = word;
	}
}
