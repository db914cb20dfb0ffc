// SPDX-License-Identifier: GPL-2.0-or-later
#include "ctl/act.h"

int main(void)
{
	return act_main(&act_ways);
}
