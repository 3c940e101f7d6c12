/* SPDX-License-Identifier: BSD-2-Clause */
/* A console on this terminal: bytes both ways until Ctrl-], or the other end */
#ifndef TOOLS_BHCTL_TERMINAL_H
#define TOOLS_BHCTL_TERMINAL_H

#include "tools/bhctl/link.h"

/* Is @fd the privileged guest's own console? There the hypervisor keeps Ctrl-]
 * for itself, and what that console says comes back to it without end. */
bool terminal_is_own(int fd);
/* The letter that leaves with Ctrl: ], or \\ on the own console */
char terminal_leave_letter(void);
/* The link is a console's (wire.h). @types: keys go there. Returns when it is
 * left. What it wrote ends with a line's end. */
int terminal_show(struct link *l, bool types, struct failure *f);

#endif
