/* SOURCES: hv/device/pc/vpm.c hv/time/vclock.c hv/core/bus.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/* The ACPI PM block against ICH9 13.8.3 and ACPI 6.4, 4.8.3 */
#include "tests/unit/fakes/board.h"

#include "hv/core/pc_map.h"
#include "hv/device/pc/vpm.h"
#include "include/hw/acpi_pm.h"
#include "tests/unit/fakes/vm_end.h"

static int setup(void **state)
{
	board_init();
	fake_vm_end = VM_END_NONE;
	return vpm_vdev.create(&fake_vm);
}

static int teardown(void **state)
{
	vpm_vdev.destroy(&fake_vm);
	board_done();
	return 0;
}

/* 3.579545 MHz, 24 bits, whatever was read before */
static void test_timer_counts(void **state)
{
	assert_int_equal(in(PC_PM_TMR, 4), 0);
	board_pass_us(1000000);
	assert_in_range(in(PC_PM_TMR, 4), 3579543, 3579545);
	board_pass_us(1000000);
	assert_in_range(in(PC_PM_TMR, 4), 2 * 3579545 - 2, 2 * 3579545);
	board_pass_us(3000000);
	assert_in_range(in(PC_PM_TMR, 4), 5 * 3579545 - 4 - (1 << 24),
			5 * 3579545 - (1 << 24));
	assert_int_equal(in(PC_PM_TMR, 2), in(PC_PM_TMR, 4) & 0xffff);
	assert_int_equal(in(PC_PM_TMR + 3, 1), 0);
}

static void test_timer_status_at_each_toggle(void **state)
{
	board_pass_us(2343000);
	assert_int_equal(in(PC_PM1_STS, 2), 0);
	board_pass_us(1000);
	assert_int_equal(in(PC_PM1_STS, 2), PM1_TMR);
	out(PC_PM1_STS, 2, PM1_TMR);
	assert_int_equal(in(PC_PM1_STS, 2), 0);
	board_pass_us(2344000);
	assert_int_equal(in(PC_PM1_STS, 2), PM1_TMR);
	assert_int_equal(board_line(PC_IRQ_SCI), 0);
}

static void test_timer_interrupt(void **state)
{
	out(PC_PM1_EN, 2, PM1_TMR);
	assert_int_equal(board_next(), 0); /* no SCI: no timer */
	out(PC_PM1_CNT, 2, PM1_CNT_SCI_EN);
	assert_true(board_next());
	board_pass_us(2344000);
	assert_int_equal(board_line(PC_IRQ_SCI), 1);
	assert_int_equal(board_next(), 0);
	out(PC_PM1_STS, 2, PM1_TMR);
	assert_int_equal(board_line(PC_IRQ_SCI), 0);
	board_pass_us(2344000);
	assert_int_equal(board_line(PC_IRQ_SCI), 1);
	out(PC_PM1_EN, 2, 0);
	assert_int_equal(board_line(PC_IRQ_SCI), 0);
}

/* Cores look in turn, and one's TSC is a little behind the others' */
static void test_timer_on_lagging_core(void **state)
{
	board_now -= 1000;
	assert_int_equal(in(PC_PM_TMR, 4), 0);
	board_now += 1000;
	while (!in(PC_PM1_STS, 2))
		board_pass_us(1);
	out(PC_PM1_STS, 2, PM1_TMR);
	board_now -= 10000;
	assert_int_equal(in(PC_PM1_STS, 2), 0);
	board_now += 10000;
	assert_int_equal(in(PC_PM1_STS, 2), 0);
}

static void test_power_button(void **state)
{
	out(PC_PM1_EN, 2, PM1_PWRBTN);
	assert_false(vpm_power_button(&fake_vm));
	assert_int_equal(board_line(PC_IRQ_SCI), 0);
	out(PC_APM_CNT, 1, PC_ACPI_ENABLE);
	assert_int_equal(in(PC_PM1_CNT, 2), PM1_CNT_SCI_EN);
	assert_int_equal(board_line(PC_IRQ_SCI), 1);
	out(PC_PM1_STS, 2, PM1_RTC); /* another's bit */
	assert_int_equal(board_line(PC_IRQ_SCI), 1);
	out(PC_PM1_STS + 1, 1, PM1_PWRBTN >> 8);
	assert_int_equal(board_line(PC_IRQ_SCI), 0);
	assert_true(vpm_power_button(&fake_vm));
	out(PC_PM1_STS, 2, PM1_PWRBTN | PM1_RTC);
	vpm_rtc_alarm(&fake_vm);
	assert_int_equal(in(PC_PM1_STS, 2), PM1_RTC);
	out(PC_APM_CNT, 1, PC_ACPI_DISABLE);
	assert_int_equal(in(PC_PM1_CNT, 2), 0);
}

