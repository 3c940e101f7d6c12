/* SOURCES: arch/x86/machine/nmi.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/* NMIs of the machine: counted where they come, said with their reason, given
 * to the privileged guest, and stopped when there is no end of them */
#include "tests/unit/fakes/core_tsc.h"

#include "hv/run/nmi.c"

#include "arch/x86/machine/lapic.h"
#include "tests/unit/fakes/log.h"
#include "tests/unit/fakes/ports.h"
#include "tests/unit/fakes/tsc.h"
#include "tests/unit/fakes/vm.h"

struct vm *vm_privileged;

static u8 port61;
static bool listens;
static u32 given, kicks, masked, passed;

static u32 port_in(u16 port, u8 size)
{
	assert_int_equal(port, NMI_SC_PORT);
	return port61;
}

bool vlapic_lint1_nmi(struct vcpu *v)
{
	assert_ptr_equal(v, fake_vm.vcpus[0]);
	given += listens;
	return listens;
}

bool lapic_ready(void)
{
	return true;
}

void lapic_kick_self(void)
{
	kicks++;
}

void lapic_mask_lint1(void)
{
	masked++;
}

static int setup(void **state)
{
	fake_vm_init(1);
	fake_log_reset();
	fake_port_in = port_in;
	fake_port_writes = 0;
	fake_now += 1000 * NS_PER_S;
	listens = true;
	given = kicks = masked = passed = 0;
	port61 = 0x20;
	vm_privileged = &fake_vm;
	memset(storms, 0, sizeof(storms));
	return 0;
}

static void test_given(void **state)
{
	fake_this_cpu->pending = 0;
	nmi_note();
	nmi_note();
	assert_int_equal(fake_this_cpu->pending, PCPU_NMI);
	assert_int_equal(kicks, 2);
	nmi_serve();
	assert_int_equal(given, 1);
	assert_non_null(strstr(fake_log_last, "took 2: no reason in port 61h"));
	assert_non_null(strstr(fake_log_last, "given to guest "));
	port61 |= NMI_SC_IOCHK;
	nmi_serve();
	assert_non_null(strstr(fake_log_last, "(IOCHK), port 61h is 0x60"));
	port61 |= NMI_SC_SERR;
	nmi_serve();
	assert_non_null(strstr(fake_log_last, "(SERR), port 61h is 0xe0"));
	/* The reason is the guest's to end */
	assert_int_equal(fake_port_writes, 0);
}

static void test_nobody_listens(void **state)
{
	listens = false;
	nmi_serve();
	assert_non_null(strstr(fake_log_last, "no guest listens"));
	vm_privileged = NULL;
	fake_log_reset();
	nmi_serve();
	assert_non_null(strstr(fake_log_last, "no guest listens"));
}

static void test_storm(void **state)
{
	for (u32 i = 0; i < STORM_NMIS - 1; i++) {
		nmi_note();
		nmi_serve();
	}
	/* Slowly, they may come for ever */
	assert_int_equal(masked, 0);
	fake_now += 2 * NS_PER_S;
	for (u32 i = 0; i < STORM_NMIS - 1; i++)
		nmi_note();
	nmi_serve();
	assert_int_equal(masked, 0);
	nmi_note();
	nmi_serve();
	assert_int_equal(masked, 1);
	assert_int_equal(fake_log_errors, 1);
	/* Messages of a device's do not end by that: it is said once */
	for (u32 i = 0; i < 2 * STORM_NMIS; i++) {
		nmi_note();
		nmi_serve();
	}
	assert_int_equal(fake_log_errors, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_given, setup),
		cmocka_unit_test_setup(test_nobody_listens, setup),
		cmocka_unit_test_setup(test_storm, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
