// SPDX-License-Identifier: BSD-2-Clause
/*
 * What a task switch reads and writes in memory: TSSs and descriptors, by
 * linear address. An access is resolved first, which may queue a #PF; after
 * that it cannot fail. Home core; no lock.
 */
#include "arch/x86/cpu/cpu_regs.h"
#include "hv/gmem.h"
#include "hv/task.h"
#include "lib/errno.h"

/* Not a segment's limit, but where linear addresses wrap outside long mode */
static gva_t linear(u64 lin)
{
	return GVA((u32)lin);
}

static int resolve_page(struct vcpu *v, u64 lin, u8 access, gpa_t *gpa)
{
	u32 error;
	int err;

	err = gva_translate(v, linear(lin), access | ACCESS_SYSTEM, gpa,
			    &error);
	if (err == -EFAULT)
		vcpu_inject_pf(v, linear(lin), error);
	return err;
}

int task_resolve(struct vcpu *v, u64 lin, u32 bytes, u8 access,
		 struct task_span *span)
{
	u32 left = (u32)(PAGE_SIZE - (lin & PAGE_MASK));
	int err;

	span->bytes = bytes;
	span->first = MIN(left, bytes);
	err = resolve_page(v, lin, access, &span->gpa[0]);
	if (err || span->first == bytes)
		return err;
	return resolve_page(v, lin + span->first, access, &span->gpa[1]);
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
	err = task_resolve(v, table->base + at, DESC_BYTES, ACCESS_W, span);
	return err ? err : task_read(v, span, raw);
}

#define ATTR_G BIT(15)

struct segment task_segment(u16 sel, const u8 raw[DESC_BYTES])
{
	struct segment s = {
		.sel = sel,
		.attr = raw[5] | (raw[6] & 0xf0u) << 8,
		.limit = raw[0] | (u32)raw[1] << 8 | (raw[6] & 0xfu) << 16,
		.base = raw[2] | (u32)raw[3] << 8 | (u32)raw[4] << 16 |
			(u32)raw[7] << 24,
	};

	if (s.attr & ATTR_G)
		s.limit = s.limit << 12 | 0xfff;
	return s;
}
