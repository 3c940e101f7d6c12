/* SPDX-License-Identifier: BSD-2-Clause */
/* See args.h */
#include "tools/bhctl/args.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "tools/control/wire.h"

#define TIMEOUT_MAX 86400u
#define CPUS_MAX    128u
#define SECONDS_MAX 3600u
#define PORT_MAX    65535u
/* All commands take these */
#define COMMON "hSV"

static const struct option options[] = {
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'V' },
	{ "socket", required_argument, NULL, 'S' },
	{ "json", no_argument, NULL, 'j' },
	{ "follow", no_argument, NULL, 'f' },
	{ "read-only", no_argument, NULL, 'r' },
	{ "dump", no_argument, NULL, 'd' },
	{ "http", no_argument, NULL, 'H' },
	{ "timeout", required_argument, NULL, 't' },
	{ "listen", required_argument, NULL, 'L' },
	{ "kernel", required_argument, NULL, 'k' },
	{ "initrd", required_argument, NULL, 'i' },
	{ "firmware", required_argument, NULL, 'F' },
	{ "cmdline", required_argument, NULL, 'a' },
	{ "fw-cfg", required_argument, NULL, 'w' },
	{ "memory", required_argument, NULL, 'm' },
	{ "cpus", required_argument, NULL, 'c' },
	{ "name", required_argument, NULL, 'n' },
	{ "seconds", required_argument, NULL, 's' },
	{ "output", required_argument, NULL, 'o' },
	{ NULL, 0, NULL, 0 },
};

static const char *option_name(int letter)
{
	for (const struct option *o = options; o->name; o++)
		if (o->val == letter)
			return o->name;
	return "?";
}

static int number_read(const char *text, u64 max, const char *what, u64 *value,
		       struct failure *f)
{
	char *end;

	errno = 0;
	*value = strtoull(text, &end, 10);
	if (*text >= '0' && *text <= '9' && !*end && !errno && *value <= max)
		return 0;
	return failed(f, FAIL_USAGE, "--%s %.40s: write a number up to %llu",
		      what, text, max);
}

/* A path, "-", or digits alone: a port */
static int listen_take(struct args *a, const char *text, struct failure *f)
{
	u64 n = 0;

	a->listen = text;
	if (!*text || text[strspn(text, "0123456789")])
		return 0;
	if (strlen(text) <= 5)
		n = strtoull(text, NULL, 10);
	if (!n || n > PORT_MAX)
		return failed(f, FAIL_USAGE,
			      "%.40s is no port; write 1 to %u, or the path of "
			      "a socket with a / in it",
			      text, PORT_MAX);
	a->port = (u16)n;
	return 0;
}

static int option_take(struct args *a, int letter, struct failure *f)
{
	u64 n;

	switch (letter) {
	case 'S':
		a->socket = optarg;
		return 0;
	case 'j':
		a->json = true;
		return 0;
	case 'f':
		a->follow = true;
		return 0;
	case 'r':
		a->read_only = true;
		return 0;
	case 'd':
		a->dump = true;
		return 0;
	case 'H':
		a->http = true;
		return 0;
	case 't':
		a->has_timeout = true;
		return number_read(optarg, TIMEOUT_MAX, "timeout",
				   &a->timeout_s, f);
	case 'L':
		return listen_take(a, optarg, f);
	case 'k':
		a->kernel = optarg;
		return 0;
	case 'i':
		a->initrd = optarg;
		return 0;
	case 'F':
		a->firmware = optarg;
		return 0;
	case 'a':
		a->cmdline = optarg;
		return 0;
	case 'w':
		if (a->fw_cfg_count == ARRAY_SIZE(a->fw_cfg))
			return failed(f, FAIL_USAGE,
				      "--fw-cfg is given more than %u times",
				      a->fw_cfg_count);
		a->fw_cfg[a->fw_cfg_count++] = optarg;
		return 0;
	case 'm':
		a->memory = optarg;
		return 0;
	case 'n':
		a->name = optarg;
		return 0;
	case 'o':
		a->output = optarg;
		return 0;
	case 's':
		if (number_read(optarg, SECONDS_MAX, "seconds", &a->seconds, f))
			return -1;
		return a->seconds ? 0
				  : failed(f, FAIL_USAGE,
					   "--seconds 0: write at least 1");
	case 'c':
		if (number_read(optarg, CPUS_MAX, "cpus", &n, f))
			return -1;
		a->cpus = (u32)n;
		return n ? 0
			 : failed(f, FAIL_USAGE, "--cpus 0: write at least 1");
	default:
		return failed(f, FAIL_USAGE, "bhctl --help shows the options");
	}
}

