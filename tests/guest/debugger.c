/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A debugger of the guest debugged.c, on the control device: breakpoints in
 * memory and in the processor's registers, steps, one that is cut short, and an
 * end in the middle of all that. Then a trace, whose reader goes.
 */
#include "tests/guest/lib/control.h"
#include "tests/guest/lib/debugged.h"

#define POLLS   5000u   /* of what comes at once */
#define PATIENT 200000u /* of what the other guest takes its time for */

static struct debugged it;
static u64 id, it_at;

static bool find_guest(void)
{
	const struct bh_ctl_guest *guest = (void *)out;
	struct bh_ctl_event e = ask(BH_CTL_OP_GUESTS, 0, 0);

	for (u32 i = 0; i < e.bytes / sizeof(*guest); i++)
		if (!(guest[i].flags & BH_CTL_GUEST_PRIVILEGED))
			id = guest[i].id;
	return id;
}

static s32 debug(u32 what, u32 stepper, u32 breakpoints)
{
	return command((struct bh_ctl_command){
			       .op = BH_CTL_OP_DEBUG,
			       .in_bytes =
				       breakpoints *
				       (u32)sizeof(struct bh_ctl_breakpoint),
			       .arg = { id, what, stepper, 1 },
		       })
		.status;
}

/* Its registers, once it stands */
static const struct bh_ctl_registers *stands(void)
{
	for (u32 i = 0; i < POLLS; i++)
		if (!ask(BH_CTL_OP_REGISTERS, id, 0).status)
			return (void *)out;
	return NULL;
}

static bool stop(void)
{
	return !debug(BH_CTL_DEBUG_STOP, 0, 0) && stands();
}

/* It goes until it stands by itself: in @rip, for @why? Else it is stopped. */
static void goes(const char *name, u32 stepper, u32 breakpoints,
		 enum bh_ctl_stop why, u64 rip)
{
	s32 err = debug(BH_CTL_DEBUG_GO, stepper, breakpoints);
	const struct bh_ctl_registers *r = err ? NULL : stands();

	check(r && r->stop == why && r->rip == rip, name,
	      "%d: stop %u at %llx, want %llx", err, r ? r->stop : ~0u,
	      r ? r->rip : 0, rip);
	if (!r && !err)
		stop();
}

static void step(const char *name, u64 rip)
{
	goes(name, 1, 0, BH_CTL_STOP_STEP, rip);
}

static void breakpoint(const char *name, u32 kind, u64 address, u64 rip)
{
	static const enum bh_ctl_stop why[] = {
		[BH_CTL_BREAK_SOFTWARE] = BH_CTL_STOP_SOFTWARE,
		[BH_CTL_BREAK_HARDWARE] = BH_CTL_STOP_HARDWARE,
		[BH_CTL_BREAK_WRITE] = BH_CTL_STOP_WATCH,
		[BH_CTL_BREAK_ACCESS] = BH_CTL_STOP_WATCH,
	};

	*(struct bh_ctl_breakpoint *)in = (struct bh_ctl_breakpoint){
		.address = address,
		.kind = kind,
		.length = kind >= BH_CTL_BREAK_WRITE ? 8 : 1,
	};
	goes(name, 0, 1, why[kind], rip);
}

/* Until it is in the loop, which it comes to by itself */
static bool in_loop(void)
{
	for (u32 i = 0; i < 1000; i++) {
		const struct bh_ctl_registers *r = stands();

		if (!r)
			return false;
		it_at = r->gpr[13];
		if (r->gpr[12] == DEBUGGED_MAGIC)
			return true;
		debug(BH_CTL_DEBUG_GO, 0, 0);
		spin();
		stop();
	}
	return false;
}

static void attach(const char *name)
{
	s32 err = BH_CTL_ESTATE;

	for (u32 i = 0; i < PATIENT && err; i++) /* while it is being loaded */
		err = debug(BH_CTL_DEBUG_ATTACH, 0, 0);
	check(!err && in_loop(), name, "%d", err);
}

static void look(void)
{
	struct bh_ctl_event e = ask(BH_CTL_OP_MEMORY_READ, id, it_at);

	it = *(struct debugged *)out;
	check(!e.status && it.watched && it.write > 0x1000, "debugger.memory",
	      "%d", e.status);
}

