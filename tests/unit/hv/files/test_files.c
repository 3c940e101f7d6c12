/* SOURCES: hv/files/files.c hv/manifest/keys.c hv/manifest/lookup.c hv/manifest/values.c hv/manifest/values_serial.c hv/manifest/values_device.c lib/string.c hv/load/load.c hv/load/bios_area.c hv/load/bios_code.asm hv/load/firmware.c hv/core/slots.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/* The files of the boot volume: by name, who pays for them, and what is said
 * when one is missing */
#include "tests/unit/fakes/loader.h"

#include "hv/device/fwcfg/fwcfg.h"
#include "tests/unit/fakes/ioremap.h"
#include "tests/unit/fakes/window.h"

static u8 file_bytes[0x8000] __attribute__((aligned(4096)));
static struct guest_config isolated_config;
static struct vm isolated;
static const char *probed;

struct vm *vms[VM_MAX];
u32 vm_count;

int fwcfg_fill(struct vm *v, fwcfg_find find)
{
	return 0;
}

enum image_fit bzimage_probe(const struct image *kernel)
{
	probed = kernel->name;
	return strcmp(kernel->name, "vmlinuz") ? IMAGE_OTHER : IMAGE_FITS;
}

enum image_fit pvh_probe(const struct image *kernel)
{
	return IMAGE_OTHER;
}

enum image_fit multiboot1_probe(const struct image *kernel)
{
	return strcmp(kernel->name, "mb.elf") ? IMAGE_OTHER : IMAGE_FITS;
}

enum image_fit multiboot2_probe(const struct image *kernel)
{
	return IMAGE_OTHER;
}

int multiboot1_load(struct vm *v, const struct image *kernel,
		    const struct image *initrd)
{
	return 0;
}

int multiboot2_load(struct vm *v, const struct image *kernel,
		    const struct image *initrd)
{
	return -ENOEXEC;
}

int bzimage_load(struct vm *v, const struct image *kernel,
		 const struct image *initrd)
{
	assert_ptr_equal(kernel->data, file_bytes + 0x1000);
	return 0;
}

int pvh_load(struct vm *v, const struct image *kernel,
	     const struct image *initrd)
{
	return -ENOEXEC;
}

int acpi_build(struct vm *v)
{
	return 0;
}

int smbios_write(struct vm *v)
{
	return 0;
}

int acpi_publish(struct vm *v)
{
	return 0;
}

int smbios_publish(struct vm *v)
{
	return 0;
}

int acpi_rewrite(struct vm *v)
{
	return 0;
}

static void file(const char *name, u64 base, u64 size)
{
	struct boot_module *m =
		&fake_boot_info.modules[fake_boot_info.module_count++];

	strcpy(m->name, name);
	m->base = base;
	m->size = size;
	if (size)
		own(base, ALIGN_UP(size, PAGE_SIZE), OWNER_HYPERVISOR, 0);
}

static int setup(void **state)
{
	vm_setup(state);
	fake_ioremap_reset();
	fake_ioremap_add(0, file_bytes, sizeof(file_bytes));
	fake_windows_init(file_bytes, sizeof(file_bytes));
	memset(file_bytes, 0x5a, sizeof(file_bytes));
	vm_count = 0;
	file("vmlinuz", 0x1000, 0x1800);
	file("a.cpio", 0x3000, 100);
	file("b.cpio", 0x4000, 100);
	file("bulkhead.conf", 0x5000, 100);
	file("mb.elf", 0x6000, 100);
	file("empty", 0, 0);
	strcpy(fake_config.kernel, "vmlinuz");
	strcpy(fake_config.initrd, "a.cpio");
	assert_int_equal(files_init(&fake_boot_info), 0);
	assert_int_equal(fake_ioremaps, 5);
	return 0;
}

static void test_find(void **state)
{
	struct image f;

	assert_int_equal(file_find("a.cpio", &f), 0);
	assert_int_equal(file_find("A.cpiO", &f), 0); /* as GRUB tells it */
	assert_int_equal(f.size, 100);
	assert_int_equal(f.hpa, 0x3000);
	assert_ptr_equal(f.data, file_bytes + 0x3000);
	assert_int_equal(file_find("empty", &f), 0);
	assert_int_equal(f.size, 0);
	assert_int_equal(file_find("c", &f), -ENOENT);
	assert_int_equal(file_find("", &f), -ENOENT);
	assert_ptr_equal(files_boot_info(), &fake_boot_info);
	assert_null(files_efi_map());
}

/* In the pages of bulkhead.conf or of mb.elf */
static bool nobodys(u32 at)
{
	return at >= 0x5000 && at < 0x7000;
}

/* The isolated guest keeps its kernel, for a restart; the rest goes */
static void test_settle(void **state)
{
	struct image f;

	isolated.id = 3;
	isolated.config = &isolated_config;
	strcpy(isolated_config.kernel, "vmlinuz");
	strcpy(isolated_config.initrd, "b.cpio");
	vms[0] = &isolated;
	vm_count = 1;
	fake_config.privileged = true;
	files_settle(&fake_config, false);
	assert_int_equal(fake_owners[0].kind, OWNER_GUEST);
	assert_int_equal(fake_owners[0].vm, 3);
	assert_int_equal(fake_owners[1].kind, OWNER_FREE);
	assert_int_equal(fake_owners[2].kind, OWNER_GUEST);
	assert_int_equal(fake_owners[3].kind, OWNER_FREE);
	assert_int_equal(file_find("a.cpio", &f), 0);
	assert_int_equal(file_find("bulkhead.conf", &f), -ENOENT);
	/* What it said of others is gone; what is still read is whole */
	for (u32 i = 0; i < ARRAY_SIZE(file_bytes); i++)
		assert_int_equal(file_bytes[i], nobodys(i) ? 0 : 0x5a);
	files_forget_privileged();
	assert_int_equal(file_find("a.cpio", &f), -ENOENT);
	assert_int_equal(file_find("vmlinuz", &f), 0);
	assert_int_equal(file_find("b.cpio", &f), 0);
	assert_int_equal(fake_ioremaps, 2);
}

