/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A small guest for what drives the emulator on the host: RAM, an identity map
 * in 64-bit mode, one device page and one port. Included once by each program.
 */
#ifndef TESTS_UNIT_EMU_FAKES_H
#define TESTS_UNIT_EMU_FAKES_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "arch/x86/machine/fpu.h"
#include "hv/core/gmem.h"
#include "hv/emulate/emulate.h"
#include "include/hw/cpu.h"
#include "lib/assert.h"
#include "lib/errno.h"
#include "lib/log.h"
#include "mm/window.h"

#define RAM_BYTES    MIB(2)
#define DEVICE       0xfee00000ull
#define DEVICE_BYTES (16 * PAGE_SIZE)
#define PORT         0x1f0
#define CODE         0x8000ull
#define PML4         0x1000ull
#define PDPT         0x2000ull
#define PD0          0x3000ull /* and 3 more */
#define BUFFER       0x20000ull

static _Alignas(PAGE_SIZE) u8 ram[RAM_BYTES];
static u8 device[DEVICE_BYTES];
static struct vm vm;
static struct vcpu vcpu;
static struct vcpu_exit *e = &vcpu.hw.exit;
static struct vcpu_regs *r = &vcpu.hw.regs;
static struct bus_region regions[2], port_regions[2];
static struct window_cache windows;
static struct pcpu cpu = { .windows = &windows };
static u64 ymm[16][FPU_WORDS], mm[8], xcr0;
static bool x87_error;
static u16 msw;
static u32 pkru;
static u32 reads, writes, kills;
static int injected;
static u32 injected_error;
static char port_log[256];
static u32 port_count;

struct budget pmm_self;
u64 tsc_khz = 1000000;

void panic(const char *fmt, ...)
{
	fprintf(stderr, "panic: %s\n", fmt);
	abort();
}
void log_write(enum log_level level, const char *tag, const char *fmt, ...)
{
}
struct pcpu *this_cpu(void)
{
	return &cpu;
}
void *window_miss(struct window_cache *c, hpa_t hpa)
{
	if (hpa.v >= RAM_BYTES)
		abort();
	c->tag[0] = WINDOW_EMPTY;
	return ram + hpa.v;
}
void retire_insn(struct vcpu *v)
{
	v->hw.regs.shadow = 0;
	if (v->hw.regs.rflags & RFLAGS_TF)
		vcpu_inject_exception(v, EXC_DB, false, 0);
	v->hw.regs.rflags &= ~RFLAGS_RF;
}
void breakpoint_data(struct vcpu *v, u64 lin, u32 size, u8 access)
{
}
static u64 *fake_registers(enum fpu_file file, u8 reg)
{
	return file == FPU_MMX ? &mm[reg % 8] : ymm[reg];
}
static const u8 fake_bytes[] = { 8, 16, 16, 32 };
void fpu_reg_read(enum fpu_file file, u8 reg, u64 value[FPU_WORDS])
{
	memcpy(value, fake_registers(file, reg), fake_bytes[file]);
}
void fpu_reg_write(enum fpu_file file, u8 reg, const u64 value[FPU_WORDS])
{
	if (file == FPU_XMM_VEX)
		memset(ymm[reg], 0, sizeof(ymm[reg]));
	memcpy(fake_registers(file, reg), value, fake_bytes[file]);
}
bool fpu_error_pending(void)
{
	return x87_error;
}
u64 fpu_xcr0(void)
{
	return xcr0;
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
u32 fpu_pkru(void)
{
	return pkru;
}
void *pmm_alloc(struct budget *b, u32 order)
{
	return NULL;
}
void pmm_free(struct budget *b, void *va, u32 order)
{
}
void vcpu_inject_exception(struct vcpu *v, u8 vector, bool has_error, u32 error)
{
	injected = vector;
	injected_error = error;
}
void vcpu_inject_pf(struct vcpu *v, gva_t addr, u32 error)
{
	v->hw.regs.cr2 = addr.v;
	vcpu_inject_exception(v, EXC_PF, true, error);
}
void vcpu_inject_gp(struct vcpu *v)
{
	vcpu_inject_exception(v, EXC_GP, true, 0);
}
void vcpu_inject_ud(struct vcpu *v)
{
	vcpu_inject_exception(v, EXC_UD, false, 0);
}
enum verdict exit_kill(struct vcpu *v, const char *reason)
{
	kills++;
	return VERDICT_KILL;
}
static void fake_read(struct vcpu_hw *v, u32 groups)
{
	v->regs.valid |= groups;
}
static const struct vcpu_ops fake_ops = { .read = fake_read };
const struct vcpu_ops *vcpu_ops = &fake_ops;

static u64 device_read(struct vcpu *v, void *dev, u64 offset, u8 size)
{
	u64 value = 0;

	if (offset + size > DEVICE_BYTES)
		abort();
	memcpy(&value, device + offset, size);
	reads++;
	return value;
}
static void device_write(struct vcpu *v, void *dev, u64 offset, u8 size,
			 u64 value)
{
	if (offset + size > DEVICE_BYTES)
		abort();
	memcpy(device + offset, &value, size);
	writes++;
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

static void tables_init(void)
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

/* Power-on of the small guest: 64-bit code at CODE, CPL 0 */
static inline void guest_reset(void)
{
	u32 i;

	tables_init();
	memset(&vm, 0, sizeof(vm));
	memset(&vcpu, 0, sizeof(vcpu));
	memset(device, 0, sizeof(device));
	memset(windows.tag, 0xff, sizeof(windows.tag));
	vm.slots[0] = (struct vm_slot){ 0, 0, RAM_BYTES, false };
	vm.slot_count = 1;
	vm.phys_bits = 40;
	vm.mmio = (struct bus){ .regions = regions, .capacity = 2 };
	vm.ports = (struct bus){ .regions = port_regions, .capacity = 2 };
	if (bus_add(&vm.mmio,
		    &(struct bus_region){ DEVICE, DEVICE_BYTES, "device",
					  device_read, device_write, NULL }))
		abort();
	if (bus_add(&vm.ports, &(struct bus_region){ PORT, 8, "port", port_read,
						     port_write, NULL }))
		abort();
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
	memset(ymm, 0, sizeof(ymm));
	memset(mm, 0, sizeof(mm));
	xcr0 = XCR0_X87 | XCR0_SSE | XCR0_AVX;
	x87_error = false;
	injected = -1;
}

static inline enum verdict mmio(const void *bytes, size_t len, u64 gpa,
				u8 access)
{
	memset(ram + CODE, 0xcc, 16);
	memcpy(ram + CODE, bytes, len);
	e->kind = EXIT_MMIO;
	e->insn_len = 0;
	e->mmio.gpa = GPA(gpa);
	e->mmio.access = access;
	e->mmio.walk = false;
	return emulate_mmio(&vcpu, e);
}

#endif
