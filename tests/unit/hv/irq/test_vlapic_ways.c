/* SOURCES: hv/irq/vlapic.c hv/irq/vlapic_io.c hv/irq/vlapic_icr.c hv/irq/vlapic_cast.c hv/irq/vlapic_timer.c hv/irq/vlapic_pv.c hv/emulate/lapic_page.c hv/emulate/insn.c hv/emulate/insn_modrm.c hv/emulate/insn_vex.c hv/core/slots.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/* The virtual local APIC's shorter ways: paravirtual EOI and IPIs, accesses to
 * its page without the emulator, and where that page is */
#include "hv/emulate/emulate.h"
#include "tests/unit/fakes/lapics.h"

/* In service @vector, with the flag as given by the vLAPIC */
static void take_vector(struct vcpu *v, u8 vector, enum trigger trigger)
{
	vlapic_post(v, vector, trigger);
	assert_int_equal(vlapic_pending(v), vector);
	vlapic_accept(v, vector);
}

static void test_pv_eoi(void **state)
{
	struct vcpu *v = &fake_vcpus[0];

	memset(fake_ram, 0, PAGE_SIZE);
	assert_int_equal(vlapic_pv_eoi_set(v, true, GPA(2)), -EINVAL);
	assert_int_equal(vlapic_pv_eoi_set(v, true, GPA(1 << 20)), -EINVAL);
	assert_int_equal(vlapic_pv_eoi_set(v, true, GPA(8)), 0);
	take_vector(v, 0x41, TRIGGER_EDGE);
	assert_int_equal(*fake_ram_u32(8), 1);
	/* Ended by the flag alone: seen where it is asked for */
	*fake_ram_u32(8) = 0;
	assert_int_equal(read_reg(v, APIC_ISR + 0x20), 0);
	take_vector(v, 0x41, TRIGGER_EDGE);
	*fake_ram_u32(8) = 0;
	take_vector(v, 0x31, TRIGGER_EDGE);
	assert_int_equal(read_reg(v, APIC_PPR), 0x30);
	/* The question took the flag back: the guest makes an EOI */
	assert_int_equal(*fake_ram_u32(8), 0);
	write_reg(v, APIC_EOI, 0);
	assert_int_equal(read_reg(v, APIC_PPR), 0);
}

static void test_pv_eoi_not_given(void **state)
{
	struct vcpu *v = &fake_vcpus[0];

	memset(fake_ram, 0, PAGE_SIZE);
	assert_int_equal(vlapic_pv_eoi_set(v, true, GPA(8)), 0);
	take_vector(v, 0x41, TRIGGER_LEVEL);
	assert_int_equal(*fake_ram_u32(8),
			 0); /* the IOAPIC must hear of its end */
	write_reg(v, APIC_EOI, 0);
	assert_int_equal(eoi_vector, 0x41);
	vlapic_post(v, 0x31, TRIGGER_EDGE);
	take_vector(v, 0x51, TRIGGER_EDGE);
	assert_int_equal(*fake_ram_u32(8), 0); /* 0x31 waits for the EOI */
	write_reg(v, APIC_EOI, 0);
	assert_int_equal(vlapic_pending(v), 0x31);
	vlapic_accept(v, 0x31);
	assert_int_equal(*fake_ram_u32(8), 1);
	/* One comes while it is in service: the EOI must exit again */
	vlapic_post(v, 0x32, TRIGGER_EDGE);
	assert_int_equal(vlapic_pending(v), -1);
	assert_int_equal(*fake_ram_u32(8), 0);
	write_reg(v, APIC_EOI, 0);
	assert_int_equal(vlapic_pending(v), 0x32);
}

