/* SOURCES: hv/load/bzimage.c hv/load/zero_page.c hv/load/efi_map.c hv/load/place.c hv/load/e820.c hv/load/entry.c hv/core/slots.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The bzImage loader: a good image lands whole, a bad one changes nothing.
 * Over 400 lines: one image, damaged in every way.
 */
#include "tests/unit/fakes/files.h"
#include "tests/unit/fakes/loader.h"

#include "hv/load/acpi_area.h"
#include "hv/load/efi_map.h"
#include "include/hw/bzimage.h"
#include "include/hw/cpu.h"

#define SETUP_SECTS  3
#define KERNEL_BYTES 0x5000u
#define FILE_BYTES   ((SETUP_SECTS + 1) * 512 + KERNEL_BYTES)
#define PREF         MIB(16)
#define INIT_SIZE    MIB(8)

static u8 *file, initrd_bytes[3000];
static struct image kernel,
	initrd = { "initrd", initrd_bytes, sizeof(initrd_bytes), 0 };

static struct setup_header *header(void)
{
	return (void *)(file + BZ_HEADER_OFFSET);
}

static int setup(void **state)
{
	vm_setup(state);
	/* The exact size: ASan sees a read behind it */
	file = malloc(FILE_BYTES);
	for (u32 i = 0; i < FILE_BYTES; i++)
		file[i] = (u8)(i * 7);
	memset(initrd_bytes, 0x5c, sizeof(initrd_bytes));
	*header() = (struct setup_header){
		.setup_sects = SETUP_SECTS,
		.syssize = KERNEL_BYTES / 16,
		.boot_flag = BZ_BOOT_FLAG,
		.header_length = 0x6a,
		.header = BZ_MAGIC,
		.version = 0x20f,
		.loadflags = BZ_LOADED_HIGH | BZ_CAN_USE_HEAP,
		.initrd_addr_max = 0x7fffffff,
		.kernel_alignment = MIB(2),
		.relocatable_kernel = 1,
		.xloadflags = BZ_XLF_KERNEL_64,
		.cmdline_size = 2047,
		.pref_address = PREF,
		.init_size = INIT_SIZE,
		.setup_data = 0x1234,
	};
	kernel = (struct image){ "vmlinuz", file, FILE_BYTES, 0 };
	fake_vm.acpi_rsdp = ACPI_AREA_ISOLATED;
	strcpy(fake_config.cmdline, "console=ttyS0 quiet");
	return 0;
}

static int teardown(void **state)
{
	free(file);
	return vm_teardown(state);
}

static struct boot_params *zero_page(void)
{
	return (void *)fake_ram_at(fake_vcpus[0].hw.regs.gpr[GPR_RSI],
				   PAGE_SIZE);
}

static void test_good(void **state)
{
	struct vcpu_regs *r = &fake_vcpus[0].hw.regs;
	struct boot_params *bp;

	assert_int_equal(bzimage_probe(&kernel), IMAGE_FITS);
	assert_int_equal(bzimage_load(&fake_vm, &kernel, &initrd), 0);
	assert_int_equal(r->rip, PREF + 0x200);
	assert_memory_equal(fake_ram + PREF, file + 2048, KERNEL_BYTES);
	bp = zero_page();
	assert_string_equal(fake_ram_at(bp->hdr.cmd_line_ptr, 64),
			    fake_config.cmdline);
	assert_int_equal(bp->hdr.ramdisk_size, sizeof(initrd_bytes));
	assert_memory_equal(
		fake_ram_at(bp->hdr.ramdisk_image, sizeof(initrd_bytes)),
		initrd_bytes, sizeof(initrd_bytes));
	assert_int_equal(bp->hdr.type_of_loader, 0xff);
	assert_int_equal(bp->hdr.loadflags, BZ_LOADED_HIGH);
	assert_int_equal(bp->hdr.code32_start, PREF);
	assert_int_equal(bp->hdr.setup_data, 0);
	assert_int_equal(bp->hdr.version, 0x20f);
	assert_int_equal(bp->acpi_rsdp_addr, ACPI_AREA_ISOLATED);
	assert_int_equal(bp->e820_entries, 6);
	assert_int_equal(bp->e820_table[4].type, E820_RAM);
	assert_int_equal(bp->sentinel, 0);
	assert_int_equal(bp->efi_info.loader_signature, 0);
	assert_int_equal(bp->screen_info.orig_video_isVGA, 0);
}

