/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The exit table and its dispatcher. Called by vcpu_loop() with v->exit filled
 * in. A handler says what is to become of the instruction; only the dispatcher
 * moves RIP. Nothing on the way of a hot exit takes a lock.
 */
#include "hv/exit.h"

#include "arch/x86/cpu/asm.h"
#include "arch/x86/cpu/cpu_regs.h"
#include "arch/x86/cpu/idt.h"
#include "arch/x86/cpu/irq.h"
#include "arch/x86/cpu/mce.h"
#include "hv/cpuid.h"
#include "hv/emulate.h"
#include "hv/hypercall.h"
#include "hv/msr.h"
#include "lib/assert.h"
#include "lib/log.h"

static enum verdict exit_cpuid(struct vcpu *v, const struct vcpu_exit *e)
{
	(void)e;
	cpuid_exit(v);
	return VERDICT_ADVANCE;
}

static enum verdict exit_hlt(struct vcpu *v, const struct vcpu_exit *e)
{
	(void)v;
	(void)e;
	return VERDICT_BLOCK;
}

static enum verdict exit_rdmsr(struct vcpu *v, const struct vcpu_exit *e)
{
	u64 *gpr = vcpu_regs(v)->gpr;
	u64 value;

	(void)e;
	if (msr_read(v, (u32)gpr[GPR_RCX], &value))
		return exit_gp(v);
	gpr[GPR_RAX] = (u32)value;
	gpr[GPR_RDX] = value >> 32;
	return VERDICT_ADVANCE;
}

static enum verdict exit_wrmsr(struct vcpu *v, const struct vcpu_exit *e)
{
	const u64 *gpr = vcpu_regs(v)->gpr;
	u64 value = (u32)gpr[GPR_RAX] | gpr[GPR_RDX] << 32;

	(void)e;
	if (msr_write(v, (u32)gpr[GPR_RCX], value))
		return exit_gp(v);
	return VERDICT_ADVANCE;
}

/* Some device has it */
static enum verdict port_claimed(struct vcpu *v, const struct vcpu_exit *e)
{
	const struct bus *bus = &v->vm->ports;
	u64 *rax = &vcpu_regs(v)->gpr[GPR_RAX];
	u64 mask = bus_ones(e->port.size);

	if (!e->port.in) {
		bus_write(bus, v, e->port.port, e->port.size, *rax);
		return VERDICT_ADVANCE;
	}
	/* IN writes AL or AX and leaves the rest, or EAX and clears it */
	if (e->port.size == 4)
		*rax = 0;
	*rax = (*rax & ~mask) | bus_read(bus, v, e->port.port, e->port.size);
	return VERDICT_ADVANCE;
}

static enum verdict exit_port(struct vcpu *v, const struct vcpu_exit *e)
{
	u64 *rax = &vcpu_regs(v)->gpr[GPR_RAX];

	if (unlikely(e->port.string))
		return emulate_string_io(v, e);
	if (bus_may_claim(&v->vm->ports, e->port.port))
		return port_claimed(v, e);
	if (e->port.in)
		*rax = (e->port.size == 4 ? 0 : *rax) | bus_ones(e->port.size);
	return VERDICT_ADVANCE;
}

static enum verdict exit_irq(struct vcpu *v, const struct vcpu_exit *e)
{
	(void)v;
	if (e->irq.acked)
		irq_dispatch(e->irq.vector);
	else
		irq_poll();
	return VERDICT_RESUME;
}

static enum verdict exit_nmi(struct vcpu *v, const struct vcpu_exit *e)
{
	(void)v;
	(void)e;
	nmi_handle();
	return VERDICT_RESUME;
}

/* The exit took the #MC: the host's handler never sees it */
static enum verdict exit_machine_check(struct vcpu *v,
				       const struct vcpu_exit *e)
{
	enum mce_verdict what = mce_handle();

	(void)e;
	if (what == MCE_NONE)
		return VERDICT_RESUME;
	if (what == MCE_FATAL)
		panic("machine check while guest %s ran", v->vm->name);
	return exit_kill(v, "machine check while it ran");
}

/* An exception the back-end intercepts for its own reasons: the guest's */
static enum verdict exit_exception(struct vcpu *v, const struct vcpu_exit *e)
{
	vcpu_inject_exception(v, e->exception.vector, e->exception.has_error,
			      e->exception.error);
	return VERDICT_INJECT;
}

