/* SOURCES: hv/vm/life.c hv/vm/privileged.c hv/vm/kept.c hv/core/fan.c hv/vm/work.c hv/vm/zero.c hv/core/slots.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/* A guest's life: RAM zeroed in pieces, loaded in pieces, started; after its
 * end either built again or scrubbed, and only then gone. Over 400 lines: one
 * guest for all of it. */
#include "tests/unit/fakes/guest_ram.h"
#include "tests/unit/fakes/served.h"
#include "tests/unit/fakes/window.h"

#include "hv/assign/passthrough.h"
#include "hv/console/console.h"
#include "hv/core/stretch.h"
#include "hv/irq/vlapic.h"
#include "hv/load/load.h"
#include "hv/time/vtimer.h"
#include "hv/vm/devices.h"
#include "hv/vm/kept.h"
#include "hv/vm/life.h"
#include "hv/vm/machine_end.h"
#include "hv/vm/privileged.h"
#include "hv/vm/stats.h"
#include "hv/vm/vcpu.h"
#include "hv/vm/work.h"
#include "lib/errno.h"
#include "tests/unit/fakes/log.h"
#include "tests/unit/fakes/timer.h"
#include "tests/unit/fakes/tsc.h"
#include "tests/unit/fakes/vcpu.h"
#include "tests/unit/fakes/vm_end.h"

#define RAM   MIB(16)
#define STEPS 100000u

struct vm *vms[VM_MAX];
struct pcpu *pcpus[MAX_CPUS];
u32 pcpu_count;

void window_flush(void)
{
}

void pcpu_kick(struct pcpu *cpu, u32 bits)
{
	fail();
}

static struct vcpu *const boot = &fake_vcpus[0];
static struct vcpu *const other = &fake_vcpus[1];
static u32 forgotten, resets, loads, fills, abandoned, alive, ended_machines;
static int load_error;
static bool ending;
static enum machine_end machine_how;

void vcpu_park(struct vcpu *v)
{
	v->activity = VCPU_PARKED;
}

void vtimer_stop_all(struct vm *vm)
{
}

void devices_reset(struct vm *vm)
{
	resets++;
}

void vlapic_late_forget(struct vcpu *v)
{
	assert_int_equal(v->id, 0);
	forgotten++;
}

void exit_stats_log(const struct vm *vm)
{
}

static u32 rates;

void cpuid_renew_rate(struct vm *vm)
{
	rates++;
}

void console_guest_starts(struct vm *vm)
{
}

/* A look at the core's interrupts: between two of them few vCPUs are told to
 * start, or have their clock set */
#define FEW 64u
static u32 looks, told, longest;

static u32 count_told(void)
{
	u32 n = 0;

	for (u32 i = 0; i < fake_vm.vcpu_count; i++)
		n += fake_vm.vcpus[i]->events == VE_START;
	return n;
}

static void note_told(void)
{
	u32 now = count_told();

	longest = MAX(longest, now > told ? now - told : 0);
	told = now;
}

void stretch_look(void)
{
	assert_int_equal(fake_vm.lock.next, fake_vm.lock.owner);
	note_told();
	looks++;
}

static u32 screens, quiet_steps;

void console_guest_restarts(const struct vm *vm)
{
	screens++;
}

/* Three pieces; nothing of the next life is there yet */
bool passthrough_quiet_step(struct vm *vm, u64 *until)
{
	*until = quiet_steps % 3 == 1 ? 12345 : 0;
	assert_true(vm->privileged);
	assert_int_equal(loads, 1);
	assert_int_equal(resets, 0);
	return ++quiet_steps % 3 == 0;
}

static bool ram_is_zero(void)
{
	return !fake_ram[0] && !memcmp(fake_ram, fake_ram + 1, RAM - 1);
}

/* The image's first byte; its last is written by the fill */
int load_guest(struct vm *vm)
{
	loads++;
	assert_true(vm->privileged || ram_is_zero());
	fake_ram[0] = 0x55;
	fills = 0;
	return load_error;
}

