/* SOURCES: hv/load/pvh.c hv/load/elf.c hv/load/place.c hv/load/e820.c hv/load/entry.c hv/core/slots.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/* The PVH loader: good ELFs of both classes, and every way to be bad. Over 400
 * lines: one file of each class serves all of them. */
#include "tests/unit/fakes/loader.h"

#include "hv/load/acpi_area.h"
#include "hv/load/elf.h"
#include "include/hw/cpu.h"
#include "include/hw/pvh.h"

#define ENTRY      0x200010u
#define LOAD_PADDR 0x200000ull

/* Header, two program headers, a note, 64 bytes of code */
struct file64 {
	struct elf64_header h;
	struct elf64_phdr load, note;
	struct elf_note n;
	char name[4];
	u32 entry;
	u8 code[64];
} __packed;
struct file32 {
	struct elf32_header h;
	struct elf32_phdr load, note;
	struct elf_note n;
	char name[4];
	u32 entry;
	u8 code[64];
} __packed;

static struct file64 f64;
static struct file32 f32;
static u8 initrd_bytes[100];
static struct image kernel,
	initrd = { "initrd", initrd_bytes, sizeof(initrd_bytes), 0 };

static struct elf_ident ident(u8 class, u16 machine)
{
	return (struct elf_ident){ .magic = ELF_MAGIC,
				   .class = class,
				   .data = ELF_LSB,
				   .machine = machine };
}

static int setup(void **state)
{
	vm_setup(state);
	memset(&f64, 0, sizeof(f64));
	f64.h.ident = ident(ELF_CLASS64, ELF_EM_X86_64);
	f64.h.phoff = offsetof(struct file64, load);
	f64.h.phentsize = sizeof(struct elf64_phdr);
	f64.h.phnum = 2;
	f64.load = (struct elf64_phdr){ .type = ELF_PT_LOAD,
					.offset = offsetof(struct file64, code),
					.paddr = LOAD_PADDR,
					.filesz = 64,
					.memsz = 0x3000 };
	f64.note = (struct elf64_phdr){ .type = ELF_PT_NOTE,
					.offset = offsetof(struct file64, n),
					.filesz = 20,
					.memsz = 20 };
	f64.n = (struct elf_note){ 4, 4, XEN_ELFNOTE_PHYS32_ENTRY };
	memcpy(f64.name, "Xen", 4);
	f64.entry = ENTRY;
	memset(f64.code, 0x90, 64);
	kernel = (struct image){ "k.elf", (const u8 *)&f64, sizeof(f64), 0 };
	memset(initrd_bytes, 0x33, sizeof(initrd_bytes));
	strcpy(fake_config.cmdline, "test=1");
	fake_vm.acpi_rsdp = ACPI_AREA_ISOLATED;
	return 0;
}

static void make_32(void)
{
	memset(&f32, 0, sizeof(f32));
	f32.h.ident = ident(ELF_CLASS32, ELF_EM_386);
	f32.h.phoff = offsetof(struct file32, load);
	f32.h.phentsize = sizeof(struct elf32_phdr);
	f32.h.phnum = 2;
	f32.load = (struct elf32_phdr){ .type = ELF_PT_LOAD,
					.offset = offsetof(struct file32, code),
					.paddr = LOAD_PADDR,
					.filesz = 64,
					.memsz = 0x3000 };
	f32.note = (struct elf32_phdr){ .type = ELF_PT_NOTE,
					.offset = offsetof(struct file32, n),
					.filesz = 20,
					.memsz = 20 };
	f32.n = f64.n;
	memcpy(f32.name, "Xen", 4);
	f32.entry = ENTRY;
	memset(f32.code, 0x90, 64);
	kernel = (struct image){ "k.elf", (const u8 *)&f32, sizeof(f32), 0 };
}

