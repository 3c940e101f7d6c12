/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The control device pauses the manifest's guests paused.c, lets them go on,
 * stops one and starts it again. Of two, the clocks of one stand with it, and
 * those of the other go on.
 */
#include "tests/guest/lib/control.h"
#include "tests/guest/lib/paused.h"

#define ROUNDS   5u
#define PAUSE_MS 100u
#define POLLS    2000000u

static u64 khz;

struct other {
	const char *name;
	u64 id, at; /* its struct paused */
	struct paused first, last;
	u64 first_tsc, last_tsc; /* of this guest, when those were read */
	u64 stood;               /* at least, in all */
};

static struct other stops = { .name = "stops" }, runs = { .name = "runs" };

static bool is_named(const char *a, const char *b)
{
	while (*a && *a == *b)
		a++, b++;
	return *a == *b;
}

/* What the list says of it; id 0: nothing */
static struct bh_ctl_guest about(const char *name)
{
	const struct bh_ctl_guest *g = (void *)out;
	struct bh_ctl_event e = ask(BH_CTL_OP_GUESTS, 0, 0);

	for (u32 i = 0; i < e.bytes / sizeof(*g); i++)
		if (is_named(g[i].name, name))
			return g[i];
	return (struct bh_ctl_guest){ 0 };
}

static bool becomes(const struct other *o, u32 state)
{
	for (u32 i = 0; i < POLLS; i++)
		if (about(o->name).state == state)
			return true;
	return false;
}

/* Of a command whose answer comes later */
static s32 answered(u16 op, u64 arg0, u64 arg1)
{
	struct bh_ctl_event e;
	u32 tag = submit(
		(struct bh_ctl_command){ .op = op, .arg = { arg0, arg1 } });

	for (u32 i = 0; i < POLLS; i++) {
		if (is_answered(tag, &e))
			return e.status;
		reg_read(BH_CTL_STATUS);
	}
	return -1000;
}

static s32 pause(const struct other *o)
{
	return answered(BH_CTL_OP_PAUSE, o->id, 0);
}

static s32 resume(const struct other *o)
{
	return ask(BH_CTL_OP_RESUME, o->id, 0).status;
}

static void wait_ms(u32 ms)
{
	u64 since = rdtsc();

	while (rdtsc() - since < ms * khz)
		cpu_relax();
}

static struct paused read_it(const struct other *o)
{
	ask(BH_CTL_OP_MEMORY_READ, o->id, o->at);
	return *(struct paused *)out;
}

/* It is paused in its loop; true: as it is to be */
static bool find_loop(struct other *o)
{
	for (u32 i = 0; i < 2000; i++) {
		const struct bh_ctl_registers *r = (void *)out;

		if (pause(o))
			return false;
		ask(BH_CTL_OP_REGISTERS, o->id, 0);
		o->at = r->gpr[13];
		if (r->gpr[12] == PAUSED_MAGIC && read_it(o).turns > 1)
			return true;
		if (resume(o))
			return false;
		wait_ms(1);
	}
	return false;
}

/* Paused for a while: it is where it was */
static void round(struct other *o, u32 n)
{
	u64 since = rdtsc();
	struct paused before = read_it(o), after;

	if (!n) {
		o->first = before;
		o->first_tsc = since;
	}
	wait_ms(PAUSE_MS);
	after = read_it(o);
	if (n == ROUNDS - 1) {
		check(after.turns == before.turns && before.turns,
		      "pauser.stands", "%llu turns more",
		      after.turns - before.turns);
		o->last = after;
		o->last_tsc = since;
		return;
	}
	o->stood += rdtsc() - since;
	resume(o);
	wait_ms(20);
	pause(o);
}

static void rounds(struct other *o)
{
	check(becomes(o, BH_CTL_RUNNING), "pauser.runs", "%u",
	      about(o->name).state);
	o->id = about(o->name).id;
	check(find_loop(o), "pauser.pauses", "%u", about(o->name).state);
	check(about(o->name).state == BH_CTL_PAUSED, "pauser.paused", "%u",
	      about(o->name).state);
	check(pause(o) == -BH_CTL_ESTATE, "pauser.not_twice", "");
	for (u32 i = 0; i < ROUNDS; i++)
		round(o, i);
}

