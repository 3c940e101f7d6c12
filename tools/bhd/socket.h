/* SPDX-License-Identifier: BSD-2-Clause */
/* Sockets of back-ends that others have started */
#ifndef TOOLS_BHD_SOCKET_H
#define TOOLS_BHD_SOCKET_H

#include <sys/types.h>

#include "tools/control/fail.h"

/* Connects to the Unix socket @path with the rights of @uid. The connection
 * does not block. -1: @f says why there is none. */
int socket_connect(const char *path, uid_t uid, gid_t gid,
		   int (*rights)(uid_t uid, gid_t gid, struct failure *f),
		   struct failure *f) __must_check;

#endif
