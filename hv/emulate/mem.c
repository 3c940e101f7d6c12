/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory operands of an emulated instruction, once hv/emulate/operand.c has
 * resolved them: RAM, or a region of the MMIO bus, in one page or two. Loads
 * and stores cannot fail; a replacement may have to be tried again. Called by
 * hv/emulate/ on the home core.
 */
#include "hv/core/bus.h"
#include "hv/core/gmem.h"
#include "hv/emulate/priv.h"
#include "hv/irq/vlapic.h"
#include "lib/errno.h"
#include "lib/string.h"

#define WIDE 16 /* bytes of CMPXCHG16B */

/* Operands of a guest may lie anywhere */
typedef volatile u16 any_u16 __aligned(1);
typedef volatile u32 any_u32 __aligned(1);
typedef volatile u64 any_u64 __aligned(1);

/* In one piece where the CPU would do it in one: other vCPUs look on */
static u64 ram_load(const void *ram, u8 size)
{
	u64 value = 0;

	switch (size) {
	case 2:
		return *(const any_u16 *)ram;
	case 4:
		return *(const any_u32 *)ram;
	case 8:
		return *(const any_u64 *)ram;
	default:
		memcpy(&value, ram, size);
		return value;
	}
}

static void ram_store(void *ram, u8 size, u64 value)
{
	switch (size) {
	case 2:
		*(any_u16 *)ram = (u16)value;
		break;
	case 4:
		*(any_u32 *)ram = (u32)value;
		break;
	case 8:
		*(any_u64 *)ram = value;
		break;
	default:
		memcpy(ram, &value, size);
		break;
	}
}

static u64 load_part(struct emu *m, gpa_t gpa, u8 size)
{
	const struct bus *bus = &m->v->vm->mmio;
	const void *ram = gmem_map_read(m->v->vm, gpa);
	u64 value = 0;
	u8 i;

	if (ram)
		return ram_load(ram, size);
	gpa.v = vlapic_bus_gpa(m->v, gpa.v);
	if ((size & (size - 1)) == 0)
		return bus_read(bus, m->v, gpa.v, size);
	for (i = 0; i < size; i++)
		value |= (bus_read(bus, m->v, gpa.v + i, 1) & 0xff) << (8 * i);
	return value;
}

/* What goes to a ROM finds no device on the bus either: it is lost */
static void store_part(struct emu *m, gpa_t gpa, u8 size, u64 value)
{
	const struct bus *bus = &m->v->vm->mmio;
	void *ram = gmem_map(m->v->vm, gpa);
	u8 i;

	if (ram) {
		ram_store(ram, size, value);
		return;
	}
	gpa.v = vlapic_bus_gpa(m->v, gpa.v);
	if ((size & (size - 1)) == 0) {
		bus_write(bus, m->v, gpa.v, size, value & ones_of(size));
		return;
	}
	for (i = 0; i < size; i++)
		bus_write(bus, m->v, gpa.v + i, 1, value >> (8 * i) & 0xff);
}

/* Bytes [@at, @at + @size) of a span; up to 8 */
static u64 load_at(struct emu *m, const struct emu_span *span, u16 at, u8 size)
{
	u8 here = at < span->first ? (u8)MIN(size, span->first - at) : 0;
	u64 value = 0;

	if (here)
		value = load_part(m, GPA(span->gpa[0].v + at), here);
	if (unlikely(here < size)) {
		gpa_t rest = GPA(span->gpa[1].v + at + here - span->first);

		value |= load_part(m, rest, (u8)(size - here)) << (8 * here);
	}
	return value & ones_of(size);
}

static void store_at(struct emu *m, const struct emu_span *span, u16 at,
		     u8 size, u64 value)
{
	u8 here = at < span->first ? (u8)MIN(size, span->first - at) : 0;

	if (here)
		store_part(m, GPA(span->gpa[0].v + at), here, value);
	if (unlikely(here < size)) {
		gpa_t rest = GPA(span->gpa[1].v + at + here - span->first);

		store_part(m, rest, (u8)(size - here), value >> (8 * here));
	}
}

u64 emu_load(struct emu *m, const struct emu_span *span, u8 size)
{
	return load_at(m, span, 0, size);
}

void emu_store(struct emu *m, const struct emu_span *span, u8 size, u64 value)
{
	store_at(m, span, 0, size, value);
}

void emu_load_piece(struct emu *m, const struct emu_span *span, u16 at,
		    u16 size, u64 *value)
{
	for (u16 i = 0; i < size; i += 8)
		*value++ =
			load_at(m, span, (u16)(at + i), (u8)MIN(size - i, 8));
}

void emu_store_piece(struct emu *m, const struct emu_span *span, u16 at,
		     u16 size, u64 *value)
{
	for (u16 i = 0; i < size; i += 8)
		store_at(m, span, (u16)(at + i), (u8)MIN(size - i, 8),
			 *value++);
}

