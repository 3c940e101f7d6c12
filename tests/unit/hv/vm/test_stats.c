/* SOURCES: hv/vm/stats.c hv/core/exit.c lib/printf.c lib/string.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/* The line that says what a guest's exits were */
#include "arch/x86/machine/tsc.h"
#include "hv/core/exit.h"
#include "hv/core/stretch.h"
#include "hv/irq/vlapic.h"
#include "hv/vm/stats.h"
#include "lib/log.h"
#include "lib/printf.h"
#include "tests/unit/fakes/percpu.h"
#include "tests/unit/fakes/timer.h"
#include "tests/unit/test.h"

static struct vm vm_a, vm_b;
struct vm *vms[VM_MAX] = { &vm_a, &vm_b };
u32 vm_count = 2;
static struct vcpu cpus[3];
static char lines[1000];
static u32 line_count;

void log_write(enum log_level level, const char *tag, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	bh_vsnprintf(lines, sizeof(lines), fmt, ap);
	va_end(ap);
	line_count++;
}

void stretch_report(void)
{
}

static u32 looks;

void stretch_look(void)
{
	looks++;
}

int vlapic_pending(struct vcpu *v)
{
	return 0x41;
}

u64 tsc_to_ns(u64 ticks)
{
	return 1500000;
}

u64 ns_to_tsc(u64 ns)
{
	return ns;
}

static int setup(void **state)
{
	memset(cpus, 0, sizeof(cpus));
	line_count = 0;
	strcpy(vm_a.name, "a");
	vm_a.vcpu_count = 2;
	vm_a.vcpus[0] = &cpus[0];
	vm_a.vcpus[1] = &cpus[1];
	vm_a.state = VM_RUNNING;
	strcpy(vm_b.name, "b");
	vm_b.vcpu_count = 1;
	vm_b.vcpus[0] = &cpus[2];
	vm_b.state = VM_STOPPED;
	return 0;
}

static void test_line(void **state)
{
	cpus[0].exits[EXIT_HLT] = 3;
	cpus[1].exits[EXIT_HLT] = 4;
	cpus[1].exits[EXIT_PORT] = 1;
	exit_stats_log(&vm_a);
	assert_string_equal(lines, "guest a: 8 exits in 1 ms, HLT 7, port 1");
}

/* Every kind at once, with large counts: cut, not overrun */
static void test_long(void **state)
{
	for (u32 i = 0; i < EXIT_KINDS; i++)
		cpus[2].exits[i] = ~0ull;
	exit_stats_log(&vm_b);
	assert_true(strlen(lines) < 500);
}

static void test_key(void **state)
{
	stats_key('x');
	assert_null(fake_timer);
	stats_key('s');
	while (fake_timer)
		fake_timer_fire();
	assert_int_equal(line_count, 1); /* of those that run */
	stats_key('v');
	while (fake_timer)
		fake_timer_fire();
	assert_int_equal(line_count, 2);
	assert_int_equal(cpus[0].events, VE_REPORT);
	assert_int_equal(cpus[1].events, VE_REPORT);
	assert_int_equal(cpus[2].events, 0);
}

/* No step of the lists has to do with more than 64 vCPUs */
static void test_key_for_many(void **state)
{
	static struct vcpu many[300];
	u32 steps = 0, asked = 0;

	vm_a.vcpu_count = ARRAY_SIZE(many);
	for (u32 i = 0; i < ARRAY_SIZE(many); i++) {
		many[i].exits[EXIT_HLT] = 2;
		vm_a.vcpus[i] = &many[i];
	}
	stats_key('s');
	for (; fake_timer; steps++)
		fake_timer_fire();
	assert_in_range(steps, 5, 7);
	assert_string_equal(lines, "guest a: 600 exits in 1 ms, HLT 600");
	stats_key('v');
	while (fake_timer) {
		u32 before = asked;

		fake_timer_fire();
		for (asked = 0; many[asked].events == VE_REPORT &&
				asked + 1 < ARRAY_SIZE(many);)
			asked++;
		assert_in_range(asked, before, before + 64);
	}
	assert_int_equal(many[ARRAY_SIZE(many) - 1].events, VE_REPORT);
}

static void test_vcpu(void **state)
{
	struct vcpu_regs *r = &cpus[1].hw.regs;

	cpus[1].vm = &vm_a;
	cpus[1].id = 1;
	cpus[1].entity.cpu = &fake_pcpus[2];
	fake_pcpus[2].id = 2;
	cpus[1].activity = VCPU_HALTED;
	cpus[1].exits[EXIT_HLT] = 7;
	r->valid = ~0u;
	r->rip = 0x1234;
	r->rflags = 0x202;
	r->seg[SEG_CS].sel = 0x10;
	vcpu_report(&cpus[1]);
	assert_string_equal(lines,
			    "guest a: vCPU 1 on core 2 halts at "
			    "0010:0000000000001234, rflags 000202, interrupt "
			    "65 waits, 7 exits, 7 more");
	cpus[1].exits[EXIT_PORT] = 2;
	vcpu_report(&cpus[1]);
	assert_non_null(strstr(lines, "9 exits, 2 more"));
}

/* The core takes its interrupts in between, however many vCPUs there are */
static void test_many(void **state)
{
	static struct vcpu many[VM_MAX_VCPUS];

	vm_a.vcpu_count = VM_MAX_VCPUS;
	for (u32 i = 0; i < VM_MAX_VCPUS; i++) {
		vm_a.vcpus[i] = &many[i];
		many[i].exits[EXIT_HLT] = 1;
	}
	looks = 0;
	exit_stats_log(&vm_a);
	assert_string_equal(lines, "guest a: 1024 exits in 1 ms, HLT 1024");
	assert_in_range(looks, VM_MAX_VCPUS / 100, VM_MAX_VCPUS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_line, setup),
		cmocka_unit_test_setup(test_long, setup),
		cmocka_unit_test_setup(test_key, setup),
		cmocka_unit_test_setup(test_key_for_many, setup),
		cmocka_unit_test_setup(test_vcpu, setup),
		cmocka_unit_test_setup(test_many, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
