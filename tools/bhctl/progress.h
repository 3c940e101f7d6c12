/* SPDX-License-Identifier: BSD-2-Clause */
/* A bar on the terminal while something long goes on; nothing where standard
 * error is no terminal. */
#ifndef TOOLS_BHCTL_PROGRESS_H
#define TOOLS_BHCTL_PROGRESS_H

#include "lib/types.h"

void progress_show(const char *what, u64 done, u64 total);
/* Takes the bar away, if there is one */
void progress_end(void);
/* The bar's text, of at most @columns, for @done of @total; its length */
int progress_text(char *text, size_t size, u32 columns, const char *what,
		  u64 done, u64 total);

#endif
