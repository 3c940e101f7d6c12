/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One instruction on the CPU the test runs on, with every register chosen, in
 * 64-bit, 32-bit or 16-bit code. A signal's return loads the registers, the
 * trap flag takes them back after the instruction; a fault's signal says which
 * it was. Segments come from the LDT; where the kernel has none, only 64-bit
 * code is run. Included once by each program.
 */
#ifndef TESTS_UNIT_CPU_NATIVE_H
#define TESTS_UNIT_CPU_NATIVE_H

#include <asm/ldt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include "hv/core/backend.h"
#include "include/hw/cpu.h"
#include "tests/unit/fakes/fpu.h"

#define NATIVE_CODE 0x40000000ull /* one page, with none behind it */
/* Four pages: two to write, one read only, one absent */
#define NATIVE_DATA       0x50000000ull
#define NATIVE_DATA_PAGES 4u
#define NATIVE_DATA_LIVE  3u
#define NATIVE_STEPS      300u

struct native {
	u64 gpr[GPR_COUNT], rip, rflags;
	u64 xmm[16][2], ymm_high[16][2];
	struct fake_fxsave fx;
	u16 cs, ss, ds, es, gs;
	bool repeats; /* the same RIP again is no end */
	/* After it: vector, or -1 */
	int vector;
	u32 error;
	u64 cr2;
	u32 steps;
};

/* Descriptors of the LDT and what a CPU makes of them */
static const struct native_segment {
	u32 base, limit; /* pages if @pages */
	bool big, pages, code, down, read_only;
} native_segments[] = {
	{ 0, 0xfffff, true, true, true, false, false },
	{ NATIVE_CODE, 0xffff, false, false, true, false, false },
	{ 0, 0xfffff, true, true, false, false, false },
	{ NATIVE_DATA, 0x1fff, true, false, false, false, false },
	{ NATIVE_DATA, 0xffff, false, false, false, false, false },
	{ NATIVE_DATA, 0x3fff, true, false, false, false, true },
	{ NATIVE_DATA, 0x7ff, true, false, false, true, false },
	{ NATIVE_DATA, 0x7ff, false, false, false, true, false },
	{ NATIVE_DATA - 8, 0x2ffb, false, false, false, false, false },
};
enum { NATIVE_CODE32, NATIVE_CODE16, NATIVE_FLAT, NATIVE_FIRST_DATA = 2 };

/* The signal frame has XSAVE's standard form (SDM 1 13.4): the header, and the
 * upper halves of YMM where CPUID D.2 says on every CPU that has them */
#define NATIVE_XSTATE_BV 512
#define NATIVE_YMM_HIGH  576

static bool native_avx;
static struct native *native_now;
static bool native_running;
static greg_t native_home[NGREG];
static struct fake_fxsave native_home_fx;
static u16 native_flat_ds;
static u8 native_stack[65536] __attribute__((aligned(64)));

static const u8 native_order[GPR_COUNT] = {
	REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP, REG_RSI, REG_RDI,
	REG_R8,  REG_R9,  REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15,
};

static inline u16 native_selector(u32 index)
{
	return (u16)(index << 3 | 7);
}

static inline struct segment native_segment(u32 index)
{
	const struct native_segment *s = &native_segments[index];
	u32 attr = 0xf1; /* present, DPL 3, S, accessed */

	attr |= s->code ? 0xa : s->read_only ? 0 : 2;
	attr |= s->down ? 4 : 0;
	attr |= s->big ? SEG_ATTR_DB : 0;
	attr |= s->pages ? BIT(15) : 0;
	return (struct segment){
		.sel = native_selector(index),
		.base = s->base,
		.limit = s->pages ? s->limit << 12 | 0xfff : s->limit,
		.attr = attr,
	};
}

static void native_set_ds(u16 ds, u16 es, u16 gs)
{
	__asm__ volatile("mov %0, %%ds\n\tmov %1, %%es\n\tmov %2, %%gs"
			 :
			 : "r"((u32)ds), "r"((u32)es), "r"((u32)gs)
			 : "memory");
}

static void native_vectors_in(const struct native *n, u8 *frame)
{
	struct _libc_fpstate *fp = (void *)frame;
	u64 bits;

	native_home_fx = *(struct fake_fxsave *)frame;
	memcpy(frame, &n->fx, offsetof(struct fake_fxsave, mxcsr_mask));
	memcpy(fp->_st, n->fx.st, sizeof(n->fx.st));
	memcpy(fp->_xmm, n->xmm, sizeof(n->xmm));
	if (!native_avx)
		return;
	memcpy(frame + NATIVE_YMM_HIGH, n->ymm_high, sizeof(n->ymm_high));
	memcpy(&bits, frame + NATIVE_XSTATE_BV, sizeof(bits));
	bits |= XCR0_X87 | XCR0_SSE | XCR0_AVX;
	memcpy(frame + NATIVE_XSTATE_BV, &bits, sizeof(bits));
}

/* The x87 state and MXCSR go home */
static void native_vectors_out(struct native *n, u8 *frame)
{
	const struct _libc_fpstate *fp = (const void *)frame;
	u64 bits;

	memcpy(&n->fx, frame, sizeof(n->fx));
	memcpy(frame, &native_home_fx, sizeof(native_home_fx));
	memcpy(n->xmm, fp->_xmm, sizeof(n->xmm));
	if (!native_avx)
		return;
	memcpy(n->ymm_high, frame + NATIVE_YMM_HIGH, sizeof(n->ymm_high));
	memcpy(&bits, frame + NATIVE_XSTATE_BV, sizeof(bits));
	if (!(bits & XCR0_AVX))
		memset(n->ymm_high, 0, sizeof(n->ymm_high));
}

