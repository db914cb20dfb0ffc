// SPDX-License-Identifier: GPL-2.0-or-later
/* ctl/keeper_main.c - lanyard-keeper: what lanyardd became when all was prepared (ctl/start.h) */
#include <stdio.h>

#include "ctl/keeper.h"

int main(void)
{
	static struct start_message m;

	if (keeper_message(&m) < 0) {
		fputs("lanyard-keeper: lanyardd(8) starts it\n", stderr);
		return 2;
	}
	if (acts_open() < 0) {
		fputs("lanyard-keeper: lanyard-iface and the other programs that act are not beside it\n", stderr);
		return 1;
	}
	return keeper_run(&m);
}
