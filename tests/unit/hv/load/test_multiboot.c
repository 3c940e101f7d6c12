/* SOURCES: hv/load/multiboot1.c hv/load/multiboot.c hv/load/elf.c hv/load/place.c hv/load/e820.c hv/load/entry.c hv/core/slots.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Multiboot 0.6.96: good images of all three kinds, what they are told, and
 * every way to be bad. Over 400 lines: one image, damaged in every way.
 */
#include "tests/unit/fakes/files.h"
#include "tests/unit/fakes/loader.h"

#include "hv/load/acpi_area.h"
#include "hv/load/multiboot.h"
#include "include/hw/cpu.h"

#define LOAD_PADDR 0x200000u
#define CODE_BYTES 64u
#define ENTRY      (LOAD_PADDR + 0x10)

/* Header, one segment, one section that no segment holds */
struct file32 {
	struct elf32_header h;
	struct elf32_phdr load;
	struct elf32_shdr sections[2];
	struct mb1_header mb;
	u8 code[CODE_BYTES];
	char symbols[16];
} __packed;
struct file64 {
	struct elf64_header h;
	struct elf64_phdr load;
	u32 pad;
	struct mb1_header mb;
	u8 code[CODE_BYTES];
} __packed;

static struct file32 f32;
static struct file64 f64;
static u8 module_bytes[2][5000];
static struct image kernel;
static struct image initrd = { "initrd.bin", module_bytes[0], 100, 0 };

int load_find(struct vm *v, const char *key, const char *name,
	      struct image *out)
{
	assert_ptr_equal(v, &fake_vm);
	assert_string_equal(key, "module");
	return file_find(name, out);
}

static struct mb1_header header(u32 flags)
{
	return (struct mb1_header){ .magic = MB1_MAGIC,
				    .flags = flags,
				    .checksum = 0u - MB1_MAGIC - flags };
}

static void fill_32(void)
{
	memset(&f32, 0, sizeof(f32));
	f32.h.ident = (struct elf_ident){ .magic = ELF_MAGIC,
					  .class = ELF_CLASS32,
					  .data = ELF_LSB,
					  .machine = ELF_EM_386 };
	f32.h.entry = ENTRY;
	f32.h.phoff = offsetof(struct file32, load);
	f32.h.phentsize = sizeof(f32.load);
	f32.h.phnum = 1;
	f32.h.shoff = offsetof(struct file32, sections);
	f32.h.shentsize = sizeof(f32.sections[0]);
	f32.h.shnum = 2;
	f32.h.shstrndx = 1;
	f32.load = (struct elf32_phdr){ .type = ELF_PT_LOAD,
					.offset = offsetof(struct file32, code),
					.vaddr = LOAD_PADDR,
					.paddr = LOAD_PADDR,
					.filesz = CODE_BYTES,
					.memsz = 0x3000 };
	f32.sections[1].offset = offsetof(struct file32, symbols);
	f32.sections[1].size = sizeof(f32.symbols);
	f32.sections[1].type = 3;
	strcpy(f32.symbols, "symbols");
	f32.mb = header(MB1_PAGE_ALIGN | MB1_MEMORY_INFO);
	memset(f32.code, 0x90, sizeof(f32.code));
	kernel = (struct image){ "k.elf", (const u8 *)&f32, sizeof(f32), 0 };
}

static int setup(void **state)
{
	vm_setup(state);
	fill_32();
	memset(module_bytes[0], 0x33, sizeof(module_bytes[0]));
	memset(module_bytes[1], 0x44, sizeof(module_bytes[1]));
	fake_files[0] = (struct image){ "m.bin", module_bytes[1], 5000, 0 };
	strcpy(fake_config.cmdline, "test=1 two");
	fake_vm.acpi_rsdp = ACPI_AREA_ISOLATED;
	return 0;
}

static const struct mb1_info *loaded(const struct image *first)
{
	const struct vcpu_regs *r = &fake_vcpus[0].hw.regs;

	assert_int_equal(multiboot1_probe(&kernel), IMAGE_FITS);
	assert_int_equal(multiboot1_load(&fake_vm, &kernel, first), 0);
	assert_int_equal(fake_ram[LOAD_PADDR], 0x90);
	assert_int_equal(fake_ram[LOAD_PADDR + CODE_BYTES], 0);
	assert_int_equal(fake_ram[LOAD_PADDR + 0x2fff], 0);
	assert_int_equal(r->rip, ENTRY);
	assert_int_equal(r->gpr[GPR_RAX], MB1_BOOT_MAGIC);
	assert_int_equal(fake_vcpus[0].hw.apic_page[0x350 / 4], 0x700);
	assert_int_equal(r->cr0 & (CR0_PE | CR0_PG), CR0_PE);
	assert_int_equal(r->rflags & (RFLAGS_VM | RFLAGS_IF), 0);
	assert_int_equal(r->seg[SEG_CS].attr, 0xc09b);
	assert_int_equal(r->seg[SEG_DS].limit, ~0u);
	return (const void *)fake_ram_at(r->gpr[GPR_RBX],
					 sizeof(struct mb1_info));
}