static const struct command *command_find(const char *name)
{
	for (const struct command *c = commands; c->name; c++)
		if (!strcmp(c->name, name))
			return c;
	return NULL;
}

static int unknown(const char *name, struct failure *f)
{
	return failed(f, FAIL_USAGE,
		      "%.40s is no command; bhctl --help shows them", name);
}

/* All that is left: one at least */
static int settings_take(struct args *a, int argc, char **argv,
			 struct failure *f)
{
	a->settings = argv + optind;
	a->setting_count = (u32)(argc - optind);
	if (a->setting_count)
		return 0;
	return failed(f, FAIL_USAGE,
		      "bhctl %s NAME KEY=VALUE: say what is to be set",
		      a->command->name);
}

/* What the command wants, one by one, as the help names them */
static int operand_take(struct args *a, int argc, char **argv,
			struct failure *f)
{
	static const char *const wanted[][2] = {
		[OPERAND_NONE] = { NULL, NULL },
		[OPERAND_GUEST] = { "NAME", NULL },
		[OPERAND_FILE] = { "FILE", NULL },
		[OPERAND_DUMP] = { "NAME", "FILE" },
		[OPERAND_MAYBE] = { "word", NULL },
		[OPERAND_SETTINGS] = { "NAME" },
		[OPERAND_MAYBE_GUEST] = { "NAME", NULL },
	};
	/* Said of one that is missing; none: it may be */
	static const char *const which[][2] = {
		[OPERAND_GUEST] = { "which guest, bhctl list shows them" },
		[OPERAND_FILE] = { "which file has the definition" },
		[OPERAND_DUMP] = { "which guest, bhctl list shows them",
				   "where the core is to be written" },
		[OPERAND_SETTINGS] = { "which guest, bhctl list shows them" },
		[OPERAND_MAYBE_GUEST] = { NULL },
	};
	const struct command *c = a->command;
	const char *const *what = wanted[c->operand];
	const char **to[] = { &a->operand, &a->file };
	u32 i;

	for (i = 0; i < ARRAY_SIZE(to) && what[i]; i++) {
		if (optind >= argc && !which[c->operand][i])
			return 0;
		if (optind >= argc)
			return failed(f, FAIL_USAGE,
				      "bhctl %s: %s is missing: say %s",
				      c->name, what[i], which[c->operand][i]);
		*to[i] = argv[optind++];
	}
	if (c->operand == OPERAND_SETTINGS)
		return settings_take(a, argc, argv, f);
	if (optind >= argc)
		return 0;
	if (!i)
		return failed(f, FAIL_USAGE, "bhctl %s takes no %.40s", c->name,
			      argv[optind]);
	return failed(f, FAIL_USAGE, "bhctl %s takes one %s, not %.40s",
		      c->name, what[i - 1], argv[optind]);
}

/* What stands behind help, or beside --help: a command, or nothing */
static int help_take(struct args *a, int argc, char **argv, struct failure *f)
{
	a->help = true;
	while (optind < argc && !strcmp(argv[optind], "help"))
		optind++;
	if (optind >= argc)
		return 0;
	a->command = command_find(argv[optind]);
	return a->command ? 0 : unknown(argv[optind], f);
}

/* All options; @seen: their letters. --help: those behind it do not matter. */
static int options_take(struct args *a, int argc, char **argv, char seen[64],
			struct failure *f)
{
	int c;

