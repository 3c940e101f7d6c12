/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What multiboot and multiboot 2 share; see multiboot.h. The image is
 * untrusted: every address in it is checked against the guest's RAM, and what
 * was placed before, in place.c before a byte is written. Files are found
 * again by name each time a guest is loaded. No locks: one guest is loaded at a
 * time.
 */
#include "hv/load/multiboot.h"

#include "hv/core/gmem.h"
#include "hv/irq/vpic.h"
#include "hv/load/fill.h"
#include "lib/errno.h"
#include "lib/log.h"
#include "lib/string.h"

/* The first megabyte begins with interrupt vectors and BIOS data, and ends with
 * the areas of EBDA, video and BIOS. A kernel may lie between them. Information
 * goes above what boot code uses by habit: 7C00h and the sectors behind it. */
#define VECTORS_BYTES PAGE_SIZE
#define AREAS_BASE    0x9f000ull
#define INFO_MIN      KIB(64)
#define SECTIONS_MAX  256u

enum image_fit multiboot_fit(const struct image *kernel, bool flat)
{
	struct elf e;

	if (flat || (elf_parse(&e, kernel) && !elf_is_cut(&e)))
		return IMAGE_FITS;
	return IMAGE_UNFIT;
}

int multiboot_flat(struct mb *b, u64 header, const struct mb_addresses *a)
{
	const struct image *f = b->kernel;
	u64 before = a->header_addr - (u64)a->load_addr;
	struct mb_flat *flat = &b->flat;

	b->is_flat = true;
	if (a->load_addr > a->header_addr || before > header)
		return load_bad(b->vm, f,
				"its header's addresses contradict each other; "
				"name an intact kernel");
	flat->gpa = a->load_addr;
	flat->offset = header - before;
	flat->bytes = f->size - flat->offset;
	if (a->load_end_addr) {
		if (a->load_end_addr < a->load_addr ||
		    a->load_end_addr - a->load_addr > flat->bytes)
			return load_bad(b->vm, f,
					"the file is cut short; copy it again");
		flat->bytes = a->load_end_addr - a->load_addr;
	}
	flat->memory = flat->bytes;
	if (a->bss_end_addr > a->load_addr)
		flat->memory =
			MAX(flat->bytes, (u64)(a->bss_end_addr - a->load_addr));
	return 0;
}

static int place_flat(struct mb *b)
{
	const struct mb_flat *f = &b->flat;
	int err;

	if (!f->memory || f->memory > ELF_LOAD_END - f->gpa)
		return load_bad(b->vm, b->kernel,
				"its header's addresses contradict each other; "
				"name an intact kernel");
	if (b->entry < f->gpa || b->entry - f->gpa >= f->memory)
		return load_bad(b->vm, b->kernel,
				"its entry lies outside of it; link it "
				"correctly");
	err = place_at(&b->place, f->gpa, f->memory);
	return err ? load_misplaced(b->vm, b->kernel, err) : 0;
}

/* The entry's physical address: e_entry may be a virtual one */
static u32 physical_entry(const struct elf *e)
{
	for (u32 i = 0; i < e->phnum; i++) {
		struct elf_segment s = elf_segment(e, i);

		if (s.type == ELF_PT_LOAD && e->entry >= s.vaddr &&
		    e->entry - s.vaddr < s.memsz)
			return (u32)(e->entry - s.vaddr + s.paddr);
	}
	return (u32)e->entry;
}

static int place_elf(struct mb *b)
{
	if (!elf_parse(&b->elf, b->kernel))
		return load_bad(b->vm, b->kernel,
				"it is neither an ELF nor has its header "
				"addresses; name another kernel");
	if (elf_is_cut(&b->elf))
		return load_bad(b->vm, b->kernel,
				"the file is cut short; copy it again");
	if (!b->has_entry)
		b->entry = physical_entry(&b->elf);
	return elf_place(b->vm, &b->place, &b->elf, b->entry);
}

static int add_module(struct mb *b, const struct image *file, const char *args)
{
	const struct place_range within = { MIB(1), ELF_LOAD_END - MIB(1) };
	struct mb_module *m = &b->modules[b->module_count];

	*m = (struct mb_module){ .file = *file, .args = args };
	if (place_low(&b->place, ALIGN_UP(file->size, PAGE_SIZE), PAGE_SIZE,
		      &within, &m->gpa))
		return load_no_room(b->vm, "modules");
	b->module_count++;
	return 0;
}

static int place_modules(struct mb *b)
{
	const struct guest_config *c = b->vm->config;
	struct image file;
	int err = b->initrd ? add_module(b, b->initrd, "") : 0;

	for (u32 i = 0; i < c->module_count && !err; i++) {
		err = load_find(b->vm, "module", c->modules[i].file, &file);
		if (!err)
			err = add_module(b, &file, c->modules[i].args);
	}
	return err;
}

static int place_info(struct mb *b)
{
	const struct place_range within = { INFO_MIN, ELF_LOAD_END - INFO_MIN };

	b->info_bytes = MB_INFO_BYTES;
	if (b->vm->privileged)
		b->info_bytes += (u32)ALIGN_UP(
			e820_max(b->vm) * sizeof(struct mb2_mmap), PAGE_SIZE);
	if (place_low(&b->place, b->info_bytes, PAGE_SIZE, &within,
		      &b->info_gpa))
		return load_no_room(b->vm, "boot information");
	b->info = pmm_alloc_bytes(&b->vm->budget, b->info_bytes);
	b->used = 0;
	return b->info ? 0 : load_no_room(b->vm, "boot information");
}

