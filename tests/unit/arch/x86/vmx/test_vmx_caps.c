/* SOURCES: arch/x86/vmx/caps.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/* The controls table against capability MSRs of CPUs good and bad */
#include "arch/x86/vmx/caps.h"
#include "lib/errno.h"
#include "lib/log.h"
#include "lib/string.h"
#include "tests/unit/fakes/log.h"
#include "tests/unit/test.h"

#define DEFAULT1 0x16u /* pin-based bits that are always one */

/* A CPU: everything allowed, unless a test takes it away */
static u32 cpu2_allowed, exit_allowed, entry_allowed;
static u64 basic, ept_vpid;

static u64 fake_rdmsr(u32 msr)
{
	switch (msr) {
	case MSR_VMX_BASIC:
		return basic;
	case MSR_VMX_TRUE_PINBASED_CTLS:
		return ~0ull << 32 | DEFAULT1;
	case MSR_VMX_TRUE_PROCBASED_CTLS:
		return ~0ull << 32;
	case MSR_VMX_TRUE_ENTRY_CTLS:
		return (u64)entry_allowed << 32;
	case MSR_VMX_TRUE_EXIT_CTLS:
		return (u64)exit_allowed << 32;
	case MSR_VMX_PROCBASED_CTLS2:
		return (u64)cpu2_allowed << 32;
	case MSR_VMX_EPT_VPID_CAP:
		return ept_vpid;
	case MSR_VMX_PINBASED_CTLS: /* the old ones: CR3 exiting forced on */
	case MSR_VMX_PROCBASED_CTLS:
	case MSR_VMX_EXIT_CTLS:
	case MSR_VMX_ENTRY_CTLS:
		return ~0ull << 32 | CPU_CR3_LOAD_EXITING;
	default:
		return 0;
	}
}

static int good_cpu(void **state)
{
	fake_log_reset();
	basic = 0x12345 | VMX_BASIC_TRUE_CONTROLS;
	cpu2_allowed = exit_allowed = entry_allowed = ~0u;
	ept_vpid = EPT_CAP_WALK_4 | EPT_CAP_WB | EPT_CAP_2M | EPT_CAP_INVEPT |
		   EPT_CAP_INVEPT_SINGLE | EPT_CAP_INVVPID |
		   EPT_CAP_INVVPID_SINGLE;
	return 0;
}

static void good_cpu_resolves(void **state)
{
	struct vmx_caps c;

	assert_int_equal(vmx_caps_read(&c, fake_rdmsr), 0);
	assert_int_equal(c.revision, 0x12345);
	assert_int_equal(c.control[CTL_PIN],
			 DEFAULT1 | vmx_controls[CTL_PIN].required |
				 PIN_PREEMPTION_TIMER);
	assert_int_equal(c.control[CTL_CPU], vmx_controls[CTL_CPU].required);
	assert_int_equal(c.control[CTL_CPU2],
			 vmx_controls[CTL_CPU2].required |
				 vmx_controls[CTL_CPU2].optional);
	assert_string_equal(fake_log_last, "");
}

/* Of the secondary controls, those that give a guest an instruction which is
 * #UD without them (SDM 3C table 25-7): VMFUNC, XSAVES, TPAUSE, PCONFIG */
static void nothing_is_given_unawares(void **state)
{
	const u32 gives = BIT(13) | BIT(20) | BIT(26) | BIT(27);
	struct vmx_caps c;

	assert_int_equal(vmx_caps_read(&c, fake_rdmsr), 0);
	assert_int_equal(c.control[CTL_CPU2] & gives, 0);
}

static void old_msrs_without_bit_55(void **state)
{
	struct vmx_caps c;

	basic &= ~VMX_BASIC_TRUE_CONTROLS;
	assert_int_equal(vmx_caps_read(&c, fake_rdmsr), 0);
	assert_true(c.control[CTL_CPU] & CPU_CR3_LOAD_EXITING);
}

static void missing_controls_are_named(void **state)
{
	struct vmx_caps c;

	cpu2_allowed = ~(u32)CPU2_EPT;
	assert_int_equal(vmx_caps_read(&c, fake_rdmsr), -ENOTSUP);
	assert_non_null(strstr(fake_log_last, "EPT"));
	cpu2_allowed = ~(u32)CPU2_UNRESTRICTED;
	assert_int_equal(vmx_caps_read(&c, fake_rdmsr), -ENOTSUP);
	assert_non_null(strstr(fake_log_last, "unrestricted guest"));
}

static void optional_controls_may_be_absent(void **state)
{
	struct vmx_caps c;

	cpu2_allowed = CPU2_EPT | CPU2_UNRESTRICTED;
	assert_int_equal(vmx_caps_read(&c, fake_rdmsr), 0);
	assert_int_equal(c.control[CTL_CPU2], CPU2_EPT | CPU2_UNRESTRICTED);
}

static void vpid_needs_invvpid(void **state)
{
	struct vmx_caps c;

	ept_vpid &= ~(u64)EPT_CAP_INVVPID_SINGLE;
	assert_int_equal(vmx_caps_read(&c, fake_rdmsr), 0);
	assert_false(c.control[CTL_CPU2] & CPU2_VPID);
}