	while ((c = getopt_long(argc, argv, ":hVjfrdn:o:", options, NULL)) !=
	       -1) {
		a->help |= c == 'h';
		a->version |= c == 'V';
		if (a->help || a->version)
			continue;
		if (c == ':')
			return failed(f, FAIL_USAGE,
				      "%.40s: its value is missing, say %.40s "
				      "VALUE",
				      argv[optind - 1], argv[optind - 1]);
		if (c == '?')
			return failed(f, FAIL_USAGE,
				      "%.40s is no option; bhctl --help shows "
				      "them",
				      argv[optind - 1]);
		if (strlen(seen) < 63)
			seen[strlen(seen)] = (char)c;
		if (option_take(a, c, f))
			return -1;
	}
	return 0;
}

int args_read(struct args *a, int argc, char **argv, struct failure *f)
{
	char seen[64] = "";

	*a = (struct args){ .socket = WIRE_SOCKET };
	optind = 0;
	opterr = 0;
	if (options_take(a, argc, argv, seen, f))
		return -1;
	if (a->version)
		return 0;
	if (a->help || (optind < argc && !strcmp(argv[optind], "help")))
		return help_take(a, argc, argv, f);
	if (optind >= argc)
		return failed(f, FAIL_USAGE,
			      "say what to do; bhctl --help shows it");
	a->command = command_find(argv[optind]);
	if (!a->command)
		return unknown(argv[optind], f);
	optind++;
	for (const char *s = seen; *s; s++)
		if (!strchr(COMMON, *s) && !strchr(a->command->options, *s))
			return failed(f, FAIL_USAGE, "bhctl %s takes no --%s",
				      a->command->name, option_name(*s));
	return operand_take(a, argc, argv, f);
}

/* --- the help: names, then what they do, then what they take --- */

#define HELP_TEXT_AT 26
#define HELP_COLUMNS 79

/* What an option is given, for the help; NULL: nothing */
static const char *value_of(int letter)
{
	static const struct {
		int letter;
		const char *value;
	} values[] = {
		{ 't', "SECONDS" }, { 'L', "PATH|PORT|-" },
		{ 'k', "FILE" },    { 'i', "FILE" },
		{ 'F', "FILE" },    { 'a', "WORDS" },
		{ 'm', "256M" },    { 'c', "N" },
		{ 'n', "NAME" },    { 's', "N" },
		{ 'o', "FILE" },    { 'w', "'NAME FILE'" },
	};

	for (u32 i = 0; i < ARRAY_SIZE(values); i++)
		if (values[i].letter == letter)
			return values[i].value;
	return NULL;
}

static void option_text(char *text, size_t size, int letter)
{
	const char *value = value_of(letter);

	snprintf(text, size, "[--%s%s%s]", option_name(letter),
		 value ? " " : "", value ? value : "");
}

/* Behind what is in column @at, and in more lines, none of them too long */
static void options_help(FILE *to, const char *letters, int at)
{
	for (; *letters; letters++) {
		char text[64];

		option_text(text, sizeof(text), *letters);
		if (at + 1 + (int)strlen(text) > HELP_COLUMNS)
			at = fprintf(to, "\n%*s", HELP_TEXT_AT, "") - 1;
		else
			at += fprintf(to, " ");
		at += fprintf(to, "%s", text);
	}
	fputc('\n', to);
}

void args_help(FILE *to, const struct command *only)
{
	static const char *const operands[] = {
		"",           " NAME",   " FILE",
		" NAME FILE", " [WHAT]", " NAME KEY=VALUE...",
		" [NAME]",
	};

	if (!only)
		fputs("bhctl COMMAND [OPTION...]: Bulkhead's guests, from "
		      "inside the "
		      "privileged one\n\n",
		      to);
	for (const struct command *c = commands; c->name; c++) {
		int at;

		if (only && c != only)
			continue;
		at = fprintf(to, "  %s%-*s%s", c->name,
			     HELP_TEXT_AT - 2 - (int)strlen(c->name),
			     operands[c->operand], c->text);
		options_help(to, c->options, at);
	}
	if (!only)
		fputs("\n  --socket PATH           where bhd listens;\n"
		      "                          " WIRE_SOCKET "\n"
		      "  --help                  this; beside a command, its "
		      "part\n"
		      "  --version               of bhctl, and of the "
		      "hypervisor\n",
		      to);
	fputs("\nman bhctl has the rest, the exit status, too.\n", to);
}
