/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * See mce.h. Called by cpu.c at bring-up, by idt.c, by hv/run/exit.c, and by
 * mce_poll.c. A core reads and writes its own banks, some of which it shares
 * with its siblings or its package: who comes first has them. No lock but the
 * log's, which nests: a core may have been inside a line.
 */
#include "arch/x86/cpu/asm.h"
#include "arch/x86/cpu/features.h"
#include "arch/x86/cpu/percpu.h"
#include "arch/x86/machine/mce_priv.h"
#include "include/hw/msr.h"
#include "lib/log.h"

#define MCE_ALL        (~0ull)
#define SMCA_BANKS_MAX 64u

void (*mce_taken_hook)(const struct mce_error *e);

u64 mce_firmware_banks;
/* mce_common_cap(), atomic; before the first core: all there could be */
static u64 common_cap = ~0ull;

static u64 read_or_zero(u32 msr)
{
	u64 value;

	return rdmsr_safe(msr, &value) ? 0 : value;
}

/* A bank that does not have a bit refuses the write and stays as firmware left
 * it */
static void try_write(u32 msr, u64 value)
{
	if (wrmsr_safe(msr, value))
		log_debug("mce", "MSR %#x keeps its value", msr);
}

static u64 capabilities(void)
{
	if (!cpu_features.mce || !cpu_features.mca)
		return 0;
	return read_or_zero(MSR_MCG_CAP);
}

u32 mce_banks(void)
{
	u32 count = (u32)(capabilities() & MCG_CAP_COUNT_MASK);

	return MIN(count, cpu_features.smca ? SMCA_BANKS_MAX : MC_BANKS_MAX);
}

static u32 bank_msr(u32 bank, enum mce_reg reg)
{
	if (cpu_features.smca)
		return MSR_SMCA_MC0_CTL + bank * SMCA_BANK_STRIDE + (u32)reg;
	return MSR_MC0_CTL + bank * MC_BANK_STRIDE + (u32)reg;
}

u64 mce_read(u32 bank, enum mce_reg reg)
{
	return read_or_zero(bank_msr(bank, reg));
}

void mce_clear(u32 bank, enum mce_reg reg)
{
	try_write(bank_msr(bank, reg), 0);
}

/* Bank 0's control is the firmware's on early family 6 (SDM 3B 16.3.2.1
 * *IA32_MCi_CTL MSRs*) */
static bool bank0_is_firmwares(void)
{
	return cpu_features.vendor == VENDOR_INTEL &&
	       cpu_features.family == 6 && cpu_features.model < 0x1a;
}

/* Intel's CPUs that can recover say by two bits what is to be done (SDM 3B
 * 16.6.1 *Detection of Software Error Recovery Support*) */
static bool can_recover(void)
{
	return cpu_features.vendor == VENDOR_INTEL &&
	       (capabilities() & MCG_CAP_SER_P);
}

/* --- one error --- */

/* SDM 3B 16.6.3 *UCR Error Classification*; APM 2 9.3.2.3, *MCi_STATUS* */
static enum mce_verdict judge(u64 status)
{
	if (!(status & MC_STATUS_UC))
		return MCE_NONE;
	if (status & MC_STATUS_PCC)
		return MCE_FATAL;
	/* Nobody has used the data yet; whoever does has an error of its own */
	if (can_recover() && (status & (MC_STATUS_S | MC_STATUS_AR)) !=
				     (MC_STATUS_S | MC_STATUS_AR))
		return MCE_NONE;
	return status & MC_STATUS_OVER ? MCE_FATAL : MCE_CONTAINED;
}

static const char *kind(u64 status)
{
	if (cpu_features.vendor == VENDOR_AMD && (status & MC_STATUS_DEFERRED))
		return "an error in data that nobody has used yet";
	if (!(status & MC_STATUS_UC))
		return "an error that was corrected";
	return judge(status) == MCE_NONE
		       ? "an error in data that nobody has used yet"
		       : "an error that was not corrected";
}

/* Where the state of the core is lost, S says nothing (SDM 3B table 16-6) */
bool mce_sends_mc(u64 status)
{
	if (!(status & MC_STATUS_UC))
		return false;
	return !can_recover() || (status & (MC_STATUS_S | MC_STATUS_PCC));
}

struct mce_error mce_read_error(u32 bank, u64 status)
{
	struct mce_error e = { .bank = bank, .status = status };

	if (status & MC_STATUS_ADDRV)
		e.addr = mce_read(bank, MC_ADDR);
	if (status & MC_STATUS_MISCV)
		e.misc = mce_read(bank, MC_MISC);
	return e;
}

/* Those that were corrected are counted (16.3.2.2.1, bits 52:38) */
static void log_bank(const struct mce_error *e)
{
	enum log_level level = e->status & MC_STATUS_UC ? LOG_ERROR : LOG_WARN;

	log_write(level, "mce",
		  "core %u, bank %u: %s: status %016llx, address %llx, misc "
		  "%llx",
		  this_cpu()->id, e->bank, kind(e->status), e->status, e->addr,
		  e->misc);
	if (cpu_features.smca)
		log_write(level, "mce", "  IPID %llx, SYND %llx",
			  mce_read(e->bank, MC_IPID),
			  mce_read(e->bank, MC_SYND));
}

void mce_take(const struct mce_error *e, enum mce_reg reg, bool told)
{
	if (told)
		log_bank(e);
	mce_clear(e->bank, reg);
	if (mce_taken_hook)
		mce_taken_hook(e);
}

