/* SOURCES: hv/core/stretch.c hv/core/exit.c lib/printf.c lib/string.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/* How long a core is kept: what counts as one stretch, what the longest is
 * said to be, and that nothing is touched unless it is asked for. */
#include "hv/core/stretch.h"

#include "arch/x86/machine/tsc.h"
#include "tests/unit/fakes/exception.h"
#include "tests/unit/fakes/log.h"
#include "tests/unit/fakes/vm.h"

struct pcpu *pcpus[MAX_CPUS];
u32 pcpu_count = 1;

void irq_poll(void)
{
}

static void spend(u64 ticks)
{
	u64 begin = rdtsc();

	while (rdtsc() - begin < ticks)
		;
}

/* As the run loop does; the guest stays for a while */
static void enter(void)
{
	stretch_pause();
	spend(MIB(1));
	fake_vcpus[0].hw.exit.kind = EXIT_PORT;
	stretch_go_on();
}

/* What the log says of core 0 */
struct said {
	unsigned long long longest, us, too_long;
	char who[64];
};

static struct said said(void)
{
	struct said s = { 0 };

	fake_log_reset();
	stretch_report();
	assert_int_equal(sscanf(fake_log_last,
				"core 0: longest %llu ticks (%llu us), "
				"%llu too long; %63[^\n]",
				&s.longest, &s.us, &s.too_long, s.who),
			 4);
	return s;
}

static void test_not_measured(void **state)
{
	stretch_pause();
	stretch_go_on();
	fake_log_reset();
	stretch_report();
	assert_string_equal(fake_log_last, "");
	assert_false(stretch_is_measured());
	assert_int_equal(stretch_longest(0), 0);
	stretch_switch(true);
	assert_true(stretch_is_measured());
	stretch_switch(false);
	assert_false(stretch_is_measured());
}

/* Off and on again, wherever the core was: what began before is not known. The
 * first test that measures, as a core's first figures are. */
static void test_again(void **state)
{
	u64 long_ago = 200 * MIB(1);

	stretch_switch(true);
	stretch_go_on();
	stretch_switch(false); /* in a stretch, whose end is not seen */
	spend(200000);
	stretch_switch(true);
	stretch_pause();
	assert_int_equal(stretch_longest(0), 0);
	/* An exit that was timed */
	fake_pcpus[0].exit_since = rdtsc();
	stretch_switch(false);
	spend(200000);
	stretch_switch(true);
	stretch_entered();
	assert_int_equal(stretch_longest(0), 0);
	assert_int_equal(stretch_too_long(0), 0);
	/* In a pause; what came between it and the interrupt is no stretch */
	stretch_switch(false);
	stretch_go_on();
	spend(long_ago);
	stretch_switch(true);
	stretch_interrupt();
	stretch_go_on();
	stretch_pause();
	assert_true(stretch_longest(0) < long_ago);
	/* Once more on is nothing new */
	stretch_go_on();
	spend(long_ago);
	stretch_switch(true);
	stretch_pause();
	assert_true(stretch_longest(0) >= long_ago);
	stretch_switch(false);
}

/* From an exit to the next entry, and nothing of the guest's own time */
static void test_exit_to_entry(void **state)
{
	struct said s;
	u64 before, count;

	stretch_measure();
	assert_true(stretch_is_measured());
	before = said().longest;
	count = said().too_long;
	spend(before + MIB(1));
	enter(); /* what came before the first one is not known */
	assert_int_equal(said().longest, before);
	spend(before + 200000);
	enter();
	s = said();
	assert_in_range(s.longest, before + 200000, before + MIB(512));
	assert_int_equal(s.us, s.longest / 1000);
	assert_int_equal(s.too_long, count + 1);
	assert_string_equal(s.who, "test, port");
}

/* A look in between makes two stretches of one, and its interrupt a third */
static void test_looks(void **state)
{
	u64 before = said().longest, count = said().too_long;

	spend(before + 100000);
	stretch_pause();
	assert_in_range(said().longest, before + 100000, ~0ull);
	assert_int_equal(said().too_long, count + 1);
	before = said().longest;
	spend(before + 100000); /* halted */
	stretch_interrupt();
	assert_int_equal(said().longest, before);
	spend(before + 100000);
	stretch_interrupt(); /* the next one waits already */
	stretch_go_on();
	assert_in_range(said().longest, before + 100000, ~0ull);
	/* An exit's interrupt is part of its stretch */
	before = said().longest;
	enter();
	spend(before / 2 + 100000);
	stretch_interrupt();
	spend(before / 2 + 100000);
	fake_vcpus[0].activity = VCPU_WORKING;
	enter();
	assert_in_range(said().longest, before + 200000, ~0ull);
	assert_string_equal(said().who, "test, built or scrubbed");
}

/* A timed exit (hv/core/meter.h) leaves nothing but its time; its entry is no
 * pause */
static void test_timed(void **state)
{
	u64 before = stretch_longest(0), count = stretch_too_long(0);

	spend(before + 100000); /* of the guest's */
	fake_pcpus[0].exit_since = rdtsc();
	stretch_interrupt(); /* part of the exit */
	stretch_entered();
	assert_int_equal(stretch_longest(0), before);
	fake_pcpus[0].exit_since = rdtsc();
	spend(before + 100000);
	stretch_entered();
	assert_in_range(stretch_longest(0), before + 100000, ~0ull);
	assert_int_equal(stretch_too_long(0), count + 1);
	/* One that leaves the core goes on until that halts */
	before = stretch_longest(0);
	fake_pcpus[0].exit_since = rdtsc();
	spend(before + 100000);
	stretch_pause();
	assert_in_range(stretch_longest(0), before + 100000, ~0ull);
	before = stretch_longest(0);
	spend(before + 100000); /* halted */
	stretch_interrupt();
	stretch_go_on();
	stretch_pause();
	assert_int_equal(stretch_longest(0), before);
	stretch_go_on();
}

/* Off again, the figures stay; the manifest's measure = yes is stronger */
static void test_switch(void **state)
{
	u64 before = stretch_longest(0);

	stretch_switch(false);
	assert_true(stretch_is_measured());
	assert_int_equal(stretch_longest(0), before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_not_measured),
		cmocka_unit_test(test_again),
		cmocka_unit_test(test_exit_to_entry),
		cmocka_unit_test(test_looks),
		cmocka_unit_test(test_timed),
		cmocka_unit_test(test_switch),
	};

	fake_vm_init(1);
	fake_pcpus[0].current = &fake_vcpus[0];
	return cmocka_run_group_tests(tests, NULL, NULL);
}
