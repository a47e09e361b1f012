/* SPDX-License-Identifier: MIT */
/*
 * entry - the first instructions of the process: block every signal, before even the C library starts
 *
 * A signal that finds PID 1 with its default disposition is thrown away by the kernel. The C library
 * needs some hundred microseconds to get to main(), in which a stop signal would be lost and the
 * container would be killed only after the engine's patience. So the program's entry point (the
 * linker's -e) is here: one rt_sigprocmask(2) with a full mask, then the C library's own entry with
 * all registers and the stack as the kernel left them.
 */

#if defined(__x86_64__)

/* rdx carries a function for atexit(3) from the dynamic loader; rcx and r11 are the call's to spoil. */
__asm__(".text\n"
	".globl wgmesh_init_entry\n"
	".type wgmesh_init_entry, @function\n"
	"wgmesh_init_entry:\n"
	"	endbr64\n"
	"	movq %rdx, %r9\n"
	"	pushq $-1\n"	   /* all 64 signals */
	"	movl $14, %eax\n"  /* rt_sigprocmask */
	"	movl $2, %edi\n"   /* SIG_SETMASK */
	"	movq %rsp, %rsi\n" /* the mask */
	"	xorl %edx, %edx\n" /* no old mask */
	"	movl $8, %r10d\n"  /* bytes in the mask */
	"	syscall\n"
	"	popq %rax\n"
	"	movq %r9, %rdx\n"
	"	jmp _start\n"
	".size wgmesh_init_entry, . - wgmesh_init_entry\n");

#elif defined(__aarch64__)

/* x0 carries the function for atexit(3). */
__asm__(".text\n"
	".globl wgmesh_init_entry\n"
	".type wgmesh_init_entry, %function\n"
	"wgmesh_init_entry:\n"
	"	hint #34\n" /* bti c */
	"	mov x9, x0\n"
	"	mov x10, #-1\n" /* all 64 signals */
	"	str x10, [sp, #-16]!\n"
	"	mov x0, #2\n"	/* SIG_SETMASK */
	"	mov x1, sp\n"	/* the mask */
	"	mov x2, #0\n"	/* no old mask */
	"	mov x3, #8\n"	/* bytes in the mask */
	"	mov x8, #135\n" /* rt_sigprocmask */
	"	svc #0\n"
	"	add sp, sp, #16\n"
	"	mov x0, x9\n"
	"	b _start\n"
	".size wgmesh_init_entry, . - wgmesh_init_entry\n");

#else

#include "init/process/mask.h"

/* A little later than the first instruction: before main(). */
__attribute__((constructor)) static void block_all(void)
{
	mask_block_all();
}

__asm__(".globl wgmesh_init_entry\n"
	".set wgmesh_init_entry, _start\n");

#endif
