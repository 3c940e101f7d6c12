/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * FXSAVE, XSAVE, FNSAVE and what restores them where the area is not in RAM: up
 * to 337 accesses of a device, each of which may take a microsecond or two.
 * They are made in pieces (hv/core/piece.h), between which the core looks at
 * its timer and its queue. For the guest it is one instruction: VE_INSN keeps
 * the vCPU from its next one, and from all events, until the last piece.
 *
 * What is moved is kept in the VM's one stage. Another vCPU that needs it
 * meanwhile runs into its instruction again. The stage's owner is atomic, the
 * rest the owner's; no locks.
 */
#include "hv/emulate/stage.h"
#include "hv/core/piece.h"
#include "hv/emulate/priv.h"
#include "lib/errno.h"
#include "lib/string.h"

static_assert(sizeof(struct emu_stage) <= PAGE_SIZE, "it has a page");

int emulate_create(struct vm *vm)
{
	vm->stage = pmm_alloc(&vm->budget, 0);
	return vm->stage ? 0 : -ENOMEM;
}

void emulate_destroy(struct vm *vm)
{
	pmm_free(&vm->budget, vm->stage, 0);
	vm->stage = NULL;
}

static void give_back(struct emu_stage *s)
{
	__atomic_store_n(&s->owner, NULL, __ATOMIC_RELEASE);
}

void emulate_reset(struct vcpu *v)
{
	struct emu_stage *s = v->vm->stage;

	if (s && __atomic_load_n(&s->owner, __ATOMIC_RELAXED) == v)
		give_back(s);
}

struct emu_stage *emu_stage_take(struct emu *m)
{
	struct emu_stage *s = m->v->vm->stage;
	struct vcpu *nobody = NULL;

	if (!__atomic_compare_exchange_n(&s->owner, &nobody, m->v, false,
					 __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
		return NULL;
	memset(s->todo, 0, sizeof(s->todo));
	memset(&s->area, 0, sizeof(s->area));
	s->finish = NULL;
	s->bytes = sizeof(s->area);
	return s;
}

int emu_stage_drop(struct emu_stage *s, int result)
{
	give_back(s);
	return result;
}

void emu_stage_mark(struct emu_stage *s, u32 from, u32 to)
{
	for (u32 w = from / sizeof(u64); w < to / sizeof(u64); w++)
		s->todo[w / 64] |= BIT(w % 64);
}

static void move_word(struct emu_stage *s, u32 w)
{
	u16 at = (u16)(w * sizeof(u64));
	u16 size = MIN((u16)sizeof(u64), (u16)(s->bytes - at));

	if (s->finish)
		emu_load_piece(&s->m, &s->span, at, size, &s->area.words[w]);
	else
		emu_store_piece(&s->m, &s->span, at, size, &s->area.words[w]);
}

/* The first word that is still to be moved; ~0: none */
static u32 next_word(const struct emu_stage *s)
{
	for (u32 i = 0; i < STAGE_MASKS; i++)
		if (s->todo[i])
			return i * 64 + (u32)__builtin_ctzll(s->todo[i]);
	return ~0u;
}

/* True: all that was marked has been moved */
static bool move_piece(struct emu_stage *s)
{
	struct piece piece = piece_begin();
	u32 w = next_word(s);

	while (w != ~0u) {
		move_word(s, w);
		s->todo[w / 64] &= ~BIT(w % 64);
		w = next_word(s);
		if (piece_over(&piece))
			break;
	}
	return w == ~0u;
}

static int go_on(struct emu_stage *s)
{
	if (!move_piece(s))
		return EMU_LATER;
	return emu_stage_drop(s, s->finish ? s->finish(s) : EMU_OK);
}

int emu_stage_move(struct emu_stage *s, const struct emu *m,
		   int (*finish)(struct emu_stage *s))
{
	s->m = *m;
	s->finish = finish;
	return go_on(s);
}

bool emulate_go_on(struct vcpu *v, enum verdict *verdict)
{
	struct emu_stage *s = v->vm->stage;
	int result;

	*verdict = VERDICT_RESUME;
	if (!s || __atomic_load_n(&s->owner, __ATOMIC_RELAXED) != v)
		return true;
	vcpu_need(v, RG_RIP);
	result = go_on(s);
	if (result == EMU_LATER)
		return false;
	*verdict = emu_verdict(v, result);
	return true;
}
