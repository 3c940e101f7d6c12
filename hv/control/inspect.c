/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Commands that look into a guest that stands still: its registers, as its
 * vCPUs' home cores have kept them (hv/vm/kept.h), and its memory. A command
 * copies a page at most. Called under control.lock, which makes it one caller
 * at a time: a guest goes on only by another command. It may end meanwhile, and
 * its memory is its own until this core is back in its loop (hv/core/vm.h).
 */
#include "arch/x86/cpu/nospec.h"
#include "hv/control/priv.h"
#include "hv/core/gmem.h"
#include "hv/core/last_exit.h"
#include "hv/core/slots.h"
#include "hv/vm/kept.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/window.h"

static const char not_mapped[] = "nothing is mapped at this address";

/* The guest that may be looked into, or NULL: *@status is the error.
 * @crashed: also one that has crashed. */
static struct vm *find(struct control *c, struct control_call *call,
		       bool crashed, s32 *status)
{
	struct vm *vm = vm_numbered(call->command.arg[0]);
	enum bh_ctl_state state;

	*status = 0;
	if (!vm)
		*status = control_error(c, call, BH_CTL_ENOENT,
					"there is no such guest (any more)");
	else if (vm->privileged)
		*status = control_error(c, call, BH_CTL_ESTATIC,
					"this guest is the privileged one, "
					"which cannot look into itself");
	if (*status)
		return NULL;
	state = control_state_of(vm);
	if (state == BH_CTL_PAUSED || (crashed && state == BH_CTL_CRASHED))
		return vm;
	*status = control_error(c, call, BH_CTL_ESTATE,
				crashed ? "the guest is neither paused nor "
					  "crashed; pause it first"
					: "the guest is not paused");
	return NULL;
}

/* And one of its vCPUs, whose registers are kept: *@regs, asked for once, as
 * its home core may forget them when the guest ends */
static struct vcpu *find_vcpu(struct control *c, struct control_call *call,
			      bool crashed, const struct vcpu_regs **regs,
			      s32 *status)
{
	struct vm *vm = find(c, call, crashed, status);
	u64 i = call->command.arg[1];
	struct vcpu *v;

	if (!vm)
		return NULL;
	if (i >= vm->vcpu_count) {
		*status = control_error(c, call, BH_CTL_EINVAL,
					"the guest has no such vCPU");
		return NULL;
	}
	v = vm->vcpus[index_nospec(i, vm->vcpu_count)];
	*regs = kept_of(v);
	if (*regs)
		return v;
	*status = control_error(c, call, BH_CTL_ESTATE,
				"the vCPU's registers are not kept");
	return NULL;
}

/* --- registers --- */

static void segment_out(struct bh_ctl_segment *out, const struct segment *s)
{
	out->base = s->base;
	out->limit = s->limit;
	out->attributes = s->attr;
	out->selector = s->sel;
}

static void control_out(struct bh_ctl_registers *out, const struct vcpu_regs *r)
{
	out->cr0 = r->cr0;
	out->cr2 = r->cr2;
	out->cr3 = r->cr3;
	out->cr4 = r->cr4;
	out->efer = r->efer;
	out->xcr0 = r->xcr0;
	memcpy(out->dr, r->dr, sizeof(out->dr));
}

static void msrs_out(struct bh_ctl_registers *out, const struct vcpu_regs *r)
{
	out->star = r->star;
	out->lstar = r->lstar;
	out->cstar = r->cstar;
	out->sfmask = r->sfmask;
	out->kernel_gs_base = r->kernel_gs_base;
	out->pat = r->pat;
	out->sysenter_cs = r->sysenter_cs;
	out->sysenter_esp = r->sysenter_esp;
	out->sysenter_eip = r->sysenter_eip;
}

static void registers_out(struct bh_ctl_registers *out,
			  const struct vcpu_regs *r)
{
	static_assert(sizeof(out->gpr) == sizeof(r->gpr), "in one order");
	static_assert(ARRAY_SIZE(out->segment) == SEG_COUNT, "in one order");
	memcpy(out->gpr, r->gpr, sizeof(out->gpr));
	out->rip = r->rip;
	out->rflags = r->rflags;
	for (u32 i = 0; i < SEG_COUNT; i++)
		segment_out(&out->segment[i], &r->seg[i]);
	segment_out(&out->gdtr, &r->gdtr);
	segment_out(&out->idtr, &r->idtr);
	control_out(out, r);
	msrs_out(out, r);
}

s32 control_registers(struct control *c, struct control_call *call)
{
	struct bh_ctl_registers *out;
	const struct vcpu_regs *regs;
	s32 status;
	struct vcpu *v = find_vcpu(c, call, true, &regs, &status);

	if (!v)
		return status;
	out = control_next(c, call, sizeof(*out));
	if (!out)
		return control_error(c, call, BH_CTL_EFAULT,
				     "a vCPU's registers have no room there");
	registers_out(out, regs);
	out->exit_kind = v->hw.exit.kind;
	out->exit_reason = v->hw.exit.raw_reason;
	out->state = control_shown_state(v->held);
	out->stop = v->debug.stop;
	out->stop_address = v->debug.address;
	return 0;
}

