/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * x87 instructions with a memory operand (SDM 1 8.3; SDM 2A, F...). The CPU
 * does them itself, on a buffer in the operand's place and with the guest's x87
 * registers, which are in the core: arch/x86/machine/stub.h. Called through the
 * opcode table of hv/emulate/emulate.c. Environments and states in the format
 * of real mode are not emulated.
 */
#include "arch/x86/machine/fpu.h"
#include "hv/emulate/priv.h"
#include "hv/emulate/stage.h"

#define RM_RDI       7u /* ModRM.rm with mod 0: the buffer */
#define STATE_BYTES  108u
#define STATE16      94u
#define ENV_BYTES    28u
#define ENV16        14u
#define OPCODE_FIRST 0xd8u

enum x87_flag {
	LOADS = 0,
	STORES = 1 << 0,
	NOT_NOTED = 1 << 1, /* not noted as the last instruction */
	NO_WAIT = 1 << 2,   /* raises no #MF */
	BY_SIZE = 1 << 3    /* shorter with 16-bit operands */
};

struct x87_row {
	u8 bytes; /* 0: no instruction */
	u8 flags; /* enum x87_flag */
};

#define QUIET (STORES | NOT_NOTED | NO_WAIT)
/* clang-format off */
#define ALL_OF(bytes) {							\
	{ bytes, LOADS }, { bytes, LOADS }, { bytes, LOADS }, { bytes, LOADS }, \
	{ bytes, LOADS }, { bytes, LOADS }, { bytes, LOADS }, { bytes, LOADS } }

/* By opcode and ModRM.reg */
static const struct x87_row rows[8][8] = {
	ALL_OF(4),	/* D8: FADD ... FDIVR m32 */
	{		/* D9: FLD FST FSTP m32, FLDENV FLDCW FNSTENV FNSTCW */
		{ 4, LOADS }, { 0, 0 }, { 4, STORES }, { 4, STORES },
		{ ENV_BYTES, NOT_NOTED | BY_SIZE }, { 2, NOT_NOTED },
		{ ENV_BYTES, QUIET | BY_SIZE }, { 2, QUIET } },
	ALL_OF(4),	/* DA: FIADD ... FIDIVR m32 */
	{		/* DB: FILD FISTTP FIST FISTP m32, FLD FSTP m80 */
		{ 4, LOADS }, { 4, STORES }, { 4, STORES }, { 4, STORES },
		{ 0, 0 }, { 10, LOADS }, { 0, 0 }, { 10, STORES } },
	ALL_OF(8),	/* DC: FADD ... FDIVR m64 */
	{		/* DD: FLD FISTTP FST FSTP m64, FRSTOR FNSAVE FNSTSW */
		{ 8, LOADS }, { 8, STORES }, { 8, STORES }, { 8, STORES },
		{ STATE_BYTES, NOT_NOTED | BY_SIZE }, { 0, 0 },
		{ STATE_BYTES, QUIET | BY_SIZE }, { 2, QUIET } },
	ALL_OF(2),	/* DE: FIADD ... FIDIVR m16 */
	{		/* DF: FILD FISTTP FIST FISTP m16, FBLD, FILD m64, FBSTP,
			   FISTP m64 */
		{ 2, LOADS }, { 2, STORES }, { 2, STORES }, { 2, STORES },
		{ 10, LOADS }, { 8, LOADS }, { 10, STORES }, { 8, STORES } },
};
/* clang-format on */

static u8 bytes_of(const struct emu *m, const struct x87_row *row)
{
	if (!(row->flags & BY_SIZE) || m->insn.operand_size != 2)
		return row->bytes;
	return row->bytes == ENV_BYTES ? ENV16 : STATE16;
}

/* SDM 3A 2.5, CR0.EM and TS; SDM 1 8.7 *Handling x87 FPU Exceptions in
 * Software* */
