/* SPDX-License-Identifier: BSD-2-Clause */
/* See rights.h. A file of its own: the C library asks shared libraries for
 * users' names, and bhctl is in one piece. */
#include "tools/bhd/rights.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <unistd.h>

int rights_drop(uid_t uid, gid_t gid, struct failure *f)
{
	const struct passwd *user;

	if (geteuid() || !uid)
		return 0;
	user = getpwuid(uid);
	if ((user ? initgroups(user->pw_name, gid) : setgroups(0, NULL)) ||
	    setgid(gid) || setuid(uid))
		return failed(f, FAIL_OTHER,
			      "the loader cannot become user %u: %s", uid,
			      strerror(errno));
	return 0;
}
