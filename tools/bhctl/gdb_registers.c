/* SPDX-License-Identifier: BSD-2-Clause */
/* See gdb_registers.h. The order is that of the description, which gdb takes
 * for g and G. */
#include "tools/bhctl/gdb_registers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIELD(name, bits, field)                                               \
	{                                                                      \
		name, bits, offsetof(struct bh_ctl_registers, field), 0        \
	}
/* What a debugger may change of it: BH_CTL_OP_SET_REGISTERS */
#define OWN(name, bits, field)                                                 \
	{                                                                      \
		name, bits, offsetof(struct bh_ctl_registers, field), 1        \
	}
#define NONE 0xffff
#define FPU(name, bits)                                                        \
	{                                                                      \
		name, bits, NONE, 0                                            \
	}
#define RESERVED_ROW 24 /* behind it: the FPU's */

/* clang-format off */
static const struct row {
	const char *name;
	u16 bits, at;
	bool own;
} rows[] = {
	OWN("rax", 64, gpr[0]), OWN("rbx", 64, gpr[3]),
	OWN("rcx", 64, gpr[1]), OWN("rdx", 64, gpr[2]),
	OWN("rsi", 64, gpr[6]), OWN("rdi", 64, gpr[7]),
	OWN("rbp", 64, gpr[5]), OWN("rsp", 64, gpr[4]),
	OWN("r8", 64, gpr[8]), OWN("r9", 64, gpr[9]),
	OWN("r10", 64, gpr[10]), OWN("r11", 64, gpr[11]),
	OWN("r12", 64, gpr[12]), OWN("r13", 64, gpr[13]),
	OWN("r14", 64, gpr[14]), OWN("r15", 64, gpr[15]),
	OWN("rip", 64, rip), OWN("eflags", 32, rflags),
	FIELD("cs", 32, segment[1].selector), FIELD("ss", 32, segment[2].selector),
	FIELD("ds", 32, segment[3].selector), FIELD("es", 32, segment[0].selector),
	FIELD("fs", 32, segment[4].selector), FIELD("gs", 32, segment[5].selector),
	FPU("st0", 80), FPU("st1", 80), FPU("st2", 80), FPU("st3", 80),
	FPU("st4", 80), FPU("st5", 80), FPU("st6", 80), FPU("st7", 80),
	FPU("fctrl", 32), FPU("fstat", 32), FPU("ftag", 32), FPU("fiseg", 32),
	FPU("fioff", 32), FPU("foseg", 32), FPU("fooff", 32), FPU("fop", 32),
	OWN("fs_base", 64, segment[4].base), OWN("gs_base", 64, segment[5].base),
	FIELD("cr0", 64, cr0), FIELD("cr2", 64, cr2), FIELD("cr3", 64, cr3),
	FIELD("cr4", 64, cr4), FIELD("efer", 64, efer),
};
/* clang-format on */
#define SEGMENTS_ROW 40
#define SYSTEM_ROW   42

int gdb_registers_know(struct gdb *g)
{
	if (!g->known && g->target->registers(g))
		return -1;
	g->known = true;
	return 0;
}

static const char *type_of(const struct row *r)
{
	if (!strcmp(r->name, "rip"))
		return "code_ptr";
	if (!strcmp(r->name, "rsp") || !strcmp(r->name, "rbp"))
		return "data_ptr";
	if (r->bits == 80)
		return "i387_ext";
	return r->bits == 64 ? "int64" : "int32";
}

