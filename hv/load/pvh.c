/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ELF kernels with Xen's PVH entry note (pvh_regs.h), 32 and 64-bit. Called by
 * load_guest(). The file is untrusted: every header, segment and note is
 * checked against the file's size and the guest's RAM before a byte is written.
 * Entered in 32-bit protected mode, paging off, EBX = hvm_start_info. No locks.
 */
#include "hv/load/pvh_regs.h"

#include "hv/gmem.h"
#include "hv/load/load.h"
#include "hv/load/place.h"
#include "lib/errno.h"
#include "lib/log.h"
#include "lib/string.h"

#define BELOW_4G     GIB(4)
#define MAX_SEGMENTS 16
#define MEMMAP_MAX   64u

/* The boot area: start_info, modlist and memmap in the first page, the command
 * line in the second */
#define INFO_MODLIST 0x100u
#define INFO_MEMMAP  0x200u
#define INFO_BYTES   (2 * PAGE_SIZE)
#define INFO_CMDLINE PAGE_SIZE
static_assert(INFO_MEMMAP + MEMMAP_MAX * sizeof(struct hvm_memmap_entry) <=
		      PAGE_SIZE,
	      "start_info and its tables fit a page");

/* A program header, whatever its class */
struct segment_info {
	u32 type;
	u64 offset, paddr, filesz, memsz;
};

struct elf {
	const struct image *file;
	bool is64;
	u64 phoff;
	u32 phentsize, phnum;
};

struct pvh {
	struct vm *vm;
	const struct image *initrd;
	struct elf elf;
	u32 entry;
	u64 initrd_gpa, info_gpa;
};

static bool in_file(const struct image *f, u64 offset, u64 size)
{
	return offset <= f->size && size <= f->size - offset;
}

static bool parse64(struct elf *e)
{
	struct elf64_header h;

	if (!in_file(e->file, 0, sizeof(h)))
		return false;
	memcpy(&h, e->file->data, sizeof(h));
	e->phoff = h.phoff;
	e->phentsize = h.phentsize;
	e->phnum = h.phnum;
	return h.ident.machine == ELF_EM_X86_64 &&
	       h.phentsize >= sizeof(struct elf64_phdr);
}

static bool parse32(struct elf *e)
{
	struct elf32_header h;

	if (!in_file(e->file, 0, sizeof(h)))
		return false;
	memcpy(&h, e->file->data, sizeof(h));
	e->phoff = h.phoff;
	e->phentsize = h.phentsize;
	e->phnum = h.phnum;
	return (h.ident.machine == ELF_EM_386 ||
		h.ident.machine == ELF_EM_X86_64) &&
	       h.phentsize >= sizeof(struct elf32_phdr);
}

/* The ELF header */
static bool elf_parse(struct elf *e, const struct image *file)
{
	struct elf_ident id;

	e->file = file;
	if (!in_file(file, 0, sizeof(id)))
		return false;
	memcpy(&id, file->data, sizeof(id));
	e->is64 = id.class == ELF_CLASS64;
	if (id.magic != ELF_MAGIC || id.data != ELF_LSB ||
	    (id.class != ELF_CLASS64 && id.class != ELF_CLASS32))
		return false;
	return e->is64 ? parse64(e) : parse32(e);
}

static struct segment_info elf_segment(const struct elf *e, u32 i)
{
	const u8 *at = e->file->data + e->phoff + (u64)i * e->phentsize;
	struct elf64_phdr p64;
	struct elf32_phdr p32;

	if (e->is64) {
		memcpy(&p64, at, sizeof(p64));
		return (struct segment_info){ p64.type, p64.offset, p64.paddr,
					      p64.filesz, p64.memsz };
	}
	memcpy(&p32, at, sizeof(p32));
	return (struct segment_info){ p32.type, p32.offset, p32.paddr,
				      p32.filesz, p32.memsz };
}

/* The entry note among the notes in data[0, size) */
static bool find_note(const u8 *data, u64 size, u32 *entry)
{
	struct elf_note n;
	u64 name_len, desc_len;

	while (size >= sizeof(n)) {
		memcpy(&n, data, sizeof(n));
		data += sizeof(n);
		size -= sizeof(n);
		name_len = ALIGN_UP((u64)n.namesz, 4);
		desc_len = ALIGN_UP((u64)n.descsz, 4);
		if (name_len > size || desc_len > size - name_len)
			return false;
		if (n.type == XEN_ELFNOTE_PHYS32_ENTRY &&
		    n.namesz == sizeof(XEN_NOTE_NAME) &&
		    !memcmp(data, XEN_NOTE_NAME, sizeof(XEN_NOTE_NAME)) &&
		    n.descsz >= sizeof(*entry)) {
			memcpy(entry, data + name_len, sizeof(*entry));
			return true;
		}
		data += name_len + desc_len;
		size -= name_len + desc_len;
	}
	return false;
}

static bool find_entry(const struct elf *e, u32 *entry)
{
	for (u32 i = 0; i < e->phnum; i++) {
		struct segment_info s = elf_segment(e, i);

		if (s.type == ELF_PT_NOTE &&
		    in_file(e->file, s.offset, s.filesz) &&
		    find_note(e->file->data + s.offset, s.filesz, entry))
			return true;
	}
	return false;
}