/* The CPU's state and the tables it needs (boot.rst, 64-bit protocol) */
static void test_entry(void **state)
{
	struct vcpu_regs *r = &fake_vcpus[0].hw.regs;
	const u64 *pml4, *pdpt, *gdt;

	r->gpr[GPR_RBX] = 5;
	assert_int_equal(bzimage_load(&fake_vm, &kernel, NULL), 0);
	assert_int_equal(r->cr0 & (CR0_PE | CR0_PG), CR0_PE | CR0_PG);
	assert_int_equal(r->cr4, CR4_PAE);
	assert_int_equal(r->efer, EFER_LME | EFER_LMA);
	assert_int_equal(r->rflags, 2);
	assert_int_equal(r->gpr[GPR_RBX], 0);
	assert_int_equal(r->seg[SEG_CS].sel, 0x10);
	assert_int_equal(r->seg[SEG_CS].attr, 0xa09b);
	assert_int_equal(r->seg[SEG_DS].sel, 0x18);
	assert_int_equal(r->seg[SEG_TR].attr, 0x8b);
	assert_true(r->dirty & RG_SEG);
	gdt = (const void *)fake_ram_at(r->gdtr.base, 32);
	assert_int_equal(gdt[2] >> 40 & 0xf0ff, 0xa09b);
	assert_int_equal(gdt[3] >> 40 & 0xf0ff, 0xc093);
	pml4 = (const void *)fake_ram_at(r->cr3, PAGE_SIZE);
	pdpt = (const void *)fake_ram_at(pml4[0] & ~0xfffull, PAGE_SIZE);
	for (u64 g = 0; g < 4; g++) {
		const u64 *pd = (const void *)fake_ram_at(pdpt[g] & ~0xfffull,
							  PAGE_SIZE);

		for (u64 i = 0; i < 512; i++)
			assert_int_equal(pd[i], GIB(g) + i * MIB(2) + 0x83);
	}
	assert_int_equal(pdpt[4], 0);
	assert_int_equal(zero_page()->hdr.ramdisk_image, 0);
}

/* No 64-bit entry (boot.rst, 32-bit protocol) */
static void expect_entry32(void)
{
	struct vcpu_regs *r = &fake_vcpus[0].hw.regs;
	const u64 *gdt;

	assert_int_equal(bzimage_load(&fake_vm, &kernel, NULL), 0);
	assert_int_equal(r->cr0 & (CR0_PE | CR0_PG), CR0_PE);
	assert_int_equal(r->efer, 0);
	assert_int_equal(r->rip, PREF);
	assert_int_equal(r->seg[SEG_CS].sel, 0x10);
	assert_int_equal(r->seg[SEG_CS].attr, 0xc09b);
	assert_int_equal(r->seg[SEG_DS].sel, 0x18);
	assert_int_equal(r->rflags, 2);
	assert_int_equal(r->gpr[GPR_RBP], 0);
	assert_int_equal(r->gdtr.limit, 31);
	gdt = (const void *)fake_ram_at(r->gdtr.base, 32);
	assert_int_equal(gdt[2] >> 40 & 0xf0ff, 0xc09b);
	assert_int_equal(gdt[3] >> 40 & 0xf0ff, 0xc093);
	assert_int_equal(zero_page()->hdr.header, BZ_MAGIC);
}