bool load_step(struct vm *vm)
{
	fake_ram[RAM - 1] = 0x66;
	return ++fills == 3;
}

void load_abandon(struct vm *vm)
{
	abandoned++;
}

void machine_guest_made(void)
{
	alive++;
}

void machine_guest_ended(const struct vm *vm)
{
	assert_true(fake_vm.privileged || fake_vm.end == VM_END_CRASH ||
		    ram_is_zero());
	assert_int_equal(fake_vm.state, VM_STOPPED);
	alive--;
}

void machine_end(enum machine_end how)
{
	machine_how = how;
	ended_machines++;
}

bool machine_is_ending(void)
{
	return ending;
}

static int setup(void **state)
{
	fake_vm_init(2);
	fake_ram_init(RAM, 0xaa);
	fake_windows_init(fake_ram, RAM);
	forgotten = resets = loads = fills = abandoned = 0;
	alive = 1;
	ended_machines = fake_vm_ends = 0;
	load_error = 0;
	ending = false;
	fake_timer = NULL;
	boot->activity = other->activity = VCPU_WAIT_SIPI;
	screens = quiet_steps = fake_blocks = 0;
	return 0;
}

/* The boot vCPU takes its start, and steps until it has done its work */
static u32 work(void)
{
	u32 steps = 1;

	assert_int_equal(boot->events, VE_START);
	boot->events = 0;
	boot->activity = VCPU_WORKING;
	sched_spare(&boot->entity, true);
	for (; !vm_work_step(boot); steps++) {
		if (boot->activity != VCPU_WORKING)
			break;
		assert_true(steps < STEPS);
	}
	/* Its guest's own code is held to its cap */
	assert_int_equal(boot->entity.spared, boot->activity != VCPU_RUNNING);
	return steps;
}

static void start(void)
{
	vm_start(&fake_vm);
	assert_int_equal(other->events, VE_START);
	other->events = 0;
	work();
	assert_int_equal(boot->activity, VCPU_RUNNING);
}

/* The guest runs no more; @how: as vm_end() was asked */
static void stop(enum vm_end how)
{
	fake_vm.end = how;
	boot->activity = other->activity = VCPU_RUNNING;
	vm_vcpu_parked(other);
	vm_vcpu_parked(boot);
}

static void test_start(void **state)
{
	u32 steps;

	vm_start(&fake_vm);
	assert_int_equal(alive, 1);
	assert_int_equal(fake_vm.state, VM_RUNNING);
	assert_false(fake_vm.runs);
	steps = work();
	assert_true(fake_vm.runs);
	assert_true(steps > 6); /* RAM in several pieces, the image in three */
	assert_int_equal(boot->activity, VCPU_RUNNING);
	assert_int_equal(loads, 1);
	assert_int_equal(resets, 0);
	assert_int_equal(fake_ram[0], 0x55);
	assert_int_equal(fake_ram[1], 0);
	assert_int_equal(fake_ram[RAM - 1], 0x66);
	assert_int_not_equal(fake_vm.tsc_start, 0);
	assert_int_not_equal(rates, 0);
	assert_int_equal(boot->hw.tsc_offset, 0 - fake_vm.tsc_start);
	assert_int_equal(other->hw.tsc_offset, 0 - fake_vm.tsc_start);
}

static void test_privileged_ram_is_kept(void **state)
{
	fake_vm.privileged = true;
	start();
	assert_int_equal(fake_ram[1], 0xaa);
	stop(VM_END_POWER_OFF);
	assert_int_equal(fake_ram[1], 0xaa);
	assert_int_equal(alive, 0);
	assert_int_equal(ended_machines, 1);
	assert_int_equal(machine_how, MACHINE_POWER_OFF);
}