static void native_enter(ucontext_t *uc)
{
	const struct native *n = native_now;
	greg_t *g = uc->uc_mcontext.gregs;

	native_running = true;
	memcpy(native_home, g, sizeof(native_home));
	for (u32 i = 0; i < GPR_COUNT; i++)
		g[native_order[i]] = (greg_t)n->gpr[i];
	g[REG_RIP] = (greg_t)n->rip;
	g[REG_EFL] = (greg_t)(n->rflags | RFLAGS_TF);
	if (n->cs)
		g[REG_CSGSFS] =
			(greg_t)(((u64)g[REG_CSGSFS] & 0x0000ffffffff0000ull) |
				 n->cs | (u64)n->ss << 48);
	native_vectors_in(n, (u8 *)uc->uc_mcontext.fpregs);
	native_set_ds(n->ds, n->es, n->gs);
}

static void native_leave(int signal, siginfo_t *info, ucontext_t *uc)
{
	struct native *n = native_now;
	greg_t *g = uc->uc_mcontext.gregs;

	if (signal == SIGTRAP && n->repeats && (u64)g[REG_RIP] == n->rip &&
	    ++n->steps < NATIVE_STEPS)
		return;
	if (!native_running)
		abort(); /* the test's own code has raised it */
	native_running = false;
	for (u32 i = 0; i < GPR_COUNT; i++)
		n->gpr[i] = (u64)g[native_order[i]];
	n->rip = (u64)g[REG_RIP];
	n->rflags = (u64)g[REG_EFL];
	n->vector = signal == SIGTRAP ? -1 : (int)g[REG_TRAPNO];
	n->error = (u32)g[REG_ERR];
	n->cr2 = (u64)g[REG_CR2];
	native_vectors_out(n, (u8 *)uc->uc_mcontext.fpregs);
	memcpy(g, native_home, sizeof(native_home));
	native_set_ds(native_flat_ds, native_flat_ds, 0);
}

/* The interrupted code may have left RFLAGS.AC set: not for this code */
__attribute__((no_sanitize("address", "undefined"))) static void
native_signal(int signal, siginfo_t *info, void *context)
{
	__asm__ volatile("pushfq\n\tandl $0xfffbffff, (%%rsp)\n\tpopfq"
			 :
			 :
			 : "memory", "cc");
	if (signal == SIGUSR1)
		native_enter(context);
	else
		native_leave(signal, info, context);
}

static inline void native_run(struct native *n)
{
	native_now = n;
	n->steps = 0;
	syscall(SYS_tgkill, getpid(), syscall(SYS_gettid), SIGUSR1);
}

static bool native_ldt_works(void)
{
	bool readable;

	__asm__ volatile("verr %1"
			 : "=@ccz"(readable)
			 : "r"(native_selector(NATIVE_FLAT)));
	return readable;
}

static bool native_ldt(void)
{
	for (u32 i = 0; i < ARRAY_SIZE(native_segments); i++) {
		const struct native_segment *s = &native_segments[i];
		struct user_desc d = {
			.entry_number = i,
			.base_addr = s->base,
			.limit = s->limit,
			.seg_32bit = s->big,
			.contents = s->code   ? 2
				    : s->down ? 1
					      : 0,
			.read_exec_only = s->read_only,
			.limit_in_pages = s->pages,
			.useable = 1,
		};

		if (syscall(SYS_modify_ldt, 0x11, &d, sizeof(d)))
			return false;
	}
	return true;
}

static void *native_pages(u64 at, u32 pages, int protection)
{
	void *p =
		mmap((void *)at, pages * PAGE_SIZE, protection,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);

	return p == (void *)at ? p : NULL;
}

/* False: this host cannot; *@segments: it can run 16 and 32-bit code. A virtual
 * machine that takes an LDT and never loads it runs its kernel at CPL 3, too:
 * neither single-steps nor error codes are a CPU's there. */
static inline bool native_init(bool *segments)
{
	static const int signals[] = { SIGUSR1, SIGTRAP, SIGSEGV,
				       SIGBUS,  SIGILL,  SIGFPE };
	stack_t stack = { .ss_sp = native_stack,
			  .ss_size = sizeof(native_stack) };
	struct sigaction action = { .sa_sigaction = native_signal,
				    .sa_flags = SA_SIGINFO | SA_ONSTACK };

	if (!native_pages(NATIVE_CODE, 1, PROT_READ | PROT_WRITE | PROT_EXEC) ||
	    !native_pages(NATIVE_DATA, NATIVE_DATA_LIVE,
			  PROT_READ | PROT_WRITE) ||
	    sigaltstack(&stack, NULL))
		return false;
	sigfillset(&action.sa_mask);
	for (u32 i = 0; i < ARRAY_SIZE(signals); i++)
		if (sigaction(signals[i], &action, NULL))
			return false;
	__asm__ volatile("mov %%ds, %0" : "=r"(native_flat_ds));
	native_avx = __builtin_cpu_supports("avx");
	*segments = native_ldt();
	return !*segments || native_ldt_works();
}

/* The third page is read only while the instruction runs */
static inline void native_protect(bool on)
{
	if (mprotect((void *)(NATIVE_DATA + 2 * PAGE_SIZE), PAGE_SIZE,
		     on ? PROT_READ : PROT_READ | PROT_WRITE))
		abort();
}

#endif
