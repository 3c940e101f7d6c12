/* SPDX-License-Identifier: BSD-2-Clause */
/* TSCs that are in step unless the test says otherwise */
#ifndef TESTS_UNIT_FAKES_TSC_SYNC_H
#define TESTS_UNIT_FAKES_TSC_SYNC_H

#include "arch/x86/machine/tsc_sync.h"

extern bool fake_tsc_unstable;

#endif