static void expect_loaded(void)
{
	const struct vcpu_regs *r = &fake_vcpus[0].hw.regs;
	const struct hvm_start_info *info;
	const struct hvm_modlist_entry *mod;
	const struct hvm_memmap_entry *map;

	assert_int_equal(pvh_probe(&kernel), IMAGE_FITS);
	assert_int_equal(pvh_load(&fake_vm, &kernel, &initrd), 0);
	assert_int_equal(fake_ram[LOAD_PADDR], 0x90);
	assert_int_equal(fake_ram[LOAD_PADDR + 64], 0);
	assert_int_equal(fake_ram[LOAD_PADDR + 0x2fff], 0);
	assert_int_equal(fake_ram[LOAD_PADDR + 0x3000], 0xaa);
	assert_int_equal(r->rip, ENTRY);
	assert_int_equal(r->cr0, CR0_PE | CR0_ET);
	assert_int_equal(r->cr4 | r->efer | r->cr3, 0);
	assert_int_equal(r->seg[SEG_CS].attr, 0xc09b);
	assert_int_equal(r->seg[SEG_CS].limit, ~0u);
	info = (const void *)fake_ram_at(r->gpr[GPR_RBX], sizeof(*info));
	assert_int_equal(info->magic, HVM_START_MAGIC);
	assert_int_equal(info->version, 1);
	assert_int_equal(info->rsdp_paddr, ACPI_AREA_ISOLATED);
	assert_string_equal(fake_ram_at(info->cmdline_paddr, 16), "test=1");
	assert_int_equal(info->nr_modules, 1);
	mod = (const void *)fake_ram_at(info->modlist_paddr, sizeof(*mod));
	assert_int_equal(mod->size, sizeof(initrd_bytes));
	assert_int_equal(*fake_ram_at(mod->paddr, 100), 0x33);
	assert_int_equal(info->memmap_entries, 6);
	map = (const void *)fake_ram_at(info->memmap_paddr, 5 * sizeof(*map));
	assert_int_equal(map[4].addr, MIB(1));
	assert_int_equal(map[4].type, E820_RAM);
}

/* However much RAM there is, the kernel's first gigabyte holds the start
 * information; the initrd may lie above it */
static void test_information_is_low(void **state)
{
	const struct hvm_start_info *info;
	u64 gpa;

	fake_vm.slot_count = 2;
	fake_vm.slots[0].size = MIB(32);
	fake_vm.slots[1] = (struct vm_slot){ GIB(1), MIB(32), MIB(32), false };
	assert_int_equal(pvh_load(&fake_vm, &kernel, &initrd), 0);
	gpa = fake_vcpus[0].hw.regs.gpr[GPR_RBX];
	assert_true(gpa < MIB(32));
	info = (const void *)fake_ram_at(gpa, sizeof(*info));
	assert_true(info->memmap_paddr < MIB(32));
	assert_true(info->modlist_paddr < MIB(32));
	assert_true(info->cmdline_paddr < MIB(32));
}

/* A map of any length, behind the command line */
static void test_long_map(void **state)
{
	const struct hvm_start_info *info;
	const struct hvm_memmap_entry *map;

	vm_make_privileged();
	for (u64 i = 0; i < 300; i++) {
		fake_owner_add(GIB(8) + MIB(4) * i, MIB(3), OWNER_GUEST,
			       BOOT_MEM_CONVENTIONAL);
		fake_owner_add(GIB(8) + MIB(4) * i + MIB(3), PAGE_SIZE,
			       OWNER_FIRMWARE, BOOT_MEM_RESERVED);
	}
	assert_int_equal(pvh_load(&fake_vm, &kernel, &initrd), 0);
	info = (const void *)fake_ram_at(fake_vcpus[0].hw.regs.gpr[GPR_RBX],
					 sizeof(*info));
	assert_int_equal(info->memmap_entries, 608);
	map = (const void *)fake_ram_at(info->memmap_paddr, 608 * sizeof(*map));
	assert_int_equal(map[606].addr, GIB(8) + 299 * MIB(4));
	assert_int_equal(map[606].type, E820_RAM);
	assert_string_equal(fake_ram_at(info->cmdline_paddr, 16), "test=1");
}

static void test_good_64(void **state)
{
	expect_loaded();
}

static void test_good_32(void **state)
{
	make_32();
	expect_loaded();
}

static void test_note_among_others(void **state)
{
	struct {
		struct elf_note other;
		char name[8];
		u8 desc[12];
	} __packed *first;
	u8 *big = malloc(sizeof(f64) + sizeof(*first) + 20);

	/* Another note first, then Xen's: both at the end of the file */
	f64.note.offset = sizeof(f64);
	f64.note.filesz = sizeof(*first) + 20;
	memcpy(big, &f64, sizeof(f64));
	first = (void *)(big + sizeof(f64));
	memset(first, 0, sizeof(*first));
	first->other = (struct elf_note){ 5, 10, XEN_ELFNOTE_PHYS32_ENTRY };
	memcpy(first->name, "Else", 5);
	memcpy(first + 1, &f64.n, 20);
	kernel = (struct image){ "k.elf", big,
				 sizeof(f64) + sizeof(*first) + 20, 0 };
	assert_int_equal(pvh_probe(&kernel), IMAGE_FITS);
	assert_int_equal(pvh_load(&fake_vm, &kernel, NULL), 0);
	free(big);
}

