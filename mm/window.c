/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Windows onto guest pages, see window.h. Called by guest-memory access on the
 * exit path (hv/core/{gmem,walk}.c). Everything belongs to this core; no lock.
 */
#include "mm/window.h"

#include "arch/x86/cpu/asm.h"
#include "arch/x86/cpu/features.h"
#include "include/hw/paging.h"
#include "lib/errno.h"
#include "mm/hostmap.h"
#include "mm/hostmap_pt.h"
#include "mm/pmm.h"

#define WINDOW_PTE (PTE_P | PTE_W | PTE_A | PTE_D | HOST_PTE_WB)

static_assert(WINDOW_SLOTS <= 32, "struct window_cache: bits of open");

static u64 slot_va(const struct window_cache *c, u32 slot)
{
	return c->va + slot * PAGE_SIZE;
}

int window_init_cpu(void)
{
	struct pcpu *cpu = this_cpu();
	struct window_cache *c = kmem_alloc(&pmm_self, sizeof(*c));

	if (!c)
		return -ENOMEM;
	c->va = HV_WINDOW_BASE + cpu->id * PAGE_2M;
	c->slots = hostmap_slots(c->va);
	if (!c->slots) {
		kmem_free(&pmm_self, c, sizeof(*c));
		return -ENOMEM;
	}
	c->pte_bits = WINDOW_PTE | (cpu_features.nx ? PTE_NX : 0);
	for (u32 i = 0; i < WINDOW_SLOTS; i++)
		c->tag[i] = WINDOW_EMPTY;
	cpu->windows = c;
	return 0;
}

void *window_miss(struct window_cache *c, hpa_t hpa)
{
	u64 page = hpa.v >> PAGE_SHIFT;
	u32 set = (u32)page % WINDOW_SETS;
	u8 way = c->recent[set] ^ 1;
	u32 slot = set * 2 + way;

	WRITE_ONCE(c->slots[slot], page << PAGE_SHIFT | c->pte_bits);
	/* An absent entry is not cached: only an old page needs the flush */
	if (c->tag[slot] != WINDOW_EMPTY)
		invlpg((const void *)slot_va(c, slot));
	c->tag[slot] = page;
	c->recent[set] = way;
	c->open |= 1u << slot;
	return (void *)(slot_va(c, slot) + (hpa.v & PAGE_MASK));
}

void window_flush(void)
{
	struct window_cache *c = this_cpu()->windows;

	while (c->open) {
		u32 slot = (u32)__builtin_ctz(c->open);

		c->open &= c->open - 1;
		c->tag[slot] = WINDOW_EMPTY;
		WRITE_ONCE(c->slots[slot], 0);
		invlpg((const void *)slot_va(c, slot));
	}
}
