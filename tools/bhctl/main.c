/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bhctl: the command by which people make, watch and end Bulkhead's guests from
 * inside the privileged one (docs/bhctl.md). It asks bhd. The exit status is
 * enum fail_kind.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "include/bulkhead/control.h"
#include "include/bulkhead/version.h"
#include "tools/bhctl/args.h"
#include "tools/bhctl/dump.h"
#include "tools/bhctl/gdb.h"
#include "tools/bhctl/http.h"
#include "tools/bhctl/link.h"
#include "tools/bhctl/make.h"
#include "tools/bhctl/proof.h"
#include "tools/bhctl/settings.h"
#include "tools/bhctl/show.h"
#include "tools/bhctl/stats.h"
#include "tools/bhctl/terminal.h"
#include "tools/bhctl/top.h"
#include "tools/bhctl/trace.h"
#include "tools/control/meter.h"

/* Asks once, about the guest of the command line if there is one */
static int ask(const struct args *a, struct json_object *request,
	       struct json_object **reply, struct failure *f)
{
	struct link l;
	int err;

	if (a->operand)
		wire_add_string(request, "name", a->operand);
	if (link_open(&l, a->socket, f)) {
		json_object_put(request);
		return -1;
	}
	err = link_ask(&l, request, reply, f);
	link_close(&l);
	return err;
}

static int look(const struct args *a, const char *what,
		void (*show)(FILE *to, struct json_object *reply),
		struct failure *f)
{
	struct json_object *reply;

	if (ask(a, link_request(what), &reply, f))
		return -1;
	(a->json ? show_json : show)(stdout, reply);
	json_object_put(reply);
	return 0;
}

static int run_list(const struct args *a, struct failure *f)
{
	return look(a, "list", show_list, f);
}

static bool stands(struct json_object *guest)
{
	const char *state = wire_string(guest, "state");

	return !strcmp(state, "paused") || !strcmp(state, "crashed");
}

/* Those of one that stands. It may go on, or be gone, meanwhile. */
static int last_exits_add(const struct args *a, struct json_object *guest,
			  struct failure *f)
{
	struct json_object *list = json_object_new_array(), *reply;

	wire_add(guest, "last_exits", list);
	if (!stands(guest))
		return 0;
	if (ask(a, link_request("last_exits"), &reply, f))
		return f->kind == FAIL_STATE || f->kind == FAIL_NO_GUEST ? 0
									 : -1;
	if (json_object_object_get_ex(reply, "last_exits", &list))
		wire_add(guest, "last_exits", json_object_get(list));
	json_object_put(reply);
	return 0;
}

/* The machine, or one guest */
static int run_info(const struct args *a, struct failure *f)
{
	struct json_object *reply, *guest;
	int err = 0;

	if (!a->operand)
		return look(a, "info", show_info, f);
	if (ask(a, link_request("list"), &reply, f))
		return -1;
	guest = show_guest_of(reply, a->operand);
	if (guest)
		err = last_exits_add(a, guest, f);
	if (!err)
		err = show_guest(stdout, reply, a->operand, a->json, f);
	json_object_put(reply);
	return err;
}

static int run_audit(const struct args *a, struct failure *f)
{
	struct json_object *reply;
	int err;

	if (ask(a, link_request("audit"), &reply, f))
		return -1;
	err = audit_show(a, reply, f);
	json_object_put(reply);
	return err;
}

/* All in one request: the hypervisor does all or nothing */
static int run_set(const struct args *a, struct failure *f)
{
	struct json_object *request, *reply;
	char text[BH_CTL_IN_MAX] = "";
	size_t len = 0;

	if (settings_check(a->settings, a->setting_count, f))
		return -1;
	request = link_request("set");
	for (u32 i = 0; i < a->setting_count; i++) {
		int n = snprintf(text + len, sizeof(text) - len, "%s\n",
				 a->settings[i]);

		if (n >= (int)(sizeof(text) - len)) {
			json_object_put(request);
			return failed(f, FAIL_USAGE,
				      "too much is to be set at once");
		}
		len += (size_t)n;
	}
	wire_add_string(request, "settings", text);
	if (ask(a, request, &reply, f))
		return -1;
	json_object_put(reply);
	return 0;
}

