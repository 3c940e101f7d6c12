// SPDX-License-Identifier: BSD-2-Clause
/*
 * MOVS, STOS, LODS on device memory and INS, OUTS on ports, with REP. A call
 * does a bounded number of elements; the registers then say where it stands, as
 * when an interrupt comes between two of them (SDM 2B, REP), and the guest runs
 * into the same instruction again.
 */
#include "hv/bus.h"
#include "hv/emulate_priv.h"
#include "hv/gmem.h"
#include "lib/errno.h"

#define STRING_CHUNK 64u

typedef int (*element_fn)(struct emu *m);

static u64 string_reg(struct emu *m, u8 reg)
{
	return emu_reg_get(m, reg, m->insn.addr_size);
}

static void string_step(struct emu *m, u8 reg)
{
	u64 step = m->size;

	if (m->r->rflags & RFLAGS_DF)
		step = 0 - step;
	emu_reg_set(m, reg, m->insn.addr_size, string_reg(m, reg) + step);
}

static int source(struct emu *m, struct emu_span *span)
{
	u8 seg = m->insn.seg == SEG_COUNT ? SEG_DS : m->insn.seg;

	return emu_resolve(m, seg, string_reg(m, GPR_RSI), m->size, ACCESS_R,
			   span);
}

static int destination(struct emu *m, struct emu_span *span)
{
	return emu_resolve(m, SEG_ES, string_reg(m, GPR_RDI), m->size, ACCESS_W,
			   span);
}

static int repeat(struct emu *m, element_fn element)
{
	u8 width = m->insn.addr_size;
	u32 left = m->r->rflags & RFLAGS_TF ? 1 : STRING_CHUNK;
	u64 count;
	int err;

	if (!m->insn.rep && !m->insn.repne)
		return element(m);
	for (; left; left--) {
		count = emu_reg_get(m, GPR_RCX, width);
		if (!count)
			return EMU_OK;
		err = element(m);
		if (err)
			return err;
		emu_reg_set(m, GPR_RCX, width, count - 1);
	}
	return emu_reg_get(m, GPR_RCX, width) ? EMU_AGAIN : EMU_OK;
}

static int movs_element(struct emu *m)
{
	struct emu_span from, to;
	int err = source(m, &from);

	if (!err)
		err = destination(m, &to);
	if (err)
		return err;
	emu_store(m, &to, m->size, emu_load(m, &from, m->size));
	string_step(m, GPR_RSI);
	string_step(m, GPR_RDI);
	return EMU_OK;
}

static int stos_element(struct emu *m)
{
	struct emu_span to;
	int err = destination(m, &to);

	if (err)
		return err;
	emu_store(m, &to, m->size, emu_reg_get(m, GPR_RAX, m->size));
	string_step(m, GPR_RDI);
	return EMU_OK;
}

static int lods_element(struct emu *m)
{
	struct emu_span from;
	int err = source(m, &from);

	if (err)
		return err;
	emu_reg_set(m, GPR_RAX, m->size, emu_load(m, &from, m->size));
	string_step(m, GPR_RSI);
	return EMU_OK;
}

static int ins_element(struct emu *m)
{
	const struct vcpu_exit *e = m->exit;
	struct emu_span to;
	int err = destination(m, &to);

	if (err)
		return err;
	emu_store(m, &to, m->size,
		  bus_read(&m->v->vm->ports, m->v, e->port.port, m->size));
	string_step(m, GPR_RDI);
	return EMU_OK;
}

static int outs_element(struct emu *m)
{
	const struct vcpu_exit *e = m->exit;
	struct emu_span from;
	int err = source(m, &from);

	if (err)
		return err;
	bus_write(&m->v->vm->ports, m->v, e->port.port, m->size,
		  emu_load(m, &from, m->size));
	string_step(m, GPR_RSI);
	return EMU_OK;
}

int emu_movs(struct emu *m)
{
	return repeat(m, movs_element);
}

int emu_stos(struct emu *m)
{
	return repeat(m, stos_element);
}

int emu_lods(struct emu *m)
{
	return repeat(m, lods_element);
}

/* The bytes are still the INS or OUTS that the exit told of */
static bool is_string_io(const struct emu *m)
{
	const struct vcpu_exit *e = m->exit;
	u8 first = e->port.in ? 0x6c : 0x6e;

	return m->insn.map == MAP_ONE && (m->insn.opcode & 0xfe) == first &&
	       (m->insn.opcode & 1) == (e->port.size > 1);
}

enum verdict emulate_string_io(struct vcpu *v, const struct vcpu_exit *e)
{
	struct emu m = { .v = v, .r = vcpu_regs(v), .exit = e };
	u8 bytes[INSN_MAX];
	size_t have = gmem_fetch(v, bytes, sizeof(bytes));

	m.mode = insn_mode(m.r);
	m.size = e->port.size;
	if (insn_decode(&m.insn, bytes, have, m.mode) || !is_string_io(&m))
		return VERDICT_RESUME;
	v->hw.exit.insn_len = m.insn.len;
	switch (repeat(&m, e->port.in ? ins_element : outs_element)) {
	case EMU_OK:
		return VERDICT_ADVANCE;
	case EMU_AGAIN:
		return VERDICT_RESUME;
	case EMU_FAULT:
		return VERDICT_INJECT;
	default:
		return exit_kill(v, "string I/O with page tables not in RAM");
	}
}