static void test_entry32(void **state)
{
	header()->xloadflags = 0;
	expect_entry32();
	header()->version = 0x20b; /* it has no xloadflags */
	header()->xloadflags = BZ_XLF_KERNEL_64;
	expect_entry32();
}

/* syssize is in paragraphs; what lies behind it is not the kernel's */
static void test_last_paragraph(void **state)
{
	u8 *cut = malloc(FILE_BYTES - 15);
	u64 kernel_end = PREF + KERNEL_BYTES;

	memcpy(cut, file, FILE_BYTES - 15);
	kernel = (struct image){ "vmlinuz", cut, FILE_BYTES - 15, 0 };
	assert_int_equal(bzimage_load(&fake_vm, &kernel, NULL), 0);
	assert_int_equal(*fake_ram_at(kernel_end - 16, 1),
			 file[FILE_BYTES - 16]);
	assert_int_equal(*fake_ram_at(kernel_end - 15, 1), 0xaa);
	free(cut);
}

/* What is wrong, and that neither memory nor registers changed */
static void expect_refused(const char *says, int err)
{
	static struct vcpu_regs zero;

	assert_int_equal(bzimage_load(&fake_vm, &kernel, &initrd), err);
	if (!strstr(fake_log_last, says))
		fail_msg("'%s' does not say '%s'", fake_log_last, says);
	for (u64 i = 0; i < RAM_BYTES; i += 512)
		assert_int_equal(fake_ram[i], 0xaa);
	assert_memory_equal(&fake_vcpus[0].hw.regs, &zero, sizeof(zero));
}

static void test_bad_headers(void **state)
{
	struct setup_header good = *header();

	header()->version = 0x209;
	expect_refused("starts in real mode", -ENOEXEC);
	*header() = good;
	header()->loadflags = 0;
	expect_refused("zImage", -ENOEXEC);
	*header() = good;
	header()->syssize = 0;
	expect_refused("cut short", -ENOEXEC);
	header()->syssize = ~0u;
	expect_refused("cut short", -ENOEXEC);
	*header() = good;
	header()->setup_sects = 255;
	expect_refused("cut short", -ENOEXEC);
	*header() = good;
	header()->init_size = 100;
	expect_refused("init_size", -ENOEXEC);
	*header() = good;
	header()->kernel_alignment = MIB(3);
	expect_refused("alignment", -ENOEXEC);
	header()->kernel_alignment = 0;
	expect_refused("alignment", -ENOEXEC);
	*header() = good;
	header()->pref_address = ~0ull;
	expect_refused("alignment", -ENOEXEC);
	*header() = good;
	header()->cmdline_size = 4;
	expect_refused("shorter cmdline", -ENOEXEC);
}

/* Every length a copy can stop at */
static void test_truncated(void **state)
{
	for (u64 size = 0; size < FILE_BYTES; size += 97) {
		u8 *cut = malloc(size ? size : 1);

		memcpy(cut, file, size);
		kernel = (struct image){ "vmlinuz", cut, size, 0 };
		if (bzimage_probe(&kernel))
			expect_refused("cut short", -ENOEXEC);
		free(cut);
	}
}

static void test_no_room(void **state)
{
	header()->init_size = MIB(60);
	expect_refused("for the kernel; give it more memory", -ENOMEM);
	header()->init_size = INIT_SIZE;
	initrd.size = MIB(50);
	expect_refused("for the initrd; give it more memory", -ENOMEM);
	initrd.size = sizeof(initrd_bytes);
	fake_pool_left = 0;
	assert_int_equal(bzimage_load(&fake_vm, &kernel, &initrd), -ENOMEM);
	assert_non_null(strstr(fake_log_last, "could not be filled"));
}

static void test_initrd_below_its_limit(void **state)
{
	header()->initrd_addr_max = MIB(40) - 1;
	assert_int_equal(bzimage_load(&fake_vm, &kernel, &initrd), 0);
	assert_int_equal(zero_page()->hdr.ramdisk_image, MIB(40) - PAGE_SIZE);
}

