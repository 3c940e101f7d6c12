/* SPDX-License-Identifier: BSD-2-Clause */
/* What virtual devices need of the machine; for each test of one */
#ifndef TESTS_UNIT_FAKES_VDEV_H
#define TESTS_UNIT_FAKES_VDEV_H

#include "lib/errno.h"
#include "tests/unit/fakes/log.h"
#include "tests/unit/fakes/panic.h"
#include "tests/unit/fakes/pool.h"
#include "tests/unit/fakes/timer.h"
#include "tests/unit/fakes/tsc.h"
#include "tests/unit/fakes/vm.h"
#include "tests/unit/test.h"

#endif
