// SPDX-License-Identifier: GPL-2.0-or-later
/* What the host's rules make of a packet. The ruleset below is what nftables 1.0.6 said of a table that it was given, with ' for ". */
#include "ctl/firewall.h"

#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/array.h"

static const char ruleset[] =
	"{'nftables':["
	"{'metainfo':{'version':'1.0.6','release_name':'Lester Gooch #5','json_schema_version':1}},"
	"{'table':{'family':'inet','name':'filter'}},"
	"{'set':{'family':'inet','name':'trusted','table':'filter','type':'ipv4_addr','flags':['interval'],'elem':[{'prefix':{'ad"
	"dr':'10.0.0.0','len':8}},'192.0.2.7']}},"
	"{'chain':{'family':'inet','table':'filter','name':'input','type':'filter','hook':'input','prio':0,'policy':'drop'}},"
	"{'chain':{'family':'inet','table':'filter','name':'forward','type':'filter','hook':'forward','prio':0,'policy':'accept'}"
	"},"
	"{'chain':{'family':'inet','table':'filter','name':'guests'}},"
	"{'chain':{'family':'inet','table':'filter','name':'output','type':'filter','hook':'output','prio':-5,'policy':'accept'}}"
	","
	"{'rule':{'family':'inet','table':'filter','chain':'input','expr':[{'match':{'op':'in','left':{'ct':{'key':'state'}},'rig"
	"ht':['established','related']}},{'accept':null}]}},"
	"{'rule':{'family':'inet','table':'filter','chain':'input','expr':[{'match':{'op':'==','left':{'meta':{'key':'iifname'}},"
	"'right':'lo'}},{'accept':null}]}},"
	"{'rule':{'family':'inet','table':'filter','chain':'input','expr':[{'match':{'op':'==','left':{'payload':{'protocol':'tcp"
	"','field':'dport'}},'right':{'set':[22,{'range':[8000,8100]}]}}},{'accept':null}]}},"
	"{'rule':{'family':'inet','table':'filter','chain':'input','expr':[{'match':{'op':'==','left':{'payload':{'protocol':'ip'"
	",'field':'saddr'}},'right':'@trusted'}},{'match':{'op':'==','left':{'payload':{'protocol':'udp','field':'dport'}},'right"
	"':53}},{'accept':null}]}},"
	"{'rule':{'family':'inet','table':'filter','chain':'input','expr':[{'match':{'op':'==','left':{'meta':{'key':'mark'}},'ri"
	"ght':7}},{'accept':null}]}},"
	"{'rule':{'family':'inet','table':'filter','chain':'forward','expr':[{'match':{'op':'==','left':{'meta':{'key':'iifname'}"
	"},'right':'ly-*'}},{'jump':{'target':'guests'}}]}},"
	"{'rule':{'family':'inet','table':'filter','chain':'guests','expr':[{'vmap':{'key':{'ct':{'key':'state'}},'data':{'set':["
	"['invalid',{'drop':null}],['established',{'accept':null}]]}}}]}},"
	"{'rule':{'family':'inet','table':'filter','chain':'guests','expr':[{'match':{'op':'==','left':{'payload':{'protocol':'ip"
	"','field':'daddr'}},'right':{'prefix':{'addr':'203.0.113.0','len':24}}}},{'reject':{'type':'icmp','expr':'port-unreachab"
	"le'}}]}},"
	"{'rule':{'family':'inet','table':'filter','chain':'guests','expr':[{'match':{'op':'!=','left':{'payload':{'protocol':'tc"
	"p','field':'dport'}},'right':443}},{'match':{'op':'==','left':{'payload':{'protocol':'ip','field':'daddr'}},'right':'198"
	".51.100.9'}},{'drop':null}]}},"
	"{'rule':{'family':'inet','table':'filter','chain':'guests','expr':[{'match':{'op':'==','left':{'meta':{'key':'l4proto'}}"
	",'right':'icmp'}},{'limit':{'rate':5,'burst':5,'per':'second'}},{'drop':null}]}},"
	"{'rule':{'family':'inet','table':'filter','chain':'guests','expr':[{'match':{'op':'==','left':{'payload':{'protocol':'ip"
	"6','field':'daddr'}},'right':{'prefix':{'addr':'fd00::','len':8}}}},{'drop':null}]}},"
	"{'rule':{'family':'inet','table':'filter','chain':'output','expr':[{'match':{'op':'==','left':{'meta':{'key':'oifname'}}"
	",'right':'eth9'}},{'counter':{'packets':0,'bytes':0}},{'drop':null}]}},"
	"{'rule':{'family':'inet','table':'filter','chain':'output','expr':[{'match':{'op':'==','left':{'meta':{'key':'skuid'}},'"
	"right':1000}},{'drop':null}]}},"
	"{'table':{'family':'ip','name':'nat'}},"
	"{'chain':{'family':'ip','table':'nat','name':'post','type':'nat','hook':'postrouting','prio':100,'policy':'accept'}},"
	"{'rule':{'family':'ip','table':'nat','chain':'post','expr':[{'masquerade':null}]}}"
	"]}";