/* At once, and before all else its devices: they write to its memory */
static void test_privileged_starts_again(void **state)
{
	fake_vm.privileged = fake_vm.restarts = true;
	start();
	stop(VM_END_CRASH);
	assert_null(kept_of(boot)); /* its next life's */
	assert_null(kept_of(other));
	assert_int_equal(screens, 1);
	assert_null(fake_timer);
	assert_int_equal(fake_vm.state, VM_RUNNING);
	assert_int_equal(fake_vm.end, VM_END_NONE);
	assert_int_equal(fake_vm.lives, 1);
	assert_int_equal(quiet_steps, 0);
	assert_int_equal(other->events, VE_START);
	work();
	assert_int_equal(quiet_steps, 3);
	/* It was told to wait once, and left the core to others */
	assert_int_equal(fake_blocks, 1);
	assert_int_equal(fake_timer->deadline, 12345);
	boot->events = 0;
	fake_timer_fire();
	assert_int_equal(boot->events, 0);
	assert_int_equal(resets, 1);
	assert_int_equal(loads, 2);
	assert_int_equal(boot->activity, VCPU_RUNNING);
	assert_int_equal(alive, 1);
	assert_int_equal(ended_machines, 0);
	/* It is to power off, and then nobody starts */
	ending = true;
	stop(VM_END_CRASH);
	assert_int_equal(alive, 0);
	assert_int_equal(fake_vm.lives, 1);
}

/* As many as there may be; then as if it could not */
static void test_privileged_gives_up(void **state)
{
	fake_vm.privileged = true;
	start();
	stop(VM_END_FAILURE);
	assert_int_equal(ended_machines, 1);
	assert_int_equal(machine_how, MACHINE_RESET);
	assert_int_equal(fake_vm.lives, 0);
	fake_vm.state = VM_RUNNING;
	fake_vm.vcpus_live = 2;
	served_fake_leaves = 0;
	stop(VM_END_CRASH);
	assert_int_equal(ended_machines, 1); /* the others go on, unserved */
	assert_int_equal(served_fake_leaves, 1);
	assert_int_equal(fake_vm.state, VM_STOPPED);
}

/* However it ended, nothing of it stays in RAM, and it counts as alive until
 * that is so */
static void test_scrub(void **state)
{
	static const enum vm_end ways[] = { VM_END_POWER_OFF,
					    VM_END_DEBUG_EXIT };

	for (u32 i = 0; i < ARRAY_SIZE(ways); i++) {
		setup(state);
		start();
		memset(fake_ram, 0x77, RAM);
		stop(ways[i]);
		assert_int_equal(forgotten, 1);
		assert_int_equal(other->events, 0);
		assert_int_equal(alive, 1);
		assert_int_equal(fake_vm.state, VM_RUNNING);
		assert_true(work() > 1);
		assert_int_equal(alive, 0);
		assert_int_equal(boot->activity, VCPU_PARKED);
		assert_null(fake_timer);
	}
}

/* What crashed is as it was: its RAM, and its registers */
static void test_crash_is_kept(void **state)
{
	start();
	memset(fake_ram, 0x77, RAM);
	assert_null(kept_of(boot));
	boot->hw.regs.rip = 0x1234;
	stop(VM_END_CRASH);
	assert_int_equal(alive, 0);
	assert_int_equal(fake_vm.state, VM_STOPPED);
	assert_int_equal(boot->events, 0);
	assert_int_equal(fake_ram[RAM - 1], 0x77);
	assert_int_equal(kept_of(boot)->rip, 0x1234);
	assert_non_null(kept_of(other));
	/* Another end keeps none */
	setup(state);
	start();
	stop(VM_END_POWER_OFF);
	assert_null(kept_of(boot));
}

