/* SOURCES: hv/device/pci/pci_msix.c hv/device/pci/pci_fn.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/* A virtual function's MSI-X: what is sent, kept back by either mask or without
 * bus mastering, pending, and lost while it is off */
#include "hv/device/pci/pci_msix.h"

#include "include/hw/pci.h"
#include "tests/unit/fakes/vdev.h"

#define CAP   0x40u
#define COUNT 128u
#define TABLE 0x1000u
#define PBA   0x3000u

static struct pci_fn fn;
static struct pci_msix m;
static u32 sent[COUNT], all_sent;
static u32 last_dest;

u32 vlapic_deliver(struct vm *vm, const struct vlapic_msg *msg,
		   struct vlapic_late *late)
{
	assert_ptr_equal(vm, &fake_vm);
	assert_in_range(msg->vector, 16, 255);
	assert_int_equal(msg->trigger, TRIGGER_EDGE);
	for (u32 i = 0; i < COUNT; i++)
		if (late == &m.vectors[i].late)
			sent[i]++;
	all_sent++;
	last_dest = msg->dest;
	return 1;
}

static u64 entry(u32 vector)
{
	return TABLE + vector * 16;
}

static int setup(void **state)
{
	static const u8 header[64];
	static u8 pages[PCI_FN_BYTES];

	fake_vm_init(1);
	memset(&fn, 0, sizeof(fn));
	memset(&m, 0, sizeof(m));
	memset(sent, 0, sizeof(sent));
	memset(pages, 0, sizeof(pages));
	all_sent = 0;
	fn.vm = &fake_vm;
	pci_fn_init(&fn, pages, header);
	m.f = &fn;
	m.cap = CAP;
	m.bar = 2;
	m.count = COUNT;
	m.table = TABLE;
	m.pba = PBA;
	assert_int_equal(pci_msix_init(&m), 0);
	pci_fn_config_write(&fn, PCI_COMMAND, 2, PCI_COMMAND_MASTER);
	return 0;
}

static int teardown(void **state)
{
	pci_msix_destroy(&m);
	assert_int_equal(fake_vm.budget.used_pages, 0);
	return 0;
}

static void control(u32 bits)
{
	pci_fn_config_write(&fn, CAP + PCI_MSIX_CONTROL, 2, bits);
	while (pci_msix_go_on(&m))
		;
}

static void open_vector(u32 vector)
{
	pci_msix_write(&m, entry(vector), 4, 0xfee05000);
	pci_msix_write(&m, entry(vector) + 4, 4, 0);
	pci_msix_write(&m, entry(vector) + 8, 4, 0x41);
	pci_msix_write(&m, entry(vector) + 12, 4, 0);
}

static void mask(u32 vector, bool on)
{
	pci_msix_write(&m, entry(vector) + 12, 4, on);
}

static bool pending(u32 vector)
{
	return pci_msix_read(&m, PBA + vector / 64 * 8, 8) >> vector % 64 & 1;
}

static void test_capability(void **state)
{
	assert_int_equal(pci_fn_config_read(&fn, CAP, 4),
			 PCI_CAP_ID_MSIX | (COUNT - 1) << 16);
	assert_int_equal(pci_fn_config_read(&fn, CAP + 4, 4), TABLE | 2);
	assert_int_equal(pci_fn_config_read(&fn, CAP + 8, 4), PBA | 2);
	control(0xffff);
	assert_int_equal(pci_fn_config_read(&fn, CAP + 2, 2),
			 (COUNT - 1) | 0xc000);
	assert_true(pci_msix_enabled(&m));
}

static void test_sends(void **state)
{
	open_vector(3);
	(void)pci_msix_send(&m, 3);
	assert_int_equal(all_sent, 0); /* it is off, and that was lost */
	control(PCI_MSIX_ENABLE);
	assert_int_equal(all_sent, 0);
	(void)pci_msix_send(&m, 3);
	(void)pci_msix_send(&m, 3);
	assert_int_equal(sent[3], 2);
	assert_int_equal(last_dest, 5);
	(void)pci_msix_send(&m, COUNT);
	(void)pci_msix_send(&m, ~0u);
	assert_int_equal(all_sent, 2);
}

static void test_masked_vector(void **state)
{
	open_vector(70);
	mask(70, true);
	control(PCI_MSIX_ENABLE);
	(void)pci_msix_send(&m, 70);
	(void)pci_msix_send(&m, 70);
	assert_int_equal(all_sent, 0);
	assert_true(pending(70));
	assert_int_equal(pci_msix_read(&m, PBA + 8, 4), 1 << 6);
	/* A new message of a masked one sends nothing */
	pci_msix_write(&m, entry(70), 8, 0xfee07000);
	assert_int_equal(all_sent, 0);
	mask(70, false);
	assert_int_equal(sent[70], 1);
	assert_int_equal(last_dest, 7);
	assert_false(pending(70));
	mask(70, true);
	mask(70, false);
	assert_int_equal(all_sent, 1);
}

