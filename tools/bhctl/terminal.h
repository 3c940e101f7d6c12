/* SPDX-License-Identifier: BSD-2-Clause */
/* A console on this terminal: bytes both ways until Ctrl-], or the other end */
#ifndef TOOLS_BHCTL_TERMINAL_H
#define TOOLS_BHCTL_TERMINAL_H

#include "tools/bhctl/link.h"

/* The link is a console's (wire.h). @types: keys go there. Returns when it is
 * left. */
int terminal_show(struct link *l, bool types, struct failure *f);

#endif
