/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * GDB's remote serial protocol (GDB manual, appendix E), the part that a guest
 * needs: each vCPU is a thread, numbered from 1. Packets come in and go out by
 * a buffer; the guest is behind struct gdb_target. Pure.
 */
#ifndef TOOLS_BHCTL_GDB_PROTOCOL_H
#define TOOLS_BHCTL_GDB_PROTOCOL_H

#include "include/bulkhead/control.h"
#include "lib/types.h"

#define GDB_PACKET_MAX 16384u
#define GDB_BREAKPOINTS                                                        \
	(BH_CTL_SOFTWARE_BREAKPOINTS + BH_CTL_HARDWARE_BREAKPOINTS)

struct gdb;

/* Each returns 0, or -1: it could not */
struct gdb_target {
	/* All vCPUs' into gdb.registers; one's from there */
	int (*registers)(struct gdb *g);
	int (*set_registers)(struct gdb *g, u32 vcpu);
	/* By the addresses of @vcpu's code */
	int (*read)(struct gdb *g, u32 vcpu, u64 address, u8 *to, u32 bytes);
	int (*write)(struct gdb *g, u32 vcpu, u64 address, const u8 *from,
		     u32 bytes);
	/* It goes, with gdb.breakpoints; @stepper: 1 + the vCPU that does one
	 * instruction, or 0 */
	int (*go)(struct gdb *g, u32 stepper, bool others);
	int (*stop)(struct gdb *g);
	int (*detach)(struct gdb *g);
};

struct gdb {
	const struct gdb_target *target;
	void *context;
	/* Sends the bytes to gdb */
	void (*send)(struct gdb *g, const char *bytes, u32 count);
	u32 vcpus;
	struct bh_ctl_registers *registers;
	bool dead; /* it has crashed: nothing but a look */
	/* The line may spoil bytes: packets are acknowledged to the end */
	bool lossy;
	/* The protocol's */
	bool no_acks, goes, known, over;
	u32 current; /* vCPU that g, m and so on are about */
	struct bh_ctl_breakpoint breakpoints[GDB_BREAKPOINTS];
	u32 breakpoint_count;
	u32 in_count;
	char in[GDB_PACKET_MAX];
	char out[GDB_PACKET_MAX];
	u32 last_count; /* of the packet that was sent last, for gdb's "-" */
	char last[GDB_PACKET_MAX + 8];
};

/* What gdb has sent; g->over: it has left */
void gdb_take(struct gdb *g, const char *bytes, u32 count);
/* The guest stands, or @gone: it has ended */
void gdb_stands(struct gdb *g, bool gone);

#endif
