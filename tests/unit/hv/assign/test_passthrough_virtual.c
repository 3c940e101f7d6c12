/* SOURCES: hv/assign/passthrough.c hv/assign/passthrough_func.c hv/assign/passthrough_bus.c hv/assign/passthrough_sriov.c hv/assign/passthrough_guard.c hv/assign/passthrough_msi.c hv/assign/passthrough_msix.c hv/assign/passthrough_move.c hv/assign/passthrough_virtual.c hv/assign/passthrough_list.c hv/device/pci/pci_fn.c hv/core/bus.c hv/core/slots.c tests/unit/hv/assign/functions.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/* A virtual function beside the machine's: its slot, its config space both
 * ways, and BARs that the guest puts anywhere */
#include "hv/assign/passthrough_priv.h"
#include "include/hw/pci.h"
#include "tests/unit/fakes/owner.h"
#include "tests/unit/fakes/ratelimit.h"
#include "tests/unit/hv/assign/functions.h"

#define ECAM      0xb0000000ull
#define PORTS     0xc000u
#define PORT_SIZE 64u
#define MEM       0xe0200000ull
#define MEM_SIZE  0x10000u
#define COMMAND   (PCI_COMMAND_IO | PCI_COMMAND_MEMORY)
#define FIRST     0x0f /* the device number that is tried first */

static struct pci_fn fn;
static u8 intercepted[0x10000];
static u32 written_at, writes_seen, bar_seen;
static u64 offset_seen, value_seen;
static u32 taken; /* a device that is there; 0: none */
static u8 taken_config[4096];

static void intercept_port(const struct vm_intercepts *i, u16 port,
			   enum intercept on)
{
	intercepted[port] = on == INTERCEPT_ON;
}

static const struct vcpu_ops backend = { .intercept_port = intercept_port };

static void config_written(struct pci_fn *f, u32 offset, u8 size)
{
	written_at = offset;
	writes_seen++;
}

static u64 bar_read(struct vcpu *v, struct pci_fn *f, u32 index, u64 offset,
		    u8 size)
{
	return 0x1000 * index + offset;
}

static void bar_write(struct vcpu *v, struct pci_fn *f, u32 index, u64 offset,
		      u8 size, u64 value)
{
	bar_seen = index;
	offset_seen = offset;
	value_seen = value;
}

static const struct pci_fn_ops ops = { .config_written = config_written,
				       .bar_read = bar_read,
				       .bar_write = bar_write };

static u8 *taken_function(struct pci_bdf bdf)
{
	return taken && !bdf.bus && bdf.devfn == taken ? taken_config : NULL;
}

static int add(void)
{
	static const u8 header[64] = { 0x48, 0x42, 1 };

	memset(&fn, 0, sizeof(fn));
	fn.vm = &fake_vm;
	fn.ops = &ops;
	fn.bar[0].size = PORT_SIZE;
	fn.bar[0].io = true;
	fn.bar[2].size = MEM_SIZE;
	fn.bar[2].is_64 = true;
	return passthrough_virtual_add(&fn, header);
}

static int setup_virtual(void **state)
{
	vcpu_ops = &backend;
	taken = 0;
	memset(intercepted, 0, sizeof(intercepted));
	writes_seen = 0;
	setup(state);
	fake_vm.phys_bits = 40;
	assert_int_equal(add(), 0);
	return 0;
}

static u64 ecam(u32 reg, u32 function)
{
	return ECAM + ((u64)(fn.devfn + function) << 12) + reg;
}

static u32 get(u32 reg, u8 size)
{
	return (u32)bus_read(&fake_vm.mmio, &fake_vcpus[0], ecam(reg, 0), size);
}

static void set(u32 reg, u8 size, u32 value)
{
	bus_write(&fake_vm.mmio, &fake_vcpus[0], ecam(reg, 0), size, value);
}

static u32 port_get(u32 devfn, u32 reg)
{
	bus_write(&fake_vm.ports, &fake_vcpus[0], 0xcf8, 4,
		  0x80000000u | devfn << 8 | reg);
	return (u32)bus_read(&fake_vm.ports, &fake_vcpus[0], 0xcfc, 4);
}

static bool io_at(u32 base)
{
	for (u32 i = 0; i < 0x10000; i++)
		if (intercepted[i] !=
		    (base && i >= base && i < base + PORT_SIZE))
			return false;
	return !base ||
	       bus_read(&fake_vm.ports, &fake_vcpus[0], base + 8, 4) == 8;
}

static bool mem_at(u64 base)
{
	return bus_read(&fake_vm.mmio, &fake_vcpus[0], base + 0x10, 4) ==
	       0x2010;
}