/* A GNU property of the program, then Xen's note. In both the description
 * begins behind 4 bytes of name; it is 12 bytes long in the first one, so only
 * the padding to @align says where the second one is. */
static void load_aligned(u32 header_align, u32 align)
{
	const u32 xen_at = (u32)ALIGN_UP(16 + 12, align);
	u8 *big = calloc(1, sizeof(f64) + 64);
	const struct elf_note gnu = { 4, 12, 5 };

	f64.note.offset = sizeof(f64);
	f64.note.filesz = xen_at + 20;
	f64.note.align = header_align;
	memcpy(big, &f64, sizeof(f64));
	memcpy(big + sizeof(f64), &gnu, sizeof(gnu));
	memcpy(big + sizeof(f64) + sizeof(gnu), "GNU", 4);
	memcpy(big + sizeof(f64) + xen_at, &f64.n, 20);
	kernel = (struct image){ "k.elf", big, sizeof(f64) + f64.note.filesz,
				 0 };
	assert_int_equal(pvh_probe(&kernel), IMAGE_FITS);
	assert_int_equal(pvh_load(&fake_vm, &kernel, NULL), 0);
	free(big);
}

static void test_notes_aligned_to_8(void **state)
{
	load_aligned(8, 8);
}

static void test_notes_aligned_to_4(void **state)
{
	load_aligned(4, 4);
}

/* As some linkers merge them */
static void test_notes_of_4_under_a_header_of_8(void **state)
{
	load_aligned(8, 4);
}

/* No bytes, no offset to be wrong */
static void test_segments_without_bytes(void **state)
{
	f64.load.filesz = 0;
	f64.load.offset = ~0ull;
	assert_int_equal(pvh_probe(&kernel), IMAGE_FITS);
	assert_int_equal(pvh_load(&fake_vm, &kernel, NULL), 0);
	assert_int_equal(fake_ram[LOAD_PADDR], 0);
	assert_int_equal(fake_ram[LOAD_PADDR + 0x2fff], 0);
	assert_int_equal(fake_ram[LOAD_PADDR + 0x3000], 0xaa);
}

static void test_segment_without_memory(void **state)
{
	struct {
		struct file64 f;
		struct elf64_phdr ph[3];
	} __packed *big = calloc(1, sizeof(*big));

	f64.h.phnum = 3;
	f64.h.phoff = sizeof(f64);
	big->f = f64;
	big->ph[0] = f64.load;
	big->ph[1] = f64.note;
	big->ph[2] = f64.load;
	big->ph[2].memsz = 0;
	big->ph[2].offset = ~0ull;
	kernel = (struct image){ "k.elf", (const u8 *)big, sizeof(*big), 0 };
	assert_int_equal(pvh_probe(&kernel), IMAGE_FITS);
	assert_int_equal(pvh_load(&fake_vm, &kernel, NULL), 0);
	assert_int_equal(fake_ram[LOAD_PADDR], 0x90);
	free(big);
}

static void expect_refused(const char *says, int err)
{
	assert_int_equal(pvh_load(&fake_vm, &kernel, &initrd), err);
	if (!strstr(fake_log_last, says))
		fail_msg("'%s' does not say '%s'", fake_log_last, says);
	for (u64 i = 0; i < RAM_BYTES; i += 512)
		assert_int_equal(fake_ram[i], 0xaa);
	assert_int_equal(fake_vcpus[0].hw.regs.dirty, 0);
}

