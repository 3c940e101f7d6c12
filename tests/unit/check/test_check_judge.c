/* SOURCES: check/judge.c check/judge_cpu.c check/facts.c lib/printf.c lib/string.c arch/x86/vmx/caps.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/* Every verdict by the facts that lead to it; the list of VMX controls held to
 * the back-end's */
/* clang-format off */
/* clang-format on */
#include "arch/x86/vmx/caps.h"
#include "check/judge.h"
#include "check/judge_priv.h"
#include "include/hw/cpuid.h"
#include "tests/unit/fakes/log.h"
#include "tests/unit/test.h"

#define EPT_ALL (BIT(6) | BIT(14) | BIT(20) | BIT(25))

static struct check_facts facts;

/* A server on which all is well */
static void good_common(void)
{
	memset(&facts, 0, sizeof(facts));
	for (u32 i = 0; i < FACT_COUNT; i++)
		check_set(&facts, (enum check_fact)i, 0);
	check_set(&facts, FACT_FOUND_BY, CHECK_BY_LOADER);
	check_set(&facts, FACT_UEFI, 1);
	check_set(&facts, FACT_LONG_MODE, 1);
	check_set(&facts, FACT_NX, 1);
	check_set(&facts, FACT_TSC_INVARIANT, 1);
	check_set(&facts, FACT_MCE, 1);
	check_set(&facts, FACT_MCE_BANKS, 20);
	check_set(&facts, FACT_X2APIC, 1);
	check_set(&facts, FACT_MICROCODE, 0x1234);
	check_set(&facts, FACT_CORES, 64);
	check_set(&facts, FACT_THREADS, 2);
	check_set(&facts, FACT_ACPI, 1);
	check_set(&facts, FACT_TABLES, 34);
	check_set(&facts, FACT_MADT, 1);
	check_set(&facts, FACT_FADT, 1);
	check_set(&facts, FACT_MCFG, 1);
	check_set(&facts, FACT_SEGMENTS, 1);
	check_set(&facts, FACT_IOAPICS, 9);
	check_set(&facts, FACT_IOMMUS, 4);
	check_set(&facts, FACT_RAM_MIB, 65536);
	check_set(&facts, FACT_MAP_ENTRIES, 80);
	check_set(&facts, FACT_LOW_PAGES, 150);
	check_set(&facts, FACT_SERIAL, 1);
	check_set(&facts, FACT_SCREEN, 1);
}

static void good_amd(void)
{
	good_common();
	check_set(&facts, FACT_VENDOR, CHECK_AMD);
	check_set(&facts, FACT_SVM, 1);
	check_set(&facts, FACT_SVM_FEATURES, CPUID_SVM_NP);
	check_set(&facts, FACT_SVM_ASIDS, 32768);
}

static void good_intel(void)
{
	good_common();
	check_set(&facts, FACT_VENDOR, CHECK_INTEL);
	check_set(&facts, FACT_VMX, 1);
	check_set(&facts, FACT_FEATURE_CONTROL,
		  FEATURE_CONTROL_LOCKED | FEATURE_CONTROL_VMX);
	for (u32 i = 0; i < CHECK_VMX_ROWS; i++)
		check_set(&facts, check_vmx_rows[i].fact, ~0ull << 32);
	check_set(&facts, FACT_VMX_EPT_VPID, EPT_ALL);
}

static struct check_result judged(const char *name)
{
	struct check_result r;

	for (u32 i = 0; i < check_count(); i++) {
		check_judge(&facts, i, &r);
		if (!strcmp(r.name, name))
			return r;
	}
	fail_msg("no requirement %s", name);
	return r;
}

static void test_good(void **state)
{
	struct check_result r;

	good_amd();
	assert_int_equal(check_worst(&facts), CHECK_PASS);
	good_intel();
	assert_int_equal(check_worst(&facts), CHECK_PASS);
	for (u32 i = 0; i < check_count(); i++) {
		check_judge(&facts, i, &r);
		assert_string_equal(r.cure, "");
		assert_true(r.text[0]);
	}
	check_judge(&facts, 0, &r);
	assert_string_equal(r.name, "secure_boot");
}

/* One fact of a good machine is another: what is judged, and how */
struct row {
	bool intel;
	enum check_fact fact;
	u64 value;
	const char *name;
	enum check_verdict verdict;
	const char *word; /* of the text */
};

