/* SOURCES: arch/x86/machine/idt.c arch/x86/cpu/cpu_area.c lib/printf.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/* What an exception ends in, and interrupts that have an exception's vector */
#include "arch/x86/cpu/cpu_area.h"
#include "arch/x86/cpu/panic.h"
#include "arch/x86/machine/idt.h"
#include "arch/x86/machine/irq.h"
#include "arch/x86/machine/lapic.h"
#include "arch/x86/machine/log_env.h"
#include "arch/x86/machine/mce.h"
#include "arch/x86/machine/nmi.h"
#include "arch/x86/machine/stub.h"
#include "include/hw/cpu.h"
#include "tests/unit/fakes/percpu.h"
#include "tests/unit/test.h"

/* Where the fix-ups are; nothing is executed there */
__asm__(".globl idt_stubs, rdmsr_safe_insn, wrmsr_safe_insn, xsetbv_safe_insn\n"
	".globl msr_safe_failed\n"
	".data\n"
	"idt_stubs: .skip 1\n"
	"rdmsr_safe_insn: .skip 1\n"
	"wrmsr_safe_insn: .skip 1\n"
	"xsetbv_safe_insn: .skip 1\n"
	"msr_safe_failed: .skip 1\n"
	".text\n");
extern const u8 wrmsr_safe_insn[], msr_safe_failed[];

size_t (*log_guest_hook)(const struct vcpu *v, char *buf, size_t size);

static bool ready, in_stub;
static u64 cr2;
static u32 in_service; /* vectors 0 to 31 */
static u32 dispatched; /* the same */
static jmp_buf died;
static char last_reason[256];
static enum mce_verdict mce;

bool lapic_ready(void)
{
	return ready;
}

bool lapic_in_service(u8 vector)
{
	assert_true(ready && vector < 32);
	return in_service >> vector & 1;
}

void irq_dispatch(u8 vector)
{
	dispatched |= 1u << vector;
}

enum mce_verdict mce_handle(u64 *address)
{
	return mce;
}

static u32 noted;

void nmi_note(void)
{
	noted++;
}

static bool panicking;

bool panic_active(void)
{
	return panicking;
}

bool panic_is_here(void)
{
	return panicking;
}

void panic_frame(const struct trap_frame *frame, const char *reason)
{
	snprintf(last_reason, sizeof(last_reason), "%s", reason);
	longjmp(died, 1);
}

static int setup(void **state)
{
	ready = true;
	in_service = dispatched = 0;
	mce = MCE_FATAL;
	return 0;
}

static bool dies(u32 vector)
{
	struct trap_frame frame = { .vector = vector };

	if (setjmp(died))
		return true;
	assert_false(exception_handle(&frame, cr2));
	return false;
}

static void test_exceptions(void **state)
{
	for (u32 v = 0; v < EXC_COUNT; v++)
		assert_int_equal(dies(v), v != EXC_NMI);
	ready = false; /* as early in the boot */
	assert_true(dies(EXC_PF));
	mce = MCE_NONE;
	assert_false(dies(EXC_MC));
	assert_int_equal(dispatched, 0);
}

static bool is_lost(u64 rip)
{
	return rip == 0x1234;
}

/* A guest's debug trap that an emulator lost is dropped, at its one place */
static void test_lost_debug_trap(void **state)
{
	struct trap_frame frame = { .vector = EXC_DB, .rip = 0x1234 };

	debug_hook = is_lost;
	assert_true(dies(EXC_DB)); /* at another place */
	if (setjmp(died))
		fail();
	assert_int_equal(exception_handle(&frame, 0), TRAP_RETURN);
	frame.vector = EXC_UD;
	if (!setjmp(died)) {
		exception_handle(&frame, 0);
		fail();
	}
	debug_hook = NULL;
}

static size_t guest_name(const struct vcpu *v, char *buf, size_t size)
{
	return (size_t)snprintf(buf, size, "box:1");
}

