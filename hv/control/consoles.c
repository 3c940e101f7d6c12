/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Commands about consoles, and the event of one that has said something.
 * Consoles have numbers in the order of Ctrl-], and here guests' ids; id 0 is
 * the log. Called under control.lock; that of the console comes after it.
 */
#include "hv/console/console.h"
#include "hv/control/priv.h"

/* What is typed goes byte by byte to the guest's UART, which has room for 16 */
#define TYPED_AT_ONCE 64u
/* Guests whose consoles are looked at in one go: some lines of cache each */
#define CONSOLES_AT_ONCE 32u

static const char no_console[] = "there is no such guest (any more)";

/* The console's number; false: no guest has @id */
static bool console_of_id(u64 id, u64 *number)
{
	const struct vm *vm = vm_numbered(id);

	*number = 0;
	if (!id)
		return true;
	return vm && console_of(vm, number);
}

s32 control_console_read(struct control *c, struct control_call *call)
{
	u64 at = call->command.arg[1], number, end;

	if (!console_of_id(call->command.arg[0], &number))
		return control_error(c, call, BH_CTL_ENOENT, no_console);
	call->bytes = console_follow(number, &at, (char *)c->out,
				     call->out_bytes, &end);
	call->result[0] = at;
	call->result[1] = end;
	return 0;
}

s32 control_console_type(struct control *c, struct control_call *call)
{
	u32 len = MIN(call->in_bytes, TYPED_AT_ONCE), taken = 0;
	u64 number;

	if (!console_of_id(call->command.arg[0], &number))
		return control_error(c, call, BH_CTL_ENOENT, no_console);
	while (taken < len && console_type_at(number, c->in[taken]))
		taken++;
	call->result[0] = taken;
	return 0;
}

static void tell(struct control *c, u64 id, u64 number)
{
	const struct bh_ctl_event e = {
		.type = BH_CTL_EVENT_CONSOLE,
		.tag = (u32)id,
		.arg = { id },
	};

	if (console_spoken(number))
		control_event(c, &e);
}

bool control_consoles_look(struct control *c)
{
	struct control_round *r = &c->consoles;
	u64 number;
	u32 end;

	if (!control_round_on(r, console_any_spoken()))
		return false;
	if (!r->at)
		tell(c, 0, 0);
	end = control_round_end(r, CONSOLES_AT_ONCE);
	for (; r->at < end; r->at++) {
		const struct vm *vm = vm_at(r->at);

		if (vm && console_of(vm, &number))
			tell(c, vm_number(vm), number);
	}
	return control_round_goes_on(r);
}
