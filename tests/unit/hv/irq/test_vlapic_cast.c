/* SOURCES: hv/irq/vlapic.c hv/irq/vlapic_io.c hv/irq/vlapic_icr.c hv/irq/vlapic_timer.c hv/irq/vlapic_pv.c hv/emulate/lapic_page.c hv/emulate/insn.c hv/emulate/insn_modrm.c hv/emulate/insn_vex.c hv/core/slots.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/* Messages to 1,023 others: what a piece is, and that all of them come, once */
#define rdtsc machine_rdtsc
#include "arch/x86/machine/tsc.h"
#undef rdtsc

static u64 now;

/* Each look comes after a message, which takes a microsecond */
static u64 rdtsc(void)
{
	return now += 1000;
}

#include "hv/irq/vioapic.h"
#include "hv/irq/vlapic_cast.c"
#include "tests/unit/fakes/lapics.h"

#define MANY      1024u
#define SENDER    700u
#define PIECE     64u /* messages; with a microsecond each, PIECE_US are 25 */
#define MSR_ICR   0x830u
#define TO_ALL    (3u << 18 | 1u << 14) /* but the sender */
#define EVERYBODY (0xffffffffull << 32)

static struct vcpu many[MANY];

static int setup(void **state)
{
	fake_vm_init(4);
	fake_ram_init(PAGE_SIZE, 0);
	tsc_khz = 1000000;
	fake_vm.vcpu_count = MANY;
	fake_vm.late = NULL;
	for (u32 i = 0; i < MANY; i++) {
		many[i] = (struct vcpu){ .vm = &fake_vm, .id = i };
		many[i].entity.cpu = &fake_pcpus[i % 4];
		assert_int_equal(vlapic_create(&many[i]), 0);
		write_reg(&many[i], APIC_SVR, 0x1ff);
		fake_vm.vcpus[i] = &many[i];
	}
	return 0;
}

static int teardown(void **state)
{
	for (u32 i = 0; i < MANY; i++)
		vlapic_destroy(&many[i]);
	fake_vm_init(4);
	return 0;
}

static void all_x2apic(void)
{
	for (u32 i = 0; i < MANY; i++)
		x2apic_on(&many[i]);
}

/* How many have VE_IRQ, which they lose */
static u32 told(void)
{
	u32 count = 0;

	for (u32 i = 0; i < MANY; i++) {
		count += many[i].events & VE_IRQ ? 1 : 0;
		many[i].events &= ~(u32)VE_IRQ;
	}
	return count;
}

/* The rest of what @v sends; no piece of it is long, and nobody is told twice.
 * Returns how many were told. */
static u32 finish(struct vcpu *v)
{
	u32 all = told(), piece;
	bool done;

	assert_in_range(all, 1, PIECE);
	assert_true(v->events & VE_INSN);
	do {
		done = vlapic_insn_go_on(v);
		piece = told();
		assert_in_range(piece, 0, PIECE);
		all += piece;
	} while (!done);
	assert_true(vlapic_insn_go_on(v));
	return all;
}

static void check_pending(u32 vector, u32 but)
{
	for (u32 i = 0; i < MANY; i++)
		assert_int_equal(vlapic_pending(&many[i]),
				 i == but ? -1 : (int)vector);
}

static void test_shorthand(void **state)
{
	all_x2apic();
	assert_int_equal(
		vlapic_msr_write(&many[SENDER], MSR_ICR, TO_ALL | 0x51), 0);
	assert_int_equal(finish(&many[SENDER]), MANY - 1);
	check_pending(0x51, SENDER);
}

static void test_broadcast(void **state)
{
	all_x2apic();
	assert_int_equal(
		vlapic_msr_write(&many[SENDER], MSR_ICR, EVERYBODY | 0x52), 0);
	assert_int_equal(finish(&many[SENDER]), MANY);
	check_pending(0x52, MANY);
}

/* By the page, and a logical id that each of them has */
static void test_logical(void **state)
{
	for (u32 i = 0; i < MANY; i++)
		write_reg(&many[i], APIC_LDR, 0xff000000);
	write_reg(&many[SENDER], APIC_ICR_HIGH, 1u << 24);
	write_reg(&many[SENDER], APIC_ICR_LOW, APIC_ICR_LOGICAL | 0x53);
	assert_int_equal(finish(&many[SENDER]), MANY);
	check_pending(0x53, MANY);
}

