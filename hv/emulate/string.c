/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * MOVS, CMPS, STOS, LODS, SCAS on device memory and INS, OUTS on ports, with
 * REP. A call does a bounded number of elements for a bounded time, and none
 * after one that goes on by itself, such as an IPI to many. The registers then
 * say where it stands, as when an interrupt comes between two elements (SDM 2B,
 * REP), and the guest runs into the same instruction again. Called through the
 * opcode table of hv/emulate/emulate.c and by the EXIT_PORT handler; home core.
 */
#include "hv/core/bus.h"
#include "hv/core/gmem.h"
#include "hv/core/piece.h"
#include "hv/core/retire.h"
#include "hv/emulate/priv.h"
#include "lib/errno.h"

/* An element costs up to 1,500 instructions: page walk, bus, device */
#define STRING_CHUNK 64u

/* What an element's step leaves beside its fault */
struct element {
	emu_fn step;
	bool compares; /* REPE and REPNE look at ZF */
};

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

static int destination(struct emu *m, u8 access, struct emu_span *span)
{
	return emu_resolve(m, SEG_ES, string_reg(m, GPR_RDI), m->size, access,
			   span);
}

/* Between two elements: the interrupt shadow is over, a trap is due */
static int pause_repeat(struct emu *m)
{
	u64 rf = m->r->rflags & RFLAGS_RF;

	retire_insn(m->v);
	m->r->rflags |= rf;
	return EMU_AGAIN;
}

/* REPE ends at the first element that differs, REPNE at the first that is
 * equal */
static bool compare_ends(const struct emu *m)
{
	return m->insn.rep == !(m->r->rflags & RFLAGS_ZF);
}

static int repeat(struct emu *m, const struct element *e)
{
	u8 width = m->insn.addr_size;
	bool each = m->r->rflags & RFLAGS_TF || m->r->breakpoints;
	u32 left = each ? 1 : STRING_CHUNK;
	struct piece piece;
	u64 count = emu_reg_get(m, GPR_RCX, width);
	int err;

	if (!m->insn.rep && !m->insn.repne)
		return e->step(m);
	piece = piece_begin();
	for (; count && left; left--) {
		err = e->step(m);
		if (err)
			return err;
		emu_reg_set(m, GPR_RCX, width, --count);
		if (e->compares && compare_ends(m))
			return EMU_OK;
		if (READ_ONCE(m->v->events) & VE_INSN || piece_over(&piece))
			break;
	}
	return count ? pause_repeat(m) : EMU_OK;
}

static int movs_step(struct emu *m)
{
	struct emu_span from, to;
	int err = source(m, &from);

	if (!err)
		err = destination(m, ACCESS_W, &to);
	if (err)
		return err;
	emu_store(m, &to, m->size, emu_load(m, &from, m->size));
	string_step(m, GPR_RSI);
	string_step(m, GPR_RDI);
	return EMU_OK;
}

static int cmps_step(struct emu *m)
{
	u64 flags = m->r->rflags;
	struct emu_span first, second;
	int err = source(m, &first);

	if (!err)
		err = destination(m, ACCESS_R, &second);
	if (err)
		return err;
	alu_binary(ALU_CMP, m->size, emu_load(m, &first, m->size),
		   emu_load(m, &second, m->size), &flags);
	emu_flags_set(m, flags);
	string_step(m, GPR_RSI);
	string_step(m, GPR_RDI);
	return EMU_OK;
}

static int stos_step(struct emu *m)
{
	struct emu_span to;
	int err = destination(m, ACCESS_W, &to);

	if (err)
		return err;
	emu_store(m, &to, m->size, emu_reg_get(m, GPR_RAX, m->size));
	string_step(m, GPR_RDI);
	return EMU_OK;
}

static int lods_step(struct emu *m)
{
	struct emu_span from;
	int err = source(m, &from);

	if (err)
		return err;
	emu_reg_set(m, GPR_RAX, m->size, emu_load(m, &from, m->size));
	string_step(m, GPR_RSI);
	return EMU_OK;
}

static int scas_step(struct emu *m)
{
	u64 flags = m->r->rflags;
	struct emu_span at;
	int err = destination(m, ACCESS_R, &at);

	if (err)
		return err;
	alu_binary(ALU_CMP, m->size, emu_reg_get(m, GPR_RAX, m->size),
		   emu_load(m, &at, m->size), &flags);
	emu_flags_set(m, flags);
	string_step(m, GPR_RDI);
	return EMU_OK;
}

static int ins_step(struct emu *m)
{
	const struct vcpu_exit *e = m->exit;
	struct emu_span to;
	int err = destination(m, ACCESS_W, &to);

	if (err)
		return err;
	emu_store(m, &to, m->size,
		  bus_read(&m->v->vm->ports, m->v, e->port.port, m->size));
	string_step(m, GPR_RDI);
	return EMU_OK;
}

static int outs_step(struct emu *m)
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

static const struct element movs = { movs_step, false };
static const struct element cmps = { cmps_step, true };
static const struct element stos = { stos_step, false };
static const struct element lods = { lods_step, false };
static const struct element scas = { scas_step, true };
static const struct element ins = { ins_step, false };
static const struct element outs = { outs_step, false };

int op_movs(struct emu *m) /* A4 A5 */
{
	return repeat(m, &movs);
}

int op_cmps(struct emu *m) /* A6 A7 */
{
	return repeat(m, &cmps);
}

int op_stos(struct emu *m) /* AA AB */
{
	return repeat(m, &stos);
}

int op_lods(struct emu *m) /* AC AD */
{
	return repeat(m, &lods);
}

int op_scas(struct emu *m) /* AE AF */
{
	return repeat(m, &scas);
}

/* The bytes are still the INS or OUTS that the exit told of */
static bool is_string_io(const struct emu *m)
{
	const struct vcpu_exit *e = m->exit;
	u8 first = e->port.in ? 0x6c : 0x6e;
	u8 size = MIN(m->insn.operand_size, 4);

	return m->insn.map == MAP_ONE && (m->insn.opcode & 0xfe) == first &&
	       e->port.size == (m->insn.opcode & 1 ? size : 1);
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
	switch (repeat(&m, e->port.in ? &ins : &outs)) {
	case EMU_OK:
		return VERDICT_ADVANCE;
	case EMU_AGAIN:
		return VERDICT_RESUME;
	case EMU_FAULT:
		return VERDICT_INJECT;
	default:
		return exit_cannot(v, EXC_UD,
				   "string I/O that is not emulated");
	}
}
