/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tables for split pages, see split.h. The books are a ring of the 2 MiB that
 * were split, oldest first. A table goes back in three steps, which whoever
 * faults next goes on with:
 *
 *   1. take:  BATCH of the oldest are large leaves again (pt_merge()). Their
 *             tables are `out`: CPUs may still have pointers to them cached.
 *   2. tell:  each vCPU gets VE_FLUSH. One that is in the guest is kicked.
 *   3. free:  a vCPU has let go when it has taken VE_FLUSH, or is not in the
 *             guest: then it takes it before it is again. When all have, the
 *             tables are free.
 *
 * Nothing uses a guest's cached translations but the guest itself on a core of
 * its vCPUs, and the back-end's walk (store_pdptes()) within an entry. So a
 * vCPU that is blocked, or whose core has another's, keeps nobody waiting.
 *
 * Why there is no livelock: a page that was split goes back behind all that
 * were split before it. An instruction may lie on two pages. Whoever split one
 * executes from it in the next entry, long before others have split
 * SPLIT_TABLES_MIN less BATCH more, each in an exit of its own and under the
 * lock.
 *
 * What somebody has unmapped a part of (a trap's page) is no longer as it was
 * split. It leaves the ring and keeps its table, as though it had been split
 * for that.
 */
#include "hv/core/split.h"

#include "arch/x86/machine/smp.h"
#include "hv/core/vcpu.h"
#include "lib/errno.h"
#include "mm/pool_size.h"

static_assert(SPLIT_TABLES_MIN(1) > 2 * VM_SPLIT_BATCH,
	      "what was just split does not go back at once");

static u64 shared_tables, shared_pages;

void split_share(u64 tables, u64 ram_bytes)
{
	shared_tables = tables;
	shared_pages = ram_bytes / PAGE_2M;
}

static u64 large_pages(const struct vm *vm)
{
	u64 pages = 0;

	for (u32 i = 0; i < vm->slot_count; i++)
		pages += vm->slots[i].size / PAGE_2M;
	return pages;
}

u32 split_most(const struct vm *vm)
{
	u64 pages = large_pages(vm), most = SPLIT_TABLES_MIN(vm->vcpu_count);

	if (shared_pages)
		most += shared_tables * pages / shared_pages;
	return (u32)MAX(MIN(most, pages), 2ull);
}

u64 split_pages(const struct vm *vm)
{
	u64 pages = vm->npt.split_exec ? split_most(vm) : 0;

	for (u32 i = 0; vm->npt.split_exec && i < vm->slot_count; i++)
		pages += vm->slots[i].size / PAGE_1G;
	return pages;
}

int split_create(struct vm *vm)
{
	struct vm_split *s = &vm->split;

	if (!vm->npt.split_exec)
		return 0;
	s->most = split_most(vm);
	s->ring = kmem_alloc(&vm->budget, s->most * sizeof(*s->ring));
	return s->ring ? 0 : -ENOMEM;
}

static void free_out(struct vm *vm)
{
	struct vm_split *s = &vm->split;

	while (s->out_count)
		pmm_free(vm->npt.budget, s->out[--s->out_count], 0);
}

void split_destroy(struct vm *vm)
{
	struct vm_split *s = &vm->split;

	free_out(vm);
	kmem_free(&vm->budget, s->ring, s->most * sizeof(*s->ring));
	s->ring = NULL;
	s->used = 0;
}

static void ring_add(struct vm_split *s, u64 gpa)
{
	s->ring[(s->oldest + s->used++) % s->most] = (u32)(gpa / PAGE_2M);
}

static u64 ring_take(struct vm_split *s)
{
	u64 gpa = s->ring[s->oldest] * (u64)PAGE_2M;

	s->oldest = (s->oldest + 1) % s->most;
	s->used--;
	return gpa;
}

/* One that has few gives back fewer, so that some stay */
static u32 batch(const struct vm_split *s)
{
	return MAX(MIN(s->most / 4, VM_SPLIT_BATCH), 1u);
}

static void take(struct vm *vm)
{
	struct vm_split *s = &vm->split;

	for (u32 i = batch(s); i && s->used; i--) {
		void *table = pt_merge(&vm->npt, ring_take(s));

		if (table)
			s->out[s->out_count++] = table;
	}
	s->told = s->let_go = 0;
}

/* In the guest, or about to be without another look at its events */
static bool is_in_guest(const struct vcpu *v)
{
	const struct pcpu *cpu = v->entity.cpu;

	return READ_ONCE(cpu->in_guest) && READ_ONCE(cpu->current) == v;
}

/* As vcpu_post(), but one that waits may go on waiting */
static void tell(struct vcpu *v)
{
	__atomic_fetch_or(&v->events, (u32)VE_FLUSH, __ATOMIC_SEQ_CST);
	if (is_in_guest(v))
		pcpu_kick(v->entity.cpu, 0);
}

static bool has_let_go(const struct vcpu *v)
{
	return !(__atomic_load_n(&v->events, __ATOMIC_SEQ_CST) & VE_FLUSH) ||
	       !is_in_guest(v);
}

/* A piece of steps 2 and 3 */
static void go_on(struct vm *vm)
{
	struct vm_split *s = &vm->split;
	u32 end = MIN(s->told + VM_FAN, vm->vcpu_count);

	while (s->told < end)
		tell(vm->vcpus[s->told++]);
	end = MIN(s->let_go + VM_FAN, s->told);
	while (s->let_go < end && has_let_go(vm->vcpus[s->let_go]))
		s->let_go++;
	if (s->let_go == vm->vcpu_count)
		free_out(vm);
}

/* No table may be taken as things are. 0: one may be, now or later */
static int make_room(struct vm *vm)
{
	struct vm_split *s = &vm->split;

	if (!s->out_count && !s->used)
		return -ENOMEM;
	if (!s->out_count)
		take(vm);
	if (s->out_count)
		go_on(vm);
	return 0;
}

/* Lock held */
static int fetch(struct vm *vm, u64 gpa)
{
	struct vm_split *s = &vm->split;
	int err = pt_exec(&vm->npt, gpa, s->used + s->out_count < s->most);

	if (err == 1)
		ring_add(s, gpa);
	if (err == -EAGAIN || err == -ENOMEM)
		return make_room(vm);
	return MIN(err, 0);
}

int split_fetch(struct vm *vm, gpa_t gpa)
{
	int err;

	if (!vm->npt.split_exec)
		return -ENOENT;
	spin_lock(&vm->npt_lock);
	err = fetch(vm, gpa.v);
	spin_unlock(&vm->npt_lock);
	return err;
}
