/* SPDX-License-Identifier: BSD-2-Clause */
/* The CPU's features (arch/x86/cpu/features.h): none, until the test fills them
 * in, but NX and the widest addresses there are */
#include "arch/x86/cpu/features.h"

struct cpu_features cpu_features = { .phys_bits = PHYS_BITS_MAX, .nx = true };
