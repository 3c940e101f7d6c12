/* SOURCES: hv/pv/kvm_pv.c hv/pv/kvm_hypercall.c hv/run/hypercall.c hv/core/slots.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/* KVM's paravirtual interface as a guest sees it (msr.rst, hypercalls.rst) */
#include "tests/unit/fakes/vdev.h"

#include "hv/core/gmem.h"
#include "hv/irq/vlapic.h"
#include "hv/pv/kvm_pv.h"
#include "hv/run/hypercall.h"
#include "include/bulkhead/hypercall.h"
#include "include/bulkhead/kvm.h"
#include "include/hw/cpu.h"
#include "tests/unit/fakes/guest_ram.h"
#include "tests/unit/fakes/vcpu.h"

#define RAM_BYTES 8192
#define AREA      4096

static u8 code[3];
static struct vcpu *v;
static u32 sent[4], yielded_to;
static u64 eoi_gpa;
static bool eoi_on;

size_t gmem_fetch(struct vcpu *vcpu, u8 *buf, size_t len)
{
	memcpy(buf, code, len);
	return len;
}

int vlapic_pv_eoi_set(struct vcpu *vcpu, bool on, gpa_t gpa)
{
	if (gpa.v >= RAM_BYTES)
		return -EINVAL;
	eoi_on = on;
	eoi_gpa = gpa.v;
	return 0;
}

bool vlapic_icr_is_plain(u32 icr)
{
	return icr < 0x100;
}

u32 vlapic_send_set(struct vcpu *sender, const u64 set[2], u32 first, u32 icr)
{
	u32 took = 0;

	assert_ptr_equal(sender, v);
	for (u32 i = 0; i < 128 && first + i < 4; i++) {
		if (!(set[i / 64] >> i % 64 & 1))
			continue;
		sent[first + i] = icr;
		took += first + i != 3; /* its LAPIC is off */
	}
	return took;
}

void sched_yield_to(struct sched_entity *e)
{
	yielded_to = container_of(e, struct vcpu, entity)->id;
}

static int setup(void **state)
{
	fake_vm_init(4);
	v = &fake_vcpus[0];
	fake_ram_init(RAM_BYTES, 0xee);
	memset(sent, 0, sizeof(sent));
	fake_flushes = 0;
	yielded_to = 99;
	v->hw.regs.cr0 = CR0_PE | CR0_PG;
	v->hw.regs.efer = EFER_LMA;
	v->hw.regs.seg[SEG_CS].attr = SEG_ATTR_L;
	return kvm_pv_create(v);
}

static int teardown(void **state)
{
	kvm_pv_destroy(v);
	return 0;
}

static u64 area_u64(u32 at)
{
	u64 x;

	memcpy(&x, fake_ram + AREA + at, 8);
	return x;
}

static u32 area_u32(u32 at)
{
	return (u32)area_u64(at);
}

static void test_steal_time(void **state)
{
	u64 value;
	u32 version;

	v->entity.steal_tsc = 5;
	kvm_pv_reset(v);
	assert_int_equal(kvm_pv_write(v, BH_KVM_MSR_STEAL_TIME, AREA | 1), 0);
	assert_int_equal(kvm_pv_read(v, BH_KVM_MSR_STEAL_TIME, &value), 0);
	assert_int_equal(value, AREA | 1);
	assert_int_equal(area_u64(0), 0); /* what was before is not its own */
	version = area_u32(8);
	assert_int_equal(version & 1, 0);
	assert_int_equal(fake_ram[AREA + 16], 0);
	kvm_pv_left(v);
	assert_int_equal(fake_ram[AREA + 16], 1);
	v->entity.steal_tsc = 1005;
	kvm_pv_taken(v);
	assert_int_equal(area_u64(0), 1000);
	assert_int_equal(area_u32(8) & 1, 0);
	assert_true(area_u32(8) > version);
	assert_int_equal(fake_ram[AREA + 16], 0);
	assert_int_equal(fake_ram[AREA + 64], 0xee);
	assert_int_equal(fake_flushes, 0);
}