static void test_reset(void **state)
{
	start();
	memset(fake_ram, 0x77, RAM);
	stop(VM_END_RESET);
	assert_int_equal(abandoned, 1);
	assert_int_equal(fake_ram[0], 0x77); /* as long as it waits */
	boot->events = VE_INIT;
	other->events = VE_INIT | VE_SIPI | VE_FLUSH;
	fake_timer_fire();
	/* What was sent before is over. A home core may have it in its hands:
	 * it finds the vCPU parked, for nobody else makes it anything else.
	 * What a TLB has of that life is still to go. */
	assert_int_equal(other->events, VE_START | VE_FLUSH);
	assert_int_equal(other->activity, VCPU_PARKED);
	assert_int_equal(boot->activity, VCPU_PARKED);
	assert_int_equal(resets, 0); /* nor in the timer's interrupt */
	assert_int_equal(fake_vm.end, VM_END_NONE);
	work();
	assert_int_equal(resets, 1);
	assert_int_equal(forgotten, 2);
	assert_int_equal(loads, 2);
	assert_int_equal(boot->activity, VCPU_RUNNING);
	assert_int_equal(alive, 1);
}

/* One that has stopped, or crashed, is what it was at first */
static void test_starts_again(void **state)
{
	static const enum vm_end ways[] = { VM_END_POWER_OFF, VM_END_CRASH };

	assert_false(vm_start_again(&fake_vm)); /* it is being made */
	for (u32 i = 0; i < ARRAY_SIZE(ways); i++) {
		setup(state);
		start();
		fake_vm.stood.ticks = 99;
		assert_false(vm_start_again(&fake_vm));
		memset(fake_ram, 0x77, RAM);
		stop(ways[i]);
		if (ways[i] != VM_END_CRASH)
			work();
		assert_int_equal(alive, 0);
		ending = true;
		assert_false(vm_start_again(&fake_vm));
		ending = false;
		boot->events = VE_NMI;
		assert_true(vm_start_again(&fake_vm));
		assert_int_equal(alive, 1);
		assert_int_equal(fake_vm.stood.ticks, 0);
		assert_null(kept_of(boot));
		assert_false(vm_start_again(&fake_vm));
		assert_int_equal(other->events, VE_START);
		work();
		assert_int_equal(resets, 1);
		assert_int_equal(loads, 2);
		assert_int_equal(fake_ram[1], 0);
		assert_int_equal(boot->activity, VCPU_RUNNING);
		assert_int_equal(fake_vm.state, VM_RUNNING);
	}
}

static void test_reset_at_the_machines_end(void **state)
{
	start();
	memset(fake_ram, 0x77, RAM);
	ending = true;
	stop(VM_END_RESET);
	assert_null(fake_timer);
	work();
	assert_int_equal(alive, 0);
	/* It waited for its restart when the machine's end began */
	setup(state);
	start();
	stop(VM_END_RESET);
	ending = true;
	fake_timer_fire();
	assert_int_equal(fake_vm_ends, 1);
	assert_int_equal(fake_vm_end, VM_END_POWER_OFF);
	/* Its first start came late */
	setup(state);
	ending = true;
	vm_start(&fake_vm);
	assert_int_equal(fake_vm_ends, 1);
	assert_int_equal(fake_vm_end, VM_END_POWER_OFF);
}

/* Before it runs: in the middle of its RAM, or with an image that is none */
static void test_ends_early(void **state)
{
	vm_start(&fake_vm);
	assert_false(vm_work_step(boot));
	stop(VM_END_POWER_OFF);
	work();
	assert_int_equal(alive, 0);
	assert_int_equal(loads, 0);
	setup(state);
	load_error = -ENOEXEC;
	vm_start(&fake_vm);
	for (u32 i = 0; i < STEPS && !fake_vm_ends; i++)
		assert_false(vm_work_step(boot));
	assert_int_equal(fake_vm_end, VM_END_NOT_LOADED);
	stop(VM_END_NOT_LOADED);
	work();
	assert_int_equal(alive, 0);
}

/* The start is told to all before any of them runs, the end once to each by one
 * that tells no more than VM_FAN others */
