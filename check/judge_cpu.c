/* SPDX-License-Identifier: BSD-2-Clause */
/* The requirements that are the processor's, see judge.h: what the back-ends
 * ask for (arch/x86/vmx/caps.c, arch/x86/svm/caps.c) and what the hypervisor
 * goes without. Called by judge.c; no lock. */
#include <stdarg.h>

#include "check/judge_priv.h"
#include "include/hw/cpuid.h"
#include "include/hw/msr.h"
#include "lib/printf.h"

/* SDM 3D A.10 *VPID and EPT Capabilities*: walks of 4 levels, write-back
 * tables, INVEPT; and of one context, or of all */
#define EPT_NEEDED (BIT(6) | BIT(14) | BIT(20))
#define EPT_EITHER (BIT(25) | BIT(26))

/* SDM 3C 25.6.1 to 25.7.1, 25.8.1 */
const struct check_vmx_row check_vmx_rows[CHECK_VMX_ROWS] = {
	{ FACT_VMX_PIN, "pin-based controls", 0x29 },
	{ FACT_VMX_CPU, "processor-based controls", 0xb2a00c88 },
	{ FACT_VMX_CPU2, "extended page tables or unrestricted guest", 0x82 },
	{ FACT_VMX_EXIT, "VM-exit controls", 0x3c8204 },
	{ FACT_VMX_ENTRY, "VM-entry controls", 0xc004 },
};

void say(struct check_result *r, enum check_verdict verdict, const char *fmt,
	 ...)
{
	va_list ap;

	r->verdict = verdict;
	va_start(ap, fmt);
	bh_vsnprintf(r->text, sizeof(r->text), fmt, ap);
	va_end(ap);
}

void unknown(struct check_result *r, const char *what)
{
	say(r, CHECK_WARN, "the %s could not be read", what);
	r->cure = "start \"Check this machine\", or run bh-report as root";
}

void judge_processor(const struct check_facts *f, struct check_result *r)
{
	static const char *const vendors[] = { "another vendor", "Intel",
					       "AMD" };
	u64 vendor = MIN(f->value[FACT_VENDOR], (u64)CHECK_AMD);

	if (!f->known[FACT_VENDOR]) {
		unknown(r, "CPUID");
		return;
	}
	say(r, CHECK_PASS, "%s (%s, family %#llx model %#llx stepping %llu)",
	    f->string[CHECK_CPU_NAME][0] ? f->string[CHECK_CPU_NAME]
					 : "unnamed",
	    vendors[vendor], f->value[FACT_FAMILY], f->value[FACT_MODEL],
	    f->value[FACT_STEPPING]);
	if (vendor != CHECK_OTHER && !check_not(f, FACT_LONG_MODE))
		return;
	r->verdict = CHECK_FAIL;
	r->cure = "use a 64-bit processor of Intel or AMD";
}

static void judge_vmx(const struct check_facts *f, struct check_result *r)
{
	u64 control = f->value[FACT_FEATURE_CONTROL];

	r->cure = "Intel Virtualization Technology (VT-x, VMX): Enabled";
	if (check_not(f, FACT_VMX))
		say(r, CHECK_FAIL, "this processor offers no VT-x");
	else if (!f->known[FACT_FEATURE_CONTROL])
		say(r, CHECK_WARN,
		    "there is VT-x; whether the firmware has locked it, only "
		    "an MSR tells");
	else if ((control & FEATURE_CONTROL_LOCKED) &&
		 !(control & FEATURE_CONTROL_VMX))
		say(r, CHECK_FAIL,
		    "VT-x is switched off and locked by the firmware");
	else
		say(r, CHECK_PASS, "VT-x, %s",
		    control & FEATURE_CONTROL_LOCKED
			    ? "on and locked by the firmware"
			    : "left unlocked");
}

static void judge_svm(const struct check_facts *f, struct check_result *r)
{
	u64 control = f->value[FACT_VM_CR];

	r->cure = "SVM Mode (AMD-V): Enabled";
	if (check_not(f, FACT_SVM))
		say(r, CHECK_FAIL, "this processor offers no AMD-V");
	else if (!f->known[FACT_VM_CR])
		say(r, CHECK_WARN,
		    "there is AMD-V; whether the firmware has switched it "
		    "off, only an MSR tells");
	else if (control & VM_CR_SVMDIS)
		say(r, CHECK_FAIL, "AMD-V is switched off%s by the firmware",
		    control & VM_CR_LOCK ? " and locked" : "");
	else
		say(r, CHECK_PASS, "AMD-V, on");
}

void judge_virtualization(const struct check_facts *f, struct check_result *r)
{
	if (check_is(f, FACT_BULKHEAD)) {
		say(r, CHECK_PASS, "Bulkhead runs on it now");
	} else if (f->value[FACT_VENDOR] == CHECK_INTEL) {
		judge_vmx(f, r);
	} else if (f->value[FACT_VENDOR] == CHECK_AMD) {
		judge_svm(f, r);
	} else {
		say(r, CHECK_FAIL, "neither VT-x nor AMD-V is known here");
		r->cure = "use a processor of Intel or AMD";
	}
}

