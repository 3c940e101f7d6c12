/* SPDX-License-Identifier: BSD-2-Clause */
/* The names of facts, and the reader of a report; see facts.h. Called by
 * check/report.c and tools/bh-judge.c; no lock. */
#include "check/facts.h"

#include "lib/errno.h"
#include "lib/string.h"

#define NAME_BYTES 32u

static const char *const fact_names[FACT_COUNT] = {
	[FACT_FOUND_BY] = "found_by",
	[FACT_UEFI] = "uefi",
	[FACT_SECURE_BOOT] = "secure_boot",
	[FACT_SETUP_MODE] = "setup_mode",
	[FACT_VENDOR] = "vendor",
	[FACT_FAMILY] = "family",
	[FACT_MODEL] = "model",
	[FACT_STEPPING] = "stepping",
	[FACT_HYPERVISOR] = "hypervisor",
	[FACT_BULKHEAD] = "bulkhead",
	[FACT_LONG_MODE] = "long_mode",
	[FACT_NX] = "nx",
	[FACT_VMX] = "vmx",
	[FACT_SVM] = "svm",
	[FACT_X2APIC] = "x2apic",
	[FACT_TSC_INVARIANT] = "tsc_invariant",
	[FACT_TSC_ADJUST] = "tsc_adjust",
	[FACT_TSC_DEADLINE] = "tsc_deadline",
	[FACT_PAGE_1G] = "page_1g",
	[FACT_PHYS_BITS] = "phys_bits",
	[FACT_LA57] = "la57",
	[FACT_MCE] = "mce",
	[FACT_HYBRID] = "hybrid",
	[FACT_THREADS] = "threads",
	[FACT_CET_IBT] = "cet_ibt",
	[FACT_CET_SS] = "cet_ss",
	[FACT_SVM_FEATURES] = "svm_features",
	[FACT_SVM_ASIDS] = "svm_asids",
	[FACT_APIC_BASE] = "apic_base",
	[FACT_XAPIC_DISABLED] = "xapic_disabled",
	[FACT_FEATURE_CONTROL] = "feature_control",
	[FACT_MISC_ENABLE] = "misc_enable",
	[FACT_TSC_ADJUST_VALUE] = "tsc_adjust_value",
	[FACT_MICROCODE] = "microcode",
	[FACT_MCE_BANKS] = "mce_banks",
	[FACT_LA57_ON] = "la57_on",
	[FACT_VMX_BASIC] = "vmx_basic",
	[FACT_VMX_PIN] = "vmx_pin",
	[FACT_VMX_CPU] = "vmx_cpu",
	[FACT_VMX_CPU2] = "vmx_cpu2",
	[FACT_VMX_EXIT] = "vmx_exit",
	[FACT_VMX_ENTRY] = "vmx_entry",
	[FACT_VMX_EPT_VPID] = "vmx_ept_vpid",
	[FACT_VM_CR] = "vm_cr",
	[FACT_SYSCFG] = "syscfg",
	[FACT_CORES] = "cores",
	[FACT_APIC_ID_MAX] = "apic_id_max",
	[FACT_CORES_UNLIKE] = "cores_unlike",
	[FACT_ACPI] = "acpi",
	[FACT_TABLES] = "tables",
	[FACT_BAD_SUMS] = "bad_sums",
	[FACT_TABLES_UNREAD] = "tables_unread",
	[FACT_MADT] = "madt",
	[FACT_FADT] = "fadt",
	[FACT_MCFG] = "mcfg",
	[FACT_HPET] = "hpet",
	[FACT_HEST] = "hest",
	[FACT_FIRMWARE_BANKS] = "firmware_banks",
	[FACT_TPM2] = "tpm2",
	[FACT_SPCR] = "spcr",
	[FACT_DBG2] = "dbg2",
	[FACT_IOAPICS] = "ioapics",
	[FACT_SEGMENTS] = "segments",
	[FACT_REDUCED] = "acpi_reduced",
	[FACT_IOMMUS] = "iommus",
	[FACT_IOMMUS_WRONG] = "iommus_wrong",
	[FACT_IOMMUS_UNSEEN] = "iommus_unseen",
	[FACT_IOMMU_DMA_ON] = "iommu_dma_on",
	[FACT_IOMMU_IRQ_ON] = "iommu_irq_on",
	[FACT_RAM_MIB] = "ram_mib",
	[FACT_SPECIAL_MIB] = "special_mib",
	[FACT_MAP_ENTRIES] = "map_entries",
	[FACT_LOW_PAGES] = "low_pages",
	[FACT_FILES_MIB] = "files_mib",
	[FACT_SCREEN] = "screen",
	[FACT_SERIAL] = "serial",
	[FACT_VMD] = "vmd",
};