static const char *text(u32 gpa)
{
	return (const char *)fake_ram_at(gpa, 1);
}

static void check_map(const struct mb1_info *info)
{
	const struct mb1_mmap *map =
		(const void *)fake_ram_at(info->mmap_addr, info->mmap_length);
	u32 count = info->mmap_length / (u32)sizeof(*map);

	assert_in_range(count, 4, 8);
	for (u32 i = 0; i < count; i++) {
		assert_int_equal(map[i].size, 20);
		assert_in_range(map[i].type, 1, MB_MEMORY_LAST);
	}
	assert_int_equal(map[0].base, 0);
	assert_int_equal(map[0].type, E820_RAM);
	assert_int_equal(info->mem_lower, map[0].length / 1024);
	assert_int_equal(info->mem_upper, (RAM_BYTES - MIB(1)) / 1024);
}

static void test_good_32(void **state)
{
	const struct mb1_info *info = loaded(NULL);
	const u32 flags = MB1_INFO_MEMORY | MB1_INFO_CMDLINE | MB1_INFO_MODS |
			  MB1_INFO_SECTIONS | MB1_INFO_MMAP | MB1_INFO_LOADER;

	assert_int_equal(info->flags, flags);
	assert_string_equal(text(info->cmdline), "k.elf test=1 two");
	assert_string_equal(text(info->boot_loader_name), "Bulkhead");
	assert_int_equal(info->mods_count, 0);
	check_map(info);
}

static void test_modules(void **state)
{
	const struct mb1_info *info;
	const struct mb1_module *mods;

	fake_config.module_count = 1;
	strcpy(fake_config.modules[0].file, "m.bin");
	strcpy(fake_config.modules[0].args, "some words");
	info = loaded(&initrd);
	assert_int_equal(info->mods_count, 2);
	mods = (const void *)fake_ram_at(info->mods_addr, 2 * sizeof(*mods));
	assert_int_equal(mods[0].mod_end - mods[0].mod_start, 100);
	assert_int_equal(mods[1].mod_end - mods[1].mod_start, 5000);
	assert_true(IS_ALIGNED(mods[0].mod_start, PAGE_SIZE));
	assert_true(IS_ALIGNED(mods[1].mod_start, PAGE_SIZE));
	assert_int_equal(*fake_ram_at(mods[0].mod_start + 99, 1), 0x33);
	assert_int_equal(*fake_ram_at(mods[1].mod_start, 1), 0x44);
	assert_int_equal(*fake_ram_at(mods[1].mod_end - 1, 1), 0x44);
	assert_string_equal(text(mods[0].string), "initrd.bin");
	assert_string_equal(text(mods[1].string), "m.bin some words");
}

static void test_sections(void **state)
{
	const struct mb1_info *info = loaded(NULL);
	const struct elf32_shdr *s;

	assert_int_equal(info->shdr_num, 2);
	assert_int_equal(info->shdr_size, sizeof(*s));
	assert_int_equal(info->shdr_shndx, 1);
	s = (const void *)fake_ram_at(info->shdr_addr, 2 * sizeof(*s));
	assert_string_equal(text(s[1].addr), "symbols");
	assert_int_equal(s[0].addr, 0);
	f32.h.shoff = ~0u;
	assert_int_equal(loaded(NULL)->flags & MB1_INFO_SECTIONS, 0);
}

