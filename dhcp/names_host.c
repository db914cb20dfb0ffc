// SPDX-License-Identifier: GPL-2.0-or-later
/* Guests in a segment's names: their addresses under their names, and the way back from each address. */
#include "dhcp/names_parts.h"

#include <errno.h>

#include "base/array.h"

/* host_name() - "web1" below the origin. Return: 0, or -EINVAL for no DNS label */
static int host_name(const struct names *t, const char *label, struct dns_name *name)
{
	struct dns_name n;

	if (dns_name_from_text(&n, label) < 0 || dns_name_labels(&n) != 1 ||
	    dns_name_join(name, &n, names_origin(t)) < 0)
		return -EINVAL;
	dns_name_lower(name);
	return 0;
}

static const struct name_record *host_address(const struct names *t, const struct dns_name *name)
{
	const struct name_set *set = names_find(t, name);

	for (unsigned i = 0; set && i < set->n; i++)
		if (set->records[i].host && set->records[i].type == DNS_A)
			return &set->records[i];
	return NULL;
}

/* leads_back() - does the reverse name of @ip lead to this host? */
static bool leads_back(const struct names *t, struct addr ip, const struct dns_name *name)
{
	struct dns_name reverse;
	const struct name_set *set;

	dns_name_reverse(&reverse, ip);
	set = names_find(t, &reverse);
	for (unsigned i = 0; set && i < set->n; i++) {
		const struct name_record *r = &set->records[i];

		if (r->host && r->size == name->size && !memcmp(r->rdata, name->wire, name->size))
			return true;
	}
	return false;
}

/* remove_reverse() - the way back from @ip, as long as it leads to this host and not to one that took the
 * address over
 */
static void remove_reverse(struct names *t, struct addr ip, const struct dns_name *name)
{
	struct dns_name reverse;

	if (!leads_back(t, ip, name))
		return;
	dns_name_reverse(&reverse, ip);
	names_replace(t, &reverse, DNS_PTR, true, NULL, 0);
}

/* point() - let the name lead to @ip, and nothing lead back from what it had before */
static int point(struct names *t, const struct dns_name *name, uint32_t ip)
{
	const struct name_record *had = host_address(t, name);
	uint8_t a[4];

	if (had && get_u32(had->rdata) == ip)
		return 0;
	if (had)
		remove_reverse(t, addr4(get_u32(had->rdata)), name);
	put_u32(a, ip);
	return names_replace(t, name, DNS_A, true, a, sizeof(a));
}

int names_point_host(struct names *t, const char *label, uint32_t ip)
{
	struct dns_name name;
	int rc = host_name(t, label, &name);

	return rc < 0 ? rc : point(t, &name, ip);
}

int names_set_host(struct names *t, const char *label, uint32_t ip)
{
	struct dns_name name, reverse;
	int rc = host_name(t, label, &name);

	if (rc == 0)
		rc = point(t, &name, ip);
	if (rc < 0 || leads_back(t, addr4(ip), &name))
		return rc;
	dns_name_reverse4(&reverse, ip);
	return names_replace(t, &reverse, DNS_PTR, true, name.wire, name.size);
}

bool names_has_users(const struct names *t, const char *label)
{
	struct dns_name name;
	bool any = false;

	for (int rc = host_name(t, label, &name); rc == 0 && t && !any; t = names_outer(t)) {
		const struct name_set *set = names_find(t, &name);

		for (unsigned i = 0; set && i < set->n; i++)
			any |= !set->records[i].host;
	}
	return any;
}

static bool among(const struct addr *list, unsigned n, struct addr a)
{
	while (n && !addr_equal(list[n - 1], a))
		n--;
	return n > 0;
}

