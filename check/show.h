/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The report on a screen, page by page. Freestanding; no state, no lock, any
 * context.
 */
#ifndef CHECK_SHOW_H
#define CHECK_SHOW_H

#include "check/facts.h"
#include "lib/types.h"

/* Whoever shows it. @line gets one line of at most @columns characters, with no
 * line feed; @pause returns when the person wants the next page. */
struct check_view {
	u32 columns, rows; /* at least 20 and 4 */
	void (*line)(const char *text);
	void (*pause)(void);
};
/* Shows all verdicts, and the summary before and behind them. The last page
 * has no pause. */
void check_show(const struct check_facts *f, const struct check_view *v);

#endif
