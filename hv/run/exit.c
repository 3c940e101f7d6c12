/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The exit table (exit.h) and what the dispatcher (dispatch.h) leaves out of
 * line. Called with v->hw.exit filled in. A handler says what is to become of
 * the instruction; only the dispatcher moves RIP. Nothing on the way of a hot
 * exit takes a lock.
 */
#include "hv/run/exit.h"

#include "arch/x86/cpu/asm.h"
#include "arch/x86/machine/irq.h"
#include "arch/x86/machine/mce.h"
#include "hv/core/breakpoint.h"
#include "hv/core/crowd.h"
#include "hv/core/gmem.h"
#include "hv/core/last_exit.h"
#include "hv/core/regs.h"
#include "hv/core/stretch.h"
#include "hv/emulate/emulate.h"
#include "hv/emulate/insn.h"
#include "hv/policy/cpuid.h"
#include "hv/policy/cr.h"
#include "hv/policy/msr.h"
#include "hv/run/dispatch.h"
#include "hv/run/event.h"
#include "hv/run/hypercall.h"
#include "hv/run/mmio.h"
#include "hv/vm/debug.h"
#include "hv/vm/vcpu.h"
#include "include/hw/cpu.h"
#include "lib/assert.h"
#include "lib/log.h"
#include "mm/owner.h"

static enum verdict exit_hlt(struct vcpu *v, const struct vcpu_exit *e)
{
	return VERDICT_BLOCK;
}

static enum verdict port_access(struct vcpu *v, const struct vcpu_exit *e)
{
	const struct bus *bus = &v->vm->ports;
	u64 *rax = &vcpu_regs(v)->gpr[GPR_RAX];

	if (unlikely(guest_polls_hook))
		guest_polls_hook(&v->hw);
	if (!e->port.in) {
		bus_write(bus, v, e->port.port, e->port.size, *rax);
		return VERDICT_ADVANCE;
	}
	*rax = gpr_merge(*rax, bus_read(bus, v, e->port.port, e->port.size),
			 e->port.size);
	return VERDICT_ADVANCE;
}

/* Without a region there is nothing to enter, and so without a lock */
static bool port_has_lock(const struct vcpu *v, const struct vcpu_exit *e)
{
	const struct bus_region *r = bus_find(&v->vm->ports, e->port.port);

	return r && !r->lockless;
}

/* Of a guest of many vCPUs */
static __attribute__((noinline)) enum verdict
port_in_crowd(struct vcpu *v, const struct vcpu_exit *e)
{
	enum verdict verdict;

	if (!port_has_lock(v, e))
		return port_access(v, e);
	if (!crowd_enter(v->vm))
		return VERDICT_RESUME;
	verdict = port_access(v, e);
	crowd_leave(v->vm);
	return verdict;
}

enum verdict exit_port_claimed(struct vcpu *v, const struct vcpu_exit *e)
{
	if (unlikely(crowd_possible(v->vm)))
		return port_in_crowd(v, e);
	return port_access(v, e);
}

/* Its other operand may be a device's, too */
static enum verdict exit_string_io(struct vcpu *v, const struct vcpu_exit *e)
{
	enum verdict verdict;

	if (!crowd_enter(v->vm))
		return VERDICT_RESUME;
	verdict = emulate_string_io(v, e);
	crowd_leave(v->vm);
	return verdict;
}

/* A port that nobody has */
static inline enum verdict port_unclaimed(struct vcpu *v,
					  const struct vcpu_exit *e)
{
	u64 *rax = &vcpu_regs(v)->gpr[GPR_RAX];

	if (e->port.in)
		*rax = gpr_ones(*rax, e->port.size);
	return VERDICT_ADVANCE;
}

static enum verdict exit_port(struct vcpu *v, const struct vcpu_exit *e)
{
	if (unlikely(e->port.string))
		return exit_string_io(v, e);
	if (bus_may_claim(&v->vm->ports, e->port.port))
		return exit_port_claimed(v, e);
	return port_unclaimed(v, e);
}

static enum verdict exit_irq(struct vcpu *v, const struct vcpu_exit *e)
{
	if (e->irq.acked)
		irq_dispatch(e->irq.vector);
	return VERDICT_RESUME;
}

/* The back-end has let it through the IDT */
static enum verdict exit_nmi(struct vcpu *v, const struct vcpu_exit *e)
{
	return VERDICT_RESUME;
}

/* Is it memory of this guest's, or none that is known? */
static bool is_own_memory(const struct vcpu *v, u64 address)
{
	struct extent e;

	if (address == MCE_NO_ADDRESS)
		return true;
	e = owner_find(HPA(address));
	return e.kind == OWNER_GUEST && e.vm == v->vm->id;
}

