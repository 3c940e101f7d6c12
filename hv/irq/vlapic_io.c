/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * vLAPIC registers as the guest reaches them: the xAPIC page (SDM 3A 11.4.1)
 * and the x2APIC MSRs (11.12.1.2). Both go through one table, indexed by offset
 * / 16. In x2APIC mode reserved bits and registers raise #GP; on the xAPIC page
 * reserved bits are dropped and reserved registers set the ESR. Called by exits
 * of the MSRs and the page; home core, no locks.
 */
#include "hv/irq/vlapic.h"

#include "arch/x86/cpu/nospec.h"
#include "hv/irq/vlapic_priv.h"
#include "lib/bytes.h"
#include "lib/errno.h"

enum lapic_access {
	LA_R = 1 << 0, /* xAPIC page */
	LA_W = 1 << 1,
	LA_XR = 1 << 2, /* x2APIC MSR */
	LA_XW = 1 << 3,
	LA_RW = LA_R | LA_W | LA_XR | LA_XW,
	LA_RO = LA_R | LA_XR,
	LA_WO = LA_W | LA_XW,
};

struct lapic_row {
	u8 access; /* enum lapic_access */
	u32 valid; /* bits that may be written */
	u32 (*read)(struct vlapic *l, u32 offset); /* NULL: from the page */
	void (*write)(struct vlapic *l, u32 offset, u32 value);
};

static u32 read_merged(struct vlapic *l, u32 offset)
{
	vlapic_merge_posted(l);
	return vlapic_reg(l, offset);
}

static u32 read_isr(struct vlapic *l, u32 offset)
{
	if (l->pv_given)
		vlapic_pv_take(l);
	return vlapic_reg(l, offset);
}

static u32 read_ppr(struct vlapic *l, u32 offset)
{
	if (l->pv_given)
		vlapic_pv_take(l);
	return vlapic_ppr(l);
}

static u32 read_current(struct vlapic *l, u32 offset)
{
	return vlapic_timer_current(l);
}

static void write_tpr(struct vlapic *l, u32 offset, u32 value)
{
	vlapic_reg_set(l, offset, value);
	vcpu_dirty(l->vcpu, RG_CONTROL);
	if (l->irr_words)
		vlapic_notice(l);
}

static void write_eoi(struct vlapic *l, u32 offset, u32 value)
{
	vlapic_eoi(l);
}

static void write_plain(struct vlapic *l, u32 offset, u32 value)
{
	vlapic_reg_set(l, offset, value);
}

static void write_ldr(struct vlapic *l, u32 offset, u32 value)
{
	vlapic_reg_set(l, offset, value);
	vlapic_dest_changed(l);
}

static void write_dfr(struct vlapic *l, u32 offset, u32 value)
{
	vlapic_reg_set(l, offset, value | 0x0fffffffu);
	vlapic_dest_changed(l);
}

/* Software disable masks every LVT entry (SDM 3A 11.4.7.2 *Local APIC State
 * After It Has Been Software Disabled*) */
static void write_svr(struct vlapic *l, u32 offset, u32 value)
{
	u32 reg;

	vlapic_reg_set(l, offset, value);
	vlapic_dest_changed(l);
	if (value & APIC_SVR_ENABLE)
		return;
	for (reg = APIC_LVT_TIMER; reg <= APIC_LVT_ERROR; reg += 0x10)
		vlapic_reg_set(l, reg, vlapic_reg(l, reg) | APIC_LVT_MASKED);
}

static void write_esr(struct vlapic *l, u32 offset, u32 value)
{
	vlapic_reg_set(l, offset, l->esr_pending);
	l->esr_pending = 0;
}

static void write_icr(struct vlapic *l, u32 offset, u32 value)
{
	u32 dest = vlapic_reg(l, APIC_ICR_HIGH) >> 24;

	vlapic_reg_set(l, offset, value);
	/* Everybody, though there may be a vCPU with that id in x2APIC mode */
	if (dest == XAPIC_BROADCAST)
		dest = X2APIC_BROADCAST;
	vlapic_icr_write(l, value, dest);
}

static void write_self(struct vlapic *l, u32 offset, u32 value)
{
	vlapic_self_ipi(l, (u8)value);
}

