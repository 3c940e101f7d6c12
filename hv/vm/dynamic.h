/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Dynamic guests: made, started, ended and destroyed by the privileged guest,
 * through the control device (docs/lifecycle.md has the states). Their memory
 * is the pool's (pool.h). All long work on a guest is its boot vCPU's, in its
 * turns and in pieces (work.h).
 *
 * Unless a comment says otherwise: any core, in a vCPU's exit, no lock of the
 * guest's held; one caller at a time. A guest is named by its id, which is
 * never another's. What was done is 0 or a negative enum bh_ctl_error with a
 * sentence in @why.
 */
#ifndef HV_VM_DYNAMIC_H
#define HV_VM_DYNAMIC_H

#include "hv/core/vm.h"
#include "hv/manifest/manifest.h"
#include "include/bulkhead/control.h"

#define DYNAMIC_RANGES  64u
#define DYNAMIC_WHY_LEN ((u32)MANIFEST_SENTENCE_LEN)

struct dynamic_why {
	char text[DYNAMIC_WHY_LEN];
};

/* The guest whose vm_number() is @id; NULL: there is none, or none any more.
 * For static guests, too. As good as what vm_at() gives. */
struct vm *vm_numbered(u64 id);
enum bh_ctl_state dynamic_state(const struct vm *vm);
/* Is its memory granted to the privileged guest, or some of it? */
bool dynamic_is_granted(const struct vm *vm);

/* Begins to make a guest of @text, @len bytes of a definition, with @ranges of
 * the pool. 0: dynamic_create_step() follows, or dynamic_create_abandon(). */
s32 dynamic_create(const char *text, u32 len, const struct bh_ctl_range *ranges,
		   u32 count, struct dynamic_why *why);
/* Some microseconds of it. DYNAMIC_GOES_ON: there is more. 0: it is there, as
 * *@id, and is BUILDING: its memory is being granted, and what @tag says is
 * answered when it is DEFINED. An error: nothing of it is left. */
#define DYNAMIC_GOES_ON 1
s32 dynamic_create_step(u32 tag, u64 *id, struct dynamic_why *why);
/* Who wanted the guest has gone. What there is of it is taken apart, in pieces
 * and later; until then dynamic_create() is refused. If none is being made it
 * does nothing. */
void dynamic_create_abandon(void);
/* Answered when its code runs, or cannot */
s32 dynamic_start(u64 id, const struct bh_ctl_file *files, u32 count, u32 tag,
		  struct dynamic_why *why);
/* 1: done, and there is no answer to come */
s32 dynamic_end(u64 id, enum bh_ctl_end how, u32 tag, struct dynamic_why *why);

/* Of static guests, too. Answered when no vCPU runs. */
s32 dynamic_pause(u64 id, u32 tag, struct dynamic_why *why);
/* Done at once: 1 */
s32 dynamic_resume(u64 id, struct dynamic_why *why);

/* What has happened meanwhile: an answer (with its tag) or another state, as
 * struct bh_ctl_event has it, and the answer's sentence. False: nothing more.
 * The oldest first. *@lost: some was lost, for want of room. */
bool dynamic_news(struct bh_ctl_event *event, struct dynamic_why *why,
		  bool *lost);
/* @fn is called when there is news, on any core, with locks held. Boot CPU. */
void dynamic_on_news(void (*fn)(void));
/* There is nobody any more whom an answer would reach */
void dynamic_forget_news(void);

/* --- for hv/vm/ --- */

struct vm_order; /* create.h */

/* @vm is being made by @order: its struct dynamic, its config. -ENOMEM. */
int __must_check dynamic_attach(struct vm *vm, const struct vm_order *order);
void dynamic_detach(struct vm *vm);
/* memory.c: its ranges, and how many; from the pool, VM_GOES_ON or what
 * pool_take() says; to the pool, true: all of it. Some of it in a call. */
u32 dynamic_ranges(const struct vm *vm, const struct bh_ctl_range **ranges);
int __must_check dynamic_take_memory(struct vm *vm);
bool __must_check dynamic_give_memory_back(struct vm *vm);
/* life.c: all its vCPUs are parked; its RAM is zero again. Work.c: pieces of a
 * grant and its end, and of one for as long as it runs, if share = memory; the
 * first instruction comes. */
void dynamic_ended(struct vm *vm);
void dynamic_scrubbed(struct vm *vm);
bool dynamic_grant_begun(const struct vm *vm);
bool dynamic_grant_step(struct vm *vm);
bool dynamic_revoke_step(struct vm *vm);
bool dynamic_share_step(struct vm *vm);
bool dynamic_is_clean(const struct vm *vm);
void dynamic_cleaned(struct vm *vm);
void dynamic_granted(struct vm *vm);
void dynamic_runs(struct vm *vm);
/* pause.c: all its vCPUs stand. Any core. */
void dynamic_paused(struct vm *vm);

#endif
