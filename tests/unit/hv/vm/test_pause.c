/* SOURCES: hv/vm/kept.c hv/core/fan.c hv/core/slots.c lib/string.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What of a guest's time stands while it does, with clock = stop: the TSC of
 * two vCPUs, LAPIC timers, a device's timer, and the paravirtual clock. The
 * sources are the real ones on a TSC that the test moves. Over 400 lines: one
 * machine for all of them.
 */
#include "tests/unit/fakes/core_tsc.h"

#include "hv/irq/vlapic_timer.c"
#include "hv/pv/pvclock.c"
#include "hv/time/vtimer.c"
#include "hv/vm/pause.c"

#include "tests/unit/fakes/guest_ram.h"
#include "tests/unit/fakes/tsc.h"
#include "tests/unit/fakes/vm.h"
#include "tests/unit/test.h"

#define START 1000000ull
#define RAM   4096
#define TIMER 0x40

struct vm *vms[VM_MAX];
u32 vm_count;

static struct vlapic lapics[2];
static u32 pages[2][1024], stood, fired;
static struct timer_queue queues[ARRAY_SIZE(fake_pcpus)];
static struct vtimer device, calendar;

/* Each core has a queue of its own, which nobody else touches */
void timer_arm(struct timer *t, u64 deadline)
{
	assert_true(!t->queue || t->queue == &queues[this_cpu()->id]);
	t->deadline = deadline;
	t->queue = &queues[this_cpu()->id];
}

void timer_cancel(struct timer *t)
{
	assert_true(!t->queue || t->queue == &queues[this_cpu()->id]);
	t->queue = NULL;
}

u64 rtc_boot_seconds(void)
{
	return 0;
}

void vlapic_error(struct vlapic *l, u32 esr_bit)
{
	fail();
}

void dynamic_paused(struct vm *vm)
{
	fail();
}

void still_stood(struct vm *vm)
{
	stood++;
}

static void note(struct vtimer *t)
{
	fired++;
}

static int setup(void **state)
{
	fake_vm_init(2);
	fake_ram_init(RAM, 0);
	memset(lapics, 0, sizeof(lapics));
	memset(pages, 0, sizeof(pages));
	memset(&fake_tsc_change, 0, sizeof(fake_tsc_change));
	memset(fake_tsc_ahead, 0, sizeof(fake_tsc_ahead));
	tsc_khz = 1000000; /* a tick is a nanosecond */
	fake_now = tsc_boot = fake_vm.tsc_start = START;
	fake_vm.clock_stops = true;
	stood = fired = 0;
	for (u32 i = 0; i < 2; i++) {
		struct vcpu *v = &fake_vcpus[i];

		fake_this_cpu = &fake_pcpus[i];
		fake_pcpus[i].current = v;
		v->vlapic = &lapics[i];
		lapics[i].vcpu = v;
		lapics[i].regs = v->hw.apic_page = pages[i];
		v->hw.tsc_offset = 0 - START;
		vlapic_timer_init(&lapics[i]);
		vlapic_reg_set(&lapics[i], APIC_LVT_TIMER, TIMER);
		assert_int_equal(pvclock_create(v), 0);
	}
	fake_this_cpu = &fake_pcpus[0];
	vtimer_init(&device, &fake_vm, note);
	vtimer_init(&calendar, &fake_vm, note);
	calendar.wall = true;
	return 0;
}

static int teardown(void **state)
{
	for (u32 i = 0; i < 2; i++)
		pvclock_destroy(&fake_vcpus[i]);
	return 0;
}

static u64 guest_tsc(u32 i)
{
	fake_this_cpu = &fake_pcpus[i];
	return vcpu_guest_tsc(&fake_vcpus[i], rdtsc());
}

/* vCPU @i looks at its events */
static void takes(u32 i)
{
	fake_this_cpu = &fake_pcpus[i];
	__atomic_fetch_and(&fake_vcpus[i].events, ~(u32)VE_PAUSE,
			   __ATOMIC_SEQ_CST);
	pause_take(&fake_vcpus[i]);
}