static void test_relocated(void **state)
{
	vm_make_privileged();
	header()->pref_address = MIB(30); /* runs into the hypervisor */
	assert_int_equal(bzimage_load(&fake_vm, &kernel, &initrd), 0);
	assert_int_equal(fake_vcpus[0].hw.regs.rip, MIB(36) + 0x200);

	header()->relocatable_kernel = 0;
	assert_int_equal(bzimage_load(&fake_vm, &kernel, &initrd), -ENOMEM);
}

/* Files in the privileged guest's RAM: the initrd is used where it is, and
 * nothing is placed on either */
static void test_files_in_place(void **state)
{
	vm_make_privileged();
	strcpy(fake_config.kernel, "vmlinuz");
	strcpy(fake_config.initrd, "initrd");
	kernel.hpa = MIB(63);
	initrd.hpa = MIB(64) - PAGE_SIZE;
	fake_files[0] = kernel;
	fake_files[1] = initrd;
	assert_int_equal(bzimage_load(&fake_vm, &kernel, &initrd), 0);
	assert_int_equal(zero_page()->hdr.ramdisk_image, initrd.hpa);
	assert_int_equal(fake_ram[initrd.hpa], 0xaa);
	assert_true(fake_vcpus[0].hw.regs.gpr[GPR_RSI] < initrd.hpa);
	assert_true(fake_vcpus[0].hw.regs.gpr[GPR_RSI] >=
		    kernel.hpa + FILE_BYTES);
	assert_int_equal(fake_ram[kernel.hpa], 0xaa);

	/* An initrd that the kernel cannot reach there is copied */
	header()->initrd_addr_max = MIB(60) - 1;
	assert_int_equal(bzimage_load(&fake_vm, &kernel, &initrd), 0);
	assert_int_equal(zero_page()->hdr.ramdisk_image, MIB(60) - PAGE_SIZE);
	initrd.hpa = 0;
	memset(fake_files, 0, sizeof(fake_files));
}

static void test_screen(void **state)
{
	const struct screen_info *s;

	vm_make_privileged();
	fake_boot_info.fb = (struct boot_framebuffer){
		.base = 0x1c0000000,
		.size = 0x400000,
		.width = 1280,
		.height = 800,
		.stride_bytes = 5120,
		.bpp = 32,
		.red_shift = 16,
		.green_shift = 8,
		.red_bits = 8,
		.green_bits = 8,
		.blue_bits = 8,
	};
	assert_int_equal(bzimage_load(&fake_vm, &kernel, NULL), 0);
	s = &zero_page()->screen_info;
	assert_int_equal(s->orig_video_isVGA, VIDEO_TYPE_EFI);
	assert_int_equal(s->lfb_base, 0xc0000000);
	assert_int_equal(s->ext_lfb_base, 1);
	assert_int_equal(s->capabilities, VIDEO_CAPABILITY_64BIT_BASE);
	assert_int_equal(s->lfb_width, 1280);
	assert_int_equal(s->lfb_linelength, 5120);
	assert_int_equal(s->red_pos, 16);
}

/* A firmware's map with a stride of its own */
struct wide {
	struct efi_descriptor d;
	u64 more;
};
static const struct wide firmware_map[] = {
	{ { BOOT_MEM_CONVENTIONAL, 0, 0x1000, 0, 0x9f, 0xf }, 0 },
	{ { BOOT_MEM_CONVENTIONAL, 0, MIB(1), 0, 35 * 256, 0xf }, 0 },
	{ { BOOT_MEM_BS_DATA, 0, MIB(36), 0, 20 * 256, 0xf }, 0 },
	{ { BOOT_MEM_ACPI_RECLAIM, 0, MIB(56), 0, 256, 0xf }, 0 },
	{ { BOOT_MEM_ACPI_NVS, 0, MIB(57), 0, 256, 0xf }, 0 },
	{ { BOOT_MEM_RT_DATA, 0, MIB(58), 0, 256, EFI_MEMORY_RUNTIME | 0xf },
	  0 },
	{ { BOOT_MEM_LOADER_DATA, 0, MIB(59), 0, 5 * 256, 0xf }, 0 },
	{ { BOOT_MEM_MMIO, 0, GIB(3), 0, 1, EFI_MEMORY_RUNTIME | 1 }, 0 },
};

