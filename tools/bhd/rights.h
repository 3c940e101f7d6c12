/* SPDX-License-Identifier: BSD-2-Clause */
/* Whose rights a loader has */
#ifndef TOOLS_BHD_RIGHTS_H
#define TOOLS_BHD_RIGHTS_H

#include <sys/types.h>

#include "tools/control/fail.h"

/* From now on the process is @uid's, in all groups that it is in; nothing, if
 * it is not root's, or if @uid is root */
int rights_drop(uid_t uid, gid_t gid, struct failure *f) __must_check;

#endif
