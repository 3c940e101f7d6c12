/* SOURCES: */
/* SPDX-License-Identifier: BSD-2-Clause */
/* For how long a rendezvous waits, with a TSC that the test moves. Core 1 is
 * two words, which change after so many looks. */
#define rdtsc machine_rdtsc
#include "arch/x86/machine/tsc.h"
#undef rdtsc

static u64 rdtsc(void);

#include "arch/x86/machine/smp_call.c"
#include "tests/unit/fakes/log.h"
#include "tests/unit/fakes/panic.h"
#include "tests/unit/test.h"

#define HOUR  (3600ull * NS_PER_S) /* ticks: one is a nanosecond here */
#define NEVER UINT32_MAX

struct pcpu *pcpus[MAX_CPUS];
u32 pcpu_count = 2;
static struct pcpu cores[2];
static u64 now, step;
static u32 looks, comes, goes; /* core 1 does, after so many */

static u64 rdtsc(void)
{
	looks++;
	if (looks > comes)
		cores[1].met = meeting.number;
	if (looks > goes && meeting.phase == PHASE_GO)
		cores[1].left = meeting.number;
	return now += step;
}

u64 ns_to_tsc(u64 ns)
{
	return ns;
}

struct pcpu *this_cpu(void)
{
	return &cores[0];
}

bool lapic_ready(void)
{
	return true;
}

void lapic_send_ipi(u32 apic_id, u8 vector)
{
}

void lapic_send_nmi(u32 apic_id)
{
}

static int setup(void **state)
{
	memset(cores, 0, sizeof(cores));
	memset(&meeting, 0, sizeof(meeting));
	for (u32 i = 0; i < 2; i++) {
		cores[i].id = i;
		cores[i].online = true;
		pcpus[i] = &cores[i];
	}
	now = looks = 0;
	step = NS_PER_MS;
	comes = goes = NEVER;
	fake_log_reset();
	return 0;
}

/* All of the machine stood still between two looks: no core is late */
static void test_time_in_which_nobody_ran(void **state)
{
	step = HOUR;
	comes = 20;
	goes = 40;
	assert_int_equal(smp_rendezvous(NULL, NULL, NULL), 0);
	assert_int_equal(fake_log_lines, 0);
}

/* Two seconds for one that does not come */
static void test_does_not_come(void **state)
{
	assert_int_equal(smp_rendezvous(NULL, NULL, NULL), -ETIMEDOUT);
	assert_in_range(now, MEET_MS * NS_PER_MS, 2 * MEET_MS * NS_PER_MS);
	assert_int_equal(cores[1].pending, 0);
	/* And there is an end to it, whatever the time does */
	setup(state);
	step = HOUR;
	assert_int_equal(smp_rendezvous(NULL, NULL, NULL), -ETIMEDOUT);
	assert_in_range(looks, LOOKS_MIN, 2 * LOOKS_MIN);
}

/* One that has come is waited for longer than others look for a core that
 * hangs; then it is the end */
static void test_does_not_go(void **state)
{
	static int err;

	comes = 0;
	expect_panic(err = smp_rendezvous(NULL, NULL, NULL));
	assert_int_equal(err, 0); /* it has not returned */
	assert_in_range(now, LEAVE_MS * NS_PER_MS, 2 * LEAVE_MS * NS_PER_MS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_time_in_which_nobody_ran, setup),
		cmocka_unit_test_setup(test_does_not_come, setup),
		cmocka_unit_test_setup(test_does_not_go, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
