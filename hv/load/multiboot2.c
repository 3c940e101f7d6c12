/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Multiboot2 version 2.0, the i386 entry. Called by load_guest(). The header's
 * tags are walked once, each checked against the header's length; each kind has
 * a row in a table. Tags for EFI change nothing, as a guest has none. The file
 * is untrusted; see multiboot.c for what else is checked. Entered in
 * 32-bit protected mode, paging off, EBX = information. No locks. Over 400
 * lines: tags of the header, tags of the information.
 */
#include "hv/core/gmem.h"
#include "hv/load/acpi_area.h"
#include "hv/load/multiboot.h"
#include "include/hw/acpi.h"
#include "lib/errno.h"
#include "lib/log.h"
#include "lib/string.h"

struct mb2 {
	struct mb common; /* first */
	u64 header_at;
	u32 header_bytes;
	bool has_addresses, relocatable;
	struct mb_addresses addresses;
};

/* 3.1.1: the first one in 32 KiB whose checksum is right */
static bool find_header(const struct image *f, struct mb2_header *h, u64 *at)
{
	u64 end = MIN(f->size, (u64)MB2_SEARCH);

	for (*at = 0; *at + sizeof(*h) <= end; *at += MB2_ALIGN) {
		__builtin_memcpy(h, f->data + *at, sizeof(*h)); /* no call */
		if (h->magic == MB2_MAGIC &&
		    !(u32)(h->magic + h->architecture + h->header_length +
			   h->checksum))
			return true;
	}
	return false;
}

/* Is there an address tag among the header's @left bytes of tags? */
static bool has_address_tag(const u8 *tags, u64 left)
{
	struct mb2_tag t;

	while (left >= sizeof(t)) {
		memcpy(&t, tags, sizeof(t));
		if (t.type == MB2_HEADER_ADDRESS)
			return true;
		if (t.type == MB2_HEADER_END || t.size < sizeof(t) ||
		    ALIGN_UP((u64)t.size, MB2_ALIGN) > left)
			return false;
		tags += ALIGN_UP((u64)t.size, MB2_ALIGN);
		left -= ALIGN_UP((u64)t.size, MB2_ALIGN);
	}
	return false;
}

enum image_fit multiboot2_probe(const struct image *kernel)
{
	struct mb2_header h;
	u64 at;

	if (!find_header(kernel, &h, &at))
		return IMAGE_OTHER;
	if (h.architecture != MB2_ARCH_I386 || h.header_length < sizeof(h) ||
	    !elf_in_file(kernel, at, h.header_length))
		return IMAGE_UNFIT;
	return multiboot_fit(kernel,
			     has_address_tag(kernel->data + at + sizeof(h),
					     h.header_length - sizeof(h)));
}

static int bad(const struct mb2 *b, const char *what)
{
	return load_bad(b->common.vm, b->common.kernel, what);
}

static int bad_tag(const struct mb2 *b)
{
	return bad(b, "the tags of its multiboot 2 header contradict each "
		      "other; name an intact kernel");
}

/* 3.1.5 *Multiboot information request*: what version 2.0 does not define
 * cannot be given; what it defines and the guest has not is left out */
static int take_request(struct mb2 *b, const u8 *tag, u32 size)
{
	u32 type;

	for (u32 i = sizeof(struct mb2_tag); i + sizeof(type) <= size;
	     i += sizeof(type)) {
		memcpy(&type, tag + i, sizeof(type));
		if (type > MB2_INFO_LAST)
			return bad(b, "it requires information that multiboot "
				      "2.0 does not define; name another "
				      "kernel");
	}
	return 0;
}

static int take_address(struct mb2 *b, const u8 *tag, u32 size)
{
	struct mb2_address t;

	memcpy(&t, tag, sizeof(t));
	b->has_addresses = true;
	b->addresses = (struct mb_addresses){ t.header_addr, t.load_addr,
					      t.load_end_addr, t.bss_end_addr };
	if (t.load_addr != MB2_LOAD_WHOLE)
		return 0;
	if (t.header_addr < b->header_at)
		return bad_tag(b);
	b->addresses.load_addr = t.header_addr - (u32)b->header_at;
	return 0;
}