/* The controls that this processor lacks, NULL: none */
static const struct check_vmx_row *lacking(const struct check_facts *f,
					   u32 *bits)
{
	for (u32 i = 0; i < CHECK_VMX_ROWS; i++) {
		const struct check_vmx_row *row = &check_vmx_rows[i];

		*bits = row->required & ~(u32)(f->value[row->fact] >> 32);
		if (f->known[row->fact] && *bits)
			return row;
	}
	return NULL;
}

static void judge_ept(const struct check_facts *f, struct check_result *r)
{
	u64 ept = f->value[FACT_VMX_EPT_VPID];
	const struct check_vmx_row *row;
	u32 bits;

	r->cure = "use a newer processor (Intel since 2010)";
	row = lacking(f, &bits);
	if (row)
		say(r, CHECK_FAIL, "this processor lacks %s (%#x)", row->name,
		    bits);
	else if (!f->known[FACT_VMX_CPU2])
		unknown(r, "VMX capability MSRs");
	else if ((ept & EPT_NEEDED) != EPT_NEEDED || !(ept & EPT_EITHER))
		say(r, CHECK_FAIL,
		    "its EPT lacks walks of 4 levels, write-back tables or "
		    "INVEPT (%#llx)",
		    ept);
	else
		say(r, CHECK_PASS,
		    "EPT and unrestricted guest, all controls that are needed");
}

void judge_nested_paging(const struct check_facts *f, struct check_result *r)
{
	if (check_is(f, FACT_BULKHEAD)) {
		say(r, CHECK_PASS, "Bulkhead runs on it now");
	} else if (check_not(f, FACT_VMX) && check_not(f, FACT_SVM)) {
		say(r, CHECK_FAIL, "there is none without virtualization");
		r->cure = "see virtualization";
	} else if (f->value[FACT_VENDOR] == CHECK_INTEL) {
		judge_ept(f, r);
	} else if (f->value[FACT_SVM_FEATURES] & CPUID_SVM_NP) {
		say(r, CHECK_PASS, "nested paging, %llu ASIDs",
		    f->value[FACT_SVM_ASIDS]);
	} else {
		say(r, CHECK_FAIL, "AMD-V without nested paging");
		r->cure = "Nested Paging: Enabled; or a newer processor (AMD "
			  "since 2007)";
	}
}

void judge_no_execute(const struct check_facts *f, struct check_result *r)
{
	bool disabled = f->value[FACT_MISC_ENABLE] & MISC_ENABLE_XD_DISABLE;

	r->cure = "Execute Disable Bit (AMD: No-Execute): Enabled";
	if (!f->known[FACT_NX])
		unknown(r, "CPUID");
	else if (disabled)
		say(r, CHECK_WARN,
		    "NX is switched off by the firmware; Bulkhead switches it "
		    "on again");
	else if (!f->value[FACT_NX])
		say(r, CHECK_WARN,
		    "NX is missing or switched off: data can be run as code");
	else
		say(r, CHECK_PASS, "NX");
}

void judge_hypervisor(const struct check_facts *f, struct check_result *r)
{
	if (check_is(f, FACT_BULKHEAD)) {
		say(r, CHECK_WARN,
		    "this is a guest of Bulkhead: the report is on what the "
		    "guest sees");
		r->cure = "start \"Check this machine\", or Linux without "
			  "Bulkhead";
	} else if (check_is(f, FACT_HYPERVISOR)) {
		say(r, CHECK_WARN,
		    "this is no bare machine: a hypervisor or an emulator is "
		    "below");
		r->cure = "start Bulkhead on the machine itself";
	} else {
		say(r, CHECK_PASS, "nobody is below");
	}
}

void judge_tsc(const struct check_facts *f, struct check_result *r)
{
	if (!f->known[FACT_TSC_INVARIANT])
		unknown(r, "CPUID");
	else if (!f->value[FACT_TSC_INVARIANT])
		say(r, CHECK_WARN,
		    "the TSC may change its rate: guests' clocks may be wrong");
	else if (check_is(f, FACT_TSC_ADJUST_VALUE))
		say(r, CHECK_PASS,
		    "invariant; the firmware moved the first core's, and "
		    "Bulkhead makes all equal");
	else
		say(r, CHECK_PASS, "invariant");
	r->cure = "use a newer processor, or switch its power states off";
}

void judge_microcode(const struct check_facts *f, struct check_result *r)
{
	r->cure = "put microcode into the privileged guest's initrd "
		  "(intel-microcode, amd64-microcode), or update the firmware";
	if (f->string[CHECK_VULNERABLE][0])
		say(r, CHECK_WARN,
		    "revision %#llx; Linux finds this processor open to: %s",
		    f->value[FACT_MICROCODE], f->string[CHECK_VULNERABLE]);
	else if (!f->known[FACT_MICROCODE])
		unknown(r, "microcode's revision");
	else if (!f->value[FACT_MICROCODE] && check_not(f, FACT_HYPERVISOR))
		say(r, CHECK_WARN, "none has been loaded");
	else
		say(r, CHECK_PASS, "revision %#llx", f->value[FACT_MICROCODE]);
}
