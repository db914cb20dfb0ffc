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

/* budget_used() - descriptors taken now; budget_share() - the most that one guest may hold: half of the limit */
uint32_t budget_used(void);
uint32_t budget_share(void);

#endif