static int take_entry(struct mb2 *b, const u8 *tag, u32 size)
{
	struct mb2_entry t;

	memcpy(&t, tag, sizeof(t));
	b->common.entry = t.entry_addr;
	b->common.has_entry = true;
	return 0;
}

static int take_screen(struct mb2 *b, const u8 *tag, u32 size)
{
	log_warn("load", "guest %s: kernel = %s asks for a screen and has none",
		 b->common.vm->name, b->common.kernel->name);
	return 0;
}

static int take_relocatable(struct mb2 *b, const u8 *tag, u32 size)
{
	b->relocatable = true;
	return 0;
}

struct tag_kind {
	u32 min_bytes;
	/* NULL: nothing to do. -ENOEXEC after a sentence. */
	int (*take)(struct mb2 *b, const u8 *tag, u32 size);
};

static const struct tag_kind kinds[] = {
	[MB2_HEADER_REQUEST] = { sizeof(struct mb2_tag), take_request },
	[MB2_HEADER_ADDRESS] = { sizeof(struct mb2_address), take_address },
	[MB2_HEADER_ENTRY] = { sizeof(struct mb2_entry), take_entry },
	[MB2_HEADER_CONSOLE] = { sizeof(struct mb2_tag) + 4, NULL },
	[MB2_HEADER_FRAMEBUFFER] = { sizeof(struct mb2_tag) + 12, take_screen },
	[MB2_HEADER_MODULE_ALIGN] = { sizeof(struct mb2_tag), NULL },
	[MB2_HEADER_EFI_BS] = { sizeof(struct mb2_tag), NULL },
	[MB2_HEADER_ENTRY_EFI32] = { sizeof(struct mb2_entry), NULL },
	[MB2_HEADER_ENTRY_EFI64] = { sizeof(struct mb2_entry), NULL },
	[MB2_HEADER_RELOCATABLE] = { sizeof(struct mb2_tag) + 16,
				     take_relocatable },
};

/* Take a tag whose size the caller has checked. An unknown tag is ignored if
 * its flags allow it. */
static int take_tag(struct mb2 *b, const struct mb2_tag *t, const u8 *bytes)
{
	if (t->type < ARRAY_SIZE(kinds) && t->size < kinds[t->type].min_bytes)
		return bad_tag(b);
	if (t->type == MB2_HEADER_REQUEST && (t->flags & MB2_OPTIONAL))
		return 0;
	if (t->type < ARRAY_SIZE(kinds))
		return kinds[t->type].take
			       ? kinds[t->type].take(b, bytes, t->size)
			       : 0;
	if (t->flags & MB2_OPTIONAL)
		return 0;
	return bad(b, "it requires what multiboot 2.0 does not define; name "
		      "another kernel");
}

/* 3.1.3 *General tag structure* */
static int take_tags(struct mb2 *b)
{
	const u8 *header = b->common.kernel->data + b->header_at;
	u32 at = sizeof(struct mb2_header);
	struct mb2_tag t;
	int err;

	while (at <= b->header_bytes && b->header_bytes - at >= sizeof(t)) {
		memcpy(&t, header + at, sizeof(t));
		if (t.size < sizeof(t) || t.size > b->header_bytes - at)
			return bad_tag(b);
		if (t.type == MB2_HEADER_END)
			return 0;
		err = take_tag(b, &t, header + at);
		if (err)
			return err;
		at += (u32)ALIGN_UP((u64)t.size, MB2_ALIGN);
	}
	return bad_tag(b); /* no end tag */
}

