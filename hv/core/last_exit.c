/* SPDX-License-Identifier: BSD-2-Clause */
/* See last_exit.h. The ring is the vCPU's own memory: a note allocates nothing
 * and cannot fail. */
#include "hv/core/last_exit.h"

#include "arch/x86/machine/tsc.h"
#include "hv/core/exit.h"
#include "lib/last_exit_text.h"
#include "lib/log.h"
#include "lib/string.h"

static_assert(!(BH_CTL_LAST_EXITS & (BH_CTL_LAST_EXITS - 1)),
	      "an index is a mask, and goes on when the count wraps");
static_assert(BH_CTL_LAST_EXIT_KINDS == sizeof(u64), "vcpu_last.kinds");

/* The kind as the text wants it */
static const char *name_of(u32 kind)
{
	return exit_name((enum exit_kind)kind);
}

static struct bh_ctl_last_exit *record_at(struct vcpu *v, u32 n)
{
	return &v->last.exit[n % BH_CTL_LAST_EXITS];
}

/* --- what it asked for --- */

static void port_note(struct bh_ctl_last_exit *r, const struct vcpu *v)
{
	const struct vcpu_exit *e = &v->hw.exit;

	r->what = BH_CTL_LAST_PORT;
	r->where = e->port.port;
	r->size = e->port.size;
	r->flags = (u16)((e->port.in ? BH_CTL_LAST_READS : 0) |
			 (e->port.string ? BH_CTL_LAST_STRING : 0));
	if (!r->flags)
		r->value = v->hw.regs.gpr[GPR_RAX] &
			   (~0u >> ((0 - 8u * e->port.size) & 31));
}

static void memory_note(struct bh_ctl_last_exit *r, const struct vcpu_exit *e)
{
	r->what = BH_CTL_LAST_MEMORY;
	r->where = e->mmio.gpa.v;
	if (!(e->mmio.access & ACCESS_W))
		r->flags = BH_CTL_LAST_READS;
	if ((e->mmio.access & ACCESS_X) && !e->mmio.walk)
		r->flags |= BH_CTL_LAST_FETCHES;
}

static void msr_note(struct bh_ctl_last_exit *r, const struct vcpu *v)
{
	const u64 *gpr = v->hw.regs.gpr;

	r->what = BH_CTL_LAST_MSR;
	r->where = (u32)gpr[GPR_RCX];
	if (v->hw.exit.kind == EXIT_RDMSR)
		r->flags = BH_CTL_LAST_READS;
	else
		r->value = gpr[GPR_RDX] << 32 | (u32)gpr[GPR_RAX];
}

/* RSP is in no exit's registers unless somebody asks */
static void cr_note(struct bh_ctl_last_exit *r, const struct vcpu *v)
{
	const struct vcpu_exit *e = &v->hw.exit;

	r->what = BH_CTL_LAST_CR;
	r->where = e->cr.cr;
	if (!e->cr.write)
		r->flags = BH_CTL_LAST_READS;
	else if (e->cr.gpr < GPR_COUNT && e->cr.gpr != GPR_RSP)
		r->value = v->hw.regs.gpr[e->cr.gpr];
	else
		r->flags = BH_CTL_LAST_NO_VALUE;
}

static void exception_note(struct bh_ctl_last_exit *r,
			   const struct vcpu_exit *e)
{
	r->what = BH_CTL_LAST_EXCEPTION;
	r->where = e->exception.vector;
	r->value = e->exception.error;
	if (!e->exception.has_error)
		r->flags = BH_CTL_LAST_NO_VALUE;
}

/* A leaf or a number, and what belongs to it */
static void call_note(struct bh_ctl_last_exit *r, const struct vcpu *v)
{
	r->what = BH_CTL_LAST_CALL;
	r->where = v->hw.regs.gpr[GPR_RAX];
	r->value = v->hw.regs.gpr[GPR_RCX];
}

