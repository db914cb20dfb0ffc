// SPDX-License-Identifier: GPL-2.0-or-later
#include "ctl/cli.h"

int main(int argc, char **argv)
{
	return cli_run(argc, argv);
}
