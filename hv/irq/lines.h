/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The interrupt lines of an isolated guest's board, each of which feeds the
 * 8259 pair and the IOAPIC, and who wants to know when one is unmasked. ISA
 * lines (0 to 15) have the IOAPIC pin that the MADT tells (IRQ 0: pin 2);
 * lines from 16 on are that pin alone. Any core; the locks of vpic and vioapic,
 * so after the caller's own.
 */
#ifndef HV_IRQ_LINES_H
#define HV_IRQ_LINES_H

#include "hv/core/vm.h"

/* Lines that several devices may share are up while one of them has it up */
enum line_source {
	LINE_SOURCE_ANY, /* the only one, or one of those that take turns */
	LINE_SOURCE_SCI,
	LINE_SOURCE_PCI,
	LINE_SOURCE_HPET /* and 2 more */
};

/* The level of a line that is not shared */
void line_set(struct vm *vm, u32 irq, bool level);
/* What @source has to say of the level */
void line_set_source(struct vm *vm, u32 irq, enum line_source source,
		     bool level);
/* Would a rise of the line do anything: it is not masked, or the 8259 would
 * remember it */
bool line_wanted(struct vm *vm, u32 irq);
/* The last rise was sent and is not taken yet: another would be lost in it */
bool line_waits(struct vm *vm, u32 irq);

/* A device whose timers rest while nobody would take their interrupt */
struct line_listener {
	/* Something may have been unmasked: look again. On the core of the
	 * vCPU that did it; no locks held. */
	void (*look)(struct vm *vm);
	struct line_listener *next; /* of the VM's list */
};

/* While the VM is built; @l lives as long as the VM */
void lines_listen(struct vm *vm, struct line_listener *l,
		  void (*look)(struct vm *vm));
/* For the 8259 and the IOAPIC, which hold no lock: the 8259 looks first, then
 * who listens, the latest first */
void lines_unmasked(struct vm *vm);

#endif
