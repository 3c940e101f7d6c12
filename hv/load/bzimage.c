/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Linux bzImage by the 64-bit boot protocol, or the 32-bit one where the kernel
 * has no 64-bit entry (Linux boot). Called by load_guest(). No locks.
 * The file is untrusted. check() reads and judges all of the header before any
 * guest memory changes. Then every part gets its place in the guest's RAM; only
 * then are they written. The kernel decompresses itself.
 *
 *	boot area (from its first page):
 *	  zero page | command line | GDT | page tables (PML4, PDPT, 4 PDs) |
 *	  EFI memory map, if any | what the zero page lacks of the E820 map
 */
#include "include/hw/bzimage.h"
#include "hv/core/gmem.h"
#include "hv/load/efi_map.h"
#include "hv/load/fill.h"
#include "hv/load/load.h"
#include "hv/load/place.h"
#include "hv/load/zero_page.h"
#include "include/hw/descriptor.h"
#include "include/hw/paging.h"
#include "lib/errno.h"
#include "lib/log.h"
#include "lib/string.h"

#define BELOW_4G GIB(4)

/* Pages of the boot area, in this order */
#define AREA_ZERO_PAGE 0ull
#define AREA_CMDLINE   1ull
#define AREA_GDT       2ull
#define AREA_PML4      3ull
#define AREA_PDPT      4ull
#define AREA_PD        5ull
#define AREA_PD_COUNT  4ull
#define AREA_EFI_MAP   (AREA_PD + AREA_PD_COUNT)

#define PTE_P_RW (PTE_P | PTE_W)

struct bz {
	struct vm *vm;
	const struct image *kernel, *initrd;
	struct setup_header hdr;
	u64 setup_bytes;  /* real-mode part of the file */
	u64 kernel_bytes; /* protected-mode part */
	u64 kernel_gpa, initrd_gpa, area_gpa, area_bytes;
	u64 efi_map_bytes;
};

static int bad(const struct bz *b, const char *what)
{
	log_error("load", "guest %s: kernel = %s: %s", b->vm->name,
		  b->kernel->name, what);
	return -ENOEXEC;
}

static void read_header(struct setup_header *hdr, const struct image *kernel)
{
	memset(hdr, 0, sizeof(*hdr));
	if (kernel->size >= BZ_HEADER_OFFSET + sizeof(*hdr))
		memcpy(hdr, kernel->data + BZ_HEADER_OFFSET, sizeof(*hdr));
}

static bool starts_in_protected_mode(const struct setup_header *h)
{
	return h->version >= BZ_VERSION_MIN && (h->loadflags & BZ_LOADED_HIGH);
}

enum image_fit bzimage_probe(const struct image *kernel)
{
	struct setup_header hdr;

	read_header(&hdr, kernel);
	if (hdr.boot_flag != BZ_BOOT_FLAG || hdr.header != BZ_MAGIC)
		return IMAGE_OTHER;
	return starts_in_protected_mode(&hdr) ? IMAGE_FITS : IMAGE_UNFIT;
}

/* False: the entry is 32-bit, as in all protocols before 2.12 */
static bool has_entry64(const struct bz *b)
{
	return b->hdr.version >= BZ_VERSION_64 &&
	       (b->hdr.xloadflags & BZ_XLF_KERNEL_64);
}

/* syssize counts whole paragraphs, of which the last one may be cut */
static int check_sizes(struct bz *b)
{
	const struct setup_header *h = &b->hdr;
	u64 sects = h->setup_sects ? h->setup_sects : BZ_SETUP_SECTS_DEFAULT;

	b->setup_bytes = (sects + 1) * BZ_SECTOR;
	b->kernel_bytes = (u64)h->syssize * BZ_PARAGRAPH;
	if (!b->kernel_bytes || b->setup_bytes > b->kernel->size ||
	    b->kernel_bytes >
		    ALIGN_UP(b->kernel->size - b->setup_bytes, BZ_PARAGRAPH))
		return bad(b, "the file is cut short; copy it again");
	b->kernel_bytes =
		MIN(b->kernel_bytes, b->kernel->size - b->setup_bytes);
	if (h->init_size < b->kernel_bytes)
		return bad(b, "its header contradicts itself (init_size); name "
			      "an intact kernel");
	return 0;
}

/* Judge the header; nothing of the guest changes */
static int check(struct bz *b)
{
	const struct setup_header *h = &b->hdr;
	int err;

	read_header(&b->hdr, b->kernel);
	if (h->version < BZ_VERSION_MIN)
		return bad(b, "it starts in real mode; name a kernel of Linux "
			      "2.6.31 or later, or a firmware to start it");
	if (!(h->loadflags & BZ_LOADED_HIGH))
		return bad(b, "it is a zImage; name a bzImage");
	err = check_sizes(b);
	if (err)
		return err;
	if (!h->kernel_alignment ||
	    (h->kernel_alignment & (h->kernel_alignment - 1)) ||
	    h->kernel_alignment > PAGE_1G ||
	    h->pref_address > BELOW_4G - h->init_size)
		return bad(b, "its header contradicts itself (alignment); name "
			      "an intact kernel");
	if (strlen(b->vm->config->cmdline) > h->cmdline_size)
		return bad(b, "it takes a shorter cmdline than the manifest's; "
			      "shorten that");
	return 0;
}

