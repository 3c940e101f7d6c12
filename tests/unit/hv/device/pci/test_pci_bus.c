/* SOURCES: hv/device/pci/pci_bus.c hv/device/pci/pci_bus_fn.c hv/device/pci/pci_bus_bar.c hv/device/pci/pci_fn.c hv/device/pci/pci_bus_irq.c hv/device/pc/q35.c hv/device/pc/q35_lpc.c hv/core/bus.c hv/core/slots.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bus 0 and the chipset of an isolated guest: config space, BARs, INTx. Over
 * 400 lines: one bus serves every case.
 */
#include "tests/unit/fakes/vdev.h"

#include "hv/core/pc_map.h"
#include "hv/device/pci/pci_bus.h"
#include "hv/device/pci/pci_bus_priv.h"
#include "hv/irq/lines.h"
#include "include/hw/pci.h"
#include "tests/unit/fakes/vm_end.h"

#define DEVFN 0x18u /* 03.0 */

static struct guest_config config;
static u32 gsi_levels, isa_levels;
static struct pci_fn fn, second;
static u64 bar_value;
static u32 bar_seen;
static u64 offset_seen;

void line_set_source(struct vm *vm, u32 irq, enum line_source source,
		     bool level)
{
	u32 *levels = irq < 16 ? &isa_levels : &gsi_levels;

	assert_int_equal(source, LINE_SOURCE_PCI);
	*levels = (*levels & ~(1u << irq)) | (u32)level << irq;
}

static u64 bar_read(struct vcpu *v, struct pci_fn *f, u32 bar, u64 offset,
		    u8 size)
{
	bar_seen = bar;
	offset_seen = offset;
	return bar_value;
}

static void bar_write(struct vcpu *v, struct pci_fn *f, u32 bar, u64 offset,
		      u8 size, u64 value)
{
	bar_seen = bar;
	offset_seen = offset;
	bar_value = value;
}

static const struct pci_fn_ops ops = { .bar_read = bar_read,
				       .bar_write = bar_write };

static u64 in(u16 port, u8 size)
{
	return bus_read(&fake_vm.ports, &fake_vcpus[0], port, size);
}

static void out(u16 port, u8 size, u64 value)
{
	bus_write(&fake_vm.ports, &fake_vcpus[0], port, size, value);
}

static u64 peek(u64 gpa, u8 size)
{
	return bus_read(&fake_vm.mmio, &fake_vcpus[0], gpa, size);
}

static void poke(u64 gpa, u8 size, u64 value)
{
	bus_write(&fake_vm.mmio, &fake_vcpus[0], gpa, size, value);
}

static u32 get(u32 devfn, u32 reg)
{
	out(0xcf8, 4, 0x80000000u | devfn << 8 | reg);
	return (u32)in(0xcfc, 4);
}

static void set(u32 devfn, u32 reg, u32 value)
{
	out(0xcf8, 4, 0x80000000u | devfn << 8 | reg);
	out(0xcfc, 4, value);
}

static void add_function(void)
{
	u8 header[64] = { 0xf4, 0x1a, 0x00, 0x10 };

	fn = (struct pci_fn){ .vm = &fake_vm, .devfn = DEVFN, .ops = &ops };
	fn.bar[0].size = 0x1000;
	fn.bar[1].size = 0x100;
	fn.bar[1].io = true;
	fn.bar[2].size = GIB(8);
	fn.bar[2].is_64 = fn.bar[2].prefetch = true;
	fn.bar[4].size = MIB(1);
	assert_int_equal(pci_bus_add(&fn, header), 0);
	assert_int_equal(pci_bus_add(&fn, header), -EEXIST);
}

static int setup(void **state)
{
	fake_vm_init(1);
	memset(&config, 0, sizeof(config));
	fake_vm.config = &config;
	fake_vm.slot_count = 3;
	fake_vm.slots[0] = (struct vm_slot){ .gpa = 0, .size = GIB(2) };
	fake_vm.slots[1] = (struct vm_slot){ .gpa = 0xffc00000,
					     .size = MIB(4),
					     .rom = true };
	fake_vm.slots[2] = (struct vm_slot){ .gpa = GIB(4), .size = GIB(1) };
	gsi_levels = isa_levels = fake_vm_ends = 0;
	assert_int_equal(bus_init(&fake_vm.ports, &fake_vm.budget, 16), 0);
	assert_int_equal(bus_init(&fake_vm.mmio, &fake_vm.budget, 16), 0);
	assert_int_equal(pci_bus_vdev.create(&fake_vm), 0);
	assert_int_equal(q35_vdev.create(&fake_vm), 0);
	return 0;
}

