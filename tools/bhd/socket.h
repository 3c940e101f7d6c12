/* SPDX-License-Identifier: BSD-2-Clause */
/* A connection to a back-end that somebody has started */
#ifndef TOOLS_BHD_SOCKET_H
#define TOOLS_BHD_SOCKET_H

#include "tools/control/fail.h"

/* A new connection, whose messages do not block, to the socket at @path; -1: @f
 * says why not */
int socket_connect(const char *path, struct failure *f) __must_check;

#endif