/* All stand, vCPU 1 by 100 later, for @ticks; and go on, vCPU 1 by 50 later */
static void stand_for(u64 ticks)
{
	pause_begin(&fake_vm);
	takes(0);
	fake_now += 100;
	takes(1);
	fake_now += ticks;
	fake_this_cpu = &fake_pcpus[3]; /* somebody else's */
	pause_end(&fake_vm);
	takes(0);
	fake_now += 50;
	takes(1);
}

static void test_tscs_stand_and_stay_in_step(void **state)
{
	fake_now += 5000;
	stand_for(1000000);
	assert_int_equal(stood, 1);
	assert_int_equal(guest_tsc(0), 5150);
	assert_int_equal(guest_tsc(1), 5150);
	assert_true(fake_vcpus[0].hw.regs.dirty & RG_CONTROL);
	assert_int_equal(vtimer_now(&fake_vm), START + 5150);
	assert_int_equal(vtimer_wall(), fake_now);
	stand_for(7000);
	assert_int_equal(guest_tsc(1), 5300);
	/* Its next life begins with nothing of that */
	fake_vm.stood = (struct vm_stood){ 0 };
	assert_int_equal(vtimer_now(&fake_vm), fake_now);
}

/* What a core that looks meanwhile reads does not move */
static void test_device_time_stands(void **state)
{
	u64 now;

	pause_begin(&fake_vm);
	takes(0);
	takes(1);
	now = vtimer_now(&fake_vm);
	fake_now += 123456;
	assert_int_equal(vtimer_now(&fake_vm), now);
	pause_end(&fake_vm);
	assert_int_equal(vtimer_now(&fake_vm), now);
}

/* It hears of the end and of the next pause at once */
static void test_stands_again(void **state)
{
	pause_begin(&fake_vm);
	takes(0);
	takes(1);
	fake_now += 1000;
	pause_end(&fake_vm);
	fake_now += 10;
	pause_begin(&fake_vm);
	takes(0);
	takes(1);
	fake_now += 500;
	pause_end(&fake_vm);
	takes(0);
	takes(1);
	assert_int_equal(stood, 2);
	assert_int_equal(guest_tsc(0), 10);
	assert_int_equal(guest_tsc(1), 10);
}

/* The core that lets it go on is behind the one that stood last */
static void test_time_does_not_go_back(void **state)
{
	fake_tsc_ahead[1] = 400;
	pause_begin(&fake_vm);
	takes(0);
	takes(1);
	fake_now += 300;
	fake_this_cpu = &fake_pcpus[0];
	pause_end(&fake_vm);
	assert_int_equal(fake_vm.stood.ticks, 0);
	takes(0);
	assert_int_equal(guest_tsc(0), 300);
}

static void test_one_shot_has_left_what_it_had(void **state)
{
	struct timer *t = &lapics[1].timer;

	lapics[1].timer_shift = 1;
	fake_this_cpu = &fake_pcpus[1];
	vlapic_timer_initial(&lapics[1], 2500);
	fake_now += 1000;
	pause_begin(&fake_vm);
	takes(0);
	takes(1);
	assert_false(timer_armed(t));
	/* It has its core for a moment, and stands all the same */
	vlapic_taken(&fake_vcpus[1]);
	assert_false(timer_armed(t));
	fake_now += 1000000;
	pause_end(&fake_vm);
	takes(0);
	takes(1);
	assert_true(timer_armed(t));
	assert_int_equal(t->deadline, fake_now + 4000);
	assert_int_equal(vlapic_timer_current(&lapics[1]), 2000);
}

