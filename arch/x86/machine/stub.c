/* SPDX-License-Identifier: BSD-2-Clause */
/* See stub.h. Each core uses its own page alone; no lock. */
#include "arch/x86/machine/stub.h"

#include "arch/x86/cpu/asm.h"
#include "arch/x86/cpu/panic.h"
#include "arch/x86/cpu/percpu.h"
#include "include/hw/cpu.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/hostmap.h"
#include "mm/pmm.h"
#include "mm/pt.h"

#define OP_RET  0xc3u
#define OP_INT3 0xccu

/* No instruction of a stub raises these: they are the host's own */
#define NOT_OURS (BIT(EXC_DB) | BIT(EXC_NMI) | BIT(EXC_DF) | BIT(EXC_MC))

/* Where an indirect call may land (SDM 1 17.3 *Indirect Branch Tracking*) */
static const u8 endbr64[] = { 0xf3, 0x0f, 0x1e, 0xfa };

struct stub_code {
	u8 entry[sizeof(endbr64)];
	u8 insn[STUB_INSN_MAX + 1]; /* RET behind it, then INT3 */
};

static struct stub {
	struct stub_code *write;
	const struct stub_code *run; /* the same page */
	u32 len;
	u8 fault; /* vector, or STUB_DONE */
} stubs[MAX_CPUS];

extern const u8 stub_failed[]; /* idt.asm */

static struct stub *this_stub(void)
{
	return &stubs[this_cpu()->id];
}

int stub_init_cpu(void)
{
	struct stub *s = this_stub();

	s->write = pmm_alloc(&pmm_self, 0);
	if (!s->write)
		return -ENOMEM;
	memset(s->write, OP_INT3, PAGE_SIZE);
	memcpy(s->write->entry, endbr64, sizeof(endbr64));
	s->run = ioremap(virt_to_hpa(s->write), PAGE_SIZE, PT_R | PT_X);
	return s->run ? 0 : -ENOMEM;
}

/* The core may have fetched the bytes before, by their other address: what is
 * written is sure to be seen behind a serializing instruction (SDM 3A 8.1.3
 * *Handling Self- and Cross-Modifying Code*), as INVLPG is. */
static void stub_write(struct stub *s, const u8 *insn, u32 len)
{
	u8 *to = s->write->insn;

	if (s->len == len && !memcmp(to, insn, len))
		return;
	memset(to, OP_INT3, sizeof(s->write->insn));
	memcpy(to, insn, len);
	to[len] = OP_RET;
	s->len = len;
	invlpg(s->run);
}

/* After an exception, only the registers that C keeps over a call are as they
 * were (TRAP_FIXED): every other one is an output here or clobbered */
u8 stub_run(const u8 *insn, u32 len, void *memory, struct stub_regs *r)
{
	struct stub *s = this_stub();
	register const struct stub_code *code __asm__("r8");
	struct stub_regs now = *r;

	stub_write(s, insn, len);
	now.flags |= RFLAGS_FIXED;
	code = s->run;
	s->fault = STUB_DONE;
	__asm__ volatile("pushq %[flags]\n\tpopfq\n\t"
			 "call __x86_indirect_thunk_r8\n\t"
			 "pushfq\n\tpopq %[flags]"
			 : "+a"(now.rax), "+c"(now.rcx),
			   "+d"(now.rdx), [flags] "+r"(now.flags), "+r"(code),
			   "+D"(memory)
			 :
			 : "rsi", "r9", "r10", "r11", "memory", "cc");
	if (s->fault != STUB_DONE)
		return s->fault;
	now.flags &= ~RFLAGS_FIXED;
	*r = now;
	return STUB_DONE;
}

bool stub_fixup(struct trap_frame *frame)
{
	struct stub *s = this_stub();

	if (!s->run || frame->rip != (u64)s->run->insn ||
	    (frame->vector < EXC_COUNT && NOT_OURS >> frame->vector & 1))
		return false;
	frame->rip = (u64)stub_failed;
	s->fault = (u8)frame->vector;
	return true;
}

u64 stub_address(void)
{
	return (u64)this_stub()->run->insn;
}
