/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The xAPIC page on a short way: 64-bit code that moves 32 bits between a
 * register or a constant and a LAPIC register, which is how every kernel uses
 * it, needs no general decoder. Whatever else touches the page is left to
 * hv/emulate/emulate.c. Called by the EXIT_MMIO handler; home core, no lock.
 *
 * The exit tells the address, so of the operand only the length counts. Should
 * another vCPU change the code meanwhile, a register of this vCPU gets another
 * value than it might have: nothing that the guest could not do itself.
 */
#include "hv/core/gmem.h"
#include "hv/irq/vlapic.h"
#include "hv/irq/vlapic_priv.h"
#include "include/hw/cpu.h"

/* REX, opcode, ModRM, SIB, disp32, imm32 */
#define LONGEST 12u

#define REX_MASK   0xf0u
#define REX        0x40u
#define REX_W      8u
#define REX_R_TO_4 1u /* REX.R (bit 2) becomes bit 3 of the register */

#define OP_STORE     0x89u /* MOV r/m32, r32 */
#define OP_LOAD      0x8bu /* MOV r32, r/m32 */
#define OP_STORE_IMM 0xc7u /* MOV r/m32, imm32 */

#define RM_SIB    4u
#define RM_DISP32 5u /* with mod 0: no base but disp32 or RIP */
#define MOD_REG   3u

struct move {
	u8 opcode, reg;
	u8 len;
	u32 imm;
};

/* Bytes of ModRM, SIB and displacement; 0: no memory operand */
static u8 operand_length(const u8 *p)
{
	static const u8 disp[MOD_REG] = { 0, 1, 4 };
	u32 mod = p[0] >> 6, rm = p[0] & 7;

	if (mod == MOD_REG)
		return 0;
	if (rm == RM_SIB)
		return (u8)(2 +
			    (mod || (p[1] & 7) != RM_DISP32 ? disp[mod] : 4));
	return (u8)(1 + (mod || rm != RM_DISP32 ? disp[mod] : 4));
}

static u32 load_u32(const u8 *p)
{
	return p[0] | (u32)p[1] << 8 | (u32)p[2] << 16 | (u32)p[3] << 24;
}

/* @code: LONGEST bytes, which the guest may change under us: each is looked at
 * in a private copy. False: another instruction. */
static bool decode(const u8 *code, struct move *m)
{
	u32 rex = 0, at = 0;
	u8 operand;

	if ((code[0] & REX_MASK) == REX)
		rex = code[at++];
	m->opcode = code[at++];
	if ((m->opcode != OP_STORE && m->opcode != OP_LOAD &&
	     m->opcode != OP_STORE_IMM) ||
	    rex & REX_W)
		return false;
	m->reg = (u8)((code[at] >> 3 & 7) | (rex << REX_R_TO_4 & 8));
	operand = operand_length(code + at);
	at += operand;
	if (m->opcode == OP_STORE_IMM) {
		if (m->reg & 7)
			return false;
		m->imm = load_u32(code + at);
		at += sizeof(u32);
	}
	m->len = (u8)at;
	return operand;
}

static bool fetch(struct vcpu *v, struct move *m)
{
	u8 copy[LONGEST];
	const u8 *code;
	u64 left;

	code = gmem_code(v, &left);
	if (!code || left < LONGEST)
		return false;
	__builtin_memcpy(copy, code, LONGEST);
	barrier();
	return decode(copy, m);
}

bool vlapic_page_exit(struct vcpu *v, const struct vcpu_exit *e)
{
	u64 offset = e->mmio.gpa.v - (v->apic_base_msr & APIC_BASE_ADDR);
	struct vcpu_regs *r = vcpu_regs(v);
	struct move m = { 0 };

	/* No register but one whole, at the page itself, by an instruction,
	 * and no data breakpoints */
	if (r->breakpoints || offset >= APIC_PAGE_BYTES || offset & 0xf ||
	    e->mmio.walk || e->mmio.access & ACCESS_X ||
	    e->vectoring.type != EVENT_NONE)
		return false;
	vcpu_need(v, RG_CR);
	if (!(r->valid & (RG_CS | RG_SEG)))
		vcpu_need(v, RG_SEG);
	if (!vcpu_hw_long_mode(r) || !fetch(v, &m) || m.reg == GPR_RSP ||
	    (m.opcode == OP_LOAD) == !!(e->mmio.access & ACCESS_W))
		return false;
	if (m.opcode == OP_LOAD)
		r->gpr[m.reg] = (u32)vlapic_mmio_read(v, NULL, offset, 4);
	else
		vlapic_mmio_write(v, NULL, offset, 4,
				  m.opcode == OP_STORE ? (u32)r->gpr[m.reg]
						       : m.imm);
	v->hw.exit.insn_len = m.len;
	return true;
}