/* A part that the headers speak of lies beyond the file's end */
static bool is_cut(const struct elf *e)
{
	if (!in_file(e->file, e->phoff, (u64)e->phnum * e->phentsize))
		return true;
	for (u32 i = 0; i < e->phnum; i++) {
		struct segment_info s = elf_segment(e, i);

		if ((s.type == ELF_PT_LOAD || s.type == ELF_PT_NOTE) &&
		    !in_file(e->file, s.offset, s.filesz))
			return true;
	}
	return false;
}

/* A kernel that was cut short is still one: pvh_load() says so */
bool pvh_probe(const struct image *kernel)
{
	struct elf e;
	u32 entry;

	return elf_parse(&e, kernel) && (is_cut(&e) || find_entry(&e, &entry));
}

static int bad(const struct pvh *b, const char *what)
{
	log_error("load", "guest %s: kernel = %s: %s", b->vm->name,
		  b->elf.file->name, what);
	return -ENOEXEC;
}

static int no_room(const struct pvh *b, const char *what)
{
	log_error("load",
		  "guest %s: its memory has no room for the %s; give it more "
		  "memory",
		  b->vm->name, what);
	return -ENOMEM;
}

/* Take the place of one PT_LOAD; *entered: the entry lies in it */
static int place_segment(struct pvh *b, struct place *p,
			 const struct segment_info *s, bool *entered)
{
	if (s->filesz > s->memsz)
		return bad(b, "its headers contradict each other; name an "
			      "intact kernel");
	if (s->paddr >= BELOW_4G || s->memsz > BELOW_4G - s->paddr)
		return bad(b, "it wants to lie above 4 GiB; link it lower");
	if (b->entry >= s->paddr && b->entry - s->paddr < s->memsz)
		*entered = true;
	if (place_at(p, s->paddr, s->memsz))
		return no_room(b, "kernel where it is linked");
	return 0;
}

static int place_segments(struct pvh *b, struct place *p)
{
	bool entered = false;
	u32 loaded = 0;
	int err;

	for (u32 i = 0; i < b->elf.phnum; i++) {
		struct segment_info s = elf_segment(&b->elf, i);

		if (s.type != ELF_PT_LOAD || !s.memsz)
			continue;
		if (++loaded > MAX_SEGMENTS)
			return bad(b, "it has too many segments; link it with "
				      "at most 16");
		err = place_segment(b, p, &s, &entered);
		if (err)
			return err;
	}
	if (!entered)
		return bad(b, "its PVH entry lies in no segment; link it "
			      "correctly");
	return 0;
}

static int place_all(struct pvh *b)
{
	const struct place_range within = { 0, BELOW_4G };
	struct place p;
	int err;

	place_init(&p, b->vm);
	err = place_segments(b, &p);
	if (err)
		return err;
	if (b->initrd && place_high(&p, ALIGN_UP(b->initrd->size, PAGE_SIZE),
				    PAGE_SIZE, &within, &b->initrd_gpa))
		return no_room(b, "initrd");
	if (place_high(&p, INFO_BYTES, PAGE_SIZE, &within, &b->info_gpa))
		return no_room(b, "start information");
	return 0;
}

static int write_segments(const struct pvh *b)
{
	int err = 0;

	for (u32 i = 0; i < b->elf.phnum && !err; i++) {
		struct segment_info s = elf_segment(&b->elf, i);

		if (s.type != ELF_PT_LOAD || !s.memsz)
			continue;
		err = gmem_write(b->vm, GPA(s.paddr),
				 b->elf.file->data + s.offset, s.filesz);
		if (!err)
			err = gmem_zero(b->vm, GPA(s.paddr + s.filesz),
					s.memsz - s.filesz);
	}
	return err;
}

static u32 fill_memmap(struct vm *vm, struct hvm_memmap_entry *out)
{
	struct e820_entry map[MEMMAP_MAX];
	u32 count = e820_build(vm, map, MEMMAP_MAX);

	for (u32 i = 0; i < count; i++)
		out[i] = (struct hvm_memmap_entry){
			.addr = map[i].base,
			.size = map[i].size,
			.type = map[i].type,
		};
	return count;
}

static void fill_info(const struct pvh *b, u8 *page)
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
		.memmap_entries =
			fill_memmap(b->vm, (void *)(page + INFO_MEMMAP)),
	};
	if (b->initrd)
		*mod = (struct hvm_modlist_entry){ .paddr = b->initrd_gpa,
						   .size = b->initrd->size };
}

static int write_info(const struct pvh *b)
{
	const char *cmdline = b->vm->config->cmdline;
	u8 *page = pmm_alloc(&b->vm->budget, 0);
	int err;

	if (!page)
		return -ENOMEM;
	fill_info(b, page);
	err = gmem_write(b->vm, GPA(b->info_gpa), page, PAGE_SIZE);
	if (!err)
		err = gmem_write(b->vm, GPA(b->info_gpa + INFO_CMDLINE),
				 cmdline, strlen(cmdline) + 1);
	if (!err && b->initrd)
		err = gmem_write(b->vm, GPA(b->initrd_gpa), b->initrd->data,
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
		return bad(&b, "it is no ELF; name another kernel");
	if (is_cut(&b.elf))
		return bad(&b, "the file is cut short; copy it again");
	if (!find_entry(&b.elf, &b.entry))
		return bad(&b, "it has no PVH entry; name another kernel");
	err = place_all(&b);
	if (err)
		return err;
	err = write_segments(&b);
	if (!err)
		err = write_info(&b);
	if (err)
		return no_room(&b, "image");
	entry_protected_mode(vm->vcpus[0], b.entry);
	vcpu_regs(vm->vcpus[0])->gpr[GPR_RBX] = b.info_gpa;
	return 0;
}