static u32 efi_type_at(u64 gpa, u64 *attribute)
{
	const struct efi_info *e = &zero_page()->efi_info;
	const u8 *map = fake_ram_at(e->memmap, e->memmap_size);
	u32 type = ~0u, hits = 0;

	for (u32 i = 0; i < e->memmap_size / e->memdesc_size; i++) {
		const struct efi_descriptor *d =
			(const void *)(map + i * e->memdesc_size);

		if (gpa < d->physical_start ||
		    gpa >= d->physical_start + d->page_count * 4096)
			continue;
		hits++;
		type = d->type;
		*attribute = d->attribute;
	}
	assert_int_equal(hits, 1);
	return type;
}

static void make_efi(void)
{
	vm_make_privileged();
	fake_boot_info.efi = (struct boot_efi){
		.system_table = 0x100001000,
		.memory_map_size = sizeof(firmware_map),
		.descriptor_size = sizeof(struct wide),
		.descriptor_version = 1,
	};
	fake_efi_map = firmware_map;
	fake_vm.acpi_rsdp = MIB(56) - ACPI_AREA_BYTES;
}

/* Its last life has called SetVirtualAddressMap() */
static void test_efi_once(void **state)
{
	make_efi();
	fake_vm.lives = 1;
	assert_int_equal(bzimage_load(&fake_vm, &kernel, &initrd), 0);
	assert_int_equal(zero_page()->efi_info.loader_signature, 0);
	assert_int_equal(zero_page()->efi_info.memmap_size, 0);
	assert_int_equal(zero_page()->acpi_rsdp_addr, fake_vm.acpi_rsdp);
	fake_vm.lives = 0;
}

static void test_efi(void **state)
{
	u64 attribute;

	make_efi();
	assert_int_equal(bzimage_load(&fake_vm, &kernel, &initrd), 0);
	assert_int_equal(zero_page()->efi_info.loader_signature, 0x34364c45);
	assert_int_equal(zero_page()->efi_info.systab_hi, 1);
	assert_int_equal(efi_type_at(MIB(2), &attribute),
			 BOOT_MEM_CONVENTIONAL);
	assert_int_equal(efi_type_at(MIB(32), &attribute), BOOT_MEM_RESERVED);
	assert_int_equal(efi_type_at(MIB(36) - 1, &attribute),
			 BOOT_MEM_RESERVED);
	assert_int_equal(efi_type_at(MIB(36), &attribute), BOOT_MEM_BS_DATA);
	assert_int_equal(efi_type_at(fake_vm.acpi_rsdp, &attribute),
			 BOOT_MEM_ACPI_RECLAIM);
	assert_int_equal(efi_type_at(MIB(57), &attribute), BOOT_MEM_ACPI_NVS);
	assert_int_equal(efi_type_at(MIB(58), &attribute), BOOT_MEM_RT_DATA);
	assert_true(attribute & EFI_MEMORY_RUNTIME);
	assert_int_equal(efi_type_at(MIB(59), &attribute),
			 BOOT_MEM_CONVENTIONAL);
	assert_int_equal(efi_type_at(GIB(3), &attribute), BOOT_MEM_MMIO);
	/* The kernel's decompressor must not land on the boot area */
	assert_int_equal(
		efi_type_at(fake_vcpus[0].hw.regs.gpr[GPR_RSI], &attribute),
		BOOT_MEM_LOADER_DATA);
}