static void test_not_pvh(void **state)
{
	struct file64 good = f64;

	f64.h.ident.magic = 0;
	assert_int_equal(pvh_probe(&kernel), IMAGE_OTHER);
	f64 = good;
	f64.h.ident.class = 3;
	assert_int_equal(pvh_probe(&kernel), IMAGE_OTHER);
	f64 = good;
	f64.h.ident.machine = 40;
	assert_int_equal(pvh_probe(&kernel), IMAGE_OTHER);
	f64 = good;
	f64.h.phoff = ~0ull;
	expect_refused("cut short", -ENOEXEC);
	f64 = good;
	f64.h.phentsize = 8;
	assert_int_equal(pvh_probe(&kernel), IMAGE_OTHER);
	f64 = good;
	f64.n.type = 17;
	assert_int_equal(pvh_probe(&kernel), IMAGE_OTHER);
	f64 = good;
	f64.n.namesz = ~0u;
	assert_int_equal(pvh_probe(&kernel), IMAGE_OTHER);
	f64 = good;
	f64.n.descsz = ~0u;
	assert_int_equal(pvh_probe(&kernel), IMAGE_OTHER);
	expect_refused("no PVH entry", -ENOEXEC);
	f64 = good;
	f64.note.offset = ~0ull - 4;
	assert_int_equal(pvh_probe(&kernel), IMAGE_UNFIT);
	expect_refused("cut short", -ENOEXEC);
}

static void test_bad_segments(void **state)
{
	struct file64 good = f64;

	f64.load.filesz = 65;
	expect_refused("cut short", -ENOEXEC);
	f64.load.filesz = ~0ull;
	expect_refused("cut short", -ENOEXEC);
	f64 = good;
	f64.load.offset = ~0ull;
	expect_refused("cut short", -ENOEXEC);
	f64 = good;
	f64.load.memsz = 10;
	expect_refused("contradict", -ENOEXEC);
	f64.load.memsz = ~0ull;
	expect_refused("above 4 GiB", -ENOEXEC);
	f64 = good;
	f64.load.paddr = GIB(5);
	expect_refused("above 4 GiB", -ENOEXEC);
	f64.load.paddr = GIB(3);
	expect_refused("kernel where it is linked", -ENOMEM);
	f64.load.paddr = 0x1000; /* the first megabyte is the BIOS's */
	expect_refused("its parts overlap", -ENOEXEC);
	f64 = good;
	f64.entry = 0x300000;
	expect_refused("lies in no segment", -ENOEXEC);
}

static void test_truncated(void **state)
{
	for (u64 size = 0; size < sizeof(f64); size++) {
		u8 *cut = malloc(size ? size : 1);

		memcpy(cut, &f64, size);
		kernel = (struct image){ "k.elf", cut, size, 0 };
		assert_int_equal(pvh_load(&fake_vm, &kernel, NULL), -ENOEXEC);
		free(cut);
	}
}

/* @bytes of empty notes, and the entry's behind them */
static bool probe_behind_notes(u32 bytes)
{
	static struct {
		struct file64 f;
		struct elf_note empty[MIB(1) / sizeof(struct elf_note)];
		struct elf_note n;
		char name[4];
		u32 entry;
	} __packed big;

	big.f = f64;
	big.f.n.type = 0;
	big.n = f64.n;
	memcpy(big.name, f64.name, sizeof(big.name));
	big.entry = f64.entry;
	big.f.note.filesz = bytes + 20;
	big.f.note.offset = offsetof(typeof(big), n) - bytes;
	kernel = (struct image){ "k.elf", (const u8 *)&big, sizeof(big), 0 };
	return pvh_probe(&kernel) == IMAGE_FITS;
}

/* A file may be nothing but headers, or notes: as nothing interrupts the look
 * at them, it is not at all of them */
static void test_endless(void **state)
{
	assert_true(probe_behind_notes(1000 * sizeof(struct elf_note)));
	assert_false(probe_behind_notes(80000 * sizeof(struct elf_note)));
	setup(state);
	f64.h.phnum = ELF_PHDRS_MAX + 1;
	expect_refused("cut short", -ENOEXEC);
}

static void test_no_room(void **state)
{
	initrd.size = RAM_BYTES;
	expect_refused("no room for the initrd", -ENOMEM);
	initrd.size = sizeof(initrd_bytes);
}

#define pvh_test(f) cmocka_unit_test_setup_teardown(f, setup, vm_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		pvh_test(test_good_64),
		pvh_test(test_information_is_low),
		pvh_test(test_long_map),
		pvh_test(test_good_32),
		pvh_test(test_note_among_others),
		pvh_test(test_notes_aligned_to_8),
		pvh_test(test_notes_aligned_to_4),
		pvh_test(test_notes_of_4_under_a_header_of_8),
		pvh_test(test_segments_without_bytes),
		pvh_test(test_segment_without_memory),
		pvh_test(test_not_pvh),
		pvh_test(test_bad_segments),
		pvh_test(test_truncated),
		pvh_test(test_no_room),
		pvh_test(test_endless),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
