/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The machine code of the choice of speculation.h. Three places of a back-end's
 * entry code are sites: before the guest's registers are loaded, just before
 * the guest is entered, and just after its registers are stored and cleared.
 * Where something is to be done there, the site becomes a jump to code that
 * does it, with the site's own instructions, and jumps back. Where nothing is,
 * the site stays as it is and costs nothing.
 *
 * Code is written to memory and made for an address, which may be two views of
 * one page (arch/x86/machine/text_patch.h). Pure.
 */
#ifndef ARCH_X86_CPU_SPEC_CODE_H
#define ARCH_X86_CPU_SPEC_CODE_H

#include "arch/x86/cpu/speculation.h"

enum spec_point {
	SPEC_AT_ENTRY, /* RAX, RCX, RDX and flags are free */
	SPEC_AT_LAST,  /* only flags are free */
	SPEC_AT_EXIT,  /* RAX, RCX, RDX, flags and the stack are free */
};

/* The instructions from @at to @end: SPEC_JUMP_BYTES at least, none of them
 * relative to its place */
#define SPEC_JUMP_BYTES 5u
struct spec_site {
	u8 *at;
	const u8 *end;
	enum spec_point point;
	/* SPEC_AT_ENTRY: the guest's SPEC_CTRL lies at so many bytes from the
	 * register of this number */
	u8 base;
	u16 ctrl_offset;
};

/* Code that grows: @used of @size bytes at @bytes, to run at @va */
struct spec_buffer {
	u8 *bytes;
	u64 va;
	u32 size, used;
};

/* A selector for VERW, then nothing: before the first detour */
void spec_code_begin(struct spec_buffer *b);
/*
 * Writes to @b what @s asks for at @site, with the instructions that are there,
 * and the jump over there to @site_bytes, which are site->at's. Nothing to do:
 * nothing is written. @b is too small: panics.
 */
void spec_code_detour(struct spec_buffer *b, const struct speculation *s,
		      const struct spec_site *site, u8 *site_bytes);
/* A jump of SPEC_JUMP_BYTES from @va to @target, written to @bytes */
void spec_code_jump(u8 *bytes, u64 va, u64 target);

/* The thunk of register @reg (lib/thunk.asm), 32 bytes at @bytes: a retpoline,
 * or the plain jump that stands there from the start */
#define SPEC_THUNK_BYTES  64u /* one a register; the first half is padding */
#define SPEC_THUNK_OFFSET 32u
#define SPEC_THUNK_COUNT  16u /* in encoding order; RSP's is not used */
void spec_code_thunk(u8 *bytes, u32 reg, bool retpoline);
/*
 * Without retpolines no thunk is needed: if the SPEC_JUMP_BYTES at @bytes,
 * which run at @va, are a call or a jump to one of those at @thunks_va, they
 * become a call or a jump to what the register holds. True: they were.
 */
bool spec_code_inline(u8 *bytes, u64 va, u64 thunks_va);

#endif
