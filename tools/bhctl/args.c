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
/* All commands take these */
#define COMMON "hS"

static const struct option options[] = {
	{ "help", no_argument, NULL, 'h' },
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
		a->listen = optarg;
		return 0;
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
	};
	const struct command *c = a->command;
	const char *const *what = wanted[c->operand];
	const char **to[] = { &a->operand, &a->file };
	u32 i;

	for (i = 0; i < ARRAY_SIZE(to) && what[i]; i++) {
		if (optind >= argc && c->operand == OPERAND_MAYBE)
			return 0;
		if (optind >= argc)
			return failed(f, FAIL_USAGE,
				      "bhctl %s %s: it is missing", c->name,
				      what[i]);
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

int args_read(struct args *a, int argc, char **argv, struct failure *f)
{
	char seen[64] = "";
	int c;

	*a = (struct args){ .socket = WIRE_SOCKET };
	optind = 0;
	opterr = 0;
	while ((c = getopt_long(argc, argv, "hjfrdn:o:", options, NULL)) !=
	       -1) {
		if (c == '?')
			return failed(f, FAIL_USAGE,
				      "%.40s is no option, or lacks its value; "
				      "bhctl --help shows them",
				      argv[optind - 1]);
		if (c == 'h')
			return 0;
		if (strlen(seen) < sizeof(seen) - 1)
			seen[strlen(seen)] = (char)c;
		if (option_take(a, c, f))
			return -1;
	}
	if (optind >= argc)
		return failed(f, FAIL_USAGE,
			      "say what to do; bhctl --help shows it");
	a->command = command_find(argv[optind]);
	if (!a->command)
		return failed(f, FAIL_USAGE,
			      "%.40s is no command; bhctl --help shows them",
			      argv[optind]);
	optind++;
	for (const char *s = seen; *s; s++)
		if (!strchr(COMMON, *s) && !strchr(a->command->options, *s))
			return failed(f, FAIL_USAGE, "bhctl %s takes no --%s",
				      a->command->name, option_name(*s));
	return operand_take(a, argc, argv, f);
}

void args_help(FILE *to)
{
	static const char *const operands[] = {
		"",           " NAME",   " FILE",
		" NAME FILE", " [WHAT]", " NAME KEY=VALUE..."
	};

	fputs("bhctl COMMAND [OPTION...]: Bulkhead's guests, from inside the "
	      "privileged one\n\n",
	      to);
	for (const struct command *c = commands; c->name; c++) {
		fprintf(to, "  %s%-*s %s", c->name, 12 - (int)strlen(c->name),
			operands[c->operand], c->text);
		for (const char *s = c->options; *s; s++)
			fprintf(to, " [--%s]", option_name(*s));
		fputc('\n', to);
	}
	fputs("\n  --socket PATH   where bhd listens; " WIRE_SOCKET "\n"
	      "man bhctl has the rest, the exit status, too.\n",
	      to);
}
