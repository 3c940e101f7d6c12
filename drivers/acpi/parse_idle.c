/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Ports whose read puts a core to sleep, as a DSDT or SSDT has them. Called by
 * acpi.c at boot.
 *
 * Nothing is evaluated. In most firmware \_CST is a package of constants, or a
 * method around one: its SystemIO registers are found by their descriptors
 * within its length (ACPI 6.4, 8.4.1.1 *_CST (C States)*, 6.4.3.7 *Generic
 * Register Descriptor*). A Processor has its P_BLK as a constant (19.6.108,
 * 8.4.1.2 *P_BLK*). What firmware fills in at run time is Intel's and AMD's
 * registers' to tell (hv/assign/idle_ports.c). No lock.
 */
#include "drivers/acpi/parse.h"

#include "lib/string.h"

#define REGISTER_BYTES  15u
#define REGISTER_TAG    0x82
#define REGISTER_LENGTH 12 /* what follows tag and length */
#define PBLK_BYTES      6
#define PKG_BYTES_MAX   4u
#define NAME_SEG_BYTES  4u
#define PROCESSOR_FIXED 6u /* id, P_BLK, its length */

struct range {
	const u8 *p;
	u32 bytes;
};

static void port_add(struct acpi_facts *f, u16 *list, u32 *count, u64 port)
{
	if (!port || port > 0xffff)
		return;
	for (u32 i = 0; i < *count; i++)
		if (list[i] == port)
			return;
	if (!acpi_list_full(f, LIST_IDLE_PORTS, *count))
		list[(*count)++] = (u16)port;
}

/* PkgLength at @at (20.2.4): the bytes that it takes, or 0; *@length counts
 * from @at and stays within the table */
static u32 package_length(const struct range *a, u32 at, u32 *length)
{
	u32 more, value;

	if (at >= a->bytes)
		return 0;
	more = a->p[at] >> 6;
	if (more >= a->bytes - at)
		return 0;
	value = a->p[at] & (more ? 0xf : 0x3f);
	for (u32 i = 1; i <= more; i++)
		value |= (u32)a->p[at + i] << (8 * i - 4);
	*length = MIN(value, a->bytes - at);
	return more + 1;
}

/* Where the object ends whose name is at @at; 0: it is only mentioned there */
static u32 object_end(const struct range *a, u32 at)
{
	u32 length = 0;

	if (at && a->p[at - 1] == AML_NAME_OP &&
	    at + NAME_SEG_BYTES < a->bytes &&
	    a->p[at + NAME_SEG_BYTES] == AML_PACKAGE_OP &&
	    package_length(a, at + NAME_SEG_BYTES + 1, &length))
		return at + NAME_SEG_BYTES + 1 + length;
	for (u32 n = 1; n <= PKG_BYTES_MAX && n < at; n++)
		if (a->p[at - n - 1] == AML_METHOD_OP &&
		    package_length(a, at - n, &length) == n && length > n)
			return at - n + length;
	return 0;
}

/* A register of eight bits in I/O space */
static u64 register_port(const u8 *p)
{
	u64 address;

	if (p[0] != REGISTER_TAG || p[1] != REGISTER_LENGTH || p[2] ||
	    p[3] != ACPI_SPACE_IO || p[4] != 8 || p[5])
		return 0;
	memcpy(&address, p + 7, sizeof(address));
	return address;
}

/* Up to @seen another _CST was looked through: in AML made for it, each has all
 * that follow within its length. Returns what is seen now. */
static u32 parse_cst(struct acpi_facts *f, const struct range *a, u32 at,
		     u32 seen)
{
	u32 end = object_end(a, at);

	for (at = MAX(at, seen); at + REGISTER_BYTES <= end; at++)
		port_add(f, f->idle_ports, &f->idle_port_count,
			 register_port(a->p + at));
	return at;
}

/* NameSeg (20.2.2) */
static bool is_name(const u8 *p)
{
	for (u32 i = 0; i < NAME_SEG_BYTES; i++)
		if (p[i] != '_' && (p[i] < 'A' || p[i] > 'Z') &&
		    (!i || p[i] < '0' || p[i] > '9'))
			return false;
	return true;
}

/* Length of the NameString at @at (20.2.2), or 0: there is none */
static u32 name_length(const struct range *a, u32 at)
{
	u32 start = at, segments = 1;

	while (at < a->bytes &&
	       (a->p[at] == AML_ROOT_CHAR || a->p[at] == AML_PARENT_CHAR))
		at++;
	if (at < a->bytes && a->p[at] == AML_DUAL_NAME) {
		segments = 2;
		at++;
	} else if (at + 1 < a->bytes && a->p[at] == AML_MULTI_NAME) {
		segments = a->p[at + 1];
		at += 2;
	}
	for (; segments; segments--, at += NAME_SEG_BYTES)
		if (at + NAME_SEG_BYTES >= a->bytes || !is_name(a->p + at))
			return 0;
	return at < a->bytes ? at - start : 0;
}

/* Behind the opcode: PkgLength, name, id, P_BLK, its length */
static void parse_processor(struct acpi_facts *f, const struct range *a, u32 at)
{
	u32 length, pblk, skip = package_length(a, at, &length);

	if (!skip)
		return;
	at += skip;
	skip = name_length(a, at);
	if (!skip || PROCESSOR_FIXED > a->bytes - at - skip)
		return;
	at += skip + 1;
	memcpy(&pblk, a->p + at, sizeof(pblk));
	if (a->p[at + sizeof(pblk)] == PBLK_BYTES && pblk <= 0xfff0)
		port_add(f, f->pblks, &f->pblk_count, pblk);
}

void acpi_parse_idle(struct acpi_facts *f, const struct acpi_header *t)
{
	const struct range a = { (const u8 *)t + sizeof(*t),
				 t->length - (u32)sizeof(*t) };
	u32 seen = 0;

	for (u32 at = 0; at + NAME_SEG_BYTES <= a.bytes; at++) {
		if (!memcmp(a.p + at, "_CST", NAME_SEG_BYTES))
			seen = parse_cst(f, &a, at, seen);
		else if (a.p[at] == AML_EXT_OP_PREFIX &&
			 a.p[at + 1] == AML_PROCESSOR_OP)
			parse_processor(f, &a, at + 2);
	}
}
