// SPDX-License-Identifier: GPL-2.0-or-later
#include "ctl/check_dns.h"

#include <string.h>

#include "base/bytes.h"
#include "ctl/check_trial.h"
#include "dhcp/dns_message.h"

static void write_label(struct writer *w, const char *text, size_t size)
{
	write_u8(w, (uint8_t)size);
	write_bytes(w, text, size);
}

static bool is_answer(const struct trial *t, const uint8_t *data, size_t size)
{
	struct reader r = reader_init(data, size);
	uint16_t id = read_u16(&r), flags = read_u16(&r), answers;

	read_u16(&r);
	answers = read_u16(&r);
	return !r.overrun && id == (uint16_t)t->nonce && (flags & DNS_FLAG_QR) && (flags & DNS_RCODE_MASK) == DNS_NOERROR && answers;
}

void check_dns_query(struct trial *t, const char *domain)
{
	struct writer w = writer_init(t->payload, sizeof(t->payload));

	write_u16(&w, (uint16_t)t->nonce);
	write_u16(&w, DNS_FLAG_RD);
	write_u16(&w, 1);
	write_zeros(&w, 6);
	write_label(&w, "host", 4);
	for (size_t n; *domain; domain += n + (domain[n] == '.')) {
		n = strcspn(domain, ".");
		write_label(&w, domain, n);
	}
	write_u8(&w, 0);
	write_u16(&w, DNS_A);
	write_u16(&w, DNS_CLASS_IN);
	t->size = w.overrun ? 0 : w.pos;
	t->answered_by = is_answer;
	if (w.overrun)
		trial_void(t, "the domain's name is too long for this");
}
