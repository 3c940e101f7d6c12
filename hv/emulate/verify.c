/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Selectors that are looked at and not loaded: LAR, LSL, VERR, VERW, ARPL (SDM
 * 2A, 2B). They come here where the selector or its descriptor is not in RAM.
 * Called through the opcode table of hv/emulate/emulate.c.
 */
#include "hv/emulate/priv.h"
#include "hv/emulate/task.h"
#include "lib/errno.h"
#include "lib/string.h"

#define SELECTOR_BYTES 2
#define OP_LSL         3u
/* Types of system descriptors, a mask (SDM 2A tables 3-57 and 3-64) */
#define LAR_TYPES      0x1a3eu /* 1-5 9 11 12 */
#define LAR_TYPES_LONG 0x1a04u /* 2 9 11 12 */
#define LSL_TYPES      0x0a0eu /* 1-3 9 11 */
#define LSL_TYPES_LONG 0x0a04u /* 2 9 11 */
/* Type, DPL, P, AVL, L, D/B, G, and between them bits of the limit */
#define ACCESS_RIGHTS 0x00ffff00u

static int load_selector(struct emu *m, u16 *sel)
{
	struct emu_span span;
	int err;

	if (!m->insn.mem) {
		*sel = (u16)emu_reg_get(m, m->insn.rm, SELECTOR_BYTES);
		return EMU_OK;
	}
	err = emu_resolve_operand(m, SELECTOR_BYTES, ACCESS_R, &span);
	if (!err)
		*sel = (u16)emu_load(m, &span, SELECTOR_BYTES);
	return err;
}

/* Conforming code can be seen from anywhere */
static bool is_visible(struct emu *m, const struct segment *s)
{
	u32 dpl = SEG_ATTR_DPL(s->attr);

	if ((s->attr & SEG_ATTR_S) && (s->attr & SEG_ATTR_CODE) &&
	    (s->attr & SEG_ATTR_CONFORMING))
		return true;
	return dpl >= emu_cpl(m) && dpl >= SEL_RPL(s->sel);
}

/* The descriptor that the operand's selector names; *@found: there is one, and
 * it is visible */
static int look_up(struct emu *m, u8 raw[DESC_BYTES], struct segment *s,
		   bool *found)
{
	struct task_span at;
	u16 sel;
	int err;

	*found = false;
	vcpu_need(m->v, RG_SEG | RG_DT | RG_CR | RG_RIP);
	if (m->insn.lock || !emu_protected(m))
		return emu_ud(m);
	err = load_selector(m, &sel);
	if (err || !SEL_ERROR(sel))
		return err;
	err = task_descriptor(m->v, sel, &at, raw);
	if (err == -ENOENT)
		return EMU_OK;
	if (err)
		return emu_of_task(err);
	*s = task_segment(sel, raw);
	*found = is_visible(m, s);
	return EMU_OK;
}

static bool may_tell(struct emu *m, const struct segment *s, bool limit)
{
	bool wide = m->r->efer & EFER_LMA;
	u32 types = limit ? LSL_TYPES : LAR_TYPES;

	if (s->attr & SEG_ATTR_S)
		return true;
	if (wide)
		types = limit ? LSL_TYPES_LONG : LAR_TYPES_LONG;
	return types >> (s->attr & SEG_ATTR_TYPE) & 1;
}

int op_lar_lsl(struct emu *m) /* 0F 02 03 */
{
	bool limit = m->insn.opcode == OP_LSL, found;
	u8 raw[DESC_BYTES];
	struct segment s;
	u32 value;
	int err = look_up(m, raw, &s, &found);

	if (err)
		return err;
	found = found && may_tell(m, &s, limit);
	if (found) {
		memcpy(&value, raw + sizeof(value), sizeof(value));
		value = limit ? s.limit : value & ACCESS_RIGHTS;
		emu_reg_set(m, m->insn.reg, m->size, value);
	}
	emu_zero_flag_set(m, found);
	return EMU_OK;
}

int op_verify(struct emu *m) /* 0F 00 /4 (VERR), /5 (VERW) */
{
	bool write = m->insn.reg & 1, found;
	u8 raw[DESC_BYTES];
	struct segment s;
	int err = look_up(m, raw, &s, &found);
	bool code;

	if (err)
		return err;
	if (found) {
		code = s.attr & SEG_ATTR_CODE;
		found = (s.attr & SEG_ATTR_S) &&
			(write ? !code && (s.attr & SEG_ATTR_RW)
			       : !code || (s.attr & SEG_ATTR_RW));
	}
	emu_zero_flag_set(m, found);
	return EMU_OK;
}

/* It writes only what it has to change */
int op_arpl(struct emu *m) /* 63, outside 64-bit code */
{
	u16 reg = (u16)emu_reg_get(m, m->insn.reg, SELECTOR_BYTES);
	struct emu_span span;
	u64 old;
	int err;

	vcpu_need(m->v, RG_CR | RG_RIP);
	if (!emu_protected(m))
		return emu_ud(m);
	err = emu_resolve_operand(m, SELECTOR_BYTES, ACCESS_R, &span);
	if (err)
		return err;
	old = emu_load(m, &span, SELECTOR_BYTES);
	if (SEL_RPL(old) >= SEL_RPL(reg)) {
		emu_zero_flag_set(m, false);
		return EMU_OK;
	}
	err = emu_resolve_operand(m, SELECTOR_BYTES, ACCESS_R | ACCESS_W,
				  &span);
	if (!err)
		err = emu_replace(m, &span, SELECTOR_BYTES, old,
				  (old & ~3ull) | SEL_RPL(reg));
	if (!err)
		emu_zero_flag_set(m, true);
	return err;
}
