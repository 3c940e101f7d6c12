/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Four vCPUs with a vLAPIC each, and what those need: a page of RAM, the bytes
 * of one instruction, one timer. The test links hv/irq/vlapic*.c and
 * hv/emulate/lapic_page.c, hv/core/slots.c; fake_vcpus[0] runs on this core.
 */
#ifndef TESTS_UNIT_FAKES_LAPICS_H
#define TESTS_UNIT_FAKES_LAPICS_H

#include "hv/irq/vioapic.h"
#include "hv/irq/vlapic_priv.h"
#include "tests/unit/fakes/guest_ram.h"
#include "tests/unit/fakes/vdev.h"

extern u8 code[32];    /* at CS:RIP of whoever asks */
extern u64 code_left;  /* how much of it is there */
extern u32 eoi_pieces; /* an EOI's more than the first; 0 by lapics_setup() */
extern int eoi_vector; /* the last one the IOAPIC heard of; -1: none */
extern u32 eoi_end;    /* and for which pins */

/* All four LAPICs as at reset, then enabled; for each test */
int lapics_setup(void **state);
/* Gives their memory back, and checks that all of it is */
int lapics_teardown(void **state);

/* A register of @v's, by the way its mode has: MMIO or MSR; @offset as in
 * xAPIC mode */
void write_reg(struct vcpu *v, u32 offset, u32 value);
u32 read_reg(struct vcpu *v, u32 offset);
void x2apic_on(struct vcpu *v);
/* An edge that a device sends: how many took it */
u32 device_sends(u32 dest, bool logical, u8 mode, u8 vector);

#define T(name)                                                                \
	cmocka_unit_test_setup_teardown(name, lapics_setup, lapics_teardown)

#endif
