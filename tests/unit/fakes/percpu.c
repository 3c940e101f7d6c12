/* SPDX-License-Identifier: BSD-2-Clause */
/* The core it runs on, see percpu.h */
#include "tests/unit/fakes/percpu.h"

struct pcpu fake_pcpus[4];
struct pcpu *fake_this_cpu = &fake_pcpus[0];

struct pcpu *this_cpu(void)
{
	return fake_this_cpu;
}