static void test_flush_asked_for_meanwhile(void **state)
{
	assert_int_equal(kvm_pv_write(v, BH_KVM_MSR_STEAL_TIME, AREA | 1), 0);
	kvm_pv_left(v);
	fake_ram[AREA + 16] |= 2;
	kvm_pv_taken(v);
	assert_int_equal(fake_flushes, 1);
	assert_int_equal(fake_ram[AREA + 16], 0);
	kvm_pv_left(v);
	kvm_pv_taken(v);
	assert_int_equal(fake_flushes, 1);
}

static void test_bad_areas(void **state)
{
	static const u64 bad[] = { RAM_BYTES | 1,         AREA | 2 | 1,
				   AREA | 32 | 1,         ~0ull & ~63ull,
				   0x8000000000000001ull, AREA | 4 };
	u64 value;

	for (u32 i = 0; i < ARRAY_SIZE(bad); i++)
		if (bad[i] & 63)
			assert_int_equal(
				kvm_pv_write(v, BH_KVM_MSR_STEAL_TIME, bad[i]),
				-EINVAL);
	assert_int_equal(kvm_pv_read(v, BH_KVM_MSR_STEAL_TIME, &value), 0);
	assert_int_equal(value, 0);
	kvm_pv_left(v); /* off: nothing is written */
	kvm_pv_taken(v);
	for (u32 i = 0; i < RAM_BYTES; i++)
		assert_int_equal(fake_ram[i], 0xee);
}

static void test_reset_is_off(void **state)
{
	assert_int_equal(kvm_pv_write(v, BH_KVM_MSR_STEAL_TIME, AREA | 1), 0);
	v->kicked = true;
	kvm_pv_reset(v);
	assert_false(v->kicked);
	fake_ram[AREA + 16] = 0x77;
	kvm_pv_left(v);
	assert_int_equal(fake_ram[AREA + 16], 0x77);
}

static void test_pv_eoi_msr(void **state)
{
	u64 value;

	assert_int_equal(kvm_pv_write(v, BH_KVM_MSR_PV_EOI, 0x101), 0);
	assert_true(eoi_on);
	assert_int_equal(eoi_gpa, 0x100);
	assert_int_equal(kvm_pv_write(v, BH_KVM_MSR_PV_EOI, 0x103), -EINVAL);
	assert_int_equal(kvm_pv_write(v, BH_KVM_MSR_PV_EOI, RAM_BYTES | 1),
			 -EINVAL);
	assert_int_equal(kvm_pv_read(v, BH_KVM_MSR_PV_EOI, &value), 0);
	assert_int_equal(value, 0x101);
	assert_int_equal(kvm_pv_write(v, BH_KVM_MSR_PV_EOI, 0), 0);
	assert_false(eoi_on);
}

static s64 call(u64 number, u64 a, u64 b, u64 c, u64 d)
{
	u64 *gpr = v->hw.regs.gpr;
	enum verdict verdict;

	gpr[GPR_RAX] = number;
	gpr[GPR_RBX] = a;
	gpr[GPR_RCX] = b;
	gpr[GPR_RDX] = c;
	gpr[GPR_RSI] = d;
	verdict = hypercall_exit(v, NULL);
	assert_true(verdict == VERDICT_ADVANCE || verdict == VERDICT_YIELD);
	assert_int_equal(gpr[GPR_RBX], a);
	assert_int_equal(gpr[GPR_RSI], d);
	return (s64)gpr[GPR_RAX];
}

static void test_hypercall_numbers(void **state)
{
	assert_int_equal(call(BH_HYPERCALL(VERSION), 0, 0, 0, 0),
			 BH_ABI_VERSION);
	assert_int_equal(call(BH_HYPERCALL_BASE + 2, 0, 0, 0, 0), -1000);
	assert_int_equal(call(BH_KVM_VAPIC_POLL_IRQ, 0, 0, 0, 0), 0);
	assert_int_equal(call(0, 0, 0, 0, 0), -1000);
	assert_int_equal(call(2, 0, 0, 0, 0), -1000);
	assert_int_equal(call(12, 0, 0, 0, 0), -1000);
	assert_int_equal(call(~0ull, 0, 0, 0, 0), -1000);
}

