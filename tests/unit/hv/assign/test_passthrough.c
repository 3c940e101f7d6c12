/* SOURCES: hv/assign/passthrough.c hv/assign/passthrough_func.c hv/assign/passthrough_guard.c hv/assign/passthrough_msi.c hv/assign/passthrough_msix.c hv/assign/passthrough_move.c hv/core/bus.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * MSI and MSI-X interposition against a fake config space and a fake BAR. The
 * invariant checked throughout: no message of the guest's reaches the device.
 * Over 400 lines: one function with its tables serves every case.
 */
#include "tests/unit/fakes/vdev.h"

#include "arch/x86/machine/smp.h"
#include "drivers/acpi/acpi.h"
#include "drivers/pci/pci.h"
#include "hv/irq/route.h"
#include "include/hw/pci.h"
#include "tests/unit/fakes/ioremap.h"
#include "tests/unit/fakes/owner.h"
#include "tests/unit/fakes/ports.h"
#include "tests/unit/fakes/ratelimit.h"

#define MSI_CAP   0x50
#define MSIX_CAP  0x70
#define BAR       0xe0000000u
#define BAR_MOVED 0xe0100000u
#define BAR_RAM   0x10000000u /* memory: it is not mapped for a BAR */
#define TABLE_OFF 0x800u
#define ENTRIES   130u /* the table crosses into a second page's start */

#define REBAR  0x200u
#define SECRET 0x44u /* a write here moves BAR 0 to BAR_MOVED */

#define HOST_ADDR 0xfee42000u
#define HOST_DATA 0x77u

static u8 config[2][4096]; /* function 00:03.0 and 00:04.0 */
static u8 bar[16384] __attribute__((aligned(4096)));
static u8 bar_moved[16384] __attribute__((aligned(4096)));
static u32 routes, unroutes, unmaps, cf9;
static u32 writes_seen_off; /* while function 0 decoded no memory */
static u64 routed_addr;
static u32 routed_data;

static bool alive; /* created, and not yet to be destroyed */
static u8 bar_type;
static bool writes_everywhere; /* as a chipset's function has registers */

static void put32(u8 *p, u32 v)
{
	memcpy(p, &v, 4);
}

static bool has_msix(const u8 *c)
{
	return c[MSIX_CAP] == PCI_CAP_ID_MSIX;
}

struct irq_msi {
	void (*on_storm)(void *dev);
	void *dev;
	bool throttled;
};

static u8 *function(struct pci_bdf bdf)
{
	if (bdf.segment || bdf.bus || (bdf.devfn != 0x18 && bdf.devfn != 0x20))
		return NULL;
	return config[bdf.devfn == 0x20];
}

static bool writable(u16 off)
{
	return writes_everywhere || off == 4 || off == SECRET ||
	       (off >= REBAR + 4 && off < REBAR + 12) ||
	       (off >= 0x10 && off < 0x28) ||
	       (off >= MSI_CAP + 2 && off < MSI_CAP + 20) ||
	       off == MSIX_CAP + 2 || off == MSIX_CAP + 3;
}

u32 pci_read(struct pci_bdf bdf, u16 offset, u8 size)
{
	u32 value = ~0u;

	assert_true(offset + size <= 4096 && offset % size == 0);
	if (function(bdf)) {
		value = 0;
		memcpy(&value, function(bdf) + offset, size);
	}
	return value;
}

static u64 bar_of(const u8 *c)
{
	u64 base;

	memcpy(&base, c + 0x10, sizeof(base));
	return (base & PCI_BAR_TYPE) == PCI_BAR_64 ? base & ~0xfull
						   : (u32)base & ~0xfu;
}

/* A table is never where the guest can reach it with no trap there */
static void check_trap(const u8 *c)
{
	const struct bus_region *r;

	if (!alive || !has_msix(c) || !(c[4] & PCI_COMMAND_MEMORY) ||
	    !bar_of(c))
		return;
	r = bus_find(&fake_vm.mmio, bar_of(c) + TABLE_OFF);
	assert_non_null(r);
	assert_string_equal(r->name, "msix");
}

static void check_hardware(void)
{
	u32 low, data;

	/* An enabled MSI carries the host's message */
	if (config[0][MSI_CAP + 2] & 1) {
		memcpy(&low, &config[0][MSI_CAP + 4], 4);
		memcpy(&data, &config[0][MSI_CAP + 12], 2);
		assert_int_equal(low, HOST_ADDR);
		assert_int_equal(data & 0xffff, HOST_DATA);
	}
}

