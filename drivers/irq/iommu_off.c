/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An IOMMU that firmware left on is turned off, see iommu.h. Its tables lie in
 * memory that is somebody else's by now, and with remapping on no message that
 * the hypervisor writes would arrive. Called by iommu.c; boot CPU, no lock. No
 * wait is without an end, and what does not turn off is found by a last look.
 */
#include "arch/x86/cpu/asm.h"
#include "arch/x86/cpu/portio.h"
#include "arch/x86/machine/tsc.h"
#include "drivers/irq/iommu_priv.h"
#include "include/hw/amdvi.h"
#include "include/hw/vtd.h"
#include "lib/log.h"
#include "lib/printf.h"

#define STEP_MS 200u

struct named_bit {
	u64 bit;
	const char *name;
};

/* What of @on it is, "a, b" */
static void name_bits(const struct named_bit *bits, u32 count, u64 on,
		      char *buf, size_t size)
{
	size_t len = 0;

	buf[0] = 0;
	for (u32 i = 0; i < count && len < size; i++)
		if (on & bits[i].bit)
			len += (size_t)bh_snprintf(buf + len, size - len,
						   "%s%s", len ? ", " : "",
						   bits[i].name);
}

/* Until no bit of @mask is set in the register of @bytes at @reg; false: they
 * stay */
static bool wait_clear(const u8 *reg, u8 bytes, u64 mask)
{
	u64 end = rdtsc() + ns_to_tsc(STEP_MS * NS_PER_MS);

	while (mmio_read(reg, bytes) & mask) {
		if ((s64)(rdtsc() - end) >= 0)
			return false;
		cpu_pause();
	}
	return true;
}

/* --- Intel --- */

static const struct named_bit vtd_names[] = {
	{ VTD_G_TE, "DMA remapping" },
	{ VTD_G_IRE, "interrupt remapping" },
	{ VTD_G_QIE, "its command queue" },
	{ VTD_G_CFI, "compatibility interrupts" },
};

/* One bit at a time (VT-d 4.1, 11.4.4.1) */
static bool vtd_clear(u8 *regs, u32 bit)
{
	u32 status = (u32)mmio_read(regs + VTD_GSTS, 4);

	if (!(status & bit))
		return true;
	mmio_write(regs + VTD_GCMD, 4, status & VTD_G_LASTING & ~bit);
	return wait_clear(regs + VTD_GSTS, 4, bit);
}

/* The queue is turned off only when nothing waits in it (6.5.2) */
static void vtd_drain(u8 *regs)
{
	u64 end = rdtsc() + ns_to_tsc(STEP_MS * NS_PER_MS);

	while (((mmio_read(regs + VTD_IQH, 8) ^ mmio_read(regs + VTD_IQT, 8)) &
		VTD_IQ_OFFSET) &&
	       (s64)(rdtsc() - end) < 0)
		cpu_pause();
}

/* DMA to some memory is blocked, apart from all tables (11.4.8.1) */
static bool vtd_open_memory(u8 *regs)
{
	u64 cap = mmio_read(regs + VTD_CAP, 8);

	if (!(cap & (VTD_CAP_PLMR | VTD_CAP_PHMR)) ||
	    !(mmio_read(regs + VTD_PMEN, 4) & (VTD_PMEN_EPM | VTD_PMEN_PRS)))
		return true;
	mmio_write(regs + VTD_PMEN, 4, 0);
	log_info("iommu", "firmware left memory protected from DMA: no longer");
	return wait_clear(regs + VTD_PMEN, 4, VTD_PMEN_PRS);
}

bool vtd_off(u8 *regs, u64 base)
{
	static const u32 order[] = { VTD_G_TE, VTD_G_IRE, VTD_G_CFI };
	u32 on = (u32)mmio_read(regs + VTD_GSTS, 4);
	bool off = vtd_open_memory(regs), idle = false;
	char what[96];

	on &= VTD_G_TE | VTD_G_IRE | VTD_G_QIE | VTD_G_CFI;
	if (!on)
		return off;
	for (u32 i = 0; i < ARRAY_SIZE(order); i++)
		off = vtd_clear(regs, order[i]) && off;
	/* A queue with nothing in it harms nobody. There are units that keep it
	 * on unless its last command was a wait. */
	if (off && (on & VTD_G_QIE)) {
		vtd_drain(regs);
		idle = !vtd_clear(regs, VTD_G_QIE);
	}
	name_bits(vtd_names, ARRAY_SIZE(vtd_names), on, what, sizeof(what));
	log_info("iommu", "firmware left the IOMMU at %#llx on (%s)%s%s", base,
		 what, off ? ": it is off now" : "",
		 idle ? ", but for its command queue" : "");
	return off;
}

/* --- AMD --- */

static const struct named_bit amd_names[] = {
	{ AMDVI_IOMMU_EN, "remapping" },
	{ AMDVI_CMD_BUF_EN, "its command buffer" },
	{ AMDVI_EVENT_LOG_EN, "its event log" },
	{ AMDVI_PPR_LOG_EN, "its page requests" },
	{ AMDVI_GA_LOG_EN, "its guests' interrupts" },
};

/* In turn: what writes to memory or sends interrupts, then the IOMMU itself */
static const struct {
	u64 enable, runs;
} amd_order[] = {
	{ AMDVI_CMD_BUF_EN | AMDVI_WAIT_INT_EN, AMDVI_CMD_BUF_RUN },
	{ AMDVI_EVENT_INT_EN | AMDVI_EVENT_LOG_EN, AMDVI_EVENT_LOG_RUN },
	{ AMDVI_GA_LOG_EN | AMDVI_GA_INT_EN, AMDVI_GA_LOG_RUN },
	{ AMDVI_PPR_EN | AMDVI_PPR_LOG_EN | AMDVI_PPR_INT_EN,
	  AMDVI_PPR_LOG_RUN },
	{ AMDVI_IOMMU_EN, 0 },
};

bool amdvi_off(u8 *regs, u64 base)
{
	u64 on = mmio_read(regs + AMDVI_CONTROL, 8), all = 0;
	bool off = true;
	char what[96];

	for (u32 i = 0; i < ARRAY_SIZE(amd_order); i++)
		all |= amd_order[i].enable;
	if (!(on & all))
		return true;
	for (u32 i = 0; i < ARRAY_SIZE(amd_order); i++) {
		u64 now = mmio_read(regs + AMDVI_CONTROL, 8);

		mmio_write(regs + AMDVI_CONTROL, 8, now & ~amd_order[i].enable);
		off = wait_clear(regs + AMDVI_STATUS, 8, amd_order[i].runs) &&
		      off;
	}
	off = off && !(mmio_read(regs + AMDVI_CONTROL, 8) & all);
	name_bits(amd_names, ARRAY_SIZE(amd_names), on, what, sizeof(what));
	log_info("iommu", "firmware left the IOMMU at %#llx on (%s)%s", base,
		 what, off ? ": it is off now" : "");
	return off;
}
