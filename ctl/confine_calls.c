// SPDX-License-Identifier: GPL-2.0-or-later
#define _GNU_SOURCE	/* CLONE_THREAD, REG_RAX */
#include <errno.h>
#include <linux/if_tun.h>
#include <linux/netlink.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <ucontext.h>
#include <unistd.h>

#include "base/array.h"
#include "ctl/confine.h"

/* ---- the list ---- */

static const int allowed[] = {
	/* frames, guests' connections and the event loops */
	SCMP_SYS(read), SCMP_SYS(write), SCMP_SYS(readv), SCMP_SYS(writev), SCMP_SYS(preadv2), SCMP_SYS(pwritev2), SCMP_SYS(close), SCMP_SYS(fcntl),
	SCMP_SYS(recvfrom), SCMP_SYS(recvmsg), SCMP_SYS(recvmmsg), SCMP_SYS(sendto), SCMP_SYS(sendmsg), SCMP_SYS(sendmmsg),
	SCMP_SYS(bind), SCMP_SYS(connect), SCMP_SYS(accept4), SCMP_SYS(accept), SCMP_SYS(shutdown), SCMP_SYS(setsockopt),
	SCMP_SYS(getsockopt), SCMP_SYS(getsockname), SCMP_SYS(getpeername),
	SCMP_SYS(epoll_create1), SCMP_SYS(epoll_ctl), SCMP_SYS(epoll_wait), SCMP_SYS(epoll_pwait), SCMP_SYS(epoll_pwait2),
	SCMP_SYS(poll), SCMP_SYS(ppoll), SCMP_SYS(eventfd2), SCMP_SYS(timerfd_create), SCMP_SYS(timerfd_settime),
	SCMP_SYS(pipe2), SCMP_SYS(io_setup), SCMP_SYS(io_submit), SCMP_SYS(io_getevents), SCMP_SYS(io_destroy),
	/* memory, guests' and our own */
	SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(madvise), SCMP_SYS(brk), SCMP_SYS(memfd_create), SCMP_SYS(ftruncate),
	SCMP_SYS(fstat), SCMP_SYS(fstatfs),
	/* the store, and files that are looked at */
	SCMP_SYS(openat), SCMP_SYS(open), SCMP_SYS(lseek), SCMP_SYS(pread64), SCMP_SYS(pwrite64), SCMP_SYS(fsync), SCMP_SYS(fdatasync), SCMP_SYS(fadvise64),
	SCMP_SYS(fallocate), SCMP_SYS(fchmod), SCMP_SYS(fchown), SCMP_SYS(stat), SCMP_SYS(lstat), SCMP_SYS(newfstatat), SCMP_SYS(statx), SCMP_SYS(access),
	SCMP_SYS(faccessat), SCMP_SYS(faccessat2), SCMP_SYS(readlink), SCMP_SYS(readlinkat), SCMP_SYS(unlink), SCMP_SYS(unlinkat),
	SCMP_SYS(rename), SCMP_SYS(renameat), SCMP_SYS(renameat2), SCMP_SYS(getcwd), SCMP_SYS(getdents64),
	/* threads, signals, time, chance, and who we are */
	SCMP_SYS(futex), SCMP_SYS(membarrier), SCMP_SYS(sched_yield), SCMP_SYS(sched_getaffinity), SCMP_SYS(getcpu),
	SCMP_SYS(set_robust_list), SCMP_SYS(rseq), SCMP_SYS(exit), SCMP_SYS(exit_group), SCMP_SYS(restart_syscall),
	SCMP_SYS(rt_sigaction), SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigreturn), SCMP_SYS(sigaltstack),
	SCMP_SYS(clock_gettime), SCMP_SYS(clock_getres), SCMP_SYS(clock_nanosleep), SCMP_SYS(nanosleep), SCMP_SYS(gettimeofday),
	SCMP_SYS(time), SCMP_SYS(getrandom), SCMP_SYS(sysinfo), SCMP_SYS(uname), SCMP_SYS(getpid), SCMP_SYS(gettid), SCMP_SYS(getppid),
	SCMP_SYS(getuid), SCMP_SYS(geteuid), SCMP_SYS(getgid), SCMP_SYS(getegid),
};