/* A kernel linked high and loaded low: the entry is a virtual address */
static void test_good_64(void **state)
{
	memset(&f64, 0, sizeof(f64));
	f64.h.ident = (struct elf_ident){ .magic = ELF_MAGIC,
					  .class = ELF_CLASS64,
					  .data = ELF_LSB,
					  .machine = ELF_EM_X86_64 };
	f64.h.entry = 0xffffffff80000010;
	f64.h.phoff = offsetof(struct file64, load);
	f64.h.phentsize = sizeof(f64.load);
	f64.h.phnum = 1;
	f64.load = (struct elf64_phdr){ .type = ELF_PT_LOAD,
					.offset = offsetof(struct file64, code),
					.vaddr = 0xffffffff80000000,
					.paddr = LOAD_PADDR,
					.filesz = CODE_BYTES,
					.memsz = 0x3000 };
	f64.mb = header(0);
	memset(f64.code, 0x90, sizeof(f64.code));
	kernel = (struct image){ "k.elf", (const u8 *)&f64, sizeof(f64), 0 };
	assert_int_equal(loaded(NULL)->flags & MB1_INFO_SECTIONS, 0);
}

#define FLAT_HEADER 0x40u

/* No ELF: the header says where it lies */
static struct mb1_header *make_flat(void)
{
	struct mb1_header *h = (void *)((u8 *)&f32 + FLAT_HEADER);

	memset(&f32, 0x90, sizeof(f32));
	*h = header(MB1_ADDRESSES);
	h->header_addr = LOAD_PADDR + FLAT_HEADER - 0x20;
	h->load_addr = LOAD_PADDR; /* from byte 20h of the file */
	h->load_end_addr = LOAD_PADDR + CODE_BYTES;
	h->bss_end_addr = LOAD_PADDR + 0x3000;
	h->entry_addr = ENTRY;
	return h;
}

static void test_good_flat(void **state)
{
	struct mb1_header *h = make_flat();

	assert_int_equal(loaded(NULL)->flags & MB1_INFO_SECTIONS, 0);
	assert_int_equal(fake_ram[LOAD_PADDR + 0x3000], 0xaa);
	assert_memory_equal(fake_ram + LOAD_PADDR, (u8 *)&f32 + 0x20,
			    CODE_BYTES);
	/* All of the file, nothing behind it */
	h->load_end_addr = h->bss_end_addr = 0;
	memset(fake_ram, 0xaa, RAM_BYTES);
	assert_int_equal(multiboot1_load(&fake_vm, &kernel, NULL), 0);
	assert_int_equal(fake_ram[LOAD_PADDR + sizeof(f32) - 0x21], 0x90);
	assert_int_equal(fake_ram[LOAD_PADDR + sizeof(f32) - 0x20], 0xaa);
}

static void expect_refused(const char *says, int err)
{
	memset(fake_ram, 0xaa, RAM_BYTES);
	memset(&fake_vcpus[0].hw.regs, 0, sizeof(fake_vcpus[0].hw.regs));
	assert_int_equal(multiboot1_load(&fake_vm, &kernel, &initrd), err);
	if (!strstr(fake_log_last, says))
		fail_msg("'%s' does not say '%s'", fake_log_last, says);
	for (u64 i = 0; i < RAM_BYTES; i += 512)
		assert_int_equal(fake_ram[i], 0xaa);
	assert_int_equal(fake_vcpus[0].hw.regs.dirty, 0);
}

static void test_bad_flat(void **state)
{
	struct mb1_header *h = make_flat(), good = *h;

	h->load_addr = h->header_addr + 4;
	expect_refused("addresses contradict", -ENOEXEC);
	*h = good;
	h->load_addr = h->header_addr - FLAT_HEADER - 4;
	expect_refused("addresses contradict", -ENOEXEC);
	*h = good;
	h->load_end_addr = h->load_addr - 1;
	expect_refused("cut short", -ENOEXEC);
	h->load_end_addr = h->load_addr + sizeof(f32);
	expect_refused("cut short", -ENOEXEC);
	*h = good;
	h->entry_addr = h->load_addr - 1;
	expect_refused("entry lies outside", -ENOEXEC);
	h->entry_addr = h->bss_end_addr;
	expect_refused("entry lies outside", -ENOEXEC);
	*h = good;
	h->bss_end_addr = ~0u;
	expect_refused("kernel where it is linked", -ENOMEM);
	*h = good;
	h->header_addr = ~0u;
	h->load_addr = ~0u - 0x20;
	h->load_end_addr = h->bss_end_addr = 0;
	expect_refused("addresses contradict", -ENOEXEC);
}

static void test_bad_header(void **state)
{
	f32.mb = header(BIT(3));
	expect_refused("does not define", -ENOEXEC);
	f32.mb = header(BIT(15));
	expect_refused("does not define", -ENOEXEC);
	f32.mb.checksum++;
	assert_int_equal(multiboot1_probe(&kernel), IMAGE_OTHER);
	expect_refused("no multiboot header", -ENOEXEC);
	/* Bits from 16 on need not be understood */
	f32.mb = header(BIT(17));
	assert_int_equal(multiboot1_load(&fake_vm, &kernel, NULL), 0);
	f32.h.ident.magic = 0;
	f32.mb = header(0);
	expect_refused("neither an ELF nor", -ENOEXEC);
}

