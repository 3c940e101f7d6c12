/* SOURCES: hv/assign/pvpanic.c hv/device/pci/pci_fn.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/* The pvpanic function: what a driver finds, and what its writes mean */
#include "hv/assign/pvpanic.h"

#include "hv/assign/passthrough.h"
#include "include/hw/pci.h"
#include "tests/unit/fakes/log.h"
#include "tests/unit/fakes/ratelimit.h"
#include "tests/unit/fakes/vdev.h"
#include "tests/unit/fakes/vm_end.h"

static struct pci_fn *fn;
static int add_error;
static u8 pages[PCI_FN_BYTES];

int passthrough_virtual_add(struct pci_fn *f, const u8 header[64])
{
	if (add_error)
		return add_error;
	memset(pages, 0, sizeof(pages));
	pci_fn_init(f, pages, header);
	fn = f;
	return 0;
}

static int setup(void **state)
{
	fake_vm_init(1);
	fake_vm.privileged = fake_vm.restarts = true;
	fake_vm_ends = 0;
	fake_ratelimit_left = ~0u;
	add_error = 0;
	pvpanic_create(&fake_vm);
	return 0;
}

static void tell(u64 offset, u64 value)
{
	fn->ops->bar_write(&fake_vcpus[0], fn, 0, offset, 1, value);
}

/* QEMU's ids, in a system peripheral, and memory of 32 bits for a page */
static void test_header(void **state)
{
	assert_int_equal(pci_fn_config_read(fn, 0, 4), 0x00111b36);
	assert_int_equal(pci_fn_config_read(fn, 8, 4), 0x08800001);
	pci_fn_config_write(fn, PCI_BAR0, 4, ~0u);
	assert_int_equal(pci_fn_config_read(fn, PCI_BAR0, 4), 0xfffff000);
	for (u32 i = 1; i < PCI_FN_BARS; i++)
		assert_int_equal(pci_fn_config_read(fn, PCI_BAR0 + i * 4, 4),
				 0);
	assert_int_equal(fn->ops->bar_read(&fake_vcpus[0], fn, 0, 0, 1), 3);
	assert_int_equal(fn->ops->bar_read(&fake_vcpus[0], fn, 0, 1, 1), 0);
}

static void test_events(void **state)
{
	tell(0, 0);
	tell(0, 4);
	tell(1, 1);
	assert_int_equal(fake_vm_ends, 0);
	tell(0, 2);
	assert_int_equal(fake_vm_ends, 0);
	assert_non_null(strstr(fake_log_last, "its own crash kernel"));
	tell(0, 1);
	assert_int_equal(fake_vm_ends, 1);
	assert_int_equal(fake_vm_end, VM_END_CRASH);
	assert_string_equal(fake_vm_end_reason, "its kernel panicked");
}

static void test_no_restart(void **state)
{
	fake_vm.restarts = false;
	tell(0, 1);
	assert_int_equal(fake_vm_ends, 0);
	assert_non_null(strstr(fake_log_last, "privileged-restart is no"));
	fake_ratelimit_left = 0;
	fake_log_last[0] = 0;
	tell(0, 1);
	tell(0, 2);
	assert_string_equal(fake_log_last, "");
}

static void test_used_up(void **state)
{
	fake_vm.no_restart_before = ~0ull;
	tell(0, 1);
	assert_int_equal(fake_vm_ends, 0);
	assert_non_null(strstr(fake_log_last, "restarts are used up"));
	fake_vm.no_restart_before = 1; /* long ago */
	tell(0, 1);
	assert_int_equal(fake_vm_ends, 1);
}

static void test_no_place(void **state)
{
	add_error = -ENODEV;
	pvpanic_create(&fake_vm);
	assert_non_null(strstr(fake_log_last, "is not noticed"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_header, setup),
		cmocka_unit_test_setup(test_events, setup),
		cmocka_unit_test_setup(test_no_restart, setup),
		cmocka_unit_test_setup(test_used_up, setup),
		cmocka_unit_test_setup(test_no_place, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
