/* SPDX-License-Identifier: BSD-2-Clause */
/* See text_patch.h. Called by hv/init.c; no lock. */
#include "arch/x86/machine/text_patch.h"

#include "arch/x86/cpu/asm.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/hostmap.h"
#include "mm/pmm.h"
#include "mm/pt.h"

#define CALL 0xe8

extern u8 __text_start[], __text_end[];
extern u8 text_area[], text_area_end[];
extern u8 indirect_thunks[];

/* The writable view of what lies at @code */
static u8 *view_of(u8 *view, const u8 *code)
{
	return view + (code - __text_start);
}

static void patch_thunks(u8 *view)
{
	u8 *thunks = view_of(view, indirect_thunks);

	for (u32 reg = 0; reg < SPEC_THUNK_COUNT; reg++)
		spec_code_thunk(thunks + reg * SPEC_THUNK_BYTES +
					SPEC_THUNK_OFFSET,
				reg, true);
}

static const u8 endbr64[] = { 0xf3, 0x0f, 0x1e, 0xfa };

/* A direct jump need not land on an ENDBR64 */
static u64 past_endbr(const void *code)
{
	return (u64)code +
	       (memcmp(code, endbr64, sizeof(endbr64)) ? 0 : sizeof(endbr64));
}

/* Who calls the stub calls what it leads to */
static bool skip_stub(u8 *bytes, u64 va, const struct text_patch *p)
{
	u8 call[SPEC_JUMP_BYTES];

	spec_code_jump(call, va, (u64)p->stub);
	if (bytes[0] != CALL || memcmp(bytes + 1, call + 1, sizeof(call) - 1))
		return false;
	spec_code_jump(bytes, va, past_endbr(p->target));
	bytes[0] = CALL;
	return true;
}

/* Whoever calls a function by its name passes over its ENDBR64. Nothing but the
 * distance is written, and by a leaf: the call may be one of this file's. */
static bool skip_endbr(u8 *bytes, u64 va)
{
	s32 relative;
	u64 target;

	memcpy(&relative, bytes + 1, sizeof(relative));
	target = va + SPEC_JUMP_BYTES + (u64)(s64)relative;
	if (target < (u64)__text_start ||
	    target > (u64)__text_end - sizeof(endbr64) ||
	    past_endbr((const void *)target) == target)
		return false;
	relative += (s32)sizeof(endbr64);
	memcpy(bytes + 1, &relative, sizeof(relative));
	return true;
}

/* Parts of other instructions that look like a branch to change: offsets in the
 * text, written behind the linker by scripts/check-branches --mark. Nothing is
 * at 0 but the header for loaders. */
#define LOOKALIKES_MOST 16

extern const volatile u32 text_lookalikes[LOOKALIKES_MOST];
const volatile u32 text_lookalikes[LOOKALIKES_MOST] = { 0 };

static bool is_lookalike(u64 offset)
{
	u32 i = 0;

	while (i < LOOKALIKES_MOST && text_lookalikes[i] != offset)
		i++;
	return i < LOOKALIKES_MOST;
}

/* The instructions are not decoded: that these five bytes are never anything
 * else, but where that is noted, is what scripts/check-branches sees to */
static void patch_branches(u8 *view, const struct text_patch *p)
{
	u64 size = (u64)(__text_end - __text_start) - SPEC_JUMP_BYTES;
	bool plain = !(speculation.actions & (SPEC_RETPOLINE | SPEC_ALIGNED));

	for (u64 i = 0; i < size; i++) {
		u64 va = (u64)__text_start + i;

		if ((view[i] & 0xfe) != CALL /* or a jump */ || is_lookalike(i))
			continue;
		if (skip_stub(view + i, va, p) || skip_endbr(view + i, va) ||
		    (plain &&
		     spec_code_inline(view + i, va, (u64)indirect_thunks)))
			i += SPEC_JUMP_BYTES - 1;
	}
}

static void patch_sites(u8 *view, const struct text_patch *p)
{
	struct spec_buffer b = { .bytes = view_of(view, text_area),
				 .va = (u64)text_area,
				 .size = (u32)(text_area_end - text_area) };

	spec_code_begin(&b);
	for (u32 i = 0; i < p->site_count; i++)
		spec_code_detour(&b, &speculation, &p->sites[i],
				 view_of(view, p->sites[i].at));
}

int text_patch(const struct text_patch *p)
{
	u64 size = (u64)(__text_end - __text_start);
	u8 *view = ioremap(virt_to_hpa(__text_start), size, PT_R | PT_W);

	if (!view)
		return -ENOMEM;
	if (speculation.actions & SPEC_RETPOLINE)
		patch_thunks(view);
	patch_branches(view, p);
	patch_sites(view, p);
	spec_code_jump(view_of(view, p->stub), (u64)p->stub,
		       past_endbr(p->target));
	iounmap(view, size);
	/* Code that was changed through another address is fetched anew after a
	 * serializing instruction (SDM 3A 9.1.3 *Handling Self- and
	 * Cross-Modifying Code*) */
	(void)cpuid(0);
	return 0;
}