/* More pieces than the zero page has entries for: the rest is an item of
 * setup_data */
static void test_long_map(void **state)
{
	const struct boot_params *bp;
	const struct setup_data *item;
	struct e820_entry first, last;

	vm_make_privileged();
	for (u64 i = 0; i < 300; i++) {
		fake_owner_add(GIB(8) + MIB(4) * i, MIB(3), OWNER_GUEST,
			       BOOT_MEM_CONVENTIONAL);
		fake_owner_add(GIB(8) + MIB(4) * i + MIB(3), PAGE_SIZE,
			       OWNER_FIRMWARE, BOOT_MEM_RESERVED);
	}
	assert_int_equal(bzimage_load(&fake_vm, &kernel, NULL), 0);
	bp = zero_page();
	assert_int_equal(bp->e820_entries, ZERO_PAGE_E820_MAX);
	item = (const void *)fake_ram_at(bp->hdr.setup_data, sizeof(*item));
	assert_int_equal(item->next, 0);
	assert_int_equal(item->type, SETUP_E820_EXT);
	assert_int_equal(item->len, (8 + 600 - 128) * sizeof(first));
	memcpy(&first, item + 1, sizeof(first));
	memcpy(&last, (const u8 *)(item + 1) + item->len - sizeof(last),
	       sizeof(last));
	assert_int_equal(first.base, GIB(8) + 60 * MIB(4));
	assert_int_equal(last.base, GIB(8) + 299 * MIB(4) + MIB(3));
	assert_int_equal(last.type, E820_RESERVED);
	/* It is in the boot area, which the kernel is told to spare */
	assert_true(bp->hdr.setup_data > fake_vcpus[0].hw.regs.gpr[GPR_RSI]);
}

/* Once the owner has let it go, it is no special memory to the guest, either */
static void test_efi_special_memory(void **state)
{
	static const struct wide map[] = {
		{ { BOOT_MEM_CONVENTIONAL, 0, MIB(1), 0, 63 * 256, 0xf }, 0 },
		{ { BOOT_MEM_CONVENTIONAL, 0, GIB(4), 0, 256,
		    EFI_MEMORY_SP | 0xf },
		  0 },
		{ { BOOT_MEM_CONVENTIONAL, 0, GIB(5), 0, 256,
		    EFI_MEMORY_SP | 0xf },
		  0 },
	};
	u64 attribute;

	vm_make_privileged();
	fake_owner_add(GIB(4), MIB(1), OWNER_FIRMWARE, BOOT_MEM_SPECIAL);
	fake_owner_add(GIB(5), MIB(1), OWNER_GUEST, BOOT_MEM_CONVENTIONAL);
	fake_boot_info.efi = (struct boot_efi){
		.system_table = 0x100001000,
		.memory_map_size = sizeof(map),
		.descriptor_size = sizeof(struct wide),
		.descriptor_version = 1,
	};
	fake_efi_map = map;
	assert_int_equal(bzimage_load(&fake_vm, &kernel, NULL), 0);
	assert_int_equal(efi_type_at(GIB(4), &attribute),
			 BOOT_MEM_CONVENTIONAL);
	assert_true(attribute & EFI_MEMORY_SP);
	assert_int_equal(efi_type_at(GIB(5), &attribute),
			 BOOT_MEM_CONVENTIONAL);
	assert_false(attribute & EFI_MEMORY_SP);
}

#define bz_test(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		bz_test(test_good),        bz_test(test_entry),
		bz_test(test_entry32),     bz_test(test_last_paragraph),
		bz_test(test_bad_headers), bz_test(test_truncated),
		bz_test(test_no_room),     bz_test(test_initrd_below_its_limit),
		bz_test(test_relocated),   bz_test(test_files_in_place),
		bz_test(test_screen),      bz_test(test_efi),
		bz_test(test_long_map),    bz_test(test_efi_special_memory),
		bz_test(test_efi_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
