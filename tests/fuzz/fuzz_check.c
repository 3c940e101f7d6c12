/* SOURCES: check/acpi.c check/facts.c check/hest.c check/iommu.c check/judge.c check/judge_cpu.c check/report.c lib/printf.c lib/string.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/* libFuzzer target for what "Check this machine" reads: an ACPI table, and a
 * report. Whatever the facts are, the report on them can be read back:
 * tests/fuzz/run check */
#include <stdlib.h>

#include "check/facts.h"
#include "check/report.h"
#include "include/hw/acpi.h"
#include "lib/string.h"

static struct check_facts facts, again;
static char text[CHECK_REPORT_BYTES];

static void note(void *ctx, const struct check_iommu *u)
{
}

static void report(void)
{
	size_t len = check_json(&facts, text, sizeof(text));

	if (len >= sizeof(text) || check_parse(&again, text, len) ||
	    memcmp(again.value, facts.value, sizeof(facts.value)) ||
	    memcmp(again.known, facts.known, sizeof(facts.known)))
		abort();
	if (check_text(&facts, text, sizeof(text)) >= sizeof(text))
		abort();
}

static void table(const void *data, u32 size)
{
	u32 len;

	memset(&facts, 0, sizeof(facts));
	check_tables_begin(&facts);
	len = check_table(&facts, data, size);
	if (len > size)
		abort();
	check_iommus(data, len, note, NULL);
	check_tables_end(&facts);
	/* Facts that are not known are 0, as a reader has them */
	for (u32 i = 0; i < FACT_COUNT; i++)
		if (!facts.known[i])
			facts.value[i] = 0;
	report();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size >= sizeof(struct acpi_header))
		table(data, (u32)size);
	if (!check_parse(&facts, (const char *)data, size))
		report();
	return 0;
}
