/* SOURCES: hv/load/staged.c hv/load/staged_list.c hv/load/loan.c hv/core/slots.c hv/manifest/lookup.c hv/manifest/keys.c hv/manifest/values.c hv/manifest/values_serial.c hv/manifest/values_device.c lib/string.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/* Files in a guest's own memory: a hostile list, and how they are mapped */
#include "hv/load/staged.h"

#include "lib/errno.h"
#include "mm/view.h"
#include "tests/unit/fakes/vm.h"

static struct staged staged;
static struct guest_config config;
static struct bh_ctl_file list[STAGED_MAX + 1];
static u32 cleared, flushed;
static int add_error;
static u64 spare, set_aside; /* pages of the pool; of the loads to come */

int file_find(const char *name, struct image *out)
{
	*out = (struct image){ .name = "of the loader" };
	return 0;
}

int view_init(struct view *v, u64 room)
{
	v->va = MIB(64);
	v->room = room;
	return 0;
}

/* The address in the view tells where it is */
int view_add(struct view *v, hpa_t hpa, u64 size, const u8 **data)
{
	assert_true(IS_ALIGNED(hpa.v | size, PAGE_SIZE));
	*data = (const u8 *)hpa.v;
	v->used += size;
	return add_error;
}

void view_flush_here(void)
{
	flushed++;
}

void view_clear(struct view *v)
{
	v->used = 0;
	cleared++;
}

const char *firmware_name(const struct guest_config *c)
{
	return c->firmware[0] ? c->firmware : NULL;
}

#define LOAD_PAGES 20u

u32 load_pages(const struct guest_config *c)
{
	return LOAD_PAGES;
}

int pmm_reserve(struct budget *b, u64 pages)
{
	if (pages > spare)
		return -ENOMEM;
	spare -= pages;
	b->reserved_pages += pages;
	return 0;
}

u64 pmm_reserve_move(struct budget *from, struct budget *to, u64 pages)
{
	pages = MIN(pages, from->reserved_pages);
	from->reserved_pages -= pages;
	to->reserved_pages += pages;
	set_aside += to == &fake_vm.budget ? -pages : pages;
	return pages;
}

/* 3 GiB in two pieces, of which the upper one is above 4 GiB */
static int setup(void **state)
{
	fake_vm_init(1);
	fake_vm.slot_count = 3;
	fake_vm.slots[0] = (struct vm_slot){ 0, GIB(16), GIB(1), false };
	fake_vm.slots[1] = (struct vm_slot){ GIB(1), GIB(17), GIB(1), false };
	fake_vm.slots[2] = (struct vm_slot){ GIB(4), GIB(32), GIB(1), false };
	fake_vm.staged = &staged;
	memset(&config, 0, sizeof(config));
	strcpy(config.kernel, "vmlinuz");
	strcpy(config.initrd, "Initrd");
	fake_vm.config = &config;
	memset(list, 0, sizeof(list));
	strcpy(list[0].name, "vmlinuz");
	list[0].offset = MIB(512);
	list[0].size = 1000001;
	strcpy(list[1].name, "initrd");
	list[1].offset = GIB(2) + MIB(512);
	list[1].size = MIB(100);
	cleared = flushed = 0;
	spare = 10000;
	if (!set_aside) {
		assert_int_equal(staged_set_aside(), 0);
		set_aside = 10000 - spare;
		spare = 10000;
	}
	add_error = 0;
	return 0;
}

static void test_found(void **state)
{
	struct image image;

	assert_null(staged_note(&fake_vm, &staged, list, 2));
	assert_int_equal(staged_find(&fake_vm, "VMLINUZ", &image), 0);
	assert_int_equal(image.size, 1000001);
	assert_int_equal(image.hpa, MIB(512));
	assert_int_equal(staged_find(&fake_vm, "initrd", &image), 0);
	assert_int_equal(image.hpa, GIB(4) + MIB(512));
	assert_int_equal(staged_find(&fake_vm, "other", &image), -ENOENT);
	fake_vm.staged = NULL;
	assert_int_equal(staged_find(&fake_vm, "other", &image), 0);
	assert_string_equal(image.name, "of the loader");
}

