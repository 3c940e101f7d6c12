/* SPDX-License-Identifier: BSD-2-Clause */
/* See fail.h */
#include "tools/control/fail.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char *const names[FAIL_KINDS] = {
	[FAIL_NONE] = "none",
	[FAIL_OTHER] = "other",
	[FAIL_USAGE] = "usage",
	[FAIL_NO_GUEST] = "no-guest",
	[FAIL_STATE] = "state",
	[FAIL_DENIED] = "denied",
	[FAIL_NO_BULKHEAD] = "no-bulkhead",
	[FAIL_NO_ROOM] = "no-room",
	[FAIL_DEFINITION] = "definition",
	[FAIL_TIMEOUT] = "timeout",
};

int failed(struct failure *f, enum fail_kind kind, const char *fmt, ...)
{
	va_list ap;

	if (!f)
		return -1;
	f->kind = kind;
	va_start(ap, fmt);
	vsnprintf(f->text, sizeof(f->text), fmt, ap);
	va_end(ap);
	return -1;
}

const char *fail_name(enum fail_kind kind)
{
	return kind < FAIL_KINDS ? names[kind] : names[FAIL_OTHER];
}

enum fail_kind fail_kind_of(const char *name)
{
	for (u32 i = FAIL_OTHER; name && i < FAIL_KINDS; i++)
		if (!strcmp(names[i], name))
			return (enum fail_kind)i;
	return FAIL_OTHER;
}

void text_clean(char *text)
{
	for (; *text; text++)
		if (*text < ' ' || *text > '~')
			*text = '?';
}
