/* SPDX-License-Identifier: BSD-2-Clause */
/* arch/x86/machine/trace.c where nothing is traced */
#include "arch/x86/machine/trace.h"

void trace_put(const struct bh_ctl_trace *record)
{
}

void trace_now(enum bh_ctl_trace_event event, u32 kind, u64 arg)
{
}
