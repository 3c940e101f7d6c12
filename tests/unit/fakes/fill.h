/* SPDX-License-Identifier: BSD-2-Clause */
/* What a loader notes (hv/load/fill.h) is written to fake_ram at once */
#ifndef TESTS_UNIT_FAKES_FILL_H
#define TESTS_UNIT_FAKES_FILL_H

#include "hv/load/fill.h"
#include "tests/unit/fakes/guest_ram.h"

#endif