/* Two in service: the flag ends the inner one, an EOI the outer one */
static void test_pv_eoi_nested(void **state)
{
	struct vcpu *v = &fake_vcpus[0];

	memset(fake_ram, 0, PAGE_SIZE);
	assert_int_equal(vlapic_pv_eoi_set(v, true, GPA(8)), 0);
	take_vector(v, 0x41, TRIGGER_EDGE);
	take_vector(v, 0x91, TRIGGER_EDGE);
	assert_int_equal(*fake_ram_u32(8), 1);
	*fake_ram_u32(8) = 0;
	write_reg(v, APIC_EOI, 0);
	assert_int_equal(read_reg(v, APIC_PPR), 0);
	/* Off: what is in service stays so */
	take_vector(v, 0x41, TRIGGER_EDGE);
	assert_int_equal(vlapic_pv_eoi_set(v, false, GPA(0)), 0);
	assert_int_equal(*fake_ram_u32(8), 0);
	assert_int_equal(read_reg(v, APIC_PPR), 0x40);
	take_vector(v, 0x91, TRIGGER_EDGE);
	assert_int_equal(*fake_ram_u32(8), 0);
}

/* By a set that begins at vCPU 1 and has some that are not there */
static u32 send_to_2(u32 icr)
{
	const u64 set[2] = { 1u << 1 | 1ull << 60, 1 };

	return vlapic_send_set(&fake_vcpus[0], set, 1, icr);
}

static void test_pv_send(void **state)
{
	struct vcpu *v = &fake_vcpus[2];

	assert_true(vlapic_icr_is_plain(0x41));
	assert_true(vlapic_icr_is_plain(0x400));
	assert_false(vlapic_icr_is_plain(0x500));
	assert_false(vlapic_icr_is_plain(0x80041));
	assert_false(vlapic_icr_is_plain(0x841));
	v->events = 0;
	assert_int_equal(send_to_2(0x41), 1);
	assert_int_equal(vlapic_pending(v), 0x41);
	assert_int_equal(send_to_2(0x400), 1);
	assert_true(v->events & VE_NMI);
	assert_int_equal(send_to_2(0x05), 0); /* an exception's */
	write_reg(v, APIC_SVR, 0xff);
	assert_int_equal(send_to_2(0x42), 0);
	assert_int_equal(send_to_2(0x400), 1);
}

/* INIT voids a start-up that was not taken yet */
static void test_init_after_sipi(void **state)
{
	fake_vcpus[1].events = 0;
	write_reg(&fake_vcpus[0], APIC_ICR_HIGH, 1u << 24);
	write_reg(&fake_vcpus[0], APIC_ICR_LOW, 0x4608);
	write_reg(&fake_vcpus[0], APIC_ICR_LOW, 0x4500);
	assert_int_equal(fake_vcpus[1].events, VE_INIT);
	write_reg(&fake_vcpus[0], APIC_ICR_LOW, 0x4609);
	assert_int_equal(fake_vcpus[1].events, VE_INIT | VE_SIPI);
	assert_int_equal(fake_vcpus[1].sipi_vector, 9);
}

/* Runs the bytes in 64-bit code at an exit for @offset of the page */
static bool page_exit(const char *bytes, size_t len, u64 offset, u8 access)
{
	struct vcpu *v = &fake_vcpus[0];
	struct vcpu_exit *e = &v->hw.exit;

	memset(code, 0x90, sizeof(code));
	memcpy(code, bytes, len);
	v->hw.regs.efer = 1 << 10;
	v->hw.regs.seg[SEG_CS].attr = SEG_ATTR_L;
	*e = (struct vcpu_exit){ .kind = EXIT_MMIO };
	e->mmio.gpa = GPA(0xfee00000 + offset);
	e->mmio.access = access;
	return emulate_lapic_page(v, e);
}

#define PAGE_EXIT(bytes, offset, access)                                       \
	page_exit(bytes, sizeof(bytes) - 1, offset, access)

