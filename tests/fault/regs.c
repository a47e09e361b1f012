/* SPDX-License-Identifier: MIT */
#include "tests/fault/regs.h"

#include <errno.h>
#include <stddef.h>
#include <sys/ptrace.h>
#include <sys/user.h>

#define NO_CALL (-1L)

#if defined(__x86_64__)

static int poke(pid_t pid, size_t offset, unsigned long value)
{
	return ptrace(PTRACE_POKEUSER, pid, offset, value) < 0 ? -errno : 0;
}

int regs_skip_call(pid_t pid)
{
	return poke(pid, offsetof(struct user, regs.orig_rax), (unsigned long)NO_CALL);
}

int regs_set_argument(pid_t pid, unsigned int which, unsigned long value)
{
	static const size_t offsets[] = {
		offsetof(struct user, regs.rdi), offsetof(struct user, regs.rsi),
		offsetof(struct user, regs.rdx), offsetof(struct user, regs.r10),
		offsetof(struct user, regs.r8),	 offsetof(struct user, regs.r9),
	};

	return which < sizeof(offsets) / sizeof(offsets[0]) ? poke(pid, offsets[which], value)
							    : -EINVAL;
}

int regs_set_result(pid_t pid, long value)
{
	return poke(pid, offsetof(struct user, regs.rax), (unsigned long)value);
}

#elif defined(__aarch64__)

#include <elf.h>
#include <sys/uio.h>

static int set_register(pid_t pid, unsigned int which, unsigned long value)
{
	struct user_regs_struct regs;
	struct iovec part = { &regs, sizeof(regs) };

	if (ptrace(PTRACE_GETREGSET, pid, NT_PRSTATUS, &part) < 0)
		return -errno;
	regs.regs[which] = value;
	return ptrace(PTRACE_SETREGSET, pid, NT_PRSTATUS, &part) < 0 ? -errno : 0;
}

int regs_skip_call(pid_t pid)
{
	int number = (int)NO_CALL;
	struct iovec part = { &number, sizeof(number) };

	return ptrace(PTRACE_SETREGSET, pid, NT_ARM_SYSTEM_CALL, &part) < 0 ? -errno : 0;
}

int regs_set_argument(pid_t pid, unsigned int which, unsigned long value)
{
	return which >= 1 && which <= 5 ? set_register(pid, which, value) : -EINVAL;
}

int regs_set_result(pid_t pid, long value)
{
	return set_register(pid, 0, (unsigned long)value);
}

#else
#error "say here how this machine's system calls are changed, see ptrace(2)"
#endif
