/* SOURCES: hv/vm/machine_end.c lib/log_ring.c lib/printf.c lib/string.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/* When the machine ends, and how: with the privileged guest, or with the last
 * guest that ended by itself. After a crash it stays on and says why, until a
 * key or the time of reboot_after. Nothing here returns that switches it off.
 */
#include "hv/vm/machine_end.h"

#include "arch/x86/machine/smp.h"
#include "drivers/power/power.h"
#include "hv/console/console.h"
#include "hv/core/stretch.h"
#include "hv/device/pc/vpm.h"
#include "hv/vm/vcpu.h"
#include "tests/unit/fakes/log.h"
#include "tests/unit/fakes/timer.h"
#include "tests/unit/fakes/tsc.h"
#include "tests/unit/fakes/vm.h"
#include "tests/unit/fakes/vm_end.h"

#include <sys/wait.h>
#include <unistd.h>

struct vm *vms[VM_MAX];
u32 vm_count;
struct pcpu *pcpus[MAX_CPUS];
u32 pcpu_count;

static struct guest_config config;
static void (*key)(u8 byte);
static jmp_buf over;
enum { STAYS, OFF, RESET };

/* The machine ends once in a process: each case is one of its own */
void power_off(void)
{
	longjmp(over, OFF);
}

void power_reset(void)
{
	longjmp(over, RESET);
}

void console_take_over(void (*on_key)(u8 byte))
{
	key = on_key;
}

void console_finish(void)
{
}

void stretch_report(void)
{
}

static bool listens;

bool vpm_power_button(struct vm *vm)
{
	return listens;
}

void vcpu_leave_core(struct pcpu *cpu)
{
}

void pcpu_kick(struct pcpu *cpu, u32 bits)
{
}

static void guest(enum vm_end how, const char *reason)
{
	fake_vm.end = how;
	fake_vm.end_reason = reason;
	machine_guest_made();
	machine_guest_ended(&fake_vm);
}

/* What becomes of the machine, in a child that may end it */
static void expect(int what, void (*test)(void))
{
	int got;

	fake_vm_init(1);
	fake_vm.config = &config;
	fake_timer = NULL;
	key = NULL;
	fake_log_reset();
	got = setjmp(over);
	if (!got)
		test();
	assert_int_equal(got, what);
}

/* In a process of its own */
static void in_child(int what, void (*test)(void))
{
	int status;
	pid_t pid = fork();

	if (!pid) {
		expect(what, test);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void power_off_by_itself(void)
{
	guest(VM_END_POWER_OFF, "it powered off");
}

static void debug_exit(void)
{
	guest(VM_END_DEBUG_EXIT, "debug exit");
}

static void crash(void)
{
	guest(VM_END_CRASH, "triple fault");
	assert_string_equal(fake_log_last,
			    "guest test crashed: triple fault; no guest runs "
			    "now; press a key to switch the machine off");
	assert_int_equal(fake_log_errors, 1);
	assert_non_null(key);
	for (u32 i = 0; i < 100; i++)
		fake_timer_fire();
}

static void crash_then_key(void)
{
	crash();
	key('x');
}

/* The PC's keyboard is looked at, and only a key ends it */
static bool pressed;

void console_keys(void)
{
	if (pressed)
		key(0);
}

static void crash_then_keyboard(void)
{
	crash();
	fake_timer_fire();
	pressed = true;
	fake_timer_fire();
}

static void failed_start(void)
{
	machine_reboot_after(30);
	tsc_khz = 1000; /* so that 30 s are some milliseconds */
	guest(VM_END_NOT_LOADED, "its image cannot be loaded");
	assert_string_equal(fake_log_last,
			    "guest test does not start: its image cannot be "
			    "loaded; no guest runs now; the machine restarts "
			    "in 30 s, or press a key to switch it off");
}

static void failed_start_then_time(void)
{
	u64 begin = rdtsc();

	failed_start();
	while (rdtsc() - begin < 29 * 1000000ull)
		fake_timer_fire();
	for (;;)
		fake_timer_fire();
}

static void failed_start_then_key(void)
{
	failed_start();
	key('x');
}

/* Others still run: nothing of that yet */
static void crash_beside_another(void)
{
	machine_guest_made();
	guest(VM_END_CRASH, "triple fault");
	assert_null(key);
	assert_int_equal(fake_log_lines, 0);
	fake_vm.end = VM_END_POWER_OFF;
	machine_guest_ended(&fake_vm);
}

/* The privileged guest's reset, which an isolated one answers by a crash */
static void reset_is_asked_for(void)
{
	machine_guest_made();
	vms[0] = &fake_vm;
	vm_count = 1;
	machine_end(MACHINE_RESET);
	assert_int_equal(fake_vm_end, VM_END_POWER_OFF);
	fake_vm.end = VM_END_CRASH;
	machine_guest_ended(&fake_vm);
}

/* One that listens has some time, but not while it stands: nobody would let it
 * go on */
static void a_paused_one_gets_no_time(void)
{
	listens = true;
	config.shutdown_grace_s = 60;
	fake_vm.state = VM_RUNNING;
	fake_vm.pauses = 1;
	reset_is_asked_for();
}

static void one_that_listens_gets_time(void)
{
	listens = true;
	config.shutdown_grace_s = 60;
	fake_vm.state = VM_RUNNING;
	fake_vm.pauses = 2;
	machine_guest_made();
	vms[0] = &fake_vm;
	vm_count = 1;
	fake_vm_ends = 0;
	machine_end(MACHINE_POWER_OFF);
	assert_int_equal(fake_vm_ends, 0);
	assert_non_null(fake_timer);
	fake_timer_fire();
	assert_int_equal(fake_vm_end, VM_END_POWER_OFF);
}

static void test_ends(void **state)
{
	in_child(OFF, power_off_by_itself);
	in_child(OFF, debug_exit);
	in_child(OFF, crash_beside_another);
	in_child(RESET, reset_is_asked_for);
	in_child(RESET, a_paused_one_gets_no_time);
	in_child(STAYS, one_that_listens_gets_time);
}

static void test_stays(void **state)
{
	in_child(STAYS, crash);
	in_child(OFF, crash_then_key);
	in_child(OFF, crash_then_keyboard);
	in_child(STAYS, failed_start);
	in_child(RESET, failed_start_then_time);
	in_child(OFF, failed_start_then_key);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ends),
		cmocka_unit_test(test_stays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
