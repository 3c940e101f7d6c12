/* SPDX-License-Identifier: BSD-2-Clause */
/* See cet.h. Written by the boot CPU before others run; no lock. */
#include "arch/x86/cpu/cet.h"

#include "arch/x86/cpu/features.h"
#include "lib/log.h"

u64 cet_controls;

/*
 * On an Intel CPU without CET_SSS, an event whose delivery another one
 * interrupts leaves its shadow stack marked busy for good. Below a hypervisor
 * that happens at its exits (SDM 1 17.2.3 *Supervisor Shadow Stack Token*).
 */
static bool shadow_stacks_are_safe(void)
{
	const struct cpu_features *f = &cpu_features;

	return f->cet_sss || f->vendor != VENDOR_INTEL || !f->hypervisor;
}

void cet_init(void)
{
	if (cpu_features.cet_ibt)
		cet_controls |= S_CET_ENDBR_EN;
	if (cpu_features.cet_ss && shadow_stacks_are_safe())
		cet_controls |= S_CET_SH_STK_EN;
	if (cet_controls)
		log_info("cet", "the hypervisor runs with%s%s%s",
			 cet_has_shadow_stacks() ? " shadow stacks" : "",
			 cet_controls == (S_CET_SH_STK_EN | S_CET_ENDBR_EN)
				 ? " and"
				 : "",
			 cet_controls & S_CET_ENDBR_EN
				 ? " indirect branch tracking"
				 : "");
}
