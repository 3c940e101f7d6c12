/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ACPI tables for a firmware to place: two files of bytes whose pointers are
 * offsets, and a script. That says how to allocate the files, add their
 * addresses to the pointers and sum up again. Its form is QEMU's
 * (include/hw/acpi/bios-linker-loader.h) and SeaBIOS's
 * (src/fw/romfile_loader.h). Called by load_guest(). No locks.
 */
#include "hv/device/fwcfg/fwcfg.h"
#include "hv/load/acpi_tables.h"
#include "hv/load/platform.h"
#include "include/hw/fwcfg.h"
#include "lib/errno.h"
#include "lib/string.h"

#define ACPI_FILE_RSDP   "etc/acpi/rsdp"
#define ACPI_FILE_TABLES "etc/acpi/tables"
#define ACPI_FILE_SCRIPT "etc/table-loader"

#define MAX_COMMANDS (2 + ACPI_MAX_POINTERS + ACPI_MAX_SUMS)
#define SCRIPT_BYTES (MAX_COMMANDS * sizeof(struct loader_command))

#define TABLES_ALIGN 64u /* the FACS */
#define RSDP_ALIGN   16u

/* The file that byte @at of the writer's buffer goes to; @at becomes the offset
 * in it */
static const char *file_of(u32 *at)
{
	if (*at < ACPI_TABLES_AT)
		return ACPI_FILE_RSDP;
	*at -= ACPI_TABLES_AT;
	return ACPI_FILE_TABLES;
}

static void name(char *to, const char *file)
{
	str_copy(to, file, FWCFG_NAME_LEN);
}

static void allocate(struct loader_command *c, const char *file, u32 align,
		     enum loader_zone zone)
{
	c->command = LOADER_ALLOCATE;
	name(c->allocate.file, file);
	c->allocate.align = align;
	c->allocate.zone = (u8)zone;
}

static void add_pointer(struct loader_command *c, const struct acpi_pointer *p)
{
	u32 at = p->at;

	c->command = LOADER_ADD_POINTER;
	name(c->pointer.dest, file_of(&at));
	name(c->pointer.source, ACPI_FILE_TABLES);
	c->pointer.offset = at;
	c->pointer.size = p->size;
}

static void add_checksum(struct loader_command *c, const struct acpi_sum *s)
{
	u32 at = s->at, start = s->start;

	c->command = LOADER_ADD_CHECKSUM;
	name(c->checksum.file, file_of(&at));
	(void)file_of(&start);
	c->checksum.offset = at;
	c->checksum.start = start;
	c->checksum.length = s->length;
}

/* Pointers come first, as the sums are over what they became */
static u32 write_script(const struct acpi_writer *w, struct loader_command *c)
{
	u32 n = 0;

	allocate(&c[n++], ACPI_FILE_RSDP, RSDP_ALIGN, LOADER_FSEG);
	allocate(&c[n++], ACPI_FILE_TABLES, TABLES_ALIGN, LOADER_HIGH);
	for (u32 i = 0; i < w->pointer_count; i++)
		add_pointer(&c[n++], &w->pointers[i]);
	for (u32 i = 0; i < w->sum_count; i++)
		add_checksum(&c[n++], &w->sums[i]);
	return n * (u32)sizeof(*c);
}

/* A firmware adds up all of a range, the sum's byte, too: that must be 0 */
static void clear_sums(const struct acpi_writer *w)
{
	for (u32 i = 0; i < w->sum_count; i++)
		w->buf[w->sums[i].at] = 0;
}

static int publish(const struct acpi_writer *w)
{
	struct vm *vm = w->vm;
	struct loader_command *script =
		pmm_alloc_bytes(&vm->budget, SCRIPT_BYTES);
	int err;

	if (!script)
		return -ENOMEM;
	clear_sums(w);
	err = fwcfg_add_file(vm, ACPI_FILE_RSDP, w->buf,
			     sizeof(struct acpi_rsdp));
	if (!err)
		err = fwcfg_add_file(vm, ACPI_FILE_TABLES,
				     w->buf + ACPI_TABLES_AT,
				     w->used - ACPI_TABLES_AT);
	if (!err)
		err = fwcfg_add_file(vm, ACPI_FILE_SCRIPT, script,
				     write_script(w, script));
	pmm_free_bytes(&vm->budget, script, SCRIPT_BYTES);
	return err;
}

int acpi_publish(struct vm *vm)
{
	struct acpi_writer w;
	int err = acpi_writer_init(&w, vm, ACPI_IN_FILES);

	if (err)
		return err;
	acpi_write_tables(&w);
	err = acpi_writer_seal(&w);
	if (!err)
		err = publish(&w);
	acpi_writer_free(&w);
	return err;
}