static void test_reset_of_the_sender(void **state)
{
	all_x2apic();
	assert_int_equal(
		vlapic_msr_write(&many[SENDER], MSR_ICR, TO_ALL | 0x51), 0);
	vlapic_reset(&many[SENDER], false);
	told();
	assert_true(vlapic_insn_go_on(&many[SENDER]));
	assert_int_equal(told(), 0);
}

/* The lowest of the first 64, by one message */
static void test_lowest(void **state)
{
	all_x2apic();
	for (u32 i = 0; i < MANY; i++)
		write_reg(&many[i], APIC_TPR, i == 63 ? 0x10 : 0x20);
	told();
	assert_int_equal(vlapic_msr_write(&many[SENDER], MSR_ICR,
					  EVERYBODY | 1u << 8 | 0x54),
			 0);
	assert_int_equal(told(), 1);
	assert_int_equal(vlapic_pending(&many[63]), 0x54);
	assert_false(many[SENDER].events & VE_INSN);
}

/* An EOI that many pins wait for goes on like a message */
static void test_eoi_in_pieces(void **state)
{
	struct vcpu *v = &many[SENDER];

	eoi_pieces = 2;
	vlapic_post(v, 0x71, TRIGGER_LEVEL);
	assert_int_equal(vlapic_pending(v), 0x71);
	vlapic_accept(v, 0x71);
	v->events = 0;
	write_reg(v, APIC_EOI, 0);
	assert_true(v->events & VE_INSN);
	assert_false(vlapic_insn_go_on(v));
	assert_true(vlapic_insn_go_on(v));
	assert_int_equal(eoi_vector, 0x71);
	assert_int_equal(eoi_end, VIOAPIC_EOI_ALL);
	/* One IOAPIC's, which the guest has written to */
	v->events = 0;
	vlapic_eoi_pins(v, 0x72, 1, 120);
	assert_int_equal(v->events, VE_INSN);
	assert_true(vlapic_insn_go_on(v));
	assert_int_equal(eoi_vector, 0x72);
	assert_int_equal(eoi_end, 120);
	eoi_pieces = 0;
	vlapic_post(v, 0x71, TRIGGER_LEVEL);
	assert_int_equal(vlapic_pending(v), 0x71);
	vlapic_accept(v, 0x71);
	v->events = 0;
	write_reg(v, APIC_EOI, 0);
	assert_false(v->events & VE_INSN);
}

/* Others are at the IOAPIC: the pins hear of it before the next instruction */
static void test_eoi_in_a_crowd(void **state)
{
	struct vcpu *v = &many[SENDER];

	eoi_vector = -1;
	fake_vm.crowd = CROWD_ISOLATED;
	vlapic_eoi_pins(v, 0x73, 0, VIOAPIC_EOI_ALL);
	assert_int_equal(v->events & VE_INSN, VE_INSN);
	assert_false(vlapic_insn_go_on(v));
	assert_int_equal(eoi_vector, -1);
	fake_vm.crowd = CROWD_ISOLATED - 1;
	assert_true(vlapic_insn_go_on(v));
	assert_int_equal(eoi_vector, 0x73);
	assert_int_equal(fake_vm.crowd, CROWD_ISOLATED - 1);
}

/* KVM's hypercall: RAX becomes how many took it */
static void test_set(void **state)
{
	const u64 set[2] = { ~0ull, ~0ull };
	u64 *rax = &vcpu_regs(&many[0])->gpr[GPR_RAX];

	*rax = vlapic_send_set(&many[0], set, 200, 0x41);
	assert_int_equal(finish(&many[0]), 128);
	assert_int_equal(*rax, 128);
	assert_int_equal(vlapic_pending(&many[199]), -1);
	assert_int_equal(vlapic_pending(&many[200]), 0x41);
	assert_int_equal(vlapic_pending(&many[327]), 0x41);
	assert_int_equal(vlapic_pending(&many[328]), -1);
}

/* --- devices --- */

static struct vlapic_late late;
static u32 unheard;

static void nobody(struct vlapic_late *self, struct vm *vm)
{
	assert_ptr_equal(self, &late);
	unheard++;
}

static u32 device_posts(u8 vector)
{
	const struct vlapic_msg m = { .dest = 1,
				      .logical = true,
				      .mode = APIC_DM_FIXED,
				      .vector = vector };

	return vlapic_deliver(&fake_vm, &m, &late);
}