void pci_write(struct pci_bdf bdf, u16 offset, u8 size, u32 value)
{
	u8 i;

	assert_true(offset + size <= 4096 && offset % size == 0);
	for (i = 0; function(bdf) && i < size; i++)
		if (writable((u16)(offset + i)))
			function(bdf)[offset + i] = (u8)(value >> i * 8);
	/* Sizing: the low bits of BAR 0 are its 16 KiB; resized, 2 MiB */
	for (i = 0; i < 2; i++)
		config[i][0x10] = bar_type, config[i][0x11] &= 0xc0;
	if (config[0][REBAR + 9])
		config[0][0x11] = 0, config[0][0x12] &= 0xe0;
	writes_seen_off += !(config[0][4] & PCI_COMMAND_MEMORY);
	check_hardware();
	check_trap(config[0]);
	check_trap(config[1]);
	if (offset == SECRET)
		put32(config[0] + 0x10, BAR_MOVED);
}

u8 pci_find_cap(struct pci_bdf bdf, u8 id)
{
	const u8 *c = function(bdf);

	if (!c || !has_msix(c))
		return 0;
	return id == PCI_CAP_ID_MSI    ? (c[MSI_CAP] == id ? MSI_CAP : 0)
	       : id == PCI_CAP_ID_MSIX ? MSIX_CAP
				       : 0;
}

u16 pci_find_ext_cap(struct pci_bdf bdf, u16 id)
{
	return bdf.devfn == 0x18 && id == PCI_EXT_CAP_REBAR ? REBAR : 0;
}

void pci_scan(void (*fn)(struct pci_bdf bdf, void *arg), void *arg)
{
	fn((struct pci_bdf){ .devfn = 0x18 }, arg);
}

u64 mmio_read(const volatile void *addr, u8 size)
{
	u64 value = 0;

	memcpy(&value, (const void *)addr, size);
	return value;
}

static void check_entry(const u8 *table, u64 index)
{
	u32 word[4];

	memcpy(word, table + index * 16, 16);
	if (word[3] & 1)
		return;
	assert_int_equal(word[0], HOST_ADDR);
	assert_int_equal(word[1], 0);
	assert_int_equal(word[2], HOST_DATA);
}

void mmio_write(volatile void *addr, u8 size, u64 value)
{
	const u8 *p = (const u8 *)addr;
	const u8 *table = p >= bar && p < bar + sizeof(bar) ? bar : bar_moved;

	memcpy((void *)addr, &value, size);
	table += TABLE_OFF;
	if (p >= table && p < table + ENTRIES * 16 &&
	    config[0][4] & PCI_COMMAND_MEMORY)
		check_entry(table, (u64)(p - table) / 16);
}

static struct irq_msi msi_pool[256];

int irq_route_msi(struct vm *vm, u64 addr, u32 data, struct irq_msi **m,
		  u64 *host_addr, u32 *host_data)
{
	if ((addr & ~0xfffffull) != 0xfee00000)
		return -EINVAL;
	if (!*m)
		*m = &msi_pool[routes % 256];
	routes++;
	routed_addr = addr;
	routed_data = data;
	*host_addr = HOST_ADDR;
	*host_data = HOST_DATA;
	return 0;
}

void irq_unroute_msi(struct irq_msi *m)
{
	assert_non_null(m);
	unroutes++;
}

void irq_msi_on_storm(struct irq_msi *m, void (*on_storm)(void *), void *dev)
{
	m->on_storm = on_storm;
	m->dev = dev;
}

bool irq_msi_throttled(const struct irq_msi *m)
{
	return m->throttled;
}

static void storm(struct irq_msi *m, bool throttled)
{
	m->throttled = throttled;
	m->on_storm(m->dev);
}

static u32 host_in(u16 port, u8 size)
{
	return port & 0xff;
}

static void host_out(u16 port, u8 size, u32 value)
{
	assert_int_equal(port, 0xcf9);
}

bool vpower_cf9_write(struct vm *vm, u8 value)
{
	cf9 = value;
	return value & 4;
}

int pt_unmap(struct page_table *pt, u64 addr, u64 size)
{
	assert_true(IS_ALIGNED(addr | size, PAGE_SIZE));
	unmaps++;
	return 0;
}

void vm_flush_here(const struct vm *v)
{
}

static bool core_is_silent;
static u32 meetings;
static void (*meanwhile)(void); /* what another core does before it comes */

int smp_rendezvous(int (*change)(void *arg), void (*after)(void *arg),
		   void *arg)
{
	void (*first)(void) = meanwhile;
	int err;

	meanwhile = NULL;
	if (first)
		first();
	if (core_is_silent)
		return -ETIMEDOUT;
	meetings++;
	err = change(arg);
	if (after)
		after(arg);
	return err;
}

