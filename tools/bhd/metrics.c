/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * See metrics.h. A family is a row: which objects of look_info() and look_top()
 * it is of, and which of their members. The form is that of "Exposition
 * formats" of Prometheus' documentation.
 */
#include "tools/bhd/metrics.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tools/bhd/request.h"
#include "tools/bhd/stats.h"
#include "tools/control/meter.h"

#define EVERY_S 15.

enum of {
	OF_MACHINE,
	OF_CORE,
	OF_GUEST,
	OF_VCPU,
	OF_EXIT,
	OF_STATE,
	OF_HISTOGRAM,
};

static const struct family {
	const char *name, *type, *help;
	enum of of;
	const char *member;
} families[] = {
	{ "bulkhead_uptime_seconds", "gauge", "Since the hypervisor started",
	  OF_MACHINE, "up_seconds" },
	{ "bulkhead_memory_bytes", "gauge", "RAM of the machine", OF_MACHINE,
	  "ram_bytes" },
	{ "bulkhead_hypervisor_memory_bytes", "gauge",
	  "RAM that the hypervisor keeps", OF_MACHINE, "hypervisor_bytes" },
	{ "bulkhead_pool_bytes", "gauge", "RAM set aside for guests",
	  OF_MACHINE, "pool_bytes" },
	{ "bulkhead_pool_free_bytes", "gauge", "Of it, what no guest has",
	  OF_MACHINE, "pool_free_bytes" },
	{ "bulkhead_guests", "gauge", "Guests, the privileged one too",
	  OF_MACHINE, "guests" },
	{ "bulkhead_core_idle_seconds_total", "counter",
	  "Time in which a core had nothing to do", OF_CORE, "idle_seconds" },
	{ "bulkhead_core_host_seconds_total", "counter",
	  "Time of a core in the hypervisor for guests, while it is metered",
	  OF_CORE, "host_seconds" },
	{ "bulkhead_core_uninterrupted_seconds_max", "gauge",
	  "Longest time of a core with interrupts off, while it is metered",
	  OF_CORE, "longest_seconds" },
	{ "bulkhead_core_smis_total", "counter",
	  "Times that firmware took a core, where the CPU counts them", OF_CORE,
	  "smis" },
	{ "bulkhead_guest_state", "gauge", "1 for the state it is in", OF_STATE,
	  NULL },
	{ "bulkhead_guest_memory_bytes", "gauge", "RAM of a guest", OF_GUEST,
	  "memory_bytes" },
	{ "bulkhead_guest_overhead_bytes", "gauge",
	  "The hypervisor's RAM for a guest", OF_GUEST, "overhead_bytes" },
	{ "bulkhead_guest_cpu_seconds_total", "counter",
	  "Time of a guest on cores", OF_GUEST, "cpu_seconds" },
	{ "bulkhead_guest_restarts_total", "counter",
	  "Times that the hypervisor started a guest again that had failed",
	  OF_GUEST, "restarts" },
	{ "bulkhead_guest_exits_total", "counter",
	  "Times that a guest came into the hypervisor", OF_EXIT, NULL },
	{ "bulkhead_vcpu_run_seconds_total", "counter",
	  "Time of a vCPU on its core", OF_VCPU, "run_seconds" },
	{ "bulkhead_vcpu_wait_seconds_total", "counter",
	  "Time in which a vCPU could have run and did not", OF_VCPU,
	  "wait_seconds" },
	{ "bulkhead_vcpu_steal_seconds_total", "counter",
	  "The same, by the name that the guest's kernel has for it", OF_VCPU,
	  "wait_seconds" },
	{ "bulkhead_guest_exit_seconds", "histogram",
	  "How long exits take, while histograms are metered", OF_HISTOGRAM,
	  "exit" },
	{ "bulkhead_guest_interrupt_seconds", "histogram",
	  "From an interrupt to the entry that delivers it", OF_HISTOGRAM,
	  "interrupt" },
	{ "bulkhead_guest_wait_seconds", "histogram",
	  "How long vCPUs wait for their core, one wait each", OF_HISTOGRAM,
	  "wait" },
};

struct text {
	FILE *to;
	const struct family *family;
};

static void print_sample(const struct text *t, const char *labels,
			 struct json_object *value)
{
	fprintf(t->to, "%s%s %s\n", t->family->name, labels,
		json_object_to_json_string_ext(value, JSON_C_TO_STRING_PLAIN));
}

