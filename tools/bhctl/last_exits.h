/* SPDX-License-Identifier: BSD-2-Clause */
/* What the last exits of a guest's vCPUs were ("last_exits" of bhd's answers),
 * for a person and for the note of a core */
#ifndef TOOLS_BHCTL_LAST_EXITS_H
#define TOOLS_BHCTL_LAST_EXITS_H

#include <stdio.h>

#include "tools/control/wire.h"

/* Lines: per vCPU its last kinds, then those with their places, below a line
 * that says what they are. @reply has
 * "last_exits", or nothing is written. */
void last_exits_show(FILE *to, struct json_object *reply);

#endif
