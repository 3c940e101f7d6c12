/* SOURCES: hv/load/multiboot2.c hv/load/multiboot.c hv/load/elf.c hv/load/place.c hv/load/e820.c hv/load/entry.c hv/core/slots.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/* Multiboot2 2.0: the header's tags, the information's tags, and bad ones */
#include "tests/unit/fakes/files.h"
#include "tests/unit/fakes/loader.h"

#include "hv/load/acpi_area.h"
#include "hv/load/multiboot.h"
#include "include/hw/cpu.h"

#define LOAD_PADDR 0x200000u
#define ENTRY      (LOAD_PADDR + 0x10)
#define CODE_BYTES 64u
#define TAG_BYTES  128u
#define HEADER_AT  offsetof(struct file, mb)

struct file {
	struct elf32_header h;
	struct elf32_phdr load;
	u32 pad;
	struct mb2_header mb;
	u8 tags[TAG_BYTES];
	u8 code[CODE_BYTES];
} __packed;
static_assert(HEADER_AT % MB2_ALIGN == 0, "a header there is found");

static struct file f;
static struct image kernel;
static u8 module_bytes[3000];
static u32 tag_end;

int load_find(struct vm *v, const char *key, const char *name,
	      struct image *out)
{
	return file_find(name, out);
}

/* The header says how long its tags are */
static void seal(u32 bytes)
{
	u32 length = (u32)sizeof(f.mb) + bytes;

	f.mb = (struct mb2_header){ MB2_MAGIC, MB2_ARCH_I386, length,
				    0u - MB2_MAGIC - MB2_ARCH_I386 - length };
}

static void tag(u16 type, u16 flags, const void *body, u32 bytes)
{
	struct mb2_tag t = { type, flags, (u32)sizeof(t) + bytes };

	memcpy(f.tags + tag_end, &t, sizeof(t));
	if (bytes)
		memcpy(f.tags + tag_end + sizeof(t), body, bytes);
	tag_end += (u32)ALIGN_UP((u64)t.size, 8);
}

/* The header with @type's tag and an end */
static void only(u16 type, u16 flags, const void *body, u32 bytes)
{
	tag_end = 0;
	tag(type, flags, body, bytes);
	tag(MB2_HEADER_END, 0, NULL, 0);
	seal(tag_end);
}

static int setup(void **state)
{
	vm_setup(state);
	memset(&f, 0, sizeof(f));
	f.h.ident = (struct elf_ident){ .magic = ELF_MAGIC,
					.class = ELF_CLASS32,
					.data = ELF_LSB,
					.machine = ELF_EM_386 };
	f.h.entry = ENTRY;
	f.h.phoff = offsetof(struct file, load);
	f.h.phentsize = sizeof(f.load);
	f.h.phnum = 1;
	f.load = (struct elf32_phdr){ .type = ELF_PT_LOAD,
				      .offset = offsetof(struct file, code),
				      .vaddr = LOAD_PADDR,
				      .paddr = LOAD_PADDR,
				      .filesz = CODE_BYTES,
				      .memsz = 0x3000 };
	memset(f.code, 0x90, sizeof(f.code));
	tag_end = 0;
	tag(MB2_HEADER_END, 0, NULL, 0);
	seal(tag_end);
	kernel = (struct image){ "k.elf", (const u8 *)&f, sizeof(f), 0 };
	memset(module_bytes, 0x44, sizeof(module_bytes));
	fake_files[0] = (struct image){ "m.bin", module_bytes, 3000, 0 };
	strcpy(fake_config.cmdline, "test=1");
	fake_vm.acpi_rsdp = ACPI_AREA_ISOLATED;
	memcpy(fake_ram + ACPI_AREA_ISOLATED, "RSD PTR ", 8);
	return 0;
}

static u32 load(const struct image *initrd)
{
	const struct vcpu_regs *r = &fake_vcpus[0].hw.regs;

	assert_int_equal(multiboot2_probe(&kernel), IMAGE_FITS);
	assert_int_equal(multiboot2_load(&fake_vm, &kernel, initrd), 0);
	assert_int_equal(r->gpr[GPR_RAX], MB2_BOOT_MAGIC);
	assert_int_equal(r->cr0 & (CR0_PE | CR0_PG), CR0_PE);
	assert_true(IS_ALIGNED(r->gpr[GPR_RBX], 8));
	return (u32)r->gpr[GPR_RBX];
}

/* The @nth tag of @type in the information at @gpa; NULL: none. Walks to the
 * end tag, which must be where total_size says. */
static const void *find(u32 gpa, u32 type, u32 nth)
{
	const struct mb2_info *info =
		(const void *)fake_ram_at(gpa, sizeof(*info));
	const struct mb2_info_head *head, *found = NULL;
	u32 here = sizeof(*info);

	assert_int_equal(info->reserved, 0);
	for (;; here += (u32)ALIGN_UP((u64)head->size, 8)) {
		assert_in_range(here, 8, info->total_size - 8);
		head = (const void *)fake_ram_at(gpa + here, sizeof(*head));
		assert_in_range(head->size, 8, info->total_size - here);
		if (head->type == MB2_INFO_END)
			break;
		if (head->type == type && !nth--)
			found = head;
	}
	assert_int_equal(here + 8, info->total_size);
	return found;
}

