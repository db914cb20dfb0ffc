// SPDX-License-Identifier: GPL-2.0-or-later
/* needs: netns */
/* Media, links, addresses and routes in a network namespace of the test's own. Each test has a fresh one. */
#define _GNU_SOURCE	/* unshare() */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <linux/virtio_net.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/array.h"
#include "base/error.h"
#include "base/text.h"
#include "ctl/netns.h"
#include "ctl/netns_link.h"
#include "ctl/run_space.h"

enum { IP = 0x0a4d0064, GATEWAY = 0x0a4d0001, ANSWER_MS = 5000, PORT = 4242 };
static const uint8_t mac[MAC_SIZE] = { 2, 0, 0, 0, 0, 5 };
static const uint8_t far[MAC_SIZE] = { 2, 0, 0, 0, 0, 1 };

static int fresh(void **state)
{
	(void)state;
	return unshare(CLONE_NEWNET);
}

static struct ifreq query(const char *ifname, unsigned long what)
{
	struct ifreq ifr = { .ifr_flags = 0 };
	int s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", ifname);
	assert_int_equal(ioctl(s, what, &ifr), 0);
	close(s);
	return ifr;
}

/* --- media ---------------------------------------------------------------------------------------------- */

typedef int open_function(const char *ifname, unsigned mtu, struct netns_medium *out, struct error *err);

/* open_medium() - false (and the test is skipped) only where /dev/net/tun is closed to this user */
static bool open_medium(open_function *open_it, struct netns_medium *m)
{
	struct error err = { .rc = 0 };
	int rc = open_it("eth0", 0, m, &err);

	if (rc < 0 && open_it == netns_tap_open && access("/dev/net/tun", R_OK | W_OK) < 0)
		return false;
	if (rc < 0)
		fail_msg("%s", err.message);
	assert_int_equal(netns_set_link("eth0", mac, 1400, true, &err), 0);
	assert_int_equal(netns_add_address("eth0", IP, 24, 3600, &err), 0);
	assert_int_equal(netns_default_route("eth0", GATEWAY, &err), 0);
	return true;
}

/* next_frame() - skip what the kernel sends of itself (IPv6) until a frame of @type; its size behind the header */
static size_t next_frame(int fd, uint16_t type, uint8_t *frame, size_t room, size_t header)
{
	for (;;) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		ssize_t n;

		assert_int_equal(poll(&p, 1, ANSWER_MS), 1);
		n = read(fd, frame, room);
		assert_true(n > (ssize_t)(header + ETH_HLEN));
		if (frame[header + 12] == type >> 8 && frame[header + 13] == (type & 255))
			return (size_t)n - header;
	}
}

/* answer_arp() - as the gateway would */
static void answer_arp(int fd, size_t header)
{
	uint8_t frame[256] = { 0 }, reply[12 + 42] = { 0 }, *f = reply + header;

	next_frame(fd, ETH_P_ARP, frame, sizeof(frame), header);
	assert_memory_equal(frame + header + 6, mac, MAC_SIZE);
	memcpy(f, mac, MAC_SIZE);
	memcpy(f + 6, far, MAC_SIZE);
	memcpy(f + 12, "\x08\x06\0\1\x08\0\6\4\0\2", 10);
	memcpy(f + 22, far, MAC_SIZE);
	memcpy(f + 28, frame + header + 38, 4);
	memcpy(f + 32, frame + header + 22, 10);
	assert_int_equal(write(fd, reply, header + 42), header + 42);
}

/* A datagram leaves the namespace through the medium, by the address, route and MAC address that were set. */
static void exchange(open_function *open_it, size_t header)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(PORT), .sin_addr.s_addr = htonl(0x08080808) };
	uint8_t frame[70000];
	struct netns_medium m;
	int s;

	if (!open_medium(open_it, &m))
		skip();
	assert_string_equal(m.medium, open_it == netns_tap_open ? "tap" : "packet");
	assert_int_equal(m.ifindex, if_nametoindex("eth0"));
	assert_true(fcntl(m.fd, F_GETFL) & O_NONBLOCK);
	assert_true(fcntl(m.fd, F_GETFD) & FD_CLOEXEC);
	assert_memory_equal(query("eth0", SIOCGIFHWADDR).ifr_hwaddr.sa_data, mac, MAC_SIZE);
	assert_int_equal(query("eth0", SIOCGIFMTU).ifr_mtu, 1400);
	s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_int_equal(sendto(s, "hello", 5, 0, (struct sockaddr *)&to, sizeof(to)), 5);
	answer_arp(m.fd, header);
	next_frame(m.fd, ETH_P_IP, frame, sizeof(frame), header);
	assert_memory_equal(frame + header, far, MAC_SIZE);
	assert_memory_equal(frame + header + ETH_HLEN + 28, "hello", 5);
	close(s);
	close(m.fd);
}

static void test_tap(void **state)
{
	(void)state;
	exchange(netns_tap_open, NETNS_TAP_HEADER);
}

static void test_packet(void **state)
{
	(void)state;
	exchange(netns_packet_open, sizeof(struct virtio_net_hdr));
}

/* The far end takes no part in the namespace, and a pair left by a keeper that died is used again. */
static void test_packet_is_quiet(void **state)
{
	struct netns_medium m, again;
	struct error err;
	short flags;

	(void)state;
	assert_int_equal(netns_packet_open("eth0", 0, &m, &err), 0);
	flags = query("ly-eth0", SIOCGIFFLAGS).ifr_flags;
	assert_true(flags & IFF_UP && flags & IFF_NOARP);
	assert_int_equal(query("ly-eth0", SIOCGIFMTU).ifr_mtu, 65535);
	close(m.fd);
	assert_int_equal(netns_packet_open("eth0", 0, &again, &err), 0);
	assert_int_equal(again.ifindex, m.ifindex);
	close(again.fd);
}

