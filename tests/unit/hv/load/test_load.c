/* SOURCES: hv/load/load.c hv/load/pvh.c hv/load/elf.c hv/load/multiboot.c hv/load/multiboot1.c hv/load/multiboot2.c hv/load/firmware.c hv/load/bzimage.c hv/load/zero_page.c hv/load/efi_map.c hv/load/place.c hv/load/e820.c hv/load/entry.c hv/core/slots.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/* boot = auto: a file is taken for what it is, before one hears what it is not.
 * All probes look at files that say several things at once. */
#include "tests/unit/fakes/files.h"
#include "tests/unit/fakes/loader.h"

#include "hv/device/fwcfg/fwcfg.h"
#include "hv/load/multiboot.h"
#include "hv/load/platform.h"
#include "hv/load/reload.h"
#include "include/hw/bzimage.h"

#define LOAD_PADDR 0x200000u

/* An ELF whose program headers lie beyond the file, and both multiboot headers
 * behind it */
static struct {
	struct elf32_header h;
	u32 pad; /* both headers are aligned */
	struct mb2_header mb2;
	struct mb2_address address;
	struct mb2_entry entry;
	u32 pad_entry;
	struct mb2_tag end;
	struct mb1_header mb1;
	u8 code[64];
} __packed f;

static struct image file = { "k", (const u8 *)&f, sizeof(f), 0 };

int acpi_build(struct vm *v)
{
	return 0;
}
int acpi_rewrite(struct vm *v)
{
	return 0;
}
int acpi_publish(struct vm *v)
{
	return 0;
}
int bios_area_write(struct vm *v)
{
	return 0;
}
int smbios_write(struct vm *v)
{
	return 0;
}
int smbios_publish(struct vm *v)
{
	return 0;
}
int fwcfg_fill(struct vm *v, fwcfg_find find)
{
	return 0;
}

void files_forget_privileged(void)
{
}

static u32 lent, given_back;

void reload_begin(struct vm *v)
{
	assert_null(v->fill); /* the first that takes a page */
	lent++;
}

void reload_end(struct vm *v)
{
	assert_null(v->fill);
	given_back++;
}

static u32 gpa_of(const void *part)
{
	return LOAD_PADDR + (u32)((const u8 *)part - (const u8 *)&f);
}

static void fill_mb2(void)
{
	const u32 length = (u32)((u8 *)&f.mb1 - (u8 *)&f.mb2);

	f.mb2 = (struct mb2_header){ MB2_MAGIC, MB2_ARCH_I386, length,
				     0u - MB2_MAGIC - MB2_ARCH_I386 - length };
	f.address = (struct mb2_address){
		.tag = { MB2_HEADER_ADDRESS, 0, sizeof(f.address) },
		.header_addr = gpa_of(&f.mb2),
		.load_addr = LOAD_PADDR,
	};
	f.entry = (struct mb2_entry){
		.tag = { MB2_HEADER_ENTRY, 0, sizeof(f.entry) },
		.entry_addr = gpa_of(f.code),
	};
	f.end = (struct mb2_tag){ MB2_HEADER_END, 0, sizeof(f.end) };
}

static void fill_mb1(u32 flags)
{
	f.mb1 = (struct mb1_header){ .magic = MB1_MAGIC,
				     .flags = flags,
				     .checksum = 0u - MB1_MAGIC - flags,
				     .header_addr = gpa_of(&f.mb1),
				     .load_addr = LOAD_PADDR,
				     .entry_addr = gpa_of(f.code) };
}

static int setup(void **state)
{
	vm_setup(state);
	memset(&f, 0, sizeof(f));
	f.h.ident = (struct elf_ident){ .magic = ELF_MAGIC,
					.class = ELF_CLASS32,
					.data = ELF_LSB,
					.machine = ELF_EM_386 };
	f.h.phoff = ~0u;
	f.h.phentsize = sizeof(struct elf32_phdr);
	f.h.phnum = 1;
	file.size = sizeof(f);
	fake_files[0] = file;
	strcpy(fake_config.kernel, "k");
	fake_config.boot = BOOT_WAY_AUTO;
	return 0;
}