static void software(void)
{
	breakpoint("debugger.software", BH_CTL_BREAK_SOFTWARE, it.write,
		   it.write);
	step("debugger.step", it.read);
	step("debugger.step_again", it.clear);
	step("debugger.step_once_more", it.exit);
	step("debugger.step_exit", it.raise);
	step("debugger.step_interrupt", it.after);
}

static void hardware(void)
{
	breakpoint("debugger.hardware", BH_CTL_BREAK_HARDWARE, it.write,
		   it.write);
	breakpoint("debugger.write", BH_CTL_BREAK_WRITE, it_at, it.read);
	breakpoint("debugger.access", BH_CTL_BREAK_ACCESS, it_at, it.clear);
	/* Its own DR3 is read now, and found */
	breakpoint("debugger.write_again", BH_CTL_BREAK_WRITE, it_at, it.read);
}

/* A step is left in a handler, by a breakpoint there, and then for good */
static void cut_short(void)
{
	s32 err;

	breakpoint("debugger.to_interrupt", BH_CTL_BREAK_SOFTWARE, it.raise,
		   it.raise);
	*(struct bh_ctl_breakpoint *)in = (struct bh_ctl_breakpoint){
		.address = it.handler,
		.kind = BH_CTL_BREAK_SOFTWARE,
		.length = 1,
	};
	goes("debugger.in_handler", 1, 1, BH_CTL_STOP_SOFTWARE, it.handler);
	err = debug(BH_CTL_DEBUG_DETACH, 0, 0);
	check(!err, "debugger.detach", "%d", err);
	spin();
}

/* It goes on as ever, and ends when it is told to */
static void end(void)
{
	u64 turns = it.watched;
	const u64 yes = 1;
	struct bh_ctl_event e;

	attach("debugger.attach_again");
	look();
	check(it.watched > turns && !it.traps, "debugger.left_alone",
	      "%llu turns, %llu traps", it.watched - turns, it.traps);
	*(u64 *)in = yes;
	e = command((struct bh_ctl_command){
		.op = BH_CTL_OP_MEMORY_WRITE,
		.in_bytes = sizeof(yes),
		.arg = { id, it_at + offsetof(struct debugged, ends) },
	});
	check(!e.status && e.arg[0] == sizeof(yes), "debugger.writes", "%d",
	      e.status);
	debug(BH_CTL_DEBUG_DETACH, 0, 0);
}

/* With its reader, which comes back: it may trace again */
static void trace(void)
{
	struct bh_ctl_event e = ask(BH_CTL_OP_TRACE, 1, BH_CTL_TRACE_MIN);
	struct bh_ctl_event read = ask(BH_CTL_OP_TRACE_READ, 0, 0);

	check(!e.status && !read.status && read.bytes, "debugger.trace",
	      "%d %d, %u bytes", e.status, read.status, read.bytes);
	open_area();
	read = ask(BH_CTL_OP_TRACE_READ, 0, 0);
	e = ask(BH_CTL_OP_TRACE, 1, 2 * BH_CTL_TRACE_MIN);
	check(read.status == -BH_CTL_ESTATE && !e.status,
	      "debugger.trace_ends_with_it", "%d %d", read.status, e.status);
	e = ask(BH_CTL_OP_TRACE, 0, 0);
	check(!e.status, "debugger.trace_ends", "%d", e.status);
}

/* So that this guest's end, which is the machine's, is not the other's */
static void wait_for_end(void)
{
	const struct bh_ctl_guest *guest = (void *)out;
	bool runs = true;

	for (u32 i = 0; i < PATIENT && runs; i++) {
		struct bh_ctl_event e = ask(BH_CTL_OP_GUESTS, 0, 0);

		runs = false;
		for (u32 g = 0; g < e.bytes / sizeof(*guest); g++)
			runs |= guest[g].id == id &&
				guest[g].state == BH_CTL_RUNNING;
	}
	check(!runs, "debugger.it_has_ended", "");
}

void guest_main(void)
{
	section("docs/debugging.md");
	if (find_device()) {
		place();
		open_area();
	}
	check(find_guest(), "debugger.guest", "");
	attach("debugger.attach");
	look();
	software();
	hardware();
	cut_short();
	end();
	section("docs/control.md");
	trace();
	wait_for_end();
}
