/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctl/cli_rates.h - what ports did between two looks at their counters, as `lanyard top` shows it. Pure functions. */
#ifndef CTL_CLI_RATES_H
#define CTL_CLI_RATES_H

#include <stdbool.h>

#include <jansson.h>

/* rates_of() - one object for each port of @now: network, port, state, rx_frames, rx_bits, tx_frames, tx_bits, drops (each per
 * second) and verdict, that of most drops
 * @before, @now:	arrays of ports as the API answers; a port that was not there before, or whose counters went back, did nothing
 * @seconds:		between the two, above 0
 *
 * Return: a new reference, or NULL when out of memory.
 */
json_t *rates_of(const json_t *before, const json_t *now, double seconds);

/* rates_sort() - @rates in place, the greatest first; by "bits", "frames", "drops" or "name". Return: false for another word */
bool rates_sort(json_t *rates, const char *by);

#endif
