/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The controls table and its check against the capability MSRs. Pure but for
 * the log; called by vmx_probe() once and by vmx_cpu_enable() on each core.
 */
#include "arch/x86/vmx/caps.h"

#include "lib/errno.h"
#include "lib/log.h"
#include "lib/string.h"

/* clang-format off */
const struct vmx_control_row vmx_controls[CTL_COUNT] = {
	[CTL_PIN] = {
		"pin-based controls", MSR_VMX_PINBASED_CTLS, MSR_VMX_TRUE_PINBASED_CTLS,
		PIN_EXTINT_EXITING | PIN_NMI_EXITING | PIN_VIRTUAL_NMIS,
		PIN_PREEMPTION_TIMER,
	},
	[CTL_CPU] = {
		"processor-based controls", MSR_VMX_PROCBASED_CTLS, MSR_VMX_TRUE_PROCBASED_CTLS,
		CPU_TSC_OFFSETTING | CPU_HLT_EXITING | CPU_MWAIT_EXITING |
		CPU_MONITOR_EXITING | CPU_RDPMC_EXITING | CPU_TPR_SHADOW |
		CPU_MOV_DR_EXITING | CPU_IO_BITMAPS | CPU_MSR_BITMAPS |
		CPU_SECONDARY, 0,
	},
	[CTL_CPU2] = {
		"secondary processor-based controls", MSR_VMX_PROCBASED_CTLS2,
		MSR_VMX_PROCBASED_CTLS2,
		CPU2_EPT | CPU2_UNRESTRICTED,
		CPU2_VPID | CPU2_RDTSCP | CPU2_INVPCID | CPU2_WBINVD_EXITING |
		CPU2_ENCLS_EXITING | CPU2_BUS_LOCK | CPU2_NOTIFY,
	},
	[CTL_EXIT] = {
		"VM-exit controls", MSR_VMX_EXIT_CTLS, MSR_VMX_TRUE_EXIT_CTLS,
		VMEXIT_SAVE_DEBUG | VMEXIT_HOST_64 | VMEXIT_ACK_INTERRUPT |
		VMEXIT_SAVE_PAT | VMEXIT_LOAD_PAT | VMEXIT_SAVE_EFER |
		VMEXIT_LOAD_EFER,
		VMEXIT_SAVE_TIMER | VMEXIT_LOAD_CET,
	},
	[CTL_ENTRY] = {
		"VM-entry controls", MSR_VMX_ENTRY_CTLS, MSR_VMX_TRUE_ENTRY_CTLS,
		ENTRY_LOAD_DEBUG | ENTRY_LOAD_PAT | ENTRY_LOAD_EFER,
		ENTRY_LOAD_CET,
	},
};
/* clang-format on */

int vmx_control_resolve(const struct vmx_control_row *row, u64 capability,
			u32 *value, u32 *missing)
{
	u32 must_be_1 = (u32)capability;
	u32 may_be_1 = (u32)(capability >> 32);

	*missing = row->required & ~may_be_1;
	*value = (row->required | (row->optional & may_be_1)) | must_be_1;
	return *missing ? -ENOTSUP : 0;
}

/* The two features everyone asks about are named; of the rest, the log has the
 * bits */
static void report_missing(const struct vmx_control_row *row, u32 missing)
{
	if (row == &vmx_controls[CTL_CPU2] && (missing & CPU2_EPT))
		log_error("vmx", "This CPU has no extended page tables (EPT), "
				 "which Bulkhead needs: use a newer CPU");
	else if (row == &vmx_controls[CTL_CPU2] &&
		 (missing & CPU2_UNRESTRICTED))
		log_error("vmx", "This CPU has no unrestricted guest mode, "
				 "which Bulkhead needs: use a newer CPU");
	else
		log_error("vmx",
			  "This CPU lacks %s %#x, which Bulkhead "
			  "needs: use a newer CPU",
			  row->name, missing);
}

static int check_ept(const struct vmx_caps *caps)
{
	const u64 needed = EPT_CAP_WALK_4 | EPT_CAP_WB | EPT_CAP_INVEPT;
	const u64 either = EPT_CAP_INVEPT_SINGLE | EPT_CAP_INVEPT_ALL;

	if ((caps->ept_vpid & needed) == needed && (caps->ept_vpid & either))
		return 0;
	log_error("vmx",
		  "This CPU's EPT lacks 4-level walks, write-back tables or "
		  "INVEPT (capabilities %#llx): use a newer CPU",
		  caps->ept_vpid);
	return -ENOTSUP;
}

/* Without a way to invalidate by VPID, VPIDs are worse than none */
static void drop_useless_vpid(struct vmx_caps *caps)
{
	const u64 either = EPT_CAP_INVVPID_SINGLE | EPT_CAP_INVVPID_ALL;

	if (!(caps->ept_vpid & EPT_CAP_INVVPID) || !(caps->ept_vpid & either))
		caps->control[CTL_CPU2] &= ~(u32)CPU2_VPID;
}

