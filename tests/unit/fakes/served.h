/* SPDX-License-Identifier: BSD-2-Clause */
/* hv/device/virtio/served.h for tests of its callers: no guest has such a
 * device, and calls are counted */
#ifndef TESTS_UNIT_FAKES_SERVED_H
#define TESTS_UNIT_FAKES_SERVED_H

#include "hv/device/virtio/served.h"

extern u32 served_fake_unbinds, served_fake_leaves, served_fake_ends;
extern u32 served_fake_looks; /* served_is_over(): false for so many times */
extern void (*served_fake_notify)(u32 vector);

#endif
