/* SPDX-License-Identifier: BSD-2-Clause */
/* Nobody is told that a guest has begun or ended, unless a test says so */
#include "hv/core/vm.h"

void (*vm_changed_hook)(void);