static void test_damaged_elf_alone(void **state)
{
	assert_int_equal(load_way(&file), BOOT_WAY_PVH);
	lent = given_back = 0;
	assert_int_equal(load_guest(&fake_vm), -ENOEXEC);
	assert_non_null(strstr(fake_log_last, "cut short"));
	assert_int_equal(lent, 1);
	assert_int_equal(given_back, 1);
}

static void test_address_tag_in_a_damaged_elf(void **state)
{
	fill_mb2();
	assert_int_equal(load_way(&file), BOOT_WAY_MULTIBOOT2);
	assert_int_equal(load_guest(&fake_vm), 0);
	assert_int_equal(fake_vcpus[0].hw.regs.rip, gpa_of(f.code));
	assert_memory_equal(fake_ram + LOAD_PADDR, &f, sizeof(f));
}

static void test_addresses_in_a_damaged_elf(void **state)
{
	fill_mb1(MB1_ADDRESSES);
	assert_int_equal(load_way(&file), BOOT_WAY_MULTIBOOT);
	assert_int_equal(load_guest(&fake_vm), 0);
	assert_int_equal(fake_vcpus[0].hw.regs.gpr[GPR_RAX], MB1_BOOT_MAGIC);
}

/* Multiboot 2 comes first, but what it needs is not there */
static void test_second_header_fits(void **state)
{
	fill_mb1(MB1_ADDRESSES);
	fill_mb2();
	f.address.tag.type = MB2_HEADER_CONSOLE;
	assert_int_equal(load_way(&file), BOOT_WAY_MULTIBOOT);
	fill_mb2();
	f.address.tag.size = ~0u;
	f.address.tag.type = MB2_HEADER_CONSOLE;
	assert_int_equal(load_way(&file), BOOT_WAY_MULTIBOOT);
	fill_mb2();
	f.mb2.header_length = sizeof(f) * 2;
	f.mb2.checksum = 0u - MB2_MAGIC - f.mb2.header_length;
	assert_int_equal(load_way(&file), BOOT_WAY_MULTIBOOT);
	fill_mb2();
	assert_int_equal(load_way(&file), BOOT_WAY_MULTIBOOT2);
}

/* Neither is usable: the first one says why */
static void test_no_header_fits(void **state)
{
	fill_mb1(0);
	assert_int_equal(load_way(&file), BOOT_WAY_PVH);
	f.h.ident.magic = 0;
	assert_int_equal(load_way(&file), BOOT_WAY_MULTIBOOT);
	assert_int_equal(load_guest(&fake_vm), -ENOEXEC);
	assert_non_null(strstr(fake_log_last, "neither an ELF nor"));
	fill_mb1(BIT(5) | MB1_ADDRESSES);
	assert_int_equal(load_way(&file), BOOT_WAY_MULTIBOOT);
	assert_int_equal(load_guest(&fake_vm), -ENOEXEC);
	assert_non_null(strstr(fake_log_last, "does not define"));
}

/* A Linux that starts in real mode only, and a multiboot kernel besides */
static void test_old_linux_with_multiboot(void **state)
{
	static u8 big[KIB(8)];
	struct setup_header hdr = { .boot_flag = BZ_BOOT_FLAG,
				    .header = BZ_MAGIC,
				    .version = BZ_VERSION_MIN - 1 };

	fill_mb1(MB1_ADDRESSES);
	f.h.ident.magic = 0;
	memcpy(big, &f, sizeof(f));
	memcpy(big + BZ_HEADER_OFFSET, &hdr, sizeof(hdr));
	file = (struct image){ "k", big, sizeof(big), 0 };
	assert_int_equal(load_way(&file), BOOT_WAY_MULTIBOOT);
	hdr.version = BZ_VERSION_MIN;
	hdr.loadflags = BZ_LOADED_HIGH;
	memcpy(big + BZ_HEADER_OFFSET, &hdr, sizeof(hdr));
	assert_int_equal(load_way(&file), BOOT_WAY_LINUX);
	file = (struct image){ "k", (const u8 *)&f, sizeof(f), 0 };
}

#define load_test(t) cmocka_unit_test_setup_teardown(t, setup, vm_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		load_test(test_damaged_elf_alone),
		load_test(test_address_tag_in_a_damaged_elf),
		load_test(test_addresses_in_a_damaged_elf),
		load_test(test_second_header_fits),
		load_test(test_no_header_fits),
		load_test(test_old_linux_with_multiboot),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