/* The privileged guest may start again: its own files are nobody's memory, and
 * are found for as long as the machine runs. What an isolated guest shares with
 * it is that one's. */
static void test_settle_and_keep(void **state)
{
	struct image f;

	isolated.id = 3;
	isolated.config = &isolated_config;
	strcpy(isolated_config.kernel, "vmlinuz");
	isolated_config.initrd[0] = 0;
	vms[0] = &isolated;
	vm_count = 1;
	fake_config.privileged = true;
	files_settle(&fake_config, true);
	assert_int_equal(fake_owners[0].kind, OWNER_GUEST);
	assert_int_equal(fake_owners[1].kind, OWNER_FILES);
	assert_int_equal(fake_owners[2].kind, OWNER_FREE);
	for (u32 i = 0; i < 2; i++) {
		files_forget_privileged();
		assert_int_equal(file_find("vmlinuz", &f), 0);
		assert_int_equal(file_find("a.cpio", &f), 0);
		assert_ptr_equal(f.data, file_bytes + 0x3000);
		assert_int_equal(f.data[0], 0x5a);
	}
	assert_int_equal(file_find("b.cpio", &f), -ENOENT);
	assert_int_equal(fake_ioremaps, 2);
}

static void test_load_says_what_is_wrong(void **state)
{
	assert_int_equal(load_guest(&fake_vm), 0);
	/* A far jump at the reset vector of an isolated guest */
	assert_int_equal(fake_ram[0xffff0], 0xea);
	strcpy(fake_config.initrd, "nope");
	assert_int_equal(load_guest(&fake_vm), -ENOENT);
	assert_string_equal(fake_log_last,
			    "guest box: initrd = nope: there is no such file; "
			    "copy it to the folder bulkhead of the boot "
			    "volume");
	strcpy(fake_config.initrd, "empty");
	assert_int_equal(load_guest(&fake_vm), -ENOEXEC);
	assert_non_null(strstr(fake_log_last, "the file is empty; copy it"));
	strcpy(fake_config.kernel, "b.cpio");
	fake_config.initrd[0] = 0;
	assert_int_equal(load_guest(&fake_vm), -ENOEXEC);
	assert_string_equal(probed, "b.cpio");
	assert_non_null(
		strstr(fake_log_last, "neither a Linux bzImage, a PVH"));
}

/* boot = holds the file to its kind; module = is for multiboot */
static void test_load_by_the_manifest(void **state)
{
	fake_config.initrd[0] = 0;
	fake_config.boot = BOOT_WAY_LINUX;
	assert_int_equal(load_guest(&fake_vm), 0);
	fake_config.boot = BOOT_WAY_MULTIBOOT;
	assert_int_equal(load_guest(&fake_vm), -ENOEXEC);
	assert_non_null(strstr(fake_log_last, "is not what boot = says"));
	fake_config.boot = BOOT_WAY_AUTO;
	fake_config.module_count = 1;
	assert_int_equal(load_guest(&fake_vm), -ENOEXEC);
	assert_non_null(
		strstr(fake_log_last, "module = is for multiboot, but"));
	strcpy(fake_config.kernel, "mb.elf");
	assert_int_equal(load_guest(&fake_vm), 0);
	fake_vm.privileged = true;
	assert_int_equal(load_guest(&fake_vm), -ENOEXEC);
	assert_non_null(strstr(fake_log_last, "cannot own the devices"));
}

static enum boot_way way_of(const char *name)
{
	struct image f;

	assert_int_equal(file_find(name, &f), 0);
	return load_way(&f);
}

/* What a file is by itself; a kernel before all, and nothing if it is empty */
static void test_load_way(void **state)
{
	static u8 rom[KIB(64)];
	struct image f = { "rom", rom, sizeof(rom), 0 };

	assert_int_equal(way_of("vmlinuz"), BOOT_WAY_LINUX);
	assert_int_equal(way_of("mb.elf"), BOOT_WAY_MULTIBOOT);
	assert_int_equal(way_of("b.cpio"), BOOT_WAY_AUTO);
	probed = NULL;
	assert_int_equal(way_of("empty"), BOOT_WAY_AUTO);
	assert_null(probed);
	assert_int_equal(load_way(&f), BOOT_WAY_AUTO);
	rom[sizeof(rom) - 16] = 0xe9; /* JMP */
	assert_int_equal(load_way(&f), BOOT_WAY_FIRMWARE);
	f.name = "vmlinuz";
	assert_int_equal(load_way(&f), BOOT_WAY_LINUX);
}

#define file_test(f) cmocka_unit_test_setup_teardown(f, setup, vm_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		file_test(test_find),
		file_test(test_settle),
		file_test(test_settle_and_keep),
		file_test(test_load_says_what_is_wrong),
		file_test(test_load_by_the_manifest),
		file_test(test_load_way),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
