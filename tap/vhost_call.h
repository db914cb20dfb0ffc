/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tap/vhost_call.h - signal an eventfd that belongs to a stranger, and never wait
 *
 * write() to an eventfd waits when its counter is full and O_NONBLOCK is off, and the front-end can have both at any moment, for
 * the file description is shared. So the kernel is asked to signal it as the completion of an asynchronous operation
 * that does nothing (io_submit(2), IOCB_FLAG_RESFD): that never waits, and refuses what is not an eventfd.
 */
#ifndef TAP_VHOST_CALL_H
#define TAP_VHOST_CALL_H

/* vhost_call_init() - make the contexts for @nworkers workers; control thread; again with the same number is fine
 * Return: 0, or negative errno (-ENOSYS: this kernel has no io_setup(2); -EAGAIN: fs.aio-max-nr is used up).
 */
int vhost_call_init(unsigned nworkers);
void vhost_call_fini(void);

/* vhost_call_check() - is @fd an eventfd? Return: 0 or -EINVAL */
int vhost_call_check(int fd);

/* vhost_call() - signal @fd; on worker @index's thread. Return: 0, or negative errno (-EINVAL: it is not an eventfd any more) */
int vhost_call(unsigned index, int fd);

#endif