static const struct row rows[] = {
	{ 1, FACT_UEFI, 0, "secure_boot", CHECK_PASS, "BIOS" },
	{ 1, FACT_SECURE_BOOT, 1, "secure_boot", CHECK_PASS, "enrolled" },
	{ 1, FACT_VENDOR, CHECK_OTHER, "processor", CHECK_FAIL, "vendor" },
	{ 1, FACT_LONG_MODE, 0, "processor", CHECK_FAIL, "" },
	{ 1, FACT_VENDOR, CHECK_OTHER, "virtualization", CHECK_FAIL, "" },
	{ 1, FACT_VMX, 0, "virtualization", CHECK_FAIL, "VT-x" },
	{ 1, FACT_FEATURE_CONTROL, 0, "virtualization", CHECK_PASS,
	  "unlocked" },
	{ 1, FACT_FEATURE_CONTROL, FEATURE_CONTROL_LOCKED, "virtualization",
	  CHECK_FAIL, "locked" },
	{ 1, FACT_FEATURE_CONTROL,
	  FEATURE_CONTROL_LOCKED | FEATURE_CONTROL_VMX_SMX, "virtualization",
	  CHECK_FAIL, "locked" },
	{ 0, FACT_SVM, 0, "virtualization", CHECK_FAIL, "AMD-V" },
	{ 0, FACT_VM_CR, VM_CR_SVMDIS, "virtualization", CHECK_FAIL,
	  "switched off by" },
	{ 0, FACT_VM_CR, VM_CR_SVMDIS | VM_CR_LOCK, "virtualization",
	  CHECK_FAIL, "locked" },
	{ 0, FACT_VM_CR, VM_CR_LOCK, "virtualization", CHECK_PASS, "" },
	{ 1, FACT_VMX_CPU2, ~0x2ull << 32, "nested_paging", CHECK_FAIL, "0x2" },
	{ 1, FACT_VMX_CPU2, ~0x80ull << 32, "nested_paging", CHECK_FAIL,
	  "unrestricted" },
	{ 1, FACT_VMX_PIN, 0, "nested_paging", CHECK_FAIL, "pin-based" },
	{ 1, FACT_VMX_EPT_VPID, EPT_ALL & ~BIT(14), "nested_paging", CHECK_FAIL,
	  "EPT" },
	{ 1, FACT_VMX_EPT_VPID, EPT_ALL & ~BIT(25), "nested_paging", CHECK_FAIL,
	  "INVEPT" },
	{ 0, FACT_SVM_FEATURES, 0, "nested_paging", CHECK_FAIL, "" },
	{ 0, FACT_SVM, 0, "nested_paging", CHECK_FAIL, "" },
	{ 0, FACT_NX, 0, "no_execute", CHECK_WARN, "NX" },
	{ 1, FACT_MISC_ENABLE, MISC_ENABLE_XD_DISABLE, "no_execute", CHECK_WARN,
	  "on again" },
	{ 1, FACT_BULKHEAD, 1, "hypervisor", CHECK_WARN, "a guest" },
	{ 1, FACT_HYPERVISOR, 1, "hypervisor", CHECK_WARN, "" },
	{ 1, FACT_CORES, 1, "cores", CHECK_WARN, "one core" },
	{ 1, FACT_CORES, 1025, "cores", CHECK_WARN, "1024" },
	{ 1, FACT_CORES, 1024, "cores", CHECK_PASS, "" },
	{ 1, FACT_HYBRID, 1, "cores", CHECK_WARN, "kinds" },
	{ 1, FACT_CORES_UNLIKE, 8, "cores", CHECK_WARN, "8 of 64" },
	{ 1, FACT_APIC_ID_MAX, 400, "apic", CHECK_PASS, "" },
	{ 1, FACT_XAPIC_DISABLED, 1, "apic", CHECK_PASS, "locked" },
	{ 1, FACT_X2APIC, 0, "apic", CHECK_PASS, "" },
	{ 1, FACT_TSC_INVARIANT, 0, "tsc", CHECK_WARN, "" },
	{ 1, FACT_TSC_ADJUST_VALUE, 7, "tsc", CHECK_PASS, "equal" },
	{ 1, FACT_MICROCODE, 0, "microcode", CHECK_WARN, "" },
	{ 1, FACT_MCE, 0, "machine_checks", CHECK_WARN, "" },
	{ 1, FACT_MCE_BANKS, 9, "machine_checks", CHECK_PASS, "9 banks" },
	{ 1, FACT_FIRMWARE_BANKS, 4, "machine_checks", CHECK_PASS,
	  "of 4 are the firmware's" },
	{ 1, FACT_ACPI, 0, "acpi_tables", CHECK_WARN, "no ACPI" },
	{ 1, FACT_BAD_SUMS, 2, "acpi_tables", CHECK_WARN, "2 of 34" },
	{ 1, FACT_TABLES, 257, "acpi_tables", CHECK_WARN, "256" },
	{ 1, FACT_MADT, 0, "acpi_tables", CHECK_WARN, "MADT" },
	{ 1, FACT_FADT, 0, "acpi_tables", CHECK_WARN, "FADT" },
	{ 1, FACT_IOAPICS, 0, "ioapics", CHECK_WARN, "" },
	{ 1, FACT_IOAPICS, 64, "ioapics", CHECK_PASS, "" },
	{ 1, FACT_IOAPICS, 65, "ioapics", CHECK_WARN, "64" },
	{ 1, FACT_MCFG, 0, "pci", CHECK_WARN, "" },
	{ 1, FACT_TABLES_UNREAD, 1, "acpi_tables", CHECK_WARN, "left out" },
	{ 1, FACT_IOMMUS, 0, "iommu", CHECK_PASS, "none" },
	{ 1, FACT_TABLES_UNREAD, 1, "iommu", CHECK_PASS, "4 IOMMUs" },
	{ 1, FACT_IOMMU_DMA_ON, 1, "iommu", CHECK_WARN, "DMA" },
	{ 1, FACT_IOMMU_IRQ_ON, 1, "iommu", CHECK_WARN, "interrupts" },
	{ 1, FACT_IOMMUS_WRONG, 1, "iommu", CHECK_FAIL, "1 IOMMU cannot" },
	{ 0, FACT_IOMMUS_UNSEEN, 2, "iommu", CHECK_WARN, "2 of " },
	{ 1, FACT_VMD, 2, "vmd", CHECK_WARN, "2 Intel" },
	{ 1, FACT_RAM_MIB, 32, "memory", CHECK_FAIL, "32 MiB" },
	{ 1, FACT_RAM_MIB, 300, "memory", CHECK_WARN, "300 MiB" },
	{ 1, FACT_FILES_MIB, 65536, "memory", CHECK_FAIL, "needed" },
	{ 1, FACT_SPECIAL_MIB, 1024, "memory", CHECK_PASS, "special_memory" },
	{ 1, FACT_MAP_ENTRIES, 1024, "memory_map", CHECK_FAIL, "" },
	{ 1, FACT_MAP_ENTRIES, 600, "memory_map", CHECK_PASS, "600" },
	{ 1, FACT_LOW_PAGES, 0, "memory_map", CHECK_WARN, "640 KiB" },
	{ 1, FACT_SERIAL, 0, "console", CHECK_WARN, "no serial" },
	{ 1, FACT_SCREEN, 0, "console", CHECK_PASS, "no screen" },
};

