/* SPDX-License-Identifier: BSD-2-Clause */
/* Between the files of the decoder: hv/emulate/insn.c (prefixes, opcodes,
 * immediates), insn_modrm.c (memory operands) and insn_vex.c */
#ifndef HV_EMULATE_INSN_PRIV_H
#define HV_EMULATE_INSN_PRIV_H

#include "hv/emulate/insn.h"

struct cursor {
	const u8 *bytes;
	size_t have, at;
	int err;
	enum insn_mode mode;
};

/* The next @n bytes, 0 to 8, as a number; 0 once c->err is set */
u64 insn_take(struct cursor *c, u32 n);
s64 insn_take_signed(struct cursor *c, u32 n);

/* A letter an opcode of the one-byte map: what follows it, see insn.c */
extern const char insn_map_one[257];

/* ModRM and what belongs to it */
void insn_decode_modrm(struct insn *insn, struct cursor *c);

/* Do C5, C4, 62 or 8F start VEX, EVEX or XOP here (SDM 2A 2.3, 2.7)? */
bool insn_starts_vex(const struct insn *insn, const struct cursor *c);
/* The rest of the prefix and the opcode; the letter of what follows it */
char insn_decode_vex(struct insn *insn, struct cursor *c);

#endif
