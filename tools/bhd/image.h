/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a disk's image is: what its definition says, else qcow2 if its name ends
 * in .qcow2, else raw. Its first bytes may be a guest's work, which writes what
 * it likes into a raw one: they never make an image qcow2, and one that begins
 * otherwise than it is named is refused. Even so the header of qcow2 alone
 * makes no other file of this system readable.
 */
#ifndef TOOLS_BHD_IMAGE_H
#define TOOLS_BHD_IMAGE_H

#include "tools/control/device_spec.h"

/* Opens the disk of @spec with the caller's rights, and finds its format, which
 * is not IMAGE_ANY in *@format. 0, or -1: @f says what is wrong. */
int image_check(const struct device_spec *spec, enum image_format *format,
		struct failure *f) __must_check;

#endif