static int setup(void **state)
{
	fake_vm_init(1);
	fake_port_in = host_in;
	fake_port_out = host_out;
	fake_owner_count = 0;
	fake_owner_add(0, 0x80000000u, OWNER_HYPERVISOR, 0);
	fake_ioremap_reset();
	fake_ioremap_add(BAR, bar, sizeof(bar));
	fake_ioremap_add(BAR_MOVED, bar_moved, sizeof(bar_moved));
	memset(config, 0, sizeof(config));
	memset(bar, 0xff, sizeof(bar)); /* every entry masked, as at reset */
	memset(bar_moved, 0xff, sizeof(bar_moved));
	memset(msi_pool, 0, sizeof(msi_pool));
	routes = unroutes = unmaps = meetings = 0;
	bar_type = 0;
	writes_everywhere = false;
	core_is_silent = false;
	fake_ratelimit_left = ~0u;
	put32(config[0], 0x12345678);
	put32(config[1], 0x12345679);
	config[0][4] = PCI_COMMAND_MEMORY;
	put32(config[0] + 0x10, BAR);
	/* Firmware left MSI on, with a message of its own */
	put32(config[0] + MSI_CAP, 0x018b7005);
	put32(config[0] + MSIX_CAP, 0x80000011u | (ENTRIES - 1) << 16);
	put32(config[0] + MSIX_CAP + 4, TABLE_OFF);
	acpi.ecam_count = 1;
	acpi.ecam[0] =
		(struct acpi_ecam){ .base = 0xb0000000, .bus_last = 255 };
	assert_int_equal(bus_init(&fake_vm.ports, &fake_vm.budget, 16), 0);
	assert_int_equal(bus_init(&fake_vm.mmio, &fake_vm.budget, 16), 0);
	assert_int_equal(passthrough_vdev.create(&fake_vm), 0);
	alive = true;
	return 0;
}

static int teardown(void **state)
{
	alive = false;
	passthrough_vdev.destroy(&fake_vm);
	free(fake_vm.ports.regions);
	free(fake_vm.mmio.regions);
	return 0;
}

static u32 cfg_read(u32 devfn, u32 off, u8 size)
{
	return (u32)bus_read(&fake_vm.mmio, &fake_vcpus[0],
			     0xb0000000 + (devfn << 12) + off, size);
}

static void cfg_write(u32 off, u8 size, u32 value)
{
	bus_write(&fake_vm.mmio, &fake_vcpus[0], 0xb0000000 + 0x18000 + off,
		  size, value);
}

static void table_write(u32 entry, u32 word, u32 value)
{
	bus_write(&fake_vm.mmio, &fake_vcpus[0],
		  BAR + TABLE_OFF + entry * 16 + word * 4, 4, value);
}

static u32 table_read(u32 entry, u32 word)
{
	return (u32)bus_read(&fake_vm.mmio, &fake_vcpus[0],
			     BAR + TABLE_OFF + entry * 16 + word * 4, 4);
}

static u32 hw_entry(u32 entry, u32 word)
{
	u32 v;

	memcpy(&v, bar + TABLE_OFF + entry * 16 + word * 4, 4);
	return v;
}

static void test_config_paths(void **state)
{
	assert_int_equal(cfg_read(0x18, 0, 4), 0x12345678);
	assert_int_equal(cfg_read(0x18, 1, 2), 0x3456); /* by bytes */
	assert_int_equal(cfg_read(0x28, 0, 4), 0xffffffff);
	/* Hot-plugged after the scan */
	assert_int_equal(cfg_read(0x20, 0, 2), 0x5679);
	bus_write(&fake_vm.ports, &fake_vcpus[0], 0xcf8, 4, 0x80001800);
	assert_int_equal(bus_read(&fake_vm.ports, &fake_vcpus[0], 0xcf8, 4),
			 0x80001800);
	assert_int_equal(bus_read(&fake_vm.ports, &fake_vcpus[0], 0xcfe, 2),
			 0x1234);
	/* Linux's check for type 1 */
	bus_write(&fake_vm.ports, &fake_vcpus[0], 0xcfb, 1, 1);
	assert_int_equal(bus_read(&fake_vm.ports, &fake_vcpus[0], 0xcf8, 4),
			 0x80001800);
	bus_write(&fake_vm.ports, &fake_vcpus[0], 0xcf8, 4, 0);
	assert_int_equal(bus_read(&fake_vm.ports, &fake_vcpus[0], 0xcfc, 4),
			 0xffffffff);
	bus_write(&fake_vm.ports, &fake_vcpus[0], 0xcf9, 1, 6);
	assert_int_equal(cf9, 6);
	assert_int_equal(bus_read(&fake_vm.ports, &fake_vcpus[0], 0xcf9, 1),
			 0xf9);
}

static void test_firmware_leftovers(void **state)
{
	assert_false(config[0][MSI_CAP + 2] & 1);
	assert_false(config[0][MSIX_CAP + 3] & 0x80);
	assert_false(cfg_read(0x18, MSI_CAP + 2, 2) & 1);
	assert_false(cfg_read(0x18, MSIX_CAP + 2, 2) & 0x8000);
}

