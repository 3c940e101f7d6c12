/* SPDX-License-Identifier: BSD-2-Clause */
/* hv/core/vcpu.c without a scheduler and a back-end: events stay in the vCPU
 * and nobody is kicked; a guest's TSC has an offset, and the machine's rate. */
#ifndef TESTS_UNIT_FAKES_VCPU_H
#define TESTS_UNIT_FAKES_VCPU_H

#include "hv/core/vcpu.h"

/* Calls of vcpu_flush() and vcpu_block(), of any vCPU */
extern u32 fake_flushes, fake_blocks;

#endif
