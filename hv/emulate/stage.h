/* SPDX-License-Identifier: BSD-2-Clause */
/* Private to hv/emulate/: an FPU state on its way between a vCPU and a device,
 * in pieces; see stage.c. On the vCPU's home core, attached. */
#ifndef HV_EMULATE_STAGE_H
#define HV_EMULATE_STAGE_H

#include "hv/emulate/priv.h"

#define XSAVE_ALIGN 64u
#define AREA_MOST   2752u /* bytes; with all that is offered, 2696 */
#define STAGE_MASKS ((AREA_MOST / 8u + 63u) / 64u)

/* As XSAVE's legacy region and header have it (SDM 1 13.4) */
union emu_area {
	u64 words[AREA_MOST / sizeof(u64)];
	struct {
		u64 legacy[64];
		u64 xstate_bv, xcomp_bv;
	};
};

struct emu_stage {
	struct vcpu *owner; /* atomic; NULL: nobody */
	struct emu m;
	struct emu_span span;  /* of the area in the guest's memory, */
	u16 bytes;             /* which has no more than that; all of it */
	u64 todo[STAGE_MASKS]; /* a bit for each word still to be moved */
	/* A load: what is done with it. NULL: it is a store. */
	int (*finish)(struct emu_stage *s);
	union emu_area area __aligned(XSAVE_ALIGN);
};

/* The VM's stage, its area zero and nothing marked. NULL: another vCPU has it,
 * and the guest tries again. Given back by move or drop. */
struct emu_stage *emu_stage_take(struct emu *m);
/* Returns @result */
int emu_stage_drop(struct emu_stage *s, int result);
/* Bytes [@from, @to) of the area are to be moved; multiples of 8 */
void emu_stage_mark(struct emu_stage *s, u32 from, u32 to);
/* Load what is marked, then @finish; or store it, with NULL. Returns what
 * finish does, or EMU_OK; or EMU_LATER: VE_INSN goes on with it. */
int emu_stage_move(struct emu_stage *s, const struct emu *m,
		   int (*finish)(struct emu_stage *s));

#endif