static void test_periodic_does_not_catch_up(void **state)
{
	struct timer *t = &lapics[0].timer;

	vlapic_reg_set(&lapics[0], APIC_LVT_TIMER,
		       TIMER | APIC_LVT_TIMER_PERIODIC);
	vlapic_timer_initial(&lapics[0], 100000);
	fake_now += 30000;
	pause_begin(&fake_vm);
	takes(0);
	takes(1);
	vlapic_taken(&fake_vcpus[0]);
	assert_false(timer_armed(t));
	fake_now += 12345678;
	pause_end(&fake_vm);
	takes(0);
	takes(1);
	assert_int_equal(t->deadline, fake_now + 70000);
	assert_int_equal(pages[0][APIC_IRR / 4 + TIMER / 32 * 4], 0);
	/* One that rested, as another guest had the core, goes on, too */
	fake_this_cpu = &fake_pcpus[0];
	timer_cancel(t);
	t->deadline = fake_now - 1000;
	pause_begin(&fake_vm);
	takes(0);
	takes(1);
	fake_now += 500000;
	pause_end(&fake_vm);
	takes(0);
	assert_true(timer_armed(t));
	assert_int_equal(t->deadline, fake_now + 99000);
}

static void test_deadline_is_the_same_tsc(void **state)
{
	struct timer *t = &lapics[0].timer;

	vlapic_reg_set(&lapics[0], APIC_LVT_TIMER,
		       TIMER | APIC_LVT_TIMER_DEADLINE);
	vlapic_deadline_write(&fake_vcpus[0], 90000);
	stand_for(1000000);
	assert_int_equal(vlapic_deadline_read(&fake_vcpus[0]), 90000);
	assert_int_equal(vcpu_guest_tsc(&fake_vcpus[0], t->deadline), 90000);
}

/* It came due between the stand of its vCPU and that of the last */
static void test_due_meanwhile_is_not_lost(void **state)
{
	struct timer *t = &lapics[0].timer;

	vlapic_timer_initial(&lapics[0], 40);
	stand_for(1000000);
	assert_true(timer_armed(t));
	assert_true(t->deadline < fake_now);
}

static void test_a_reset_forgets(void **state)
{
	vlapic_timer_initial(&lapics[0], 40000);
	pause_begin(&fake_vm);
	takes(0);
	fake_this_cpu = &fake_pcpus[0];
	vlapic_timer_stop(&lapics[0]);
	vlapic_timer_initial(&lapics[0], 500);
	assert_true(timer_armed(&lapics[0].timer));
	takes(1);
	pause_forget(&fake_vm);
	assert_int_equal(vtimer_now(&fake_vm), fake_now);
}

static void test_device_timers_rest(void **state)
{
	vtimer_set(&device, START + 5000);
	vtimer_set(&calendar, START + 6000);
	fake_now += 1000;
	pause_begin(&fake_vm);
	takes(0);
	assert_false(timer_armed(&device.timer));
	assert_true(timer_armed(&calendar.timer));
	/* Another vCPU sets it meanwhile, and the boot vCPU is told: it does
	 * not fire */
	fake_this_cpu = &fake_pcpus[1];
	vtimer_set(&device, START + 5500);
	fake_this_cpu = &fake_pcpus[0];
	vtimer_follow(&fake_vm);
	assert_false(timer_armed(&device.timer));
	takes(1);
	fake_now += 1000000;
	/* The wall's goes on */
	fake_this_cpu = &fake_pcpus[0];
	calendar.timer.queue = NULL;
	calendar.timer.fn(&calendar.timer);
	assert_int_equal(fired, 1);
	pause_end(&fake_vm);
	takes(0);
	takes(1);
	assert_int_equal(device.timer.deadline, fake_now + 4500);
	fake_this_cpu = &fake_pcpus[0];
	fake_now += 4500;
	device.timer.queue = NULL;
	device.timer.fn(&device.timer);
	assert_int_equal(fired, 2);
}

