/* SPDX-License-Identifier: BSD-2-Clause */
/* bhctl's command line: which commands there are and what each takes. Pure. */
#ifndef TOOLS_BHCTL_ARGS_H
#define TOOLS_BHCTL_ARGS_H

#include <stdio.h>

#include "hv/manifest/manifest.h"
#include "lib/types.h"
#include "tools/control/fail.h"

struct args;

enum operand {
	OPERAND_NONE,
	OPERAND_GUEST,
	OPERAND_FILE,
	OPERAND_DUMP,  /* a guest and a file */
	OPERAND_MAYBE, /* a word, or none */
	OPERAND_SETTINGS,
	OPERAND_MAYBE_GUEST,
};

struct command {
	const char *name;
	enum operand operand;
	const char *options; /* the letters of those that it takes */
	const char *text;    /* one line for the help */
	/* Returns the exit status */
	int (*run)(const struct args *a, struct failure *f);
};

struct args {
	const struct command *command;
	const char *operand;
	const char *file; /* OPERAND_DUMP: the second */
	char **settings;  /* OPERAND_SETTINGS: what follows the guest's name */
	u32 setting_count;
	const char *socket;
	const char *listen; /* bhctl gdb */
	u16 port;           /* that it is; 0: it is none */
	bool json, follow, read_only, dump, http, help, version;
	u64 timeout_s;
	bool has_timeout;
	/* bhctl run */
	const char *kernel, *initrd, *firmware, *cmdline, *memory, *name;
	const char *fw_cfg[MANIFEST_MAX_FILES];
	u32 fw_cfg_count;
	u32 cpus;
	/* bhctl trace; 0 and NULL: not given */
	u64 seconds;
	const char *output;
};

/* The commands, ended by a row with no name; defined in main.c */
extern const struct command commands[];

/* 0, or -1: FAIL_USAGE with what is wrong. With @a->help and @a->version
 * nothing is to be run: @a->command is the one that the help is about, or NULL.
 */
int args_read(struct args *a, int argc, char **argv,
	      struct failure *f) __must_check;
/* Of all commands; or of @only, unless it is NULL */
void args_help(FILE *to, const struct command *only);

#endif