static void write_lvt(struct vlapic *l, u32 offset, u32 value)
{
	u32 old = vlapic_reg(l, offset);
	const u32 read_only = APIC_LVT_STATUS | APIC_LVT_REMOTE_IRR;

	value &= ~read_only;
	if (!vlapic_sw_enabled(l))
		value |= APIC_LVT_MASKED;
	vlapic_reg_set(l, offset, value);
	if (offset == APIC_LVT_TIMER)
		vlapic_timer_lvt(l, old, value);
}

static void write_initial(struct vlapic *l, u32 offset, u32 value)
{
	vlapic_timer_initial(l, value);
}

static void write_divide(struct vlapic *l, u32 offset, u32 value)
{
	vlapic_timer_divide(l, value);
}

#define LVT_COMMON (APIC_LVT_VECTOR | APIC_LVT_STATUS | APIC_LVT_MASKED)
#define LVT_MODES  (LVT_COMMON | APIC_DM_MASK)
#define LVT_LINTS                                                              \
	(LVT_MODES | APIC_LVT_POLARITY | APIC_LVT_REMOTE_IRR | APIC_LVT_TRIGGER)
#define LAPIC_ROW_COUNT    (APIC_PAGE_BYTES / 16)
#define LAPIC_ROW(offset)  [(offset) / 16]
#define LAPIC_ROWS(offset) [(offset) / 16 ...(offset) / 16 + VLAPIC_WORDS - 1]

/* clang-format off */
static const struct lapic_row rows[LAPIC_ROW_COUNT] = {
	LAPIC_ROW(APIC_ID)      = { LA_RO, 0, NULL, NULL },
	LAPIC_ROW(APIC_VERSION) = { LA_RO, 0, NULL, NULL },
	LAPIC_ROW(APIC_TPR)     = { LA_RW, 0xff, NULL, write_tpr },
	LAPIC_ROW(APIC_PPR)     = { LA_RO, 0, read_ppr, NULL },
	LAPIC_ROW(APIC_EOI)     = { LA_WO, 0, NULL, write_eoi },
	LAPIC_ROW(APIC_LDR)     = { LA_R | LA_W | LA_XR, 0xff000000, NULL,
			      write_ldr },
	LAPIC_ROW(APIC_DFR)     = { LA_R | LA_W, ~0u, NULL, write_dfr },
	LAPIC_ROW(APIC_SVR)     = { LA_RW, APIC_SVR_ENABLE | APIC_SVR_FOCUS_OFF | 0xff,
			      NULL, write_svr },
	LAPIC_ROWS(APIC_ISR)    = { LA_RO, 0, read_isr, NULL },
	LAPIC_ROWS(APIC_TMR)    = { LA_RO, 0, read_merged, NULL },
	LAPIC_ROWS(APIC_IRR)    = { LA_RO, 0, read_merged, NULL },
	LAPIC_ROW(APIC_ESR)     = { LA_RW, 0, NULL, write_esr },
	LAPIC_ROW(APIC_ICR_LOW)     = { LA_RW, APIC_ICR_VALID, NULL, write_icr },
	LAPIC_ROW(APIC_ICR_HIGH)    = { LA_R | LA_W, 0xff000000, NULL, write_plain },
	LAPIC_ROW(APIC_LVT_TIMER)    = { LA_RW, LVT_COMMON | APIC_LVT_TIMER_MODE, NULL,
			      write_lvt },
	LAPIC_ROW(APIC_LVT_THERMAL) = { LA_RW, LVT_MODES, NULL, write_lvt },
	LAPIC_ROW(APIC_LVT_PMC)   = { LA_RW, LVT_MODES, NULL, write_lvt },
	LAPIC_ROW(APIC_LVT_LINT0)    = { LA_RW, LVT_LINTS, NULL, write_lvt },
	LAPIC_ROW(APIC_LVT_LINT1)    = { LA_RW, LVT_LINTS, NULL, write_lvt },
	LAPIC_ROW(APIC_LVT_ERROR)  = { LA_RW, LVT_COMMON, NULL, write_lvt },
	LAPIC_ROW(APIC_TIMER_ICT)   = { LA_RW, ~0u, NULL, write_initial },
	LAPIC_ROW(APIC_TIMER_CCT)   = { LA_RO, 0, read_current, NULL },
	LAPIC_ROW(APIC_TIMER_DCR)    = { LA_RW, 0xb, NULL, write_divide },
	LAPIC_ROW(APIC_SELF_IPI)    = { LA_XW, 0xff, NULL, write_self },
};
/* clang-format on */

