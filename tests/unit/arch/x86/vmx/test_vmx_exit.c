/* SOURCES: arch/x86/vmx/exit.c arch/x86/vmx/run.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Exits of which no emulator makes any: bus locks and notify VM exits. VMREAD
 * and MOV from CR2 are no instructions of a program. The handler of their
 * faults reads the field from a table and steps over them.
 */
#include <signal.h>
#include <ucontext.h>

#include "arch/x86/vmx/internal.h"
#include "tests/unit/fakes/log.h"
#include "tests/unit/test.h"

#define FIELDS_MAX 16

/* What run.c and exit.c call, and no test here reaches */
struct vmx_caps vmx_caps;
u64 tsc_khz;
static u32 polls;
void irq_poll(void)
{
	polls++;
}
void vmx_store_groups(struct vcpu_hw *v, u32 groups)
{
}
void vmx_tpr_threshold_update(struct vcpu_hw *v)
{
}
void vmx_set_cpu_controls(struct vcpu_arch *a, u32 value)
{
}
void vmx_write_failed(u32 field)
{
	abort();
}

void vmx_event_from_info(struct vcpu_event *event, u32 info, u32 error,
			 u8 insn_len)
{
	event->type = EVENT_EXTINT;
	event->vector = INTR_VECTOR(info);
}

static struct {
	u32 id;
	u64 value;
} fields[FIELDS_MAX];
static u32 field_count;
static struct vcpu_arch arch;
static struct vcpu_hw hw;

static void set(u32 id, u64 value)
{
	fields[field_count].id = id;
	fields[field_count++].value = value;
}

static u64 get(u64 id)
{
	for (u32 i = 0; i < field_count; i++)
		if (fields[i].id == id)
			return fields[i].value;
	return 0;
}

/* 0f 78 /r: the register operand has the field's number. The other operand is a
 * register, or memory that a register and a displacement point to. */
static void on_fault(int sig, siginfo_t *info, void *context)
{
	static const int regs[] = { REG_RAX, REG_RCX, REG_RDX, REG_RBX,
				    REG_RSP, REG_RBP, REG_RSI, REG_RDI,
				    REG_R8,  REG_R9,  REG_R10, REG_R11,
				    REG_R12, REG_R13, REG_R14, REG_R15 };
	greg_t *r = ((ucontext_t *)context)->uc_mcontext.gregs;
	const u8 *insn = (const u8 *)r[REG_RIP];
	u8 rex = (insn[0] & 0xf0) == 0x40 ? *insn++ : 0;
	u8 modrm = insn[2];
	u64 value = get((u64)r[regs[(modrm >> 3 & 7) | (rex & 4) << 1]]);
	u32 rm = (modrm & 7) | (rex & 1) << 3, length = 3;
	s64 at = r[regs[rm]];
	s32 displacement;

	if (insn[0] == 0x0f && insn[1] == 0x20) { /* MOV from CR2 */
		r[REG_RIP] = (greg_t)(insn + length);
		return;
	}
	if (insn[0] == 0x0f && insn[1] == 0x79 && modrm >> 6 == 3) {
		((ucontext_t *)context)->uc_mcontext.gregs[REG_EFL] &= ~0x41;
		r[REG_RIP] = (greg_t)(insn + length); /* VMWRITE, done */
		return;
	}
	if (insn[0] != 0x0f || insn[1] != 0x78)
		abort();
	switch (modrm >> 6) {
	case 3:
		r[regs[rm]] = (greg_t)value;
		break;
	case 2:
		memcpy(&displacement, insn + 3, 4);
		at += displacement;
		length += 4;
		*(u64 *)at = value;
		break;
	case 1:
		at += (s8)insn[3];
		length++;
		*(u64 *)at = value;
		break;
	default:
		*(u64 *)at = value;
	}
	if (modrm >> 6 != 3 && (modrm & 7) == 4)
		abort(); /* a SIB byte */
	r[REG_RIP] = (greg_t)(insn + length);
}

static void leave(u32 reason)
{
	struct sigaction action = { .sa_sigaction = on_fault,
				    .sa_flags = SA_SIGINFO };

	sigaction(SIGILL, &action, NULL);
	sigaction(SIGSEGV, &action, NULL);
	hw.regs.rip = 0x1234; /* enter.asm */
	set(VMCS_EXIT_INSN_LENGTH.id, 7);
	vmx_exited(&hw, hw.arch, reason);
}

