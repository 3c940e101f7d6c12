/* SOURCES: hv/core/gmem.c hv/core/walk.c hv/emulate/insn_length.c hv/emulate/insn.c hv/emulate/insn_modrm.c hv/emulate/insn_vex.c hv/core/slots.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/* Guest memory by physical and by virtual address in every paging mode, the
 * rights matrix, and the length of an intercepted instruction. */
#include "arch/x86/machine/fpu.h"
#include "hv/core/gmem.h"
#include "hv/emulate/emulate.h"
#include "include/hw/cpu.h"
#include "lib/errno.h"
#include "tests/unit/fakes/fpu.h"
#include "tests/unit/fakes/window.h"
#include "tests/unit/test.h"

#define SLOT0_BYTES MIB(1)
#define SLOT1_GPA   MIB(16)
#define SLOT1_BYTES MIB(1)
#define RAM_BYTES   (SLOT0_BYTES + SLOT1_BYTES)

static _Alignas(PAGE_SIZE) u8 ram[RAM_BYTES];
static struct vm vm;
static struct vcpu vcpu;
static struct vcpu_regs *r = &vcpu.hw.regs;

static int setup(void **state)
{
	memset(ram, 0, sizeof(ram));
	memset(&vm, 0, sizeof(vm));
	memset(&vcpu, 0, sizeof(vcpu));
	fake_windows_init(ram, RAM_BYTES);
	vm.slots[0] = (struct vm_slot){ 0, 0, SLOT0_BYTES, false };
	vm.slots[1] =
		(struct vm_slot){ SLOT1_GPA, SLOT0_BYTES, SLOT1_BYTES, false };
	vm.slot_count = 2;
	vm.phys_bits = 40;
	vcpu.vm = &vm;
	vcpu.code.page = ~0ull;
	r->valid = RG_ALL;
	r->rflags = RFLAGS_FIXED;
	r->cr0 = CR0_PE | CR0_PG | CR0_WP;
	r->cr3 = 0x1000;
	r->seg[SEG_CS].attr = 0xa09b;
	r->seg[SEG_SS].attr = 0xc093;
	return 0;
}

static void entry64(u64 table, u64 index, u64 value)
{
	memcpy(ram + table + index * 8, &value, 8);
}
static void entry32(u64 table, u64 index, u32 value)
{
	memcpy(ram + table + index * 4, &value, 4);
}

#define RWU (PTE_P | PTE_W | PTE_U)

/* lin 0x7f..: 4K page at 0x9000, 2M at 16M, 1G at 0 */
static void long_mode(void)
{
	r->cr4 = CR4_PAE;
	r->efer = EFER_LME | EFER_LMA | EFER_NXE;
	entry64(0x1000, 0, 0x2000 | RWU);
	entry64(0x2000, 0, 0x3000 | RWU);
	entry64(0x2000, 1, 0 | RWU | PTE_PS);
	entry64(0x3000, 0, 0x4000 | RWU);
	entry64(0x3000, 1, SLOT1_GPA | RWU | PTE_PS);
	entry64(0x4000, 5, 0x9000 | RWU);
}

static void expect(u64 lin, u8 access, int err, u64 value)
{
	u32 error = 0;
	gpa_t gpa;

	assert_int_equal(gva_translate(&vcpu, GVA(lin), access, &gpa, &error),
			 err);
	assert_int_equal(err ? error : gpa.v, value);
}

static void test_copies(void **state)
{
	char out[16] = "";

	assert_int_equal(gmem_write(&vm, GPA(0xffa), "0123456789", 10), 0);
	assert_int_equal(gmem_read(&vm, GPA(0xffa), out, 10), 0);
	assert_string_equal(out, "0123456789");
	assert_int_equal(gmem_zero(&vm, GPA(0xffb), 6), 0);
	assert_int_equal(ram[0xffa], '0');
	assert_int_equal(ram[0x1000], 0);
	assert_int_equal(ram[0x1001], '7');
	assert_int_equal(gmem_write(&vm, GPA(SLOT1_GPA), "x", 1), 0);
	assert_int_equal(ram[SLOT0_BYTES], 'x');
	/* The end of a slot, a hole, the end of all */
	assert_int_equal(gmem_read(&vm, GPA(SLOT0_BYTES - 4), out, 8), -EFAULT);
	assert_int_equal(gmem_write(&vm, GPA(MIB(8)), out, 1), -EFAULT);
	assert_int_equal(gmem_zero(&vm, GPA(~0ull - 2), 8), -EFAULT);
}

