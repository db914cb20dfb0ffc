/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nat/budget.h - how many descriptors translation may hold, in the whole process
 *
 * A reserve stays free for everything else: ports, the API, the state store. Any thread.
 */
#ifndef NAT_BUDGET_H
#define NAT_BUDGET_H

#include <stdbool.h>
#include <stdint.h>

/* budget_take() - one more descriptor; Return: false when the reserve is reached. budget_put() gives one back. */
bool budget_take(void);
void budget_put(void);

/* budget_listen() - @n descriptors more (or less, when negative) for listening sockets; Return: false when there are not so many */
bool budget_listen(int n);

/* budget_most() - how many descriptors translation and forwards may hold together; budget_reserve() - how many they leave; budget_used() - descriptors taken now; budget_share() - the most that one guest may hold: half of the limit */
uint32_t budget_most(void);
uint32_t budget_reserve(void);
uint32_t budget_used(void);
uint32_t budget_share(void);

#endif
