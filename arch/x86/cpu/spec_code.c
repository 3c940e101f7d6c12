/* SPDX-License-Identifier: BSD-2-Clause */
/* See spec_code.h. Called by arch/x86/machine/text_patch.c at boot; no lock. */
#include "arch/x86/cpu/spec_code.h"

#include "arch/x86/cpu/gdt.h"
#include "include/hw/msr.h"
#include "lib/assert.h"
#include "lib/string.h"

#define INT3      0xcc
#define RSB_LOOPS 16 /* two calls each: 32 entries, as many as a CPU has */
#define BHB_OUTER 5
#define BHB_INNER 5

static void emit(struct spec_buffer *b, const void *bytes, u32 count)
{
	ASSERT(b->used + count <= b->size);
	memcpy(b->bytes + b->used, bytes, count);
	b->used += count;
}

#define EMIT(b, ...)                                                           \
	do {                                                                   \
		const u8 code_[] = { __VA_ARGS__ };                            \
                                                                               \
		emit(b, code_, sizeof(code_));                                 \
	} while (0)

static void emit32(struct spec_buffer *b, u64 value)
{
	u32 low = (u32)value;

	emit(b, &low, sizeof(low));
}

/* mov ecx, @msr; mov eax, @value; xor edx, edx; wrmsr */
static void emit_wrmsr(struct spec_buffer *b, u32 msr, u32 value)
{
	EMIT(b, 0xb9);
	emit32(b, msr);
	EMIT(b, 0xb8);
	emit32(b, value);
	EMIT(b, 0x31, 0xd2, 0x0f, 0x30);
}

/* mov ecx, SPEC_CTRL; mov eax, [base + offset]; xor edx, edx; wrmsr */
static void emit_guest_ctrl(struct spec_buffer *b, const struct spec_site *site)
{
	EMIT(b, 0xb9);
	emit32(b, MSR_SPEC_CTRL);
	EMIT(b, 0x8b, (u8)(0x80 | site->base));
	emit32(b, site->ctrl_offset);
	EMIT(b, 0x31, 0xd2, 0x0f, 0x30);
}

/* xor eax, eax; xor edx, edx; lea ecx, [rax + 1]; div ecx: the quotient that a
 * failed division would show is 0 (AMD-SB-7009) */
static void emit_divide(struct spec_buffer *b)
{
	EMIT(b, 0x31, 0xc0, 0x31, 0xd2, 0x8d, 0x48, 0x01, 0xf7, 0xf1);
}

static void emit_lfence(struct spec_buffer *b)
{
	EMIT(b, 0x0f, 0xae, 0xe8);
}

/* mov eax, @count; incsspq rax: take what the calls pushed there off again */
static void emit_incssp(struct spec_buffer *b, u32 count)
{
	EMIT(b, 0xb8);
	emit32(b, count);
	EMIT(b, 0xf3, 0x48, 0x0f, 0xae, 0xe8);
}

/*
 * mov ecx, 16
 * again: call $+6; int3; call $+6; int3; add rsp, 16; dec ecx; jnz again
 * Speculation that returns from one of the calls meets an INT3.
 */
static void emit_rsb_fill(struct spec_buffer *b, bool shadow_stack)
{
	EMIT(b, 0xb9);
	emit32(b, RSB_LOOPS);
	EMIT(b, 0xe8, 1, 0, 0, 0, INT3, 0xe8, 1, 0, 0, 0, INT3);
	EMIT(b, 0x48, 0x83, 0xc4, 0x10, 0xff, 0xc9, 0x75, 0xec);
	if (shadow_stack)
		emit_incssp(b, 2 * RSB_LOOPS);
	emit_lfence(b);
}

/* call $+6; int3; add rsp, 8; lfence: one call is retired before any RET */
static void emit_rsb_one(struct spec_buffer *b, bool shadow_stack)
{
	EMIT(b, 0xe8, 1, 0, 0, 0, INT3, 0x48, 0x83, 0xc4, 0x08);
	if (shadow_stack)
		emit_incssp(b, 1);
	emit_lfence(b);
}