static int run_act(const struct args *a, struct failure *f)
{
	struct json_object *request = link_request(a->command->name);
	struct json_object *reply;

	if (a->has_timeout)
		wire_add_number(request, "timeout_seconds", a->timeout_s);
	if (ask(a, request, &reply, f))
		return -1;
	json_object_put(reply);
	return 0;
}

static void greet(const char *name, struct json_object *reply)
{
	if (!isatty(STDIN_FILENO) || !isatty(STDERR_FILENO))
		return;
	fprintf(stderr, "--- %s%s --- Ctrl-%c leaves ---\n", name,
		wire_bool(reply, "busy")
			? ", read-only: somebody else types there"
		: wire_bool(reply, "read_only") ? ", read-only"
						: "",
		terminal_leave_letter());
}

static int console_show(const struct args *a, const char *name, bool live,
			struct failure *f)
{
	struct json_object *request = link_request("console");
	bool types = live && !a->read_only;
	struct json_object *reply;
	struct link l;
	int err;

	wire_add_string(request, "name", name);
	wire_add(request, "follow", json_object_new_boolean(live));
	wire_add(request, "type", json_object_new_boolean(types));
	if (link_open(&l, a->socket, f)) {
		json_object_put(request);
		return -1;
	}
	err = link_ask(&l, request, &reply, f);
	if (!err) {
		if (live && wire_bool(reply, "own") &&
		    terminal_is_own(STDOUT_FILENO))
			err = failed(
				f, FAIL_USAGE,
				"%s is this console itself; use a terminal "
				"of SSH, or --dump",
				name);
		else if (live)
			greet(name, reply);
		types = !wire_bool(reply, "read_only");
		json_object_put(reply);
		if (!err)
			err = terminal_show(&l, types, f);
	}
	link_close(&l);
	return err;
}

static int run_console(const struct args *a, struct failure *f)
{
	return console_show(a, a->operand, !a->dump, f);
}

static int run_log(const struct args *a, struct failure *f)
{
	return console_show(a, "log", a->follow, f);
}

/* A line each, also for programs */
static void print_event(const struct args *a, struct json_object *event)
{
	if (a->json)
		puts(json_object_to_json_string_ext(
			event, JSON_C_TO_STRING_PLAIN |
				       JSON_C_TO_STRING_NOSLASHESCAPE));
	else
		show_event(stdout, event);
	fflush(stdout);
}

static void print_events(const struct args *a, struct json_object *reply)
{
	struct json_object *events;

	if (!json_object_object_get_ex(reply, "events", &events))
		return;
	for (size_t i = 0; i < json_object_array_length(events); i++)
		print_event(a, json_object_array_get_idx(events, i));
}

static int follow_events(const struct args *a, struct link *l,
			 struct failure *f)
{
	struct json_object *event;

	while (!link_event(l, &event, f)) {
		print_event(a, event);
		json_object_put(event);
	}
	return -1;
}

static int run_events(const struct args *a, struct failure *f)
{
	struct json_object *request = link_request("events");
	struct json_object *reply;
	struct link l;
	int err;

	wire_add(request, "follow", json_object_new_boolean(a->follow));
	if (link_open(&l, a->socket, f)) {
		json_object_put(request);
		return -1;
	}
	err = link_ask(&l, request, &reply, f);
	if (!err) {
		print_events(a, reply);
		json_object_put(reply);
		if (a->follow)
			err = follow_events(a, &l, f);
	}
	link_close(&l);
	return err;
}

static int run_stats(const struct args *a, struct failure *f)
{
	return look(a, "stats", show_stats, f);
}

/* What is metered; or from now on, the operand */
static int run_metering(const struct args *a, struct failure *f)
{
	struct args no_operand = *a;
	struct json_object *request, *reply;

	if (!a->operand)
		return look(a, "metering", show_metering, f);
	if (metering_of(a->operand) == BH_CTL_METERINGS)
		return failed(f, FAIL_USAGE,
			      "%.40s is not metered; write off, counters or "
			      "histograms",
			      a->operand);
	no_operand.operand = NULL;
	request = link_request("meter");
	wire_add_string(request, "what", a->operand);
	if (ask(&no_operand, request, &reply, f))
		return -1;
	(a->json ? show_json : show_metering)(stdout, reply);
	json_object_put(reply);
	return 0;
}

