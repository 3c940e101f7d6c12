/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * See stats.h. A histogram has its count, the sum in seconds, and for each
 * bucket how many took no longer than so many seconds, as Prometheus counts
 * them; the last bucket, without a bound, is the count.
 */
#include "tools/bhd/stats.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/bhd/life.h"
#include "tools/bhd/request.h"
#include "tools/control/meter.h"

#define FIRST_BOUND 64u /* ticks, of bucket 0 */

/* What is shorter than a microsecond counts here */
static void add_exact(struct json_object *o, const char *name, u64 ticks,
		      u64 khz)
{
	double seconds = khz ? (double)ticks / ((double)khz * 1000) : 0;
	char text[40];

	snprintf(text, sizeof(text), "%.12f", seconds);
	wire_add(o, name, json_object_new_double_s(seconds, text));
}

static struct json_object *buckets_array(const struct bh_ctl_histogram *h,
					 u64 khz)
{
	struct json_object *a = json_object_new_array();
	u64 sum = 0;

	for (u32 i = 0; i + 1 < BH_CTL_BUCKETS; i++) {
		struct json_object *o = json_object_new_object();

		sum += h->count[i];
		add_exact(o, "le_seconds", (u64)FIRST_BOUND << i, khz);
		wire_add_number(o, "count", sum);
		json_object_array_add(a, o);
	}
	return a;
}

static u64 count_of(const struct bh_ctl_histogram *h)
{
	u64 sum = 0;

	for (u32 i = 0; i < BH_CTL_BUCKETS; i++)
		sum += h->count[i];
	return sum;
}

/* NULL: it is empty */
static struct json_object *histogram(const struct bh_ctl_histogram *h,
				     const char *of, const char *kind, u64 khz)
{
	u64 count = count_of(h);
	struct json_object *o;

	if (!count)
		return NULL;
	o = json_object_new_object();
	wire_add_string(o, "of", of);
	wire_add_string(o, "kind", kind);
	wire_add_number(o, "count", count);
	add_exact(o, "seconds", h->ticks, khz);
	wire_add(o, "buckets", buckets_array(h, khz));
	return o;
}

/* Name @n of @names; "" past them */
static const char *name_at(const struct list *names, u32 n)
{
	const char *text = names->items;
	u32 at = 0;

	for (; at < names->count && n; n--)
		at += (u32)strnlen(text + at, names->count - at) + 1;
	return at < names->count && memchr(text + at, 0, names->count - at)
		       ? text + at
		       : "";
}

struct json_object *stats_histograms(struct bhd *b, u64 id,
				     const struct list *names, u64 khz)
{
	struct json_object *a, *o;
	const struct bh_ctl_histogram *h;
	struct failure f;
	struct list l;

	if (control_histograms(&b->ring, id, &l, &f))
		return NULL;
	a = json_object_new_array();
	h = l.items;
	for (u32 i = 0; i < l.count; i++) {
		if (i == BH_CTL_HISTOGRAM_INTERRUPT)
			o = histogram(&h[i], "interrupt", "", khz);
		else if (i == BH_CTL_HISTOGRAM_WAIT)
			o = histogram(&h[i], "wait", "", khz);
		else
			o = histogram(
				&h[i], "exit",
				name_at(names, i - BH_CTL_HISTOGRAM_EXITS),
				khz);
		if (o)
			json_object_array_add(a, o);
	}
	free(l.items);
	return a;
}

static struct json_object *metering_object(u32 what)
{
	struct json_object *o = json_object_new_object();

	wire_add_string(o, "metering", metering_name(what));
	return o;
}

struct json_object *look_metering(struct bhd *b, struct json_object *o,
				  struct failure *f)
{
	u32 now;

	if (control_metering(&b->ring, BH_CTL_METERING_ASK, &now, f))
		return NULL;
	return metering_object(now);
}

struct json_object *change_metering(struct bhd *b, struct json_object *o,
				    struct failure *f)
{
	const char *name = wire_string(o, "what");
	u32 what = metering_of(name ? name : ""), now;

	if (what == BH_CTL_METERINGS) {
		failed(f, FAIL_USAGE,
		       "%.40s cannot be metered; write off, counters or "
		       "histograms",
		       name ? name : "nothing");
		return NULL;
	}
	if (control_metering(&b->ring, what, &now, f))
		return NULL;
	return metering_object(now);
}

struct json_object *look_stats(struct bhd *b, struct json_object *o,
			       struct failure *f)
{
	const char *name = wire_string(o, "name");
	struct json_object *reply = look_metering(b, NULL, f), *histograms;
	struct bh_ctl_guest g;
	struct list names = { 0 };

	if (!reply)
		return NULL;
	if (life_find(b, name ? name : "", &g, f) ||
	    control_exit_names(&b->ring, &names, f)) {
		json_object_put(reply);
		return NULL;
	}
	wire_add_string(reply, "name", g.name);
	histograms = stats_histograms(b, g.id, &names, b->info.tsc_khz);
	wire_add(reply, "histograms",
		 histograms ? histograms : json_object_new_array());
	free(names.items);
	return reply;
}