/* INT3 up to where a RET @ahead bytes further on lies in the upper half of a
 * cache line (ITS); what is before it has jumped over */
static void pad_for_ret(struct spec_buffer *b, u32 ahead)
{
	while (((b->va + b->used + ahead) & 32) == 0)
		EMIT(b, INT3);
}

/*
 * So many taken branches that none of the guest's is left in the history:
 *
 *	mov ecx, 5
 *	call one
 *	jmp done
 * one:	call two		two:	mov eax, 5
 *	ret			three:	jmp four; nop
 *				four:	sub eax, 1; jnz three
 *					sub ecx, 1; jnz one
 *					ret
 * done: lfence
 *
 * Intel, *Branch History Injection and Intra-mode Branch Target Injection*,
 * "Software BHB-clearing sequence".
 */
static void emit_bhb_clear(struct spec_buffer *b)
{
	u32 first, one, two;

	EMIT(b, 0xb9);
	emit32(b, BHB_OUTER);
	first = b->used;
	EMIT(b, 0xe8, 0, 0, 0, 0, 0xe9, 0, 0, 0, 0);
	pad_for_ret(b, 5);
	one = b->used;
	EMIT(b, 0xe8, 0, 0, 0, 0, 0xc3);
	pad_for_ret(b, 18);
	two = b->used;
	EMIT(b, 0xb8);
	emit32(b, BHB_INNER);
	EMIT(b, 0xeb, 0x01, 0x90, 0x83, 0xe8, 0x01, 0x75, 0xf8);
	EMIT(b, 0x83, 0xe9, 0x01, 0x75, (u8)(one - (b->used + 5)), 0xc3);
	spec_code_jump(b->bytes + first, b->va + first, b->va + one);
	b->bytes[first] = 0xe8;
	spec_code_jump(b->bytes + one, b->va + one, b->va + two);
	b->bytes[one] = 0xe8;
	spec_code_jump(b->bytes + first + 5, b->va + first + 5,
		       b->va + b->used);
	emit_lfence(b);
}

/* The selector is at the buffer's start. VERW only looks at it. */
static void emit_verw(struct spec_buffer *b)
{
	EMIT(b, 0x0f, 0x00, 0x2d);
	emit32(b, 0ull - (b->used + 4));
}

/* The guest's SPEC_CTRL first: nothing that follows is an indirect branch. The
 * L1D as late as can be. */
static void emit_entry(struct spec_buffer *b, const struct speculation *s,
		       const struct spec_site *site)
{
	if (s->actions & SPEC_IBRS_EXIT)
		emit_guest_ctrl(b, site);
	if (s->actions & SPEC_DIVIDE)
		emit_divide(b);
	if (s->actions & SPEC_L1D_FLUSH)
		emit_wrmsr(b, MSR_FLUSH_CMD, FLUSH_CMD_L1D);
}

static void emit_exit(struct spec_buffer *b, const struct speculation *s)
{
	if (s->actions & SPEC_IBRS_EXIT)
		emit_wrmsr(b, MSR_SPEC_CTRL, s->host_ctrl);
	if (s->actions & SPEC_IBPB_EXIT)
		emit_wrmsr(b, MSR_PRED_CMD, PRED_CMD_IBPB);
	if (s->actions & SPEC_RSB_FILL)
		emit_rsb_fill(b, s->shadow_stack);
	if (s->actions & SPEC_RSB_ONE)
		emit_rsb_one(b, s->shadow_stack);
	if (s->actions & SPEC_BHB_CLEAR)
		emit_bhb_clear(b);
}

static u32 actions_at(enum spec_point point)
{
	switch (point) {
	case SPEC_AT_ENTRY:
		return SPEC_IBRS_EXIT | SPEC_DIVIDE | SPEC_L1D_FLUSH;
	case SPEC_AT_LAST:
		return SPEC_VERW;
	default:
		return SPEC_IBRS_EXIT | SPEC_IBPB_EXIT | SPEC_RSB_FILL |
		       SPEC_RSB_ONE | SPEC_BHB_CLEAR;
	}
}