static json_t *load(const char *text)
{
	char *copy = strdup(text);
	json_t *tree;

	for (char *c = copy; *c; c++)
		*c = *c == '\'' ? '"' : *c;
	tree = json_loads(copy, 0, NULL);
	free(copy);
	assert_non_null(tree);
	return tree;
}

static struct addr address(const char *text)
{
	struct addr a = { .bytes = { 0 } };

	if (*text)
		assert_int_equal(addr_parse(text, &a), 0);
	return a;
}

struct packet {
	const char *iif, *oif, *src, *dst;
	uint8_t proto;
	uint16_t dport;
	bool answer;
};

static enum firewall_verdict ask(const json_t *rules, enum firewall_hook hook, const struct packet *p, char text[FIREWALL_TEXT])
{
	struct firewall_packet q = {
		.iif = p->iif, .oif = p->oif, .src = address(p->src), .dst = address(p->dst), .dport = p->dport, .proto = p->proto, .answer = p->answer,
	};

	return firewall_ask(rules, hook, &q, text);
}

static const char input[] = "chain input of table inet filter, by its policy", guests[] = "chain guests of table inet filter, by a rule";

static const struct {
	const char *what;
	enum firewall_hook hook;
	struct packet p;
	enum firewall_verdict want;
	const char *where;
} cases[] = {
	{ "an answer", FIREWALL_INPUT, { "eth0", "", "192.0.2.1", "192.0.2.2", IPPROTO_UDP, 5, true }, FIREWALL_PASS, "" },
	{ "an interface", FIREWALL_INPUT, { "lo", "", "127.0.0.1", "127.0.0.1", IPPROTO_UDP, 5, false }, FIREWALL_PASS, "" },
	{ "a port of a set", FIREWALL_INPUT, { "eth0", "", "192.0.2.1", "192.0.2.2", IPPROTO_TCP, 22, false }, FIREWALL_PASS, "" },
	{ "one of a range in it", FIREWALL_INPUT, { "eth0", "", "192.0.2.1", "192.0.2.2", IPPROTO_TCP, 8100, false }, FIREWALL_PASS, "" },
	{ "the same port of UDP, without the mark", FIREWALL_INPUT, { "eth0", "", "192.0.2.1", "192.0.2.2", IPPROTO_UDP, 22, false }, FIREWALL_BLOCK, input },
	{ "a prefix of a named set", FIREWALL_INPUT, { "eth0", "", "10.1.2.3", "192.0.2.2", IPPROTO_UDP, 53, false }, FIREWALL_PASS, "" },
	{ "an address of it", FIREWALL_INPUT, { "eth0", "", "192.0.2.7", "192.0.2.2", IPPROTO_UDP, 53, false }, FIREWALL_PASS, "" },
	{ "neither", FIREWALL_INPUT, { "eth0", "", "192.0.2.8", "192.0.2.2", IPPROTO_UDP, 53, false }, FIREWALL_BLOCK, input },
	{ "of another family", FIREWALL_INPUT, { "eth0", "", "fd01::1", "fd01::2", IPPROTO_UDP, 53, false }, FIREWALL_BLOCK, input },
	{ "a chain for some interfaces", FIREWALL_FORWARD, { "ly-lab", "eth0", "10.0.0.2", "203.0.113.9", IPPROTO_TCP, 80, false }, FIREWALL_BLOCK, guests },
	{ "which are not others", FIREWALL_FORWARD, { "eth1", "eth0", "10.0.0.2", "203.0.113.9", IPPROTO_TCP, 80, false }, FIREWALL_PASS, "" },
	{ "not known which", FIREWALL_FORWARD, { NULL, "eth0", "10.0.0.2", "203.0.113.9", IPPROTO_TCP, 80, false }, FIREWALL_UNSURE,
	  "chain guests of table inet filter, by a rule; that depends on its meta iifname" },
	{ "back from that chain", FIREWALL_FORWARD, { "ly-lab", "eth0", "10.0.0.2", "192.0.2.1", IPPROTO_TCP, 80, false }, FIREWALL_PASS, "" },
	{ "a map of verdicts", FIREWALL_FORWARD, { "ly-lab", "eth0", "10.0.0.2", "203.0.113.9", IPPROTO_TCP, 80, true }, FIREWALL_PASS, "" },
	{ "another port than", FIREWALL_FORWARD, { "ly-lab", "eth0", "10.0.0.2", "198.51.100.9", IPPROTO_TCP, 80, false }, FIREWALL_BLOCK, guests },
	{ "that port", FIREWALL_FORWARD, { "ly-lab", "eth0", "10.0.0.2", "198.51.100.9", IPPROTO_TCP, 443, false }, FIREWALL_PASS, "" },
	{ "no port at all is not another one", FIREWALL_FORWARD, { "ly-lab", "eth0", "10.0.0.2", "198.51.100.9", IPPROTO_UDP, 80, false }, FIREWALL_PASS, "" },
	{ "a limit", FIREWALL_FORWARD, { "ly-lab", "eth0", "10.0.0.2", "192.0.2.1", IPPROTO_ICMP, 0, false }, FIREWALL_UNSURE,
	  "chain guests of table inet filter, by a rule; that depends on a limit: 5/second" },
	{ "IPv6", FIREWALL_FORWARD, { "ly-lab", "eth0", "fd01::1", "fd00::1", IPPROTO_TCP, 80, false }, FIREWALL_BLOCK, guests },
	{ "beside that prefix", FIREWALL_FORWARD, { "ly-lab", "eth0", "fd01::1", "2001:db8::1", IPPROTO_TCP, 80, false }, FIREWALL_PASS, "" },
	{ "a way out", FIREWALL_OUTPUT, { "", "eth9", "192.0.2.1", "192.0.2.2", IPPROTO_TCP, 80, false }, FIREWALL_BLOCK,
	  "chain output of table inet filter, by a rule" },
	{ "another's user", FIREWALL_OUTPUT, { "", "eth0", "192.0.2.1", "192.0.2.2", IPPROTO_TCP, 80, false }, FIREWALL_UNSURE,
	  "chain output of table inet filter, by a rule; that depends on its meta skuid" },
	{ "translation", FIREWALL_POSTROUTING, { "", "eth0", "192.0.2.1", "192.0.2.2", IPPROTO_TCP, 80, false }, FIREWALL_PASS, "" },
	{ "a hook without chains", FIREWALL_PREROUTING, { "eth0", "", "192.0.2.1", "192.0.2.2", IPPROTO_TCP, 80, false }, FIREWALL_PASS, "" },
};

