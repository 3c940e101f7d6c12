/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Guest memory as files: Linux shows the pool as device-DAX regions, of which
 * each piece that a guest has becomes a device of its own, /dev/daxN.M. All by
 * sysfs; needs root. The layout is the kernel's:
 * Documentation/ABI/testing/sysfs-bus-dax.
 */
#ifndef TOOLS_CONTROL_DAX_H
#define TOOLS_CONTROL_DAX_H

#include "tools/control/place.h"

#define DAX_NAME_BYTES 32

/* Makes a device of @range, which no guest but the caller's has: its name goes
 * to @name. Devices that have some of it are taken away. Its bytes are what
 * they were. */
int dax_carve(const struct bh_ctl_range *range, char name[DAX_NAME_BYTES],
	      struct failure *f) __must_check;
/* Takes the device away. Nobody may have it open or mapped. */
void dax_release(const char *name);
/* Is there such a device, of exactly that piece? */
bool dax_is(const char *name, const struct bh_ctl_range *range);

#endif