static void test_msi(void **state)
{
	/* One message only, whatever the device could do */
	assert_int_equal(cfg_read(0x18, MSI_CAP, 4), 0x01807005);
	cfg_write(MSI_CAP + 4, 4, 0xfee01000);
	cfg_write(MSI_CAP + 8, 4, 0);
	cfg_write(MSI_CAP + 12, 2, 0x41);
	assert_int_equal(routes, 0);
	cfg_write(MSI_CAP + 2, 2, 0x0031); /* enable, 8 messages */
	assert_int_equal(routes, 1);
	assert_int_equal(routed_addr, 0xfee01000);
	assert_int_equal(routed_data, 0x41);
	assert_int_equal(config[0][MSI_CAP + 2] & 0x71, 1);
	assert_int_equal(cfg_read(0x18, MSI_CAP + 4, 4), 0xfee01000);
	assert_int_equal(cfg_read(0x18, MSI_CAP + 12, 2), 0x41);
	assert_int_equal(cfg_read(0x18, MSI_CAP + 2, 2), 0x0181);
	/* Moved while on */
	cfg_write(MSI_CAP + 4, 4, 0xfee02000);
	assert_int_equal(routed_addr, 0xfee02000);
	/* Nonsense turns it off */
	cfg_write(MSI_CAP + 4, 4, 0x1000);
	assert_false(config[0][MSI_CAP + 2] & 1);
	assert_int_equal(unroutes, 1);
	cfg_write(MSI_CAP + 4, 1, 0);
	cfg_write(MSI_CAP + 6, 2, 0xfee0);
	assert_true(config[0][MSI_CAP + 2] & 1);
	/* The mask bits pass */
	cfg_write(MSI_CAP + 16, 4, 1);
	assert_int_equal(config[0][MSI_CAP + 16], 1);
	cfg_write(MSI_CAP + 2, 2, 0);
	assert_int_equal(unroutes, 2);
	assert_false(config[0][MSI_CAP + 2] & 1);
}

static void test_msix(void **state)
{
	u32 i;

	assert_int_equal(table_read(0, 3), 1);
	for (i = 0; i < ENTRIES; i++) {
		table_write(i, 0, 0xfee00000 | i << 12);
		table_write(i, 1, 0);
		table_write(i, 2, 0x30 + i);
	}
	table_write(0, 3, 0); /* unmasked before the enable */
	assert_int_equal(routes, 0);
	cfg_write(MSIX_CAP + 2, 2, 0xc000);
	assert_int_equal(config[0][MSIX_CAP + 3] & 0xc0, 0xc0);
	assert_int_equal(routes, 1);
	cfg_write(MSIX_CAP + 2, 2, 0x8000);
	assert_int_equal(config[0][MSIX_CAP + 3] & 0xc0, 0x80);
	assert_int_equal(hw_entry(0, 3), 0);
	assert_int_equal(hw_entry(1, 3), 1);
	table_write(ENTRIES - 1, 3, 0);
	assert_int_equal(routed_data, 0x30 + ENTRIES - 1);
	assert_int_equal(table_read(ENTRIES - 1, 2), 0x30 + ENTRIES - 1);
	assert_int_equal(hw_entry(ENTRIES - 1, 2), HOST_DATA);
	/* Each state of a change in place is the host's */
	table_write(0, 0, 0xdead0000);
	assert_int_equal(hw_entry(0, 3), 1);
	table_write(0, 0, 0xfee03000);
	assert_int_equal(hw_entry(0, 3), 0);
	table_write(0, 3, 1);
	assert_int_equal(hw_entry(0, 3), 1);
	cfg_write(MSIX_CAP + 2, 2, 0);
	assert_true(unroutes >= 2);
	assert_false(config[0][MSIX_CAP + 3] & 0x80);
}

static void test_msix_shapes(void **state)
{
	/* qword access, and what is beside the table */
	bus_write(&fake_vm.mmio, &fake_vcpus[0], BAR + TABLE_OFF, 8,
		  0x11fee01000ull);
	assert_int_equal(
		bus_read(&fake_vm.mmio, &fake_vcpus[0], BAR + TABLE_OFF, 8),
		0x11fee01000ull);
	assert_int_equal(
		bus_read(&fake_vm.mmio, &fake_vcpus[0], BAR + TABLE_OFF + 2, 1),
		0xe0);
	bus_write(&fake_vm.mmio, &fake_vcpus[0], BAR + TABLE_OFF, 2, 0);
	assert_int_equal(table_read(0, 0), 0xfee01000);
	bus_write(&fake_vm.mmio, &fake_vcpus[0], BAR + 4, 4, 0xabcd);
	assert_int_equal(bar[4] | bar[5] << 8, 0xabcd);
	assert_int_equal(bus_read(&fake_vm.mmio, &fake_vcpus[0], BAR + 4, 2),
			 0xabcd);
	/* A write that ends inside the table goes nowhere */
	memset(bar + TABLE_OFF - 4, 0xee, 4);
	bus_write(&fake_vm.mmio, &fake_vcpus[0], BAR + TABLE_OFF - 4, 8, 0);
	assert_int_equal(bar[TABLE_OFF - 4], 0xee);
}

