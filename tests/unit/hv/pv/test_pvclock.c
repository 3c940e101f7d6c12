/* SOURCES: hv/pv/pvclock.c hv/core/slots.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/* The paravirtual clock's pages as a guest reads them */
#include "arch/x86/machine/tsc.h"
#include "drivers/clock/rtc.h"
#include "hv/core/gmem.h"
#include "hv/pv/pvclock.h"
#include "include/bulkhead/kvm.h"
#include "lib/errno.h"
#include "tests/unit/fakes/guest_ram.h"
#include "tests/unit/fakes/pool.h"
#include "tests/unit/fakes/timer.h"
#include "tests/unit/fakes/tsc.h"
#include "tests/unit/fakes/tsc_sync.h"
#include "tests/unit/test.h"

#define RAM_BYTES    8192
#define BOOT_SECONDS 1700000000ull

static struct vcpu *const v = &fake_vcpus[0];

struct vm *vms[VM_MAX];
u32 vm_count;

u64 rtc_boot_seconds(void)
{
	return BOOT_SECONDS;
}

/* As a guest computes it, pvclock.h of the ABI */
static u64 guest_ns(u64 guest_tsc)
{
	u64 stamp, base;
	u32 mul;
	s8 shift;
	u64 delta;

	memcpy(&stamp, fake_ram + 8, 8);
	memcpy(&base, fake_ram + 16, 8);
	memcpy(&mul, fake_ram + 24, 4);
	memcpy(&shift, fake_ram + 28, 1);
	delta = guest_tsc - stamp;
	delta = shift < 0 ? delta >> -shift : delta << shift;
	return base + (u64)((unsigned __int128)delta * mul >> 32);
}

static u32 version(void)
{
	return *fake_ram_u32(0);
}

static int setup(void **state)
{
	fake_vm_init(1);
	fake_ram_init(RAM_BYTES, 0);
	tsc_khz = 2600000;
	memset(&fake_tsc_change, 0, sizeof(fake_tsc_change));
	fake_tsc_unstable = false;
	fake_vm.tsc_start = rdtsc();
	tsc_boot = fake_vm.tsc_start;
	v->hw.tsc_offset = 0 - fake_vm.tsc_start;
	return pvclock_create(v);
}

static int teardown(void **state)
{
	pvclock_destroy(v);
	fake_pool_check(&fake_vm.budget);
	return 0;
}

static int enable(u64 gpa)
{
	return pvclock_write(v, BH_KVM_MSR_SYSTEM_TIME, gpa | 1);
}

static void test_rates(void **state)
{
	static const u64 khz[] = { 1000,    50000,   999999,  1000000,
				   1000001, 2600000, 5000000, 20000000 };

	for (u32 i = 0; i < ARRAY_SIZE(khz); i++) {
		u64 stamp, second;

		tsc_khz = khz[i];
		assert_int_equal(enable(0), 0);
		memcpy(&stamp, fake_ram + 8, 8);
		second = guest_ns(stamp + khz[i] * 1000) - guest_ns(stamp);
		assert_in_range(second, 999999900, 1000000100);
	}
}

static void test_version_is_even_and_moves(void **state)
{
	u32 before;

	assert_int_equal(enable(0), 0);
	before = version();
	assert_int_equal(before & 1, 0);
	pvclock_update(v);
	assert_int_equal(version() & 1, 0);
	assert_true(version() > before);
	assert_int_equal(fake_ram[29], 1); /* stable */
}

static u32 whole_writes;

static void sees_a_write(u64 gpa, u64 len)
{
	if (!gpa && len == sizeof(u32))
		return;
	assert_int_equal(version() & 1, 1);
	whole_writes++;
}

/* Another vCPU that reads the page meanwhile must not take it for whole */
static void test_version_is_odd_before_the_rest(void **state)
{
	assert_int_equal(enable(0), 0);
	whole_writes = 0;
	fake_ram_writes = sees_a_write;
	pvclock_update(v);
	fake_ram_writes = NULL;
	assert_int_equal(whole_writes, 1);
	assert_int_equal(version() & 1, 0);
}

static void test_a_moved_tsc_keeps_the_time(void **state)
{
	u64 before, after;

	assert_int_equal(enable(0), 0);
	before = guest_ns(vcpu_guest_tsc(v, rdtsc()));
	v->hw.tsc_offset += 1ull << 40;
	pvclock_update(v);
	after = guest_ns(vcpu_guest_tsc(v, rdtsc()));
	assert_in_range(after, before, before + NS_PER_S);
}

/* Without the promise the guest itself sees to it that time does not go back */
static void test_no_promise(void **state)
{
	fake_tsc_unstable = true;
	assert_int_equal(enable(0), 0);
	assert_int_equal(fake_ram[29], 0);
}

