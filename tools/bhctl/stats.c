/* SPDX-License-Identifier: BSD-2-Clause */
/* See stats.h */
#include "tools/bhctl/stats.h"

#include <string.h>

static double number_of(struct json_object *o, const char *name)
{
	struct json_object *v;

	return json_object_object_get_ex(o, name, &v)
		       ? json_object_get_double(v)
		       : 0;
}

/* "12 ns", "3.4 us": three digits are enough for what is a power of two */
static const char *short_time(char text[32], double seconds)
{
	static const char *const units[] = { "s", "ms", "us", "ns" };
	u32 unit = 0;

	while (seconds < 1 && unit + 1 < ARRAY_SIZE(units)) {
		seconds *= 1000;
		unit++;
	}
	snprintf(text, 32, "%.3g %s", seconds, units[unit]);
	return text;
}

/* The bound that @share of them do not exceed; "more" past the last one */
static const char *bound_of(char text[32], struct json_object *h, double share)
{
	double want = number_of(h, "count") * share;
	struct json_object *buckets;

	if (json_object_object_get_ex(h, "buckets", &buckets))
		for (size_t i = 0; i < json_object_array_length(buckets); i++) {
			struct json_object *b =
				json_object_array_get_idx(buckets, i);

			if (number_of(b, "count") >= want)
				return short_time(text,
						  number_of(b, "le_seconds"));
		}
	return strcpy(text, "more");
}

static void show_histogram(FILE *to, struct json_object *h)
{
	const char *of = wire_string(h, "of"), *kind = wire_string(h, "kind");
	double count = number_of(h, "count");
	char time[32], mean[32], half[32], most[32];

	fprintf(to, "%-10s %-15s %12.0f %9s %9s %9s %9s\n", of ? of : "",
		kind ? kind : "", count,
		short_time(time, number_of(h, "seconds")),
		short_time(mean,
			   count > 0 ? number_of(h, "seconds") / count : 0),
		bound_of(half, h, .5), bound_of(most, h, .99));
}

void show_stats(FILE *to, struct json_object *reply)
{
	const char *metering = wire_string(reply, "metering");
	struct json_object *histograms;

	if (!json_object_object_get_ex(reply, "histograms", &histograms))
		return;
	if (!json_object_array_length(histograms)) {
		fprintf(to, "nothing is timed; bhctl metering histograms "
			    "begins it\n");
		return;
	}
	fprintf(to, "%-10s %-15s %12s %9s %9s %9s %9s\n", "OF", "KIND", "COUNT",
		"TIME", "MEAN", "HALF <", "99 % <");
	for (size_t i = 0; i < json_object_array_length(histograms); i++)
		show_histogram(to, json_object_array_get_idx(histograms, i));
	if (metering && strcmp(metering, "histograms"))
		fprintf(to, "as it was when histograms were metered last\n");
}

void show_metering(FILE *to, struct json_object *reply)
{
	const char *metering = wire_string(reply, "metering");

	fprintf(to, "%s\n", metering ? metering : "");
}