static int check_header(struct mb2 *b)
{
	const struct image *f = b->common.kernel;
	struct mb2_header h;
	int err;

	if (!find_header(f, &h, &b->header_at))
		return bad(b, "it has no multiboot 2 header; name another "
			      "kernel");
	if (h.architecture != MB2_ARCH_I386)
		return bad(b, "its multiboot 2 header is not for i386; name "
			      "another kernel");
	if (!elf_in_file(f, b->header_at, h.header_length))
		return bad(b, "the file is cut short; copy it again");
	if (b->header_at + h.header_length > MB2_SEARCH) /* 3.1 */
		return bad_tag(b);
	b->header_bytes = h.header_length;
	err = take_tags(b);
	if (err || !b->has_addresses)
		return err;
	if (!b->common.has_entry)
		return bad_tag(b);
	return multiboot_flat(&b->common, b->header_at, &b->addresses);
}

/* Room for a tag and what follows it; *@at: its offset */
static int add_tag(struct mb2 *b, u32 type, u32 bytes, u32 *at)
{
	const struct mb2_info_head head = { type, bytes };
	int err = multiboot_room(&b->common, bytes, MB2_ALIGN, at);

	if (!err)
		memcpy(b->common.info + *at, &head, sizeof(head));
	return err;
}

/* Append strings to @tag, the last one, whose size grows by them */
static int add_string(struct mb2 *b, u32 tag, const char *file,
		      const char *args)
{
	struct mb2_info_head head;
	u32 at, bytes;
	int err = multiboot_string(&b->common, file, args, &at, &bytes);

	if (err)
		return err;
	memcpy(&head, b->common.info + tag, sizeof(head));
	head.size += bytes;
	memcpy(b->common.info + tag, &head, sizeof(head));
	return 0;
}

static int add_strings(struct mb2 *b)
{
	const struct mb *c = &b->common;
	u32 at;
	int err =
		add_tag(b, MB2_INFO_CMDLINE, sizeof(struct mb2_info_head), &at);

	if (!err)
		err = add_string(b, at, c->kernel->name,
				 c->vm->config->cmdline);
	if (!err)
		err = add_tag(b, MB2_INFO_LOADER, sizeof(struct mb2_info_head),
			      &at);
	return err ? err : add_string(b, at, MB_LOADER_NAME, "");
}

static int add_modules(struct mb2 *b)
{
	u32 at;
	int err = 0;

	for (u32 i = 0; i < b->common.module_count && !err; i++) {
		const struct mb_module *m = &b->common.modules[i];
		struct mb2_info_module out = {
			.head = { MB2_INFO_MODULE, sizeof(out) },
			.mod_start = (u32)m->gpa,
			.mod_end = (u32)(m->gpa + m->file.size),
		};

		err = add_tag(b, MB2_INFO_MODULE, sizeof(out), &at);
		if (err)
			return err;
		memcpy(b->common.info + at, &out, sizeof(out));
		err = add_string(b, at, m->file.name, m->args);
	}
	return err;
}

static int add_map(struct mb2 *b, const struct e820_map *map)
{
	struct mb2_info_memory m = { .head = { MB2_INFO_MEMORY, sizeof(m) } };
	struct mb2_info_mmap head = { .head = { MB2_INFO_MMAP, 0 },
				      .entry_size = sizeof(struct mb2_mmap) };
	u32 lower, upper, at;
	int err = add_tag(b, MB2_INFO_MEMORY, sizeof(m), &at);

	if (err)
		return err;
	multiboot_memory(map, &lower, &upper);
	m.lower = lower;
	m.upper = upper;
	memcpy(b->common.info + at, &m, sizeof(m));
	head.head.size =
		(u32)(sizeof(head) + map->count * sizeof(struct mb2_mmap));
	err = add_tag(b, MB2_INFO_MMAP, head.head.size, &at);
	if (err)
		return err;
	memcpy(b->common.info + at, &head, sizeof(head));
	for (u32 i = 0; i < map->count; i++) {
		const struct e820_entry *from = &map->entries[i];
		struct mb2_mmap e = { from->base, from->size, from->type, 0 };

		memcpy(b->common.info + at + sizeof(head) + i * sizeof(e), &e,
		       sizeof(e));
	}
	return 0;
}

