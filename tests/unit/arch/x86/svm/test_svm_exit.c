/* SOURCES: arch/x86/svm/exit.c arch/x86/svm/event.c arch/x86/svm/state.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/* Exits that are over in the back-end: what they interrupted is not lost */
#include "arch/x86/machine/lapic.h"
#include "arch/x86/svm/internal.h"
#include "tests/unit/test.h"

struct svm_caps svm_caps;
const u8 svm_enter_vmrun[1];
static struct vmcb vmcb;
static struct vcpu_arch arch = { .vmcb = &vmcb };
static struct vcpu_hw hw = { .arch = &arch };
static u32 unloads;

void lapic_send_ipi(u32 apic_id, u8 vector)
{
}

void lapic_offer_again(void)
{
}

void svm_unload(struct pcpu *c)
{
	unloads++;
}

static bool decode(u32 code)
{
	const struct svm_exit_row *row = &svm_exit_rows[code];

	hw.exit.kind = row->kind;
	hw.exit.raw_reason = code;
	return row->decode(&hw, &hw.exit);
}

/* The NMI or SMI is taken at once. If it came while an event was delivered, the
 * core still has to hear of that: it injects the event again. */
static void test_nmi_and_delivery(void **state)
{
	static const u32 codes[] = { VMEXIT_NMI, VMEXIT_SMI };

	for (u32 i = 0; i < ARRAY_SIZE(codes); i++) {
		unloads = 0;
		hw.exit.vectoring.type = EVENT_NONE;
		assert_false(decode(codes[i]));
		hw.exit.vectoring = (struct vcpu_event){ .type = EVENT_EXTINT,
							 .vector = 0x41 };
		assert_true(decode(codes[i]));
		assert_int_equal(unloads, 2);
		assert_int_equal(hw.exit.vectoring.vector, 0x41);
		assert_int_equal(hw.exit.kind,
				 codes[i] == VMEXIT_NMI ? EXIT_NMI : EXIT_SMI);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nmi_and_delivery),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
