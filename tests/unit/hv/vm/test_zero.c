/* SOURCES: hv/vm/zero.c hv/core/slots.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/* RAM becomes zero in pieces, and with the help of a core that is idle */
#include "tests/unit/fakes/guest_ram.h"
#include "tests/unit/fakes/window.h"

#include "arch/x86/machine/smp.h"
#include "hv/vm/zero.h"
#include "sched/sched.h"
#include "tests/unit/fakes/tsc.h"
#include "tests/unit/test.h"

#define RAM   MIB(16)
#define STEPS 100000u

struct vm *vms[VM_MAX];
u32 vm_count;

struct pcpu *pcpus[MAX_CPUS];
u32 pcpu_count;

void window_flush(void)
{
}

static bool others;
static u32 kicks, kicked;

bool sched_others_wait(void)
{
	return others;
}

void pcpu_kick(struct pcpu *cpu, u32 bits)
{
	assert_int_equal(bits, PCPU_RESCHED);
	kicks++;
	kicked = cpu->id;
}

static bool ram_is_zero(void)
{
	return !fake_ram[0] && !memcmp(fake_ram, fake_ram + 1, RAM - 1);
}

static int setup(void **state)
{
	fake_vm_init(1);
	fake_ram_init(RAM, 0xaa);
	fake_windows_init(fake_ram, RAM);
	fake_vm.id = 7;
	memset(vms, 0, sizeof(vms));
	vms[7] = &fake_vm;
	vm_count = 8;
	pcpu_count = 4;
	for (u32 i = 0; i < pcpu_count; i++) {
		pcpus[i] = &fake_pcpus[i];
		pcpus[i]->id = i;
		pcpus[i]->idle = false;
		pcpus[i]->windows = fake_this_cpu->windows;
	}
	fake_this_cpu = &fake_pcpus[1];
	others = false;
	kicks = 0;
	zero_wanted = 0;
	zero_begin(&fake_vm);
	return 0;
}

static u32 steps_to_end(void)
{
	u32 n = 1;

	for (; !zero_step(&fake_vm); n++)
		assert_true(n < STEPS);
	return n;
}

/* Its core is its own: nobody is woken */
static void test_alone(void **state)
{
	fake_pcpus[2].idle = true;
	assert_true(steps_to_end() > 2);
	assert_true(ram_is_zero());
	assert_int_equal(kicks, 0);
	assert_false(zero_help_wanted());
	assert_false(zero_help());
	/* Once more, in another life */
	memset(fake_ram, 0x55, RAM);
	zero_begin(&fake_vm);
	steps_to_end();
	assert_true(ram_is_zero());
}

/* Pieces of memory end where no claim does, the last one comes first, and a ROM
 * is nobody's to zero */
static void test_in_pieces(void **state)
{
	const u64 first = 21 * PAGE_SIZE, rom = 3 * PAGE_SIZE;

	fake_vm.slots[0] =
		(struct vm_slot){ .gpa = 0, .hpa = RAM - first, .size = first };
	fake_vm.slots[1] =
		(struct vm_slot){ .gpa = GIB(1), .size = rom, .rom = true };
	fake_vm.slots[2] = (struct vm_slot){ .gpa = GIB(2),
					     .hpa = rom,
					     .size = RAM - first - rom };
	fake_vm.slot_count = 3;
	steps_to_end();
	for (u64 i = 0; i < rom; i++)
		assert_int_equal(fake_ram[i], 0xaa);
	memset(fake_ram, 0, rom);
	assert_true(ram_is_zero());
}

static void test_helped(void **state)
{
	u32 helped = 0;

	others = true;
	fake_pcpus[3].idle = true;
	assert_false(zero_step(&fake_vm));
	assert_int_equal(kicks, 1);
	assert_int_equal(kicked, 3);
	assert_false(zero_step(&fake_vm));
	assert_int_equal(kicks, 1); /* it knows */
	fake_this_cpu = &fake_pcpus[3];
	while (zero_help())
		assert_true(helped++ < STEPS);
	assert_true(helped > 1);
	assert_false(zero_help_wanted());
	/* What the boot vCPU has claimed is its own to do */
	fake_this_cpu = &fake_pcpus[1];
	steps_to_end();
	assert_true(ram_is_zero());
	assert_false(zero_help());
}

/* It is not over before a helper has let go */
static void test_waits_for_helpers(void **state)
{
	fake_vm.zeroing.helpers = 1;
	for (u32 i = 0; i < STEPS && fake_vm.zeroing.claimed < RAM; i++)
		assert_false(zero_step(&fake_vm));
	assert_false(zero_step(&fake_vm));
	assert_true(ram_is_zero());
	fake_vm.zeroing.helpers = 0;
	assert_true(zero_step(&fake_vm));
}

/* One that wants none any more, one that has gone, one at a time */
static void test_no_help(void **state)
{
	others = true;
	assert_false(zero_step(&fake_vm));
	assert_true(zero_help_wanted());
	fake_vm.zeroing.shared = false;
	assert_false(zero_help());
	assert_false(zero_help_wanted());
	assert_int_equal(fake_vm.zeroing.helpers, 0);
	zero_wanted = 9;
	assert_false(zero_help());
	assert_false(zero_help_wanted());
	setup(state);
	others = true;
	zero_wanted = 3; /* somebody else */
	steps_to_end();
	assert_true(ram_is_zero());
	assert_int_equal(zero_wanted, 3);
	assert_int_equal(kicks, 0);
}

/* Few pages are no reason to wake anybody */
static void test_little(void **state)
{
	others = true;
	fake_vm.zeroing.claimed = RAM - MIB(2);
	steps_to_end();
	assert_false(zero_help_wanted());
}

int main(void)
{
#define T(name) cmocka_unit_test_setup(name, setup)
	static const struct CMUnitTest tests[] = {
		T(test_alone),     T(test_helped), T(test_waits_for_helpers),
		T(test_in_pieces), T(test_helped), T(test_waits_for_helpers),
		T(test_no_help),   T(test_little),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
