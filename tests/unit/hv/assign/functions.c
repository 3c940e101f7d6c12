/* SPDX-License-Identifier: BSD-2-Clause */
/* The machine of the passthrough tests, see functions.h. Over 400 lines: its
 * parts share their state. */
#include "tests/unit/hv/assign/functions.h"

#include "arch/x86/machine/smp.h"
#include "drivers/acpi/acpi.h"
#include "drivers/pci/pci.h"
#include "hv/assign/passthrough.h"
#include "hv/core/piece.h"
#include "hv/irq/route.h"
#include "include/hw/pci.h"
#include "tests/unit/fakes/ioremap.h"
#include "tests/unit/fakes/owner.h"
#include "tests/unit/fakes/ports.h"
#include "tests/unit/fakes/ratelimit.h"

u8 config[2][4096];
u8 bar[16384] __attribute__((aligned(4096)));
u8 bar_moved[16384] __attribute__((aligned(4096)));
u32 routes, unroutes, unmaps, meetings, cf9;
u32 writes_seen_off, reads_behind_write;
u64 routed_addr;
u32 routed_data;
bool routed_in_steps;
struct irq_msi *routed;
u32 moves;
bool alive;
u8 bar_type;
bool writes_everywhere;
bool table_is_slow, config_is_slow;
u32 accesses;
bool core_is_silent;
void (*meanwhile)(void);
u16 sriov_cap;
u8 *(*virtual_function)(struct pci_bdf bdf);
void (*written)(void);
struct irq_msi msi_pool[256];

static bool has_msix(const u8 *c)
{
	return c[MSIX_CAP] == PCI_CAP_ID_MSIX;
}

static u8 *function(struct pci_bdf bdf)
{
	if (bdf.segment || bdf.bus || (bdf.devfn != 0x18 && bdf.devfn != 0x20))
		return virtual_function ? virtual_function(bdf) : NULL;
	return config[bdf.devfn == 0x20];
}

static bool writable(u16 off)
{
	return writes_everywhere ||
	       (sriov_cap && off >= sriov_cap &&
		off < sriov_cap + PCI_SRIOV_BYTES) ||
	       off == 4 || off == SECRET ||
	       (off >= REBAR + 4 && off < REBAR + 12) ||
	       (off >= 0x10 && off < 0x28) ||
	       (off >= MSI_CAP + 2 && off < MSI_CAP + 20) ||
	       off == MSIX_CAP + 2 || off == MSIX_CAP + 3;
}

/* An access of config space, or a route's end: a tenth of a piece, if it takes
 * its time */
static void take_time(void)
{
	u64 end = rdtsc() + PIECE_TICKS_MIN / 10;

	accesses++;
	while (config_is_slow && rdtsc() < end)
		;
}

u32 pci_read(struct pci_bdf bdf, u16 offset, u8 size)
{
	u32 value = ~0u;

	take_time();
	assert_true(offset + size <= 4096 && offset % size == 0);
	reads_behind_write++;
	if (function(bdf)) {
		value = 0;
		memcpy(&value, function(bdf) + offset, size);
	}
	return value;
}

u64 bar_of(const u8 *c)
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
	if (has_msix(config[0]) && config[0][MSI_CAP + 2] & 1) {
		memcpy(&low, &config[0][MSI_CAP + 4], 4);
		memcpy(&data, &config[0][MSI_CAP + 12], 2);
		assert_int_equal(low, HOST_ADDR);
		assert_int_equal(data & 0xffff, HOST_DATA);
	}
}

void pci_write(struct pci_bdf bdf, u16 offset, u8 size, u32 value)
{
	u8 i;

	take_time();
	assert_true(offset + size <= 4096 && offset % size == 0);
	for (i = 0; function(bdf) && i < size; i++)
		if (writable((u16)(offset + i)))
			function(bdf)[offset + i] = (u8)(value >> i * 8);
	/* Sizing: the low bits of BAR 0 are its 16 KiB; resized, 2 MiB */
	for (i = 0; i < 2; i++)
		config[i][0x10] = bar_type, config[i][0x11] &= 0xc0;
	if (config[0][REBAR + 9])
		config[0][0x11] = 0, config[0][0x12] &= 0xe0;
	if (written)
		written();
	writes_seen_off += !(config[0][4] & PCI_COMMAND_MEMORY);
	reads_behind_write = 0;
	check_hardware();
	check_trap(config[0]);
	check_trap(config[1]);
	if (offset == SECRET)
		put32(config[0] + 0x10, BAR_MOVED);
}

static u8 find_cap(struct pci_bdf bdf, u8 id)
{
	const u8 *c = function(bdf);

	if (c && id == PCI_CAP_ID_PM && c[PM_CAP] == id)
		return PM_CAP;
	if (!c || !has_msix(c))
		return 0;
	return id == PCI_CAP_ID_MSI    ? (c[MSI_CAP] == id ? MSI_CAP : 0)
	       : id == PCI_CAP_ID_MSIX ? MSIX_CAP
	       : id == PCI_CAP_ID_PCIE ? PCIE_CAP
	       : id == PCI_CAP_ID_AF   ? AF_CAP
	       : id == PCI_CAP_ID_PM   ? PM_CAP
				       : 0;
}

