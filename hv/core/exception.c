/* SPDX-License-Identifier: BSD-2-Clause */
/* Exceptions queued for a guest's next entry (vcpu.h). Home core. */
#include "hv/core/vcpu.h"
#include "include/hw/cpu.h"

enum fault_class { FAULT_BENIGN, FAULT_CONTRIBUTORY, FAULT_PAGE, FAULT_DOUBLE };

static enum fault_class fault_class(const struct vcpu_event *e)
{
	if (e->type != EVENT_EXCEPTION)
		return FAULT_BENIGN;
	if (e->vector == EXC_DF)
		return FAULT_DOUBLE;
	if (e->vector == EXC_PF)
		return FAULT_PAGE;
	if (e->vector == EXC_DE || (e->vector >= EXC_TS && e->vector <= EXC_GP))
		return FAULT_CONTRIBUTORY;
	return FAULT_BENIGN;
}

/* These are traps, aborts, or #DB, which is either: RF is as it was */
#define NO_RESUME_FLAG                                                         \
	(BIT(EXC_DB) | BIT(EXC_BP) | BIT(EXC_OF) | BIT(EXC_DF) | BIT(EXC_MC))

/* A fault saves RF set, so that its handler's return does not meet a breakpoint
 * of the instruction again (SDM 3A 17.3.1.1 *Instruction-Breakpoint Exception
 * Condition*) */
static void set_resume_flag(struct vcpu *v, u8 vector)
{
	if (NO_RESUME_FLAG & BIT(vector))
		return;
	vcpu_need(v, RG_RIP);
	vcpu_regs(v)->rflags |= RFLAGS_RF;
	vcpu_dirty(v, RG_RIP);
}

/* SDM 3A 6.15, table 6-5 *Conditions for Generating a Double Fault* */
void vcpu_raise_exception(struct vcpu *v, u8 vector, bool has_error, u32 error)
{
	struct vcpu_event second = { .type = EVENT_EXCEPTION,
				     .vector = vector,
				     .has_error = has_error,
				     .error = error };
	enum fault_class a = fault_class(&v->pending);
	enum fault_class b = fault_class(&second);

	if (v->pending.type == EVENT_SHUTDOWN)
		return;
	if (a == FAULT_DOUBLE && b != FAULT_BENIGN) {
		v->pending = (struct vcpu_event){ .type = EVENT_SHUTDOWN };
		return;
	}
	if ((a == FAULT_CONTRIBUTORY && b == FAULT_CONTRIBUTORY) ||
	    (a == FAULT_PAGE && (b == FAULT_PAGE || b == FAULT_CONTRIBUTORY)))
		second = (struct vcpu_event){ .type = EVENT_EXCEPTION,
					      .vector = EXC_DF,
					      .has_error = true };
	set_resume_flag(v, vector);
	v->pending = second;
}

void vcpu_raise_gp(struct vcpu *v)
{
	vcpu_raise_exception(v, EXC_GP, true, 0);
}

void vcpu_raise_ud(struct vcpu *v)
{
	vcpu_raise_exception(v, EXC_UD, false, 0);
}

void vcpu_raise_pf(struct vcpu *v, gva_t addr, u32 error)
{
	vcpu_regs(v)->cr2 = addr.v;
	vcpu_raise_exception(v, EXC_PF, true, error);
}