/* Nothing of the engine's comes near these by mistake: who makes one has taken it over. */
static const int hostile[] = {
	SCMP_SYS(execve), SCMP_SYS(execveat), SCMP_SYS(fork), SCMP_SYS(vfork), SCMP_SYS(ptrace), SCMP_SYS(process_vm_readv),
	SCMP_SYS(process_vm_writev), SCMP_SYS(pidfd_getfd), SCMP_SYS(kcmp), SCMP_SYS(setns), SCMP_SYS(unshare), SCMP_SYS(mount),
	SCMP_SYS(umount2), SCMP_SYS(move_mount), SCMP_SYS(open_tree), SCMP_SYS(fsopen), SCMP_SYS(fsmount), SCMP_SYS(mount_setattr),
	SCMP_SYS(pivot_root), SCMP_SYS(chroot), SCMP_SYS(open_by_handle_at), SCMP_SYS(bpf), SCMP_SYS(perf_event_open),
	SCMP_SYS(userfaultfd), SCMP_SYS(keyctl), SCMP_SYS(add_key), SCMP_SYS(request_key), SCMP_SYS(init_module), SCMP_SYS(finit_module),
	SCMP_SYS(delete_module), SCMP_SYS(kexec_load), SCMP_SYS(kexec_file_load), SCMP_SYS(reboot), SCMP_SYS(swapon), SCMP_SYS(swapoff),
	SCMP_SYS(setuid), SCMP_SYS(setgid), SCMP_SYS(setreuid), SCMP_SYS(setregid), SCMP_SYS(setresuid), SCMP_SYS(setresgid),
	SCMP_SYS(setgroups), SCMP_SYS(capset), SCMP_SYS(iopl), SCMP_SYS(ioperm), SCMP_SYS(personality),
};

enum { RAW_LEVEL = 255 };		/* SOL_RAW */
enum { INT = 0xffffffff };		/* an int: what stands above it in the register means nothing */

/* Calls of which some forms are allowed, by one or two arguments. */
static const struct {
	int call;
	uint32_t action;
	unsigned n;
	struct scmp_arg_cmp args[2];
} forms[] = {
#define WHEN(arg, mask, value) { arg, SCMP_CMP_MASKED_EQ, mask, value }
	{ SCMP_SYS(socket), SCMP_ACT_ALLOW, 1, { WHEN(0, INT, AF_INET) } },
	{ SCMP_SYS(socket), SCMP_ACT_ALLOW, 1, { WHEN(0, INT, AF_INET6) } },
	{ SCMP_SYS(socket), SCMP_ACT_ALLOW, 2, { WHEN(0, INT, AF_NETLINK), WHEN(2, INT, NETLINK_ROUTE) } },
	/* None to reach the user's own services by: the keeper connects those that are asked for. libc tries it for names of interfaces. */
	{ SCMP_SYS(socket), SCMP_ACT_ERRNO(EAFNOSUPPORT), 1, { WHEN(0, INT, AF_UNIX) } },
	{ SCMP_SYS(socketpair), SCMP_ACT_ALLOW, 1, { WHEN(0, INT, AF_UNIX) } },
	{ SCMP_SYS(mmap), SCMP_ACT_ALLOW, 1, { WHEN(2, PROT_EXEC, 0) } },
	{ SCMP_SYS(mprotect), SCMP_ACT_ALLOW, 1, { WHEN(2, PROT_EXEC, 0) } },
	{ SCMP_SYS(clone), SCMP_ACT_ALLOW, 1, { WHEN(0, CLONE_THREAD, CLONE_THREAD) } },
	{ SCMP_SYS(clone3), SCMP_ACT_ERRNO(ENOSYS), 0, { { .arg = 0 } } },	/* its flags cannot be seen; libc goes on with clone() */
	{ SCMP_SYS(ioctl), SCMP_ACT_ALLOW, 1, { WHEN(1, INT, TUNGETIFF) } },
	{ SCMP_SYS(ioctl), SCMP_ACT_ALLOW, 1, { WHEN(1, INT, TUNSETVNETHDRSZ) } },
	{ SCMP_SYS(ioctl), SCMP_ACT_ALLOW, 1, { WHEN(1, INT, TUNSETCARRIER) } },
	{ SCMP_SYS(ioctl), SCMP_ACT_ALLOW, 1, { WHEN(1, INT, SIOCGIFINDEX) } },
	{ SCMP_SYS(ioctl), SCMP_ACT_ALLOW, 1, { WHEN(1, INT, SIOCGIFNAME) } },
	{ SCMP_SYS(ioctl), SCMP_ACT_ALLOW, 1, { WHEN(1, INT, FIONREAD) } },
	{ SCMP_SYS(prctl), SCMP_ACT_ALLOW, 1, { WHEN(0, INT, PR_SET_NAME) } },
	{ SCMP_SYS(prlimit64), SCMP_ACT_ALLOW, 1, { WHEN(0, INT, 0) } },
	{ SCMP_SYS(sched_setscheduler), SCMP_ACT_ALLOW, 2, { WHEN(0, INT, 0), WHEN(1, INT, SCHED_BATCH) } },
};

