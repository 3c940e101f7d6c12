/* SPDX-License-Identifier: BSD-2-Clause */
/* A small guest, see small_guest.h */
#include "tests/unit/fakes/small_guest.h"

#include "arch/x86/machine/tsc.h"
#include "tests/unit/fakes/window.h"

u8 ram[RAM_BYTES] __aligned(PAGE_SIZE);
u8 device[DEVICE_BYTES];
struct vm vm;
struct vcpu vcpu;
struct vcpu_exit *const e = &vcpu.hw.exit;
struct vcpu_regs *const r = &vcpu.hw.regs;
static u8 stage[PAGE_SIZE] __aligned(PAGE_SIZE);
static struct bus_region regions[2], port_regions[2];
u32 reads, writes;
u64 device_step_ticks;
u16 msw;
char port_log[256];
u32 port_count;

void retire_insn(struct vcpu *v)
{
	v->hw.regs.shadow = 0;
	if (v->hw.regs.rflags & RFLAGS_TF)
		vcpu_raise_exception(v, EXC_DB, false, 0);
	v->hw.regs.rflags &= ~RFLAGS_RF;
}

void breakpoint_data(struct vcpu *v, u64 lin, u32 size, u8 access)
{
}

int msw_load(struct vcpu *v, u16 value)
{
	msw = value;
	return 0;
}

void retire_wrap_rip(struct vcpu *v)
{
	if (!vcpu_hw_long_mode(&v->hw.regs))
		v->hw.regs.rip &= v->hw.regs.seg[SEG_CS].attr & SEG_ATTR_DB
					  ? ~0u
					  : 0xffffu;
}

static void take_time(void)
{
	for (u64 begin = rdtsc(); rdtsc() - begin < device_step_ticks;)
		;
}

static u64 device_read(struct vcpu *v, void *dev, u64 offset, u8 size)
{
	u64 value = 0;

	if (offset + size > DEVICE_BYTES)
		abort();
	memcpy(&value, device + offset, size);
	reads++;
	take_time();
	return value;
}

static void device_write(struct vcpu *v, void *dev, u64 offset, u8 size,
			 u64 value)
{
	if (offset + size > DEVICE_BYTES)
		abort();
	memcpy(device + offset, &value, size);
	writes++;
	take_time();
}

static u64 port_read(struct vcpu *v, void *dev, u64 offset, u8 size)
{
	return (0x44434241u + 0x01010101u * port_count++) &
	       (size == 4 ? ~0u : (1u << size * 8) - 1);
}

static void port_write(struct vcpu *v, void *dev, u64 offset, u8 size, u64 val)
{
	if ((port_count + 1) * size <= sizeof(port_log))
		memcpy(port_log + port_count * size, &val, size);
	port_count++;
}

void tables_init(void)
{
	u64 *pml4 = (u64 *)(ram + PML4), *pdpt = (u64 *)(ram + PDPT);
	u64 *pd = (u64 *)(ram + PD0);
	u64 i;

	memset(ram, 0, sizeof(ram));
	pml4[0] = PDPT | PTE_P | PTE_W | PTE_U;
	for (i = 0; i < 4; i++)
		pdpt[i] = (PD0 + i * PAGE_SIZE) | PTE_P | PTE_W | PTE_U;
	for (i = 0; i < 4 * 512; i++)
		pd[i] = i * PAGE_2M | PTE_P | PTE_W | PTE_U | PTE_PS;
}

void guest_reset(void)
{
	u32 i;

	tables_init();
	memset(&vm, 0, sizeof(vm));
	memset(&vcpu, 0, sizeof(vcpu));
	memset(device, 0, sizeof(device));
	memset(stage, 0, sizeof(stage));
	fake_windows_init(ram, RAM_BYTES);
	vm.slots[0] = (struct vm_slot){ 0, 0, RAM_BYTES, false };
	vm.slot_count = 1;
	vm.phys_bits = 40;
	vm.mmio = (struct bus){ .regions = regions, .capacity = 2 };
	vm.ports = (struct bus){ .regions = port_regions, .capacity = 2 };
	if (bus_add(&vm.mmio, &(struct bus_region){ .base = DEVICE,
						    .size = DEVICE_BYTES,
						    .name = "device",
						    .read = device_read,
						    .write = device_write }))
		abort();
	if (bus_add(&vm.ports, &(struct bus_region){ .base = PORT,
						     .size = 8,
						     .name = "port",
						     .read = port_read,
						     .write = port_write }))
		abort();
	vm.stage = (struct emu_stage *)stage;
	vcpu.vm = &vm;
	r->valid = RG_ALL;
	r->cr0 = CR0_PE | CR0_PG | CR0_WP;
	r->cr3 = PML4;
	r->cr4 = CR4_PAE;
	r->efer = EFER_LME | EFER_LMA | EFER_NXE;
	r->rip = CODE;
	r->rflags = RFLAGS_FIXED;
	for (i = 0; i < SEG_COUNT; i++)
		r->seg[i] = (struct segment){ .attr = 0xc093, .limit = ~0u };
	r->seg[SEG_CS].attr = 0xa09b;
	reads = writes = kills = port_count = 0;
	device_step_ticks = 0;
	fake_fpu_reset();
	tsc_khz = 1ull << 40; /* REP stops by count, never by time */
	injected = -1;
}