int multiboot_place(struct mb *b)
{
	int err;

	place_init(&b->place, b->vm);
	place_open_low(&b->place, VECTORS_BYTES, AREAS_BASE);
	err = b->is_flat ? place_flat(b) : place_elf(b);
	if (!err)
		err = place_modules(b);
	if (!err)
		err = place_info(b);
	return err;
}

int multiboot_room(struct mb *b, u32 bytes, u32 align, u32 *at)
{
	u64 start = ALIGN_UP((u64)b->used, align);

	if (start > b->info_bytes || bytes > b->info_bytes - start)
		return -ENOSPC;
	*at = (u32)start;
	b->used = *at + bytes;
	return 0;
}

int multiboot_string(struct mb *b, const char *file, const char *args, u32 *at,
		     u32 *bytes)
{
	size_t name = strlen(file), words = strlen(args);
	char *to;
	int err;

	*bytes = (u32)(name + (words ? words + 1 : 0) + 1);
	err = multiboot_room(b, *bytes, 1, at);
	if (err)
		return err;
	to = (char *)b->info + *at;
	memcpy(to, file, name + 1);
	if (words) {
		to[name] = ' ';
		memcpy(to + name + 1, args, words + 1);
	}
	return 0;
}

int multiboot_mmap(struct mb *b, struct e820_map *map)
{
	int err = e820_make(b->vm, map);

	for (u32 i = 0; !err && i < map->count; i++)
		if (map->entries[i].type > MB_MEMORY_LAST)
			map->entries[i].type = E820_RESERVED;
	return err;
}

void multiboot_memory(const struct e820_map *map, u32 *lower_kib,
		      u32 *upper_kib)
{
	*lower_kib = *upper_kib = 0;
	for (u32 i = 0; i < map->count; i++) {
		const struct e820_entry *e = &map->entries[i];

		if (e->type != E820_RAM)
			continue;
		if (e->base == 0)
			*lower_kib = (u32)(e->size / KIB(1));
		if (e->base == MIB(1))
			*upper_kib = (u32)MIN(e->size / KIB(1),
					      ELF_LOAD_END / KIB(1));
	}
}

bool multiboot_has_sections(const struct mb *b)
{
	return !b->is_flat && b->elf.shnum <= SECTIONS_MAX &&
	       elf_has_sections(&b->elf);
}

static void set_section_addr(struct mb *b, u8 *header, u64 gpa)
{
	u32 addr = (u32)gpa;

	if (b->elf.is64)
		memcpy(header + offsetof(struct elf64_shdr, addr), &gpa,
		       sizeof(gpa));
	else
		memcpy(header + offsetof(struct elf32_shdr, addr), &addr,
		       sizeof(addr));
}

/* Load a section that lies in no segment, such as symbols. If there is no room
 * for it, the kernel goes without. */
static int load_section(struct mb *b, u32 i, u8 *header)
{
	const struct place_range within = { MIB(1), ELF_LOAD_END - MIB(1) };
	struct elf_section s = elf_section(&b->elf, i);
	u64 gpa;

	if (s.addr || !s.size || s.type == ELF_SHT_NOBITS ||
	    !elf_in_file(b->kernel, s.offset, s.size) ||
	    place_low(&b->place, s.size, PAGE_SIZE, &within, &gpa))
		return 0;
	set_section_addr(b, header, gpa);
	return fill_copy(b->vm, gpa, b->kernel->data + s.offset, s.size);
}

int multiboot_sections(struct mb *b, u32 at)
{
	const struct elf *e = &b->elf;
	int err = 0;

	memcpy(b->info + at, b->kernel->data + e->shoff,
	       (size_t)e->shnum * e->shentsize);
	for (u32 i = 0; i < e->shnum && !err; i++)
		err = load_section(b, i, b->info + at + i * e->shentsize);
	return err;
}

static int write_kernel(const struct mb *b)
{
	const struct mb_flat *f = &b->flat;
	int err;

	if (!b->is_flat)
		return elf_write(b->vm, &b->elf);
	err = fill_copy(b->vm, f->gpa, b->kernel->data + f->offset, f->bytes);
	return err ? err
		   : fill_zero(b->vm, f->gpa + f->bytes, f->memory - f->bytes);
}

static int write_all(const struct mb *b)
{
	int err = write_kernel(b);

	for (u32 i = 0; i < b->module_count && !err; i++)
		err = fill_copy(b->vm, b->modules[i].gpa,
				b->modules[i].file.data,
				b->modules[i].file.size);
	return err ? err
		   : gmem_write(b->vm, GPA(b->info_gpa), b->info, b->used);
}

static void free_info(struct mb *b)
{
	pmm_free_bytes(&b->vm->budget, b->info, b->info_bytes);
}

static int info_too_big(struct mb *b)
{
	log_error("load",
		  "guest %s: kernel = %s: its boot information is more than %u "
		  "KiB; give it fewer modules or sections",
		  b->vm->name, b->kernel->name, b->info_bytes / 1024);
	return -ENOSPC;
}

int multiboot_start(struct mb *b, int filled, u32 magic)
{
	struct vcpu *boot = b->vm->vcpus[0];
	int err = filled ? 0 : write_all(b);

	free_info(b);
	if (filled)
		return info_too_big(b);
	if (err)
		return load_no_room(b->vm, "image");
	entry_protected_mode(boot, b->entry, 0);
	entry_virtual_wire(boot);
	vpic_as_by_bios(b->vm);
	vcpu_regs(boot)->gpr[GPR_RAX] = magic;
	vcpu_regs(boot)->gpr[GPR_RBX] = b->info_gpa;
	return 0;
}