static void test_no_paging(void **state)
{
	r->cr0 = CR0_PE;
	expect(0x123456789ull, ACCESS_R, 0, 0x23456789);
}

static void test_4level(void **state)
{
	long_mode();
	expect(0x5123, ACCESS_R, 0, 0x9123);
	expect(PAGE_2M + 0x1234, ACCESS_W, 0, SLOT1_GPA + 0x1234);
	expect(PAGE_1G + 0x12345, ACCESS_X, 0, 0x12345);
	expect(0x6000, ACCESS_R, -EFAULT, 0);
	expect(0x6000, ACCESS_W, -EFAULT, PF_W);
	expect(0x6000, ACCESS_X, -EFAULT, PF_I);
}

/* A debugger's look: no rights, no marks, registers of a vCPU that is reset */
static void test_find(void **state)
{
	struct vcpu_regs kept;
	gpa_t gpa;

	long_mode();
	entry64(0x4000, 6, 0xa000 | PTE_P | PTE_NX);
	kept = *r;
	kept.cr4 |= CR4_SMAP | CR4_SMEP;
	memset(r, 0, sizeof(*r));
	assert_int_equal(gva_find(&vcpu, &kept, GVA(0x5123), &gpa), 0);
	assert_int_equal(gpa.v, 0x9123);
	assert_int_equal(gva_find(&vcpu, &kept, GVA(0x6001), &gpa), 0);
	assert_int_equal(gpa.v, 0xa001);
	assert_int_equal(ram[0x4000 + 6 * 8] & PTE_A, 0);
	assert_int_equal(gva_find(&vcpu, &kept, GVA(0x7000), &gpa), -EFAULT);
	assert_int_equal(gva_find(&vcpu, &kept, GVA(BIT(63)), &gpa), -EFAULT);
	kept.cr3 = GIB(1); /* no RAM */
	assert_int_equal(gva_find(&vcpu, &kept, GVA(0x5123), &gpa), -EFAULT);
	kept.cr0 = CR0_PE;
	kept.efer = 0;
	assert_int_equal(gva_find(&vcpu, &kept, GVA(BIT(32) | 5), &gpa), 0);
	assert_int_equal(gpa.v, 5);
}

static void test_5level(void **state)
{
	long_mode();
	r->cr4 |= CR4_LA57;
	r->cr3 = 0x8000;
	entry64(0x8000, 1, 0x1000 | RWU);
	expect(BIT(48) + 0x5123, ACCESS_R, 0, 0x9123);
	expect(0x5123, ACCESS_R, -EFAULT, 0);
}

static void test_pae(void **state)
{
	r->cr4 = CR4_PAE;
	r->cr3 = 0x1020; /* 32-byte aligned */
	entry64(0x1020, 3, 0x3000 | PTE_P);
	entry64(0x3000, 0, 0x4000 | RWU);
	entry64(0x3000, 1, SLOT1_GPA | RWU | PTE_PS);
	entry64(0x4000, 5, 0x9000 | RWU);
	expect(0xc0005123, ACCESS_W, 0, 0x9123);
	expect(0xc0201234, ACCESS_W, 0, SLOT1_GPA + 0x1234);
	expect(0x5123, ACCESS_R, -EFAULT, 0);
	/* PDPTEs have no rights; their reserved bits count when they are loaded
	 * into the CPU, not here */
	entry64(0x1020, 3, 0x3000 | PTE_P | BIT(5));
	expect(0xc0005123, ACCESS_W, 0, 0x9123);
}

static void test_32bit(void **state)
{
	entry32(0x1000, 1, 0x2000 | RWU);
	entry32(0x2000, 3, 0x9000 | RWU);
	entry32(0x1000, 2, 0x01000000 | 0x6000 | RWU | PTE_PS);
	expect(0x403abc, ACCESS_W, 0, 0x9abc);
	/* Without CR4.PSE bit 7 says nothing */
	expect(0x800000, ACCESS_R, -EFAULT, 0);
	r->cr4 = CR4_PSE;
	/* PSE-36: bits 20:13 are address bits 39:32 */
	expect(0x812345, ACCESS_R, 0, 0x300000000ull + 0x01012345);
}