static void test_slot(void **state)
{
	assert_int_equal(fn.devfn, FIRST << 3);
	assert_int_equal(get(0, 4), 0x00014248);
	assert_int_equal(get(2, 2), 1);
	assert_int_equal(port_get(fn.devfn, 0), 0x00014248);
	/* The other functions, other buses, and what is behind the header */
	for (u32 i = 1; i < 8; i++) {
		assert_int_equal(port_get(fn.devfn + i, 0), ~0u);
		assert_int_equal(
			bus_read(&fake_vm.mmio, &fake_vcpus[0], ecam(0, i), 4),
			~0u);
	}
	assert_int_equal(port_get(0x100 | fn.devfn, 0), ~0u);
	assert_int_equal(get(0xffc, 4), 0);
	assert_int_equal(bus_read(&fake_vm.mmio, &fake_vcpus[0], ecam(0, 0), 8),
			 0x14248);
}

/* All that the guest has, each once, ours first */
static void test_list(void **state)
{
	struct passthrough_entry e;
	u64 changes = passthrough_changes(&fake_vm);
	struct pci_bdf seen[64];
	u32 at = 0, count = 0;

	while (passthrough_list(&fake_vm, &at, &e)) {
		assert_true(count < ARRAY_SIZE(seen));
		assert_int_equal(e.is_virtual, count == 0);
		for (u32 i = 0; i < count; i++)
			assert_false(pci_same(seen[i], e.bdf));
		seen[count++] = e.bdf;
	}
	assert_true(count > 1);
	assert_int_equal(seen[0].devfn, fn.devfn);
	assert_int_equal(passthrough_changes(&fake_vm), changes);
	at = ~0u / 2;
	assert_false(passthrough_list(&fake_vm, &at, &e));
}

/* An IOMMU that the guest has looked for: it is hidden, and listed as that,
 * once, however often it is asked for */
static void test_list_of_hidden(void **state)
{
	struct passthrough_entry e;
	u64 changes = passthrough_changes(&fake_vm);
	u32 at = 0, hidden = 0, all = 0;

	taken = pci_devfn(7, 2);
	memset(taken_config, 0, sizeof(taken_config));
	put32(taken_config, 0x14231022);
	taken_config[PCI_CLASS_REVISION + 2] = PCI_CLASS_IOMMU & 0xff;
	taken_config[PCI_CLASS_REVISION + 3] = PCI_CLASS_IOMMU >> 8;
	virtual_function = taken_function;
	for (u32 i = 0; i < 3; i++)
		assert_int_equal(port_get(taken, 0), ~0u);
	assert_int_equal(passthrough_changes(&fake_vm), changes + 1);
	while (passthrough_list(&fake_vm, &at, &e)) {
		all++;
		hidden += e.hidden;
		assert_int_equal(e.hidden, e.bdf.devfn == taken);
	}
	assert_int_equal(hidden, 1);
	assert_true(all > 2);
	virtual_function = NULL;
}

/* A device number where any function answers is somebody's */
static void test_taken(void **state)
{
	struct passthrough;

	passthrough_virtual_remove(&fn);
	virtual_function = taken_function;
	put32(taken_config, 0x11111111);
	taken = FIRST << 3 | 5;
	assert_int_equal(add(), 0);
	assert_int_not_equal(fn.devfn >> 3, FIRST);
	virtual_function = NULL;
	assert_int_equal(port_get(fn.devfn, 0), 0x00014248);
}

static void test_sizing(void **state)
{
	set(0x10, 4, ~0u);
	assert_int_equal(get(0x10, 4), ~(PORT_SIZE - 1) | 1);
	set(0x18, 4, ~0u);
	set(0x1c, 4, ~0u);
	assert_int_equal(get(0x18, 4), ~(MEM_SIZE - 1) | 4);
	assert_int_equal(get(0x1c, 4), ~0u);
	set(0x14, 4, ~0u);
	assert_int_equal(get(0x14, 4), 0);
	assert_int_equal(meetings, 0);
	assert_int_equal(writes_seen, 4);
}

static void place(u32 ports, u64 mem)
{
	set(0x10, 4, ports);
	set(0x18, 4, (u32)mem);
	set(0x1c, 4, (u32)(mem >> 32));
}

static void test_decodes(void **state)
{
	place(PORTS, MEM);
	assert_true(io_at(0));
	assert_false(mem_at(MEM));
	set(4, 2, COMMAND);
	assert_true(io_at(PORTS));
	assert_true(mem_at(MEM));
	assert_int_equal(unmaps, 1);
	assert_int_equal(meetings, 1);
	bus_write(&fake_vm.ports, &fake_vcpus[0], PORTS + 20, 4, 77);
	assert_int_equal(bar_seen, 0);
	assert_int_equal(offset_seen, 20);
	assert_int_equal(value_seen, 77);
	bus_write(&fake_vm.mmio, &fake_vcpus[0], MEM + 0x8000, 8, 78);
	assert_int_equal(bar_seen, 2);
	assert_int_equal(offset_seen, 0x8000);
	/* Other writes stop no core */
	set(4, 2, COMMAND | PCI_COMMAND_MASTER);
	assert_int_equal(meetings, 1);
	/* It moves while it decodes, and is turned off */
	set(0x10, 4, PORTS + 0x100);
	assert_true(io_at(PORTS + 0x100));
	set(0x1c, 4, 1);
	assert_true(mem_at(MEM + GIB(4)));
	assert_false(mem_at(MEM));
	set(4, 2, 0);
	assert_true(io_at(0));
	assert_false(mem_at(MEM + GIB(4)));
}