static void test_msix_storm(void **state)
{
	table_write(5, 0, 0xfee01000);
	table_write(5, 1, 0);
	table_write(5, 2, 0x55);
	cfg_write(MSIX_CAP + 2, 2, 0x8000);
	table_write(5, 3, 0);
	assert_int_equal(hw_entry(5, 3), 0);
	storm(&msi_pool[0], true);
	assert_int_equal(hw_entry(5, 3), 1);
	table_write(5, 0, 0xfee02000); /* the guest cannot lift it */
	assert_int_equal(hw_entry(5, 3), 1);
	storm(&msi_pool[0], false);
	assert_int_equal(hw_entry(5, 3), 0);
	/* It ends when the entry holds no message: nothing is unmasked */
	storm(&msi_pool[0], true);
	table_write(5, 0, 0xdead0000);
	storm(&msi_pool[0], false);
	assert_int_equal(hw_entry(5, 3), 1);
}

static void test_bar_moves(void **state)
{
	table_write(0, 0, 0xfee01000);
	table_write(0, 1, 0);
	table_write(0, 2, 0x41);
	table_write(0, 3, 0);
	cfg_write(MSIX_CAP + 2, 2, 0x8000);
	/* Sizing with decoding off moves nothing */
	cfg_write(4, 2, 0);
	cfg_write(0x10, 4, 0xffffffff);
	cfg_write(0x10, 4, BAR);
	cfg_write(4, 2, 2);
	assert_int_equal(unmaps, 0);
	assert_non_null(bus_find(&fake_vm.mmio, BAR));
	/* A real move */
	cfg_write(4, 2, 0);
	cfg_write(0x10, 4, BAR_MOVED);
	assert_non_null(bus_find(&fake_vm.mmio, BAR));
	cfg_write(4, 2, 2);
	assert_int_equal(unmaps, 1);
	assert_null(bus_find(&fake_vm.mmio, BAR));
	assert_non_null(bus_find(&fake_vm.mmio, BAR_MOVED));
	/* The entry went with it */
	assert_int_equal(bus_read(&fake_vm.mmio, &fake_vcpus[0],
				  BAR_MOVED + TABLE_OFF, 4),
			 0xfee01000);
	assert_int_equal(bar_moved[TABLE_OFF + 12], 0);
	/* Over RAM: no trap can be there, so there is no table either */
	cfg_write(0x10, 4, BAR_RAM);
	assert_null(bus_find(&fake_vm.mmio, BAR_RAM));
	assert_false(config[0][4] & 2);
	assert_false(config[0][MSIX_CAP + 3] & 0x80);
	cfg_write(0x10, 4, BAR);
	cfg_write(4, 2, 2);
	assert_non_null(bus_find(&fake_vm.mmio, BAR));
	assert_true(config[0][MSIX_CAP + 3] & 0x80);
}

/* Decoding is off until the trap stands, and the guest does not see it */
static void seen_by_another_core(void)
{
	assert_false(config[0][4] & PCI_COMMAND_MEMORY);
	assert_int_equal(bar_of(config[0]), BAR_MOVED);
	assert_null(bus_find(&fake_vm.mmio, BAR_MOVED));
	assert_int_equal(cfg_read(0x18, 4, 2), PCI_COMMAND_MEMORY);
}

