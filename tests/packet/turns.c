// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/packet/turns.h"

#include <stdlib.h>

struct turns {
	unsigned n;
	double rate[];			/* all of the first, all of the second, all ratios */
};

struct turns *turns_new(unsigned n)
{
	struct turns *t = calloc(1, sizeof(*t) + 3 * n * sizeof(t->rate[0]));

	if (t)
		t->n = n;
	return t;
}

unsigned turns_whose(unsigned i)
{
	return (i + i / 2) % 2;
}

void turns_note(struct turns *t, unsigned i, double rate)
{
	t->rate[turns_whose(i) * t->n + i / 2] = rate;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

/* at_part() - of sorted numbers, the one that @quarters of all are below */
static double at_part(const double *sorted, unsigned n, unsigned quarters)
{
	return n ? sorted[(n - 1) * quarters / 4] : 0;
}

struct turns_result turns_result(struct turns *t)
{
	double *first = t->rate, *second = first + t->n, *ratio = second + t->n;

	for (unsigned i = 0; i < t->n; i++)
		ratio[i] = first[i] > 0 ? second[i] / first[i] : 0;
	for (unsigned k = 0; k < 3; k++)
		qsort(t->rate + k * t->n, t->n, sizeof(t->rate[0]), compare);
	return (struct turns_result){
		.first = at_part(first, t->n, 2), .second = at_part(second, t->n, 2),
		.ratio = at_part(ratio, t->n, 2), .lower = at_part(ratio, t->n, 1), .upper = at_part(ratio, t->n, 3),
	};
}
