/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * EXIT_TASK_SWITCH: a task switch through a TSS, which VMX leaves to software
 * (SDM 3C 26.4.2 *Treatment of Task Switches*). SVM's CPUs do it themselves,
 * but for an IRET that must be watched (arch/x86/svm/event.c). Home core.
 *
 * The steps are those of SDM 3A 8.3 *Task Switching*. Steps 1 to 5 check; a
 * fault there is the old task's and leaves nothing changed. Steps 6 to 12
 * cannot fail but for the new CR3. A fault in step 13 is the new task's. The
 * CPU has checked privileges, and that this is not long mode. Both TSSs are
 * private copies.
 */
#include "hv/core/exit.h"
#include "hv/core/gmem.h"
#include "hv/core/regs.h"
#include "hv/core/retire.h"
#include "hv/emulate/emulate.h"
#include "hv/emulate/insn.h"
#include "hv/emulate/task.h"
#include "hv/policy/cr.h"
#include "include/hw/cpu.h"
#include "lib/errno.h"
#include "lib/string.h"

#define TSS_GPRS       8u
#define EXT            1u
#define EFLAGS_DEFINED (BITS(21, 16) | BITS(14, 6) | BIT(4) | BIT(2) | BIT(0))

/* Offsets in a TSS; its GPRs and segments lie in the order of their enums */
struct tss_layout {
	u8 width; /* of a field; the back link at 0 is always 2 */
	u8 bytes, ip, flags, gpr, seg, segs, ldt;
};

static const struct tss_layout layouts[2] = {
	{ 2, sizeof(struct tss16), offsetof(struct tss16, ip),
	  offsetof(struct tss16, flags), offsetof(struct tss16, gpr),
	  offsetof(struct tss16, seg), 4, offsetof(struct tss16, ldt) },
	{ 4, sizeof(struct tss32), offsetof(struct tss32, eip),
	  offsetof(struct tss32, eflags), offsetof(struct tss32, gpr),
	  offsetof(struct tss32, seg), 6, offsetof(struct tss32, ldt) },
};

struct task_tss {
	const struct tss_layout *layout;
	struct task_span span;
	u8 image[sizeof(struct tss32)];
};

struct task_switch {
	struct vcpu *v;
	struct vcpu_regs *r;
	enum task_source source;
	struct vcpu_event event; /* what a gate was taken for */
	u32 ext;                 /* EXT of error codes */
	u32 len;                 /* of the instruction, 0: none */
	struct task_tss old, new;
	struct segment tr; /* of the new task */
	struct task_span old_desc, new_desc;
	u8 old_raw[DESC_BYTES], new_raw[DESC_BYTES];
};

static u32 tss_get(const struct task_tss *t, u32 at)
{
	u32 value = 0;

	memcpy(&value, t->image + at, t->layout->width);
	return value;
}

static void tss_set(struct task_tss *t, u32 at, u32 value, u32 bytes)
{
	memcpy(t->image + at, &value, bytes);
}

static int fault(const struct task_switch *s, u8 vector, u16 sel)
{
	vcpu_raise_exception(s->v, vector, true, SEL_ERROR(sel) | s->ext);
	return -EFAULT;
}

static bool is_software(enum event_type type)
{
	return type >= EVENT_SOFT_INT;
}

/* Length of what caused it: only an instruction's counts */
static u32 insn_bytes(struct vcpu *v, const struct vcpu_exit *e)
{
	u8 bytes[INSN_MAX];
	size_t have;

	if (e->task.source == TASK_GATE && !is_software(e->vectoring.type))
		return 0;
	if (e->task.insn_len)
		return e->task.insn_len;
	have = gmem_fetch(v, bytes, sizeof(bytes));
	return insn_length(bytes, have, insn_mode(vcpu_regs(v)));
}

static int read_old_tss(struct task_switch *s)
{
	const struct segment *tr = &s->r->seg[SEG_TR];
	int err;

	s->old.layout = &layouts[!!(tr->attr & SEG_ATTR_WIDE)];
	if (tr->limit < s->old.layout->bytes - 1u)
		return fault(s, EXC_TS, tr->sel);
	err = task_resolve(s->v, tr->base, s->old.layout->bytes, ACCESS_W,
			   &s->old.span);
	return err ? err : task_read(s->v, &s->old.span, s->old.image);
}