static int teardown(void **state)
{
	q35_vdev.destroy(&fake_vm);
	pci_bus_vdev.destroy(&fake_vm);
	bus_destroy(&fake_vm.ports, &fake_vm.budget);
	bus_destroy(&fake_vm.mmio, &fake_vm.budget);
	assert_int_equal(fake_vm.budget.used_pages, 0);
	return 0;
}

static void test_bar_sizing(void **state)
{
	add_function();
	for (u32 i = 0; i < 6; i++)
		set(DEVFN, 0x10 + i * 4, 0xffffffff);
	assert_int_equal(get(DEVFN, 0x10), 0xfffff000);
	assert_int_equal(get(DEVFN, 0x14), 0xffffff01);
	assert_int_equal(get(DEVFN, 0x18), 0x0000000c);
	assert_int_equal(get(DEVFN, 0x1c), 0xfffffffe);
	assert_int_equal(get(DEVFN, 0x20), 0xfff00000);
	assert_int_equal(get(DEVFN, 0x24), 0);
	set(DEVFN, 0x10, 0xc0001234);
	assert_int_equal(get(DEVFN, 0x10), 0xc0001000);
}

static void test_bar_decode(void **state)
{
	add_function();
	set(DEVFN, 0x10, 0xc0001000);
	set(DEVFN, 0x14, 0xc100);
	poke(0xc0001004, 4, 0x55);
	assert_int_equal(bar_value, 0); /* memory decode is off */
	assert_int_equal(peek(0xc0001004, 4), 0xffffffff);
	set(DEVFN, 0x04, 3);
	poke(0xc0001004, 4, 0x55);
	assert_int_equal(peek(0xc0001004, 4), 0x55);
	assert_int_equal(offset_seen, 4);
	assert_int_equal(peek(0xc0001ffe, 4), 0xffffffff); /* over its end */
	out(0xc110, 1, 0x77);
	assert_int_equal(bar_seen, 1);
	assert_int_equal(offset_seen, 0x10);
	assert_int_equal(in(0xc110, 1), 0x77);
	set(DEVFN, 0x10, 0xd0000000);
	assert_int_equal(peek(0xc0001004, 4), 0xffffffff);
	assert_int_equal(peek(0xd0000ffc, 4), 0x77);
	set(DEVFN, 0x04, 1);
	assert_int_equal(peek(0xd0000ffc, 4), 0xffffffff);
}

/* The board's functions have 256 bytes: nothing is behind them, for the guest
 * as for what lies there in the hypervisor's memory */
static void test_no_extended_space(void **state)
{
	u64 at = PC_ECAM_BASE + (DEVFN << 12);

	add_function();
	assert_int_equal(peek(at, 4), 0x10001af4);
	poke(at + 0x3c, 1, 5);
	assert_int_equal(peek(at + 0x3c, 1), 5);
	for (u32 offset = PCI_BUS_CONFIG_BYTES; offset < PAGE_SIZE;
	     offset += 4) {
		poke(at + offset, 4, ~0u);
		assert_int_equal(peek(at + offset, 4), 0);
	}
	assert_int_equal(peek(at, 4), 0x10001af4);
	assert_int_equal(peek(at + 0x3c, 1), 5);
}

/* ECAM lies over a BAR that a guest puts there */
static void test_ecam_first(void **state)
{
	add_function();
	set(DEVFN, 0x10, PC_ECAM_BASE);
	set(DEVFN, 0x04, 2);
	bar_value = 0x99;
	assert_int_equal(peek(PC_ECAM_BASE, 4), 0x29c08086);
	set(0, 0x60, 0);
	assert_int_equal(peek(PC_ECAM_BASE, 4), 0x99);
}

static void test_ecam_sizes(void **state)
{
	assert_int_equal(peek(PC_ECAM_BASE, 8), 0x29c08086 | 6ull << 32);
	assert_int_equal(peek(PC_ECAM_BASE + 0xffe, 4), 0xffffffff);
	set(0, 0x60, PC_ECAM_BASE | 7); /* reserved length */
	assert_int_equal(peek(PC_ECAM_BASE, 4), 0xffffffff);
	set(0, 0x64, 0xff);
	assert_int_equal(get(0, 0x64), 0x0f);
}

