/* SPDX-License-Identifier: BSD-2-Clause */
/* CET (arch/x86/cpu/cet.h): the CPU has none */
#include "arch/x86/cpu/cet.h"

u64 cet_controls;