static void timer_needs_its_value_saved(void **state)
{
	struct vmx_caps c;

	exit_allowed = ~(u32)VMEXIT_SAVE_TIMER;
	assert_int_equal(vmx_caps_read(&c, fake_rdmsr), 0);
	assert_false(c.control[CTL_PIN] & PIN_PREEMPTION_TIMER);
	assert_false(c.control[CTL_EXIT] & VMEXIT_SAVE_TIMER);
}

/* Loaded at the entry and at the exit, or at neither */
static void cet_needs_both_ways(void **state)
{
	struct vmx_caps c;

	assert_int_equal(vmx_caps_read(&c, fake_rdmsr), 0);
	assert_true(c.control[CTL_EXIT] & VMEXIT_LOAD_CET);
	assert_true(c.control[CTL_ENTRY] & ENTRY_LOAD_CET);
	exit_allowed = ~(u32)VMEXIT_LOAD_CET;
	assert_int_equal(vmx_caps_read(&c, fake_rdmsr), 0);
	assert_false(c.control[CTL_ENTRY] & ENTRY_LOAD_CET);
	exit_allowed = ~0u;
	entry_allowed = ~(u32)ENTRY_LOAD_CET;
	assert_int_equal(vmx_caps_read(&c, fake_rdmsr), 0);
	assert_false(c.control[CTL_EXIT] & VMEXIT_LOAD_CET);
}

static void ept_without_write_back(void **state)
{
	struct vmx_caps c;

	ept_vpid &= ~(u64)EPT_CAP_WB;
	assert_int_equal(vmx_caps_read(&c, fake_rdmsr), -ENOTSUP);
	assert_non_null(strstr(fake_log_last, "write-back"));
}

static void largest_leaf(void **state)
{
	struct vmx_caps c = { .ept_vpid = 0 };

	assert_int_equal(vmx_caps_max_level(&c), 1);
	c.ept_vpid = EPT_CAP_2M;
	assert_int_equal(vmx_caps_max_level(&c), 2);
	c.ept_vpid = EPT_CAP_2M | EPT_CAP_1G;
	assert_int_equal(vmx_caps_max_level(&c), 3);
}

/* Another core may do more than the boot core, and not less */
static void cores_that_differ(void **state)
{
	struct vmx_caps c;

	cpu2_allowed = ~(u32)CPU2_BUS_LOCK;
	assert_int_equal(vmx_caps_read(&c, fake_rdmsr), 0);
	assert_null(vmx_caps_lacking(&c, fake_rdmsr));
	cpu2_allowed = ~0u;
	ept_vpid |= EPT_CAP_1G;
	assert_null(vmx_caps_lacking(&c, fake_rdmsr));
	cpu2_allowed = ~(u32)(CPU2_BUS_LOCK | CPU2_INVPCID);
	assert_string_equal(vmx_caps_lacking(&c, fake_rdmsr),
			    "secondary processor-based controls");
	good_cpu(NULL);
	ept_vpid &= ~EPT_CAP_2M;
	assert_string_equal(vmx_caps_lacking(&c, fake_rdmsr),
			    "features of EPT or VPID");
	good_cpu(NULL);
	basic++;
	assert_string_equal(vmx_caps_lacking(&c, fake_rdmsr),
			    "the boot core's VMCS revision");
	good_cpu(NULL);
	c.cr4_fixed1 = BIT(5); /* the other has no bit that may be 1 */
	assert_string_equal(vmx_caps_lacking(&c, fake_rdmsr),
			    "bits of CR0 or CR4");
	c.cr4_fixed1 = 0;
	basic &= ~VMX_BASIC_TRUE_CONTROLS; /* a control that must be 1 */
	assert_non_null(vmx_caps_lacking(&c, fake_rdmsr));
}

static void feature_control(void **state)
{
	const u64 on = FEATURE_CONTROL_LOCKED | FEATURE_CONTROL_VMX;
	u64 wanted;

	assert_int_equal(vmx_feature_control(0, &wanted), 0);
	assert_int_equal(wanted, on);
	assert_int_equal(vmx_feature_control(on, &wanted), 0);
	assert_int_equal(vmx_feature_control(FEATURE_CONTROL_LOCKED, &wanted),
			 -ENOTSUP);
	/* Only inside SMX: no use to us */
	assert_int_equal(vmx_feature_control(FEATURE_CONTROL_LOCKED |
						     FEATURE_CONTROL_VMX_SMX,
					     &wanted),
			 -ENOTSUP);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(good_cpu_resolves, good_cpu),
		cmocka_unit_test_setup(nothing_is_given_unawares, good_cpu),
		cmocka_unit_test_setup(old_msrs_without_bit_55, good_cpu),
		cmocka_unit_test_setup(missing_controls_are_named, good_cpu),
		cmocka_unit_test_setup(optional_controls_may_be_absent,
				       good_cpu),
		cmocka_unit_test_setup(vpid_needs_invvpid, good_cpu),
		cmocka_unit_test_setup(timer_needs_its_value_saved, good_cpu),
		cmocka_unit_test_setup(cet_needs_both_ways, good_cpu),
		cmocka_unit_test_setup(ept_without_write_back, good_cpu),
		cmocka_unit_test(largest_leaf),
		cmocka_unit_test_setup(cores_that_differ, good_cpu),
		cmocka_unit_test(feature_control),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