/* The exit took the #MC: the host's handler never sees it. Memory that is bad
 * stays with the guest, which does not run again by itself: the privileged one,
 * too, would start on it. */
static enum verdict exit_machine_check(struct vcpu *v,
				       const struct vcpu_exit *e)
{
	u64 address;
	enum mce_verdict what = mce_handle(&address);

	if (what == MCE_NONE)
		return VERDICT_RESUME;
	if (what == MCE_CONTAINED && !is_own_memory(v, address))
		what = MCE_FATAL;
	if (what == MCE_FATAL)
		panic("machine check while guest %s ran", v->vm->name);
	WRITE_ONCE(v->vm->restarts, false);
	return exit_kill(v, "machine check while it ran");
}

/* Length of the INT1, INT3 or INTO at RIP that made a software exception */
static u8 software_length(struct vcpu *v)
{
	u8 bytes[INSN_MAX];
	size_t have = gmem_fetch(v, bytes, sizeof(bytes));

	return insn_length(bytes, have, insn_mode(vcpu_regs(v)));
}

/* An exception the back-end intercepts for its own reasons: the guest's. One
 * made by an instruction returns behind it. */
static enum verdict exit_exception(struct vcpu *v, const struct vcpu_exit *e)
{
	if ((unlikely(v->debug.on) || unlikely(v->vm->debug.strays)) &&
	    debug_exception(v, e))
		return VERDICT_RESUME;
	if (e->exception.vector == EXC_UD && hypercall_is_foreign(v)) {
		v->hw.exit.insn_len = HYPERCALL_BYTES;
		return hypercall_exit(v, e);
	}
	if (e->exception.type >= EVENT_SOFT_INT) {
		v->pending = e->exception;
		if (!v->pending.insn_len)
			v->pending.insn_len = software_length(v);
		return VERDICT_INJECT;
	}
	vcpu_raise_exception(v, e->exception.vector, e->exception.has_error,
			     e->exception.error);
	return VERDICT_INJECT;
}

static enum verdict exit_dr(struct vcpu *v, const struct vcpu_exit *e)
{
	return v->debug.swapped ? debug_dr_exit(v) : breakpoint_exit(v, e);
}

static enum verdict exit_irq_window(struct vcpu *v, const struct vcpu_exit *e)
{
	vcpu_irq_window_open(v);
	return VERDICT_RESUME;
}

static enum verdict exit_nmi_window(struct vcpu *v, const struct vcpu_exit *e)
{
	vcpu_nmi_window_open(v);
	return VERDICT_RESUME;
}

/*
 * WBINVD, and INVD, which would lose other guests' writes. Neither is done,
 * because the caches are everybody's, and a core writes them back for
 * milliseconds. The privileged guest's devices need none: its DMA is cache
 * coherent, and CLFLUSH works.
 */
static enum verdict exit_wbinvd(struct vcpu *v, const struct vcpu_exit *e)
{
	return VERDICT_ADVANCE;
}

static enum verdict exit_pause(struct vcpu *v, const struct vcpu_exit *e)
{
	return VERDICT_YIELD;
}

/* Also MONITOR and MWAIT, which its CPUID does not offer */
static enum verdict exit_undefined(struct vcpu *v, const struct vcpu_exit *e)
{
	return exit_ud(v);
}

static enum verdict exit_rdpmc(struct vcpu *v, const struct vcpu_exit *e)
{
	return exit_gp(v); /* no counters in its CPUID */
}

/* A physical INIT or SIPI that reached a core in guest mode is nobody's; or
 * there is nothing left to do */
static enum verdict exit_ignore(struct vcpu *v, const struct vcpu_exit *e)
{
	return VERDICT_RESUME;
}

/* A bus lock holds up every core of the machine. The exit is what it costs the
 * guest, and others of the core have their turn. */
static enum verdict exit_bus_lock(struct vcpu *v, const struct vcpu_exit *e)
{
	sched_yield();
	return VERDICT_RESUME;
}

static enum verdict exit_stuck(struct vcpu *v, const struct vcpu_exit *e)
{
	if (e->stuck.lost)
		return exit_kill(v, "the CPU made no progress and its state "
				    "is lost");
	sched_yield();
	return VERDICT_RESUME;
}

static enum verdict exit_triple_fault(struct vcpu *v, const struct vcpu_exit *e)
{
	exit_shutdown(v);
	return VERDICT_RESUME; /* it parks before that */
}

static enum verdict exit_entry_failed(struct vcpu *v, const struct vcpu_exit *e)
{
	return exit_kill(v, "the CPU refuses its state");
}

enum verdict exit_unknown(struct vcpu *v, const struct vcpu_exit *e)
{
	enum verdict verdict = exit_cannot(v, EXC_UD, "unknown exit");