static void refused(const struct other *o)
{
	check(ask(BH_CTL_OP_DEBUG, o->id, BH_CTL_DEBUG_ATTACH).status ==
		      -BH_CTL_ESTATE,
	      "pauser.no_debugger", "");
	check(ask(BH_CTL_OP_END, o->id, BH_CTL_END_BUTTON).status ==
		      -BH_CTL_ESTATE,
	      "pauser.no_button", "");
	check(ask(BH_CTL_OP_PAUSE, about("pauser").id, 0).status ==
		      -BH_CTL_ESTATIC,
	      "pauser.not_itself", "");
}

/* Its clocks, against this guest's TSC */
static void clocks(void)
{
	u64 passed = stops.last_tsc - stops.first_tsc;
	u64 counted = stops.last.tsc - stops.first.tsc;
	u64 ticks = stops.last.ticks - stops.first.ticks;
	u64 most = counted / (stops.last.tick_us * khz / 1000) + 3;

	check(stops.stood >= (ROUNDS - 1) * PAUSE_MS * khz &&
		      counted <= passed - stops.stood * 3 / 4,
	      "pauser.clock_stops", "%llu ms of %llu, it stood %llu",
	      counted / khz, passed / khz, stops.stood / khz);
	check(ticks <= most, "pauser.no_burst", "%llu ticks, %llu at most",
	      ticks, most);
	passed = runs.last_tsc - runs.first_tsc;
	counted = runs.last.tsc - runs.first.tsc;
	check(counted >= passed - runs.stood / 2, "pauser.clock_runs",
	      "%llu ms of %llu, it stood %llu", counted / khz, passed / khz,
	      runs.stood / khz);
}

/* It goes on, or begins, and ends by itself */
static void ends(const struct other *o)
{
	*(u64 *)in = 1;
	command((struct bh_ctl_command){
		.op = BH_CTL_OP_MEMORY_WRITE,
		.in_bytes = 8,
		.arg = { o->id, o->at + offsetof(struct paused, ends) },
	});
	resume(o);
	check(becomes(o, BH_CTL_STOPPED), "pauser.ends", "%u",
	      about(o->name).state);
}

/* A static guest that has stopped begins anew; stopped while it is paused, it
 * ends; and in its next life it is not paused */
static void again(struct other *o)
{
	check(answered(BH_CTL_OP_END, o->id, BH_CTL_END_RESET) == 0 &&
		      about(o->name).state == BH_CTL_RUNNING,
	      "pauser.starts_again", "%u", about(o->name).state);
	check(find_loop(o) &&
		      answered(BH_CTL_OP_END, o->id, BH_CTL_END_STOP) == 0 &&
		      about(o->name).state == BH_CTL_STOPPED,
	      "pauser.stopped_while_paused", "%u", about(o->name).state);
	check(answered(BH_CTL_OP_END, o->id, BH_CTL_END_RESET) == 0 &&
		      find_loop(o) &&
		      answered(BH_CTL_OP_END, o->id, BH_CTL_END_RESET) == 0 &&
		      about(o->name).state == BH_CTL_RUNNING,
	      "pauser.reset_while_paused", "%u", about(o->name).state);
	check(find_loop(o) && resume(o) == 0, "pauser.goes_on", "%u",
	      about(o->name).state);
	check(answered(BH_CTL_OP_END, o->id, BH_CTL_END_STOP) == 0,
	      "pauser.stops", "%u", about(o->name).state);
}

void guest_main(void)
{
	section("docs/lifecycle.md");
	if (find_device()) {
		place();
		open_area();
	}
	ask(BH_CTL_OP_INFO, 0, 0);
	khz = ((struct bh_ctl_info *)out)->tsc_khz;
	rounds(&stops);
	refused(&stops);
	rounds(&runs);
	clocks();
	ends(&stops);
	ends(&runs);
	again(&runs);
}
