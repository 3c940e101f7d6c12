/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reading the hypervisor's ELF file, see boot/common/image.h. Called by the
 * UEFI loader. The file comes from a disk: nothing in it is trusted before
 * image_check() has passed it. No state, no lock.
 */
#include "boot/common/image.h"

#include "include/hw/elf.h"
#include "lib/string.h"

#define MAX_PHDRS 16
/* The segment of zeros is aligned as stacks are, 32 KiB (linker.ld) */
#define GAP_MAX (7 * PAGE_SIZE)

static const struct elf64_phdr *phdr_at(const void *file, u32 i)
{
	const struct elf64_header *eh = file;

	return (const struct elf64_phdr *)((const u8 *)file + eh->phoff) + i;
}

static const char *header_check(const struct elf64_header *eh, u64 size)
{
	if (size < sizeof(*eh) || eh->ident.magic != ELF_MAGIC)
		return "is not an ELF file";
	if (eh->ident.class != ELF_CLASS64 || eh->ident.data != ELF_LSB ||
	    eh->ident.type != ELF_ET_EXEC || eh->ident.machine != ELF_EM_X86_64)
		return "is not a 64-bit x86 program";
	if (eh->phentsize != sizeof(struct elf64_phdr) || eh->phnum == 0 ||
	    eh->phnum > MAX_PHDRS || !IS_ALIGNED(eh->phoff, 8))
		return "has damaged program headers";
	if (eh->phoff > size ||
	    eh->phnum * sizeof(struct elf64_phdr) > size - eh->phoff)
		return "is cut short (program headers are missing)";
	return NULL;
}

/* @end: link address behind the segment before this one */
static const char *segment_check(const struct elf64_phdr *ph, u64 size, u64 end)
{
	if (ph->offset > size || ph->filesz > size - ph->offset)
		return "is cut short (a segment is missing)";
	if (ph->filesz > ph->memsz || ph->memsz > IMAGE_MAX_BYTES)
		return "has a damaged segment";
	if (ph->vaddr < end || ph->vaddr - end > GAP_MAX)
		return "has segments that are not in one piece";
	if (ph->vaddr + ph->memsz - IMAGE_LINK_BASE > IMAGE_MAX_BYTES)
		return "is larger than the loader accepts";
	return NULL;
}

static const char *segments_check(const void *file, u64 size,
				  struct hv_image *img)
{
	const struct elf64_header *eh = file;
	u64 end = IMAGE_LINK_BASE;

	for (u32 i = 0; i < eh->phnum; i++) {
		const struct elf64_phdr *ph = phdr_at(file, i);
		const char *reason;

		if (ph->type != ELF_PT_LOAD || ph->memsz == 0)
			continue;
		reason = segment_check(ph, size, end);
		if (reason)
			return reason;
		end = ph->vaddr + ph->memsz;
	}
	img->bytes = ALIGN_UP(end - IMAGE_LINK_BASE, PAGE_SIZE);
	return img->bytes ? NULL : "has nothing to load";
}

/* The file's bytes at link address @addr. NULL: there are not @len of them in
 * one segment that has all of @flags. */
static const void *file_at(const void *file, u64 addr, u64 len, u32 flags)
{
	const struct elf64_header *eh = file;

	for (u32 i = 0; i < eh->phnum; i++) {
		const struct elf64_phdr *ph = phdr_at(file, i);

		if (ph->type == ELF_PT_LOAD && (ph->flags & flags) == flags &&
		    addr >= ph->vaddr && addr - ph->vaddr < ph->filesz &&
		    len <= ph->filesz - (addr - ph->vaddr))
			return (const u8 *)file + ph->offset +
			       (addr - ph->vaddr);
	}
	return NULL;
}

const char *image_check(const void *file, u64 size, struct hv_image *img)
{
	struct image_header hdr;
	const char *reason = header_check(file, size);
	const void *at;

	if (!reason)
		reason = segments_check(file, size, img);
	if (reason)
		return reason;
	at = file_at(file, IMAGE_LINK_BASE, sizeof(hdr), 0);
	if (!at)
		return "is not Bulkhead (its header is missing)";
	memcpy(&hdr, at, sizeof(hdr));
	if (hdr.magic != IMAGE_MAGIC)
		return "is not Bulkhead (its header is missing)";
	if (hdr.version != IMAGE_HEADER_VERSION || hdr.size != sizeof(hdr))
		return "is of another version than this loader";
	if (!file_at(file, hdr.entry, 1, ELF_PF_X))
		return "has an entry point outside its code";
	img->entry = hdr.entry;
	return NULL;
}

void image_place(const void *file, void *dst, u64 bytes)
{
	const struct elf64_header *eh = file;

	memset(dst, 0, bytes);
	for (u32 i = 0; i < eh->phnum; i++) {
		const struct elf64_phdr *ph = phdr_at(file, i);

		if (ph->type == ELF_PT_LOAD)
			memcpy((u8 *)dst + (ph->vaddr - IMAGE_LINK_BASE),
			       (const u8 *)file + ph->offset, ph->filesz);
	}
}
