/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * arch/x86/machine/stub.h in a program: the instruction runs on the CPU that
 * the test runs on, with the registers of fakes/fpu.c. A signal says which
 * exception it raised. One that touches another register aborts the test.
 */
#include "arch/x86/machine/stub.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

#include "include/hw/cpu.h"
#include "lib/bytes.h"
#include "tests/unit/fakes/fpu.h"

#define OP_RET    0xc3
#define YMM_HIGH  576 /* SDM 1 13.4.3: CPUID D.2 says so on every CPU */
#define XMM       160
#define XSTATE_BV 512

static const int signals[] = { SIGILL, SIGFPE, SIGSEGV, SIGBUS };

static u8 *code;
static u32 code_len;
static volatile u8 fault;
static u8 area[PAGE_SIZE] __aligned(64);
static u64 components, flags;
static void *operand;
static bool touched;
static const u32 usual_mxcsr = 0x1f80;

static void raised(int signal, siginfo_t *info, void *context)
{
	greg_t *g = ((ucontext_t *)context)->uc_mcontext.gregs;

	if ((u64)g[REG_RIP] != (u64)code)
		abort();
	fault = (u8)g[REG_TRAPNO];
	g[REG_RIP] += code_len;
}

static void registers_in(void)
{
	memset(area, 0, sizeof(area));
	memcpy(area, &fx, sizeof(fx));
	memcpy(area + XSTATE_BV, &components, sizeof(components));
	for (u32 i = 0; i < ARRAY_SIZE(ymm); i++) {
		memcpy(area + XMM + 16 * i, ymm[i], 16);
		memcpy(area + YMM_HIGH + 16 * i, &ymm[i][2], 16);
	}
}

static void registers_out(void)
{
	memcpy(&fx, area, sizeof(fx));
	for (u32 i = 0; i < ARRAY_SIZE(ymm); i++) {
		memcpy(ymm[i], area + XMM + 16 * i, 16);
		if (components & XCR0_AVX)
			memcpy(&ymm[i][2], area + YMM_HIGH + 16 * i, 16);
	}
}

static void prepare(void)
{
	if (code)
		return;
	code = mmap(NULL, PAGE_SIZE, PROT_READ | PROT_WRITE | PROT_EXEC,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (code == MAP_FAILED)
		abort();
	components = XCR0_X87 | XCR0_SSE;
	if (__builtin_cpu_supports("avx"))
		components |= XCR0_AVX;
}

/* Registers that no instruction of a stub may touch: @what of each */
#define REST(what)                                                             \
	what(rbx) what(rsi) what(r8) what(r9) what(r10) what(r11) what(r12)    \
		what(r13) what(r14) what(r15)
#define MARK(reg)  "mov $0x5a5a5a5a, %%" #reg "\n\t"
#define TOUCH(reg) "cmp $0x5a5a5a5a, %%" #reg "\n\tjne 1f\n\t"

static void run(void *memory, struct stub_regs *r)
{
	operand = memory;
	flags = r->flags | RFLAGS_FIXED;
	__asm__ volatile(
		"lea -128(%%rsp), %%rsp\n\t" /* the red zone */
		"fninit\n\t"
		"push %%rax\n\tpush %%rdx\n\t"
		"mov %[components], %%eax\n\txor %%edx, %%edx\n\t"
		"xrstor64 %[area]\n\t"
		"pop %%rdx\n\tpop %%rax\n\t" REST(
			MARK) "mov %[operand], %%rdi\n\t"
			      "push %[flags]\n\tpopfq\n\t"
			      "call *%[code]\n\t"
			      "pushfq\n\tpop %[flags]\n\t"
			      "movb $1, %[touched]\n\t" REST(
				      TOUCH) "cmp %[operand], %%rdi\n\tjne "
					     "1f\n\t"
					     "movb $0, %[touched]\n"
					     "1:\tpush %%rax\n\tpush %%rdx\n\t"
					     "mov %[components], %%eax\n\txor "
					     "%%edx, %%edx\n\t"
					     "xsave64 %[area]\n\t"
					     "fninit\n\t"
					     "ldmxcsr %[mxcsr]\n\t"
					     "pop %%rdx\n\tpop %%rax\n\t"
					     "lea 128(%%rsp), %%rsp"
		: "+a"(r->rax), "+c"(r->rcx), "+d"(r->rdx), [flags] "+m"(flags),
		  [area] "+m"(area), [touched] "=m"(touched)
		: [code] "m"(code), [operand] "m"(operand),
		  [mxcsr] "m"(usual_mxcsr), [components] "m"(components)
		: "memory", "cc", "rbx", "rsi", "rdi", "r8", "r9", "r10", "r11",
		  "r12", "r13", "r14", "r15", "xmm0", "xmm1", "xmm2", "xmm3",
		  "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10",
		  "xmm11", "xmm12", "xmm13", "xmm14", "xmm15");
	r->flags = flags & ~RFLAGS_FIXED;
}

u8 stub_run(const u8 *insn, u32 len, void *memory, struct stub_regs *r)
{
	struct sigaction action = { .sa_sigaction = raised,
				    .sa_flags = SA_SIGINFO };
	struct sigaction before[ARRAY_SIZE(signals)];
	const u64 carried = RFLAGS_CF | RFLAGS_PF | RFLAGS_AF | RFLAGS_ZF |
			    RFLAGS_SF | RFLAGS_OF;

	prepare();
	if (!len || len > STUB_INSN_MAX || (r->flags & ~carried))
		abort();
	memcpy(code, insn, len);
	code[len] = OP_RET;
	code_len = len;
	fault = STUB_DONE;
	for (u32 i = 0; i < ARRAY_SIZE(signals); i++)
		if (sigaction(signals[i], &action, &before[i]))
			abort();
	registers_in();
	run(memory, r);
	r->flags &= carried;
	if (touched)
		abort();
	registers_out(); /* #XM changes MXCSR */
	for (u32 i = 0; i < ARRAY_SIZE(signals); i++)
		if (sigaction(signals[i], &before[i], NULL))
			abort();
	return fault;
}

u64 stub_address(void)
{
	return (u64)code;
}