static u16 find_ext_cap(struct pci_bdf bdf, u16 id)
{
	return bdf.devfn != 0x18         ? 0
	       : id == PCI_EXT_CAP_SRIOV ? sriov_cap
	       : id == PCI_EXT_CAP_REBAR ? REBAR
					 : 0;
}

/* A walk of a list takes an access for each item */
void pci_find_caps(struct pci_bdf bdf, const u8 *ids, u8 *at, u32 count)
{
	accesses += 8;
	for (u32 i = 0; i < count; i++)
		at[i] = find_cap(bdf, ids[i]);
}

u8 pci_find_cap(struct pci_bdf bdf, u8 id)
{
	u8 at;

	pci_find_caps(bdf, &id, &at, 1);
	return at;
}

void pci_find_ext_caps(struct pci_bdf bdf, const u16 *ids, u16 *at, u32 count)
{
	accesses += 10;
	for (u32 i = 0; i < count; i++)
		at[i] = find_ext_cap(bdf, ids[i]);
}

void pci_quiet_function(struct pci_bdf bdf)
{
	u8 *c = function(bdf);

	if (find_cap(bdf, PCI_CAP_ID_MSI))
		c[MSI_CAP + 2] &= (u8)~PCI_MSI_ENABLE;
	if (find_cap(bdf, PCI_CAP_ID_MSIX))
		c[MSIX_CAP + 3] &= (u8) ~(PCI_MSIX_ENABLE >> 8);
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

	if (table_is_slow)
		for (u64 end = rdtsc() + PIECE_TICKS_MIN * 3; rdtsc() < end;)
			;
	memcpy((void *)addr, &value, size);
	table += TABLE_OFF;
	if (p >= table && p < table + ENTRIES * 16 &&
	    config[0][4] & PCI_COMMAND_MEMORY)
		check_entry(table, (u64)(p - table) / 16);
}

int irq_route_msi(struct irq_source *source, const struct msi_message *guest,
		  struct irq_msi **m, struct msi_message *host)
{
	assert_ptr_equal(source->vm, &fake_vm);
	assert_non_null(function(source->bdf));
	if ((guest->addr & ~0xfffffull) != 0xfee00000)
		return -EINVAL;
	if (!*m)
		*m = &msi_pool[routes % 256];
	routes++;
	routed = *m;
	routed_addr = guest->addr;
	routed_data = guest->data;
	routed_in_steps = source->in_steps;
	host->addr = HOST_ADDR;
	host->data = HOST_DATA;
	return 0;
}

bool irq_msi_moves(const struct irq_msi *m)
{
	return m->moves;
}

/* The device has the new message, and may not send it yet */
void irq_msi_moved(struct irq_msi *m)
{
	assert_true(m->moves);
	assert_int_equal(hw_entry(0, 2), HOST_DATA);
	assert_int_equal(hw_entry(0, 3), PCI_MSIX_ENTRY_MASKED);
	m->moves = false;
	moves++;
}

void irq_unroute_msi(struct irq_msi *m)
{
	assert_non_null(m);
	take_time();
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

void storm(struct irq_msi *m, bool throttled)
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

int setup(void **state)
{
	fake_vm_init(2);
	tsc_khz = 0; /* no time passes, and none is waited for */
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
	writes_everywhere = table_is_slow = config_is_slow = false;
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

int teardown(void **state)
{
	alive = false;
	passthrough_vdev.destroy(&fake_vm);
	free(fake_vm.ports.regions);
	free(fake_vm.mmio.regions);
	return 0;
}

bool go_on_at(struct vcpu *v)
{
	if (v->events & VE_INSN) {
		if (passthrough_insn_go_on(v))
			v->events &= ~(u32)VE_INSN;
		return true;
	}
	if (!(v->events & VE_ASSIGN))
		return false;
	v->events &= ~(u32)VE_ASSIGN;
	passthrough_go_on(v);
	return true;
}

bool go_on(void)
{
	return go_on_at(&fake_vcpus[0]);
}

u32 cfg_read(u32 devfn, u32 off, u8 size)
{
	return (u32)bus_read(&fake_vm.mmio, &fake_vcpus[0],
			     0xb0000000 + (devfn << 12) + off, size);
}

void cfg_write(u32 off, u8 size, u32 value)
{
	bus_write(&fake_vm.mmio, &fake_vcpus[0], 0xb0000000 + 0x18000 + off,
		  size, value);
	while (go_on())
		;
}

void table_write(u32 entry, u32 word, u32 value)
{
	bus_write(&fake_vm.mmio, &fake_vcpus[0],
		  BAR + TABLE_OFF + entry * 16 + word * 4, 4, value);
}

u32 table_read(u32 entry, u32 word)
{
	return (u32)bus_read(&fake_vm.mmio, &fake_vcpus[0],
			     BAR + TABLE_OFF + entry * 16 + word * 4, 4);
}

u32 hw_entry(u32 entry, u32 word)
{
	u32 v;

	memcpy(&v, bar + TABLE_OFF + entry * 16 + word * 4, 4);
	return v;
}

void new_guest(void)
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