static int add_memory(struct mb2 *b)
{
	struct e820_map map;
	int err = multiboot_mmap(&b->common, &map);

	if (err)
		return err;
	err = add_map(b, &map);
	e820_free(b->common.vm, &map);
	return err;
}

static int add_sections(struct mb2 *b)
{
	const struct elf *e = &b->common.elf;
	struct mb2_info_sections out = { .head = { MB2_INFO_SECTIONS, 0 } };
	u32 at;
	int err;

	if (!multiboot_has_sections(&b->common))
		return 0;
	out.num = e->shnum;
	out.entsize = e->shentsize;
	out.shndx = e->shstrndx;
	out.head.size = (u32)sizeof(out) + e->shnum * e->shentsize;
	err = add_tag(b, MB2_INFO_SECTIONS, out.head.size, &at);
	if (err)
		return err;
	memcpy(b->common.info + at, &out, sizeof(out));
	return multiboot_sections(&b->common, at + (u32)sizeof(out));
}

static int add_copy(struct mb2 *b, u32 type, const void *data, u32 bytes)
{
	u32 at;
	int err = add_tag(b, type, (u32)sizeof(struct mb2_info_head) + bytes,
			  &at);

	if (!err)
		memcpy(b->common.info + at + sizeof(struct mb2_info_head), data,
		       bytes);
	return err;
}

/* The RSDP that the platform has put into the BIOS area, both forms */
static int add_acpi(struct mb2 *b)
{
	struct vm *vm = b->common.vm;
	u8 rsdp[ACPI_RSDP_V2_BYTES];
	int err;

	if (!vm->acpi_rsdp ||
	    gmem_read(vm, GPA(vm->acpi_rsdp), rsdp, sizeof(rsdp)))
		return 0;
	err = add_copy(b, MB2_INFO_ACPI_OLD, rsdp, ACPI_RSDP_V1_BYTES);
	return err ? err : add_copy(b, MB2_INFO_ACPI_NEW, rsdp, sizeof(rsdp));
}

/* 3.6.13 *Image load base physical address*: where the lowest part is */
static int add_base(struct mb2 *b)
{
	const struct elf *e = &b->common.elf;
	u32 base = (u32)b->common.flat.gpa;

	if (!b->relocatable)
		return 0;
	if (!b->common.is_flat)
		base = ~0u;
	for (u32 i = 0; !b->common.is_flat && i < e->phnum; i++) {
		struct elf_segment s = elf_segment(e, i);

		if (s.type == ELF_PT_LOAD && s.memsz)
			base = MIN(base, (u32)s.paddr);
	}
	return add_copy(b, MB2_INFO_LOAD_BASE, &base, sizeof(base));
}

static int fill_info(struct mb2 *b)
{
	static int (*const parts[])(struct mb2 * b) = {
		add_strings,  add_modules, add_memory,
		add_sections, add_acpi,    add_base,
	};
	struct mb2_info info = { 0 };
	u32 start, end;
	int err = multiboot_room(&b->common, sizeof(info), MB2_ALIGN, &start);

	for (size_t i = 0; i < ARRAY_SIZE(parts) && !err; i++)
		err = parts[i](b);
	if (!err)
		err = add_tag(b, MB2_INFO_END, sizeof(struct mb2_info_head),
			      &end);
	info.total_size = b->common.used;
	memcpy(b->common.info + start, &info, sizeof(info));
	return err;
}

int multiboot2_load(struct vm *vm, const struct image *kernel,
		    const struct image *initrd)
{
	struct mb2 b = {
		.common = { .vm = vm, .kernel = kernel, .initrd = initrd }
	};
	int err = check_header(&b);

	if (!err)
		err = multiboot_place(&b.common);
	if (err)
		return err;
	return multiboot_start(&b.common, fill_info(&b), MB2_BOOT_MAGIC);
}