/* Time goes by the old rate up to the change and by the new one from then on,
 * whatever vCPU looks, and nothing jumps */
static void rate_becomes(u64 khz)
{
	u64 start = fake_vm.tsc_start;
	u64 bend = start + 2600000ull * 1000, late = bend + 2600ull * 20;
	u64 at_bend, at_late, guest_bend = bend - start;

	tsc_khz = 2600000;
	memset(&fake_tsc_change, 0, sizeof(fake_tsc_change));
	assert_int_equal(enable(0), 0);
	at_bend = guest_ns(guest_bend);
	at_late = guest_ns(late - start);
	fake_tsc_change = (struct tsc_change){ 2600000, khz, bend };
	tsc_khz = khz;
	pvclock_update(v);
	assert_int_equal(guest_ns(guest_bend), at_bend);
	/* 20 us late, of which 100 ppm are 2 ns */
	assert_in_range(guest_ns(late - start) + 3, at_late, at_late + 6);
	assert_in_range(guest_ns(guest_bend + khz * 1000) - at_bend, 999999990,
			1000000010);
}

static void test_rate_changes(void **state)
{
	rate_becomes(2600000 + 260);
	rate_becomes(2600000 - 260);
	rate_becomes(2600001);
}

/* A guest that started since then knows the new rate alone */
static void test_started_since(void **state)
{
	u64 second = 2600100ull * 1000;

	fake_tsc_change = (struct tsc_change){ 2600000, 2600100,
					       fake_vm.tsc_start - 12345 };
	tsc_khz = 2600100;
	assert_int_equal(enable(0), 0);
	assert_int_equal(guest_ns(0), 0);
	assert_in_range(guest_ns(second), 999999990, 1000000010);
}

static void test_all_are_told(void **state)
{
	static struct vm vm;
	static struct vcpu vcpus[100];

	memset(&vm, 0, sizeof(vm));
	for (u32 i = 0; i < ARRAY_SIZE(vcpus); i++)
		vm.vcpus[i] = &vcpus[i];
	vm.vcpu_count = ARRAY_SIZE(vcpus);
	vms[0] = &vm;
	vms[1] = &fake_vm;
	vm_count = 2;
	fake_timer_arms = 0;
	pvclock_rate_changed();
	while (fake_timer)
		fake_timer_fire();
	assert_int_equal(fake_timer_arms, 3);
	for (u32 i = 0; i < ARRAY_SIZE(vcpus); i++)
		assert_int_equal(vcpus[i].events, VE_CLOCK);
	assert_int_equal(v->events, VE_CLOCK);
	vm_count = 0;
}

static void test_bad_addresses(void **state)
{
	assert_int_equal(enable(2), -EINVAL);
	assert_int_equal(enable(RAM_BYTES), -EINVAL);
	assert_int_equal(enable(RAM_BYTES - 4), -EINVAL);
	assert_int_equal(pvclock_write(v, BH_KVM_MSR_WALL_CLOCK, RAM_BYTES),
			 -EINVAL);
	assert_int_equal(pvclock_write(v, BH_KVM_MSR_WALL_CLOCK, 3), -EINVAL);
}

static void test_off_and_reset(void **state)
{
	u64 value;
	u32 before;

	assert_int_equal(enable(64), 0);
	assert_int_equal(pvclock_read(v, BH_KVM_MSR_SYSTEM_TIME, &value), 0);
	assert_int_equal(value, 65);
	assert_int_equal(pvclock_write(v, BH_KVM_MSR_SYSTEM_TIME, 0), 0);
	memset(fake_ram, 0, RAM_BYTES);
	pvclock_update(v);
	before = version();
	assert_int_equal(before, 0);
	assert_int_equal(enable(64), 0);
	pvclock_reset(v);
	assert_int_equal(pvclock_read(v, BH_KVM_MSR_SYSTEM_TIME, &value), 0);
	assert_int_equal(value, 0);
}

static void test_wall_clock(void **state)
{
	u32 sec;

	assert_int_equal(pvclock_write(v, BH_KVM_MSR_WALL_CLOCK, 0), 0);
	memcpy(&sec, fake_ram + 4, 4);
	assert_int_equal(sec, BOOT_SECONDS);
	assert_int_equal(version() & 1, 0);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_rates),
		T(test_version_is_even_and_moves),
		T(test_version_is_odd_before_the_rest),
		T(test_a_moved_tsc_keeps_the_time),
		T(test_no_promise),
		T(test_rate_changes),
		T(test_started_since),
		T(test_all_are_told),
		T(test_bad_addresses),
		T(test_off_and_reset),
		T(test_wall_clock),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
