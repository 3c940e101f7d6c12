/* SPDX-License-Identifier: BSD-2-Clause */
/* bhctl run, create and check: guests from files. Each is a command's function
 * (args.h). */
#ifndef TOOLS_BHCTL_MAKE_H
#define TOOLS_BHCTL_MAKE_H

#include "tools/bhctl/args.h"

int make_run(const struct args *a, struct failure *f);
int make_create(const struct args *a, struct failure *f);
int make_check(const struct args *a, struct failure *f);

/* The definition of what bhctl run is told, of @size bytes at most; its files
 * are "kernel" and "initrd" */
int make_definition(const struct args *a, const char *name, char *text,
		    size_t size, struct failure *f) __must_check;

#endif