s32 control_last_exits(struct control *c, struct control_call *call)
{
	struct bh_ctl_last_exits *out;
	const struct vcpu_regs *regs;
	s32 status;
	const struct vcpu *v = find_vcpu(c, call, true, &regs, &status);

	if (!v)
		return status;
	out = control_next(c, call, sizeof(*out));
	if (!out)
		return control_error(c, call, BH_CTL_EFAULT,
				     "a vCPU's last exits have no room there");
	last_exit_copy(v, out);
	return 0;
}

static s32 changed(struct control *c, struct control_call *call, int err)
{
	switch (err) {
	case 0:
		return 0;
	case -EBUSY:
		return control_error(c, call, BH_CTL_EBUSY,
				     "the vCPU is in the middle of a long "
				     "instruction; step it, then change RIP");
	case -EINVAL:
		return control_error(c, call, BH_CTL_EINVAL,
				     "RIP, or the base of FS or GS, is no "
				     "address in the vCPU's mode");
	default:
		return control_error(c, call, BH_CTL_ESTATE,
				     "the vCPU's registers are not kept");
	}
}

s32 control_set_registers(struct control *c, struct control_call *call)
{
	const struct bh_ctl_registers *in = (const void *)c->in;
	const struct vcpu_regs *now;
	struct vcpu_regs r = { 0 };
	s32 status;
	struct vcpu *v;

	if (call->in_bytes != sizeof(*in))
		return control_error(c, call, BH_CTL_EINVAL,
				     "this is no struct bh_ctl_registers");
	v = find_vcpu(c, call, false, &now, &status);
	if (!v)
		return status;
	memcpy(r.gpr, in->gpr, sizeof(r.gpr));
	r.rip = in->rip;
	r.rflags = in->rflags;
	r.seg[SEG_FS].base = in->segment[SEG_FS].base;
	r.seg[SEG_GS].base = in->segment[SEG_GS].base;
	return changed(c, call, kept_change(v, &r));
}

s32 control_translate(struct control *c, struct control_call *call)
{
	const struct vcpu_regs *regs;
	s32 status;
	struct vcpu *v = find_vcpu(c, call, true, &regs, &status);
	gpa_t gpa;
	int err;

	if (!v)
		return status;
	err = gva_find(v, regs, GVA(call->command.arg[2]), &gpa);
	window_flush();
	if (err)
		return control_error(c, call, BH_CTL_EFAULT, not_mapped);
	call->result[0] = gpa.v;
	return 0;
}

/* --- memory --- */

s32 control_memory(struct control *c, struct control_call *call)
{
	s32 status;
	const struct vm *vm = find(c, call, true, &status);
	u64 i = call->command.arg[1];

	if (!vm)
		return status;
	call->result[0] = vm->slot_count;
	for (; i < vm->slot_count; i++) {
		const struct vm_slot *s =
			&vm->slots[index_nospec(i, vm->slot_count)];
		struct bh_ctl_memory *out = control_next(c, call, sizeof(*out));

		if (!out)
			break;
		out->base = s->gpa;
		out->size = s->size;
		out->flags = s->rom ? BH_CTL_MEMORY_ROM : 0;
	}
	return 0;
}

/* Bytes from @gpa to the end of its page, at most @max */
static u32 in_page(u64 gpa, u32 max)
{
	return (u32)MIN((u64)max, PAGE_SIZE - (gpa & PAGE_MASK));
}

s32 control_memory_read(struct control *c, struct control_call *call)
{
	s32 status;
	struct vm *vm = find(c, call, true, &status);
	u64 gpa = call->command.arg[1];
	u32 n;

	if (!vm)
		return status;
	for (; call->bytes < call->out_bytes; call->bytes += n, gpa += n) {
		n = in_page(gpa, call->out_bytes - call->bytes);
		if (gmem_read(vm, GPA(gpa), c->out + call->bytes, n))
			break;
	}
	window_flush();
	if (call->bytes || !call->out_bytes)
		return 0;
	return control_error(c, call, BH_CTL_EFAULT, not_mapped);
}

s32 control_memory_write(struct control *c, struct control_call *call)
{
	s32 status;
	struct vm *vm = find(c, call, false, &status);
	u64 gpa = call->command.arg[1];
	u32 done = 0, n;

	if (!vm)
		return status;
	for (; done < call->in_bytes; done += n, gpa += n) {
		n = in_page(gpa, call->in_bytes - done);
		if (gmem_write(vm, GPA(gpa), c->in + done, n))
			break;
	}
	window_flush();
	call->result[0] = done;
	if (done || !call->in_bytes)
		return 0;
	return control_error(c, call, BH_CTL_EFAULT, not_mapped);
}
