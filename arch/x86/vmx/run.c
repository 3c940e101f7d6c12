/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What vmx_run (enter.asm) does in C before an entry and after an exit, and the
 * bound on guest time. On the hot path nothing or RG_IP is dirty, and the
 * exit's row has no decode function. RIP, RFLAGS (enter.asm) and the interrupt
 * shadow are read at every exit, because nearly every handler needs them.
 */
#include "arch/x86/cpu/asm.h"
#include "arch/x86/machine/irq.h"
#include "arch/x86/machine/tsc.h"
#include "arch/x86/vmx/internal.h"
#include "lib/log.h"

/*
 * The VMX-preemption timer (SDM 3C 26.5.1) bounds a guest's time: it exits, and
 * waiting interrupts are taken through the IDT. A CPU does not need it.
 * QUIRK(bochs-2.7): a guest entered with RFLAGS.IF clear gets no
 * external-interrupt exit until it changes IF itself.
 *
 * The timer counts guest time only, because its value is saved at exits: with a
 * full period a guest that exits all the time would stay for long. So the share
 * of guest time in the last period decides the length of the next. A guest
 * whose stays are shorter than a tick of the timer may never see it end: so
 * every 256th exit takes waiting interrupts too.
 */
#define PERIOD_MS    10
#define SHARE_MAX    1024 /* shortest period: this part of the full one */
#define PERIOD_TICKS (tsc_khz * PERIOD_MS)

static bool in_use(void)
{
	return vmx_caps.control[CTL_PIN] & PIN_PREEMPTION_TIMER;
}

static void restart(struct vcpu_arch *a)
{
	a->timer_start = rdtsc();
	vmwrite32(VMCS_PREEMPTION_TIMER, a->timer_ticks);
}

void vmx_timer_start(struct vcpu_arch *a)
{
	if (!in_use())
		return;
	if (!a->timer_ticks)
		a->timer_ticks = (u32)(PERIOD_TICKS >> vmx_caps.timer_shift);
	restart(a);
}

void vmx_timer_expired(struct vcpu_arch *a)
{
	u64 elapsed = MAX(rdtsc() - a->timer_start, 1ull);
	u64 guest = (u64)a->timer_ticks << vmx_caps.timer_shift;
	u64 next = PERIOD_TICKS * guest / elapsed;

	next = MIN(MAX(next, PERIOD_TICKS / SHARE_MAX), PERIOD_TICKS);
	a->timer_ticks = MAX((u32)(next >> vmx_caps.timer_shift), 1u);
	restart(a);
}

static void store_control(struct vcpu_hw *v)
{
	struct vcpu_arch *a = v->arch;

	if (a->xcr0 != v->regs.xcr0)
		xsetbv(0, v->regs.xcr0);
	a->xcr0 = v->regs.xcr0;
	if (a->tsc_offset != v->tsc_offset)
		vmwrite64(VMCS_TSC_OFFSET, v->tsc_offset);
	a->tsc_offset = v->tsc_offset;
}

bool vmx_prepare(struct vcpu_hw *v)
{
	struct vcpu_arch *a = v->arch;
	bool launch = a->attention & ATT_LAUNCH;

	if (v->regs.dirty & RG_CONTROL)
		store_control(v);
	vmx_store_groups(v, vcpu_hw_dirty(&v->regs));
	if (a->attention & ATT_TPR_THRESHOLD)
		vmx_tpr_threshold_update(v);
	a->attention &= ~(u32)ATT_LAUNCH;
	return launch;
}

/* What enter.asm knows of C's structures */
static_assert(offsetof(struct vcpu_hw, regs.gpr) == 0, "gpr[]");
static_assert(offsetof(struct vcpu_hw, regs.rip) == 0x80, "RIP_");
static_assert(offsetof(struct vcpu_hw, regs.rflags) == 0x88, "RFLAGS_");
static_assert(offsetof(struct vcpu_hw, regs.dirty) == 0x98, "DIRTY_");
static_assert(offsetof(struct vcpu_hw, arch) == 0x248, "ARCH_");
static_assert(offsetof(struct vcpu_arch, host_rsp) == 0, "HOST_RSP_");
static_assert(offsetof(struct vcpu_arch, attention) == 8, "ATTENTION_");
static_assert(RG_IP == 1 << 8, "RG_IP");