static void test_a_clock_that_runs(void **state)
{
	fake_vm.clock_stops = false;
	vtimer_set(&device, START + 5000);
	vlapic_timer_initial(&lapics[0], 7000);
	fake_now += 1000;
	pause_begin(&fake_vm);
	takes(0);
	takes(1);
	assert_true(timer_armed(&device.timer));
	assert_int_equal(lapics[0].timer.deadline, START + 7000);
	fake_now += 1000000;
	pause_end(&fake_vm);
	takes(0);
	takes(1);
	assert_int_equal(guest_tsc(0), 1001000);
	assert_int_equal(vtimer_now(&fake_vm), fake_now);
}

/* --- the paravirtual clock, as a guest reads it --- */

static u64 page_ns(u32 i)
{
	struct pvclock_time t;

	memcpy(&t, fake_ram + i * 64, sizeof(t));
	return t.system_time + scaled_ns(guest_tsc(i) - t.tsc_timestamp,
					 t.tsc_to_system_mul, t.tsc_shift);
}

static void clock_on(u32 i)
{
	assert_int_equal(pvclock_write(&fake_vcpus[i], BH_KVM_MSR_SYSTEM_TIME,
				       i * 64 | 1),
			 0);
}

static void test_paravirtual_clock_stands(void **state)
{
	struct pvclock_wall wall;

	clock_on(0);
	fake_now += 10 * NS_PER_S;
	stand_for(100 * NS_PER_S);
	assert_in_range(page_ns(0), 10 * NS_PER_S, 10 * NS_PER_S + 1000);
	/* And is the same for a page that is written later */
	clock_on(1);
	assert_in_range(page_ns(1), 10 * NS_PER_S, 10 * NS_PER_S + 1000);
	pvclock_update(&fake_vcpus[0]);
	assert_in_range(page_ns(0), 10 * NS_PER_S, 10 * NS_PER_S + 1000);
	/* Who asks for the wall clock finds what that shows now */
	assert_int_equal(
		pvclock_write(&fake_vcpus[0], BH_KVM_MSR_WALL_CLOCK, 256), 0);
	memcpy(&wall, fake_ram + 256, sizeof(wall));
	assert_int_equal(wall.sec, 100);
}

/* The rate becomes twice the old while the guest runs, stands, or has stood */
static void rate_doubles(void)
{
	fake_tsc_change = (struct tsc_change){
		.before_khz = 1000000,
		.khz = 2000000,
		.since_tsc = fake_now,
	};
}

static void test_rate_changes_between_two_pauses(void **state)
{
	clock_on(0);
	fake_now += 1000000;
	stand_for(500000000);
	fake_now += 1000000;
	rate_doubles();
	fake_now += 1000000;
	stand_for(700000000);
	pvclock_update(&fake_vcpus[0]);
	/* 1 + 1 ms, then a tick is half a nanosecond; each pause lets 150
	 * ticks pass */
	assert_in_range(page_ns(0), 2500200, 2500240);
}

static void test_rate_changes_while_it_stands(void **state)
{
	clock_on(0);
	fake_now += 1000000;
	pause_begin(&fake_vm);
	takes(0);
	takes(1);
	fake_now += 100000000;
	rate_doubles();
	fake_now += 300000000;
	pause_end(&fake_vm);
	takes(0);
	takes(1);
	fake_now += 1000000;
	pvclock_update(&fake_vcpus[0]);
	assert_in_range(page_ns(0), 1500000 - 1, 1500000 + 1);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	static const struct CMUnitTest tests[] = {
		T(test_tscs_stand_and_stay_in_step),
		T(test_device_time_stands),
		T(test_stands_again),
		T(test_time_does_not_go_back),
		T(test_one_shot_has_left_what_it_had),
		T(test_periodic_does_not_catch_up),
		T(test_deadline_is_the_same_tsc),
		T(test_due_meanwhile_is_not_lost),
		T(test_a_reset_forgets),
		T(test_device_timers_rest),
		T(test_a_clock_that_runs),
		T(test_paravirtual_clock_stands),
		T(test_rate_changes_between_two_pauses),
		T(test_rate_changes_while_it_stands),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