static void test_good(void **state)
{
	const struct mb2_info_memory *memory;
	const struct mb2_info_mmap *mmap;
	const struct mb2_mmap *e;
	const char *text;
	u32 info = load(NULL);

	assert_int_equal(fake_ram[LOAD_PADDR], 0x90);
	assert_int_equal(fake_ram[LOAD_PADDR + 0x2fff], 0);
	assert_int_equal(fake_vcpus[0].hw.regs.rip, ENTRY);
	text = find(info, MB2_INFO_CMDLINE, 0);
	assert_string_equal(text + 8, "k.elf test=1");
	text = find(info, MB2_INFO_LOADER, 0);
	assert_string_equal(text + 8, "Bulkhead");
	memory = find(info, MB2_INFO_MEMORY, 0);
	assert_int_equal(memory->upper, (RAM_BYTES - MIB(1)) / 1024);
	mmap = find(info, MB2_INFO_MMAP, 0);
	assert_int_equal(mmap->entry_size, 24);
	assert_int_equal(mmap->entry_version, 0);
	e = (const void *)(mmap + 1);
	assert_int_equal(memory->lower, e[0].length / 1024);
	assert_in_range((mmap->head.size - sizeof(*mmap)) / sizeof(*e), 4, 8);
	assert_null(find(info, MB2_INFO_MODULE, 0));
	assert_null(find(info, MB2_INFO_LOAD_BASE, 0));
	text = find(info, MB2_INFO_ACPI_OLD, 0);
	assert_memory_equal(text + 8, "RSD PTR ", 8);
	assert_int_equal(((const struct mb2_info_head *)text)->size, 28);
	text = find(info, MB2_INFO_ACPI_NEW, 0);
	assert_int_equal(((const struct mb2_info_head *)text)->size, 44);
}

static void test_modules(void **state)
{
	struct image initrd = { "i.bin", module_bytes, 10, 0 };
	const struct mb2_info_module *m;
	u32 info;

	fake_config.module_count = 1;
	strcpy(fake_config.modules[0].file, "m.bin");
	strcpy(fake_config.modules[0].args, "a b");
	info = load(&initrd);
	m = find(info, MB2_INFO_MODULE, 0);
	assert_int_equal(m->mod_end - m->mod_start, 10);
	assert_string_equal((const char *)(m + 1), "i.bin");
	m = find(info, MB2_INFO_MODULE, 1);
	assert_int_equal(m->mod_end - m->mod_start, 3000);
	assert_int_equal(*fake_ram_at(m->mod_start + 2999, 1), 0x44);
	assert_true(IS_ALIGNED(m->mod_start, PAGE_SIZE));
	assert_string_equal((const char *)(m + 1), "m.bin a b");
}

static void test_addresses(void **state)
{
	u32 where[4] = { LOAD_PADDR + HEADER_AT, LOAD_PADDR, 0,
			 LOAD_PADDR + 0x3000 };
	u32 entry = ENTRY;

	tag_end = 0;
	tag(MB2_HEADER_ADDRESS, 0, where, sizeof(where));
	tag(MB2_HEADER_ENTRY, 0, &entry, sizeof(entry));
	tag(MB2_HEADER_END, 0, NULL, 0);
	seal(tag_end);
	f.h.ident.magic = 0;
	load(NULL);
	assert_memory_equal(fake_ram + LOAD_PADDR, &f, sizeof(f));
	assert_int_equal(fake_ram[LOAD_PADDR + 0x2fff], 0);
	/* The file from its start, wherever the header is */
	where[1] = MB2_LOAD_WHOLE;
	memcpy(f.tags + 8, where, sizeof(where));
	memset(fake_ram + MIB(1), 0xaa, MIB(2));
	load(NULL);
	assert_memory_equal(fake_ram + LOAD_PADDR, &f, sizeof(f));
}

/* It overrides the ELF's */
static void test_entry(void **state)
{
	u32 entry = LOAD_PADDR + 0x100;

	only(MB2_HEADER_ENTRY, 0, &entry, sizeof(entry));
	load(NULL);
	assert_int_equal(fake_vcpus[0].hw.regs.rip, entry);
}

static void test_relocatable(void **state)
{
	const struct mb2_info_base *base;
	u32 body[4] = { 0, ~0u, 4096, 0 };

	only(MB2_HEADER_RELOCATABLE, 0, body, sizeof(body));
	base = find(load(NULL), MB2_INFO_LOAD_BASE, 0);
	assert_int_equal(base->load_base_addr, LOAD_PADDR);
}