static void test_medium_choice(void **state)
{
	struct netns_medium m;
	struct error err;
	bool tun = access("/dev/net/tun", R_OK | W_OK) == 0;

	(void)state;
	assert_int_equal(netns_medium_open("eth0", 1300, &m, &err), 0);
	assert_string_equal(m.medium, tun ? "tap" : "packet");
	assert_int_equal(query("eth0", SIOCGIFMTU).ifr_mtu, 1300);
	close(m.fd);
}

static void test_refusals(void **state)
{
	static const char *const names[] = { "", "much-too-long-a-name", "a b", "a/b", ".", "..", "a%d", "a:b" };
	struct netns_medium m;
	struct error err = { .rc = 0 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		assert_int_equal(netns_medium_open(names[i], 0, &m, &err), -EINVAL);
	assert_true(netns_medium_open("lo", 0, &m, &err) < 0);		/* an interface that is something else */
	assert_int_equal(netns_add_veth("eth0", "ly-eth0", &err), 0);
	assert_true(netns_add_veth("eth0", "ly-other", &err) < 0);	/* half of another pair */
	assert_int_equal(netns_set_link("nothing", NULL, 0, true, &err), -ENODEV);
	assert_true(err.message[0] && strstr(err.message, "nothing"));
	assert_true(netns_add_address("nothing", IP, 24, 1, &err) < 0);
	assert_true(netns_default_route("nothing", GATEWAY, &err) < 0);
}

/* --- namespaces ------------------------------------------------------------------------------------------- */

static void test_enter(void **state)
{
	static const char *const bad[] = { "no-such-namespace", "/dev/null", "/nowhere", "2147483646" };
	char where[64], pid[16];
	struct error err = { .rc = 0 };
	int first;

	(void)state;
	first = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	snprintf(where, sizeof(where), "/proc/self/fd/%d", first);
	assert_int_equal(netns_add_veth("here", "there", &err), 0);
	assert_int_equal(unshare(CLONE_NEWNET), 0);
	assert_int_equal(if_nametoindex("here"), 0);
	assert_int_equal(netns_enter(where, &err), 0);
	assert_int_not_equal(if_nametoindex("here"), 0);
	snprintf(pid, sizeof(pid), "%d", (int)getpid());
	assert_int_equal(netns_enter(pid, &err), 0);
	assert_int_not_equal(if_nametoindex("here"), 0);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_true(netns_enter(bad[i], &err) < 0);
		assert_non_null(strstr(err.message, bad[i]));
	}
	close(first);
}

/* in_child() - run @check in a process of its own; Return: its exit status */
static int in_child(int (*check)(void))
{
	pid_t child = fork();
	int status = -1;

	if (child == 0)
		_exit(check());
	assert_int_equal(waitpid(child, &status, 0), child);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int check_space(void)
{
	struct error err = { .rc = 0 };

	if (space_enter(&err) < 0) {
		fprintf(stderr, "%s\n", err.message);
		return 1;
	}
	return getuid() != 0 || !(query("lo", SIOCGIFFLAGS).ifr_flags & IFF_UP);
}

/* etc_says() - is this what a program finds in /etc/resolv.conf? */
static bool etc_says(const char *text)
{
	char got[64] = "";
	FILE *f = fopen("/etc/resolv.conf", "re");

	if (!f)
		return false;
	got[fread(got, 1, sizeof(got) - 1, f)] = '\0';
	fclose(f);
	return !strcmp(got, text);
}

/* The shapes that /etc/resolv.conf has on hosts, each in a made-up /etc */
static int check_resolv(void)
{
	static const char ours[] = "nameserver 10.77.0.1\n";
	static const char *const shapes[] = { "a file", "a link", "a link to nothing", "nothing" };
	struct error err = { .rc = 0 };

	if (space_enter(&err) < 0)
		return 1;
	for (size_t i = 0; i < ARRAY_SIZE(shapes); i++) {
		if (mount("etc", "/etc", "tmpfs", 0, NULL) < 0)
			return 77;
		if (i < 2)
			fclose(fopen(i ? "/etc/real" : "/etc/resolv.conf", "we"));
		if ((i == 1 && symlink("real", "/etc/resolv.conf") < 0) || (i == 2 && symlink("/nowhere/x", "/etc/resolv.conf") < 0))
			return 2;
		if (space_resolv(ours, &err) < 0 || !etc_says(ours)) {
			fprintf(stderr, "%s: %s\n", shapes[i], err.message);
			return 3;
		}
	}
	return 0;
}

static void test_space(void **state)
{
	(void)state;
	assert_int_equal(in_child(check_space), 0);
}

static void test_resolv(void **state)
{
	(void)state;
	assert_int_equal(in_child(check_resolv), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_tap, fresh),	   cmocka_unit_test_setup(test_packet, fresh),
		cmocka_unit_test_setup(test_packet_is_quiet, fresh), cmocka_unit_test_setup(test_medium_choice, fresh),
		cmocka_unit_test_setup(test_refusals, fresh),	   cmocka_unit_test_setup(test_enter, fresh),
		cmocka_unit_test(test_space),			   cmocka_unit_test(test_resolv),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
