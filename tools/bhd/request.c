/* SPDX-License-Identifier: BSD-2-Clause */
/* See request.h */
#include "tools/bhd/request.h"

#include <string.h>

#include "tools/bhd/console.h"
#include "tools/bhd/debug.h"
#include "tools/bhd/events.h"
#include "tools/bhd/life.h"
#include "tools/bhd/metrics.h"
#include "tools/bhd/stats.h"
#include "tools/bhd/trace.h"

static void show_console(struct client *c, struct json_object *o)
{
	const char *name = wire_string(o, "name");

	session_start(c, name ? name : "", wire_bool(o, "follow"),
		      wire_bool(o, "type") && !c->bhd->look_only);
}

static const struct request {
	const char *name;
	bool looks; /* changes nothing */
	struct json_object *(*look)(struct bhd *b, struct json_object *o,
				    struct failure *f);
	void (*act)(struct client *c, struct json_object *o);
} requests[] = {
	{ "list", true, look_list, NULL },
	{ "info", true, look_info, NULL },
	{ "top", true, look_top, NULL },
	{ "audit", true, look_audit, NULL },
	{ "metrics", true, look_metrics, NULL },
	{ "stats", true, look_stats, NULL },
	{ "metering", true, look_metering, NULL },
	{ "meter", false, change_metering, NULL },
	{ "trace", false, NULL, trace_begin },
	{ "console", true, NULL, show_console },
	{ "events", true, NULL, events_show },
	{ "last_exits", true, look_last_exits, NULL },
	{ "inspect", true, NULL, inspect_show },
	{ "memory", true, NULL, inspect_memory },
	{ "translate", true, NULL, debug_translate },
	{ "debug", false, NULL, debug_act },
	{ "registers", false, NULL, debug_registers },
	{ "poke", false, NULL, debug_poke },
	{ "pause", false, NULL, act_pause },
	{ "resume", false, NULL, act_resume },
	{ "stop", false, NULL, act_stop },
	{ "reset", false, NULL, act_reset },
	{ "destroy", false, NULL, act_destroy },
	{ "set", false, NULL, act_set },
	{ "create", false, NULL, life_create },
	{ "start", false, NULL, act_start },
};

static const struct request *request_find(const char *name)
{
	for (u32 i = 0; name && i < ARRAY_SIZE(requests); i++)
		if (!strcmp(requests[i].name, name))
			return &requests[i];
	return NULL;
}

static const struct request *
request_judge(const struct client *c, struct json_object *o, struct failure *f)
{
	u64 protocol = wire_number(o, "protocol", 0);
	const struct request *r = request_find(wire_string(o, "do"));

	if (protocol != WIRE_PROTOCOL) {
		failed(f, FAIL_NO_BULKHEAD,
		       "bhctl speaks protocol %llu and bhd %u; install the "
		       "tools "
		       "of one release and restart bhd (systemctl restart bhd)",
		       protocol, WIRE_PROTOCOL);
		return NULL;
	}
	if (!r) {
		failed(f, FAIL_NO_BULKHEAD,
		       "this bhd is older than bhctl and cannot do it; restart "
		       "it (systemctl restart bhd)");
		return NULL;
	}
	if (!r->looks && c->bhd->look_only) {
		failed(f, FAIL_NO_BULKHEAD,
		       "bhd does not run, and without it nothing can be "
		       "changed; "
		       "start it (systemctl start bhd)");
		return NULL;
	}
	return r;
}

void request_take(struct client *c, struct json_object *o)
{
	struct json_object *reply = NULL;
	struct failure f;
	const struct request *r = request_judge(c, o, &f);

	if (r && r->act) {
		r->act(c, o);
		return;
	}
	if (r)
		reply = r->look(c->bhd, o, &f);
	if (reply)
		client_reply(c, reply);
	else
		client_fail(c, &f);
}