static void test_packets(void **state)
{
	json_t *rules = load(ruleset);
	char text[FIREWALL_TEXT];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		print_message("  %s\n", cases[i].what);
		assert_int_equal(ask(rules, cases[i].hook, &cases[i].p, text), cases[i].want);
		assert_string_equal(text, cases[i].where);
	}
	json_decref(rules);
}

/* What somebody else's tools have written, or nobody. */
static const struct {
	const char *what, *rules;
	enum firewall_verdict want;
} strange[] = {
	{ "nothing", "{}", FIREWALL_PASS },
	{ "no list", "{'nftables':7}", FIREWALL_PASS },
	{ "objects of another shape", "{'nftables':[7,null,{'chain':7},{'rule':[]},{'chain':{'hook':'output','family':'ip'}}]}", FIREWALL_PASS },
	{ "a chain that jumps to itself", "{'nftables':[{'chain':{'family':'ip','table':'t','name':'c','hook':'output','prio':0,'policy':'accept'}},"
	  "{'rule':{'family':'ip','table':'t','chain':'c','expr':[{'jump':{'target':'c'}}]}}]}", FIREWALL_UNSURE },
	{ "what xtables extensions ask", "{'nftables':[{'chain':{'family':'ip','table':'t','name':'c','hook':'output','prio':0,'policy':'accept'}},"
	  "{'rule':{'family':'ip','table':'t','chain':'c','expr':[{'xt':null}]}}]}", FIREWALL_UNSURE },
	{ "an earlier chain accepts, a later one drops", "{'nftables':[{'chain':{'family':'ip','table':'t','name':'late','hook':'output','prio':9,"
	  "'policy':'drop'}},{'chain':{'family':'ip','table':'t','name':'c','hook':'output','prio':0,'policy':'accept'}}]}", FIREWALL_BLOCK },
	{ "two of one priority", "{'nftables':[{'chain':{'family':'ip','table':'t','name':'a','hook':'output','prio':0,'policy':'accept'}},"
	  "{'chain':{'family':'ip','table':'t','name':'b','hook':'output','prio':0,'policy':'drop'}}]}", FIREWALL_BLOCK },
	{ "another family's", "{'nftables':[{'chain':{'family':'ip6','table':'t','name':'c','hook':'output','prio':0,'policy':'drop'}}]}", FIREWALL_PASS },
	{ "our own table", "{'nftables':[{'chain':{'family':'inet','table':'lanyard','name':'c','hook':'output','prio':0,'policy':'drop'}}]}", FIREWALL_PASS },
	{ "a rule before the others", "{'nftables':[{'chain':{'family':'ip','table':'t','name':'c','hook':'output','prio':0,'policy':'accept'}},"
	  "{'rule':{'family':'ip','table':'t','chain':'c','expr':[{'accept':null}]}},"
	  "{'rule':{'family':'ip','table':'t','chain':'c','expr':[{'drop':null}]}}]}", FIREWALL_PASS },
};