static int no_room(const struct bz *b, const char *what, u64 bytes)
{
	log_error("load",
		  "guest %s: its memory has no %llu KiB in one piece below "
		  "4 GiB for the %s; give it more memory",
		  b->vm->name, (bytes >> 10), what);
	return -ENOMEM;
}

static int place_kernel(struct bz *b, struct place *p)
{
	const struct setup_header *h = &b->hdr;
	const struct place_range within = { h->pref_address,
					    BELOW_4G - h->pref_address };
	u64 size = ALIGN_UP(h->init_size, PAGE_SIZE);

	b->kernel_gpa = h->pref_address;
	if (!place_at(p, b->kernel_gpa, size))
		return 0;
	if (h->relocatable_kernel &&
	    !place_low(p, size, h->kernel_alignment, &within, &b->kernel_gpa))
		return 0;
	return no_room(b, "kernel", size);
}

static int place_initrd(struct bz *b, struct place *p)
{
	const struct place_range within = { 0,
					    (u64)b->hdr.initrd_addr_max + 1 };
	u64 size;

	if (!b->initrd)
		return 0;
	if (place_has(p, b->initrd) &&
	    b->initrd->hpa + b->initrd->size <= within.size) {
		b->initrd_gpa = b->initrd->hpa;
		return 0;
	}
	size = ALIGN_UP(b->initrd->size, PAGE_SIZE);
	if (place_high(p, size, PAGE_SIZE, &within, &b->initrd_gpa))
		return no_room(b, "initrd", size);
	return 0;
}

static int place_area(struct bz *b, struct place *p)
{
	const struct place_range within = { 0, BELOW_4G };

	/* UEFI 2.10, 8.4: SetVirtualAddressMap() is for the first life */
	if (b->vm->privileged && !b->vm->lives)
		b->efi_map_bytes = ALIGN_UP(efi_map_bytes(), PAGE_SIZE);
	b->area_bytes = AREA_EFI_MAP * PAGE_SIZE + b->efi_map_bytes +
			ALIGN_UP(zero_page_more_bytes(b->vm), PAGE_SIZE);
	if (place_high(p, b->area_bytes, PAGE_SIZE, &within, &b->area_gpa))
		return no_room(b, "boot parameters", b->area_bytes);
	return 0;
}

static u64 area(const struct bz *b, u64 page)
{
	return b->area_gpa + page * PAGE_SIZE;
}

static void set_screen(struct screen_info *s, const struct boot_framebuffer *fb)
{
	if (!fb->base)
		return;
	s->orig_video_isVGA = VIDEO_TYPE_EFI;
	s->lfb_width = (u16)fb->width;
	s->lfb_height = (u16)fb->height;
	s->lfb_depth = fb->bpp;
	s->lfb_base = (u32)fb->base;
	s->ext_lfb_base = (u32)(fb->base >> 32);
	s->capabilities = s->ext_lfb_base ? VIDEO_CAPABILITY_64BIT_BASE : 0;
	s->lfb_size = (u32)fb->size;
	s->lfb_linelength = (u16)fb->stride_bytes;
	s->red_size = fb->red_bits;
	s->red_pos = fb->red_shift;
	s->green_size = fb->green_bits;
	s->green_pos = fb->green_shift;
	s->blue_size = fb->blue_bits;
	s->blue_pos = fb->blue_shift;
	s->pages = 1;
}

/* The privileged guest takes over the real machine's */
static void set_machine(const struct bz *b, struct boot_params *bp)
{
	const struct boot_info *bi = files_boot_info();
	u64 map = area(b, AREA_EFI_MAP);

	if (!b->vm->privileged || !bi)
		return;
	set_screen(&bp->screen_info, &bi->fb);
	if (!b->efi_map_bytes)
		return;
	bp->efi_info = (struct efi_info){
		.loader_signature = EFI64_LOADER_SIGNATURE,
		.systab = (u32)bi->efi.system_table,
		.systab_hi = (u32)(bi->efi.system_table >> 32),
		.memdesc_size = bi->efi.descriptor_size,
		.memdesc_version = bi->efi.descriptor_version,
		.memmap = (u32)map,
		.memmap_hi = (u32)(map >> 32),
	};
}

static void set_header(const struct bz *b, struct setup_header *h)
{
	u64 len = offsetof(struct setup_header, header) + b->hdr.header_length;

	memcpy(h, &b->hdr, MIN(len, sizeof(*h)));
	h->type_of_loader = BZ_LOADER_UNDEFINED;
	h->loadflags &= (u8)~BZ_CAN_USE_HEAP;
	h->code32_start = (u32)b->kernel_gpa;
	h->cmd_line_ptr = (u32)area(b, AREA_CMDLINE);
	h->ramdisk_image = (u32)b->initrd_gpa;
	h->ramdisk_size = b->initrd ? (u32)b->initrd->size : 0;
	h->setup_data = 0;
}

