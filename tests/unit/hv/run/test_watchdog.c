/* SOURCES: hv/run/watchdog.c lib/printf.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/* Two cores; core 0 watches core 1, which runs, idles, or hangs */
#include "arch/x86/machine/idt.h"
#include "arch/x86/machine/lapic.h"
#include "hv/core/exit.h"
#include "hv/core/vcpu.h"
#include "hv/run/watchdog.h"
#include "tests/unit/fakes/log.h"
#include "tests/unit/fakes/percpu.h"
#include "tests/unit/fakes/timer.h"
#include "tests/unit/fakes/vm.h"
#include "tests/unit/test.h"

#define OTHER (&fake_pcpus[1])

struct pcpu *pcpus[MAX_CPUS];
u32 pcpu_count;
bool (*nmi_hook)(u64 rip);

__asm__(".globl __text_start, __text_end\n"
	".data\n"
	"__text_start: .skip 64\n"
	"__text_end: .skip 1\n"
	".text\n");
extern const u8 __text_start[], __text_end[];

static u64 stack[1024];
static u32 nmis;

void lapic_send_nmi(u32 apic_id)
{
	assert_int_equal(apic_id, OTHER->apic_id);
	nmis++;
}

const char *exit_name(enum exit_kind kind)
{
	return kind == EXIT_PORT ? "port" : "another";
}

static void look(u32 times)
{
	fake_this_cpu = &fake_pcpus[0];
	while (times--)
		fake_timer_fire();
}

static int setup(void **state)
{
	fake_vm_init(2);
	memset(fake_pcpus, 0, sizeof(fake_pcpus));
	for (u32 i = 0; i < 2; i++) {
		pcpus[i] = &fake_pcpus[i];
		fake_pcpus[i].id = i;
		fake_pcpus[i].apic_id = 0x20 + i;
		fake_pcpus[i].online = true;
		fake_pcpus[i].stack_top = (u64)(stack + 1024);
	}
	pcpu_count = 2;
	OTHER->current = &fake_vcpus[0];
	fake_vcpus[0].hw.exit.kind = EXIT_PORT;
	nmis = 0;
	fake_this_cpu = OTHER;
	watchdog_start();
	fake_this_cpu = &fake_pcpus[0];
	watchdog_start();
	look(1);
	fake_log_reset();
	return 0;
}

static void test_alone(void **state)
{
	fake_timer = NULL;
	pcpu_count = 1;
	watchdog_start();
	assert_null(fake_timer);
}

static void test_healthy(void **state)
{
	OTHER->in_guest = true;
	look(20);
	OTHER->in_guest = false;
	OTHER->idle = true;
	look(20);
	OTHER->idle = false;
	for (u32 i = 0; i < 20; i++) {
		fake_vcpus[0].exits[EXIT_CPUID]++; /* always seen in the host */
		look(1);
		OTHER->turns++;
		look(1);
	}
	OTHER->online = false;
	look(20);
	assert_int_equal(fake_log_lines, 0);
	assert_int_equal(nmis, 0);
}

/* Once: whose exit, and where */
static void test_hangs(void **state)
{
	look(4);
	assert_int_equal(fake_log_lines, 0);
	look(1);
	assert_int_equal(fake_log_errors, 1);
	assert_non_null(strstr(fake_log_last, "core 1"));
	assert_non_null(strstr(fake_log_last, fake_vm.name));
	assert_non_null(strstr(fake_log_last, "last exit: port"));
	assert_int_equal(nmis, 1);
	fake_this_cpu = OTHER;
	assert_true(nmi_hook(0xffffffff80001234ull));
	assert_false(nmi_hook(0x5555)); /* nobody asked */
	look(1);
	assert_non_null(strstr(fake_log_last, "ffffffff80001234"));
	look(20);
	assert_int_equal(fake_log_errors, 2);
	OTHER->turns++;
	look(1);
	assert_non_null(strstr(fake_log_last, "goes on after 26 s"));
	/* And again */
	look(5);
	assert_int_equal(nmis, 2);
}

static void test_takes_no_nmi(void **state)
{
	char inner[32], outer[32];
	const char *at;

	memset(stack, 0, sizeof(stack));
	stack[1000] = (u64)__text_start + 8;
	stack[1010] = (u64)__text_start + 32;
	stack[1011] = (u64)__text_end;
	snprintf(inner, sizeof(inner), " %llx", stack[1000]);
	snprintf(outer, sizeof(outer), " %llx", stack[1010]);
	OTHER->current = NULL;
	look(5);
	assert_non_null(strstr(fake_log_last, "no guest"));
	look(1);
	assert_non_null(strstr(fake_log_last, "does not take"));
	at = strstr(fake_log_last, outer);
	assert_non_null(at);
	assert_string_equal(at + strlen(outer), inner);
	memset(stack, 0x11, sizeof(stack));
	for (u32 i = 0; i < 1024; i++)
		stack[i] = (u64)__text_start + 1;
	OTHER->turns++;
	look(7); /* a full line */
	assert_non_null(strstr(fake_log_last, "outermost"));
}

#define T(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_healthy),
		T(test_hangs),
		T(test_takes_no_nmi),
		T(test_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
