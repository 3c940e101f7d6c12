/* SPDX-License-Identifier: BSD-2-Clause */
/* Exceptions for the guest, see exception.h */
#include "tests/unit/fakes/exception.h"

#include "include/hw/cpu.h"

int injected;
u32 injected_error;

void vcpu_raise_exception(struct vcpu *v, u8 vector, bool has_error, u32 error)
{
	injected = vector;
	injected_error = has_error ? error : 0;
}

void vcpu_raise_pf(struct vcpu *v, gva_t addr, u32 error)
{
	vcpu_regs(v)->cr2 = addr.v;
	vcpu_raise_exception(v, EXC_PF, true, error);
}

void vcpu_raise_gp(struct vcpu *v)
{
	vcpu_raise_exception(v, EXC_GP, true, 0);
}

void vcpu_raise_ud(struct vcpu *v)
{
	vcpu_raise_exception(v, EXC_UD, false, 0);
}