static enum verdict exit_irq_window(struct vcpu *v, const struct vcpu_exit *e)
{
	(void)e;
	vcpu_irq_window_open(v);
	return VERDICT_RESUME;
}

static enum verdict exit_nmi_window(struct vcpu *v, const struct vcpu_exit *e)
{
	(void)e;
	vcpu_nmi_window_open(v);
	return VERDICT_RESUME;
}

/* The privileged guest's devices need none: its DMA is cache coherent, and the
 * caches hold other guests' data too */
static enum verdict exit_wbinvd(struct vcpu *v, const struct vcpu_exit *e)
{
	(void)e;
	if (v->vm->privileged)
		wbinvd();
	return VERDICT_ADVANCE;
}

/* INVD loses other guests' writes: the guest gets WBINVD's effect */
static enum verdict exit_invd(struct vcpu *v, const struct vcpu_exit *e)
{
	return exit_wbinvd(v, e);
}

static enum verdict exit_pause(struct vcpu *v, const struct vcpu_exit *e)
{
	(void)v;
	(void)e;
	return VERDICT_YIELD;
}

/* Also MONITOR and MWAIT, which its CPUID does not offer */
static enum verdict exit_undefined(struct vcpu *v, const struct vcpu_exit *e)
{
	(void)e;
	return exit_ud(v);
}

static enum verdict exit_rdpmc(struct vcpu *v, const struct vcpu_exit *e)
{
	(void)e;
	return exit_gp(v); /* no counters in its CPUID */
}

static enum verdict exit_task_switch(struct vcpu *v, const struct vcpu_exit *e)
{
	(void)e;
	return exit_kill(v, "hardware task switch, which is not supported");
}

/* A physical INIT or SIPI that reached a core in guest mode is nobody's */
static enum verdict exit_ignore(struct vcpu *v, const struct vcpu_exit *e)
{
	(void)v;
	(void)e;
	return VERDICT_RESUME;
}

static enum verdict exit_triple_fault(struct vcpu *v, const struct vcpu_exit *e)
{
	(void)e;
	return exit_kill(v, "triple fault");
}

static enum verdict exit_entry_failed(struct vcpu *v, const struct vcpu_exit *e)
{
	(void)e;
	return exit_kill(v, "the CPU refuses its state");
}

/* clang-format off */
const struct exit_row exit_table[EXIT_KINDS] = {
	[EXIT_CPUID]	      = { "CPUID", exit_cpuid, true },
	[EXIT_HLT]	      = { "HLT", exit_hlt, true },
	[EXIT_RDMSR]	      = { "RDMSR", exit_rdmsr, true },
	[EXIT_WRMSR]	      = { "WRMSR", exit_wrmsr, true },
	[EXIT_PORT]	      = { "port", exit_port, true },
	[EXIT_MMIO]	      = { "MMIO", exit_mmio, false },
	[EXIT_HYPERCALL]      = { "hypercall", hypercall_exit, true },
	[EXIT_IRQ]	      = { "interrupt", exit_irq, false },
	[EXIT_NMI]	      = { "NMI", exit_nmi, false },
	[EXIT_MACHINE_CHECK]  = { "machine check", exit_machine_check, false },
	[EXIT_EXCEPTION]      = { "exception", exit_exception, false },
	[EXIT_IRQ_WINDOW]     = { "IRQ window", exit_irq_window, false },
	[EXIT_NMI_WINDOW]     = { "NMI window", exit_nmi_window, false },
	[EXIT_TPR]	      = { "TPR", exit_irq_window, false },
	[EXIT_CR]	      = { "CR access", exit_cr, true },
	[EXIT_DR]	      = { "DR access", exit_dr, true },
	[EXIT_XSETBV]	      = { "XSETBV", exit_xsetbv, true },
	[EXIT_WBINVD]	      = { "WBINVD", exit_wbinvd, true },
	[EXIT_INVD]	      = { "INVD", exit_invd, true },
	[EXIT_PAUSE]	      = { "PAUSE", exit_pause, true },
	[EXIT_MWAIT]	      = { "MWAIT", exit_undefined, false },
	[EXIT_MONITOR]	      = { "MONITOR", exit_undefined, false },
	[EXIT_RDPMC]	      = { "RDPMC", exit_rdpmc, false },
	[EXIT_TASK_SWITCH]    = { "task switch", exit_task_switch, false },
	[EXIT_UNDEFINED]      = { "undefined", exit_undefined, false },
	[EXIT_INIT]	      = { "INIT", exit_ignore, false },
	[EXIT_SIPI]	      = { "SIPI", exit_ignore, false },
	[EXIT_TRIPLE_FAULT]   = { "triple fault", exit_triple_fault, false },
	[EXIT_ENTRY_FAILED]   = { "entry failed", exit_entry_failed, false },
	[EXIT_SMI]	      = { "SMI", exit_ignore, false },
};
/* clang-format on */