/* The row of a register; the guest chooses @offset */
static const struct lapic_row *row_of(u32 offset)
{
	return &rows[index_nospec(offset / 16, LAPIC_ROW_COUNT)];
}

static u32 row_read(struct vlapic *l, u32 offset)
{
	const struct lapic_row *row = row_of(offset);

	return row->read ? row->read(l, offset) : vlapic_reg(l, offset);
}

int vlapic_msr_read(struct vcpu *v, u32 msr, u64 *value)
{
	u32 offset = (msr - MSR_X2APIC_FIRST) * 16;
	struct vlapic *l = v->vlapic;

	if (!vlapic_is_x2apic(v) || offset >= APIC_PAGE_BYTES ||
	    !(row_of(offset)->access & LA_XR))
		return -EINVAL;
	*value = row_read(l, offset);
	if (offset == APIC_ICR_LOW)
		*value |= (u64)vlapic_reg(l, APIC_ICR_HIGH) << 32;
	return 0;
}

/* In x2APIC mode the ICR is one 64-bit register (SDM 3A 11.12.9) */
static int x2apic_icr_write(struct vlapic *l, u64 value)
{
	u32 low = (u32)value, dest = (u32)(value >> 32);

	if (low & ~(u32)(APIC_ICR_VALID | APIC_ICR_STATUS))
		return -EINVAL;
	low &= APIC_ICR_VALID;
	vlapic_reg_set(l, APIC_ICR_LOW, low);
	vlapic_reg_set(l, APIC_ICR_HIGH, dest);
	vlapic_icr_write(l, low, dest);
	return 0;
}

int vlapic_msr_write(struct vcpu *v, u32 msr, u64 value)
{
	u32 offset = (msr - MSR_X2APIC_FIRST) * 16;
	struct vlapic *l = v->vlapic;
	const struct lapic_row *row;

	if (unlikely(!vlapic_is_x2apic(v) || offset >= APIC_PAGE_BYTES))
		return -EINVAL;
	if (offset == APIC_ICR_LOW)
		return x2apic_icr_write(l, value);
	row = row_of(offset);
	if (!(row->access & LA_XW) || value & ~(u64)row->valid)
		return -EINVAL;
	row->write(l, offset, (u32)value);
	return 0;
}

static bool page_shown(const struct vcpu *v)
{
	return vlapic_hw_enabled(v) && !vlapic_is_x2apic(v);
}

u64 vlapic_mmio_read(struct vcpu *v, void *dev, u64 offset, u8 size)
{
	struct vlapic *l = v->vlapic;
	u32 reg = (u32)offset & ~0xfu, skip = (u32)offset & 0xfu;

	if (!page_shown(v))
		return ~0ull;
	/* Of each register's 16 bytes the first four exist; a read may take a
	 * part of them */
	if (offset >= APIC_PAGE_BYTES || skip + size > 4)
		return 0;
	if (!(row_of(reg)->access & LA_R)) {
		vlapic_error(l, APIC_ESR_REG_ILLEGAL);
		return 0;
	}
	return row_read(l, reg) >> (skip * 8) & ones_of(size);
}

void vlapic_mmio_write(struct vcpu *v, void *dev, u64 offset, u8 size,
		       u64 value)
{
	struct vlapic *l = v->vlapic;
	u32 reg = (u32)offset;
	const struct lapic_row *row;

	/* Registers take aligned 32-bit writes only (SDM 3A 11.4.1) */
	if (!page_shown(v) || offset >= APIC_PAGE_BYTES || reg & 0xf ||
	    size != 4)
		return;
	row = row_of(reg);
	if (!(row->access & LA_W)) {
		vlapic_error(l, APIC_ESR_REG_ILLEGAL);
		return;
	}
	row->write(l, reg, (u32)value & row->valid);
}
