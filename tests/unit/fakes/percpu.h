/* SPDX-License-Identifier: BSD-2-Clause */
/* this_cpu() of a test that runs as one core, or as several in turn */
#ifndef TESTS_UNIT_FAKES_PERCPU_H
#define TESTS_UNIT_FAKES_PERCPU_H

#include "arch/x86/cpu/percpu.h"

extern struct pcpu fake_pcpus[4];
/* The core the test runs as: fake_pcpus[0] at first; may be NULL */
extern struct pcpu *fake_this_cpu;

#endif
