// SPDX-License-Identifier: GPL-2.0-or-later
#define _GNU_SOURCE
#include "tap/vhost_saved.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static int make_file(void)
{
	int fd = memfd_create("lanyard vhost-user", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd < 0)
		return -1;
	if (ftruncate(fd, sizeof(struct vhost_saved)) == 0 &&
	    fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) == 0)
		return fd;
	close(fd);
	return -1;
}

static struct vhost_saved *map(int fd)
{
	void *at = mmap(NULL, sizeof(struct vhost_saved), PROT_READ | PROT_WRITE, MAP_SHARED | (fd < 0 ? MAP_ANONYMOUS : 0),
			fd, 0);

	return at == MAP_FAILED ? NULL : at;
}

struct vhost_saved *vhost_saved_new(int *fd)
{
	struct vhost_saved *s;
	int file = make_file();

	s = map(file);
	if (!s && file >= 0) {
		close(file);
		return NULL;
	}
	if (!s)
		return NULL;
	s->magic = VHOST_SAVED_MAGIC;
	s->version = VHOST_SAVED_VERSION;
	s->size = sizeof(*s);
	*fd = file;
	return s;
}

void vhost_saved_close(struct vhost_saved *s)
{
	if (s)
		munmap(s, sizeof(*s));
}

void vhost_saved_working(struct vhost_saved *s, bool working)
{
	/* What was done stands before the mark is taken away, and the mark before what will be done. */
	atomic_signal_fence(memory_order_seq_cst);
	*(volatile uint32_t *)&s->at_work = working;
	atomic_signal_fence(memory_order_seq_cst);
}

/* ---- what an earlier engine left ---- */

static bool fits(int fd)
{
	struct stat st;

	/* A file without this seal could be cut under us. */
	return fstat(fd, &st) == 0 && st.st_size == (off_t)sizeof(struct vhost_saved) &&
	       fcntl(fd, F_GET_SEALS) >= 0 && fcntl(fd, F_GET_SEALS) & F_SEAL_SHRINK;
}

static const char *wrong_regions(const struct vhost_saved *s)
{
	uint8_t seen[VHOST_REGIONS_MAX] = { 0 };

	if (s->nregions > VHOST_REGIONS_MAX)
		return "too many memory regions";
	for (uint32_t i = 0; i < s->nregions; i++) {
		if (s->regions[i].slot >= VHOST_REGIONS_MAX || seen[s->regions[i].slot])
			return "a memory region without a place of its own";
		seen[s->regions[i].slot] = 1;
	}
	return NULL;
}

static const char *wrong_rings(const struct vhost_saved *s, unsigned rings)
{
	for (unsigned i = 0; i < VHOST_RINGS_MAX; i++) {
		const struct vhost_saved_ring *r = &s->rings[i];

		if (i >= rings && (r->kicked || r->fds))
			return "more rings than the port has";
		if (r->size > VHOST_RING_SIZE_MAX || r->fds & ~(VHOST_HAS_KICK | VHOST_HAS_CALL | VHOST_HAS_ERR))
			return "a ring that cannot be";
	}
	return NULL;
}

static const char *wrong(const struct vhost_saved *s, unsigned rings, uint64_t offered, uint64_t protocol)
{
	const char *why;

	if (s->magic != VHOST_SAVED_MAGIC || s->version != VHOST_SAVED_VERSION || s->size != sizeof(*s))
		return "another version of lanyard wrote it";
	if (s->at_work)
		return "the engine ended in the middle of a request";
	if (s->features & ~offered || s->protocol & ~protocol)
		return "features are in use that are no longer offered";
	why = wrong_regions(s);
	return why ? why : wrong_rings(s, rings);
}

struct vhost_saved *vhost_saved_open(int fd, unsigned rings, uint64_t offered, uint64_t protocol, struct error *err)
{
	struct vhost_saved *s = fits(fd) ? map(fd) : NULL;
	const char *why = s ? wrong(s, rings, offered, protocol) : "another version of lanyard wrote it";

	if (!why)
		return s;
	vhost_saved_close(s);
	error_set(err, -EBADMSG, "the state of the connection cannot be taken over: %s", why);
	return NULL;
}