static void test_firmware_opens(void **state)
{
	teardown(NULL);
	setup(NULL);
	q35_vdev.destroy(&fake_vm);
	pci_bus_vdev.destroy(&fake_vm);
	bus_destroy(&fake_vm.mmio, &fake_vm.budget);
	bus_destroy(&fake_vm.ports, &fake_vm.budget);
	config.boot = BOOT_WAY_FIRMWARE;
	assert_int_equal(bus_init(&fake_vm.ports, &fake_vm.budget, 16), 0);
	assert_int_equal(bus_init(&fake_vm.mmio, &fake_vm.budget, 16), 0);
	assert_int_equal(pci_bus_vdev.create(&fake_vm), 0);
	assert_int_equal(q35_vdev.create(&fake_vm), 0);
	assert_int_equal(get(0, 0x60), 0);
	assert_int_equal(peek(PC_ECAM_BASE, 4), 0xffffffff);
	assert_int_equal(peek(PC_RCBA_BASE + 0x3140, 2), 0xffff);
	assert_int_equal(get(PC_DEVFN_LPC, 0x44) & 0xff, 0);
	set(0, 0x60, 0xe0000001);
	assert_int_equal(peek(0xe0000000, 4), 0x29c08086);
	set(PC_DEVFN_LPC, 0xf0, 0xfed1c001);
	assert_int_equal(peek(PC_RCBA_BASE + 0x3140, 2), 0x3210);
	set(PC_DEVFN_LPC, 0x40, 0xb001);
	assert_int_equal(get(PC_DEVFN_LPC, 0x40), 0x601);
	pci_bus_vdev.reset(&fake_vm);
	q35_vdev.reset(&fake_vm);
	assert_int_equal(get(0, 0x60), 0);
	assert_int_equal(peek(0xe0000000, 4), 0xffffffff);
}

static void test_memory_registers(void **state)
{
	assert_int_equal(get(0, 0xa0), 48 | (5 * 1024) << 16);
	assert_int_equal(get(0, 0xb0) & 0xffff, 0x8000);
	set(0, 0xb0, 0x1230);
	assert_int_equal(get(0, 0xb0) & 0xffff, 0x8000);
}

static void test_intx(void **state)
{
	add_function();
	pci_bus_intx(&fn, 0, true); /* device 3, INTA: PIRQ H */
	assert_int_equal(gsi_levels, 1u << 23);
	assert_int_equal(isa_levels, 0);
	assert_int_equal(get(DEVFN, 4) >> 16 & 8, 8);
	set(DEVFN, 4, 0x400);
	assert_int_equal(gsi_levels, 0);
	assert_int_equal(get(DEVFN, 4) >> 16 & 8, 8);
	set(DEVFN, 4, 0);
	assert_int_equal(gsi_levels, 1u << 23);
	set(PC_DEVFN_LPC, 0x68, 0x0b808080); /* PIRQ H to IRQ 11 */
	assert_int_equal(isa_levels, 1u << 11);
	set(PC_DEVFN_LPC, 0x68, 0x8b808080);
	assert_int_equal(isa_levels, 0);
	pci_bus_intx(&fn, 1, true); /* INTB: PIRQ E */
	assert_int_equal(gsi_levels, 1u << 23 | 1u << 20);
	pci_bus_intx(&fn, 0, false);
	pci_bus_intx(&fn, 1, false);
	assert_int_equal(gsi_levels, 0);
	assert_int_equal(get(DEVFN, 4) >> 16 & 8, 0);
}

/* Two functions on one line; and a device whose pins RCBA routes */
static void test_intx_shared(void **state)
{
	u8 header[64] = { 0xf4, 0x1a, 0x01, 0x10 };

	add_function();
	second = (struct pci_fn){ .vm = &fake_vm, .devfn = 0xfa };
	assert_int_equal(pci_bus_add(&second, header), 0);
	pci_bus_intx(&second, 1, true); /* 1f.2 INTB: PIRQ B */
	assert_int_equal(gsi_levels, 1u << 17);
	poke(PC_RCBA_BASE + 0x3140, 2, 0x0070); /* INTB: PIRQ H */
	assert_int_equal(gsi_levels, 1u << 23);
	pci_bus_intx(&fn, 0, true);
	pci_bus_intx(&second, 1, false);
	assert_int_equal(gsi_levels, 1u << 23);
	pci_bus_vdev.reset(&fake_vm);
	q35_vdev.reset(&fake_vm);
	assert_int_equal(gsi_levels, 0);
}

static void test_multifunction(void **state)
{
	u8 header[64] = { 0xf4, 0x1a, 0x01, 0x10 };

	add_function();
	assert_int_equal(get(DEVFN, 0x0c) >> 16 & 0x80, 0);
	second = (struct pci_fn){ .vm = &fake_vm, .devfn = DEVFN + 1 };
	assert_int_equal(pci_bus_add(&second, header), 0);
	assert_int_equal(get(DEVFN, 0x0c) >> 16 & 0x80, 0x80);
	pci_bus_vdev.reset(&fake_vm);
	assert_int_equal(get(DEVFN, 0x0c) >> 16 & 0x80, 0x80);
}