static void test_ignored(void **state)
{
	u32 body[3] = { 1, 2, 3 };
	u32 entry = 5;

	only(99, MB2_OPTIONAL, body, sizeof(body));
	load(NULL);
	only(MB2_HEADER_EFI_BS, 0, NULL, 0);
	load(NULL);
	only(MB2_HEADER_ENTRY_EFI64, 0, &entry, sizeof(entry));
	load(NULL);
	assert_int_equal(fake_vcpus[0].hw.regs.rip, ENTRY);
	only(MB2_HEADER_MODULE_ALIGN, 0, NULL, 0);
	load(NULL);
	only(MB2_HEADER_FRAMEBUFFER, 0, body, sizeof(body));
	load(NULL);
	assert_non_null(strstr(fake_log_last, "asks for a screen"));
	body[0] = 8; /* a framebuffer, which is left out */
	only(MB2_HEADER_REQUEST, 0, body, sizeof(body));
	assert_null(find(load(NULL), 8, 0));
	body[0] = 22;
	only(MB2_HEADER_REQUEST, MB2_OPTIONAL, body, sizeof(body));
	load(NULL);
}

static void expect_refused(const char *says)
{
	memset(fake_ram, 0xaa, RAM_BYTES);
	memset(&fake_vcpus[0].hw.regs, 0, sizeof(fake_vcpus[0].hw.regs));
	assert_int_equal(multiboot2_load(&fake_vm, &kernel, NULL), -ENOEXEC);
	if (!strstr(fake_log_last, says))
		fail_msg("'%s' does not say '%s'", fake_log_last, says);
	for (u64 i = 0; i < RAM_BYTES; i += 512)
		assert_int_equal(fake_ram[i], 0xaa);
	assert_int_equal(fake_vcpus[0].hw.regs.dirty, 0);
}

static void set_size(u32 size)
{
	memcpy(f.tags + offsetof(struct mb2_tag, size), &size, sizeof(size));
}

static void test_bad_tags(void **state)
{
	u32 body[4] = { 22 };

	only(99, 0, body, 4);
	expect_refused("does not define");
	only(MB2_HEADER_REQUEST, 0, body, 4);
	expect_refused("information that multiboot 2.0 does not define");
	only(MB2_HEADER_ENTRY, 0, NULL, 0); /* too short */
	expect_refused("tags of its multiboot 2 header contradict");
	only(MB2_HEADER_ENTRY, 0, body, 4);
	for (u32 size = 0; size < 8; size++) {
		set_size(size);
		expect_refused("contradict");
	}
	set_size(~0u);
	expect_refused("contradict");
	set_size(tag_end + 1);
	expect_refused("contradict");
	tag_end = 0; /* no end */
	tag(MB2_HEADER_MODULE_ALIGN, 0, NULL, 0);
	seal(tag_end);
	expect_refused("contradict");
	seal(0);
	expect_refused("contradict");
	only(MB2_HEADER_ADDRESS, 0, body, 16); /* no entry */
	expect_refused("contradict");
	body[0] = HEADER_AT - 1;
	body[1] = MB2_LOAD_WHOLE;
	only(MB2_HEADER_ADDRESS, 0, body, 16);
	expect_refused("contradict");
}

static void test_bad_header(void **state)
{
	f.mb.architecture = 4;
	f.mb.checksum -= 4;
	expect_refused("not for i386");
	seal(sizeof(f));
	expect_refused("cut short");
	seal(0xffffff00);
	expect_refused("cut short");
	f.mb.checksum++;
	assert_int_equal(multiboot2_probe(&kernel), IMAGE_OTHER);
	expect_refused("no multiboot 2 header");
	seal(tag_end);
	f.h.entry = LOAD_PADDR - 1;
	expect_refused("entry lies in no segment");
	f.h.ident.class = 0;
	expect_refused("neither an ELF nor");
}

/* 3.1: it ends in the first 32 KiB, however long the file */
static void test_long_header(void **state)
{
	static struct {
		struct file f;
		u8 more[2 * MB2_SEARCH];
	} __packed big;

	seal(MB2_SEARCH);
	big.f = f;
	kernel = (struct image){ "k.elf", (const u8 *)&big, sizeof(big), 0 };
	expect_refused("contradict");
}

/* More than the information has room for */
static void test_too_much(void **state)
{
	static struct {
		struct file f;
		struct elf32_shdr sections[256];
		struct elf32_phdr more;
	} __packed big;

	big.f = f;
	big.f.h.shoff = offsetof(typeof(big), sections);
	big.f.h.shentsize = sizeof(struct elf32_shdr);
	big.f.h.shnum = 256;
	kernel = (struct image){ "k.elf", (const u8 *)&big, sizeof(big), 0 };
	assert_non_null(find(load(NULL), MB2_INFO_SECTIONS, 0));
	big.f.h.shnum = 257; /* left out, rather than a kernel refused */
	assert_null(find(load(NULL), MB2_INFO_SECTIONS, 0));
}

static void test_truncated(void **state)
{
	for (u64 size = 0; size < sizeof(f); size++) {
		kernel.size = size;
		if (multiboot2_probe(&kernel))
			expect_refused("cut short");
	}
}

#define mb_test(t) cmocka_unit_test_setup_teardown(t, setup, vm_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		mb_test(test_good),        mb_test(test_modules),
		mb_test(test_addresses),   mb_test(test_entry),
		mb_test(test_relocatable), mb_test(test_ignored),
		mb_test(test_bad_tags),    mb_test(test_bad_header),
		mb_test(test_long_header), mb_test(test_too_much),
		mb_test(test_truncated),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
