/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ELF kernels with Xen's PVH entry note (include/hw/pvh.h), 32 and 64-bit.
 * Called by load_guest(). The file is untrusted: every header, segment and note
 * is checked against the file's size and the guest's RAM before a byte is
 * written. Entered in 32-bit protected mode, paging off, EBX = hvm_start_info.
 * No locks.
 */
#include "include/hw/pvh.h"
#include "hv/core/gmem.h"
#include "hv/load/elf.h"
#include "hv/load/fill.h"
#include "lib/errno.h"
#include "lib/string.h"

/* Linux reads the start information through its first page tables, which map
 * this much */
#define INFO_BELOW GIB(1)
#define NOTES_MAX  KIB(32)

/* The boot area: start_info and modlist in the first page, the command line in
 * the second, the memory map behind them */
#define INFO_MODLIST 0x100u
#define INFO_CMDLINE PAGE_SIZE
#define INFO_MEMMAP  (2 * PAGE_SIZE)

struct pvh {
	struct vm *vm;
	const struct image *initrd;
	struct elf elf;
	u32 entry;
	u64 initrd_gpa, info_gpa;
};

/* The entry note among the notes in data[0, size). A note's description and the
 * next note begin at multiples of @align from the note on, the last one's end
 * may lack the padding (gABI, 5 *Note Section*; binutils, elf/common.h). */
static bool find_note(const u8 *data, u64 size, u64 align, u32 *entry)
{
	struct elf_note n;
	u64 desc, next;

	while (size >= sizeof(n)) {
		memcpy(&n, data, sizeof(n));
		desc = ALIGN_UP(sizeof(n) + (u64)n.namesz, align);
		if (desc > size || n.descsz > size - desc)
			return false;
		if (n.type == XEN_ELFNOTE_PHYS32_ENTRY &&
		    n.namesz == sizeof(XEN_NOTE_NAME) &&
		    !memcmp(data + sizeof(n), XEN_NOTE_NAME, n.namesz) &&
		    n.descsz >= sizeof(*entry)) {
			memcpy(entry, data + desc, sizeof(*entry));
			return true;
		}
		next = MIN(ALIGN_UP(desc + n.descsz, align), size);
		data += next;
		size -= next;
	}
	return false;
}

/* Notes are aligned to 4 bytes or, where the header says so, to 8. Linkers have
 * put notes of 4 under such a header, too. */
static bool find_in_segment(const struct elf *e, const struct elf_segment *s,
			    u32 *entry)
{
	const u8 *notes = e->file->data + s->offset;

	if (s->align == 8 && find_note(notes, s->filesz, 8, entry))
		return true;
	return find_note(notes, s->filesz, 4, entry);
}

/* Only so many bytes of notes are looked at: a file may be nothing else */
static bool find_entry(const struct elf *e, u32 *entry)
{
	u64 left = NOTES_MAX;

	for (u32 i = 0; i < e->phnum; i++) {
		struct elf_segment s = elf_segment(e, i);

		if (s.type != ELF_PT_NOTE ||
		    !elf_in_file(e->file, s.offset, s.filesz))
			continue;
		s.filesz = MIN(s.filesz, left);
		left -= s.filesz;
		if (find_in_segment(e, &s, entry))
			return true;
	}
	return false;
}

/* A kernel that was cut short may be one: pvh_load() says so */
enum image_fit pvh_probe(const struct image *kernel)
{
	struct elf e;
	u32 entry;

	if (!elf_parse(&e, kernel))
		return IMAGE_OTHER;
	if (elf_is_cut(&e))
		return IMAGE_UNFIT;
	return find_entry(&e, &entry) ? IMAGE_FITS : IMAGE_OTHER;
}

