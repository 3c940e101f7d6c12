/* SPDX-License-Identifier: BSD-2-Clause */
/* The machine-check banks of the guest that owns the machine: as many as the
 * machine's ("banks="), and registers that behave (SDM 3B 16.3; APM 2 9.3) */
#include "tests/guest/lib/guest.h"

#define MCG_CAP     0x179
#define MCG_STATUS  0x17a
#define MCG_CTL     0x17b
#define MC0_CTL2    0x280
#define MCG_EXT_CTL 0x4d0
#define SMCA_MC0    0xc0002000
/* What no bank of memory has: CTL_P, EXT_P, CMCI_P, ELOG_P, LMCE_P */
#define CAP_HIDDEN 0xc000700ull
#define BANKS_MAX  32

enum { CTL, STATUS, ADDR, MISC, REGS };

static u32 msr_of(u32 bank, u32 reg)
{
	return 0x400 + bank * REGS + reg;
}

static void capabilities(void)
{
	u64 cap = rdmsr(MCG_CAP), v;
	u32 r[4];

	section("SDM 3B 16.3.1.1");
	check((cap & 0xff) == cmdline_number("banks=", 0), "mca.count", "%llx",
	      cap);
	check(!(cap & CAP_HIDDEN), "mca.cap", "%llx", cap);
	check(try_wrmsr(MCG_CAP, cap) == 13, "mca.cap_read_only", "no #GP");
	check(try_rdmsr(MCG_CTL, &v) == 13, "mca.no_ctl", "no #GP");
	check(try_rdmsr(MC0_CTL2, &v) == 13, "mca.no_cmci", "no #GP");
	check(try_rdmsr(MCG_EXT_CTL, &v) == 13, "mca.no_lmce", "no #GP");
	check(try_rdmsr(SMCA_MC0, &v) == 13, "mca.no_smca_msr", "no #GP");
	cpuid_if_any(0x80000007, 0, r);
	check(!(r[1] & 0xf), "mca.no_smca", "%x", r[1]);
	section("SDM 3B 16.3.1.2");
	check(!rdmsr(MCG_STATUS), "mca.status_idle", "%llx", rdmsr(MCG_STATUS));
	check(try_wrmsr(MCG_STATUS, 0) == NO_TRAP, "mca.status_clears", "trap");
}

/* False: the first register that does not behave is @bad */
static bool bank_works(u32 bank, u32 *bad)
{
	for (u32 reg = STATUS; reg <= MISC; reg++) {
		*bad = msr_of(bank, reg);
		if (try_wrmsr(*bad, 0) != NO_TRAP || rdmsr(*bad))
			return false;
	}
	*bad = msr_of(bank, STATUS);
	if (try_wrmsr(*bad, 1ull << 63) != 13 || rdmsr(*bad))
		return false;
	*bad = msr_of(bank, CTL);
	wrmsr(*bad, ~0ull);
	if (rdmsr(*bad) != ~0ull)
		return false;
	wrmsr(*bad, 0);
	return !rdmsr(*bad);
}

static void banks(u32 count)
{
	u32 bad = 0, bank = 0;

	section("SDM 3B 16.3.2");
	while (bank < count && bank_works(bank, &bad))
		bank++;
	check(bank == count, "mca.banks", "MSR %x", bad);
	for (bad = msr_of(count, CTL); bad < msr_of(BANKS_MAX, CTL); bad++)
		if (!rdmsr_faults(bad) || !wrmsr_faults(bad, 0))
			break;
	check(bad == msr_of(BANKS_MAX, CTL), "mca.no_more", "MSR %x", bad);
}

void guest_main(void)
{
	capabilities();
	banks((u32)(rdmsr(MCG_CAP) & 0xff));
}