void emu_load_wide(struct emu *m, const struct emu_span *span, u16 size,
		   u64 *value)
{
	for (u16 at = 0; at < size; at += 8)
		value[at / 8] = load_at(m, span, at, (u8)MIN(size - at, 8));
}

void emu_store_wide(struct emu *m, const struct emu_span *span, u16 size,
		    const u64 *value)
{
	for (u16 at = 0; at < size; at += 8)
		store_at(m, span, at, (u8)MIN(size - at, 8), value[at / 8]);
}

/* clang-format off */
#define COMPARE_EXCHANGE(suffix, reg)					\
	__asm__ volatile("lock cmpxchg" suffix " %" reg "[new], (%[ram])\n\t" \
			 "sete %[done]"					\
			 : "+a"(old), [done] "=q"(done)			\
			 : [new] "r"(value), [ram] "r"(ram)		\
			 : "cc", "memory")
/* clang-format on */

static bool compare_exchange(void *ram, u8 size, u64 old, u64 value)
{
	bool done;

	switch (size) {
	case 1:
		COMPARE_EXCHANGE("b", "b");
		break;
	case 2:
		COMPARE_EXCHANGE("w", "w");
		break;
	case 4:
		COMPARE_EXCHANGE("l", "k");
		break;
	default:
		COMPARE_EXCHANGE("q", "q");
		break;
	}
	return done;
}

/*
 * The end or the beginning of a page, up to 7 bytes of it. The aligned eight
 * bytes around them are exchanged, so that they change at once and none of
 * their neighbours' writes is lost.
 */
static int replace_edge(void *ram, u8 size, u64 old, u64 value)
{
	u64 *word = (u64 *)ALIGN_DOWN((u64)ram, sizeof(u64));
	u32 shift = 8 * ((u64)ram % sizeof(u64));
	u64 mask = ones_of(size) << shift;
	u64 now = *(volatile u64 *)word;

	if (((now >> shift) ^ old) & ones_of(size))
		return EMU_AGAIN;
	value = merge_bits(now, value << shift, mask);
	return compare_exchange(word, sizeof(u64), now, value) ? EMU_OK
							       : EMU_AGAIN;
}

/*
 * A locked operation is atomic across pages too (SDM 3A 8.1.2.2). A device that
 * has one of them sees its part after the part in RAM has been exchanged. If
 * both are RAM by now, the CPU itself does it, unless it cannot.
 */
static int replace_split(struct emu *m, const struct emu_span *span, u8 size,
			 u64 old, u64 value)
{
	u8 first = (u8)span->first, rest = (u8)(size - first);
	void *low = gmem_map(m->v->vm, span->gpa[0]);
	int err = EMU_OK;
	void *high;

	if (low && gmem_map(m->v->vm, span->gpa[1]) && !m->exit->mmio.walk)
		return EMU_AGAIN;
	low = gmem_map(m->v->vm, span->gpa[0]);
	if (low)
		err = replace_edge(low, first, old, value);
	if (err)
		return err;
	high = gmem_map(m->v->vm, span->gpa[1]);
	if (high)
		err = replace_edge(high, rest, old >> (8 * first),
				   value >> (8 * first));
	if (err)
		return err;
	if (!low)
		store_part(m, span->gpa[0], first, value & ones_of(first));
	if (!high)
		store_part(m, span->gpa[1], rest, value >> (8 * first));
	return EMU_OK;
}

int emu_replace(struct emu *m, const struct emu_span *span, u8 size, u64 old,
		u64 value)
{
	void *ram;

	if (span->first < size)
		return replace_split(m, span, size, old, value);
	ram = gmem_map(m->v->vm, span->gpa[0]);
	if (!ram) {
		emu_store(m, span, size, value);
		return EMU_OK;
	}
	return compare_exchange(ram, size, old, value) ? EMU_OK : EMU_AGAIN;
}

/* CMPXCHG16B: every CPU with VMX or SVM and long mode has it */
static bool compare_exchange_wide(void *ram, const u64 old[2],
				  const u64 value[2])
{
	u64 lo = old[0], hi = old[1];
	bool done;

	__asm__ volatile("lock cmpxchg16b %[ram]\n\tsete %[done]"
			 : [ram] "+m"(*(u64(*)[2])ram), "+a"(lo),
			   "+d"(hi), [done] "=qm"(done)
			 : "b"(value[0]), "c"(value[1])
			 : "cc", "memory");
	return done;
}

int emu_replace_wide(struct emu *m, const struct emu_span *span,
		     const u64 old[2], const u64 value[2])
{
	void *ram = NULL;

	if (span->first == WIDE)
		ram = gmem_map(m->v->vm, span->gpa[0]);
	if (!ram) {
		emu_store_wide(m, span, WIDE, value);
		return EMU_OK;
	}
	return compare_exchange_wide(ram, old, value) ? EMU_OK : EMU_AGAIN;
}
