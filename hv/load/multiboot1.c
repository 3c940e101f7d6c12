/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Multiboot 0.6.96, ELF32, ELF64 or with the header's address fields. Called
 * by load_guest(). The file is untrusted; see multiboot.c for what is checked.
 * Entered in 32-bit protected mode, paging off, EBX = information. No locks.
 */
#include "hv/load/multiboot.h"
#include "lib/errno.h"
#include "lib/log.h"
#include "lib/string.h"

struct mb1 {
	struct mb common; /* first */
	struct mb1_header header;
	u64 header_at;
	struct mb1_info info;
};

/* 3.1.1: the first one in 8 KiB whose checksum is right */
static bool find_header(const struct image *f, struct mb1_header *h, u64 *at)
{
	u64 end = MIN(f->size, (u64)MB1_SEARCH);
	u32 magic;

	for (*at = 0; *at + MB1_HEADER_MIN <= end; *at += MB1_ALIGN) {
		__builtin_memcpy(&magic, f->data + *at, sizeof(magic));
		if (magic != MB1_MAGIC)
			continue;
		memset(h, 0, sizeof(*h));
		memcpy(h, f->data + *at, MIN(sizeof(*h), end - *at));
		if (!(u32)(h->magic + h->flags + h->checksum))
			return true;
	}
	return false;
}

static bool is_understood(const struct mb1_header *h)
{
	const u32 known = MB1_PAGE_ALIGN | MB1_MEMORY_INFO | MB1_VIDEO_MODE;

	return !(h->flags & MB1_REQUIRED & ~known);
}

enum image_fit multiboot1_probe(const struct image *kernel)
{
	struct mb1_header h;
	u64 at;

	if (!find_header(kernel, &h, &at))
		return IMAGE_OTHER;
	if (!is_understood(&h))
		return IMAGE_UNFIT;
	return multiboot_fit(kernel, h.flags & MB1_ADDRESSES);
}

static int check_header(struct mb1 *b)
{
	const struct image *f = b->common.kernel;
	const struct mb1_header *h = &b->header;
	struct mb_addresses a;

	if (!find_header(f, &b->header, &b->header_at))
		return load_bad(b->common.vm, f,
				"it has no multiboot header; name another "
				"kernel");
	if (!is_understood(h))
		return load_bad(b->common.vm, f,
				"it requires what multiboot 0.6.96 does not "
				"define; name another kernel");
	if (h->flags & MB1_VIDEO_MODE)
		log_warn("load",
			 "guest %s: kernel = %s asks for a screen and has none",
			 b->common.vm->name, f->name);
	if (!(h->flags & MB1_ADDRESSES))
		return 0;
	if (b->header_at + sizeof(*h) > f->size)
		return load_bad(b->common.vm, f,
				"the file is cut short; copy it again");
	a = (struct mb_addresses){ h->header_addr, h->load_addr,
				   h->load_end_addr, h->bss_end_addr };
	b->common.entry = h->entry_addr;
	return multiboot_flat(&b->common, b->header_at, &a);
}

static u32 gpa_of(const struct mb1 *b, u32 offset)
{
	return (u32)b->common.info_gpa + offset;
}

static int add_strings(struct mb1 *b)
{
	struct mb *c = &b->common;
	u32 at, bytes;
	int err = multiboot_string(c, c->kernel->name, c->vm->config->cmdline,
				   &at, &bytes);

	b->info.cmdline = gpa_of(b, at);
	if (!err)
		err = multiboot_string(c, MB_LOADER_NAME, "", &at, &bytes);
	b->info.boot_loader_name = gpa_of(b, at);
	b->info.flags |= MB1_INFO_CMDLINE | MB1_INFO_LOADER;
	return err;
}

static int add_modules(struct mb1 *b)
{
	struct mb *c = &b->common;
	u32 list, at, bytes;
	int err = multiboot_room(
		c, c->module_count * (u32)sizeof(struct mb1_module),
		sizeof(u32), &list);

	for (u32 i = 0; i < c->module_count && !err; i++) {
		const struct mb_module *m = &c->modules[i];
		struct mb1_module out = {
			.mod_start = (u32)m->gpa,
			.mod_end = (u32)(m->gpa + m->file.size),
		};

		err = multiboot_string(c, m->file.name, m->args, &at, &bytes);
		out.string = gpa_of(b, at);
		memcpy(c->info + list + i * sizeof(out), &out, sizeof(out));
	}
	if (err)
		return err;
	b->info.flags |= MB1_INFO_MODS;
	b->info.mods_count = c->module_count;
	b->info.mods_addr = gpa_of(b, list);
	return 0;
}

static int add_map(struct mb1 *b, const struct e820_map *map)
{
	struct mb *c = &b->common;
	u32 lower, upper, at;
	int err = multiboot_room(c, map->count * (u32)sizeof(struct mb1_mmap),
				 sizeof(u32), &at);

	if (err)
		return err;
	for (u32 i = 0; i < map->count; i++) {
		const struct e820_entry *from = &map->entries[i];
		struct mb1_mmap e = { sizeof(e) - sizeof(e.size), from->base,
				      from->size, from->type };

		memcpy(c->info + at + i * sizeof(e), &e, sizeof(e));
	}
	multiboot_memory(map, &lower, &upper);
	b->info.mem_lower = lower;
	b->info.mem_upper = upper;
	b->info.mmap_addr = gpa_of(b, at);
	b->info.mmap_length = map->count * (u32)sizeof(struct mb1_mmap);
	b->info.flags |= MB1_INFO_MEMORY | MB1_INFO_MMAP;
	return 0;
}

static int add_memory(struct mb1 *b)
{
	struct e820_map map;
	int err = multiboot_mmap(&b->common, &map);

	if (err)
		return err;
	err = add_map(b, &map);
	e820_free(b->common.vm, &map);
	return err;
}

static int add_sections(struct mb1 *b)
{
	const struct elf *e = &b->common.elf;
	u32 at;
	int err;

	if (!multiboot_has_sections(&b->common))
		return 0;
	err = multiboot_room(&b->common, e->shnum * e->shentsize, sizeof(u64),
			     &at);
	if (!err)
		err = multiboot_sections(&b->common, at);
	if (err)
		return err;
	b->info.shdr_num = e->shnum;
	b->info.shdr_size = e->shentsize;
	b->info.shdr_shndx = e->shstrndx;
	b->info.shdr_addr = gpa_of(b, at);
	b->info.flags |= MB1_INFO_SECTIONS;
	return 0;
}

static int fill_info(struct mb1 *b)
{
	u32 at;
	int err = multiboot_room(&b->common, sizeof(b->info), sizeof(u32), &at);

	if (!err)
		err = add_strings(b);
	if (!err)
		err = add_modules(b);
	if (!err)
		err = add_memory(b);
	if (!err)
		err = add_sections(b);
	if (!err)
		memcpy(b->common.info + at, &b->info, sizeof(b->info));
	return err;
}

int multiboot1_load(struct vm *vm, const struct image *kernel,
		    const struct image *initrd)
{
	struct mb1 b = {
		.common = { .vm = vm, .kernel = kernel, .initrd = initrd }
	};
	int err = check_header(&b);

	if (!err)
		err = multiboot_place(&b.common);
	if (err)
		return err;
	return multiboot_start(&b.common, fill_info(&b), MB1_BOOT_MAGIC);
}