void spec_code_begin(struct spec_buffer *b)
{
	const u16 selector = SEL_DATA;

	emit(b, &selector, sizeof(selector));
}

void spec_code_jump(u8 *bytes, u64 va, u64 target)
{
	u32 relative = (u32)(target - (va + SPEC_JUMP_BYTES));

	bytes[0] = 0xe9;
	memcpy(bytes + 1, &relative, sizeof(relative));
}

void spec_code_detour(struct spec_buffer *b, const struct speculation *s,
		      const struct spec_site *site, u8 *site_bytes)
{
	u32 length = (u32)(site->end - site->at);
	u32 start = b->used;
	u64 at = (u64)site->at;

	if (!(s->actions & actions_at(site->point)))
		return;
	ASSERT(length >= SPEC_JUMP_BYTES);
	if (site->point == SPEC_AT_ENTRY)
		emit_entry(b, s, site);
	emit(b, site_bytes, length);
	if (site->point == SPEC_AT_LAST)
		emit_verw(b);
	if (site->point == SPEC_AT_EXIT)
		emit_exit(b, s);
	EMIT(b, 0xe9, 0, 0, 0, 0);
	spec_code_jump(b->bytes + b->used - SPEC_JUMP_BYTES,
		       b->va + b->used - SPEC_JUMP_BYTES, at + length);
	memset(site_bytes, INT3, length);
	spec_code_jump(site_bytes, at, b->va + start);
}

#define CODE_CS      0x2e /* does nothing in 64-bit code */
#define CODE_REX_B   0x41
#define CODE_REX_W   0x48
#define CODE_REX_WR  0x4c
#define CODE_HIGH(r) ((r) >= 8)

void spec_code_thunk(u8 *bytes, u32 reg, bool retpoline)
{
	struct spec_buffer b = { .bytes = bytes,
				 .size = SPEC_THUNK_BYTES - SPEC_THUNK_OFFSET };

	memset(bytes, INT3, b.size);
	if (retpoline) {
		/* call set; again: pause; lfence; jmp again;
		 * set: mov [rsp], reg; ret */
		EMIT(&b, 0xe8, 7, 0, 0, 0, 0xf3, 0x90, 0x0f, 0xae, 0xe8, 0xeb,
		     0xf9);
		EMIT(&b, CODE_HIGH(reg) ? CODE_REX_WR : CODE_REX_W, 0x89,
		     (u8)(0x04 | (reg & 7) << 3), 0x24, 0xc3);
		return;
	}
	if (CODE_HIGH(reg))
		EMIT(&b, CODE_REX_B);
	EMIT(&b, 0xff, (u8)(0xe0 | (reg & 7)));
}

bool spec_code_inline(u8 *bytes, u64 va, u64 thunks_va)
{
	bool jump = bytes[0] == 0xe9;
	u64 offset;
	u32 reg;
	s32 relative;

	if (bytes[0] != 0xe8 && !jump)
		return false;
	memcpy(&relative, bytes + 1, sizeof(relative));
	offset = va + SPEC_JUMP_BYTES + (u64)(s64)relative - thunks_va;
	reg = (u32)(offset / SPEC_THUNK_BYTES);
	if (offset >= SPEC_THUNK_COUNT * SPEC_THUNK_BYTES ||
	    offset % SPEC_THUNK_BYTES != SPEC_THUNK_OFFSET)
		return false;
	bytes[0] = CODE_CS;
	bytes[1] = CODE_CS;
	bytes[2] = CODE_HIGH(reg) ? CODE_REX_B : CODE_CS;
	bytes[3] = 0xff;
	bytes[4] = (u8)((jump ? 0xe0 : 0xd0) | (reg & 7));
	return true;
}
