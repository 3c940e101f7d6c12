/* SOURCES: arch/x86/vmx/tag.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/* Virtual-processor identifiers: unique while they live */
#include "arch/x86/vmx/internal.h"
#include "lib/assert.h"
#include "tests/unit/test.h"

struct vmx_caps vmx_caps;

static void vpids_are_unique_and_come_back(void **state)
{
	static bool seen[65536];
	u32 count = 0;
	u16 vpid;

	for (; (vpid = vmx_vpid_alloc()) != 0; count++) {
		assert_false(seen[vpid]);
		seen[vpid] = true;
	}
	assert_true(count >= 4000);
	vmx_vpid_free(0); /* one that never got any */
	assert_int_equal(vmx_vpid_alloc(), 0);
	vmx_vpid_free(77);
	assert_int_equal(vmx_vpid_alloc(), 77);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(vpids_are_unique_and_come_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
