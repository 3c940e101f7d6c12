/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * See trace.h. "Trace Event Format", its JSON object form: complete events (X)
 * have a begin and a length, instants (i) a moment, metadata (M) names. Times
 * are microseconds. The order does not matter.
 *
 * The cores are a process with a thread each, where the vCPUs' turns are; a
 * guest is a process with a thread for each vCPU, where its exits are.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "tools/bhctl/trace.h"

#define CORES_PID 1u

/* A guest's process; ids begin with 1 */
static u64 pid_of(u64 guest)
{
	return guest ? guest + CORES_PID : CORES_PID;
}

static void begin_event(struct trace_file *t, const char *name, char phase,
			u64 pid, u64 tid)
{
	struct json_object *text = json_object_new_string(name);

	fprintf(t->to,
		"%s\n{\"name\":%s,\"ph\":\"%c\",\"pid\":%" PRIu64
		",\"tid\":%" PRIu64,
		t->events++ ? "," : "",
		json_object_to_json_string_ext(text, JSON_C_TO_STRING_PLAIN),
		phase, (uint64_t)pid, (uint64_t)tid);
	json_object_put(text);
}

static double us(const struct trace_file *t, u64 ticks)
{
	return (double)ticks * 1000 / (double)t->khz;
}

/* Where @tsc is in the file; what began before it begins with it */
static double at(const struct trace_file *t, u64 tsc)
{
	return tsc > t->base ? us(t, tsc - t->base) : 0;
}

static void name_event(struct trace_file *t, const char *what, u64 pid, u64 tid,
		       const char *name)
{
	struct json_object *text = json_object_new_string(name);

	begin_event(t, what, 'M', pid, tid);
	fprintf(t->to, ",\"args\":{\"name\":%s}}",
		json_object_to_json_string_ext(text, JSON_C_TO_STRING_PLAIN));
	json_object_put(text);
}

/* From @tsc on, @ticks long */
static void complete(struct trace_file *t, const char *name, u64 pid, u64 tid,
		     u64 tsc, u64 ticks)
{
	double begin = at(t, tsc), end = at(t, tsc + ticks);

	begin_event(t, name, 'X', pid, tid);
	fprintf(t->to, ",\"ts\":%.3f,\"dur\":%.3f", begin, end - begin);
}

static void instant(struct trace_file *t, const char *name, u64 pid, u64 tid,
		    u64 tsc)
{
	begin_event(t, name, 'i', pid, tid);
	fprintf(t->to, ",\"ts\":%.3f,\"s\":\"t\"", at(t, tsc));
}

static const char *exit_name(const struct trace_file *t, u32 kind)
{
	struct json_object *exits, *name;

	if (!json_object_object_get_ex(t->about, "exits", &exits))
		return "exit";
	name = json_object_array_get_idx(exits, kind);
	return name ? json_object_get_string(name) : "exit";
}

static const char *guest_name(const struct trace_file *t, u64 id)
{
	struct json_object *guests;

	if (!json_object_object_get_ex(t->about, "guests", &guests))
		return "guest";
	for (size_t i = 0; i < json_object_array_length(guests); i++) {
		struct json_object *g = json_object_array_get_idx(guests, i);
		const char *name = wire_string(g, "name");

		if (wire_number(g, "id", 0) == id && name)
			return name;
	}
	return "guest";
}

/* The vCPU that had @core has it no more, since @tsc */
static void end_turn(struct trace_file *t, u32 core, u64 tsc)
{
	struct trace_core *c = &t->core[core];
	char name[64];

	if (c->has && tsc > c->since) {
		snprintf(name, sizeof(name), "%.40s:%u",
			 guest_name(t, c->guest), c->vcpu);
		complete(t, name, CORES_PID, core, c->since, tsc - c->since);
		fputc('}', t->to);
	}
	c->has = false;
}

static void begin_turn(struct trace_file *t, u32 core,
		       const struct bh_ctl_trace *r)
{
	struct trace_core *c = &t->core[core];

	if (c->has && c->guest == r->guest && c->vcpu == r->vcpu)
		return;
	end_turn(t, core, r->tsc);
	*c = (struct trace_core){ true, r->guest, r->vcpu, r->tsc };
}