static void refused(u32 ports, u64 mem)
{
	place(ports, mem);
	set(4, 2, COMMAND);
	assert_true(io_at(0));
	set(4, 2, 0);
}

/* On top of others, or of memory: nothing is decoded there */
static void test_misplaced(void **state)
{
	static const struct bus_region lapic = { .base = 0xfee00000,
						 .size = PAGE_SIZE,
						 .name = "other" };

	assert_int_equal(bus_add(&fake_vm.mmio, &lapic), 0);
	refused(0xcc0, 0xfee00000); /* CF8h is in it */
	assert_string_equal(bus_find(&fake_vm.mmio, 0xfee00000)->name, "other");
	refused(0xcf8, ECAM);
	assert_string_equal(bus_find(&fake_vm.mmio, ECAM)->name, "ecam");
	place(PORTS, BAR_RAM);
	set(4, 2, COMMAND);
	assert_true(io_at(PORTS));
	assert_null(bus_find(&fake_vm.mmio, BAR_RAM));
	place(PORTS, BIT(40));
	assert_null(bus_find(&fake_vm.mmio, BIT(40)));
	place(PORTS, ~0ull << 16);
	assert_null(bus_find(&fake_vm.mmio, ~0ull << 16));
	/* A slot of the guest's, which firmware's memory is in */
	fake_vm.slots[0] = (struct vm_slot){ .gpa = MEM, .size = PAGE_SIZE };
	fake_vm.slot_count = 1;
	place(PORTS, MEM);
	assert_null(bus_find(&fake_vm.mmio, MEM));
	place(0xffffffc0, MEM + MEM_SIZE);
	assert_true(io_at(0));
	assert_true(mem_at(MEM + MEM_SIZE));
}

/* The cores do not meet: what is there stays, and the next write tries again */
static void test_no_meeting(void **state)
{
	place(PORTS, MEM);
	core_is_silent = true;
	set(4, 2, COMMAND);
	assert_true(io_at(0));
	core_is_silent = false;
	set(4, 2, COMMAND);
	assert_true(io_at(PORTS));
	fake_ratelimit_left = 0;
	set(0x10, 4, PORTS + 0x40);
	assert_true(io_at(PORTS));
	fake_ratelimit_left = ~0u;
	set(0x3c, 1, 5);
	assert_true(io_at(PORTS + 0x40));
}

static u32 resets;

static void reset(struct pci_fn *f)
{
	assert_ptr_equal(f, &fn);
	assert_int_equal(get(4, 2), 0);
	resets++;
}

/* Between two lives of the guest: as at power on, and it decodes nothing */
static void test_reset(void **state)
{
	static struct pci_fn_ops with_reset;
	struct passthrough *pci = fake_vm.devices[VDEV_passthrough];

	with_reset = ops;
	with_reset.reset = reset;
	fn.ops = &with_reset;
	place(PORTS, MEM);
	set(4, 2, COMMAND);
	assert_true(io_at(PORTS));
	core_is_silent = true;
	assert_false(passthrough_virtuals_reset(pci));
	core_is_silent = false;
	assert_true(passthrough_virtuals_reset(pci));
	assert_int_equal(resets, 2);
	assert_true(io_at(0));
	assert_null(bus_find(&fake_vm.mmio, MEM));
	assert_int_equal(get(0x10, 4), 1);
	place(PORTS, MEM);
	set(4, 2, COMMAND);
	assert_true(io_at(PORTS));
}

static void move_back(void)
{
	set(0x10, 4, PORTS);
}

/* Another vCPU moves it while the cores gather: the last write counts */
static void test_two_movers(void **state)
{
	place(PORTS, MEM);
	set(4, 2, COMMAND);
	meanwhile = move_back;
	set(0x10, 4, PORTS + 0x40);
	assert_true(io_at(PORTS));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_slot, setup_virtual,
						teardown),
		cmocka_unit_test_setup_teardown(test_list, setup_virtual,
						teardown),
		cmocka_unit_test_setup_teardown(test_list_of_hidden,
						setup_virtual, teardown),
		cmocka_unit_test_setup_teardown(test_taken, setup_virtual,
						teardown),
		cmocka_unit_test_setup_teardown(test_sizing, setup_virtual,
						teardown),
		cmocka_unit_test_setup_teardown(test_decodes, setup_virtual,
						teardown),
		cmocka_unit_test_setup_teardown(test_misplaced, setup_virtual,
						teardown),
		cmocka_unit_test_setup_teardown(test_no_meeting, setup_virtual,
						teardown),
		cmocka_unit_test_setup_teardown(test_two_movers, setup_virtual,
						teardown),
		cmocka_unit_test_setup_teardown(test_reset, setup_virtual,
						teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