u32 gdb_registers_xml(char *xml, u32 size)
{
	static const struct {
		u32 row;
		const char *feature;
	} begins[] = {
		{ 0, "org.gnu.gdb.i386.core" },
		{ SEGMENTS_ROW, "org.gnu.gdb.i386.segments" },
		{ SYSTEM_ROW, "org.bulkhead.system" },
	};
	u32 at = (u32)snprintf(xml, size,
			       "<?xml version=\"1.0\"?>"
			       "<!DOCTYPE target SYSTEM \"gdb-target.dtd\">"
			       "<target version=\"1.0\"><architecture>"
			       "i386:x86-64</architecture>");

	for (u32 i = 0; i < ARRAY_SIZE(rows); i++) {
		for (u32 n = 0; n < ARRAY_SIZE(begins); n++)
			if (begins[n].row == i)
				at += (u32)snprintf(xml + at, size - at,
						    "%s<feature name=\"%s\">",
						    i ? "</feature>" : "",
						    begins[n].feature);
		at += (u32)snprintf(xml + at, size - at,
				    "<reg name=\"%s\" bitsize=\"%u\" "
				    "type=\"%s\" regnum=\"%u\"/>",
				    rows[i].name, rows[i].bits,
				    type_of(&rows[i]), i);
	}
	return at + (u32)snprintf(xml + at, size - at, "</feature></target>");
}

/* Bytes of the field that a row is: selectors have two, others its size */
static u32 field_bytes(const struct row *r)
{
	return r->bits == 32 && !r->own ? 2 : r->bits / 8;
}

/* As hex digits behind @out; its length */
static u32 show(const struct row *r, const struct bh_ctl_registers *regs,
		char *out)
{
	u8 bytes[10] = { 0 };
	u32 n = r->bits / 8;

	if (r->at == NONE) {
		memset(out, 'x', 2 * n);
		out[2 * n] = 0;
		return 2 * n;
	}
	memcpy(bytes, (const u8 *)regs + r->at, field_bytes(r));
	for (u32 i = 0; i < n; i++)
		sprintf(out + 2 * i, "%02x", bytes[i]);
	return 2 * n;
}

/* From hex digits; what is not a debugger's to change is left. -1: they are
 * none. */
static int take(const struct row *r, struct bh_ctl_registers *regs,
		const char *hex)
{
	u8 bytes[10];
	u32 n = r->bits / 8;

	if (!r->own)
		return 0;
	for (u32 i = 0; i < n; i++) {
		char byte[3] = { hex[2 * i], hex[2 * i + 1] }, *end;

		bytes[i] = (u8)strtoul(byte, &end, 16);
		if (end != byte + 2)
			return -1;
	}
	memcpy((u8 *)regs + r->at, bytes, n);
	return 0;
}

static int take_all(struct bh_ctl_registers *regs, const char *hex)
{
	size_t len = strlen(hex), at = 0;

	for (u32 i = 0; i < ARRAY_SIZE(rows); at += rows[i++].bits / 4)
		if (at + rows[i].bits / 4 > len ||
		    take(&rows[i], regs, hex + at))
			return -1;
	return 0;
}

/* p or P: one register by its number. -1: there is none. */
static int one(struct bh_ctl_registers *regs, const char *text, char *out,
	       bool *changed)
{
	char *end;
	u64 n = strtoull(text + 1, &end, 16);

	*changed = *text == 'P';
	if (end == text + 1 || n >= ARRAY_SIZE(rows))
		return -1;
	if (!*changed) {
		show(&rows[n], regs, out);
		return 0;
	}
	if (*end != '=' || strlen(end + 1) != rows[n].bits / 4u)
		return -1;
	return take(&rows[n], regs, end + 1);
}

static int handle(struct gdb *g, const char *text, char *out, bool *changed)
{
	struct bh_ctl_registers *regs;
	u32 at = 0;

	*changed = false;
	if (gdb_registers_know(g))
		return -1;
	regs = &g->registers[g->current];
	if (*text == 'p' || *text == 'P')
		return one(regs, text, out, changed);
	*changed = *text == 'G';
	if (*changed)
		return take_all(regs, text + 1);
	for (u32 i = 0; i < ARRAY_SIZE(rows); i++)
		at += show(&rows[i], regs, out + at);
	return 0;
}

void gdb_registers_packet(struct gdb *g, const char *text, char *out, u32 size)
{
	bool changed;
	int err = handle(g, text, out, &changed);

	if (!err && changed) {
		err = g->dead ? -1 : g->target->set_registers(g, g->current);
		snprintf(out, size, "OK");
	}
	/* What was refused is not what the vCPU has */
	if (err)
		g->known = false;
	if (err)
		snprintf(out, size, "E01");
}