static void clear_exit(struct vcpu_exit *exit, enum exit_kind kind)
{
	exit->kind = kind;
	exit->insn_len = 0;
	exit->vectoring.type = EVENT_NONE;
	exit->raw_reason = vmread32(VMCS_EXIT_REASON);
	exit->info1 = vmreadnat(VMCS_EXIT_QUALIFICATION);
}

/* VMfail: the entry instruction failed; control or host state is wrong */
void vmx_refused(struct vcpu_hw *v, bool error_known)
{
	struct vcpu_exit *exit = &v->exit;

	clear_exit(exit, EXIT_ENTRY_FAILED);
	exit->info2 = error_known ? vmread32(VMCS_INSTRUCTION_ERROR) : 0;
	v->regs.valid = 0;
	v->arch->attention |= ATT_LAUNCH;
	log_error("vmx", "VM entry failed: VM-instruction error %llu",
		  exit->info2);
}

static enum exit_kind odd_kind(u32 reason)
{
	if (!(reason & REASON_ENTRY_FAILED))
		return EXIT_UNKNOWN;
	return (u16)reason == REASON_ENTRY_MC ? EXIT_MACHINE_CHECK
					      : EXIT_ENTRY_FAILED;
}

/*
 * The entry failed by guest state that the core let through and the CPU does
 * not. Or it failed by a machine check on the way in (SDM 3C 27.9
 * *Machine-Check Events During VM Entry*). Or the reason of the exit is one
 * that no control we set can cause.
 */
static __attribute__((noinline)) void odd_exit(struct vcpu_hw *v, u32 reason)
{
	struct vcpu_exit *exit = &v->exit;
	bool failed = reason & REASON_ENTRY_FAILED;

	clear_exit(exit, odd_kind(reason));
	v->regs.valid = 0;
	v->regs.dirty = 0;
	log_error("vmx", "%s: reason %#x, qualification %#llx",
		  failed ? "VM entry failed" : "unknown exit", reason,
		  exit->info1);
}

/* Out of line, so that the hot path keeps nothing over a call */
static __attribute__((noinline)) void
poll_and_decode(struct vcpu_hw *v, const struct vmx_exit_row *row)
{
	irq_poll(); /* see the timer above */
	if (row->decode)
		row->decode(v, &v->exit);
}

static inline void exit_collect(struct vcpu_hw *v, struct vcpu_arch *a,
				u64 reason)
{
	struct vcpu_exit *exit = &v->exit;
	const struct vmx_exit_row *row = &vmx_exit_rows[reason];

	v->regs.shadow = (u8)vmread32(VMCS_GUEST_INTERRUPTIBILITY);
	v->regs.valid = RG_RIP;
	v->regs.dirty = 0;
	exit->raw_reason = reason;
	exit->vectoring.type = EVENT_NONE;
	exit->kind = row->kind;
	exit->insn_len = (u8)vmread32(VMCS_EXIT_INSN_LENGTH) & row->len_mask;
	if (unlikely(!++a->exit_count))
		poll_and_decode(v, row);
	else if (row->decode)
		row->decode(v, exit);
}

/* The row of a reason that is none as it stands: one with a bus lock beside it.
 * The guest has paid for that by the exit. Another one is odd. */
static __attribute__((noinline)) void odd_reason(struct vcpu_hw *v, u32 reason)
{
	u32 row = reason & ~REASON_BUS_LOCKED;

	if (row < VMX_EXIT_ROWS)
		exit_collect(v, v->arch, row);
	else
		odd_exit(v, reason);
}

void vmx_exited(struct vcpu_hw *v, struct vcpu_arch *a, u64 reason)
{
	if (unlikely(reason >= VMX_EXIT_ROWS))
		odd_reason(v, (u32)reason);
	else
		exit_collect(v, a, reason);
}
