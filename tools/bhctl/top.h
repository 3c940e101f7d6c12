/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bhctl top: a live screen of the guests, one guest's vCPUs and exits, and the
 * cores. What counts up is shown by the second, between two looks.
 */
#ifndef TOOLS_BHCTL_TOP_H
#define TOOLS_BHCTL_TOP_H

#include <stdio.h>

#include "tools/control/wire.h"

/* Shows it until q is typed */
int top_show(const char *socket, struct failure *f);

/* The screen as text: the replies of two looks, the second of which may be
 * NULL, which guest is chosen, and how wide the screen is: lists go on in the
 * next line, between two of their items. Returns the line that the chosen guest
 * is on. */
u32 top_text(FILE *to, struct json_object *now, struct json_object *before,
	     u32 chosen, u32 columns);

#endif
