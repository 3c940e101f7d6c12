/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An ELF core of a guest, as QEMU's dump-guest-memory writes one, for gdb and
 * crash: a PT_LOAD for each range of guest-physical memory, at the virtual
 * address of the same number, and before them the notes: crash reads none that
 * come later. For each vCPU there is an NT_PRSTATUS, for gdb, and a QEMU note
 * with control registers and tables, by which crash finds where the kernel
 * lies. A note BULKHEAD is text: whose core it is, and what the last exits
 * were. Linux keeps its VMCOREINFO note at the beginning of a page; if just one
 * page begins with one, it is the last of the notes, in room kept for it.
 *
 * Pages of zeros become holes of the file. One core at a time.
 */
#ifndef TOOLS_BHCTL_CORE_H
#define TOOLS_BHCTL_CORE_H

#include "include/bulkhead/control.h"
#include "tools/control/fail.h"

#define CORE_VMCOREINFO_MAX 4096u

struct core {
	int fd;
	const struct bh_ctl_memory *memory;
	u32 count;
	const struct bh_ctl_registers *registers;
	u32 vcpus;
	const char *text; /* of the note BULKHEAD; @text_bytes 0: none */
	u32 text_bytes;
	/* The core's */
	u64 notes, data; /* where the first of them is in the file */
	u32 infos;
	u32 info_bytes;
	u8 info[CORE_VMCOREINFO_MAX]; /* the note, header and all */
};

/* @c: up to @text_bytes is filled in. -1: it cannot be a core. */
int core_begin(struct core *c, struct failure *f);
/* What memory has at @offset bytes of range @range; whole pages, but for the
 * last of the range */
int core_write(struct core *c, u32 range, u64 offset, const u8 *bytes,
	       u32 count, struct failure *f);
/* All is written but the notes and what names it */
int core_end(struct core *c, struct failure *f);
/* The name and type of the note with @text. crash goes by the type alone: it is
 * nobody else's. */
#define CORE_NOTE      "BULKHEAD"
#define CORE_NOTE_TEXT 0x42480001u
/* Did it find Linux' note? */
bool core_has_vmcoreinfo(const struct core *c);

#endif