static void wrong(u64 offset, u64 size)
{
	list[0].offset = offset;
	list[0].size = size;
	assert_non_null(staged_note(&fake_vm, &staged, list, 2));
	assert_int_equal(staged.count, 0);
}

static void test_wrong(void **state)
{
	wrong(MIB(512), 0);
	wrong(MIB(512) + 1, 4096);
	wrong(0, 4096);
	wrong(MIB(1) - PAGE_SIZE, 4096);
	wrong(GIB(3), 4096);
	wrong(GIB(3) - PAGE_SIZE, 4097);
	wrong(MIB(512), ~0ull);
	wrong(MIB(512), 0 - MIB(512));
	wrong(~0ull - PAGE_SIZE + 1, PAGE_SIZE);
	wrong(GIB(2) - PAGE_SIZE, 4097); /* over the PCI hole */
	wrong(GIB(2) + MIB(511), MIB(1) + 1);
	wrong(GIB(2) + MIB(600), 1); /* inside of the other */
	setup(NULL);
	memset(list[0].name, 'x', sizeof(list[0].name));
	assert_non_null(staged_note(&fake_vm, &staged, list, 2));
	list[0].name[0] = 0;
	assert_non_null(staged_note(&fake_vm, &staged, list, 2));
	strcpy(list[0].name, "other");
	assert_string_equal(staged_note(&fake_vm, &staged, list, 2),
			    "a file is none that the definition names");
	strcpy(list[0].name, "INITRD");
	assert_non_null(staged_note(&fake_vm, &staged, list, 2));
	assert_non_null(staged_note(&fake_vm, &staged, list, STAGED_MAX + 1));
}

/* What is read as long as the guest lives, and where its RAM ends */
static void test_stays(void **state)
{
	assert_null(staged_note(&fake_vm, &staged, list, 2));
	assert_int_equal(staged.ram_end, STAGED_ALL_RAM);
	config.fwcfg_count = 2;
	strcpy(config.fwcfg[0].file, "INITRD");
	strcpy(config.fwcfg[1].text, "vmlinuz");
	assert_true(staged_stays(&config, "initrd"));
	assert_false(staged_stays(&config, "vmlinuz"));
	list[1].offset += PAGE_SIZE;
	assert_null(staged_note(&fake_vm, &staged, list, 2));
	assert_int_equal(staged.ram_end, GIB(4) + MIB(512));
	/* With a firmware all does */
	strcpy(config.firmware, "bios");
	assert_true(staged_stays(&config, "vmlinuz"));
	list[0].offset += MIB(1);
	assert_null(staged_note(&fake_vm, &staged, list, 2));
	assert_int_equal(staged.ram_end, MIB(512));
	list[0].offset = MIB(1);
	assert_string_equal(staged_note(&fake_vm, &staged, list, 2),
			    "its firmware and fw_cfg's files leave the guest "
			    "no memory; give it more");
}

static void test_stays_wrong(void **state)
{
	/* Of one that is loaded, half is RAM */
	config.fwcfg_count = 1;
	strcpy(config.fwcfg[0].file, "vmlinuz");
	strcpy(config.initrd, "initrd");
	list[0].offset = MIB(512) + PAGE_SIZE;
	list[1].offset = MIB(512) - PAGE_SIZE;
	list[1].size = PAGE_SIZE + 1;
	assert_string_equal(staged_note(&fake_vm, &staged, list, 2),
			    "a file lies on both sides of the 2 MiB where "
			    "firmware and fw_cfg's files begin");
	list[1].size = PAGE_SIZE;
	assert_null(staged_note(&fake_vm, &staged, list, 2));
	/* Beside those that stay it is no RAM either, and is copied */
	list[1].offset = MIB(512);
	assert_null(staged_note(&fake_vm, &staged, list, 2));
	setup(NULL);
	strcpy(config.firmware, "vmlinuz");
	assert_non_null(strstr(staged_note(&fake_vm, &staged, list, 2),
			       "its firmware is no image: the size"));
	list[0].size = MIB(2);
	assert_null(staged_note(&fake_vm, &staged, list, 2));
	list[0].size = MIB(16) + PAGE_SIZE;
	assert_non_null(staged_note(&fake_vm, &staged, list, 2));
}

