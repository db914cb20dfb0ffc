// SPDX-License-Identifier: GPL-2.0-or-later
/* What is received of changes of nftables. An input is datagrams, one after another: its size in two bytes, then the datagram.
 * covers: ctl/nft_notice.c */
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/bytes.h"
#include "ctl/nft_notice.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What is changed stays so and has an author; the next datagram may be about the transaction that this one was about. */
static void check(const struct nft_notice *before, const struct nft_notice *n)
{
	if ((before->changed && !n->changed) || (n->changed && !memchr(n->by, '\0', sizeof(n->by))))
		abort();
	if (n->changed && !before->changed && !strcmp(n->by, "lanyardd"))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct reader r = reader_init(data, size);
	struct nft_notice n = { 0 }, before;

	while (reader_left(&r) > 2) {
		size_t part = read_u16(&r);
		uint8_t *datagram;

		part = MIN_OF(part, reader_left(&r));
		datagram = malloc(part + 1);		/* of its own: the sanitizer sees a byte read behind it */
		if (!datagram)
			return 0;
		read_copy(&r, datagram, part);
		before = n;
		nft_notice_read(&n, datagram, part, "lanyardd");
		check(&before, &n);
		free(datagram);
	}
	return 0;
}