static void test_user_code_is_refused(void **state)
{
	v->hw.regs.seg[SEG_SS].attr = 3u << 5;
	assert_int_equal(call(BH_KVM_KICK_CPU, 0, 1, 0, 0), -1);
	assert_int_equal(fake_vcpus[1].events, 0);
	assert_int_equal(call(1234, 0, 0, 0, 0), -1);
	assert_int_equal(call(BH_HYPERCALL(VERSION), 0, 0, 0, 0),
			 BH_ABI_VERSION);
}

static void test_kick(void **state)
{
	assert_int_equal(call(BH_KVM_KICK_CPU, 0, 2, 0, 0), 0);
	assert_int_equal(fake_vcpus[2].events, VE_KICK);
	assert_int_equal(call(BH_KVM_KICK_CPU, 0, 4, 0, 0), 0);
	assert_int_equal(call(BH_KVM_KICK_CPU, 0, ~0ull, 0, 0), 0);
}

static void test_send_ipi(void **state)
{
	assert_int_equal(call(BH_KVM_SEND_IPI, 0x6, 0, 0, 0x41), 2);
	assert_int_equal(sent[1], 0x41);
	assert_int_equal(sent[2], 0x41);
	assert_int_equal(sent[0], 0);
	/* One does not take it, the others are not there */
	assert_int_equal(call(BH_KVM_SEND_IPI, ~0ull, ~0ull, 1, 0x42), 2);
	assert_int_equal(sent[0], 0);
	assert_int_equal(sent[3], 0x42);
	assert_int_equal(call(BH_KVM_SEND_IPI, 1, 0, 4, 0x43), 0);
	assert_int_equal(call(BH_KVM_SEND_IPI, ~0ull, ~0ull, ~0ull, 0x43), 0);
	assert_int_equal(call(BH_KVM_SEND_IPI, 1, 0, 0, 0x80043), -22);
	assert_int_equal(sent[1], 0x42);
}

static void test_send_ipi_of_32_bit_code(void **state)
{
	v->hw.regs.seg[SEG_CS].attr = SEG_ATTR_DB;
	/* Upper halves are no arguments; the second word starts at 32 */
	assert_int_equal(call(BH_KVM_SEND_IPI | 1ull << 32, 0x4 | 1ull << 33,
			      0x1, 1ull << 40, 0x41),
			 1);
	assert_int_equal(sent[2], 0x41);
	assert_int_equal(sent[1], 0);
	assert_int_equal(call(77, 0, 0, 0, 0), 0xfffffc18);
}

static void test_yield_to_a_neighbour(void **state)
{
	assert_int_equal(call(BH_KVM_SCHED_YIELD, 1, 0, 0, 0), 0);
	assert_int_equal(yielded_to, 99); /* it lives elsewhere */
	fake_vcpus[1].entity.cpu = v->entity.cpu;
	assert_int_equal(call(BH_KVM_SCHED_YIELD, 1, 0, 0, 0), 0);
	assert_int_equal(yielded_to, 1);
	yielded_to = 99;
	call(BH_KVM_SCHED_YIELD, 0, 0, 0, 0);
	call(BH_KVM_SCHED_YIELD, 1000, 0, 0, 0);
	assert_int_equal(yielded_to, 99);
}

static void test_both_instructions(void **state)
{
	memcpy(code, "\x0f\x01\xc1", 3);
	assert_true(hypercall_is_foreign(v));
	memcpy(code, "\x0f\x01\xd9", 3);
	assert_true(hypercall_is_foreign(v));
	memcpy(code, "\x0f\x01\xd8", 3); /* VMRUN */
	assert_false(hypercall_is_foreign(v));
	memcpy(code, "\x0f\x0b\xc1", 3);
	assert_false(hypercall_is_foreign(v));
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_steal_time),
		T(test_flush_asked_for_meanwhile),
		T(test_bad_areas),
		T(test_reset_is_off),
		T(test_pv_eoi_msr),
		T(test_hypercall_numbers),
		T(test_user_code_is_refused),
		T(test_kick),
		T(test_send_ipi),
		T(test_send_ipi_of_32_bit_code),
		T(test_yield_to_a_neighbour),
		T(test_both_instructions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