static void test_many(void **state)
{
	static struct vcpu many[VM_MAX_VCPUS];

	fake_vm.vcpu_count = VM_MAX_VCPUS;
	for (u32 i = 0; i < VM_MAX_VCPUS; i++) {
		many[i] = (struct vcpu){ .vm = &fake_vm, .id = i };
		fake_vm.vcpus[i] = &many[i];
	}
	vm_start(&fake_vm);
	for (u32 i = 0; i < VM_MAX_VCPUS; i++) {
		assert_int_equal(many[i].events, VE_START);
		many[i].events = 0;
	}
	vm_post_all(&fake_vm, VE_STOP);
	fake_vm.vcpus_live = VM_MAX_VCPUS + 1; /* what follows is not seen */
	for (u32 i = 0; i < VM_MAX_VCPUS; i++) {
		u32 before = 0, after = 0;

		for (u32 n = 0; n < VM_MAX_VCPUS; n++)
			before += many[n].events;
		assert_int_equal(many[i].events, VE_STOP);
		vm_vcpu_parked(&many[i]);
		for (u32 n = 0; n < VM_MAX_VCPUS; n++) {
			assert_true(!(many[n].events & ~VE_STOP));
			after += many[n].events;
		}
		assert_in_range((after - before) / VE_STOP, 0, VM_FAN);
	}
	assert_int_equal(fake_vm.vcpus_live, 1);
	for (u32 i = 0; i < 4; i++)
		fake_vm.vcpus[i] = &fake_vcpus[i];
}

/* One core does it for all of them, and others want that core */
static void test_privileged_restart_of_many(void **state)
{
	static struct vcpu many[VM_MAX_VCPUS];

	fake_vm.privileged = fake_vm.restarts = true;
	fake_vm.vcpu_count = VM_MAX_VCPUS;
	for (u32 i = 0; i < VM_MAX_VCPUS; i++) {
		many[i] = (struct vcpu){ .vm = &fake_vm, .id = i };
		fake_vm.vcpus[i] = i ? &many[i] : boot;
	}
	vm_start(&fake_vm);
	work();
	for (u32 i = 0; i < VM_MAX_VCPUS; i++)
		fake_vm.vcpus[i]->events = VE_INIT | VE_NMI;
	fake_vm.end = VM_END_CRASH;
	boot->activity = VCPU_RUNNING;
	fake_vm.vcpus_live = 1;
	looks = told = longest = 0;
	vm_vcpu_parked(boot);
	note_told();
	assert_int_equal(told, VM_MAX_VCPUS);
	assert_in_range(longest, 1, FEW);
	assert_in_range(looks, VM_MAX_VCPUS / FEW, VM_MAX_VCPUS);
	assert_int_equal(fake_vm.vcpus_live, VM_MAX_VCPUS);
	looks = 0;
	work();
	assert_in_range(looks, VM_MAX_VCPUS / FEW, VM_MAX_VCPUS);
	assert_int_equal(many[VM_MAX_VCPUS - 1].hw.tsc_offset,
			 0 - fake_vm.tsc_start);
	fake_vm.vcpu_count = 2;
	for (u32 i = 0; i < 4; i++)
		fake_vm.vcpus[i] = &fake_vcpus[i];
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_start, setup),
		cmocka_unit_test_setup(test_privileged_ram_is_kept, setup),
		cmocka_unit_test_setup(test_privileged_starts_again, setup),
		cmocka_unit_test_setup(test_privileged_gives_up, setup),
		cmocka_unit_test_setup(test_scrub, setup),
		cmocka_unit_test_setup(test_crash_is_kept, setup),
		cmocka_unit_test_setup(test_reset, setup),
		cmocka_unit_test_setup(test_starts_again, setup),
		cmocka_unit_test_setup(test_reset_at_the_machines_end, setup),
		cmocka_unit_test_setup(test_ends_early, setup),
		cmocka_unit_test_setup(test_many, setup),
		cmocka_unit_test_setup(test_privileged_restart_of_many, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