static void test_rights(void **state)
{
	long_mode();
	entry64(0x4000, 6, 0xa000 | PTE_P | PTE_W); /* supervisor */
	entry64(0x4000, 7, 0xb000 | PTE_P | PTE_U); /* read-only */
	entry64(0x4000, 8, 0xc000 | RWU | PTE_NX);

	expect(0x8000, ACCESS_X, -EFAULT, PF_P | PF_I);
	expect(0x7000, ACCESS_W, -EFAULT, PF_P | PF_W);
	r->cr0 &= ~CR0_WP;
	expect(0x7000, ACCESS_W, 0, 0xb000);

	r->cr4 |= CR4_SMEP;
	expect(0x5000, ACCESS_X, -EFAULT, PF_P | PF_I);
	expect(0x6000, ACCESS_X, 0, 0xa000);
	r->cr4 |= CR4_SMAP;
	expect(0x5000, ACCESS_R, -EFAULT, PF_P);
	r->rflags |= RFLAGS_AC;
	expect(0x5000, ACCESS_R, 0, 0x9000);
	expect(0x5000, ACCESS_R | ACCESS_SYSTEM, -EFAULT, PF_P);

	r->seg[SEG_SS].attr = 0xc0f3; /* user */
	expect(0x5000, ACCESS_R, 0, 0x9000);
	expect(0x6000, ACCESS_R, -EFAULT, PF_P | PF_U);
	expect(0x7000, ACCESS_W, -EFAULT, PF_P | PF_W | PF_U);
	expect(0x7000, ACCESS_R, 0, 0xb000);
	expect(0x6000, ACCESS_R | ACCESS_SYSTEM, 0, 0xa000);
}

static void test_reserved(void **state)
{
	long_mode();
	entry64(0x4000, 6, BIT(45) | RWU);
	expect(0x6000, ACCESS_R, -EFAULT, PF_P | PF_RSVD);
	entry64(0x3000, 2, PAGE_2M | BIT(13) | RWU | PTE_PS);
	expect(2 * PAGE_2M, ACCESS_R, -EFAULT, PF_P | PF_RSVD);
	entry64(0x1000, 1, 0x2000 | RWU | PTE_PS);
	expect(BIT(39), ACCESS_R, -EFAULT, PF_P | PF_RSVD);
	r->efer &= ~EFER_NXE;
	entry64(0x4000, 7, 0xa000 | RWU | PTE_NX);
	expect(0x7000, ACCESS_R, -EFAULT, PF_P | PF_RSVD);
}

static void test_tables_not_in_ram(void **state)
{
	u32 error;
	gpa_t gpa;

	long_mode();
	entry64(0x3000, 3, MIB(64) | RWU);
	assert_int_equal(
		gva_translate(&vcpu, GVA(3 * PAGE_2M), ACCESS_R, &gpa, &error),
		-EFAULT);
	assert_int_equal(error, PF_P | PF_RSVD);
	r->cr3 = GIB(300);
	assert_int_equal(gva_translate(&vcpu, GVA(0), ACCESS_R, &gpa, &error),
			 -EFAULT);
	r->rip = 0x5000;
	assert_int_equal(gmem_fetch(&vcpu, (u8[15]){ 0 }, 15), 0);
}

static void test_fetch(void **state)
{
	u8 buf[16];

	long_mode();
	memcpy(ram + 0x9ffc, "abcd", 4);
	r->rip = 0x5ffc;
	assert_int_equal(gmem_fetch(&vcpu, buf, 15), 4); /* next: unmapped */
	assert_memory_equal(buf, "abcd", 4);
	entry64(0x4000, 6, 0x20000 | RWU);
	memcpy(ram + 0x20000, "efgh", 4);
	assert_int_equal(gmem_fetch(&vcpu, buf, 8), 8);
	assert_memory_equal(buf, "abcdefgh", 8);

	/* Real mode: base and wrap at 4 GiB */
	r->cr0 = 0;
	r->efer = 0;
	r->seg[SEG_CS] = (struct segment){ .base = 0x9000, .attr = 0x9b };
	r->rip = 0xffc;
	assert_int_equal(gmem_fetch(&vcpu, buf, 4), 4);
	assert_memory_equal(buf, "abcd", 4);
}

static u8 length_of(const void *code, size_t len, enum exit_kind kind)
{
	memset(ram + 0x9100, 0xcc, 32);
	memcpy(ram + 0x9100, code, len);
	r->rip = 0x5100;
	return insn_exit_length(&vcpu, kind);
}

