/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Interrupt lines of an isolated guest's board; see lines.h. A line is a pin of
 * the IOAPIC, which passes its level on to the 8259, so that both see one
 * order. The only state is the VM's list of listeners, constant once the VM is
 * built.
 */
#include "hv/irq/lines.h"

#include "hv/core/pc_map.h"
#include "hv/irq/vioapic.h"
#include "hv/irq/vpic.h"

static u32 gsi_of(u32 irq)
{
	return irq == PC_IRQ_TIMER ? PC_GSI_TIMER : irq;
}

void line_set(struct vm *vm, u32 irq, bool level)
{
	vioapic_set_line(vm, gsi_of(irq), level);
}

void line_set_source(struct vm *vm, u32 irq, enum line_source source,
		     bool level)
{
	vioapic_set_source(vm, gsi_of(irq), source, level);
}

bool line_wanted(struct vm *vm, u32 irq)
{
	return vioapic_pin_open(vm, gsi_of(irq)) || vpic_wants(vm, irq);
}

bool line_waits(struct vm *vm, u32 irq)
{
	return vioapic_pin_waits(vm, gsi_of(irq)) || vpic_waits(vm, irq);
}

void lines_listen(struct vm *vm, struct line_listener *l,
		  void (*look)(struct vm *vm))
{
	*l = (struct line_listener){ .look = look, .next = vm->line_listeners };
	vm->line_listeners = l;
}

void lines_unmasked(struct vm *vm)
{
	vpic_look(vm);
	for (struct line_listener *l = vm->line_listeners; l; l = l->next)
		l->look(vm);
}