static void what_note(struct bh_ctl_last_exit *r, const struct vcpu *v)
{
	switch (v->hw.exit.kind) {
	case EXIT_PORT:
		port_note(r, v);
		break;
	case EXIT_MMIO:
		memory_note(r, &v->hw.exit);
		break;
	case EXIT_RDMSR:
	case EXIT_WRMSR:
		msr_note(r, v);
		break;
	case EXIT_CR:
		cr_note(r, v);
		break;
	case EXIT_EXCEPTION:
		exception_note(r, &v->hw.exit);
		break;
	case EXIT_CPUID:
	case EXIT_HYPERCALL:
		call_note(r, v);
		break;
	default:
		break;
	}
}

/* --- the ring --- */

static bool is_place(const struct bh_ctl_last_exit *r, const struct vcpu *v)
{
	return r->rip == v->hw.regs.rip && r->kind == v->hw.exit.kind;
}

/* One of the newest that is the same place, or the oldest, emptied */
static u32 choose(struct vcpu *v)
{
	u32 end = v->last.count, near = MIN(end, LAST_EXITS_NEAR);

	for (u32 n = end; n != end - near; n--)
		if (is_place(record_at(v, n - 1), v))
			return n - 1;
	*record_at(v, end) = (struct bh_ctl_last_exit){ 0 };
	v->last.count++;
	return end;
}

void last_exit_note(struct vcpu *v)
{
	u32 n = choose(v);
	struct bh_ctl_last_exit *r = record_at(v, n);
	u32 times = r->times + 1;

	*r = (struct bh_ctl_last_exit){
		.tsc = rdtsc(),
		.rip = v->hw.regs.rip,
		.reason = v->hw.exit.raw_reason,
		.kind = (u16)v->hw.exit.kind,
		.times = times,
	};
	what_note(r, v);
	v->last.newest = n;
}

void last_exit_raised(struct vcpu *v)
{
	if (v->last.count && v->pending.type >= EVENT_EXCEPTION &&
	    v->pending.type != EVENT_SHUTDOWN)
		record_at(v, v->last.newest)->raised =
			(u16)(1 + v->pending.vector);
}

void last_exit_final(struct vcpu *v)
{
	if (!v->last.count || !is_place(record_at(v, v->last.newest), v))
		last_exit_note(v);
}

void last_exit_forget(struct vcpu *v)
{
	memset(&v->last, 0, sizeof(v->last));
}

/* --- for a look --- */

u64 last_exit_when(const struct vcpu *v)
{
	const struct vcpu_last *l = &v->last;

	return l->count ? l->exit[l->newest % BH_CTL_LAST_EXITS].tsc : 0;
}

/* By time: a place that comes again is newer than its neighbours */
static void insert(struct bh_ctl_last_exits *to,
		   const struct bh_ctl_last_exit *r)
{
	u32 i = to->count++;

	for (; i && to->exit[i - 1].tsc > r->tsc; i--)
		to->exit[i] = to->exit[i - 1];
	to->exit[i] = *r;
}

void last_exit_copy(const struct vcpu *v, struct bh_ctl_last_exits *to)
{
	u32 count = MIN(v->last.count, (u32)BH_CTL_LAST_EXITS);

	memset(to, 0, sizeof(*to));
	memcpy(to->kinds, &v->last.kinds, sizeof(to->kinds));
	for (u32 i = 0; i < count; i++)
		insert(to, &v->last.exit[i]);
}

static void log_kinds(const struct vcpu *v, const struct bh_ctl_last_exits *l)
{
	char text[LAST_EXIT_KINDS_BYTES];

	if (last_exit_kinds_text(text, sizeof(text), l, name_of))
		log_error("exits", "vCPU %u, its last ones, newest first: %s",
			  v->id, text);
}

void last_exit_log(const struct vcpu *v, void (*rest)(void))
{
	struct bh_ctl_last_exits l;
	char text[LAST_EXIT_TEXT_BYTES];

	last_exit_copy(v, &l);
	log_kinds(v, &l);
	for (u32 i = 0; i < l.count; i++) {
		u64 us = tsc_to_ns(l.exit[i].tsc - tsc_boot) / NS_PER_US;

		last_exit_text(text, sizeof(text), &l.exit[i],
			       name_of(l.exit[i].kind));
		log_error("exits", "[%llu.%06llu] %s", us / 1000000,
			  us % 1000000, text);
		if (i % 8 == 7)
			rest();
	}
}