static void test_moved_while_on(void **state)
{
	table_write(0, 0, 0xfee01000);
	table_write(0, 2, 0x41);
	table_write(0, 3, 0);
	cfg_write(MSIX_CAP + 2, 2, 0x8000);
	meanwhile = seen_by_another_core;
	cfg_write(0x10, 4, BAR_MOVED);
	assert_int_equal(meetings, 2);
	assert_true(config[0][4] & PCI_COMMAND_MEMORY);
	assert_non_null(bus_find(&fake_vm.mmio, BAR_MOVED));
	assert_true(config[0][MSIX_CAP + 3] & 0x80);
	assert_int_equal(bar_moved[TABLE_OFF + 12], 0);
	/* Registers beside the BAR, a bridge's windows, do not turn it off */
	writes_seen_off = 0;
	cfg_write(0x14, 4, 0x12345678);
	cfg_write(0x20, 4, 0x12345678);
	assert_int_equal(writes_seen_off, 0);
	/* The same value moves nothing, and other commands stop no core */
	cfg_write(0x10, 4, BAR_MOVED);
	cfg_write(4, 2, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	assert_true(config[0][4] & PCI_COMMAND_MEMORY);
	assert_int_equal(meetings, 2);
}

/* The last write counts, whoever comes first */
static void move_back(void)
{
	cfg_write(0x10, 4, BAR);
}

static void turn_off(void)
{
	cfg_write(4, 2, 0);
}

static void test_two_movers(void **state)
{
	meanwhile = move_back;
	cfg_write(0x10, 4, BAR_MOVED);
	assert_non_null(bus_find(&fake_vm.mmio, BAR));
	assert_null(bus_find(&fake_vm.mmio, BAR_MOVED));
	assert_true(config[0][4] & PCI_COMMAND_MEMORY);
	meanwhile = turn_off;
	cfg_write(0x10, 4, BAR_MOVED);
	assert_false(config[0][4] & PCI_COMMAND_MEMORY);
	cfg_write(4, 2, PCI_COMMAND_MEMORY);
	assert_non_null(bus_find(&fake_vm.mmio, BAR_MOVED));
}

static void test_other_movers(void **state)
{
	/* Resized from 16 KiB to 2 MiB, the BAR loses address bits */
	cfg_write(0x10, 4, BAR_MOVED);
	cfg_write(REBAR + 8, 4, 0x0100);
	assert_int_equal(bar_of(config[0]), BAR);
	assert_non_null(bus_find(&fake_vm.mmio, BAR));
	assert_true(config[0][4] & PCI_COMMAND_MEMORY);
	cfg_write(REBAR + 8, 4, 0);
	/* A register that nobody knows */
	cfg_write(SECRET, 1, 1);
	assert_non_null(bus_find(&fake_vm.mmio, BAR_MOVED));
	assert_true(config[0][4] & PCI_COMMAND_MEMORY);
}

/* A BAR beyond the CPU's addresses, and one that wraps */
static void test_64_bit_bar(void **state)
{
	config[0][0x10] = bar_type = PCI_BAR_64;
	cfg_write(0x14, 4, 1u << 12);
	assert_false(config[0][4] & PCI_COMMAND_MEMORY);
	cfg_write(0x14, 4, ~0u);
	cfg_write(4, 2, PCI_COMMAND_MEMORY);
	assert_false(config[0][4] & PCI_COMMAND_MEMORY);
	cfg_write(0x14, 4, 0);
	cfg_write(4, 2, PCI_COMMAND_MEMORY);
	assert_true(config[0][4] & PCI_COMMAND_MEMORY);
	assert_non_null(bus_find(&fake_vm.mmio, BAR));
}

/* However often: one mapping, and no more memory */
static void test_many_moves(void **state)
{
	u32 live = fake_pool_live;

	for (u32 i = 0; i < 55000; i++)
		cfg_write(0x10, 4, i % 3 ? BAR_MOVED : BAR_RAM);
	assert_int_equal(fake_iomaps, 1);
	assert_int_equal(fake_pool_live, live);
}

/* The trap cannot follow, so the table must be nowhere */
static void test_no_rendezvous(void **state)
{
	cfg_write(MSIX_CAP + 2, 2, 0x8000);
	core_is_silent = true;
	cfg_write(0x10, 4, BAR_MOVED);
	core_is_silent = false;
	assert_false(config[0][4] & PCI_COMMAND_MEMORY);
	assert_non_null(bus_find(&fake_vm.mmio, BAR));
	assert_null(bus_find(&fake_vm.mmio, BAR_MOVED));
	cfg_write(4, 2, PCI_COMMAND_MEMORY);
	assert_null(bus_find(&fake_vm.mmio, BAR));
	assert_non_null(bus_find(&fake_vm.mmio, BAR_MOVED));
}

/* Each move stops all cores: who moves too often is refused for a while */
static void test_too_many_moves(void **state)
{
	fake_ratelimit_left = 3;
	cfg_write(0x10, 4, BAR_MOVED);
	cfg_write(0x10, 4, BAR);
	cfg_write(0x10, 4, BAR_MOVED);
	assert_int_equal(meetings, 3);
	assert_true(config[0][4] & PCI_COMMAND_MEMORY);
	cfg_write(0x10, 4, BAR);
	cfg_write(4, 2, PCI_COMMAND_MEMORY);
	assert_int_equal(meetings, 3);
	assert_false(config[0][4] & PCI_COMMAND_MEMORY);
	fake_ratelimit_left = 1;
	cfg_write(4, 2, PCI_COMMAND_MEMORY);
	assert_int_equal(meetings, 4);
	assert_true(config[0][4] & PCI_COMMAND_MEMORY);
}

/* A second function with a table comes by hot plug, decoding already */
static void plug_second(u64 at)
{
	put32(config[1] + 0x10, (u32)at);
	put32(config[1] + MSIX_CAP, 0x80000011u | (ENTRIES - 1) << 16);
	put32(config[1] + MSIX_CAP + 4, TABLE_OFF);
	alive = false;
	config[1][4] = PCI_COMMAND_MEMORY;
	cfg_read(0x20, 0, 4);
	alive = true;
}

static void test_hot_plug(void **state)
{
	plug_second(BAR_MOVED);
	assert_true(config[1][4] & PCI_COMMAND_MEMORY);
	assert_non_null(bus_find(&fake_vm.mmio, BAR_MOVED));
	assert_false(config[1][MSIX_CAP + 3] & 0x80);
	/* No two tables in one place */
	cfg_write(0x10, 4, BAR_MOVED);
	assert_false(config[0][4] & PCI_COMMAND_MEMORY);
	assert_true(config[1][4] & PCI_COMMAND_MEMORY);
	assert_non_null(bus_find(&fake_vm.mmio, BAR_MOVED));
}

/* With decoding off, another function's registers may be at the trap */
static void test_trap_of_one_that_is_off(void **state)
{
	table_write(0, 0, 0xfee01000);
	table_write(0, 2, 0x41);
	cfg_write(MSIX_CAP + 2, 2, 0x8000);
	cfg_write(4, 2, 0);
	memset(bar, 0x5a, sizeof(bar));
	assert_int_equal(table_read(0, 2), 0x5a5a5a5a);
	table_write(0, 2, 0x12345678);
	table_write(0, 3, 0);
	assert_int_equal(hw_entry(0, 2), 0x12345678);
	cfg_write(MSIX_CAP + 2, 2, 0x8000);
	assert_int_equal(hw_entry(1, 3), 0x5a5a5a5a);
	assert_int_equal(routes, 0);
	/* It is the table again, as it was */
	memset(bar, 0xff, sizeof(bar));
	cfg_write(4, 2, PCI_COMMAND_MEMORY);
	assert_int_equal(meetings, 0);
	assert_int_equal(table_read(0, 2), 0x41);
	table_write(0, 3, 0);
	assert_int_equal(hw_entry(0, 2), HOST_DATA);
}

/* Where a function is that decodes nothing, another may come */
static void test_place_of_one_that_is_off(void **state)
{
	cfg_write(4, 2, 0);
	plug_second(BAR);
	assert_true(config[1][4] & PCI_COMMAND_MEMORY);
	assert_non_null(bus_find(&fake_vm.mmio, BAR));
	cfg_write(4, 2, PCI_COMMAND_MEMORY);
	assert_false(config[0][4] & PCI_COMMAND_MEMORY);
	cfg_write(0x10, 4, BAR_MOVED);
	cfg_write(4, 2, PCI_COMMAND_MEMORY);
	assert_true(config[0][4] & PCI_COMMAND_MEMORY);
}

/* Other hardware answers where a function was: a slot, or a bus number, has
 * changed hands. What is known of the old one is not applied to it. */
static void test_other_function_there(void **state)
{
	u32 live = fake_pool_live, iomaps = fake_iomaps;

	table_write(5, 0, 0xfee01000);
	table_write(5, 2, 0x55);
	cfg_write(MSIX_CAP + 2, 2, 0x8000);
	table_write(5, 3, 0);
	/* Not ready, or gone for a while: the same one may come back */
	put32(config[0], 0xffff0001);
	cfg_read(0x18, 0, 4);
	put32(config[0], 0xffffffff);
	cfg_read(0x18, 0, 4);
	assert_int_equal(meetings, 0);
	put32(config[0], 0x99991234);
	config[0][MSI_CAP] = 0; /* no MSI */
	config[0][4] = 0;
	storm(&msi_pool[0], true); /* a late one */
	assert_int_equal(config[0][MSI_CAP + 16], 0);
	assert_int_equal(cfg_read(0x18, 0, 4), 0x99991234);
	assert_int_equal(meetings, 1);
	assert_int_equal(unroutes, 1);
	assert_null(bus_find(&fake_vm.mmio, BAR));
	assert_false(config[0][MSIX_CAP + 3] & 0x80);
	cfg_write(MSI_CAP + 4, 4, 0x12345678); /* a register like others */
	assert_int_equal(cfg_read(0x18, MSI_CAP + 4, 4), 0x12345678);
	cfg_write(4, 2, PCI_COMMAND_MEMORY);
	assert_non_null(bus_find(&fake_vm.mmio, BAR));
	assert_int_equal(table_read(5, 3), 1);
	/* The old one's memory serves the new one */
	assert_int_equal(fake_pool_live, live);
	assert_int_equal(fake_iomaps, iomaps);
}

static void new_guest(void)
{
	alive = false;
	passthrough_vdev.destroy(&fake_vm);
	free(fake_vm.ports.regions);
	free(fake_vm.mmio.regions);
	assert_int_equal(bus_init(&fake_vm.ports, &fake_vm.budget, 16), 0);
	assert_int_equal(bus_init(&fake_vm.mmio, &fake_vm.budget, 16), 0);
	assert_int_equal(passthrough_vdev.create(&fake_vm), 0);
	alive = true;
}

/* A function without mask bits has MSI off while it storms */
static void test_msi_storm(void **state)
{
	put32(config[0] + MSI_CAP, 0x008b7005);
	new_guest();
	cfg_write(MSI_CAP + 4, 4, 0xfee01000);
	cfg_write(MSI_CAP + 12, 2, 0x41);
	cfg_write(MSI_CAP + 2, 2, 1);
	assert_true(config[0][MSI_CAP + 2] & 1);
	storm(&msi_pool[0], true);
	assert_false(config[0][MSI_CAP + 2] & 1);
	assert_true(cfg_read(0x18, MSI_CAP + 2, 2) & 1);
	cfg_write(MSI_CAP + 4, 4, 0xfee02000); /* the guest cannot lift it */
	assert_false(config[0][MSI_CAP + 2] & 1);
	storm(&msi_pool[0], false);
	assert_true(config[0][MSI_CAP + 2] & 1);
	/* Turned off meanwhile, it stays off */
	storm(&msi_pool[0], true);
	cfg_write(MSI_CAP + 2, 2, 0);
	storm(&msi_pool[0], false);
	assert_false(config[0][MSI_CAP + 2] & 1);
}

/* Its own registers say where ECAM is and what memory is; firmware's word is
 * the last. The standard header is the guest's, by both ways. */
static void test_host_bridge(void **state)
{
	u8 before;

	put32(config[0] + 8, 0x06000000);
	new_guest();
	before = config[0][MSIX_CAP + 0x1c];
	writes_everywhere = true;
	for (u32 size = 1; size <= 4; size *= 2)
		cfg_write(MSIX_CAP + 0x1c, (u8)size, 0xa5a5a5a5);
	bus_write(&fake_vm.ports, &fake_vcpus[0], 0xcf8, 4,
		  0x80001800 | (MSIX_CAP + 0x1c));
	bus_write(&fake_vm.ports, &fake_vcpus[0], 0xcfc, 4, 0xa5a5a5a5);
	assert_int_equal(config[0][MSIX_CAP + 0x1c], before);
	cfg_write(4, 2, 0);
	assert_int_equal(config[0][4], 0);
	/* MSI is no register of the chipset's */
	cfg_write(MSI_CAP + 4, 4, 0xfee01000);
	cfg_write(MSI_CAP + 2, 2, 1);
	assert_true(config[0][MSI_CAP + 2] & 1);
	/* As any other function has it */
	put32(config[0] + 8, 0x02000000);
	new_guest();
	cfg_write(MSIX_CAP + 0x1c, 1, 0xa5);
	assert_int_equal(config[0][MSIX_CAP + 0x1c], 0xa5);
}

static void test_hidden_functions(void **state)
{
	static const u32 hidden[] = { 0x08001000, 0x08002000, 0x08060000 };

	for (u32 i = 0; i < ARRAY_SIZE(hidden); i++) {
		put32(config[0] + 8, hidden[i]);
		put32(config[1] + 8, hidden[i]);
		new_guest();
		assert_int_equal(cfg_read(0x18, 0, 4), ~0u);
		assert_int_equal(cfg_read(0x20, 8, 4), ~0u); /* hot-plugged */
		cfg_write(4, 2, 0);
		assert_int_equal(config[0][4], PCI_COMMAND_MEMORY);
	}
	put32(config[0] + 8, 0x08000000); /* an 8259 */
	new_guest();
	assert_int_equal(cfg_read(0x18, 0, 4), 0x12345678);
}

static void test_hostile_writes(void **state)
{
	static const u8 sizes[] = { 1, 2, 4, 8 };
	u32 i;

	srand(7);
	for (i = 0; i < 50000; i++) {
		u64 value = (u64)rand() << 33 ^ (u64)rand() << 11 ^ rand();
		u32 off = (u32)rand() % 0x90;

		if (rand() % 3 == 0)
			value = 0xfee00000 | (value & 0xff);
		/* Not the BAR: the fake has one only */
		if (off < 8 || (off >= 0x40 && rand() % 2))
			bus_write(&fake_vm.mmio, &fake_vcpus[0],
				  0xb0018000 + off + 0x40, sizes[rand() % 4],
				  value);
		bus_write(&fake_vm.mmio, &fake_vcpus[0],
			  BAR + (u32)rand() % 0x1100, sizes[rand() % 4], value);
	}
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_config_paths),
		T(test_firmware_leftovers),
		T(test_msi),
		T(test_msix),
		T(test_msix_shapes),
		T(test_msix_storm),
		T(test_bar_moves),
		T(test_moved_while_on),
		T(test_two_movers),
		T(test_other_movers),
		T(test_64_bit_bar),
		T(test_many_moves),
		T(test_too_many_moves),
		T(test_no_rendezvous),
		T(test_hot_plug),
		T(test_trap_of_one_that_is_off),
		T(test_place_of_one_that_is_off),
		T(test_other_function_there),
		T(test_msi_storm),
		T(test_host_bridge),
		T(test_hidden_functions),
		T(test_hostile_writes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