static void test_strange(void **state)
{
	static const struct packet p = { "", "eth0", "192.0.2.1", "192.0.2.2", IPPROTO_TCP, 80, false };
	char text[FIREWALL_TEXT];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(strange); i++) {
		json_t *rules = load(strange[i].rules);

		print_message("  %s\n", strange[i].what);
		assert_int_equal(ask(rules, FIREWALL_OUTPUT, &p, text), strange[i].want);
		json_decref(rules);
	}
}

/* Marks, as nftables 1.0.6 writes what sets and asks for them. One chain, whose policy is to accept, with these rules. */
#define MARK "{'meta':{'key':'mark'}}"
#define IS_MARK(left, n) "{'match':{'op':'==','left':" left ",'right':" n "}}"
#define SET_MARK(n) "{'mangle':{'key':" MARK ",'value':" n "}}"
#define DROP "{'drop':null}"
#define LIMIT "{'limit':{'rate':10,'burst':3,'per':'minute','inv':true}}"
static const struct {
	const char *what, *rules[4];
	enum firewall_verdict want;
	const char *depends;
} marked[] = {
	{ "it has none at first", { IS_MARK(MARK, "0") "," DROP }, FIREWALL_BLOCK, NULL },
	{ "so nobody drops it for one", { IS_MARK(MARK, "7") "," DROP }, FIREWALL_PASS, NULL },
	{ "one that a rule set", { SET_MARK("7"), IS_MARK(MARK, "7") "," DROP }, FIREWALL_BLOCK, NULL },
	{ "of which a part is asked for", { SET_MARK("257"), IS_MARK("{'&':[" MARK ",255]}", "1") "," DROP }, FIREWALL_BLOCK, NULL },
	{ "another part", { SET_MARK("256"), IS_MARK("{'&':[" MARK ",255]}", "1") "," DROP }, FIREWALL_PASS, NULL },
	{ "made of the one before", { SET_MARK("1"), SET_MARK("{'|':[" MARK ",4]}"), IS_MARK(MARK, "5") "," DROP }, FIREWALL_BLOCK, NULL },
	{ "the connection's", { SET_MARK("7"), "{'mangle':{'key':{'ct':{'key':'mark'}},'value':" MARK "}}", IS_MARK("{'ct':{'key':'mark'}}", "7") "," DROP },
	  FIREWALL_BLOCK, NULL },
	{ "perhaps set", { LIMIT "," SET_MARK("7"), IS_MARK(MARK, "7") "," DROP }, FIREWALL_UNSURE, "its meta mark" },
	{ "set where it may not have come", { LIMIT ",{'return':null}", SET_MARK("7"), IS_MARK(MARK, "7") "," DROP }, FIREWALL_UNSURE, "a limit: over 10/minute" },
	{ "of what nobody knows", { SET_MARK("{'numgen':{'mode':'random','mod':2}}"), IS_MARK(MARK, "1") "," DROP }, FIREWALL_UNSURE, "its meta mark" },
	{ "a limit", { LIMIT "," DROP }, FIREWALL_UNSURE, "a limit: over 10/minute" },
	{ "how many there are", { "{'ct count':{'val':20,'inv':true}}," DROP }, FIREWALL_UNSURE, "\"ct count\"" },
	{ "a question of xtables", { "{'xt':{'type':'match','name':'recent'}}," DROP }, FIREWALL_UNSURE, "what iptables' \"recent\" finds" },
	{ "which decides nothing of what is let by", { "{'xt':{'type':'match','name':'recent'}},{'accept':null}" }, FIREWALL_PASS, NULL },
	{ "a verdict of xtables", { "{'xt':{'type':'target','name':'STEAL'}}" }, FIREWALL_UNSURE, NULL },
};