static int check_ready(struct emu *m, const struct x87_row *row)
{
	vcpu_need(m->v, RG_CR | RG_RIP | RG_SEG);
	if (!row->bytes)
		return emu_ud(m);
	if ((row->flags & BY_SIZE) && !emu_protected(m))
		return EMU_UNKNOWN;
	if (m->r->cr0 & (CR0_EM | CR0_TS))
		return emu_fault_plain(m, EXC_NM);
	if (!(row->flags & NO_WAIT) && fpu_error_pending())
		return emu_fault_plain(m, EXC_MF);
	return EMU_OK;
}

static u16 opcode_bits(u8 opcode, u32 modrm)
{
	return (u16)((opcode & 7u) << 8 | modrm);
}

/* The CPU has noted an instruction of the hypervisor's as the last one */
static void note_instruction(struct emu *m, u8 modrm, const void *memory)
{
	const struct insn *i = &m->insn;
	struct fpu_pointers was = { .ip = stub_address(),
				    .dp = (u64)memory,
				    .op = opcode_bits(i->opcode, modrm) };
	struct fpu_pointers is = { .ip = m->r->rip,
				   .wide = m->mode == INSN_64BIT };
	u8 seg;

	is.op = opcode_bits(i->opcode, (u32)i->mod << 6 | (i->reg & 7u) << 3 |
					       (i->rm & 7u));
	emu_operand_address(m, &seg, &is.dp);
	is.cs = m->r->seg[SEG_CS].sel;
	is.ds = m->r->seg[seg].sel;
	fpu_pointers_replace(&was, &is);
}

static int run(struct emu *m, const struct x87_row *row, void *memory)
{
	u8 modrm = (u8)((m->insn.reg & 7u) << 3 | RM_RDI);
	const u8 code[] = { 0x66, m->insn.opcode, modrm };
	bool narrow = (row->flags & BY_SIZE) && m->insn.operand_size == 2;
	struct stub_regs r = { 0 };
	int err = emu_stub(m, narrow ? code : code + 1, narrow ? 3 : 2, memory,
			   &r);

	if (!err && !(row->flags & NOT_NOTED))
		note_instruction(m, modrm, memory);
	return err;
}

static const struct x87_row *row_of(const struct emu *m)
{
	return &rows[m->insn.opcode - OPCODE_FIRST][m->insn.reg & 7];
}

static int run_frstor(struct emu_stage *s)
{
	return run(&s->m, row_of(&s->m), s->area.words);
}

/* FNSAVE and FRSTOR: 27 accesses, in pieces */
static int save_or_restore(struct emu *m, const struct x87_row *row,
			   const struct emu_span *span)
{
	struct emu_stage *s = emu_stage_take(m);
	int err;

	if (!s)
		return EMU_AGAIN;
	s->span = *span;
	s->bytes = bytes_of(m, row);
	emu_stage_mark(s, 0, ALIGN_UP((u32)s->bytes, 8u));
	if (!(row->flags & STORES))
		return emu_stage_move(s, m, run_frstor);
	err = run(m, row, s->area.words);
	if (err)
		return emu_stage_drop(s, err);
	return emu_stage_move(s, m, NULL);
}

int op_x87(struct emu *m) /* D8-DF */
{
	const struct x87_row *row = row_of(m);
	u64 buffer[ENV_BYTES / sizeof(u64) + 1] = { 0 };
	u8 size = bytes_of(m, row);
	struct emu_span span;
	int err = check_ready(m, row);

	if (!err)
		err = emu_resolve_operand(
			m, size, row->flags & STORES ? ACCESS_W : ACCESS_R,
			&span);
	if (err)
		return err;
	if (row->bytes == STATE_BYTES)
		return save_or_restore(m, row, &span);
	if (!(row->flags & STORES))
		emu_load_wide(m, &span, size, buffer);
	err = run(m, row, buffer);
	if (err || !(row->flags & STORES))
		return err;
	if ((row->flags & NOT_NOTED) || !fpu_store_held())
		emu_store_wide(m, &span, size, buffer);
	return EMU_OK;
}
