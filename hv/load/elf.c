/* SPDX-License-Identifier: BSD-2-Clause */
/* ELF kernels; see elf.h. No locks: one guest is loaded at a time. */
#include "hv/load/elf.h"

#include "hv/load/fill.h"
#include "lib/errno.h"
#include "lib/log.h"
#include "lib/string.h"

#define MAX_SEGMENTS 16

int load_bad(const struct vm *vm, const struct image *kernel, const char *what)
{
	log_error("load", "guest %s: kernel = %s: %s", vm->name, kernel->name,
		  what);
	return -ENOEXEC;
}

int load_no_room(const struct vm *vm, const char *what)
{
	log_error("load",
		  "guest %s: its memory has no room for the %s; give it more "
		  "memory",
		  vm->name, what);
	return -ENOMEM;
}

int load_misplaced(const struct vm *vm, const struct image *kernel, int err)
{
	if (err == -EBUSY)
		return load_bad(vm, kernel,
				"its parts overlap each other or the area "
				"below 1 MiB that is the machine's; link it "
				"elsewhere");
	return load_no_room(vm, "kernel where it is linked");
}

bool elf_in_file(const struct image *f, u64 offset, u64 size)
{
	return offset <= f->size && size <= f->size - offset;
}

static bool parse64(struct elf *e)
{
	struct elf64_header h;

	if (!elf_in_file(e->file, 0, sizeof(h)))
		return false;
	memcpy(&h, e->file->data, sizeof(h));
	e->entry = h.entry;
	e->phoff = h.phoff;
	e->phentsize = h.phentsize;
	e->phnum = h.phnum;
	e->shoff = h.shoff;
	e->shentsize = h.shentsize;
	e->shnum = h.shnum;
	e->shstrndx = h.shstrndx;
	return h.ident.machine == ELF_EM_X86_64 &&
	       h.phentsize >= sizeof(struct elf64_phdr);
}

static bool parse32(struct elf *e)
{
	struct elf32_header h;

	if (!elf_in_file(e->file, 0, sizeof(h)))
		return false;
	memcpy(&h, e->file->data, sizeof(h));
	e->entry = h.entry;
	e->phoff = h.phoff;
	e->phentsize = h.phentsize;
	e->phnum = h.phnum;
	e->shoff = h.shoff;
	e->shentsize = h.shentsize;
	e->shnum = h.shnum;
	e->shstrndx = h.shstrndx;
	return (h.ident.machine == ELF_EM_386 ||
		h.ident.machine == ELF_EM_X86_64) &&
	       h.phentsize >= sizeof(struct elf32_phdr);
}

bool elf_parse(struct elf *e, const struct image *file)
{
	struct elf_ident id;

	*e = (struct elf){ .file = file };
	if (!elf_in_file(file, 0, sizeof(id)))
		return false;
	memcpy(&id, file->data, sizeof(id));
	e->is64 = id.class == ELF_CLASS64;
	if (id.magic != ELF_MAGIC || id.data != ELF_LSB ||
	    (id.class != ELF_CLASS64 && id.class != ELF_CLASS32))
		return false;
	return e->is64 ? parse64(e) : parse32(e);
}

struct elf_segment elf_segment(const struct elf *e, u32 i)
{
	const u8 *at = e->file->data + e->phoff + (u64)i * e->phentsize;
	struct elf64_phdr p64;
	struct elf32_phdr p32;

	if (e->is64) {
		memcpy(&p64, at, sizeof(p64));
		return (struct elf_segment){ p64.type,  p64.offset, p64.vaddr,
					     p64.paddr, p64.filesz, p64.memsz,
					     p64.align };
	}
	memcpy(&p32, at, sizeof(p32));
	return (struct elf_segment){ p32.type,  p32.offset, p32.vaddr,
				     p32.paddr, p32.filesz, p32.memsz,
				     p32.align };
}

static bool has_bytes(const struct elf_segment *s)
{
	return s->filesz &&
	       ((s->type == ELF_PT_LOAD && s->memsz) || s->type == ELF_PT_NOTE);
}

bool elf_is_cut(const struct elf *e)
{
	if (e->phnum > ELF_PHDRS_MAX ||
	    !elf_in_file(e->file, e->phoff, (u64)e->phnum * e->phentsize))
		return true;
	for (u32 i = 0; i < e->phnum; i++) {
		struct elf_segment s = elf_segment(e, i);

		if (has_bytes(&s) && !elf_in_file(e->file, s.offset, s.filesz))
			return true;
	}
	return false;
}

bool elf_has_sections(const struct elf *e)
{
	u32 size =
		e->is64 ? sizeof(struct elf64_shdr) : sizeof(struct elf32_shdr);

	return e->shnum && e->shentsize == size &&
	       elf_in_file(e->file, e->shoff, (u64)e->shnum * size);
}

struct elf_section elf_section(const struct elf *e, u32 i)
{
	const u8 *at = e->file->data + e->shoff + (u64)i * e->shentsize;
	struct elf64_shdr h64;
	struct elf32_shdr h32;

	if (e->is64) {
		memcpy(&h64, at, sizeof(h64));
		return (struct elf_section){ h64.type, h64.addr, h64.offset,
					     h64.size };
	}
	memcpy(&h32, at, sizeof(h32));
	return (struct elf_section){ h32.type, h32.addr, h32.offset, h32.size };
}

static int place_segment(struct vm *vm, struct place *p, const struct elf *e,
			 const struct elf_segment *s)
{
	int err;

	if (s->filesz > s->memsz)
		return load_bad(vm, e->file,
				"its headers contradict each other; name an "
				"intact kernel");
	if (s->paddr >= ELF_LOAD_END || s->memsz > ELF_LOAD_END - s->paddr)
		return load_bad(vm, e->file,
				"it wants to lie above 4 GiB; link it lower");
	err = place_at(p, s->paddr, s->memsz);
	return err ? load_misplaced(vm, e->file, err) : 0;
}

int elf_place(struct vm *vm, struct place *p, const struct elf *e, u32 entry)
{
	bool entered = false;
	u32 loaded = 0;
	int err;

	for (u32 i = 0; i < e->phnum; i++) {
		struct elf_segment s = elf_segment(e, i);

		if (s.type != ELF_PT_LOAD || !s.memsz)
			continue;
		if (++loaded > MAX_SEGMENTS)
			return load_bad(vm, e->file,
					"it has too many segments; link it "
					"with at most 16");
		err = place_segment(vm, p, e, &s);
		if (err)
			return err;
		if (entry >= s.paddr && entry - s.paddr < s.memsz)
			entered = true;
	}
	if (!entered)
		return load_bad(vm, e->file,
				"its entry lies in no segment; link it "
				"correctly");
	return 0;
}

int elf_write(struct vm *vm, const struct elf *e)
{
	int err = 0;

	for (u32 i = 0; i < e->phnum && !err; i++) {
		struct elf_segment s = elf_segment(e, i);

		if (s.type != ELF_PT_LOAD || !s.memsz)
			continue;
		if (s.filesz)
			err = fill_copy(vm, s.paddr, e->file->data + s.offset,
					s.filesz);
		if (!err)
			err = fill_zero(vm, s.paddr + s.filesz,
					s.memsz - s.filesz);
	}
	return err;
}