static int place_all(struct pvh *b)
{
	const struct place_range within = { 0, ELF_LOAD_END };
	const struct place_range mapped = { 0, INFO_BELOW };
	u64 info_bytes =
		INFO_MEMMAP +
		ALIGN_UP(e820_max(b->vm) * sizeof(struct hvm_memmap_entry),
			 PAGE_SIZE);
	struct place p;
	int err;

	place_init(&p, b->vm);
	err = elf_place(b->vm, &p, &b->elf, b->entry);
	if (err)
		return err;
	if (b->initrd && place_high(&p, ALIGN_UP(b->initrd->size, PAGE_SIZE),
				    PAGE_SIZE, &within, &b->initrd_gpa))
		return load_no_room(b->vm, "initrd");
	if (place_high(&p, info_bytes, PAGE_SIZE, &mapped, &b->info_gpa))
		return load_no_room(b->vm, "start information");
	return 0;
}

/* Write the memory map; *@count: its entries */
static int write_memmap(const struct pvh *b, u32 *count)
{
	struct e820_map map;
	int err = e820_make(b->vm, &map);

	*count = 0;
	if (err)
		return err;
	for (u32 i = 0; i < map.count && !err; i++) {
		struct hvm_memmap_entry e = { .addr = map.entries[i].base,
					      .size = map.entries[i].size,
					      .type = map.entries[i].type };

		err = gmem_write(b->vm,
				 GPA(b->info_gpa + INFO_MEMMAP + i * sizeof(e)),
				 &e, sizeof(e));
	}
	*count = map.count;
	e820_free(b->vm, &map);
	return err;
}

static void fill_info(const struct pvh *b, u8 *page, u32 entries)
{
	struct hvm_start_info *info = (void *)page;
	struct hvm_modlist_entry *mod = (void *)(page + INFO_MODLIST);

	*info = (struct hvm_start_info){
		.magic = HVM_START_MAGIC,
		.version = HVM_START_VERSION,
		.nr_modules = b->initrd ? 1 : 0,
		.modlist_paddr = b->initrd ? b->info_gpa + INFO_MODLIST : 0,
		.cmdline_paddr = b->info_gpa + INFO_CMDLINE,
		.rsdp_paddr = b->vm->acpi_rsdp,
		.memmap_paddr = b->info_gpa + INFO_MEMMAP,
		.memmap_entries = entries,
	};
	if (b->initrd)
		*mod = (struct hvm_modlist_entry){ .paddr = b->initrd_gpa,
						   .size = b->initrd->size };
}

static int write_info(const struct pvh *b)
{
	const char *cmdline = b->vm->config->cmdline;
	u32 entries;
	int err = write_memmap(b, &entries);
	u8 *page = pmm_alloc(&b->vm->budget, 0);

	if (!page)
		return -ENOMEM;
	fill_info(b, page, entries);
	if (!err)
		err = gmem_write(b->vm, GPA(b->info_gpa), page, PAGE_SIZE);
	if (!err)
		err = gmem_write(b->vm, GPA(b->info_gpa + INFO_CMDLINE),
				 cmdline, strlen(cmdline) + 1);
	if (!err && b->initrd)
		err = fill_copy(b->vm, b->initrd_gpa, b->initrd->data,
				b->initrd->size);
	pmm_free(&b->vm->budget, page, 0);
	return err;
}

int pvh_load(struct vm *vm, const struct image *kernel,
	     const struct image *initrd)
{
	struct pvh b = { .vm = vm, .initrd = initrd };
	int err;

	if (!elf_parse(&b.elf, kernel))
		return load_bad(vm, kernel,
				"it is no ELF; name another kernel");
	if (elf_is_cut(&b.elf))
		return load_bad(vm, kernel,
				"the file is cut short; copy it again");
	if (!find_entry(&b.elf, &b.entry))
		return load_bad(vm, kernel,
				"it has no PVH entry; name another kernel");
	err = place_all(&b);
	if (err)
		return err;
	err = elf_write(vm, &b.elf);
	if (!err)
		err = write_info(&b);
	if (err)
		return load_no_room(vm, "image");
	entry_protected_mode(vm->vcpus[0], b.entry, 0);
	vcpu_regs(vm->vcpus[0])->gpr[GPR_RBX] = b.info_gpa;
	return 0;
}