static int write_efi_map(const struct bz *b, struct boot_params *bp)
{
	const struct place_range used = { b->area_gpa, b->area_bytes };
	u64 size = b->efi_map_bytes;
	int err;

	if (!size)
		return 0;
	err = efi_map_write(b->vm, area(b, AREA_EFI_MAP), &used, &size);
	bp->efi_info.memmap_size = (u32)size;
	return err;
}

/* The zero page is too large for the stack: built in a page of the pool */
static int write_zero_page(const struct bz *b)
{
	struct boot_params *bp = pmm_alloc(&b->vm->budget, 0);
	int err;

	if (!bp)
		return -ENOMEM;
	set_header(b, &bp->hdr);
	set_machine(b, bp);
	bp->acpi_rsdp_addr = b->vm->acpi_rsdp;
	err = zero_page_e820(b->vm, bp,
			     area(b, AREA_EFI_MAP) + b->efi_map_bytes);
	if (!err)
		err = write_efi_map(b, bp);
	if (!err)
		err = gmem_write(b->vm, GPA(area(b, AREA_ZERO_PAGE)), bp,
				 sizeof(*bp));
	pmm_free(&b->vm->budget, bp, 0);
	return err;
}

static int write_table(const struct bz *b, u64 page, const u64 *entries)
{
	return gmem_write(b->vm, GPA(area(b, page)), entries, PAGE_SIZE);
}

/* The first 4 GiB, one to one, in 2 MiB pages */
static int write_page_tables(const struct bz *b)
{
	u64 *t = pmm_alloc(&b->vm->budget, 0);
	int err;

	if (!t)
		return -ENOMEM;
	t[0] = area(b, AREA_PDPT) | PTE_P_RW;
	err = write_table(b, AREA_PML4, t);
	for (u64 i = 0; i < AREA_PD_COUNT; i++)
		t[i] = area(b, AREA_PD + i) | PTE_P_RW;
	if (!err)
		err = write_table(b, AREA_PDPT, t);
	for (u64 pd = 0; pd < AREA_PD_COUNT && !err; pd++) {
		for (u64 i = 0; i < PT_ENTRIES; i++)
			t[i] = (pd * PT_ENTRIES + i) * PAGE_2M | PTE_P_RW |
			       PTE_PS;
		err = write_table(b, AREA_PD + pd, t);
	}
	pmm_free(&b->vm->budget, t, 0);
	return err;
}

static int write_boot_area(const struct bz *b)
{
	/* null, unused, __BOOT_CS, __BOOT_DS */
	const u64 gdt[] = { 0, 0,
			    has_entry64(b) ? DESC_FLAT_CODE64
					   : DESC_FLAT_CODE32,
			    DESC_FLAT_DATA };
	const char *cmdline = b->vm->config->cmdline;
	int err = gmem_zero(b->vm, GPA(b->area_gpa), b->area_bytes);

	if (!err)
		err = write_page_tables(b);
	if (!err)
		err = gmem_write(b->vm, GPA(area(b, AREA_GDT)), gdt,
				 sizeof(gdt));
	if (!err)
		err = gmem_write(b->vm, GPA(area(b, AREA_CMDLINE)), cmdline,
				 strlen(cmdline) + 1);
	if (!err)
		err = write_zero_page(b);
	return err;
}

static int write_images(const struct bz *b)
{
	int err = fill_copy(b->vm, b->kernel_gpa,
			    b->kernel->data + b->setup_bytes, b->kernel_bytes);

	if (!err && b->initrd && b->initrd_gpa != b->initrd->hpa)
		err = fill_copy(b->vm, b->initrd_gpa, b->initrd->data,
				b->initrd->size);
	return err;
}

static int place_all(struct bz *b)
{
	struct place p;
	int err;

	place_init(&p, b->vm);
	err = place_kernel(b, &p);
	if (!err)
		err = place_initrd(b, &p);
	if (!err)
		err = place_area(b, &p);
	return err;
}

static void enter(const struct bz *b, struct vcpu *boot)
{
	u64 gdt = area(b, AREA_GDT);

	if (has_entry64(b))
		entry_long_mode(boot, b->kernel_gpa + BZ_ENTRY64_OFFSET,
				area(b, AREA_PML4), gdt);
	else
		entry_protected_mode(boot, (u32)b->kernel_gpa, gdt);
	vcpu_regs(boot)->gpr[GPR_RSI] = area(b, AREA_ZERO_PAGE);
}

int bzimage_load(struct vm *vm, const struct image *kernel,
		 const struct image *initrd)
{
	struct bz b = { .vm = vm, .kernel = kernel, .initrd = initrd };
	int err = check(&b);

	if (!err)
		err = place_all(&b);
	if (err)
		return err;
	err = write_images(&b);
	if (!err)
		err = write_boot_area(&b);
	if (err) {
		log_error("load",
			  "guest %s: its memory could not be filled (error "
			  "%d); give it more memory",
			  vm->name, err);
		return err;
	}
	enter(&b, vm->vcpus[0]);
	return 0;
}
