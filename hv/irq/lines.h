/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The interrupt lines of an isolated guest's board, and who wants to know when
 * one is unmasked. Called by its virtual devices. ISA lines (0 to 15) feed the
 * 8259 pair and the IOAPIC pin that the MADT names: IRQ 0 has pin 2. Lines from
 * 16 on feed the IOAPIC pin of their number alone.
 *
 * line_set() and line_set_source() take the IOAPIC's lock, and inside it the
 * 8259's. The caller may hold its device's lock, which comes before both.
 */
#ifndef HV_IRQ_LINES_H
#define HV_IRQ_LINES_H

#include "hv/core/vm.h"

/* Who asserts a line. A shared line is up while any source has it up. */
enum line_source {
	LINE_SOURCE_ANY, /* a line's only device, or devices that take turns */
	LINE_SOURCE_SCI,
	LINE_SOURCE_PCI,
	LINE_SOURCE_HPET /* timer 0; timers 1 and 2 are the next two */
};

/* Set the level of line @irq: true is asserted. line_set() is for a line that
 * is not shared, and is source LINE_SOURCE_ANY. A rise of an edge-triggered pin
 * sends its interrupt; a line that the board does not have is ignored. Any
 * core, any context. */
void line_set(struct vm *vm, u32 irq, bool level);
void line_set_source(struct vm *vm, u32 irq, enum line_source source,
		     bool level);
/* True if a rise of @irq would do anything: the IOAPIC's pin is not masked, or
 * the 8259 would deliver or remember it. Any core, no lock; the answer may be
 * a moment old. */
bool line_wanted(struct vm *vm, u32 irq);
/* True if the last rise of @irq was sent and no vCPU has taken it yet: another
 * rise would be lost in it. Any core, no lock; it may be a moment old. */
bool line_waits(struct vm *vm, u32 irq);

/* A device whose timers rest while nobody would take their interrupt */
struct line_listener {
	/* A line may have been unmasked: look at line_wanted() again. On the
	 * home core of the vCPU that wrote the register; no lock is held. */
	void (*look)(struct vm *vm);
	struct line_listener *next; /* of the VM's list */
};

/* Have @look called after each write that may unmask a line. While the VM is
 * built, before a vCPU of it runs; @l lives as long as the VM. */
void lines_listen(struct vm *vm, struct line_listener *l,
		  void (*look)(struct vm *vm));
/* A register that masks lines was written: the 8259's output is looked at, then
 * the listeners are called, the latest first. For the 8259 and the IOAPIC of an
 * isolated guest, on the writing vCPU's home core; they hold no lock. */
void lines_unmasked(struct vm *vm);

#endif