/* The timer is a bound on guest time only if it goes on over exits */
static void drop_useless_timer(struct vmx_caps *caps)
{
	if ((caps->control[CTL_PIN] & PIN_PREEMPTION_TIMER) &&
	    (caps->control[CTL_EXIT] & VMEXIT_SAVE_TIMER))
		return;
	caps->control[CTL_PIN] &= ~(u32)PIN_PREEMPTION_TIMER;
	caps->control[CTL_EXIT] &= ~(u32)VMEXIT_SAVE_TIMER;
}

/* Both switch CET's registers, or neither: then the host's stay in the core,
 * where CR4.CET, which no guest can set, keeps them from mattering */
static void drop_useless_cet(struct vmx_caps *caps)
{
	if ((caps->control[CTL_ENTRY] & ENTRY_LOAD_CET) &&
	    (caps->control[CTL_EXIT] & VMEXIT_LOAD_CET))
		return;
	caps->control[CTL_ENTRY] &= ~(u32)ENTRY_LOAD_CET;
	caps->control[CTL_EXIT] &= ~(u32)VMEXIT_LOAD_CET;
}

static u64 capability(const struct vmx_control_row *row, vmx_msr_reader rd)
{
	bool is_true = rd(MSR_VMX_BASIC) & VMX_BASIC_TRUE_CONTROLS;

	return rd(is_true ? row->true_msr : row->msr);
}

int vmx_caps_read(struct vmx_caps *caps, vmx_msr_reader rd)
{
	u32 missing;

	memset(caps, 0, sizeof(*caps));
	caps->revision = VMX_BASIC_REVISION(rd(MSR_VMX_BASIC));
	for (u32 i = 0; i < CTL_COUNT; i++) {
		const struct vmx_control_row *row = &vmx_controls[i];

		if (vmx_control_resolve(row, capability(row, rd),
					&caps->control[i], &missing)) {
			report_missing(row, missing);
			return -ENOTSUP;
		}
	}
	caps->cr0_fixed0 = rd(MSR_VMX_CR0_FIXED0);
	caps->cr0_fixed1 = rd(MSR_VMX_CR0_FIXED1);
	caps->cr4_fixed0 = rd(MSR_VMX_CR4_FIXED0);
	caps->cr4_fixed1 = rd(MSR_VMX_CR4_FIXED1);
	caps->ept_vpid = rd(MSR_VMX_EPT_VPID_CAP);
	caps->timer_shift = VMX_MISC_TIMER_SHIFT(rd(MSR_VMX_MISC));
	drop_useless_vpid(caps);
	drop_useless_timer(caps);
	drop_useless_cet(caps);
	return check_ept(caps);
}

/* Does the core take @value? Allowed-0 bits are low, allowed-1 bits high (SDM
 * 3D A.3.1 *Pin-Based VM-Execution Controls*). */
static bool control_fits(u32 value, u64 capability)
{
	return !((u32)capability & ~value) &&
	       !(value & ~(u32)(capability >> 32));
}

/* May the core have every CR0 or CR4 that the boot core may have (SDM 3D A.7
 * *VMX-Fixed Bits in CR0*)? */
static bool fixed_fits(u64 fixed0, u64 fixed1, u64 own_fixed0, u64 own_fixed1)
{
	return !(own_fixed0 & ~fixed0) && !(fixed1 & ~own_fixed1);
}

const char *vmx_caps_lacking(const struct vmx_caps *caps, vmx_msr_reader rd)
{
	if (VMX_BASIC_REVISION(rd(MSR_VMX_BASIC)) != caps->revision)
		return "the boot core's VMCS revision";
	for (u32 i = 0; i < CTL_COUNT; i++)
		if (!control_fits(caps->control[i],
				  capability(&vmx_controls[i], rd)))
			return vmx_controls[i].name;
	if (caps->ept_vpid & ~rd(MSR_VMX_EPT_VPID_CAP))
		return "features of EPT or VPID";
	if (VMX_MISC_TIMER_SHIFT(rd(MSR_VMX_MISC)) != caps->timer_shift)
		return "the boot core's VMX-preemption timer";
	if (!fixed_fits(caps->cr0_fixed0, caps->cr0_fixed1,
			rd(MSR_VMX_CR0_FIXED0), rd(MSR_VMX_CR0_FIXED1)) ||
	    !fixed_fits(caps->cr4_fixed0, caps->cr4_fixed1,
			rd(MSR_VMX_CR4_FIXED0), rd(MSR_VMX_CR4_FIXED1)))
		return "bits of CR0 or CR4";
	return NULL;
}

u32 vmx_caps_max_level(const struct vmx_caps *caps)
{
	if (caps->ept_vpid & EPT_CAP_1G)
		return 3;
	return caps->ept_vpid & EPT_CAP_2M ? 2 : 1;
}

int vmx_feature_control(u64 value, u64 *wanted)
{
	*wanted = value | FEATURE_CONTROL_LOCKED | FEATURE_CONTROL_VMX;
	if ((value & FEATURE_CONTROL_LOCKED) && value != *wanted)
		return -ENOTSUP;
	return 0;
}