static void test_wants_a_screen(void **state)
{
	f32.mb = header(MB1_VIDEO_MODE);
	assert_int_equal(loaded(NULL)->flags & BIT(12), 0);
	assert_non_null(
		strstr(fake_log_last, "asks for a screen and has none"));
}

static void test_bad_segments(void **state)
{
	struct file32 good = f32;

	f32.load.filesz = 0x2000;
	expect_refused("cut short", -ENOEXEC);
	f32 = good;
	f32.load.memsz = 10;
	expect_refused("contradict", -ENOEXEC);
	f32 = good;
	f32.load.paddr = 0xfffff000;
	expect_refused("above 4 GiB", -ENOEXEC);
	f32.load.paddr = 0xf0000000;
	expect_refused("kernel where it is linked", -ENOMEM);
	f32.load.paddr = RAM_BYTES - 0x2fff;
	expect_refused("kernel where it is linked", -ENOMEM);
	f32.load.paddr = 0;
	expect_refused("parts overlap", -ENOEXEC);
	f32.load.paddr = 0x9e000;
	expect_refused("parts overlap", -ENOEXEC);
	f32 = good;
	f32.h.entry = LOAD_PADDR - 1;
	expect_refused("entry lies in no segment", -ENOEXEC);
	f32.h.entry = LOAD_PADDR + 0x3000;
	expect_refused("entry lies in no segment", -ENOEXEC);
	f32 = good;
	f32.h.phnum = 0xffff;
	expect_refused("cut short", -ENOEXEC);
}

static void test_overlap(void **state)
{
	struct {
		struct file32 f;
		struct elf32_phdr more[2];
	} __packed two = { .f = f32 };

	two.more[0] = two.more[1] = f32.load;
	two.more[1].paddr += 0x2fff;
	two.f.h.phoff = offsetof(typeof(two), more);
	two.f.h.phnum = 2;
	kernel = (struct image){ "k.elf", (const u8 *)&two, sizeof(two), 0 };
	expect_refused("parts overlap each other", -ENOEXEC);
	two.more[1].paddr++;
	assert_int_equal(multiboot1_load(&fake_vm, &kernel, NULL), 0);
}

/* Low memory between vectors and EBDA may hold a kernel; what it is told is
 * elsewhere then */
static void test_low_kernel(void **state)
{
	u64 info;

	f32.load.paddr = f32.load.vaddr = 0x10000;
	f32.load.memsz = 0x80000;
	f32.h.entry = 0x10000;
	assert_int_equal(multiboot1_load(&fake_vm, &kernel, NULL), 0);
	info = fake_vcpus[0].hw.regs.gpr[GPR_RBX];
	assert_in_range(info, 0x90000, RAM_BYTES);
	assert_int_equal(fake_ram[0x10000], 0x90);
}

static void test_no_room(void **state)
{
	fake_vm.slots[0].size = MIB(2) + 0x3000;
	initrd.size = MIB(2);
	expect_refused("no room for the modules", -ENOMEM);
	initrd.size = 100;
	fake_pool_left = 0;
	expect_refused("no room for the boot information", -ENOMEM);
	fake_pool_left = ~0u;
	strcpy(fake_config.modules[0].file, "absent");
	fake_config.module_count = 1;
	assert_int_equal(multiboot1_load(&fake_vm, &kernel, NULL), -ENOENT);
}

static void test_truncated(void **state)
{
	for (u64 size = 0; size < offsetof(struct file32, symbols); size++) {
		kernel.size = size;
		if (multiboot1_probe(&kernel))
			expect_refused("cut short", -ENOEXEC);
	}
}

#define mb_test(f) cmocka_unit_test_setup_teardown(f, setup, vm_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		mb_test(test_good_32),      mb_test(test_modules),
		mb_test(test_sections),     mb_test(test_good_64),
		mb_test(test_good_flat),    mb_test(test_bad_flat),
		mb_test(test_bad_header),   mb_test(test_wants_a_screen),
		mb_test(test_bad_segments), mb_test(test_overlap),
		mb_test(test_low_kernel),   mb_test(test_no_room),
		mb_test(test_truncated),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