static int run_top(const struct args *a, struct failure *f)
{
	return a->json ? look(a, "top", show_json, f) : top_show(a->socket, f);
}

/* The hypervisor may not be there, or not for this user: that is no failure
 * of what was asked */
static void version_show(const struct args *a)
{
	struct json_object *reply;
	struct failure f;

	puts("bhctl " BULKHEAD_VERSION);
	if (ask(a, link_request("info"), &reply, &f)) {
		printf("the hypervisor's is not known: %s\n", f.text);
		return;
	}
	printf("hypervisor: %s\n", wire_string(reply, "build")
					   ? wire_string(reply, "build")
					   : "unknown");
	json_object_put(reply);
}

const struct command commands[] = {
	{ "list", OPERAND_NONE, "j", "the guests", run_list },
	{ "info", OPERAND_MAYBE_GUEST, "j", "the machine, or a guest",
	  run_info },
	{ "top", OPERAND_NONE, "j",
	  "a live screen: guests, vCPUs, exits, cores", run_top },
	{ "stats", OPERAND_GUEST, "j",
	  "how long its exits, interrupts and waits take", run_stats },
	{ "metering", OPERAND_MAYBE, "j",
	  "what is counted: off, counters or histograms", run_metering },
	{ "trace", OPERAND_NONE, "so",
	  "what cores do, for Perfetto's and Chrome's viewers", trace_run },
	{ "audit", OPERAND_NONE, "j",
	  "what each guest reaches, and that none overlap", run_audit },
	{ "console", OPERAND_GUEST, "rd",
	  "what it said and says; Ctrl-] leaves, on ttyS0 Ctrl-\\",
	  run_console },
	{ "events", OPERAND_NONE, "fj",
	  "what happened to guests since bhd started", run_events },
	{ "metrics", OPERAND_NONE, "H", "all of it as Prometheus text",
	  http_metrics },
	{ "log", OPERAND_NONE, "f", "the hypervisor's log", run_log },
	{ "run", OPERAND_NONE, "kiFawmcn",
	  "a guest of a kernel or firmware; its name is printed", make_run },
	{ "create", OPERAND_FILE, "",
	  "a guest of a definition, which bhd keeps and starts", make_create },
	{ "check", OPERAND_FILE, "", "is the definition or manifest right?",
	  make_check },
	{ "start", OPERAND_GUEST, "",
	  "one that has ended, of create or the manifest", run_act },
	{ "stop", OPERAND_GUEST, "t",
	  "its power button; after 30 s or the time-out, off", run_act },
	{ "destroy", OPERAND_GUEST, "",
	  "it ends at once and its memory is free", run_act },
	{ "pause", OPERAND_GUEST, "", "none of it runs until resume", run_act },
	{ "resume", OPERAND_GUEST, "", "it goes on", run_act },
	{ "reset", OPERAND_GUEST, "", "it starts anew", run_act },
	{ "dump", OPERAND_DUMP, "j",
	  "its registers and memory as a core for gdb and crash", dump_run },
	{ "gdb", OPERAND_GUEST, "L",
	  "gdb's remote protocol, on a socket, a port or -", gdb_run },
	{ "set", OPERAND_SETTINGS, "",
	  "what can change of it: weight=100 cap=50%", run_set },
	{ NULL, OPERAND_NONE, NULL, NULL, NULL },
};

int main(int argc, char **argv)
{
	struct failure f = { FAIL_OTHER, "" };
	struct args a;

	if (!args_read(&a, argc, argv, &f)) {
		if (a.version || a.help) {
			if (a.version)
				version_show(&a);
			else
				args_help(stdout, a.command);
			return 0;
		}
		if (!a.command->run(&a, &f))
			return 0;
	}
	fprintf(stderr, "bhctl: %s\n", f.text);
	return (int)f.kind;
}
