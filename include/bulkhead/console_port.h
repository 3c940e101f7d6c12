/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The console port: the consoles of all guests and the hypervisor's log, for
 * the privileged guest, whose machine it is. Part of the public ABI: its
 * programs may include this. tools/bh-console.c is one.
 *
 * CPUID 40000102h tells the port and BH_CONSOLE_VERSION. The port is one below
 * 1000h at which the machine answers nothing. A program reaches it as any
 * other: at CPL 0, or where the kernel has opened it (Linux: ioperm(), for
 * CAP_SYS_RAWIO). Elsewhere the CPU raises #GP.
 *
 * A call is IN EAX, DX from 64-bit code, with DX the port, EAX one of enum
 * bh_console_call and its arguments in RBX, RCX and RSI. Results come back in
 * EAX, RBX, RCX, RSI, RDI and R8; no other register changes. Other accesses
 * read as ones and write nothing, as where there is no device. A call is done
 * at once and keeps no state, so that any number of programs may call.
 *
 * A console has a number. 0 is the log; guests follow, one of them the caller's
 * own. Numbers and names stay what they are until the machine restarts.
 */
#ifndef BULKHEAD_CONSOLE_PORT_H
#define BULKHEAD_CONSOLE_PORT_H

#define BH_CONSOLE_VERSION 1

/* Bytes of a name, padded with zeros, and at most of one answer to READ and
 * WHY: in RBX or RCX, RCX or RSI, ..., the lowest byte first */
#define BH_CONSOLE_BYTES 32

enum bh_console_call {
	/* EAX: how many consoles there are. EBX: the number of the one that the
	 * machine's terminal shows, or as many as there are: all of them. */
	BH_CONSOLE_COUNT,
	/* RBX: a number. EAX: flags. RBX, RCX, RSI, RDI: its name. */
	BH_CONSOLE_ABOUT,
	/*
	 * RBX: a number; RCX: a position, in bytes that were ever said there.
	 * EAX: how many bytes follow, 0 where none has been said yet. RBX: the
	 * position of the first of them, more than was asked where the bytes
	 * between are lost, less where it was beyond the end. RCX, RSI, RDI,
	 * R8: the bytes. So a position of all ones asks where the end is.
	 */
	BH_CONSOLE_READ,
	/* RBX: a number; RCX: a byte that is typed there. EAX: 1, or 0 where
	 * nobody takes it now: call again later. */
	BH_CONSOLE_TYPE,
	/* RBX: a number, or as many as there are: all of them. The machine's
	 * terminal shows it. EAX: 1, or 0: again later. */
	BH_CONSOLE_FOCUS,
	/* RBX: a number; RCX: a position in the sentence that says why its
	 * guest has ended. EAX: how many bytes follow, 0: that is all. RBX,
	 * RCX, RSI, RDI: the bytes. */
	BH_CONSOLE_WHY,
};

/* EAX where a number or a call is none */
#define BH_CONSOLE_NONE 0xffffffffu

/* Flags of BH_CONSOLE_ABOUT */
#define BH_CONSOLE_LOG   (1u << 0) /* the hypervisor's */
#define BH_CONSOLE_OWN   (1u << 1) /* the caller's */
#define BH_CONSOLE_ENDED (1u << 2) /* its guest does not run any more */

#endif