/* Whatever the handler of an exit did wrong, the log says for whom */
static void test_names_the_guest(void **state)
{
	static const u32 vectors[] = { EXC_DE, EXC_UD, EXC_DF, EXC_GP, EXC_PF };
	struct vcpu *some = (struct vcpu *)&vectors;

	log_guest_hook = guest_name;
	for (u32 i = 0; i < ARRAY_SIZE(vectors); i++) {
		fake_this_cpu->current = NULL;
		assert_true(dies(vectors[i]));
		assert_null(strstr(last_reason, "guest"));
		fake_this_cpu->current = some;
		assert_true(dies(vectors[i]));
		assert_non_null(strstr(last_reason, "guest box:1"));
	}
	fake_this_cpu->current = NULL;
	log_guest_hook = NULL;
}

static void test_names_the_stack_that_overflowed(void **state)
{
	fake_this_cpu->self = (struct pcpu *)(8 * STACK_SIZE);
	fake_this_cpu->id = 3;
	cr2 = (u64)cpu_area_guard(fake_this_cpu, IST_MC);
	assert_true(dies(EXC_PF));
	assert_non_null(
		strstr(last_reason, ": the #MC stack of core 3 overflowed"));
	cr2 -= 1;
	assert_true(dies(EXC_PF));
	assert_null(strstr(last_reason, "overflowed"));
	cr2 = 0;
	fake_this_cpu->self = NULL;
	fake_this_cpu->id = 0;
}

bool stub_fixup(struct trap_frame *frame)
{
	return in_stub;
}

/* A guest's instruction that the core does in its place. RIP is changed, and
 * IRETQ would compare it with the shadow stack's. */
static void test_stub(void **state)
{
	struct trap_frame frame = { .vector = EXC_XM };

	in_stub = true;
	assert_int_equal(exception_handle(&frame, cr2), TRAP_FIXED);
	in_stub = false;
	assert_true(dies(EXC_XM));
}

static void test_fixup(void **state)
{
	struct trap_frame frame = { .vector = EXC_GP,
				    .rip = (u64)wrmsr_safe_insn };

	assert_int_equal(exception_handle(&frame, cr2), TRAP_FIXED);
	assert_int_equal(frame.rip, (u64)msr_safe_failed);
}

/* A device sent it: SDM 3A table 6-1 says which ones would have had a word more
 * on the stack */
static void test_interrupts(void **state)
{
	static const u32 with_error =
		1u << 8 | 0x1fu << 10 | 1u << 17 | 1u << 21 | 3u << 29;

	for (u32 v = 0; v < EXC_COUNT; v++) {
		struct trap_frame frame = { .vector = v };

		in_service = 1u << v;
		dispatched = 0;
		assert_int_equal(exception_handle(&frame, cr2),
				 with_error >> v & 1);
		assert_int_equal(dispatched, in_service);
	}
	/* Another one's service does not make this exception an interrupt */
	in_service = 1u << EXC_GP;
	assert_true(dies(EXC_PF));
}

static bool sent;

static bool is_ours(u64 rip)
{
	assert_int_equal(rip, 0x1234);
	return sent;
}

/* The hypervisor's own, and the machine's */
static void test_nmi(void **state)
{
	struct trap_frame frame = { .vector = EXC_NMI, .rip = 0x1234 };

	noted = 0;
	nmi_hook = NULL;
	assert_int_equal(exception_handle(&frame, cr2), TRAP_RETURN);
	assert_int_equal(noted, 1);
	nmi_hook = is_ours;
	assert_int_equal(exception_handle(&frame, cr2), TRAP_RETURN);
	assert_int_equal(noted, 2);
	sent = true;
	assert_int_equal(exception_handle(&frame, cr2), TRAP_RETURN);
	assert_int_equal(noted, 2);
	nmi_hook = NULL;
}

/* The core that panics is not stopped by the board's */
static void test_nmi_in_a_panic(void **state)
{
	struct trap_frame frame = { .vector = EXC_NMI };

	noted = 0;
	panicking = true;
	assert_int_equal(exception_handle(&frame, cr2), TRAP_RETURN);
	assert_int_equal(noted, 0);
	panicking = false;
}

#define T(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_exceptions),
		T(test_lost_debug_trap),
		T(test_names_the_guest),
		T(test_names_the_stack_that_overflowed),
		T(test_stub),
		T(test_fixup),
		T(test_interrupts),
		T(test_nmi),
		T(test_nmi_in_a_panic),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
