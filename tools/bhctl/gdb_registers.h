/* SPDX-License-Identifier: BSD-2-Clause */
/* Registers as gdb has them: its target description, and the packets g, G, p
 * and P. Those of the FPU are not there. */
#ifndef TOOLS_BHCTL_GDB_REGISTERS_H
#define TOOLS_BHCTL_GDB_REGISTERS_H

#include "tools/bhctl/gdb_protocol.h"

/* gdb.registers are those of now; -1: they cannot be read */
int gdb_registers_know(struct gdb *g);
/* The description, its length */
u32 gdb_registers_xml(char *xml, u32 size);
/* One of the packets, @text, for g->current; the answer is in @out */
void gdb_registers_packet(struct gdb *g, const char *text, char *out, u32 size);

#endif
