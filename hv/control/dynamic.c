/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Commands that make, start, pause and end dynamic guests: what is given is
 * checked for its form here, and for its sense by hv/vm/dynamic.c. Their
 * answers come as news of that (events.c). Called under control.lock, which
 * makes it one caller at a time.
 */
#include "hv/control/priv.h"

/* What was begun: 0, its answer comes; 1: done; or an error, with a sentence */
static s32 begun(struct control *c, struct control_call *call,
		 struct control_wait *w, s32 status)
{
	if (!status)
		return CONTROL_LATER;
	control_wait_end(c, w);
	if (status > 0)
		return 0;
	return control_error(c, call, (enum bh_ctl_error) - status,
			     c->why.text);
}

/* A wait for the answer, and no sentence yet; NULL: *@status is the error */
static struct control_wait *begin(struct control *c, struct control_call *call,
				  s32 *status)
{
	struct control_wait *w = control_wait_take(c, call);

	c->why.text[0] = 0;
	*status =
		w ? 0 : control_error(c, call, BH_CTL_EBUSY, control_too_many);
	return w;
}

/* The wait that it has taken is @call->at's */
static s32 create_step(struct control *c, struct control_call *call)
{
	struct control_wait *w = &c->waits[call->at % CONTROL_WAITS];
	s32 status;
	u64 id;

	status = dynamic_create_step(w->number, &id, &c->why);
	if (status == DYNAMIC_GOES_ON)
		return CONTROL_GOES_ON;
	return begun(c, call, w, status);
}

s32 control_create_guest(struct control *c, struct control_call *call)
{
	const struct bh_ctl_create *make = (const void *)c->in;
	u32 head = sizeof(*make), ranges;
	struct control_wait *w;
	s32 status;

	if (call->at)
		return create_step(c, call);
	if (call->in_bytes < head ||
	    make->range_count > BH_CTL_IN_MAX / sizeof(make->ranges[0]))
		return control_error(c, call, BH_CTL_EINVAL,
				     "this is no struct bh_ctl_create");
	ranges = make->range_count * (u32)sizeof(make->ranges[0]);
	if (call->in_bytes - head < ranges ||
	    call->in_bytes - head - ranges != make->definition_bytes)
		return control_error(c, call, BH_CTL_EINVAL,
				     "the definition ends elsewhere than the "
				     "command's bytes");
	w = begin(c, call, &status);
	if (!w)
		return status;
	status = dynamic_create((const char *)c->in + head + ranges,
				make->definition_bytes, make->ranges,
				make->range_count, &c->why);
	if (status)
		return begun(c, call, w, status);
	call->at = w->number;
	return CONTROL_GOES_ON;
}

s32 control_start(struct control *c, struct control_call *call)
{
	u32 count = call->in_bytes / (u32)sizeof(struct bh_ctl_file);
	struct control_wait *w;
	s32 status;

	if (call->in_bytes % sizeof(struct bh_ctl_file))
		return control_error(c, call, BH_CTL_EINVAL,
				     "this is no array of struct bh_ctl_file");
	w = begin(c, call, &status);
	if (!w)
		return status;
	status = dynamic_start(call->command.arg[0], (const void *)c->in, count,
			       w->number, &c->why);
	return begun(c, call, w, status);
}

s32 control_end_dynamic(struct control *c, struct control_call *call)
{
	struct control_wait *w;
	s32 status;

	if (call->command.arg[1] > BH_CTL_END_DESTROY)
		return control_error(c, call, BH_CTL_EINVAL,
				     "there is no such way to end a guest");
	w = begin(c, call, &status);
	if (!w)
		return status;
	status = dynamic_end(call->command.arg[0],
			     (enum bh_ctl_end)call->command.arg[1], w->number,
			     &c->why);
	return begun(c, call, w, status);
}

s32 control_pause(struct control *c, struct control_call *call)
{
	struct control_wait *w;
	s32 status;

	w = begin(c, call, &status);
	if (!w)
		return status;
	status = dynamic_pause(call->command.arg[0], w->number, &c->why);
	return begun(c, call, w, status);
}

s32 control_resume(struct control *c, struct control_call *call)
{
	struct control_wait *w;
	s32 status;

	w = begin(c, call, &status);
	if (!w)
		return status;
	status = dynamic_resume(call->command.arg[0], &c->why);
	return begun(c, call, w, status);
}