static void test_reset(void **state)
{
	add_function();
	set(DEVFN, 0x10, 0xc0001000);
	set(DEVFN, 0x04, 7);
	set(DEVFN, 0x3c, 0x0b);
	set(PC_DEVFN_LPC, 0x60, 0x0a0a0a0a);
	pci_bus_vdev.reset(&fake_vm);
	q35_vdev.reset(&fake_vm);
	assert_int_equal(in(0xcf8, 4), 0);
	assert_int_equal(get(DEVFN, 0x10), 0);
	assert_int_equal(get(DEVFN, 0x04), 0);
	assert_int_equal(get(DEVFN, 0x3c), 0);
	assert_int_equal(get(DEVFN, 0), 0x10001af4);
	assert_int_equal(get(PC_DEVFN_LPC, 0x60), 0x80808080);
	assert_int_equal(pci_bus_of(&fake_vm)->isa[0], PCI_BUS_NO_ISA);
}

static void test_write_one_to_clear(void **state)
{
	add_function();
	fn.config[PCI_STATUS + 1] = 0xf9;
	out(0xcf8, 4, 0x80000000u | DEVFN << 8 | 4);
	out(0xcff, 1, 0x20);
	assert_int_equal(in(0xcff, 1), 0xd9);
	out(0xcfe, 2, 0xffff);
	assert_int_equal(in(0xcff, 1), 0);
}

static void test_reset_register(void **state)
{
	out(0xcf9, 1, 0x0a);
	assert_int_equal(in(0xcf9, 1), 0x0a);
	assert_int_equal(fake_vm_ends, 0);
	out(0xcf9, 1, 0x0e);
	assert_int_equal(fake_vm_ends, 1);
	assert_int_equal(fake_vm_end, VM_END_RESET);
	out(0xcf8, 4, 0x80000600); /* a dword is the address's, all of it */
	out(0xcf9, 2, 0x0606);
	assert_int_equal(fake_vm_ends, 1);
}

/* Whatever is written: identity, sizes and read-only bits hold, and nothing
 * outside the arrays is touched (the sanitizers look) */
static void test_random(void **state)
{
	static const u8 sizes[] = { 1, 2, 4, 8 };

	add_function();
	srand(7);
	for (u32 i = 0; i < 100000; i++) {
		u8 size = sizes[rand() % 4];
		u64 gpa = PC_PCI_HOLE +
			  (u64)rand() * 4 % (PC_PCI_HOLE_END - PC_PCI_HOLE);

		if (rand() & 1)
			gpa = PC_ECAM_BASE + (rand() & 1 ? 0 : 0xf8000) +
			      (u64)rand() % 0x1000;
		out(0xcf8, 4,
		    0x80000000u |
			    (u32)(rand() & 3 ? 0xf8 * (rand() & 1)
					     : rand() & 0xff)
				    << 8 |
			    (u32)(rand() & 0xff));
		out((u16)(0xcf8 + rand() % 8), sizes[rand() % 3],
		    (u64)rand() << 16 ^ (u64)rand());
		poke(gpa, size, (u64)rand() << 33 ^ (u64)rand());
		peek(gpa, size);
		poke(PC_RCBA_BASE + (u64)rand() % 0x4000, size, (u64)rand());
		if (!(i % 16))
			pci_bus_intx(&fn, (u32)rand(), rand() & 1);
	}
	assert_int_equal(get(0, 0), 0x29c08086);
	assert_int_equal(get(PC_DEVFN_LPC, 0), 0x29188086);
	assert_int_equal(get(DEVFN, 0x10) & 0xfff, 0);
	assert_int_equal(get(0, 0x9c) & 0xff00, 0x1200);
	assert_int_equal(get(PC_DEVFN_LPC, 0x40), 0x601);
}

static void test_full_bus(void **state)
{
	static struct pci_fn many[PCI_BUS_MAX_FNS];
	u8 header[64] = { 0 };
	u32 i;

	for (i = 0; i < PCI_BUS_MAX_FNS - 2; i++) {
		many[i] =
			(struct pci_fn){ .vm = &fake_vm, .devfn = (u8)(i + 1) };
		assert_int_equal(pci_bus_add(&many[i], header), 0);
	}
	many[i] = (struct pci_fn){ .vm = &fake_vm, .devfn = 0xf0 };
	assert_int_equal(pci_bus_add(&many[i], header), -ENOSPC);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_bar_sizing),
		T(test_bar_decode),
		T(test_ecam_first),
		T(test_no_extended_space),
		T(test_ecam_sizes),
		T(test_firmware_opens),
		T(test_memory_registers),
		T(test_intx),
		T(test_intx_shared),
		T(test_multifunction),
		T(test_reset),
		T(test_write_one_to_clear),
		T(test_reset_register),
		T(test_random),
		T(test_full_bus),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