static void test_marks(void **state)
{
	static const struct packet p = { "", "eth0", "192.0.2.1", "192.0.2.2", IPPROTO_TCP, 80, false };
	char all[2000], text[FIREWALL_TEXT];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(marked); i++) {
		size_t n = (size_t)sprintf(all, "{'nftables':[{'chain':{'family':'ip','table':'t','name':'c','hook':'output','prio':0,'policy':'accept'}}");
		json_t *rules;

		for (unsigned r = 0; r < 4 && marked[i].rules[r]; r++)
			n += (size_t)sprintf(all + n, ",{'rule':{'family':'ip','table':'t','chain':'c','expr':[%s]}}", marked[i].rules[r]);
		strcpy(all + n, "]}");
		rules = load(all);
		print_message("  %s\n", marked[i].what);
		assert_int_equal(ask(rules, FIREWALL_OUTPUT, &p, text), marked[i].want);
		if (marked[i].depends) {
			assert_non_null(strstr(text, "; that depends on "));
			assert_string_equal(strstr(text, "; that depends on ") + strlen("; that depends on "), marked[i].depends);
		}
		json_decref(rules);
	}
}

/* big_set() - @nrules rules that look for an address in one set of @n others; the last drops */
static json_t *big_set(unsigned n, unsigned nrules)
{
	json_t *list = json_pack("[{s:{s:s,s:s,s:s,s:s,s:i,s:s}}]", "chain", "family", "ip", "table", "t", "name", "c", "hook", "output", "prio", 0, "policy",
				 "drop");
	json_t *elements = json_array();

	for (unsigned i = 0; i < n; i++)
		json_array_append_new(elements, json_string("203.0.113.9"));
	json_array_append_new(list, json_pack("{s:{s:s,s:s,s:s,s:s,s:o}}", "set", "family", "ip", "table", "t", "name", "s", "type", "ipv4_addr", "elem", elements));
	for (unsigned i = 0; i < nrules; i++)
		json_array_append_new(list, json_pack("{s:{s:s,s:s,s:s,s:[{s:{s:s,s:{s:{s:s,s:s}},s:s}},{s:n}]}}", "rule", "family", "ip", "table", "t",
						      "chain", "c", "expr", "match", "op", "==", "left", "payload", "protocol", "ip", "field", "daddr", "right",
						      "@s", "accept"));
	return json_pack("{s:o}", "nftables", list);
}

/* many_chains() - a chain that may jump to each of @n others, at whose ends nothing is decided; as hosts of many services have them */
static json_t *many_chains(unsigned n)
{
	json_t *list = json_pack("[{s:{s:s,s:s,s:s,s:s,s:i,s:s}}]", "chain", "family", "ip", "table", "t", "name", "c", "hook", "output", "prio", 0, "policy",
				 "accept");
	char name[20];

	for (unsigned i = 0; i < n; i++) {
		snprintf(name, sizeof(name), "c%u", i);
		json_array_append_new(list, json_pack("{s:{s:s,s:s,s:s,s:[{s:{s:s}}]}}", "rule", "family", "ip", "table", "t", "chain", "c", "expr", "jump",
						      "target", name));
	}
	return json_pack("{s:o}", "nftables", list);
}

static void test_there_is_an_end_to_it(void **state)
{
	static const struct packet p = { "", "eth0", "192.0.2.1", "192.0.2.2", IPPROTO_TCP, 80, false };
	json_t *few = many_chains(1000), *many = many_chains(100001);
	char text[FIREWALL_TEXT];

	(void)state;
	assert_int_equal(ask(few, FIREWALL_OUTPUT, &p, text), FIREWALL_PASS);
	assert_int_equal(ask(many, FIREWALL_OUTPUT, &p, text), FIREWALL_UNSURE);
	assert_non_null(strstr(text, "more rules than are looked at"));
	json_decref(few);
	json_decref(many);
	few = big_set(1000, 10);
	many = big_set(100000, 1000);		/* a hundred million elements to be looked at */
	assert_int_equal(ask(few, FIREWALL_OUTPUT, &p, text), FIREWALL_BLOCK);
	assert_int_equal(ask(many, FIREWALL_OUTPUT, &p, text), FIREWALL_UNSURE);
	json_decref(few);
	json_decref(many);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_packets), cmocka_unit_test(test_strange), cmocka_unit_test(test_marks),
					    cmocka_unit_test(test_there_is_an_end_to_it) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