/* Steps 3 and 4: present, large enough, and busy only for an IRET */
static int check_new_descriptor(struct task_switch *s, u16 sel)
{
	bool iret = s->source == TASK_IRET;
	u8 wrong = iret ? EXC_TS : EXC_GP;
	u32 type = s->tr.attr & SEG_ATTR_TYPE & ~SEG_ATTR_WIDE;

	if ((s->tr.attr & SEG_ATTR_S) ||
	    type != (iret ? DESC_TYPE_TSS16 | SEG_ATTR_BUSY : DESC_TYPE_TSS16))
		return fault(s, wrong, sel);
	if (!(s->tr.attr & SEG_ATTR_P))
		return fault(s, EXC_NP, sel);
	s->new.layout = &layouts[!!(s->tr.attr & SEG_ATTR_WIDE)];
	if (s->tr.limit < s->new.layout->bytes - 1u)
		return fault(s, EXC_TS, sel);
	return 0;
}

static int find_new_tss(struct task_switch *s, u16 sel)
{
	int err = -ENOENT;

	if (!(sel & SEL_TI) && SEL_ERROR(sel))
		err = task_descriptor(s->v, sel, &s->new_desc, s->new_raw);
	if (err == -ENOENT)
		return fault(s, s->source == TASK_IRET ? EXC_TS : EXC_GP, sel);
	if (err)
		return err;
	s->tr = task_segment(sel, s->new_raw);
	return check_new_descriptor(s, sel);
}

static bool nests(const struct task_switch *s)
{
	return s->source == TASK_CALL || s->source == TASK_GATE;
}

/* A nested task has the link back written into its TSS. All but IRET write its
 * descriptor: the task was not busy. */
static int read_new_tss(struct task_switch *s)
{
	int err = task_resolve(s->v, s->tr.base, s->new.layout->bytes,
			       nests(s) ? ACCESS_W : ACCESS_R, &s->new.span);

	if (!err && s->source != TASK_IRET)
		err = task_resolve_write(s->v, &s->new_desc);
	return err ? err : task_read(s->v, &s->new.span, s->new.image);
}

/* The old task's descriptor, whose busy bit goes with JMP and IRET */
static int read_old_descriptor(struct task_switch *s)
{
	u64 at = s->r->gdtr.base + SEL_INDEX(s->r->seg[SEG_TR].sel);
	int err = task_resolve(s->v, at, DESC_BYTES,
			       nests(s) ? ACCESS_R : ACCESS_W, &s->old_desc);

	return err ? err : task_read(s->v, &s->old_desc, s->old_raw);
}

/* Steps 1 to 5. @sel: of the new TSS; an IRET finds it in the old one */
static int task_check(struct task_switch *s, u16 sel)
{
	int err = read_old_tss(s);

	if (err)
		return err;
	if (s->source == TASK_IRET)
		sel = (u16)(s->old.image[0] | s->old.image[1] << 8);
	err = find_new_tss(s, sel);
	if (err)
		return err;
	err = read_new_tss(s);
	return err ? err : read_old_descriptor(s);
}

static bool is_fault(const struct vcpu_event *e)
{
	return e->type == EVENT_EXCEPTION && e->vector != EXC_DB &&
	       e->vector != EXC_DF && e->vector != EXC_MC;
}

/* Steps 6 to 8 */
static int save_old(struct task_switch *s)
{
	const struct tss_layout *l = s->old.layout;
	struct vcpu_regs *r = s->r;
	u64 flags = r->rflags;
	u32 i;

	if (s->source == TASK_IRET)
		flags &= ~RFLAGS_NT;
	if (is_fault(&s->event))
		flags |= RFLAGS_RF; /* SDM 3B 18.3.1.1 */
	tss_set(&s->old, l->ip, (u32)r->rip + s->len, l->width);
	tss_set(&s->old, l->flags, (u32)flags, l->width);
	for (i = 0; i < TSS_GPRS; i++)
		tss_set(&s->old, l->gpr + i * l->width, (u32)r->gpr[i],
			l->width);
	for (i = 0; i < l->segs; i++)
		tss_set(&s->old, l->seg + i * l->width, r->seg[i].sel, 2);
	if (!nests(s)) {
		s->old_raw[DESC_TYPE_BYTE] &= (u8)~DESC_BUSY;
		if (task_write(s->v, &s->old_desc, s->old_raw))
			return -EINVAL;
	}
	return task_write(s->v, &s->old.span, s->old.image);
}

/* Steps 9 and 10: the link back, and the busy bit */
static int mark_new(struct task_switch *s)
{
	int err = 0;

	if (nests(s)) {
		tss_set(&s->new, 0, s->r->seg[SEG_TR].sel, 2);
		err = task_write(s->v, &s->new.span, s->new.image);
	}
	if (err || s->source == TASK_IRET)
		return err;
	s->new_raw[DESC_TYPE_BYTE] |= DESC_BUSY;
	return task_write(s->v, &s->new_desc, s->new_raw);
}

static u64 new_flags(const struct task_switch *s)
{
	u64 flags = tss_get(&s->new, s->new.layout->flags) & EFLAGS_DEFINED;

	if (nests(s))
		flags |= RFLAGS_NT;
	return flags | RFLAGS_FIXED;
}

