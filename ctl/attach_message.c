// SPDX-License-Identifier: GPL-2.0-or-later
#include "ctl/attach_message.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "base/array.h"

static const char *const media[] = { [ATTACH_TAP] = "tap", [ATTACH_PACKET] = "packet", [ATTACH_STREAM] = "stream" };

const char *attach_medium_name(enum attach_medium medium)
{
	return media[medium];
}

static int find_medium(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(media); i++)
		if (!strcmp(media[i], name))
			return (int)i;
	return -1;
}

static int copy_name(char to[NAME_MAX_SIZE], const char *from, const char *field, struct error *err)
{
	if (!name_valid(from))
		return error_set(err, -EINVAL, "%s: not a name", field);
	snprintf(to, NAME_MAX_SIZE, "%s", from);
	return 0;
}

/* ifname_valid() - as the kernel has it (dev_valid_name()), in visible characters; or empty */
static bool ifname_valid(const char *name)
{
	if (strlen(name) >= ATTACH_IFNAME || !strcmp(name, ".") || !strcmp(name, ".."))
		return false;
	for (; *name; name++)
		if (*name <= ' ' || *name > '~' || *name == '/' || *name == ':')
			return false;
	return true;
}

static int fill(struct attach_message *m, json_t *o, struct error *err)
{
	const char *op, *network, *port, *medium, *ifname = "", *mac = "";
	uint8_t bytes[MAC_SIZE];
	json_error_t where;
	json_int_t vlan = 0;
	int transient = 0, found;

	if (json_unpack_ex(o, &where, JSON_STRICT, "{s:s s:s s:s s:s s?s s?s s?b s?I}", "op", &op, "network", &network,
			   "port", &port, "medium", &medium, "ifname", &ifname, "mac", &mac, "transient", &transient,
			   "vlan", &vlan) < 0)
		return error_set(err, -EINVAL, "attach: %s", where.text);
	if (strcmp(op, "attach") != 0)
		return error_set(err, -EINVAL, "op: only attach is known");
	found = find_medium(medium);
	if (found < 0)
		return error_set(err, -EINVAL, "medium: tap, packet or stream");
	if (!ifname_valid(ifname))
		return error_set(err, -EINVAL, "ifname: not an interface's name");
	if (mac[0] && mac_parse(mac, bytes) < 0)
		return error_set(err, -EINVAL, "mac: not an address");
	if (vlan < 0 || vlan > 4094)
		return error_set(err, -EINVAL, "vlan: 1..4094");
	if (copy_name(m->network, network, "network", err) < 0 || copy_name(m->port, port, "port", err) < 0)
		return err->rc;
	m->medium = (enum attach_medium)found;
	m->transient = transient;
	m->vlan = (uint16_t)vlan;
	snprintf(m->ifname, sizeof(m->ifname), "%s", ifname);
	snprintf(m->mac, sizeof(m->mac), "%s", mac);
	return 0;
}

/* A message is smaller than two kilobytes, and so is its nesting; jansson itself stops at 2048 levels. */
int attach_parse(struct attach_message *m, const char *text, size_t size, struct error *err)
{
	struct error none;
	json_error_t where;
	json_t *o = size < ATTACH_TEXT_MAX ? json_loadb(text, size, JSON_REJECT_DUPLICATES, &where) : NULL;
	int rc;

	err = err ? err : &none;
	*m = (struct attach_message){ 0 };
	if (!o)
		return error_set(err, -EINVAL, "attach: not a JSON object of less than %d bytes", ATTACH_TEXT_MAX);
	rc = fill(m, o, err);
	json_decref(o);
	return rc;
}