static void args(struct trace_file *t, const char *name, u64 value)
{
	fprintf(t->to, ",\"args\":{\"%s\":%" PRIu64 "}}", name,
		(uint64_t)value);
}

void trace_file_record(struct trace_file *t, u32 core,
		       const struct bh_ctl_trace *r)
{
	u64 pid = pid_of(r->guest), tid = r->guest ? r->vcpu : core;

	if (core >= t->cores)
		return;
	switch (r->event) {
	case BH_CTL_TRACE_EXIT:
		complete(t, exit_name(t, r->kind), pid, tid, r->tsc, r->arg);
		args(t, "core", core);
		return;
	case BH_CTL_TRACE_SWITCH:
		begin_turn(t, core, r);
		return;
	case BH_CTL_TRACE_ENTRY:
		instant(t, "entry", pid, tid, r->tsc);
		args(t, "core", core);
		return;
	case BH_CTL_TRACE_INJECT:
		instant(t, "inject", pid, tid, r->tsc);
		fprintf(t->to, ",\"args\":{\"vector\":%u,\"late_us\":%.3f}}",
			r->kind, us(t, r->arg));
		return;
	case BH_CTL_TRACE_WAKE:
		instant(t, "wake", pid, tid, r->tsc);
		args(t, "core", core);
		return;
	case BH_CTL_TRACE_IDLE:
		end_turn(t, core, r->tsc);
		complete(t, "idle", CORES_PID, core, r->tsc, r->arg);
		fputc('}', t->to);
		return;
	case BH_CTL_TRACE_INTERRUPT:
		instant(t, "interrupt", CORES_PID, core, r->tsc);
		args(t, "vector", r->kind);
		return;
	case BH_CTL_TRACE_KICK:
		instant(t, "kick", CORES_PID, core, r->tsc);
		args(t, "core", r->arg);
		return;
	case BH_CTL_TRACE_COMMAND:
		instant(t, "command", CORES_PID, core, r->tsc);
		args(t, "op", r->kind);
		return;
	default: /* of a newer hypervisor */
		return;
	}
}

void trace_file_lost(struct trace_file *t, u64 count)
{
	t->lost += count;
}

static void name_all(struct trace_file *t)
{
	struct json_object *guests;
	char name[32];

	name_event(t, "process_name", CORES_PID, 0, "cores");
	for (u32 i = 0; i < t->cores; i++) {
		snprintf(name, sizeof(name), "core %u", i);
		name_event(t, "thread_name", CORES_PID, i, name);
	}
	if (!json_object_object_get_ex(t->about, "guests", &guests))
		return;
	for (size_t i = 0; i < json_object_array_length(guests); i++) {
		struct json_object *g = json_object_array_get_idx(guests, i);
		const char *guest = wire_string(g, "name");

		if (guest)
			name_event(t, "process_name",
				   pid_of(wire_number(g, "id", 0)), 0, guest);
	}
}

int trace_file_begin(struct trace_file *t, FILE *to, struct json_object *about,
		     struct failure *f)
{
	*t = (struct trace_file){ .to = to,
				  .about = about,
				  .khz = wire_number(about, "tsc_khz", 0),
				  .base = wire_number(about, "tsc", 0),
				  .cores =
					  (u32)wire_number(about, "cores", 0) };
	if (!t->khz || !t->cores)
		return failed(f, FAIL_OTHER, "bhd's answer is not a trace's");
	t->core = calloc(t->cores, sizeof(*t->core));
	if (!t->core)
		return failed(f, FAIL_NO_ROOM, "no memory for so many cores");
	fputs("{\"displayTimeUnit\":\"ns\",\"traceEvents\":[", to);
	name_all(t);
	return 0;
}

void trace_file_end(struct trace_file *t)
{
	const char *build = wire_string(t->about, "build");

	fprintf(t->to,
		"\n],\"otherData\":{\"version\":\"%.40s\",\"lost\":%" PRIu64
		"}}\n",
		build ? build : "", (uint64_t)t->lost);
	free(t->core);
	t->core = NULL;
}