static void test_enable_keeps_its_bits(void **state)
{
	out(PC_PM1_STS, 4, 0xffffffff); /* both registers at once */
	assert_int_equal(in(PC_PM1_EN, 2), PM1_EN_BITS);
	assert_int_equal(in(PC_PM1_STS, 4), PM1_EN_BITS << 16);
	out(PC_PM1_EN, 1, 0); /* one byte */
	assert_int_equal(in(PC_PM1_EN, 2), PM1_EN_BITS & 0xff00);
}

static void test_sleep(void **state)
{
	out(PC_PM1_CNT, 2, PM1_CNT_SLP_EN | 1 << 10);
	assert_int_equal(fake_vm_end, VM_END_NONE);
	assert_int_equal(in(PC_PM1_CNT, 2), 1 << 10);
	out(PC_PM1_CNT, 2, 0);
	assert_int_equal(fake_vm_end, VM_END_NONE);
	out(PC_PM1_CNT, 2, PM1_CNT_SLP_EN);
	assert_int_equal(fake_vm_end, VM_END_POWER_OFF);
	fake_vm_end = VM_END_NONE;
	out(PC_PM1_CNT, 2, PM1_CNT_SLP_EN | 7 << 10);
	assert_int_equal(fake_vm_end, VM_END_POWER_OFF);
	fake_vm_end = VM_END_NONE;
	out(PC_PM1_CNT, 2, 0);
	assert_int_equal(fake_vm_end, VM_END_NONE);
	/* By bytes: the type was written before */
	out(PC_PM1_CNT + 1, 1, 0x20);
	assert_int_equal(fake_vm_end, VM_END_POWER_OFF);
}

static void test_smm_is_set_up(void **state)
{
	assert_int_equal(in(PC_SMI_EN, 4), SMI_EN_APMC_EN);
	out(PC_SMI_EN, 4, 0);
	assert_int_equal(in(PC_SMI_EN, 4), SMI_EN_APMC_EN);
}

static void test_gpe(void **state)
{
	out(PC_GPE0 + 8, 4, 0x12345678);
	assert_int_equal(in(PC_GPE0 + 8, 4), 0x12345678);
	assert_int_equal(in(PC_GPE0 + 9, 2), 0x3456);
	assert_int_equal(in(PC_GPE0, 4), 0);
	out(PC_GPE0, 4, 0xffffffff);
	assert_int_equal(in(PC_GPE0, 4), 0);
}

static void test_watchdog_keeps_and_never_bites(void **state)
{
	out(PC_PM_BASE + PM_TCO + TCO_TMR, 2, 0x3ff);
	assert_int_equal(in(PC_PM_BASE + PM_TCO + TCO_TMR, 2), 0x3ff);
	out(PC_PM_BASE + PM_TCO + 4, 2, 0xffff);
	assert_int_equal(in(PC_PM_BASE + PM_TCO + 4, 2), 0);
	board_pass_us(100000000);
	assert_int_equal(fake_vm_end, VM_END_NONE);
}

static void test_reset(void **state)
{
	out(PC_PM1_EN, 2, PM1_TMR);
	out(PC_PM1_CNT, 2, PM1_CNT_SCI_EN);
	board_pass_us(2344000);
	assert_int_equal(board_line(PC_IRQ_SCI), 1);
	vpm_vdev.reset(&fake_vm);
	assert_int_equal(board_line(PC_IRQ_SCI), 0);
	assert_int_equal(in(PC_PM1_STS, 4), 0);
	assert_int_equal(in(PC_PM1_CNT, 4), 0);
	assert_int_equal(board_next(), 0);
}

static void test_random_writes(void **state)
{
	srandom(1);
	for (u32 i = 0; i < 200000; i++) {
		u16 port = (u16)(PC_PM_BASE + random() % PM_BLOCK_BYTES);
		u8 size = (u8)(1 << random() % 3);

		if (i % 16 == 0)
			board_pass_us((u64)random() % 100000);
		if (i % 32 == 0)
			port = PC_APM_CNT;
		if (random() & 1)
			out(port, size, (u32)random());
		else
			in(port, size);
	}
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_timer_counts),
		T(test_timer_status_at_each_toggle),
		T(test_timer_interrupt),
		T(test_timer_on_lagging_core),
		T(test_power_button),
		T(test_enable_keeps_its_bits),
		T(test_sleep),
		T(test_smm_is_set_up),
		T(test_gpe),
		T(test_watchdog_keeps_and_never_bites),
		T(test_reset),
		T(test_random_writes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
