/* SOURCES: hv/core/gmem.c hv/core/walk.c hv/emulate/insn.c hv/emulate/insn_modrm.c hv/emulate/insn_vex.c hv/core/bus.c hv/core/slots.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * libFuzzer target for the page walker: RAM full of anything as page tables, in
 * every paging mode. A walk answers with a fault or an address, changes no bit
 * but accessed and dirty, and a second walk says the same.
 */
#include "hv/emulate/insn.h"
#include "tests/unit/fakes/small_guest.h"

#define WALK_PAGES 4u
#define WALK_BYTES (WALK_PAGES * PAGE_SIZE)

struct request {
	u64 lin, cr0, cr3, cr4, efer, rflags;
	u8 access, cpl, phys_bits, pad;
	u32 pkru;
} __packed;

static _Alignas(8) u8 before[WALK_BYTES];

/* Entries repeat the input; addresses in them lead back into the tables */
static void tables_fill(const uint8_t *data, size_t size)
{
	u64 *entry = (u64 *)ram;
	u32 i;

	for (i = 0; i < WALK_BYTES / 8; i++) {
		memcpy(&entry[i], data + (i * 8) % (size - 7), 8);
		if (entry[i] & BIT(62))
			entry[i] &= ~(PTE_ADDR & ~(WALK_BYTES - 1));
	}
}

static void check_marks(void)
{
	u32 i;

	for (i = 0; i < WALK_BYTES; i++)
		if ((ram[i] ^ before[i]) & ~(PTE_A | PTE_D))
			abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct request q;
	gpa_t first, second;
	u32 error, again;
	int err;

	if (size < sizeof(q) + 8)
		return 0;
	guest_reset();
	memcpy(&q, data, sizeof(q));
	tables_fill(data + sizeof(q), size - sizeof(q));
	memcpy(before, ram, WALK_BYTES);
	r->cr0 = q.cr0 | CR0_PE | CR0_PG;
	r->cr3 = q.cr3 & BIT(61) ? q.cr3 : q.cr3 & (WALK_BYTES - 1);
	r->cr4 = q.cr4;
	r->efer = q.efer;
	r->rflags = q.rflags;
	r->seg[SEG_SS].attr |= (q.cpl & 3u) << 5;
	vm.phys_bits = (u8)(32 + q.phys_bits % 21);
	pkru = q.pkru;
	q.access &= ACCESS_R | ACCESS_W | ACCESS_X | ACCESS_SYSTEM;
	err = gva_translate(&vcpu, GVA(q.lin), q.access | ACCESS_PROBE, &first,
			    &error);
	if (memcmp(before, ram, WALK_BYTES))
		abort();
	if (gva_translate(&vcpu, GVA(q.lin), q.access, &second, &again) != err)
		abort();
	check_marks();
	if (err ? err != -EFAULT || error != again : first.v != second.v)
		abort();
	if (!err && (first.v >> 52 || (first.v ^ q.lin) & PAGE_MASK))
		abort();
	(void)gmem_fetch(&vcpu, before, INSN_MAX);
	return 0;
}