static void print_member(const struct text *t, const char *labels,
			 struct json_object *o)
{
	struct json_object *value;

	if (json_object_object_get_ex(o, t->family->member, &value) && value)
		print_sample(t, labels, value);
}

static void print_cores(const struct text *t, struct json_object *top)
{
	struct json_object *cores;
	char labels[64];

	if (!json_object_object_get_ex(top, "cores", &cores))
		return;
	for (size_t i = 0; i < json_object_array_length(cores); i++) {
		struct json_object *c = json_object_array_get_idx(cores, i);

		snprintf(labels, sizeof(labels), "{core=\"%llu\"}",
			 wire_number(c, "id", 0));
		print_member(t, labels, c);
	}
}

static void print_vcpus(const struct text *t, struct json_object *guest)
{
	struct json_object *vcpus;
	char labels[128];

	if (!json_object_object_get_ex(guest, "vcpu", &vcpus))
		return;
	for (size_t i = 0; i < json_object_array_length(vcpus); i++) {
		struct json_object *v = json_object_array_get_idx(vcpus, i);

		snprintf(labels, sizeof(labels), "{guest=\"%s\",vcpu=\"%llu\"}",
			 wire_string(guest, "name"), wire_number(v, "id", 0));
		print_member(t, labels, v);
	}
}

static void print_exits(const struct text *t, struct json_object *guest)
{
	struct json_object *exits;
	char labels[128];

	if (!json_object_object_get_ex(guest, "exit", &exits))
		return;
	json_object_object_foreach(exits, kind, value)
	{
		snprintf(labels, sizeof(labels),
			 "{guest=\"%s\",kind=\"%.40s\"}",
			 wire_string(guest, "name"), kind);
		print_sample(t, labels, value);
	}
}

/* @labels: those of all its samples, without a bracket */
static void print_histogram(const struct text *t, const char *labels,
			    struct json_object *h)
{
	const char *name = t->family->name;
	u64 count = wire_number(h, "count", 0);
	struct json_object *buckets, *sum;

	if (!json_object_object_get_ex(h, "buckets", &buckets) ||
	    !json_object_object_get_ex(h, "seconds", &sum))
		return;
	for (size_t i = 0; i < json_object_array_length(buckets); i++) {
		struct json_object *b = json_object_array_get_idx(buckets, i);
		struct json_object *le;

		if (json_object_object_get_ex(b, "le_seconds", &le))
			fprintf(t->to, "%s_bucket{%s,le=\"%.9g\"} %llu\n", name,
				labels, json_object_get_double(le),
				wire_number(b, "count", 0));
	}
	fprintf(t->to, "%s_bucket{%s,le=\"+Inf\"} %llu\n", name, labels, count);
	fprintf(t->to, "%s_sum{%s} %.9f\n%s_count{%s} %llu\n", name, labels,
		json_object_get_double(sum), name, labels, count);
}

static void print_histograms(const struct text *t, struct json_object *guest)
{
	struct json_object *all;
	char labels[128];

	if (!json_object_object_get_ex(guest, "histograms", &all))
		return;
	for (size_t i = 0; i < json_object_array_length(all); i++) {
		struct json_object *h = json_object_array_get_idx(all, i);
		const char *kind = wire_string(h, "kind");

		if (strcmp(wire_string(h, "of"), t->family->member))
			continue;
		snprintf(labels, sizeof(labels), "guest=\"%s\"%s%.40s%s",
			 wire_string(guest, "name"), *kind ? ",kind=\"" : "",
			 kind, *kind ? "\"" : "");
		print_histogram(t, labels, h);
	}
}

/* Names of guests and states need no escapes: letters, digits, - and _ */
static void print_guest(const struct text *t, struct json_object *guest)
{
	char labels[128];

	switch (t->family->of) {
	case OF_VCPU:
		print_vcpus(t, guest);
		return;
	case OF_EXIT:
		print_exits(t, guest);
		return;
	case OF_HISTOGRAM:
		print_histograms(t, guest);
		return;
	case OF_STATE:
		fprintf(t->to, "%s{guest=\"%s\",state=\"%s\"} 1\n",
			t->family->name, wire_string(guest, "name"),
			wire_string(guest, "state"));
		return;
	default:
		snprintf(labels, sizeof(labels), "{guest=\"%s\"}",
			 wire_string(guest, "name"));
		print_member(t, labels, guest);
	}
}

