/* SPDX-License-Identifier: BSD-2-Clause */
/* See mtrr.h. Called by cpu.c at bring-up, and by those who map what is not
 * RAM for a guest. */
#include "arch/x86/machine/mtrr.h"

#include "arch/x86/cpu/asm.h"
#include "arch/x86/cpu/features.h"
#include "arch/x86/cpu/percpu.h"
#include "include/hw/cpu.h"
#include "include/hw/msr.h"
#include "lib/log.h"
#include "lib/string.h"

#define FIXED_END   MIB(1) /* fixed ranges rule below */
#define FIXED_TYPES 0x0707070707070707ull

struct mtrrs host_mtrrs;
static u32 written_cores;

static u32 var_count(const struct mtrrs *m)
{
	return (u32)(m->cap & MTRRCAP_VCNT_MASK);
}

static u64 read_one(u32 msr)
{
	u64 value;

	return rdmsr_safe(msr, &value) ? 0 : value;
}

/* AMD's bits 3 and 4 of each, which route the reads and writes of RAM, are zero
 * unless firmware forgot to hide them (APM 2 7.9.1) */
static void read_fixed(struct mtrrs *m)
{
	m->fixed[0] = read_one(MSR_MTRR_FIX64K_00000);
	for (u32 i = 0; i < 2; i++)
		m->fixed[1 + i] = read_one(MSR_MTRR_FIX16K_80000 + i);
	for (u32 i = 0; i < 8; i++)
		m->fixed[3 + i] = read_one(MSR_MTRR_FIX4K_C0000 + i);
	for (u32 i = 0; i < ARRAY_SIZE(m->fixed); i++)
		m->fixed[i] &= FIXED_TYPES;
}

static void read_all(struct mtrrs *m)
{
	u64 count;

	memset(m, 0, sizeof(*m));
	if (!cpu_features.mtrr)
		return;
	m->cap = read_one(MSR_MTRRCAP);
	count = MIN(m->cap & MTRRCAP_VCNT_MASK, MTRR_VAR_MAX);
	m->cap = (m->cap & ~MTRRCAP_VCNT_MASK) | count;
	m->def_type = read_one(MSR_MTRR_DEF_TYPE);
	for (u32 i = 0; i < 2 * count; i++)
		m->var[i] = read_one(MSR_MTRR_PHYSBASE0 + i);
	if (m->cap & MTRRCAP_FIX)
		read_fixed(m);
}

/* INIT leaves a core's registers alone (SDM 3A table 10-1), and firmware gives
 * all the same. QUIRK(tcg-7.2): INIT clears them. */
void mtrr_init_cpu(void)
{
	struct mtrrs mine;

	if (!this_cpu()->id) {
		read_all(&host_mtrrs);
		return;
	}
	read_all(&mine);
	if (!memcmp(&mine, &host_mtrrs, sizeof(mine)))
		return;
	if (mine.cap != host_mtrrs.cap) {
		log_error("mtrr", "this core's memory types are not of the "
				  "kind of core 0's, and stay as they are");
		return;
	}
	mtrr_write(&host_mtrrs);
	__atomic_fetch_add(&written_cores, 1, __ATOMIC_RELAXED);
}

void mtrr_report(void)
{
	u32 cores = __atomic_load_n(&written_cores, __ATOMIC_RELAXED);

	if (cores)
		log_debug("mtrr", "%u core%s got the memory types of core 0",
			  cores, cores == 1 ? "" : "s");
}

/* Of two ranges that overlap UC rules, and WT rules WB; what else is not
 * defined is as slow and safe as it can be */
static u8 combine(u8 a, u8 b)
{
	if (a == b)
		return a;
	if ((a == MEM_WT && b == MEM_WB) || (a == MEM_WB && b == MEM_WT))
		return MEM_WT;
	return MEM_UC;
}

/* A piece is inside a range, outside of it, or cut by it where the range's mask
 * has bits below the piece's size */
static bool variable_type(const struct mtrrs *m, u64 base, u64 size, u8 *type)
{
	bool found = false;

	for (u32 i = 0; i < var_count(m); i++) {
		u64 range = m->var[2 * i], mask = m->var[2 * i + 1];
		u8 t = (u8)(range & MTRR_DEF_TYPE_MASK);

		if (!(mask & MTRR_MASK_VALID))
			continue;
		mask &= ~PAGE_MASK;
		if ((base ^ range) & mask & ~(size - 1))
			continue;
		if (mask & (size - 1))
			return false;
		*type = found ? combine(*type, t) : t;
		found = true;
	}
	if (!found)
		*type = (u8)(m->def_type & MTRR_DEF_TYPE_MASK);
	return true;
}

/* SDM 3A table 12-9 *Address Mapping for Fixed-Range MTRRs* */
static u8 fixed_type(const struct mtrrs *m, u64 addr)
{
	u64 all;

	if (addr < 0x80000)
		all = m->fixed[0] >> (addr >> 16) * 8;
	else if (addr < 0xc0000)
		all = m->fixed[1 + (addr >> 17 & 1)] >> (addr >> 14 & 7) * 8;
	else
		all = m->fixed[3 + (addr >> 15 & 7)] >> (addr >> 12 & 7) * 8;
	return all & 7;
}

static bool fixed_types(const struct mtrrs *m, u64 base, u64 size, u8 *type)
{
	*type = fixed_type(m, base);
	for (u64 at = base; at < base + size; at += PAGE_SIZE)
		if (fixed_type(m, at) != *type)
			return false;
	return true;
}

bool mtrr_type(u64 base, u64 size, u8 *type)
{
	const struct mtrrs *m = &host_mtrrs;

	if (!(m->def_type & MTRR_DEF_E)) {
		*type = MEM_UC;
		return true;
	}
	if (base >= FIXED_END || !(m->def_type & MTRR_DEF_FE) ||
	    !(m->cap & MTRRCAP_FIX))
		return variable_type(m, base, size, type);
	return size <= FIXED_END && fixed_types(m, base, size, type);
}
