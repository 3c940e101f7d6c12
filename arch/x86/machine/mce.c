/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * See mce.h. Called by cpu.c at bring-up, by idt.c, and by hv/run/exit.c. Each
 * core reads and writes only its own banks. No lock but the log's, which nests:
 * a core may have been inside a line.
 */
#include "arch/x86/machine/mce.h"

#include "arch/x86/cpu/asm.h"
#include "arch/x86/cpu/features.h"
#include "include/hw/msr.h"
#include "lib/log.h"

#define MCE_ALL (~0ull)

static u32 bank_count(void)
{
	u64 cap;

	if (!cpu_features.mce || !cpu_features.mca ||
	    rdmsr_safe(MSR_MCG_CAP, &cap))
		return 0;
	return (u32)(cap & MCG_CAP_COUNT_MASK);
}

static u32 bank_msr(u32 first, u32 bank)
{
	return first + bank * MC_BANK_STRIDE;
}

/* Bank 0's control is the firmware's on early family 6 (SDM 3B 16.3.2.1
 * *IA32_MCi_CTL MSRs*) */
static bool bank0_is_firmwares(void)
{
	return cpu_features.vendor == VENDOR_INTEL &&
	       cpu_features.family == 6 && cpu_features.model < 0x1a;
}

/* A bank that does not have a bit refuses the write and stays as firmware left
 * it */
static void try_write(u32 msr, u64 value)
{
	if (wrmsr_safe(msr, value))
		log_debug("mce", "MSR %#x keeps its value", msr);
}

static u64 read_or_zero(u32 msr)
{
	u64 value;

	return rdmsr_safe(msr, &value) ? 0 : value;
}

static enum mce_verdict take_bank(u32 bank)
{
	u64 status = read_or_zero(bank_msr(MSR_MC0_STATUS, bank));
	u64 addr = 0;

	if (!(status & MC_STATUS_VAL))
		return MCE_NONE;
	if (status & MC_STATUS_ADDRV)
		addr = read_or_zero(bank_msr(MSR_MC0_ADDR, bank));
	log_error("mce", "bank %u: status %016llx, address %llx", bank, status,
		  addr);
	try_write(bank_msr(MSR_MC0_STATUS, bank), 0);
	if (!(status & MC_STATUS_UC))
		return MCE_NONE; /* corrected */
	return status & (MC_STATUS_PCC | MC_STATUS_OVER) ? MCE_FATAL
							 : MCE_CONTAINED;
}

void mce_init_cpu(void)
{
	u32 banks = bank_count();
	u64 cap;

	if (!banks)
		return;
	if (rdmsr_safe(MSR_MCG_CAP, &cap) == 0 && (cap & MCG_CAP_CTL_P))
		try_write(MSR_MCG_CTL, MCE_ALL);
	/* With MCIP left set, the first machine check would be a shutdown (SDM
	 * 3B 16.3.1.2 *IA32_MCG_STATUS MSR*) */
	try_write(MSR_MCG_STATUS, 0);
	/*
	 * What a crash before the reset left is not to be taken for news later
	 */
	for (u32 i = 0; i < banks; i++)
		(void)take_bank(i);
	for (u32 i = bank0_is_firmwares() ? 1 : 0; i < banks; i++)
		try_write(bank_msr(MSR_MC0_CTL, i), MCE_ALL);
}

enum mce_verdict mce_handle(void)
{
	u64 global = read_or_zero(MSR_MCG_STATUS);
	enum mce_verdict worst = MCE_NONE;
	u32 banks = bank_count();

	for (u32 i = 0; i < banks; i++) {
		enum mce_verdict v = take_bank(i);

		worst = MAX(worst, v);
	}
	/* Nowhere to return to: what ran is lost, nobody knows what it was */
	if (!banks || !(global & (MCG_STATUS_RIPV | MCG_STATUS_EIPV)))
		worst = MCE_FATAL;
	try_write(MSR_MCG_STATUS, 0);
	return worst;
}