static void print_guests(const struct text *t, struct json_object *top)
{
	struct json_object *guests;

	if (!json_object_object_get_ex(top, "guests", &guests))
		return;
	for (size_t i = 0; i < json_object_array_length(guests); i++)
		print_guest(t, json_object_array_get_idx(guests, i));
}

/* Each guest's histograms, if they are metered */
static void add_histograms(struct bhd *b, struct json_object *top)
{
	struct json_object *guests;
	struct list names;
	struct failure f;
	u32 what;

	if (control_metering(&b->ring, BH_CTL_METERING_ASK, &what, &f) ||
	    what != BH_CTL_METERING_HISTOGRAMS ||
	    control_exit_names(&b->ring, &names, &f) ||
	    !json_object_object_get_ex(top, "guests", &guests))
		return;
	for (size_t i = 0; i < json_object_array_length(guests); i++) {
		struct json_object *g = json_object_array_get_idx(guests, i);
		struct json_object *all = stats_histograms(
			b, wire_number(g, "id", 0), &names, b->info.tsc_khz);

		if (all)
			wire_add(g, "histograms", all);
	}
	free(names.items);
}

int metrics_print(FILE *to, struct bhd *b, struct failure *f)
{
	struct json_object *info = look_info(b, NULL, f);
	struct json_object *top = info ? look_top(b, NULL, f) : NULL;

	if (top)
		add_histograms(b, top);
	for (u32 i = 0; top && i < ARRAY_SIZE(families); i++) {
		struct text t = { to, &families[i] };

		fprintf(to, "# HELP %s %s\n# TYPE %s %s\n", t.family->name,
			t.family->help, t.family->name, t.family->type);
		if (t.family->of == OF_MACHINE)
			print_member(&t, "", info);
		else if (t.family->of == OF_CORE)
			print_cores(&t, top);
		else
			print_guests(&t, top);
	}
	if (info)
		json_object_put(info);
	if (!top)
		return -1;
	json_object_put(top);
	return 0;
}

struct json_object *look_metrics(struct bhd *b, struct json_object *o,
				 struct failure *f)
{
	struct json_object *reply = NULL;
	char *text = NULL;
	size_t len;
	FILE *to = open_memstream(&text, &len);
	int err = to ? metrics_print(to, b, f)
		     : failed(f, FAIL_NO_ROOM, "no memory for the text");

	if (to)
		fclose(to);
	if (!err) {
		reply = json_object_new_object();
		wire_add_string(reply, "text", text);
	}
	free(text);
	return reply;
}

/* A reader finds the old file or the new one. It need not outlive a crash. */
static int write_file(const struct metrics *m, struct failure *f)
{
	char path[PATH_MAX];
	FILE *to;
	int err;

	if (snprintf(path, sizeof(path), "%s.new", m->path) >=
	    (int)sizeof(path))
		return failed(f, FAIL_USAGE, "its path is too long");
	to = fopen(path, "we");
	if (!to)
		return failed(f, FAIL_OTHER, "%s", strerror(errno));
	fchmod(fileno(to), 0644);
	err = metrics_print(to, m->bhd, f);
	if (fclose(to) && !err)
		err = failed(f, FAIL_OTHER, "%s", strerror(errno));
	if (!err && rename(path, m->path))
		err = failed(f, FAIL_OTHER, "%s", strerror(errno));
	if (err)
		unlink(path);
	return err;
}

static void on_timer(struct ev_loop *loop, ev_timer *w, int events)
{
	struct metrics *m = w->data;
	struct failure f;
	int err = write_file(m, &f);

	if (err && !m->failed)
		fprintf(stderr, "bhd: %s: %s\n", m->path, f.text);
	m->failed = err;
}

void metrics_start(struct metrics *m, struct bhd *b, const char *path)
{
	*m = (struct metrics){ .bhd = b, .path = path };
	ev_timer_init(&m->timer, on_timer, 0., EVERY_S);
	m->timer.data = m;
	ev_timer_start(b->loop, &m->timer);
}

void metrics_stop(struct metrics *m)
{
	ev_timer_stop(m->bhd->loop, &m->timer);
	unlink(m->path);
}