enum verdict exit_gp(struct vcpu *v)
{
	vcpu_inject_gp(v);
	return VERDICT_INJECT;
}

enum verdict exit_ud(struct vcpu *v)
{
	vcpu_inject_ud(v);
	return VERDICT_INJECT;
}

enum verdict exit_kill(struct vcpu *v, const char *reason)
{
	vcpu_dump(v);
	vm_end(v->vm, VM_END_CRASH, reason);
	return VERDICT_KILL;
}

/* What the CPU does between two instructions: single-step trap, and the end of
 * the interrupt shadow (SDM 3A 6.8.3, 17.3.1.4) */
static void finish_insn(struct vcpu *v, struct vcpu_regs *r)
{
	r->shadow &= ~(u32)(SHADOW_STI | SHADOW_MOV_SS);
	if (r->rflags & RFLAGS_TF) {
		write_dr6(read_dr6() | DR6_BS);
		vcpu_inject_exception(v, EXC_DB, false, 0);
	}
	r->rflags &= ~RFLAGS_RF;
}

/* RIP ran past 16 or 32 bits: it wraps unless the code is of a larger size */
static void wrap_rip(struct vcpu *v, struct vcpu_regs *r)
{
	u32 attr;

	vcpu_need(v, RG_SEG | RG_CR);
	attr = r->seg[SEG_CS].attr;
	if (!vcpu_hw_long_mode(r))
		r->rip &= attr & SEG_ATTR_DB ? 0xffffffffull : 0xffffull;
}

/* On the way of nearly every exit */
static inline void advance(struct vcpu *v, u8 len)
{
	struct vcpu_regs *r = vcpu_regs(v);
	u64 from;

	vcpu_need(v, RG_RIP);
	from = r->rip;
	r->rip = from + len;
	if (unlikely((from ^ r->rip) & ~0xffffull))
		wrap_rip(v, r);
	if (unlikely(r->shadow | (r->rflags & (RFLAGS_TF | RFLAGS_RF))))
		finish_insn(v, r);
	vcpu_dirty(v, RG_RIP);
}

static enum verdict exit_unknown(struct vcpu *v, const struct vcpu_exit *e)
{
	log_error("exit", "%s: no handler for exit kind %u, reason %llx",
		  v->vm->name, (u32)e->kind, (unsigned long long)e->raw_reason);
	return exit_kill(v, "unknown exit");
}

static inline enum verdict handle(struct vcpu *v, struct vcpu_exit *e)
{
	const struct exit_row *row = &exit_table[e->kind];

	if (unlikely(!row->handler))
		return exit_unknown(v, e);
	if (row->insn && !e->insn_len) {
		e->insn_len = insn_exit_length(v, e->kind);
		if (unlikely(!e->insn_len))
			return VERDICT_RESUME; /* the bytes changed under us */
	}
	return row->handler(v, e);
}

static void give_way(struct vcpu *v, enum verdict verdict)
{
	advance(v, v->exit.insn_len);
	if (verdict == VERDICT_BLOCK)
		v->activity = VCPU_HALTED;
	else
		sched_yield();
}

void exit_dispatch(struct vcpu *v)
{
	struct vcpu_exit *e = &v->exit;
	enum verdict verdict;

	if (unlikely((u32)e->kind >= EXIT_KINDS))
		e->kind = EXIT_UNKNOWN;
	v->exits[e->kind]++;
	if (unlikely(e->vectoring.type != EVENT_NONE))
		v->pending = e->vectoring;
	verdict = handle(v, e);
	if (likely(verdict == VERDICT_ADVANCE))
		advance(v, e->insn_len);
	else if (verdict == VERDICT_BLOCK || verdict == VERDICT_YIELD)
		give_way(v, verdict);
}