static int setup(void **state)
{
	field_count = 0;
	arch = (struct vcpu_arch){ 0 };
	memset(&hw, 0, sizeof(hw));
	hw.arch = &arch;
	fake_log_reset();
	return 0;
}

/* What waits is taken, as no exit came for it */
static void the_end_of_guest_time_polls(void **state)
{
	arch.timer_ticks = 100;
	tsc_khz = 1000000;
	polls = 0;
	leave(REASON_PREEMPTION_TIMER);
	assert_int_equal(hw.exit.kind, EXIT_IRQ);
	assert_false(hw.exit.irq.acked);
	assert_int_equal(polls, 1);
}

static void a_bus_lock_has_no_instruction(void **state)
{
	leave(REASON_BUS_LOCK);
	assert_int_equal(hw.exit.kind, EXIT_BUS_LOCK);
	assert_int_equal(hw.exit.insn_len, 0);
	assert_int_equal(hw.exit.vectoring.type, EVENT_NONE);
	assert_int_equal(hw.regs.rip, 0x1234);
}

/* The CPU may set the bit for this reason, too */
static void the_bit_beside_its_own_reason(void **state)
{
	leave(REASON_BUS_LOCK | REASON_BUS_LOCKED);
	assert_int_equal(hw.exit.kind, EXIT_BUS_LOCK);
}

static void a_bus_lock_during_a_delivery_keeps_the_event(void **state)
{
	set(VMCS_VECTORING_INFO.id, INTR_VALID | 0x41);
	leave(REASON_BUS_LOCK);
	assert_int_equal(hw.exit.vectoring.type, EVENT_EXTINT);
	assert_int_equal(hw.exit.vectoring.vector, 0x41);
}

static void a_bus_lock_beside_another_exit_is_that_exit(void **state)
{
	leave(REASON_CPUID | REASON_BUS_LOCKED);
	assert_int_equal(hw.exit.kind, EXIT_CPUID);
	assert_int_equal(hw.exit.insn_len, 7);
	assert_int_equal(fake_log_errors, 0);
}

static void an_unknown_reason_stays_odd(void **state)
{
	static const u32 reasons[] = { VMX_EXIT_ROWS,
				       VMX_EXIT_ROWS | REASON_BUS_LOCKED,
				       1u << 25, 1u << 27 | REASON_BUS_LOCKED };

	for (u32 i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++) {
		setup(NULL);
		leave(reasons[i]);
		assert_int_equal(hw.exit.kind, EXIT_UNKNOWN);
	}
	setup(NULL);
	leave(REASON_BAD_GUEST_STATE | REASON_ENTRY_FAILED | REASON_BUS_LOCKED);
	assert_int_equal(hw.exit.kind, EXIT_ENTRY_FAILED);
}

static void a_guest_that_is_stuck_goes_on(void **state)
{
	leave(REASON_NOTIFY);
	assert_int_equal(hw.exit.kind, EXIT_STUCK);
	assert_false(hw.exit.stuck.lost);
	assert_int_equal(hw.exit.insn_len, 0);
}

static void unless_its_state_is_lost(void **state)
{
	set(VMCS_EXIT_QUALIFICATION.id, NOTIFY_QUAL_INVALID);
	leave(REASON_NOTIFY);
	assert_true(hw.exit.stuck.lost);
}

static void an_iret_that_is_stuck_blocks_nmis_again(void **state)
{
	set(VMCS_EXIT_QUALIFICATION.id, NOTIFY_QUAL_NMI_UNBLOCKED);
	leave(REASON_NOTIFY);
	assert_true(hw.regs.shadow & SHADOW_NMI);
	assert_true(hw.regs.dirty & RG_RIP);
	assert_false(hw.exit.stuck.lost);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(the_end_of_guest_time_polls, setup),
		cmocka_unit_test_setup(a_bus_lock_has_no_instruction, setup),
		cmocka_unit_test_setup(the_bit_beside_its_own_reason, setup),
		cmocka_unit_test_setup(
			a_bus_lock_during_a_delivery_keeps_the_event, setup),
		cmocka_unit_test_setup(
			a_bus_lock_beside_another_exit_is_that_exit, setup),
		cmocka_unit_test_setup(an_unknown_reason_stays_odd, setup),
		cmocka_unit_test_setup(a_guest_that_is_stuck_goes_on, setup),
		cmocka_unit_test_setup(unless_its_state_is_lost, setup),
		cmocka_unit_test_setup(an_iret_that_is_stuck_blocks_nmis_again,
				       setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
