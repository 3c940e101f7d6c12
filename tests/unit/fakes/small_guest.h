/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A small guest for what drives the emulator: RAM, an identity map in 64-bit
 * mode, one device page and one port. The test links gmem.c, walk.c, slots.c
 * and bus.c of hv/core; r and e are the vCPU's registers and its exit.
 */
#ifndef TESTS_UNIT_FAKES_SMALL_GUEST_H
#define TESTS_UNIT_FAKES_SMALL_GUEST_H

#include "hv/core/gmem.h"
#include "hv/emulate/emulate.h"
#include "include/hw/cpu.h"
#include "lib/errno.h"
#include "tests/unit/fakes/exception.h"
#include "tests/unit/fakes/fpu.h"
#include "tests/unit/fakes/kill.h"
#include "tests/unit/test.h"

#define RAM_BYTES    MIB(2)
#define DEVICE       0xfee00000ull
#define DEVICE_BYTES (16 * PAGE_SIZE)
#define PORT         0x1f0
#define CODE         0x8000ull
#define PML4         0x1000ull
#define PDPT         0x2000ull
#define PD0          0x3000ull /* and 3 more */
#define BUFFER       0x20000ull

extern u8 ram[RAM_BYTES];
extern u8 device[DEVICE_BYTES]; /* what the device page reads and writes */
extern struct vm vm;
extern struct vcpu vcpu;
extern struct vcpu_exit *const e;
extern struct vcpu_regs *const r;

/* The device's accesses since guest_reset(), and LMSW's last operand */
extern u32 reads, writes;
/* Each access of the device takes so long; 0 after guest_reset() */
extern u64 device_step_ticks;
extern u16 msw;
/* What the port was written, one after the other, and how often it was used */
extern char port_log[256];
extern u32 port_count;

/* Power-on: 64-bit code at CODE, CPL 0, all of RAM zero but the tables */
void guest_reset(void);
/* RAM anew: zero but the tables */
void tables_init(void);

/* Emulate the instruction @bytes, put at CODE, as an exit for an access to
 * @gpa */
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
