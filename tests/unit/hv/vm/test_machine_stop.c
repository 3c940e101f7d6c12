/* SOURCES: */
/* SPDX-License-Identifier: BSD-2-Clause */
/* What comes when the machine stops: it waits for a person, or for so many
 * seconds, by the TSC where its rate is known, and resets itself. */
#include "tests/unit/fakes/core_tsc.h"

#include "arch/x86/cpu/asm.h"

#define wbinvd()    (void)0
#define cpu_pause() (void)(fake_now += 1000)
#include "hv/vm/machine_stop.c"

#include "tests/unit/fakes/log.h"
#include "tests/unit/fakes/ports.h"
#include "tests/unit/fakes/tsc.h"

#include <setjmp.h>

static bool panics;
static u32 codes, posts;
static jmp_buf over;

bool panic_active(void)
{
	return panics;
}

void console_show_code(void)
{
	codes++;
}

void power_reset(void)
{
	longjmp(over, 1);
}

static void port_out(u16 port, u8 size, u32 value)
{
	posts += port == LPC_POST_PORT;
}

static int setup(void **state)
{
	fake_log_reset();
	fake_port_out = port_out;
	tsc_khz = 1000000;
	posts = 0;
	fake_now = 5;
	return 0;
}

static void test_waits_for_a_person(void **state)
{
	machine_stop();
	assert_non_null(strstr(fake_log_last, "switch it off or reset it"));
	assert_int_equal(codes, 0);
	panics = true;
	machine_stop();
	/* A fault inside, and it ends again */
	machine_stop();
	assert_int_equal(codes, 1);
	assert_int_equal(fake_log_lines, 3);
}

static void test_restarts(void **state)
{
	machine_on_stop(10);
	if (!setjmp(over))
		machine_stop();
	assert_string_equal(fake_log_last, "restarting the machine");
	assert_in_range(fake_now, 10 * NS_PER_S, 10 * NS_PER_S + 2000);
	assert_int_equal(posts, 0);
}

static void test_restarts_without_a_clock(void **state)
{
	tsc_khz = 0;
	machine_on_stop(3);
	if (!setjmp(over))
		machine_stop();
	assert_int_equal(posts, 3000000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_waits_for_a_person, setup),
		cmocka_unit_test_setup(test_restarts, setup),
		cmocka_unit_test_setup(test_restarts_without_a_clock, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
