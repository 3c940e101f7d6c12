/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The length of an intercepted instruction, where the CPU does not save the
 * next RIP. The exit's kind says which instruction it was, so its opcode is
 * looked for rather than decoded. Nearly always it is at CS:RIP itself, else
 * behind prefixes. Called by the dispatcher on the home core; hot on SVM.
 */
#include "hv/core/gmem.h"
#include "hv/emulate/emulate.h"
#include "hv/emulate/insn.h"
#include "lib/string.h"

/* clang-format off */
/* Opcode bytes in memory order, lowest byte first (SDM 2B to 2D) */
static const struct opcode {
	u32 mask, match;
	u8 len;
} opcodes[EXIT_KINDS][2] = {
	[EXIT_CPUID]	 = { { 0x00ffff, 0x00a20f, 2 } },
	[EXIT_HLT]	 = { { 0x0000ff, 0x0000f4, 1 } },
	[EXIT_RDMSR]	 = { { 0x00ffff, 0x00320f, 2 } },
	[EXIT_WRMSR]	 = { { 0x00ffff, 0x00300f, 2 } },
	[EXIT_HYPERCALL] = { { 0xffffff, 0xd9010f, 3 },	/* VMMCALL */
			     { 0xffffff, 0xc1010f, 3 } },	/* VMCALL */
	[EXIT_XSETBV]	 = { { 0xffffff, 0xd1010f, 3 } },
	[EXIT_WBINVD]	 = { { 0x00ffff, 0x00090f, 2 },
			     { 0x00ffff, 0x00080f, 2 } },	/* INVD: QUIRK(tcg-7.2) */
	[EXIT_INVD]	 = { { 0x00ffff, 0x00080f, 2 } },
	[EXIT_PAUSE]	 = { { 0x0000ff, 0x000090, 1 } },	/* behind F3 */
	[EXIT_MWAIT]	 = { { 0xffffff, 0xc9010f, 3 } },
	[EXIT_MONITOR]	 = { { 0xffffff, 0xc8010f, 3 } },
	[EXIT_RDPMC]	 = { { 0x00ffff, 0x00330f, 2 } },
};
/* clang-format on */

static u8 opcode_match(enum exit_kind kind, u32 word, size_t have)
{
	u32 i;

	for (i = 0; i < ARRAY_SIZE(opcodes[kind]); i++) {
		const struct opcode *o = &opcodes[kind][i];

		if (o->len && o->len <= have && (word & o->mask) == o->match)
			return o->len;
	}
	return 0;
}

static u32 load_word(const u8 *bytes, size_t have)
{
	u32 word = 0;

	memcpy(&word, bytes, MIN(have, sizeof(word)));
	return word;
}

/* MOV to or from a control register; its GPR goes into the exit */
static u8 length_cr(struct vcpu *v, const u8 *bytes, size_t have)
{
	struct vcpu_exit *e = &v->hw.exit;
	struct insn insn;

	if (insn_decode(&insn, bytes, have, insn_mode(vcpu_regs(v))) ||
	    insn.map != MAP_0F || insn.opcode != (e->cr.write ? 0x22 : 0x20))
		return 0;
	e->cr.gpr = insn.rm;
	return insn.len;
}

/* With prefixes, or across a page */
static u8 length_slow(struct vcpu *v, enum exit_kind kind)
{
	u8 bytes[INSN_MAX];
	size_t have = gmem_fetch(v, bytes, sizeof(bytes));
	bool bits64 = vcpu_hw_long_mode(vcpu_regs(v));
	size_t at = insn_prefix_length(bytes, have, bits64);
	u8 len =
		opcode_match(kind, load_word(bytes + at, have - at), have - at);

	if (len)
		return (u8)(at + len);
	return kind == EXIT_CR ? length_cr(v, bytes, have) : 0;
}

static u8 length_walk(struct vcpu *v, enum exit_kind kind)
{
	const struct opcode *o = &opcodes[kind][0];
	u64 left;
	const u8 *code = gmem_code(v, &left);
	u32 word;

	if (code && left >= sizeof(word)) {
		word = *(const volatile u32 *)(const volatile void *)code;
		if (o->len && (word & o->mask) == o->match)
			return o->len;
	}
	return length_slow(v, kind);
}

u8 insn_exit_length(struct vcpu *v, enum exit_kind kind)
{
	const struct opcode *o = &opcodes[kind][0];
	const u8 *code = gmem_code_again(v);
	u32 word;

	if (unlikely(!code ||
		     ((u64)code & PAGE_MASK) > PAGE_SIZE - sizeof(word)))
		return length_walk(v, kind);
	word = *(const volatile u32 *)(const volatile void *)code;
	if (unlikely((word & o->mask) != o->match || !o->len))
		return length_walk(v, kind);
	return o->len;
}
