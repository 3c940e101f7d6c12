/* SOURCES: check/rsdp.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/* What of an RSDP is used, by the check of the machine and the boot alike */
#include "check/facts.h"
#include "include/hw/acpi.h"
#include "tests/unit/test.h"

static struct acpi_rsdp rsdp;

static void seal(void)
{
	u8 sum = 0;

	rsdp.checksum = rsdp.extended_checksum = 0;
	for (u32 i = 0; i < ACPI_RSDP_V1_BYTES; i++)
		sum = (u8)(sum + ((u8 *)&rsdp)[i]);
	rsdp.checksum = (u8)-sum;
	sum = 0;
	for (u32 i = 0; i < ACPI_RSDP_V2_BYTES; i++)
		sum = (u8)(sum + ((u8 *)&rsdp)[i]);
	rsdp.extended_checksum = (u8)-sum;
}

static int fresh(void **state)
{
	rsdp = (struct acpi_rsdp){ .signature = "RSD PTR ",
				   .revision = 2,
				   .rsdt = 0x1000,
				   .length = 36,
				   .xsdt = 0x2000 };
	seal();
	return 0;
}

static void test_whole(void **state)
{
	assert_int_equal(check_rsdp(&rsdp), CHECK_RSDP_WHOLE);
	assert_int_equal(rsdp.xsdt, 0x2000);
	/* An old one has no second half, whatever stands behind it */
	rsdp.revision = 0;
	seal();
	rsdp.extended_checksum++;
	assert_int_equal(check_rsdp(&rsdp), CHECK_RSDP_WHOLE);
	assert_int_equal(rsdp.xsdt, 0);
}

static void test_half(void **state)
{
	rsdp.extended_checksum++;
	assert_int_equal(check_rsdp(&rsdp), CHECK_RSDP_HALF);
	assert_int_equal(rsdp.xsdt, 0);
	assert_int_equal(rsdp.rsdt, 0x1000);
	fresh(state);
	rsdp.length = 20;
	seal();
	assert_int_equal(check_rsdp(&rsdp), CHECK_RSDP_HALF);
	assert_int_equal(rsdp.xsdt, 0);
}

static void test_none(void **state)
{
	rsdp.checksum++;
	assert_int_equal(check_rsdp(&rsdp), CHECK_RSDP_NONE);
	fresh(state);
	rsdp.signature[7] = '_';
	seal();
	assert_int_equal(check_rsdp(&rsdp), CHECK_RSDP_NONE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_whole, fresh),
		cmocka_unit_test_setup(test_half, fresh),
		cmocka_unit_test_setup(test_none, fresh),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
