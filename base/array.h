/* SPDX-License-Identifier: GPL-2.0-or-later */
/* base/array.h - the size of an array, and smaller and larger of two */
#ifndef BASE_ARRAY_H
#define BASE_ARRAY_H

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define MIN_OF(a, b) ((a) < (b) ? (a) : (b))
#define MAX_OF(a, b) ((a) > (b) ? (a) : (b))

/* container_of() - the structure of @type whose @member is at @p */
#define container_of(p, type, member) ((type *)(void *)((char *)(p) - offsetof(type, member)))

#endif
