/* SPDX-License-Identifier: BSD-2-Clause */
/* See inspect.h */
#include "tools/control/inspect.h"

#include <string.h>

int control_registers(struct ring *r, u64 id, u32 vcpu,
		      struct bh_ctl_registers *regs, struct failure *f)
{
	struct ring_call call = { .op = BH_CTL_OP_REGISTERS,
				  .arg = { id, vcpu },
				  .out_bytes = sizeof(*regs) };

	memset(regs, 0, sizeof(*regs));
	return ring_call(r, &call, regs, NULL, f);
}

int control_last_exits(struct ring *r, u64 id, u32 vcpu,
		       struct bh_ctl_last_exits *exits, struct failure *f)
{
	struct ring_call call = { .op = BH_CTL_OP_LAST_EXITS,
				  .arg = { id, vcpu },
				  .out_bytes = sizeof(*exits) };

	memset(exits, 0, sizeof(*exits));
	return ring_call(r, &call, exits, NULL, f);
}

int control_registers_set(struct ring *r, u64 id, u32 vcpu,
			  const struct bh_ctl_registers *regs,
			  struct failure *f)
{
	struct ring_call call = { .op = BH_CTL_OP_SET_REGISTERS,
				  .arg = { id, vcpu },
				  .in = regs,
				  .in_bytes = sizeof(*regs),
				  .out_bytes = FAIL_TEXT_BYTES };

	return ring_call(r, &call, NULL, NULL, f);
}

int control_memory(struct ring *r, u64 id, struct list *l, struct failure *f)
{
	struct ring_call call = { .op = BH_CTL_OP_MEMORY, .arg = { id } };

	return control_list(r, &call, 1, sizeof(struct bh_ctl_memory), l, f);
}

/* A command at a time, each of a page at most, with room for a sentence */
int control_memory_read(struct ring *r, u64 id, u64 gpa, void *to, u32 *bytes,
			struct failure *f)
{
	u32 want = *bytes, n;

	for (*bytes = 0; *bytes < want; *bytes += n) {
		struct ring_call call = { .op = BH_CTL_OP_MEMORY_READ,
					  .arg = { id, gpa + *bytes } };
		struct ring_answer a;
		u8 part[BH_CTL_OUT_MAX];

		call.out_bytes = MIN(MAX(want - *bytes, (u32)FAIL_TEXT_BYTES),
				     (u32)BH_CTL_OUT_MAX);
		if (ring_call(r, &call, part, &a, f))
			return *bytes ? 0 : -1;
		n = MIN(a.bytes, want - *bytes);
		if (!n)
			break;
		memcpy((u8 *)to + *bytes, part, n);
	}
	return 0;
}

int control_memory_write(struct ring *r, u64 id, u64 gpa, const void *from,
			 u32 bytes, struct failure *f)
{
	u32 done = 0;

	while (done < bytes) {
		struct ring_call call = {
			.op = BH_CTL_OP_MEMORY_WRITE,
			.arg = { id, gpa + done },
			.in = (const u8 *)from + done,
			.in_bytes = MIN(bytes - done, (u32)BH_CTL_IN_MAX),
			.out_bytes = FAIL_TEXT_BYTES,
		};
		struct ring_answer a;

		if (ring_call(r, &call, NULL, &a, f))
			return -1;
		if (!a.arg[0] || a.arg[0] > call.in_bytes)
			return failed(f, FAIL_OTHER,
				      "there is no memory at %llx", gpa + done);
		done += (u32)a.arg[0];
	}
	return 0;
}

int control_translate(struct ring *r, u64 id, u32 vcpu, u64 gva, u64 *gpa,
		      struct failure *f)
{
	struct ring_call call = { .op = BH_CTL_OP_TRANSLATE,
				  .arg = { id, vcpu, gva },
				  .out_bytes = FAIL_TEXT_BYTES };
	u8 out[FAIL_TEXT_BYTES];
	struct ring_answer a;

	if (ring_call(r, &call, out, &a, f))
		return -1;
	*gpa = a.arg[0];
	return 0;
}

int control_debug(struct ring *r, u64 id, enum bh_ctl_debug what,
		  const struct control_go *go, struct failure *f)
{
	struct ring_call call = { .op = BH_CTL_OP_DEBUG,
				  .arg = { id, what },
				  .out_bytes = FAIL_TEXT_BYTES };
	u8 out[FAIL_TEXT_BYTES];

	if (go) {
		call.in = go->list;
		call.in_bytes = go->count * (u32)sizeof(*go->list);
		call.arg[2] = go->stepper;
		call.arg[3] = go->others;
	}
	return ring_call(r, &call, out, NULL, f);
}