static const char *const string_names[CHECK_STRINGS] = {
	[CHECK_CPU_NAME] = "cpu",
	[CHECK_BAD_TABLES] = "bad_tables",
	[CHECK_VULNERABLE] = "vulnerable",
};

const char *check_fact_name(enum check_fact fact)
{
	return fact_names[fact];
}

const char *check_string_name(enum check_string string)
{
	return string_names[string];
}

/* --- the reader --- */

struct reader {
	const char *at, *end;
};

/* The next character that is no blank, 0 at the end */
static char peek(struct reader *in)
{
	while (in->at < in->end && (*in->at == ' ' || *in->at == '\t' ||
				    *in->at == '\r' || *in->at == '\n'))
		in->at++;
	return in->at < in->end ? *in->at : 0;
}

static bool take(struct reader *in, char c)
{
	if (peek(in) != c)
		return false;
	in->at++;
	return true;
}

/* A string without escapes, as a report has them; cut to @size */
static bool take_string(struct reader *in, char *buf, size_t size)
{
	size_t len = 0;

	if (!take(in, '"'))
		return false;
	for (; in->at < in->end && *in->at != '"'; in->at++) {
		if (*in->at == '\\')
			return false;
		if (len < size - 1)
			buf[len++] = *in->at;
	}
	buf[len] = '\0';
	return take(in, '"');
}

static bool take_number(struct reader *in, u64 *value)
{
	u32 digits = 0;

	peek(in);
	for (*value = 0; in->at < in->end; in->at++, digits++) {
		u64 digit = (u64)(*in->at - '0');

		if (digit > 9)
			break;
		if (*value > (~0ull - digit) / 10)
			return false;
		*value = *value * 10 + digit;
	}
	return digits;
}

static void store_number(struct check_facts *f, const char *name, u64 value)
{
	for (u32 i = 0; i < FACT_COUNT; i++)
		if (!strcmp(name, fact_names[i]))
			check_set(f, (enum check_fact)i, value);
}

static void store_string(struct check_facts *f, const char *name,
			 const char *value)
{
	for (u32 i = 0; i < CHECK_STRINGS; i++)
		if (!strcmp(name, string_names[i]))
			str_copy(f->string[i], value, CHECK_STRING_BYTES);
}

static bool take_fact(struct reader *in, struct check_facts *f)
{
	char name[NAME_BYTES], text[CHECK_STRING_BYTES];
	u64 value;

	if (!take_string(in, name, sizeof(name)) || !take(in, ':'))
		return false;
	if (peek(in) == '"') {
		if (!take_string(in, text, sizeof(text)))
			return false;
		store_string(f, name, text);
		return true;
	}
	if (!take_number(in, &value))
		return false;
	store_number(f, name, value);
	return true;
}

/* Behind the brace that opens the facts */
static bool find_facts(struct reader *in)
{
	static const char mark[] = "\"facts\":";
	const size_t len = sizeof(mark) - 1;

	for (; (size_t)(in->end - in->at) >= len; in->at++) {
		if (memcmp(in->at, mark, len))
			continue;
		in->at += len;
		return take(in, '{');
	}
	return false;
}

int check_parse(struct check_facts *f, const char *json, size_t len)
{
	struct reader in = { .at = json, .end = json + len };

	memset(f, 0, sizeof(*f));
	if (!find_facts(&in))
		return -EINVAL;
	if (take(&in, '}'))
		return 0;
	do {
		if (!take_fact(&in, f))
			return -EINVAL;
	} while (take(&in, ','));
	return take(&in, '}') ? 0 : -EINVAL;
}
