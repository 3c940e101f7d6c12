/* SPDX-License-Identifier: BSD-2-Clause */
/* hv/core/last_exit.c where nobody looks at them */
#include "hv/core/last_exit.h"

void last_exit_note(struct vcpu *v)
{
}

void last_exit_raised(struct vcpu *v)
{
}

void last_exit_final(struct vcpu *v)
{
}

void last_exit_forget(struct vcpu *v)
{
}

u64 last_exit_when(const struct vcpu *v)
{
	return 0;
}

void last_exit_log(const struct vcpu *v, void (*rest)(void))
{
}
