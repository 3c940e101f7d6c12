/* SPDX-License-Identifier: BSD-2-Clause */
/* The CPU's features (arch/x86/cpu/features.h): none, until the test fills them
 * in */
#include "arch/x86/cpu/features.h"

struct cpu_features cpu_features;