/* A start after one whose files stayed: all that the guest holds counts */
static void test_kept_before(void **state)
{
	fake_vm.slot_count = 2;
	fake_vm.kept_count = 1;
	assert_null(staged_note(&fake_vm, &staged, list, 2));
	assert_int_equal(staged_map(&fake_vm), 0);
	assert_int_equal((u64)staged.files[1].data, GIB(32) + MIB(512));
	staged_unmap(&fake_vm);
	fake_vm.kept_count = 0;
}

static void test_mapped(void **state)
{
	struct image image;

	list[0].offset = GIB(1) - PAGE_SIZE; /* over the edge of two slots */
	list[0].size = PAGE_SIZE + 1;
	assert_null(staged_note(&fake_vm, &staged, list, 2));
	assert_int_equal(staged_map(&fake_vm), 0);
	assert_int_equal(flushed, 1);
	assert_int_equal(staged_find(&fake_vm, "vmlinuz", &image), 0);
	assert_int_equal((u64)image.data, GIB(17) - PAGE_SIZE);
	assert_int_equal(staged_find(&fake_vm, "initrd", &image), 0);
	assert_int_equal((u64)image.data, GIB(32) + MIB(512));
	staged_unmap(&fake_vm);
	staged_unmap(&fake_vm);
	assert_int_equal(cleared, 1);
	assert_int_equal(staged_find(&fake_vm, "initrd", &image), 0);
	assert_null(image.data);
}

/* Few guests load at a time; the next one tries again */
/* Its load has its pages while its files are mapped. What it keeps of them is
 * made good of the pool's, or the next one waits, or fails where none is on its
 * way back. */
static void test_lent(void **state)
{
	u64 before = set_aside;

	assert_true(before >= LOAD_PAGES);
	assert_null(staged_note(&fake_vm, &staged, list, 1));
	assert_int_equal(staged_map(&fake_vm), 0);
	assert_int_equal(fake_vm.budget.reserved_pages, LOAD_PAGES);
	staged_unmap(&fake_vm);
	assert_int_equal(fake_vm.budget.reserved_pages, 0);
	assert_int_equal(set_aside, before);

	assert_int_equal(staged_map(&fake_vm), 0);
	fake_vm.budget.reserved_pages -= 3; /* in use for good */
	fake_vm.budget.drawn_pages = 3;
	spare = 0;
	staged_unmap(&fake_vm);
	assert_int_equal(set_aside, before - 3);
	fake_vm.budget.drawn_pages = 0;
	spare = 3;
	while (set_aside >= LOAD_PAGES) {
		assert_int_equal(staged_map(&fake_vm), 0);
		staged.view = 0; /* as if each were another guest */
		staged.loan.pages = 0;
	}
	spare = 0;
	assert_int_equal(staged_map(&fake_vm), -EAGAIN);
	assert_int_equal(staged.view, 0);
	assert_int_equal(fake_vm.budget.reserved_pages % LOAD_PAGES, 0);
}

static void test_views(void **state)
{
	struct staged many[9];
	u32 n = 0;

	for (; n < 9; n++) {
		fake_vm.staged = &many[n];
		assert_null(staged_note(&fake_vm, &many[n], list, 2));
		if (staged_map(&fake_vm) == -EAGAIN)
			break;
	}
	assert_int_equal(n, 8);
	fake_vm.staged = &many[3];
	staged_unmap(&fake_vm);
	fake_vm.staged = &many[8];
	assert_int_equal(staged_map(&fake_vm), 0);
	staged_unmap(&fake_vm);
	add_error = -ENOMEM;
	assert_int_equal(staged_map(&fake_vm), -ENOMEM);
	add_error = 0;
	for (n = 0; n < 8; n++) {
		fake_vm.staged = &many[n];
		staged_unmap(&fake_vm);
	}
	assert_int_equal(cleared, 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_found, setup),
		cmocka_unit_test_setup(test_wrong, setup),
		cmocka_unit_test_setup(test_stays, setup),
		cmocka_unit_test_setup(test_stays_wrong, setup),
		cmocka_unit_test_setup(test_kept_before, setup),
		cmocka_unit_test_setup(test_mapped, setup),
		cmocka_unit_test_setup(test_views, setup),
		cmocka_unit_test_setup(test_lent, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