static void test_length(void **state)
{
	long_mode();
	assert_int_equal(length_of("\x0f\xa2", 2, EXIT_CPUID), 2);
	assert_int_equal(length_of("\x0f\xa2", 2, EXIT_CPUID), 2);
	assert_int_equal(length_of("\xf4", 1, EXIT_HLT), 1);
	assert_int_equal(length_of("\x0f\x32", 2, EXIT_RDMSR), 2);
	assert_int_equal(length_of("\x0f\x01\xd9", 3, EXIT_HYPERCALL), 3);
	assert_int_equal(length_of("\x0f\x01\xc1", 3, EXIT_HYPERCALL), 3);
	assert_int_equal(length_of("\xf3\x90", 2, EXIT_PAUSE), 2);
	assert_int_equal(length_of("\x66\x48\x0f\xa2", 4, EXIT_CPUID), 4);
	/* Something else by now, or no row for the kind */
	assert_int_equal(length_of("\x0f\xa2", 2, EXIT_HLT), 0);
	assert_int_equal(length_of("\xf4", 1, EXIT_CPUID), 0);
	assert_int_equal(length_of("\xf4", 1, EXIT_MMIO), 0);
}

static void test_length_cr(void **state)
{
	long_mode();
	vcpu.hw.exit.cr.write = true;
	assert_int_equal(length_of("\x41\x0f\x22\xc3", 4, EXIT_CR), 4);
	assert_int_equal(vcpu.hw.exit.cr.gpr, GPR_R11);
	assert_int_equal(length_of("\x0f\x20\xc3", 3, EXIT_CR), 0);
	vcpu.hw.exit.cr.write = false;
	assert_int_equal(length_of("\x0f\x20\xc3", 3, EXIT_CR), 3);
	assert_int_equal(vcpu.hw.exit.cr.gpr, GPR_RBX);
}

static void test_length_across_pages(void **state)
{
	long_mode();
	entry64(0x4000, 6, 0x20000 | RWU);
	ram[0x9fff] = 0x0f;
	ram[0x20000] = 0xa2;
	r->rip = 0x5fff;
	assert_int_equal(insn_exit_length(&vcpu, EXIT_CPUID), 2);
	entry64(0x4000, 6, 0);
	assert_int_equal(insn_exit_length(&vcpu, EXIT_CPUID), 0);
}

/* The page remembered is not trusted: the guest moves its code */
static void test_length_remapped(void **state)
{
	long_mode();
	assert_int_equal(length_of("\x0f\xa2", 2, EXIT_CPUID), 2);
	ram[0x9100] = 0x90;
	ram[0x9101] = 0x90;
	memcpy(ram + 0x20100, "\x66\x0f\xa2", 3);
	entry64(0x4000, 5, 0x20000 | RWU);
	assert_int_equal(insn_exit_length(&vcpu, EXIT_CPUID), 3);
}

/* ROM is read as RAM is, and written by its loader alone */
static void test_rom(void **state)
{
	u8 bytes[8] = { 0 };

	vm.slots[1].rom = true;
	memset(bytes, 0x5a, sizeof(bytes));
	assert_int_equal(gmem_write_rom(&vm, GPA(SLOT1_GPA + 0xffc), bytes, 8),
			 0);
	assert_int_equal(ram[SLOT0_BYTES + 0xffc], 0x5a);
	assert_int_equal(ram[SLOT0_BYTES + 0x1003], 0x5a);
	memset(bytes, 0, sizeof(bytes));
	assert_int_equal(gmem_read(&vm, GPA(SLOT1_GPA + 0xffc), bytes, 8), 0);
	assert_int_equal(bytes[7], 0x5a);
	assert_non_null(gmem_map_read(&vm, GPA(SLOT1_GPA)));
	assert_null(gmem_map(&vm, GPA(SLOT1_GPA)));
	assert_int_equal(gmem_write(&vm, GPA(SLOT1_GPA), bytes, 8), -EFAULT);
	assert_int_equal(gmem_zero(&vm, GPA(SLOT1_GPA), 8), -EFAULT);
	assert_int_equal(gmem_write_rom(&vm, GPA(SLOT0_BYTES), bytes, 8),
			 -EFAULT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_rom, setup),
		cmocka_unit_test_setup(test_copies, setup),
		cmocka_unit_test_setup(test_no_paging, setup),
		cmocka_unit_test_setup(test_4level, setup),
		cmocka_unit_test_setup(test_find, setup),
		cmocka_unit_test_setup(test_5level, setup),
		cmocka_unit_test_setup(test_pae, setup),
		cmocka_unit_test_setup(test_32bit, setup),
		cmocka_unit_test_setup(test_rights, setup),
		cmocka_unit_test_setup(test_reserved, setup),
		cmocka_unit_test_setup(test_tables_not_in_ram, setup),
		cmocka_unit_test_setup(test_fetch, setup),
		cmocka_unit_test_setup(test_length, setup),
		cmocka_unit_test_setup(test_length_cr, setup),
		cmocka_unit_test_setup(test_length_across_pages, setup),
		cmocka_unit_test_setup(test_length_remapped, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