static void test_page_moves(void **state)
{
	/* Each stores to or loads from the TPR; .len: all of it */
	static const struct {
		const char *bytes;
		u8 len, access;
	} moves[] = {
		{ "\x89\x03", 2, ACCESS_W },                   /* [rbx], eax */
		{ "\x89\x43\x80", 3, ACCESS_W },               /* disp8 */
		{ "\x89\x83\x80\0\0\0", 6, ACCESS_W },         /* disp32 */
		{ "\x89\x04\x25\x80\0\xe0\xfe", 7, ACCESS_W }, /* absolute */
		{ "\x89\x05\1\2\3\4", 6, ACCESS_W },           /* RIP */
		{ "\x89\x44\x24\x10", 4, ACCESS_W },           /* SIB disp8 */
		{ "\x89\x04\x0b", 3, ACCESS_W },               /* SIB, base */
		{ "\x44\x89\x03", 3, ACCESS_W },               /* r8d */
		{ "\xc7\x03\x77\x66\x55\x44", 6, ACCESS_W },
		{ "\xc7\x04\x25\x80\0\xe0\xfe\x77\x66\x55\x44", 11, ACCESS_W },
		{ "\x8b\x03", 2, ACCESS_R },
		{ "\x44\x8b\x03", 3, ACCESS_R },
		{ "\x41\x8b\x45\0", 4, ACCESS_R },
	};
	struct vcpu *v = &fake_vcpus[0];
	u64 *gpr = v->hw.regs.gpr;

	for (u32 i = 0; i < ARRAY_SIZE(moves); i++) {
		bool store = moves[i].access == ACCESS_W;

		gpr[GPR_RAX] = gpr[GPR_R8] = 0x1111111144556677ull;
		write_reg(v, APIC_TPR, 0x42);
		assert_true(page_exit(moves[i].bytes, moves[i].len, APIC_TPR,
				      moves[i].access));
		assert_int_equal(v->hw.exit.insn_len, moves[i].len);
		assert_int_equal(read_reg(v, APIC_TPR), store ? 0x77 : 0x42);
		if (!store)
			assert_int_equal(MIN(gpr[GPR_RAX], gpr[GPR_R8]), 0x42);
	}
}

static void test_page_leaves_the_rest(void **state)
{
	struct vcpu *v = &fake_vcpus[0];

	write_reg(v, APIC_TPR, 0x42);
	assert_false(PAGE_EXIT("\x48\x89\x03", APIC_TPR, ACCESS_W));
	assert_false(PAGE_EXIT("\x66\x89\x03", APIC_TPR, ACCESS_W));
	assert_false(PAGE_EXIT("\x65\x89\x03", APIC_TPR, ACCESS_W));
	assert_false(PAGE_EXIT("\x88\x03", APIC_TPR, ACCESS_W));
	assert_false(PAGE_EXIT("\x89\xc3", APIC_TPR, ACCESS_W));
	assert_false(PAGE_EXIT("\x89\x23", APIC_TPR, ACCESS_W)); /* esp */
	assert_false(PAGE_EXIT("\xc7\x0b\1\2\3\4", APIC_TPR, ACCESS_W));
	assert_false(PAGE_EXIT("\x01\x03", APIC_TPR, ACCESS_R | ACCESS_W));
	assert_false(PAGE_EXIT("\x8b\x03", APIC_TPR, ACCESS_W));
	assert_false(PAGE_EXIT("\x89\x03", APIC_TPR, ACCESS_R));
	assert_false(PAGE_EXIT("\x89\x03", APIC_TPR + 4, ACCESS_W));
	assert_false(PAGE_EXIT("\x89\x03", 0x1000, ACCESS_W));
	assert_false(PAGE_EXIT("\x89\x03", APIC_TPR, ACCESS_X));
	code_left = 4; /* the page of the code ends */
	assert_false(PAGE_EXIT("\x89\x03", APIC_TPR, ACCESS_W));
	code_left = sizeof(code);
	assert_int_equal(read_reg(v, APIC_TPR), 0x42);
}

static void test_base_moves(void **state)
{
	struct vcpu *v = &fake_vcpus[0];
	struct bus_region region = { .base = 0x50000800, .size = 0x800 };

	fake_vm.phys_bits = 36;
	fake_vm.mmio = (struct bus){ .regions = &region, .count = 1 };
	assert_int_equal(vlapic_base_write(v, 0x00000900), -EINVAL); /* RAM */
	assert_int_equal(vlapic_base_write(v, 0x50000900), -EINVAL);
	assert_int_equal(vlapic_base_write(v, 0x1000000900ull), -EINVAL);
	assert_int_equal(vlapic_bus_gpa(v, 0xfee00030), 0xfee00030);
	assert_int_equal(vlapic_base_write(v, 0x50001900), 0);
	assert_int_equal(vlapic_bus_gpa(v, 0x50001030), 0xfee00030);
	assert_int_equal(vlapic_bus_gpa(v, 0xfee00030), 0xfee01030);
	assert_int_equal(vlapic_bus_gpa(v, 0x50002000), 0x50002000);
	assert_int_equal(vlapic_bus_gpa(&fake_vcpus[1], 0xfee00030),
			 0xfee00030);
	vlapic_reset(v, false);
	assert_int_equal(v->apic_base_msr, 0xfee00900);
	fake_vm.privileged = true;
	assert_int_equal(vlapic_base_write(v, 0x50001900), -EINVAL);
}

