/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Why something could not be done: a kind, which is bhctl's exit status and
 * goes over the socket by name, and one sentence with the cause and the cure.
 * Used by tools/control, bhd and bhctl. Pure.
 */
#ifndef TOOLS_CONTROL_FAIL_H
#define TOOLS_CONTROL_FAIL_H

#include "lib/types.h"

/* The values are bhctl's exit status (docs/bhctl.md) */
enum fail_kind {
	FAIL_NONE,
	FAIL_OTHER,
	FAIL_USAGE,
	FAIL_NO_GUEST,
	FAIL_STATE,       /* the guest's state or name forbids it */
	FAIL_DENIED,      /* the caller may not */
	FAIL_NO_BULKHEAD, /* no hypervisor, device, module or daemon */
	FAIL_NO_ROOM,     /* memory or a limit */
	FAIL_DEFINITION,  /* the definition or a file of it */
	FAIL_TIMEOUT,
	FAIL_KINDS
};

#define FAIL_TEXT_BYTES 512

struct failure {
	enum fail_kind kind;
	char text[FAIL_TEXT_BYTES];
};

/* Fills @f, which may be NULL, and returns -1 */
int failed(struct failure *f, enum fail_kind kind, const char *fmt, ...)
	__printf(3, 4);
/* "no-guest", ...; FAIL_OTHER for a name that is none */
const char *fail_name(enum fail_kind kind);
enum fail_kind fail_kind_of(const char *name);
/* Bytes of others, shown in a sentence: what is not printable ASCII is '?' */
void text_clean(char *text);

#endif
