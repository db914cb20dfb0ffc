// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdio.h>
#include <sys/socket.h>

#include "ctl/host.h"
#include "ctl/validator.h"

int main(void)
{
	int type = 0;
	socklen_t size = sizeof(type);

	if (getsockopt(HOST_VALIDATOR_FD, SOL_SOCKET, SO_TYPE, &type, &size) < 0 || type != SOCK_SEQPACKET) {
		fprintf(stderr, "lanyard-validator: started by lanyardd alone\n");
		return 2;
	}
	return validator_run(HOST_VALIDATOR_FD, true);
}
