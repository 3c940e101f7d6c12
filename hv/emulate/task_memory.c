/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a task switch reads and writes in memory: TSSs and descriptors, by
 * linear address. Also what a descriptor says of a segment. An access is
 * resolved first, which may queue a #PF; after that it fails only if there is
 * no RAM. Home core; no lock.
 */
#include "hv/core/gmem.h"
#include "hv/emulate/task.h"
#include "include/hw/cpu.h"
#include "lib/errno.h"

/* Outside long mode linear addresses wrap at 4 GiB, whatever the limits */
static gva_t linear(struct vcpu *v, u64 lin)
{
	vcpu_need(v, RG_CR);
	return GVA(vcpu_regs(v)->efer & EFER_LMA ? lin : (u32)lin);
}

static int resolve_page(struct vcpu *v, u64 lin, u8 access, gpa_t *gpa)
{
	u32 error;
	int err;

	err = gva_translate(v, linear(v, lin), access | ACCESS_SYSTEM, gpa,
			    &error);
	if (err == -EFAULT)
		vcpu_raise_pf(v, linear(v, lin), error);
	return err;
}

int task_resolve(struct vcpu *v, u64 lin, u32 bytes, u8 access,
		 struct task_span *span)
{
	u32 left = (u32)(PAGE_SIZE - (lin & PAGE_MASK));
	int err;

	span->lin = lin;
	span->bytes = bytes;
	span->first = MIN(left, bytes);
	err = resolve_page(v, lin, access, &span->gpa[0]);
	if (err || span->first == bytes)
		return err;
	return resolve_page(v, lin + span->first, access, &span->gpa[1]);
}

int task_resolve_write(struct vcpu *v, struct task_span *span)
{
	return task_resolve(v, span->lin, span->bytes, ACCESS_W, span);
}

/* gmem's -EFAULT is no fault of the guest's paging: it is not RAM */
int task_read(struct vcpu *v, const struct task_span *span, void *to)
{
	u32 rest = span->bytes - span->first;

	if (gmem_read(v->vm, span->gpa[0], to, span->first))
		return -EINVAL;
	if (rest &&
	    gmem_read(v->vm, span->gpa[1], (u8 *)to + span->first, rest))
		return -EINVAL;
	return 0;
}

int task_write(struct vcpu *v, const struct task_span *span, const void *from)
{
	u32 rest = span->bytes - span->first;

	if (gmem_write(v->vm, span->gpa[0], from, span->first))
		return -EINVAL;
	if (rest && gmem_write(v->vm, span->gpa[1],
			       (const u8 *)from + span->first, rest))
		return -EINVAL;
	return 0;
}

int task_descriptor(struct vcpu *v, u16 sel, struct task_span *span,
		    u8 raw[DESC_BYTES])
{
	const struct vcpu_regs *r = vcpu_regs(v);
	const struct segment *table = &r->gdtr;
	u32 at = SEL_INDEX(sel);
	int err;

	if (sel & SEL_TI) {
		table = &r->seg[SEG_LDTR];
		if (table->attr & SEG_ATTR_UNUSABLE)
			return -ENOENT;
	}
	if (at + DESC_BYTES - 1 > table->limit)
		return -ENOENT;
	err = task_resolve(v, table->base + at, DESC_BYTES, ACCESS_R, span);
	return err ? err : task_read(v, span, raw);
}

struct segment task_segment(u16 sel, const u8 raw[DESC_BYTES])
{
	struct segment s = {
		.sel = sel,
		.attr = raw[5] | (raw[6] & 0xf0u) << 8,
		.limit = raw[0] | (u32)raw[1] << 8 | (raw[6] & 0xfu) << 16,
		.base = raw[2] | (u32)raw[3] << 8 | (u32)raw[4] << 16 |
			(u32)raw[7] << 24,
	};

	if (s.attr & SEG_ATTR_G)
		s.limit = s.limit << 12 | 0xfff;
	return s;
}

static bool code_ok(const struct segment *s, u32 cpl)
{
	u32 dpl = SEG_ATTR_DPL(s->attr);

	if (!(s->attr & SEG_ATTR_CODE))
		return false;
	if (s->attr & SEG_ATTR_CONFORMING)
		return dpl <= cpl;
	return dpl == cpl && SEL_RPL(s->sel) <= cpl;
}

static bool stack_ok(const struct segment *s, u32 cpl)
{
	return !(s->attr & SEG_ATTR_CODE) && (s->attr & SEG_ATTR_RW) &&
	       SEG_ATTR_DPL(s->attr) == cpl && SEL_RPL(s->sel) == cpl;
}

static bool data_ok(const struct segment *s, u32 cpl)
{
	bool code = s->attr & SEG_ATTR_CODE;
	u32 dpl = SEG_ATTR_DPL(s->attr);

	if (code && !(s->attr & SEG_ATTR_RW))
		return false;
	return (code && (s->attr & SEG_ATTR_CONFORMING)) ||
	       (dpl >= cpl && dpl >= SEL_RPL(s->sel));
}

u8 task_check_segment(enum seg seg, const struct segment *s, u32 cpl)
{
	bool ok = s->attr & SEG_ATTR_S;

	if (seg == SEG_CS)
		ok = ok && code_ok(s, cpl);
	else
		ok = ok && (seg == SEG_SS ? stack_ok : data_ok)(s, cpl);
	if (!ok)
		return EXC_GP;
	if (s->attr & SEG_ATTR_P)
		return 0;
	return seg == SEG_SS ? EXC_SS : EXC_NP;
}

int task_mark_accessed(struct vcpu *v, struct task_span *span,
		       u8 raw[DESC_BYTES])
{
	int err;

	if (raw[DESC_TYPE_BYTE] & DESC_ACCESSED)
		return 0;
	raw[DESC_TYPE_BYTE] |= DESC_ACCESSED;
	err = task_resolve_write(v, span);
	return err ? err : task_write(v, span, raw);
}