static void test_rows(void **state)
{
	for (u32 i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct row *row = &rows[i];
		struct check_result r;

		if (row->intel)
			good_intel();
		else
			good_amd();
		check_set(&facts, row->fact, row->value);
		r = judged(row->name);
		if (r.verdict != row->verdict || !strstr(r.text, row->word))
			fail_msg("%s by %s = %#llx: %s, %s", row->name,
				 check_fact_name(row->fact), row->value,
				 check_word(r.verdict), r.text);
		assert_int_equal(r.verdict == CHECK_PASS, !r.cure[0]);
	}
}

static void test_pairs(void **state)
{
	good_amd();
	check_set(&facts, FACT_X2APIC, 0);
	check_set(&facts, FACT_APIC_ID_MAX, 255);
	assert_int_equal(judged("apic").verdict, CHECK_WARN);
	check_set(&facts, FACT_APIC_ID_MAX, 254);
	assert_int_equal(judged("apic").verdict, CHECK_PASS);
	check_set(&facts, FACT_SECURE_BOOT, 1);
	check_set(&facts, FACT_FOUND_BY, CHECK_BY_LINUX);
	assert_int_equal(judged("secure_boot").verdict, CHECK_FAIL);
	check_set(&facts, FACT_IOMMU_DMA_ON, 1);
	assert_int_equal(judged("iommu").verdict, CHECK_PASS);
	check_set(&facts, FACT_SERIAL, 0);
	check_set(&facts, FACT_SCREEN, 0);
	assert_non_null(strstr(judged("console").text, "neither"));
}

/* No table names an IOMMU, and one of them is lost */
static void test_unread_tables(void **state)
{
	good_intel();
	check_set(&facts, FACT_IOMMUS, 0);
	check_set(&facts, FACT_TABLES_UNREAD, 1);
	assert_int_equal(judged("iommu").verdict, CHECK_WARN);
	assert_non_null(strstr(judged("iommu").text, "cannot be read"));
	check_set(&facts, FACT_ACPI, 0);
	assert_non_null(strstr(judged("acpi_tables").text, "that can be read"));
}

/* A user without root: what is not known is no PASS, and no FAIL */
static void test_unknown(void **state)
{
	struct check_result r;

	memset(&facts, 0, sizeof(facts));
	check_set(&facts, FACT_VENDOR, CHECK_INTEL);
	check_set(&facts, FACT_VMX, 1);
	for (u32 i = 0; i < check_count(); i++) {
		check_judge(&facts, i, &r);
		assert_int_not_equal(r.verdict, CHECK_FAIL);
		if (strcmp(r.name, "processor") && strcmp(r.name, "apic") &&
		    strcmp(r.name, "hypervisor"))
			assert_int_equal(r.verdict, CHECK_WARN);
	}
}

/* What the back-end asks for, and nothing else */
static void test_vmx_rows(void **state)
{
	for (u32 i = 0; i < CTL_COUNT; i++)
		assert_int_equal(check_vmx_rows[i].required,
				 vmx_controls[i].required);
	assert_int_equal((u32)CTL_COUNT, CHECK_VMX_ROWS);
}

/* In a guest of Bulkhead there is no VT-x to see */
static void test_under_bulkhead(void **state)
{
	good_intel();
	check_set(&facts, FACT_BULKHEAD, 1);
	check_set(&facts, FACT_VMX, 0);
	assert_int_equal(check_worst(&facts), CHECK_WARN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_pairs),
		cmocka_unit_test(test_unread_tables),
		cmocka_unit_test(test_unknown),
		cmocka_unit_test(test_vmx_rows),
		cmocka_unit_test(test_under_bulkhead),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