	if (verdict == VERDICT_KILL)
		log_error("exit",
			  "%s: no handler for exit kind %u, reason %llx",
			  v->vm->name, (u32)e->kind, e->raw_reason);
	return verdict;
}

/* Those of the rarer sorts, where exits are counted */
static enum verdict rare_noting(struct vcpu *v, const struct vcpu_exit *e)
{
	last_exit_note(v);
	return exit_table[e->kind].handler(v, e);
}

#define HOT(handler, insn)                                                     \
	{                                                                      \
		handler, handler, insn                                         \
	}
#define RARE(handler, insn)                                                    \
	{                                                                      \
		handler, rare_noting, insn                                     \
	}

/* clang-format off */
const struct exit_row exit_table[EXIT_KINDS] = {
	[EXIT_UNKNOWN]          = RARE(exit_unknown, false),
	[EXIT_CPUID]            = HOT(cpuid_exit, true),
	[EXIT_HLT]              = HOT(exit_hlt, true),
	[EXIT_RDMSR]            = HOT(msr_exit_read, true),
	[EXIT_WRMSR]            = HOT(msr_exit_write, true),
	[EXIT_PORT]             = HOT(exit_port, true),
	[EXIT_MMIO]             = { exit_mmio, exit_mmio_noting, false },
	[EXIT_HYPERCALL]        = HOT(hypercall_exit, true),
	[EXIT_IRQ]              = HOT(exit_irq, false),
	[EXIT_NMI]              = HOT(exit_nmi, false),
	[EXIT_MACHINE_CHECK]    = RARE(exit_machine_check, false),
	[EXIT_EXCEPTION]        = RARE(exit_exception, false),
	[EXIT_IRQ_WINDOW]       = HOT(exit_irq_window, false),
	[EXIT_NMI_WINDOW]       = HOT(exit_nmi_window, false),
	[EXIT_TPR]              = HOT(exit_irq_window, false),
	[EXIT_CR]               = RARE(exit_cr, true),
	[EXIT_CR0]              = RARE(emulate_cr0, false),
	[EXIT_DR]               = RARE(exit_dr, false),
	[EXIT_XSETBV]           = RARE(exit_xsetbv, true),
	[EXIT_WBINVD]           = RARE(exit_wbinvd, true),
	[EXIT_INVD]             = RARE(exit_wbinvd, true),
	[EXIT_PAUSE]            = HOT(exit_pause, true),
	[EXIT_MWAIT]            = RARE(exit_undefined, false),
	[EXIT_MONITOR]          = RARE(exit_undefined, false),
	[EXIT_RDPMC]            = RARE(exit_rdpmc, false),
	[EXIT_TASK_SWITCH]      = RARE(exit_task_switch, false),
	[EXIT_UNDEFINED]        = RARE(exit_undefined, false),
	[EXIT_INIT]             = HOT(exit_ignore, false),
	[EXIT_SIPI]             = HOT(exit_ignore, false),
	[EXIT_TRIPLE_FAULT]     = RARE(exit_triple_fault, false),
	[EXIT_ENTRY_FAILED]     = RARE(exit_entry_failed, false),
	[EXIT_SMI]              = HOT(exit_ignore, false),
	[EXIT_IO_FAULT]         = RARE(exit_unknown, false),
	[EXIT_BUS_LOCK]         = RARE(exit_bus_lock, false),
	[EXIT_STUCK]            = RARE(exit_stuck, false),
	[EXIT_BACKEND]          = HOT(exit_ignore, false),
};
/* clang-format on */

void exit_end_guest(struct vcpu *v, const char *reason)
{
	/* The reason first: it is worth most where output is cut. Then the core
	 * looks at its interrupts each ten lines. */
	vm_end(v->vm, VM_END_CRASH, reason);
	last_exit_final(v);
	vcpu_dump(v, stretch_look);
}

void exit_shutdown(struct vcpu *v)
{
	if (!v->vm->privileged) {
		exit_end_guest(v, "triple fault");
		return;
	}
	last_exit_final(v);
	vm_end(v->vm, VM_END_FAILURE, "triple fault");
}

void exit_vectoring(struct vcpu *v)
{
	v->pending = v->hw.exit.vectoring;
}

void exit_injects(struct vcpu *v, bool noted)
{
	const struct exit_row *row = &exit_table[v->hw.exit.kind];

	if (!noted && row->noting == row->handler)
		last_exit_note(v);
	last_exit_raised(v);
}

void exit_give_way(struct vcpu *v, enum verdict verdict)
{
	if (verdict == VERDICT_KILL) {
		exit_end_guest(v, v->kill_reason);
		return;
	}
	exit_advance(v);
	if (verdict == VERDICT_BLOCK)
		v->activity = VCPU_HALTED;
	else
		sched_yield();
}
