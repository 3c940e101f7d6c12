/* SPDX-License-Identifier: BSD-2-Clause */
/* See smi.h. MSR 34h is no architectural one: elsewhere the number may be
 * another register's, so only the models are asked that SDM 4 names. */
#include "arch/x86/machine/smi.h"

#include "arch/x86/cpu/asm.h"
#include "arch/x86/cpu/features.h"
#include "arch/x86/cpu/percpu.h"
#include "include/hw/msr.h"

#define FAMILY_CORE 6u

/* Models of family 6 with MSR_SMI_COUNT: those of tables 2-6 (Silvermont) and
 * 2-15 (Nehalem), and their successors */
static const u8 models[] = {
	0x1a, 0x1e, 0x1f, 0x25, 0x2a, 0x2c, 0x2d, 0x2e, 0x2f, 0x37, 0x3a, 0x3c,
	0x3d, 0x3e, 0x3f, 0x45, 0x46, 0x47, 0x4a, 0x4c, 0x4d, 0x4e, 0x4f, 0x55,
	0x56, 0x5a, 0x5c, 0x5d, 0x5e, 0x5f, 0x66, 0x6a, 0x6c, 0x7a, 0x7d, 0x7e,
	0x86, 0x8c, 0x8d, 0x8e, 0x8f, 0x96, 0x97, 0x9a, 0x9c, 0x9e, 0xa5, 0xa6,
	0xa7, 0xa8, 0xaa, 0xac, 0xad, 0xae, 0xaf, 0xb7, 0xba, 0xbe, 0xbf, 0xcf,
};

static bool is_counted(void)
{
	if (cpu_features.vendor != VENDOR_INTEL ||
	    cpu_features.family != FAMILY_CORE)
		return false;
	for (u32 i = 0; i < ARRAY_SIZE(models); i++)
		if (models[i] == cpu_features.model)
			return true;
	return false;
}

void smi_look(void)
{
	u64 count;

	if (!is_counted() || rdmsr_safe(MSR_SMI_COUNT, &count))
		WRITE_ONCE(this_cpu()->smis, ~0ull);
	else
		WRITE_ONCE(this_cpu()->smis, (u32)count); /* 31:0 count */
}
