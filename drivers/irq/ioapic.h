/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The physical IOAPICs, by global system interrupt (82093AA 3.2 *IOAPIC
 * Registers*; ACPI 6.4, 5.2.13 *Global System Interrupts*). A GSI that no
 * IOAPIC has is passed over. Any core, interrupt handlers too, unless said;
 * each takes the lock of one IOAPIC, a leaf.
 */
#ifndef DRIVERS_IRQ_IOAPIC_H
#define DRIVERS_IRQ_IOAPIC_H

#include "lib/types.h"

/* GSIs are below it; an IOAPIC that begins above is not used. 9 to 16 IOAPICs
 * of 8-socket machines end at 300 to 1,000. */
#define IOAPIC_GSI_END 1024u

/*
 * Maps all IOAPICs and masks their pins; nobody else may have their pages, nor
 * those to which Intel's can be moved. They are where the ACPI tables say.
 * Without such, there is one, at @mp_base from the MP table, or at FEC00000h if
 * that is 0. Boot CPU, once, after acpi_init(); no lock. -ENODEV: none answers.
 * One that does not, or that cannot be used, is logged and left out.
 */
int __must_check ioapic_init(u64 mp_base);
/* One more than the highest GSI that an IOAPIC has; 0: none. No lock. */
u32 ioapic_gsi_count(void);
/* Routes @gsi to @vector, 16 to 254, on the core with physical @apic_id, and
 * leaves it masked. -ENOTSUP: an id over 254 cannot be reached; it is logged,
 * and the pin keeps its route, masked. */
int __must_check ioapic_route(u32 gsi, u8 vector, u32 apic_id, bool level,
			      bool active_low);
/* Aims @gsi at the core with physical @apic_id, up to 254. All else of its
 * route stays, and it is not masked meanwhile: an edge that comes to a masked
 * pin is lost (82093AA 3.2.4). */
void ioapic_aim(u32 gsi, u32 apic_id);
/* Mask and unmask @gsi, whose route stays */
void ioapic_mask(u32 gsi);
void ioapic_unmask(u32 gsi);
#endif