#define MANY 600u

/* A guest with ids above 255: vCPU 255 is one of many */
static void test_long_ids(void **state)
{
	static struct vcpu many[MANY];
	struct vcpu *first;

	fake_vm.vcpu_count = MANY;
	for (u32 i = 0; i < MANY; i++) {
		many[i].vm = &fake_vm;
		many[i].id = i;
		many[i].entity.cpu = &fake_pcpus[i % 4];
		assert_int_equal(vlapic_create(&many[i]), 0);
		write_reg(&many[i], APIC_SVR, 0x1ff);
		x2apic_on(&many[i]);
		fake_vm.vcpus[i] = &many[i];
	}
	/* From a device, or an IOAPIC's pin */
	for (u32 i = 254; i < MANY; i += 115) {
		assert_int_equal(vlapic_match(&fake_vm, i, false, &first), 1);
		assert_ptr_equal(first, &many[i]);
		assert_int_equal(device_sends(i, false, APIC_DM_FIXED, 0x40),
				 1);
		assert_int_equal(vlapic_pending(&many[i]), 0x40);
	}
	assert_int_equal(vlapic_match(&fake_vm, 255, false, &first), 1);
	assert_ptr_equal(first, &many[255]);
	assert_int_equal(vlapic_match(&fake_vm, 0x7fff, false, &first), 0);
	/* From another vCPU, in x2APIC mode: one, and all */
	assert_int_equal(vlapic_msr_write(&many[0], 0x830, 255ull << 32 | 0x50),
			 0);
	assert_int_equal(vlapic_pending(&many[255]), 0x50);
	assert_int_equal(vlapic_pending(&many[3]), -1);
	assert_int_equal(vlapic_msr_write(&many[0], 0x830, 599ull << 32 | 0x51),
			 0);
	assert_int_equal(vlapic_pending(&many[599]), 0x51);
	assert_int_equal(
		vlapic_msr_write(&many[0], 0x830, 0xffffffffull << 32 | 0x52),
		0);
	while (!vlapic_insn_go_on(&many[0]))
		;
	for (u32 i = 0; i < MANY; i++)
		assert_int_equal(vlapic_pending(&many[i]), 0x52);
	for (u32 i = 0; i < MANY; i++)
		vlapic_destroy(&many[i]);
	for (u32 i = 0; i < 4; i++)
		fake_vm.vcpus[i] = &fake_vcpus[i];
	fake_vm.vcpu_count = 4;
}

/* In xAPIC mode FFh is everybody, however many there are */
static void test_xapic_broadcast(void **state)
{
	fake_vm.vcpu_count = 300;
	for (u32 i = 4; i < 300; i++)
		fake_vm.vcpus[i] = NULL;
	write_reg(&fake_vcpus[0], APIC_ICR_HIGH, 0xffu << 24);
	write_reg(&fake_vcpus[0], APIC_ICR_LOW, 0x47);
	for (u32 i = 0; i < 4; i++)
		assert_int_equal(vlapic_pending(&fake_vcpus[i]), 0x47);
	fake_vm.vcpu_count = 4;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_pv_eoi),
		T(test_pv_eoi_not_given),
		T(test_pv_eoi_nested),
		T(test_pv_send),
		T(test_init_after_sipi),
		T(test_page_moves),
		T(test_page_leaves_the_rest),
		T(test_base_moves),
		T(test_long_ids),
		T(test_xapic_broadcast),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
