/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Commands about virtio devices that back-ends of the privileged guest serve
 * (hv/device/virtio/served.h), and the event of one that has changed. Called
 * under control.lock; virtio.lock comes after it.
 */
#include "hv/control/priv.h"
#include "hv/device/virtio/served.h"
#include "lib/errno.h"

/* Guests whose devices are looked at in one go: some lines of cache each */
#define PLACES_AT_ONCE 32u

#define ARG_QUEUE(arg)  ((arg) >> 32)
#define ARG_DEVICE(arg) ((u64)(u32)(arg))

static const struct vm *find(struct control *c, struct control_call *call,
			     s32 *status)
{
	const struct vm *vm = vm_numbered(call->command.arg[0]);

	*status = vm ? 0
		     : control_error(c, call, BH_CTL_ENOENT,
				     "there is no such guest (any more)");
	return vm;
}

static s32 no_device(struct control *c, struct control_call *call)
{
	return control_error(c, call, BH_CTL_EINVAL,
			     "the guest has no such device or queue");
}

s32 control_devices(struct control *c, struct control_call *call)
{
	s32 status;
	const struct vm *vm = find(c, call, &status);
	u64 i = call->command.arg[1];
	struct bh_ctl_device device, *out;

	if (!vm)
		return status;
	call->result[0] = served_count(vm);
	for (; !served_device(vm, i, &device); i++) {
		out = control_next(c, call, sizeof(*out));
		if (!out)
			break;
		*out = device;
	}
	return 0;
}

s32 control_queues(struct control *c, struct control_call *call)
{
	s32 status;
	const struct vm *vm = find(c, call, &status);
	u64 device = call->command.arg[1], i = call->command.arg[2];
	struct bh_ctl_device about;
	struct bh_ctl_queue queue, *out;

	if (!vm)
		return status;
	if (served_device(vm, device, &about))
		return no_device(c, call);
	call->result[0] = about.queues;
	for (; !served_queue(vm, device, i, &queue); i++) {
		out = control_next(c, call, sizeof(*out));
		if (!out)
			break;
		*out = queue;
	}
	return 0;
}

static s32 offered(struct control *c, struct control_call *call, int err)
{
	switch (err) {
	case 0:
		return 0;
	case -ENOENT:
		return no_device(c, call);
	case -EPERM:
		return control_error(c, call, BH_CTL_EINVAL,
				     "features 24 to 27, 30, 31, 33 and 36 to "
				     "49 are not a back-end's; leave them out");
	case -EBUSY:
		return control_error(c, call, BH_CTL_ESTATE,
				     "the features are not those that were "
				     "offered before the guest's start; offer "
				     "them when it is defined again");
	default:
		return control_error(c, call, BH_CTL_EINVAL,
				     "the configuration has not as many bytes "
				     "as the definition says, or reserved is "
				     "not 0");
	}
}

s32 control_device_offer(struct control *c, struct control_call *call)
{
	const struct bh_ctl_offer *offer = (const void *)c->in;
	s32 status;
	const struct vm *vm = find(c, call, &status);
	bool may_differ;

	if (!vm)
		return status;
	if (call->in_bytes != sizeof(*offer))
		return control_error(c, call, BH_CTL_EINVAL,
				     "this is no struct bh_ctl_offer");
	may_differ = vm->dynamic && dynamic_state(vm) == BH_CTL_DEFINED;
	return offered(
		c, call,
		served_offer(vm, call->command.arg[1], offer, may_differ));
}

static s32 bound(struct control *c, struct control_call *call, int err)
{
	switch (err) {
	case 0:
		return 0;
	case -EEXIST:
		return control_error(c, call, BH_CTL_EEXIST,
				     "the doorbell is another queue's");
	case -EBUSY:
		return control_error(c, call, BH_CTL_ESTATE,
				     "the queue is not live (any more)");
	default:
		return no_device(c, call);
	}
}

s32 control_queue_bind(struct control *c, struct control_call *call)
{
	const u64 *arg = call->command.arg;
	struct control_binding b;
	s32 status;
	const struct vm *vm = find(c, call, &status);

	if (!vm)
		return status;
	if (ARG_DEVICE(arg[1]) >= served_count(vm) ||
	    ARG_QUEUE(arg[1]) >= MANIFEST_MAX_QUEUES)
		return no_device(c, call);
	if (arg[2] >= BH_CTL_VECTORS || arg[3] > BH_CTL_DOORBELLS)
		return control_error(c, call, BH_CTL_EINVAL,
				     "a vector is from 0 to 2047, and a "
				     "doorbell from 0 to 1000");
	b = (struct control_binding){
		.device = (u32)ARG_DEVICE(arg[1]),
		.queue = (u32)ARG_QUEUE(arg[1]),
		.vector = (u32)arg[2],
		.doorbell = (u32)arg[3],
	};
	return bound(c, call, control_bind(vm, &b));
}

s32 control_queue_stopped(struct control *c, struct control_call *call)
{
	u64 which = call->command.arg[1];
	s32 status;
	const struct vm *vm = find(c, call, &status);

	if (!vm)
		return status;
	switch (served_stopped(vm, ARG_DEVICE(which), ARG_QUEUE(which))) {
	case 0:
		return 0;
	case -EBUSY:
		return control_error(c, call, BH_CTL_ESTATE,
				     "the queue is not one that is to stop");
	default:
		return no_device(c, call);
	}
}

/* --- the event --- */

static void tell(struct control *c, const struct vm *vm)
{
	u32 bits = served_changed(vm, c->devices_again);

	for (; bits; bits &= bits - 1) {
		const struct bh_ctl_event e = {
			.type = BH_CTL_EVENT_DEVICE,
			.tag = (u32)vm_number(vm),
			.arg = { vm_number(vm), (u64)__builtin_ctz(bits) },
		};

		control_event(c, &e);
	}
}

bool control_devices_look(struct control *c)
{
	struct control_round *r = &c->devices;
	u32 end;

	if (c->status != BH_CTL_IS_OPEN ||
	    !control_round_on(r, served_any_changed()))
		return false;
	end = control_round_end(r, PLACES_AT_ONCE);
	for (; r->at < end; r->at++) {
		const struct vm *vm = vm_at(r->at);

		if (vm)
			tell(c, vm);
	}
	if (control_round_goes_on(r))
		return true;
	c->devices_again = false;
	return false;
}

void control_devices_again(struct control *c)
{
	c->devices = (struct control_round){ .asked = true };
	c->devices_again = true;
}
