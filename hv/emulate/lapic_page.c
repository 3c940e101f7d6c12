/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The xAPIC page on a short way. Every kernel uses it by 64-bit code that moves
 * 32 bits between a LAPIC register and a register or a constant, which needs no
 * general emulation. Whatever else touches the page is left to
 * hv/emulate/emulate.c. Called by the EXIT_MMIO handler; home core, no lock.
 *
 * The exit tells the address, so only the operand's length counts. If another
 * vCPU changes the code meanwhile, a register of this vCPU gets another value:
 * nothing that the guest could not do itself.
 */
#include "hv/core/gmem.h"
#include "hv/emulate/emulate.h"
#include "hv/emulate/insn.h"
#include "hv/irq/vlapic.h"
#include "hv/irq/vlapic_priv.h"
#include "include/hw/cpu.h"

/* Decode from a private copy: the guest may change the code meanwhile */
static bool decode(struct vcpu *v, struct insn_move *m)
{
	u8 copy[INSN_MOVE_MAX];
	const u8 *code;
	u64 left;

	code = gmem_code(v, &left);
	if (!code || left < INSN_MOVE_MAX)
		return false;
	__builtin_memcpy(copy, code, INSN_MOVE_MAX);
	barrier();
	return insn_decode_move(m, copy);
}

bool emulate_lapic_page(struct vcpu *v, const struct vcpu_exit *e)
{
	u64 offset = e->mmio.gpa.v - (v->apic_base_msr & APIC_BASE_ADDR);
	struct vcpu_regs *r = vcpu_regs(v);
	struct insn_move m;

	/* No register but one whole, at the page itself, by an instruction,
	 * and no data breakpoints */
	if (r->breakpoints || offset >= APIC_PAGE_BYTES || offset & 0xf ||
	    e->mmio.walk || e->mmio.access & ACCESS_X ||
	    e->vectoring.type != EVENT_NONE)
		return false;
	vcpu_need(v, RG_CR);
	if (!(r->valid & (RG_CS | RG_SEG)))
		vcpu_need(v, RG_SEG);
	if (!vcpu_hw_long_mode(r) || !decode(v, &m) || m.reg == GPR_RSP ||
	    (m.opcode == OP_MOV_LOAD) == !!(e->mmio.access & ACCESS_W))
		return false;
	if (m.opcode == OP_MOV_LOAD)
		r->gpr[m.reg] = (u32)vlapic_mmio_read(v, NULL, offset, 4);
	else
		vlapic_mmio_write(v, NULL, offset, 4,
				  m.opcode == OP_MOV_STORE ? (u32)r->gpr[m.reg]
							   : m.imm);
	v->hw.exit.insn_len = m.len;
	return true;
}