static void load_registers(struct task_switch *s)
{
	const struct tss_layout *l = s->new.layout;
	struct vcpu_regs *r = s->r;
	u32 i;

	r->rip = tss_get(&s->new, l->ip);
	r->rflags = new_flags(s);
	for (i = 0; i < TSS_GPRS; i++)
		r->gpr[i] = tss_get(&s->new, l->gpr + i * l->width);
	for (i = SEG_ES; i <= SEG_GS; i++)
		r->seg[i].sel =
			i < l->segs
				? (u16)tss_get(&s->new, l->seg + i * l->width)
				: 0;
	r->seg[SEG_LDTR].sel = (u16)tss_get(&s->new, l->ldt);
	task_forget_segments(s->v);
}

/* Steps 11 and 12; interrupt shadows end, and an IRET unblocks NMIs */
static void load_new(struct task_switch *s)
{
	struct vcpu_regs *r = s->r;

	load_registers(s);
	s->tr.attr |= SEG_ATTR_BUSY;
	r->seg[SEG_TR] = s->tr;
	r->cr0 |= CR0_TS;
	r->dr[7] &= ~DR7_LOCAL;
	r->shadow &= (u8)~AFTER_SHADOW;
	if (s->source == TASK_IRET)
		r->shadow &= (u8)~SHADOW_NMI;
	if (s->event.type == EVENT_NMI)
		r->shadow |= SHADOW_NMI;
	vcpu_dirty(s->v, RG_RIP | RG_RSP | RG_CR | RG_SEG | RG_DR);
}

static int load_cr3(struct task_switch *s)
{
	struct vcpu_regs *r = s->r;
	u64 cr3 = 0;

	if (s->new.layout->width != 4 || !(r->cr0 & CR0_PG))
		return 0;
	memcpy(&cr3, s->new.image + offsetof(struct tss32, cr3), 4);
	if (cr3_load(s->v, cr3)) {
		vcpu_raise_gp(s->v);
		return -EFAULT;
	}
	return 0;
}

/* The error code goes onto the new task's stack, as wide as its TSS is */
static int push_error(struct task_switch *s)
{
	struct vcpu_regs *r = s->r;
	const struct segment *ss = &r->seg[SEG_SS];
	u32 mask = ss->attr & SEG_ATTR_DB ? 0xffffffff : 0xffff;
	u32 bytes = s->new.layout->width;
	u32 sp = ((u32)r->gpr[GPR_RSP] - bytes) & mask;
	struct task_span span;
	int err;

	if (sp + bytes - 1 > ss->limit && !(ss->attr & SEG_ATTR_DOWN))
		return fault(s, EXC_SS, 0);
	err = task_resolve(s->v, ss->base + sp, bytes, ACCESS_W, &span);
	if (!err)
		err = task_write(s->v, &span, &s->event.error);
	if (!err)
		r->gpr[GPR_RSP] = merge_bits(r->gpr[GPR_RSP], sp, mask);
	return err;
}

/* Step 13 and what follows it in the new task */
static int enter_new(struct task_switch *s)
{
	struct vcpu_regs *r = s->r;
	int err = task_load_segments(s->v, s->ext);

	if (err)
		return err;
	if (s->event.has_error) {
		err = push_error(s);
		if (err)
			return err;
	}
	if (r->rip > r->seg[SEG_CS].limit)
		return fault(s, EXC_GP, 0);
	if (s->new.layout->width == 4 &&
	    (s->new.image[offsetof(struct tss32, trap)] & TSS_TRAP_T)) {
		retire_debug_trap(s->v, DR6_BT);
	}
	return 0;
}

static int task_commit(struct task_switch *s)
{
	int err;

	if (s->source != TASK_GATE)
		retire_task(s->v);
	err = save_old(s);
	if (!err)
		err = mark_new(s);
	if (err)
		return err;
	s->v->pending.type = EVENT_NONE; /* the switch is its delivery */
	load_new(s);
	err = load_cr3(s);
	return err ? err : enter_new(s);
}

enum verdict exit_task_switch(struct vcpu *v, const struct vcpu_exit *e)
{
	struct task_switch s = { .v = v, .r = vcpu_regs(v) };
	int err;

	vcpu_need(v, RG_ALL);
	s.source = (enum task_source)e->task.source;
	s.len = insn_bytes(v, e);
	if (s.source == TASK_GATE)
		s.event = e->vectoring;
	if (s.event.type != EVENT_NONE && !is_software(s.event.type))
		s.ext = EXT;
	err = task_check(&s, e->task.selector);
	if (!err)
		err = task_commit(&s);
	if (err == -EINVAL)
		return exit_cannot(v, EXC_TS, "its task state is not in RAM");
	return err ? VERDICT_INJECT : VERDICT_RESUME;
}