static void take_told(u32 bank, u64 status)
{
	struct mce_error e = mce_read_error(bank, status);

	mce_take(&e, MC_STATUS, true);
}

/* --- bring-up --- */

/* The switch is locked together with VMX's (SDM 3B 16.3.1.5 *Enabling Local
 * Machine Check*), by arch/x86/vmx/cpu.c where firmware has not */
static void local_only(u64 cap)
{
	u64 control;

	if (cpu_features.vendor != VENDOR_INTEL || !(cap & MCG_CAP_LMCE_P) ||
	    rdmsr_safe(MSR_FEATURE_CONTROL, &control))
		return;
	if (!(control & (FEATURE_CONTROL_LOCKED | FEATURE_CONTROL_LMCE)) &&
	    !wrmsr_safe(MSR_FEATURE_CONTROL, control | FEATURE_CONTROL_LMCE))
		control |= FEATURE_CONTROL_LMCE;
	if (control & FEATURE_CONTROL_LMCE)
		try_write(MSR_MCG_EXT_CTL, MCG_EXT_CTL_LMCE_EN);
}

static void note_cap(u64 cap)
{
	u64 old = __atomic_load_n(&common_cap, __ATOMIC_RELAXED), both;

	do
		both = (old & cap & ~MCG_CAP_COUNT_MASK) |
		       MIN(old & MCG_CAP_COUNT_MASK, cap & MCG_CAP_COUNT_MASK);
	while (!__atomic_compare_exchange_n(&common_cap, &old, both, true,
					    __ATOMIC_RELAXED,
					    __ATOMIC_RELAXED));
}

u64 mce_common_cap(void)
{
	u64 cap = __atomic_load_n(&common_cap, __ATOMIC_RELAXED);

	return cap == ~0ull ? 0 : cap;
}

void mce_init_cpu(void)
{
	u32 banks = mce_banks();
	u64 cap = capabilities();

	note_cap(cap);
	if (!banks)
		return;
	if (cap & MCG_CAP_CTL_P)
		try_write(MSR_MCG_CTL, MCE_ALL);
	/* With MCIP left set, the first machine check would be a shutdown (SDM
	 * 3B 16.3.1.2 *IA32_MCG_STATUS MSR*) */
	try_write(MSR_MCG_STATUS, 0);
	local_only(cap);
	for (u32 i = 0; i < banks; i++) {
		u64 status = mce_read(i, MC_STATUS);

		/* What a crash before the reset left, the next #MC would be
		 * judged by; the rest may be the firmware's */
		if ((status & MC_STATUS_VAL) && mce_sends_mc(status))
			take_told(i, status);
		/* "The new registers are used" */
		if (cpu_features.smca)
			try_write(bank_msr(i, MC_CONFIG),
				  mce_read(i, MC_CONFIG) | SMCA_CONFIG_MCAX);
	}
	for (u32 i = bank0_is_firmwares() ? 1 : 0; i < banks; i++)
		try_write(bank_msr(i, MC_CTL), MCE_ALL);
}

/* --- #MC --- */

/* Whose error is it, of all cores that got the #MC? The one that it hit could
 * not go on, or its RIP is where it was (SDM 3B 16.9.3.2, table *SRAR Type
 * Errors*). */
static bool is_hit(u64 global)
{
	return (global & (MCG_STATUS_RIPV | MCG_STATUS_EIPV)) !=
		       MCG_STATUS_RIPV ||
	       (global & MCG_STATUS_LMCE_S);
}

/* By MCi_MISC (16.3.2.4): a physical address, above so many bits */
static u64 memory_address(u32 bank, u64 status)
{
	u64 misc = mce_read(bank, MC_MISC);

	if (!can_recover() || !(status & MC_STATUS_ADDRV) ||
	    !(status & MC_STATUS_MISCV) ||
	    MC_MISC_MODE(misc) != MC_MISC_PHYSICAL)
		return MCE_NO_ADDRESS;
	return mce_read(bank, MC_ADDR) & ~(BIT(MC_MISC_LSB(misc)) - 1);
}

enum mce_verdict mce_handle(u64 *address)
{
	u64 global = read_or_zero(MSR_MCG_STATUS), at = MCE_NO_ADDRESS;
	enum mce_verdict worst = MCE_NONE;
	u32 banks = mce_banks();

	for (u32 i = 0; i < banks; i++) {
		u64 status = mce_read(i, MC_STATUS);
		enum mce_verdict v = judge(status);

		if (!(status & MC_STATUS_VAL))
			continue;
		if ((mce_firmware_banks & BIT(i)) && !mce_sends_mc(status))
			continue;
		/* A sibling's, which reads it in a bank that both have */
		if (v == MCE_CONTAINED && can_recover() && !is_hit(global))
			continue;
		if (v == MCE_CONTAINED)
			at = memory_address(i, status);
		take_told(i, status);
		worst = MAX(worst, v);
	}
	/* Nowhere to return to, and nobody knows what for */
	if (!banks || (worst == MCE_NONE && !(global & MCG_STATUS_RIPV)))
		worst = MCE_FATAL;
	if (worst == MCE_CONTAINED && !can_recover() &&
	    !(global & (MCG_STATUS_RIPV | MCG_STATUS_EIPV)))
		worst = MCE_FATAL;
	try_write(MSR_MCG_STATUS, 0);
	if (address)
		*address = at;
	return worst;
}