/* ---- what is refused ---- */

#if defined(__x86_64__)
#define RESULT(context) ((context)->uc_mcontext.gregs[REG_RAX])
#elif defined(__aarch64__)
#define RESULT(context) ((context)->uc_mcontext.regs[0])
#endif

enum { CALLS = 512 };

static atomic_bool refused[CALLS];
static bool told[CALLS];

#ifdef RESULT
/* on_refused() - the call has not been made: let it fail, and note which it was */
static void on_refused(int signal, siginfo_t *info, void *context)
{
	(void)signal;
	if (info->si_syscall >= 0 && info->si_syscall < CALLS)
		atomic_store_explicit(&refused[info->si_syscall], true, memory_order_relaxed);
	RESULT((ucontext_t *)context) = -EPERM;
}

/* refusal() - what the filter does with any other call */
static uint32_t refusal(void)
{
	struct sigaction action = { .sa_sigaction = on_refused, .sa_flags = SA_SIGINFO | SA_RESTART | SA_ONSTACK };

	return sigaction(SIGSYS, &action, NULL) < 0 ? SCMP_ACT_ERRNO(EPERM) : SCMP_ACT_TRAP;
}
#else
static uint32_t refusal(void)
{
	return SCMP_ACT_ERRNO(EPERM);
}
#endif

char *confine_refused(void)
{
	for (int i = 0; i < CALLS; i++)
		if (!told[i] && atomic_load_explicit(&refused[i], memory_order_relaxed)) {
			told[i] = true;
			return seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, i);
		}
	return NULL;
}

/* ---- the filter ---- */

/* add() - a call that this architecture does not have needs no rule */
static int add(scmp_filter_ctx filter, uint32_t action, int call, unsigned n, const struct scmp_arg_cmp *args)
{
	int rc = call < 0 ? 0 : seccomp_rule_add_array(filter, action, call, n, args);

	return rc == -EDOM ? 0 : rc;
}

static int fill(scmp_filter_ctx filter)
{
	struct scmp_arg_cmp self = WHEN(0, INT, (uint64_t)getpid());
	int rc = seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);

	/* No code of strangers runs here: the processor's protection of stores against it would only cost. */
	seccomp_attr_set(filter, SCMP_FLTATR_CTL_SSB, 1);
	seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	for (size_t i = 0; rc == 0 && i < ARRAY_SIZE(allowed); i++)
		rc = add(filter, SCMP_ACT_ALLOW, allowed[i], 0, NULL);
	for (size_t i = 0; rc == 0 && i < ARRAY_SIZE(hostile); i++)
		rc = add(filter, SCMP_ACT_KILL_PROCESS, hostile[i], 0, NULL);
	for (size_t i = 0; rc == 0 && i < ARRAY_SIZE(forms); i++)
		rc = add(filter, forms[i].action, forms[i].call, forms[i].n, forms[i].args);
	return rc == 0 ? add(filter, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1, &self) : rc;	/* abort() */
}

/* refuse_headers() - a raw socket that the keeper opened (nat/rawicmp.h) sends as this host, never with an IP header of whoever has taken
 * the engine over. What is refused of a call that is allowed else needs a filter of its own. */
static int refuse_headers(scmp_filter_ctx filter)
{
	static const struct {
		int level, option;
	} headers[] = { { IPPROTO_IP, IP_HDRINCL }, { IPPROTO_IPV6, IPV6_HDRINCL }, { RAW_LEVEL, IPV6_HDRINCL } };
	int rc = seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);

	seccomp_attr_set(filter, SCMP_FLTATR_CTL_SSB, 1);
	for (size_t i = 0; rc == 0 && i < ARRAY_SIZE(headers); i++) {
		struct scmp_arg_cmp args[] = { WHEN(1, INT, (uint64_t)headers[i].level), WHEN(2, INT, (uint64_t)headers[i].option) };

		rc = add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(setsockopt), ARRAY_SIZE(args), args);
	}
	return rc;
}

static int load(uint32_t otherwise, int (*rules)(scmp_filter_ctx filter))
{
	scmp_filter_ctx filter = seccomp_init(otherwise);
	int rc = filter ? rules(filter) : -ENOMEM;

	if (rc == 0)
		rc = seccomp_load(filter);
	seccomp_release(filter);
	return rc;
}

int confine_calls(void)
{
	int rc = load(SCMP_ACT_ALLOW, refuse_headers);

	return rc == 0 ? load(refusal(), fill) : rc;
}