/* same6() - are these its AAAA records already? Takes the way back from those that are not to stay. */
static bool same6(struct names *t, const struct dns_name *name, const struct addr *list, unsigned n, unsigned nback)
{
	const struct name_set *set = names_find(t, name);
	bool same = true;
	unsigned had = 0;

	for (unsigned i = 0; set && i < set->n; i++) {
		const struct name_record *r = &set->records[i];

		if (!r->host || r->type != DNS_AAAA)
			continue;
		had++;
		if (among(list, n, addr6(r->rdata)))
			same = same && (!among(list, nback, addr6(r->rdata)) || leads_back(t, addr6(r->rdata), name));
		else
			remove_reverse(t, addr6(r->rdata), name);
	}
	return same && had == n;
}

int names_set_host6(struct names *t, const char *label, const struct addr *list, unsigned n, unsigned nback)
{
	struct name_record records[NAMES_RECORDS_MAX + NAMES_HOST6_MAX];
	struct dns_name name, reverse;
	int rc = host_name(t, label, &name);
	unsigned kept;

	n = MIN_OF(n, (unsigned)NAMES_HOST6_MAX);
	nback = MIN_OF(nback, n);
	if (rc < 0 || same6(t, &name, list, n, nback))
		return rc;
	kept = names_keep(t, &name, DNS_AAAA, true, records);
	for (unsigned i = 0; i < n; i++)
		records[kept + i] = (struct name_record){ .type = DNS_AAAA, .size = ADDR_SIZE, .host = true, .rdata = list[i].bytes };
	rc = names_store(t, &name, records, kept + n);
	for (unsigned i = 0; rc == 0 && i < nback; i++) {
		dns_name_reverse(&reverse, list[i]);
		rc = names_replace(t, &reverse, DNS_PTR, true, name.wire, name.size);
	}
	return rc;
}

/* host_addresses6() - those that it has but for @a, and whether that is one of them */
static unsigned host_addresses6(const struct names *t, const char *label, struct addr a, struct addr list[NAMES_HOST6_MAX], bool *has)
{
	struct dns_name name;
	const struct name_set *set = host_name(t, label, &name) == 0 ? names_find(t, &name) : NULL;
	unsigned n = 0;

	*has = false;
	for (unsigned i = 0; set && i < set->n; i++) {
		const struct name_record *r = &set->records[i];

		if (!r->host || r->type != DNS_AAAA)
			continue;
		if (addr_equal(addr6(r->rdata), a))
			*has = true;
		else if (n < NAMES_HOST6_MAX)
			list[n++] = addr6(r->rdata);
	}
	return n;
}

int names_add_host6(struct names *t, const char *label, struct addr a)
{
	struct addr list[NAMES_HOST6_MAX];
	bool has;
	unsigned n = host_addresses6(t, label, a, list, &has);

	if (n == NAMES_HOST6_MAX)
		return -ENOSPC;
	list[n++] = a;
	return names_set_host6(t, label, list, n, n);
}

void names_remove_host6_at(struct names *t, const char *label, struct addr a)
{
	struct addr list[NAMES_HOST6_MAX];
	bool has;
	unsigned n = host_addresses6(t, label, a, list, &has);

	if (has)
		names_set_host6(t, label, list, n, n);
}

bool names_has_host6(const struct names *t, const char *label)
{
	struct addr list[NAMES_HOST6_MAX];
	bool has;

	return host_addresses6(t, label, (struct addr){ .bytes = { 0 } }, list, &has) > 0;
}

static void remove_host4(struct names *t, const struct dns_name *name)
{
	const struct name_record *had = host_address(t, name);

	if (!had)
		return;
	remove_reverse(t, addr4(get_u32(had->rdata)), name);
	names_replace(t, name, DNS_A, true, NULL, 0);
}

void names_remove_host(struct names *t, const char *label)
{
	struct dns_name name;

	if (host_name(t, label, &name) < 0)
		return;
	remove_host4(t, &name);
	names_set_host6(t, label, NULL, 0, 0);
}

void names_remove_host_at(struct names *t, const char *label, uint32_t ip)
{
	const struct name_record *had;
	struct dns_name name;

	had = host_name(t, label, &name) == 0 ? host_address(t, &name) : NULL;
	if (had && get_u32(had->rdata) == ip)
		remove_host4(t, &name);
}
