/* SPDX-License-Identifier: BSD-2-Clause */
/* The CPU's SVM features as this back-end uses them. Pure but for the log;
 * called by svm_probe() once. */
#include "arch/x86/svm/caps.h"

#include "include/hw/cpuid.h"
#include "include/hw/msr.h"
#include "lib/errno.h"
#include "lib/log.h"
#include "lib/string.h"

/* QUIRK(bochs-2.7): its Zen lacks what every real one has */
static bool is_bochs(const struct cpu_features *features)
{
	return features->family >= AMD_FAMILY_ZEN &&
	       !features->hypervisor_name[0] &&
	       !(features->svm_features & CPUID_SVM_DECODE_ASSISTS);
}

int svm_caps_read(struct svm_caps *caps, const struct cpu_features *features)
{
	u32 f = features->svm_features;

	if (!(f & CPUID_SVM_NP)) {
		log_error("svm",
			  "this processor has SVM without nested paging; "
			  "use one that has it, or enable \"Nested "
			  "Paging\" in the firmware's CPU settings");
		return -ENOTSUP;
	}
	*caps = (struct svm_caps){
		.nrips = f & CPUID_SVM_NRIPS,
		.decode_assists = f & CPUID_SVM_DECODE_ASSISTS,
		.flush_by_asid = f & CPUID_SVM_FLUSH_BY_ASID,
		.pause_filter = f & CPUID_SVM_PAUSE_FILTER,
		.bus_lock = f & CPUID_SVM_BUS_LOCK,
		.tcg = !strcmp(features->hypervisor_name, "TCGTCGTCGTCG"),
		.irqs_held = is_bochs(features),
		.page_1g = features->page_1g,
		.asid_count = features->svm_asids,
	};
	return 0;
}

u32 svm_caps_max_level(const struct svm_caps *caps)
{
	return caps->page_1g ? 3 : 2;
}
