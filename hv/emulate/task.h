/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Private to hv/emulate/task*.c, hv/emulate/segment.c and hv/emulate/system.c:
 * descriptors (SDM 3A 3.4.5), and task switches in software (SDM 3A 8 *Task
 * Management*). Functions return 0; -EFAULT: an exception is queued;
 * -EINVAL: the guest keeps the structure where there is no RAM.
 */
#ifndef HV_EMULATE_TASK_H
#define HV_EMULATE_TASK_H

#include "hv/core/vcpu.h"
#include "include/hw/descriptor.h"

/* A TSS or a descriptor with its address resolved, in two pages at most */
struct task_span {
	u64 lin;
	gpa_t gpa[2];
	u32 first, bytes; /* @first of them in gpa[0] */
};

/* hv/emulate/task_memory.c */

/* Translate @bytes at linear address @lin for a supervisor's implicit access */
int __must_check task_resolve(struct vcpu *v, u64 lin, u32 bytes, u8 access,
			      struct task_span *span);
int __must_check task_read(struct vcpu *v, const struct task_span *span,
			   void *to);
int __must_check task_write(struct vcpu *v, const struct task_span *span,
			    const void *from);
/* Translate what @span has once more, for a write of it. Many tables are mapped
 * read-only: the CPU writes a descriptor only to change its accessed or busy
 * bit (SDM 3A 3.4.5.1, 8.2.2), and faults only then. */
int __must_check task_resolve_write(struct vcpu *v, struct task_span *span);
/* Read the descriptor of @sel in the GDT or LDT; -ENOENT: outside its table */
int __must_check task_descriptor(struct vcpu *v, u16 sel,
				 struct task_span *span, u8 raw[DESC_BYTES]);
/* What a segment register holds once descriptor @raw is loaded into it */
struct segment task_segment(u16 sel, const u8 raw[DESC_BYTES]);
/* Check whether @s, which is not null, may be loaded into @seg at @cpl. 0, or
 * the vector of its fault: #GP for type or privilege (in a task switch #TS
 * instead), #NP, or #SS for SS, if it is not present. */
u8 task_check_segment(enum seg seg, const struct segment *s, u32 cpl);
/* Set the accessed bit of a code or data segment that is loaded, unless it is
 * set */
int __must_check task_mark_accessed(struct vcpu *v, struct task_span *span,
				    u8 raw[DESC_BYTES]);

/* hv/emulate/task_segments.c */

/* Load LDTR, CS, SS and data segments of the new task, whose selectors are in
 * regs.seg[] and whose flags are in regs.rflags (SDM 3A table 8-1). @ext: bit 0
 * of the error codes. */
int __must_check task_load_segments(struct vcpu *v, u32 ext);
/* Selectors are loaded, descriptors are not (SDM 3A 6.15, #TS). Data segments
 * are unusable; SS is as it was, so that a fault can be delivered. */
void task_forget_segments(struct vcpu *v);

#endif
