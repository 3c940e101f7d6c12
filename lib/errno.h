/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Error numbers: functions return 0 or one of these, negated. The values are
 * those of Linux, so that a host test may use the host's own <errno.h>.
 */
#ifndef LIB_ERRNO_H
#define LIB_ERRNO_H

#ifdef __STDC_HOSTED__
#if __STDC_HOSTED__
#include <errno.h>
#endif
#endif

#ifndef EPERM
#define EPERM     1   /* the owner or the mode forbids it */
#define ENOENT    2   /* no such thing */
#define EIO       5   /* the device answered wrongly */
#define E2BIG     7   /* more than the structure holds */
#define ENOEXEC   8   /* not an image we can start */
#define EAGAIN    11  /* try again later */
#define ENOMEM    12  /* no memory of the kind asked for */
#define EFAULT    14  /* address not backed */
#define EBUSY     16  /* in use */
#define EEXIST    17  /* already there */
#define ENODEV    19  /* no such device */
#define EINVAL    22  /* an argument or a file is wrong */
#define ENOSPC    28  /* no room left in a table */
#define ERANGE    34  /* number out of range */
#define ENOTSUP   95  /* the machine cannot */
#define ETIMEDOUT 110 /* no answer in time */
#endif

#endif