static void test_masked_function(void **state)
{
	for (u32 i = 0; i < COUNT; i++)
		open_vector(i);
	mask(5, true);
	control(PCI_MSIX_ENABLE | PCI_MSIX_MASK_ALL);
	for (u32 i = 0; i < COUNT; i++)
		(void)pci_msix_send(&m, i);
	assert_int_equal(all_sent, 0);
	mask(6, true);
	mask(6, false);
	assert_int_equal(all_sent, 0);
	/* A few at a time */
	pci_fn_config_write(&fn, CAP + PCI_MSIX_CONTROL, 2, PCI_MSIX_ENABLE);
	assert_true(pci_msix_go_on(&m));
	assert_in_range(all_sent, 1, 32);
	control(PCI_MSIX_ENABLE);
	assert_int_equal(all_sent, COUNT - 1);
	for (u32 i = 0; i < COUNT; i++)
		assert_int_equal(sent[i], i != 5);
	assert_true(pending(5));
	/* Off: nothing is sent; what is pending stays until forgotten */
	control(PCI_MSIX_ENABLE | PCI_MSIX_MASK_ALL);
	assert_true(pci_msix_send(&m, 5) && pci_msix_send(&m, 7));
	control(0);
	assert_false(pci_msix_send(&m, 6));
	assert_false(pci_msix_send(&m, COUNT));
	assert_true(pending(5) && !pending(6) && pending(7));
	pci_msix_forget(&m, 5);
	pci_msix_forget(&m, COUNT);
	assert_true(!pending(5) && pending(7));
	assert_true(pci_msix_forget_all(&m));
	assert_false(pci_msix_forget_all(&m));
	pci_msix_pend(&m, 9);
	pci_msix_pend(&m, COUNT);
	all_sent = 0;
	control(PCI_MSIX_ENABLE);
	assert_int_equal(all_sent, 1);
	assert_int_equal(sent[9], 2);
}

/* A message is a memory write */
static void test_no_bus_master(void **state)
{
	open_vector(1);
	open_vector(2);
	control(PCI_MSIX_ENABLE);
	pci_fn_config_write(&fn, PCI_COMMAND, 2, 0);
	(void)pci_msix_send(&m, 1);
	mask(2, true);
	(void)pci_msix_send(&m, 2);
	mask(2, false);
	assert_false(pci_msix_go_on(&m));
	assert_int_equal(all_sent, 0);
	assert_true(pending(1) && pending(2));
	pci_fn_config_write(&fn, PCI_COMMAND, 2, PCI_COMMAND_MASTER);
	assert_false(pci_msix_go_on(&m));
	assert_int_equal(all_sent, 2);
	assert_false(pending(1) || pending(2));
}

/* What is no message goes nowhere */
static void test_messages(void **state)
{
	control(PCI_MSIX_ENABLE);
	open_vector(0);
	pci_msix_write(&m, entry(0), 4, 0xfed05000);
	(void)pci_msix_send(&m, 0);
	pci_msix_write(&m, entry(0), 8, 0x1fee05000);
	(void)pci_msix_send(&m, 0);
	open_vector(0);
	pci_msix_write(&m, entry(0) + 8, 4, 0x0f);
	(void)pci_msix_send(&m, 0);
	assert_int_equal(all_sent, 0);
}

static void test_accesses(void **state)
{
	pci_msix_write(&m, entry(1), 8, 0x1122334455667788);
	assert_int_equal(pci_msix_read(&m, entry(1), 4), 0x55667788);
	assert_int_equal(pci_msix_read(&m, entry(1) + 4, 4), 0x11223344);
	pci_msix_write(&m, entry(1) + 8, 8, 0xffffffff00000033);
	assert_int_equal(pci_msix_read(&m, entry(1) + 8, 8), 0x100000033);
	/* Neither bytes nor what crosses a boundary */
	pci_msix_write(&m, entry(1), 1, 0xff);
	pci_msix_write(&m, entry(1) + 4, 8, ~0ull);
	pci_msix_write(&m, entry(1) + 2, 4, ~0u);
	assert_int_equal(pci_msix_read(&m, entry(1), 8), 0x1122334455667788);
	assert_int_equal(pci_msix_read(&m, entry(1), 2), 0);
	/* Around the table and the pending bits */
	for (u32 at = 0; at < 0x4000; at += 4) {
		if (at >= TABLE && at < TABLE + COUNT * 16)
			continue;
		pci_msix_write(&m, at, 4, ~0u);
		assert_int_equal(pci_msix_read(&m, at, 4), 0);
	}
}

static void test_reset(void **state)
{
	open_vector(2);
	control(PCI_MSIX_ENABLE | PCI_MSIX_MASK_ALL);
	(void)pci_msix_send(&m, 2);
	pci_fn_power_on(&fn);
	pci_msix_reset(&m);
	assert_false(pci_msix_enabled(&m));
	assert_int_equal(pci_msix_read(&m, entry(2), 8), 0);
	assert_int_equal(pci_msix_read(&m, entry(2) + 12, 4), 1);
	assert_false(pending(2));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_capability, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_sends, setup, teardown),
		cmocka_unit_test_setup_teardown(test_masked_vector, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_masked_function, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_no_bus_master, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_messages, setup, teardown),
		cmocka_unit_test_setup_teardown(test_accesses, setup, teardown),
		cmocka_unit_test_setup_teardown(test_reset, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
