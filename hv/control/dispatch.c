/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A command, from its private copy to its answer: what it is given is copied
 * in, its handler runs on copies alone, and what comes back is copied out.
 * Called under control.lock.
 */
#include "arch/x86/cpu/nospec.h"
#include "arch/x86/machine/trace.h"
#include "hv/control/priv.h"
#include "lib/string.h"

static const struct {
	const char *name;
	s32 (*handler)(struct control *c, struct control_call *call);
} commands[BH_CTL_OPS] = {
	[BH_CTL_OP_INFO] = { "info", control_info },
	[BH_CTL_OP_ANNOUNCE] = { "announce", control_announce },
	[BH_CTL_OP_POOL] = { "pool", control_pool },
	[BH_CTL_OP_GUESTS] = { "guests", control_guests },
	[BH_CTL_OP_CREATE] = { "create", control_create_guest },
	[BH_CTL_OP_START] = { "start", control_start },
	[BH_CTL_OP_END] = { "end", control_end },
	[BH_CTL_OP_PAUSE] = { "pause", control_pause },
	[BH_CTL_OP_RESUME] = { "resume", control_resume },
	[BH_CTL_OP_CONSOLE_READ] = { "console_read", control_console_read },
	[BH_CTL_OP_CONSOLE_TYPE] = { "console_type", control_console_type },
	[BH_CTL_OP_VCPUS] = { "vcpus", control_vcpus },
	[BH_CTL_OP_CORES] = { "cores", control_cores },
	[BH_CTL_OP_EXIT_NAMES] = { "exit_names", control_exit_names },
	[BH_CTL_OP_EXITS] = { "exits", control_exits },
	[BH_CTL_OP_REGISTERS] = { "registers", control_registers },
	[BH_CTL_OP_SET_REGISTERS] = { "set_registers", control_set_registers },
	[BH_CTL_OP_MEMORY] = { "memory", control_memory },
	[BH_CTL_OP_MEMORY_READ] = { "memory_read", control_memory_read },
	[BH_CTL_OP_MEMORY_WRITE] = { "memory_write", control_memory_write },
	[BH_CTL_OP_TRANSLATE] = { "translate", control_translate },
	[BH_CTL_OP_DEBUG] = { "debug", control_debug },
	[BH_CTL_OP_METERING] = { "metering", control_metering },
	[BH_CTL_OP_HISTOGRAMS] = { "histograms", control_histograms },
	[BH_CTL_OP_TRACE] = { "trace", control_trace },
	[BH_CTL_OP_TRACE_READ] = { "trace_read", control_trace_read },
	[BH_CTL_OP_AUDIT] = { "audit", control_audit },
	[BH_CTL_OP_SET] = { "set", control_set },
	[BH_CTL_OP_LAST_EXITS] = { "last_exits", control_last_exits },
	[BH_CTL_OP_DEVICES] = { "devices", control_devices },
	[BH_CTL_OP_DEVICE_OFFER] = { "device_offer", control_device_offer },
	[BH_CTL_OP_QUEUES] = { "queues", control_queues },
	[BH_CTL_OP_QUEUE_BIND] = { "queue_bind", control_queue_bind },
	[BH_CTL_OP_QUEUE_STOPPED] = { "queue_stopped", control_queue_stopped },
};

s32 control_error(struct control *c, struct control_call *call,
		  enum bh_ctl_error error, const char *sentence)
{
	call->bytes = (u32)MIN(strlen(sentence), call->out_bytes);
	memcpy(c->out, sentence, call->bytes);
	return -(s32)error;
}

void *control_next(struct control *c, struct control_call *call, u32 size)
{
	void *place = c->out + call->bytes;

	if (call->out_bytes - call->bytes < size)
		return NULL;
	call->bytes += size;
	memset(place, 0, size);
	return place;
}

/* What it is given is copied in; 0, or the error of that */
static s32 begin(struct control *c, struct control_call *call)
{
	const struct bh_ctl_command *command = &call->command;

	trace_now(BH_CTL_TRACE_COMMAND, command->op, 0);
	call->out_bytes = MIN(command->out_bytes, BH_CTL_OUT_MAX);
	call->begun = true;
	if (command->in_bytes > BH_CTL_IN_MAX)
		return control_error(c, call, BH_CTL_EINVAL,
				     "a command is given 4096 bytes at most");
	if (vtd_dma_read(c->iommu, command->in, c->in, command->in_bytes))
		return control_error(c, call, BH_CTL_EFAULT,
				     "what the command is given is not in "
				     "memory that the device may read");
	call->in_bytes = command->in_bytes;
	return 0;
}

static s32 run(struct control *c, struct control_call *call)
{
	u32 op = call->command.op;

	if (op < BH_CTL_OPS) {
		op = (u32)index_nospec(op, BH_CTL_OPS);
		if (commands[op].handler)
			return commands[op].handler(c, call);
	}
	return control_error(c, call, BH_CTL_ENOSYS,
			     "this version of Bulkhead has no such command");
}

s32 control_dispatch(struct control *c, struct bh_ctl_event *event)
{
	struct control_call *call = &c->call;
	s32 status = call->begun ? 0 : begin(c, call);

	if (!status)
		status = run(c, call);
	if (status > 0)
		return status;
	if (call->bytes &&
	    vtd_dma_write(c->iommu, call->command.out, c->out, call->bytes)) {
		status = -BH_CTL_EFAULT;
		call->bytes = 0;
	}
	*event = (struct bh_ctl_event){
		.type = BH_CTL_EVENT_ANSWER,
		.tag = call->command.tag,
		.status = status,
		.bytes = call->bytes,
		.arg = { call->result[0], call->result[1] },
	};
	return 0;
}