static u32 finish_late(void)
{
	u32 all = 0, piece;
	bool done;

	do {
		done = vlapic_late_go_on(&many[0]);
		piece = told();
		assert_in_range(piece, 0, PIECE);
		all += piece;
	} while (!done);
	return all;
}

static void set_ldrs(u32 count)
{
	for (u32 i = 0; i < MANY; i++)
		write_reg(&many[i], APIC_LDR, i < count ? 1u << 24 : 0);
	told();
	late = (struct vlapic_late){ .nobody = nobody };
	unheard = 0;
}

/* To few it goes at once */
static void test_device_to_few(void **state)
{
	set_ldrs(VLAPIC_AT_ONCE);
	assert_int_equal(device_posts(0x60), VLAPIC_AT_ONCE);
	assert_int_equal(told(), VLAPIC_AT_ONCE);
	assert_false(many[0].events & VE_LATE);
}

static void test_device_to_many(void **state)
{
	set_ldrs(MANY);
	assert_int_equal(device_posts(0x61), VLAPIC_WAITS);
	assert_int_equal(told(), 0);
	assert_true(many[0].events & VE_LATE);
	/* Again, before the first is sent: one message, the newer */
	assert_int_equal(device_posts(0x62), VLAPIC_WAITS);
	assert_int_equal(finish_late(), MANY);
	check_pending(0x62, MANY);
	/* And again, while one is on its way */
	device_posts(0x63);
	assert_false(vlapic_late_go_on(&many[0]));
	many[0].events = 0;
	device_posts(0x64);
	assert_true(many[0].events & VE_LATE);
	told();
	assert_true(finish_late() > MANY);
	check_pending(0x64, MANY);
	assert_int_equal(unheard, 0);
}

static void test_device_unheard(void **state)
{
	set_ldrs(MANY);
	for (u32 i = 0; i < MANY; i++)
		write_reg(&many[i], APIC_SVR, 0xff);
	assert_int_equal(device_posts(0x61), VLAPIC_WAITS);
	assert_int_equal(finish_late(), 0);
	assert_int_equal(unheard, 1);
}

/* A source that waits may become another guest's, and send for it: nothing of
 * that comes to the old guest, or is lost there */
static void test_device_changes_owner(void **state)
{
	static struct vlapic vlapic;
	const struct vlapic_msg m = { .dest = X2APIC_BROADCAST,
				      .mode = APIC_DM_NMI };
	static struct vm other = { .id = 1 };
	static struct vcpu first = { .vm = &other };

	vms[1] = &other;
	vlapic.vcpu = &first;
	first.vlapic = &vlapic;
	other.vcpus[0] = &first;
	set_ldrs(MANY);
	device_posts(0x61);
	vlapic_late_add(&other, &m, &late);
	assert_int_equal(finish_late(), 0);
	assert_ptr_equal(other.late, &late);
	assert_true(first.events & VE_LATE);
	assert_false(many[1].events & VE_NMI);
	/* Nor where the old guest has ended */
	vlapic_late_forget(&first);
	device_posts(0x61);
	vlapic_late_add(&other, &m, &late);
	vlapic_late_forget(&many[0]);
	assert_ptr_equal(other.late, &late);
	assert_ptr_equal(late_take(&vlapic, &(u64){ 0 }), &late);
	assert_null(other.late);
}

static void test_device_forgotten(void **state)
{
	set_ldrs(MANY);
	device_posts(0x61);
	vlapic_late_forget(&many[0]);
	assert_int_equal(finish_late(), 0);
	/* It can send again, also if one was on its way */
	device_posts(0x62);
	assert_false(vlapic_late_go_on(&many[0]));
	device_posts(0x63);
	vlapic_late_forget(&many[0]);
	told();
	assert_int_equal(finish_late(), 0);
	many[0].events = 0;
	device_posts(0x64);
	assert_true(many[0].events & VE_LATE);
	assert_int_equal(finish_late(), MANY);
	assert_int_equal(unheard, 0);
}

#define C(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		C(test_shorthand),        C(test_broadcast),
		C(test_logical),          C(test_reset_of_the_sender),
		C(test_lowest),           C(test_eoi_in_pieces),
		C(test_eoi_in_a_crowd),   C(test_set),
		C(test_device_to_few),    C(test_device_to_many),
		C(test_device_unheard),   C(test_device_changes_owner),
		C(test_device_forgotten),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
