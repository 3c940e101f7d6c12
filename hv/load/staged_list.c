/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which files a dynamic guest has, and where; see staged.h. Names and places
 * are what the privileged guest said: checked whole, on a copy. No lock: the
 * guest is not loaded.
 */
#include "hv/core/pc_map.h"
#include "hv/core/slots.h"
#include "hv/load/load.h"
#include "hv/load/staged.h"
#include "lib/string.h"

/* Is [@offset, @offset + @size) memory, in a row for the guest, too? */
static bool is_memory(const struct vm *vm, u64 offset, u64 size)
{
	u64 bytes = vm_held_bytes(vm);

	return offset < bytes && size <= bytes - offset &&
	       (offset >= PC_LOW_RAM_END || offset + size <= PC_LOW_RAM_END);
}

/* The definition's word for @name; NULL: it has no such file */
static const char *named(const struct guest_config *c, const char *name)
{
	const char *own, *key;

	for (u32 i = 0; manifest_file(c, i, &own, &key); i++)
		if (own[0] && str_equal_nocase(own, name, BH_CTL_FILE_NAME))
			return own;
	return NULL;
}

static bool is_name(const char *name)
{
	for (u32 i = 1; i < BH_CTL_FILE_NAME; i++)
		if (!name[i])
			return name[0];
	return false;
}

static bool is_one_name(const char *a, const char *b)
{
	return str_equal_nocase(a, b, BH_CTL_FILE_NAME);
}

bool staged_stays(const struct guest_config *c, const char *name)
{
	if (firmware_name(c))
		return true;
	for (u32 i = 0; i < c->fwcfg_count; i++)
		if (is_one_name(c->fwcfg[i].file, name))
			return true;
	return false;
}

static u64 end_of(const struct image *f)
{
	return f->hpa + ALIGN_UP(f->size, PAGE_SIZE);
}

static bool meets(const struct image *a, const struct image *b)
{
	return a->hpa < end_of(b) && b->hpa < end_of(a);
}

static const char *note(struct vm *vm, struct staged *s,
			const struct bh_ctl_file *f)
{
	struct image *image = &s->files[s->count];
	const char *name;

	if (!is_name(f->name))
		return "a file has no name, or one without an end";
	name = named(vm->config, f->name);
	if (!name)
		return "a file is none that the definition names";
	if (!f->size || !IS_ALIGNED(f->offset, PAGE_SIZE) ||
	    f->offset < MIB(1) || !is_memory(vm, f->offset, f->size))
		return "a file is empty, or does not lie in whole pages of the "
		       "guest's memory behind its first MiB, all below 2 GiB "
		       "or all above";
	*image = (struct image){ .name = name,
				 .size = f->size,
				 .hpa = staged_gpa(f->offset) };
	for (u32 i = 0; i < s->count; i++) {
		if (meets(&s->files[i], image))
			return "two files overlap";
		if (is_one_name(s->files[i].name, name))
			return "two files have one name";
	}
	s->count++;
	return NULL;
}

/* --- what stays --- */

static u64 ram_end(const struct vm *vm, const struct staged *s)
{
	u64 end = STAGED_ALL_RAM;

	for (u32 i = 0; i < s->count; i++)
		if (staged_stays(vm->config, s->files[i].name))
			end = MIN(end, ALIGN_DOWN(s->files[i].hpa, PAGE_2M));
	return end;
}

static const char *check_stay(const struct vm *vm, const struct staged *s)
{
	const char *firmware = firmware_name(vm->config);

	if (!s->ram_end)
		return "its firmware and fw_cfg's files leave the guest no "
		       "memory; give it more";
	for (u32 i = 0; i < s->count; i++) {
		const struct image *f = &s->files[i];

		if (firmware && is_one_name(f->name, firmware) &&
		    !pc_is_firmware_size(f->size))
			return "its firmware is no image: the size must be a "
			       "multiple of 4 KiB from 64 KiB to 16 MiB; name "
			       "another file";
		if (f->hpa < s->ram_end && end_of(f) > s->ram_end)
			return "a file lies on both sides of the 2 MiB where "
			       "firmware and fw_cfg's files begin";
	}
	return NULL;
}

const char *staged_note(struct vm *vm, struct staged *s,
			const struct bh_ctl_file *list, u32 count)
{
	const char *why = NULL;

	if (count > STAGED_MAX)
		return "there are more files than a definition can name";
	memset(s, 0, sizeof(*s));
	for (u32 i = 0; i < count && !why; i++)
		why = note(vm, s, &list[i]);
	s->ram_end = ram_end(vm, s);
	if (!why)
		why = check_stay(vm, s);
	if (why)
		s->count = 0;
	return why;
}
