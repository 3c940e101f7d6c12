/* SPDX-License-Identifier: BSD-2-Clause */
/* The pvpanic device as a PCI function (QEMU, *PVPANIC device*) */
#ifndef HW_PVPANIC_H
#define HW_PVPANIC_H

/* clang-format off */
#define PVPANIC_VENDOR		0x1b36u
#define PVPANIC_DEVICE		0x0011u
#define PVPANIC_REVISION	1u
#define PVPANIC_CLASS		0x0880u	/* system peripheral, other */
/* Its byte at 0 of BAR 0. QEMU's is two bytes; a page is what a guest can map */
#define PVPANIC_BAR_BYTES	4096u
#define PVPANIC_PANICKED	0x01u
#define PVPANIC_CRASH_LOADED	0x02u
/* clang-format on */

#endif
