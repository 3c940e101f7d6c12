/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Operands of an emulated instruction: registers, and memory that is RAM or a
 * region of the MMIO bus. An access is first resolved (all checks, may queue a
 * fault), then done (cannot fail). Called by hv/emulate/ on the home core.
 */
#include "hv/core/breakpoint.h"
#include "hv/core/bus.h"
#include "hv/core/gmem.h"
#include "hv/core/retire.h"
#include "hv/emulate/priv.h"
#include "hv/irq/vlapic.h"
#include "lib/errno.h"
#include "lib/string.h"

#define WIDE 16

static bool high_byte(const struct emu *m, u8 reg, u8 size)
{
	return size == 1 && !m->insn.rex && reg >= GPR_RSP && reg <= GPR_RDI;
}

u64 emu_reg_get(struct emu *m, u8 reg, u8 size)
{
	if (high_byte(m, reg, size))
		return m->r->gpr[reg & 3] >> 8 & 0xff;
	if (reg == GPR_RSP)
		vcpu_need(m->v, RG_RSP);
	return m->r->gpr[reg] & ones_of(size);
}

void emu_reg_set(struct emu *m, u8 reg, u8 size, u64 value)
{
	u64 *gpr = &m->r->gpr[reg];

	if (high_byte(m, reg, size)) {
		gpr = &m->r->gpr[reg & 3];
		*gpr = (*gpr & ~0xff00ull) | (value & 0xff) << 8;
		return;
	}
	if (reg == GPR_RSP) {
		vcpu_need(m->v, RG_RSP);
		vcpu_dirty(m->v, RG_RSP);
	}
	*gpr = gpr_merge(*gpr, value, size);
}

/* Effective address of the ModRM or moffs operand, cut to the address size */
static u64 effective(struct emu *m)
{
	const struct insn *i = &m->insn;
	u64 ea = (u64)i->disp;

	if (i->base != INSN_NO_REG)
		ea += emu_reg_get(m, i->base, 8);
	if (i->index != INSN_NO_REG)
		ea += m->r->gpr[i->index] * i->scale;
	if (i->rip_relative)
		ea += m->r->rip + i->len;
	return ea & ones_of(i->addr_size);
}

static u8 data_segment(const struct emu *m)
{
	const struct insn *i = &m->insn;

	if (i->seg != SEG_COUNT)
		return i->seg;
	if (i->has_modrm && (i->base == GPR_RSP || i->base == GPR_RBP))
		return SEG_SS;
	return SEG_DS;
}

void emu_flags_set(struct emu *m, u64 flags)
{
	m->r->rflags = flags;
	vcpu_dirty(m->v, RG_RIP);
}

int emu_step_over(struct emu *m)
{
	m->r->rip += m->insn.len;
	retire_wrap_rip(m->v);
	vcpu_dirty(m->v, RG_RIP);
	return EMU_AGAIN;
}

int emu_ud(struct emu *m)
{
	vcpu_inject_ud(m->v);
	return EMU_FAULT;
}

int emu_no_lock(struct emu *m)
{
	return m->insn.lock ? emu_ud(m) : EMU_OK;
}

static int seg_fault(struct emu *m, u8 seg)
{
	vcpu_inject_exception(m->v, seg == SEG_SS ? EXC_SS : EXC_GP, true, 0);
	return EMU_FAULT;
}

static int linear64(struct emu *m, u8 seg, u64 offset, u8 size, u64 *lin)
{
	*lin = offset;
	if (seg == SEG_FS || seg == SEG_GS) {
		vcpu_need(m->v, RG_SEG);
		*lin += m->r->seg[seg].base;
	}
	if (emu_is_canonical(m, *lin) && emu_is_canonical(m, *lin + size - 1))
		return EMU_OK;
	return seg_fault(m, seg);
}

static bool in_limit(const struct segment *s, u64 offset, u8 size)
{
	u64 last = offset + size - 1;
	u64 top = s->attr & SEG_ATTR_DB ? 0xffffffffull : 0xffffull;

	if ((s->attr & (SEG_ATTR_CODE | SEG_ATTR_DOWN)) == SEG_ATTR_DOWN)
		return offset > s->limit && last <= top;
	return last <= s->limit;
}

bool emu_protected(const struct emu *m)
{
	return (m->r->cr0 & CR0_PE) && !(m->r->rflags & RFLAGS_VM);
}

/* SDM 3A 5.5 *Privilege Levels* (type checks), 5.3 *Limit Checking* */
static int linear_segment(struct emu *m, u8 seg, u64 offset, u8 size, u8 access,
			  u64 *lin)
{
	const struct segment *s = &m->r->seg[seg];

	vcpu_need(m->v, RG_SEG | RG_CR | RG_RIP);
	*lin = (u32)(s->base + offset);
	if (emu_protected(m)) {
		bool code = s->attr & SEG_ATTR_CODE;
		bool flag = s->attr & SEG_ATTR_RW;

		if (s->attr & SEG_ATTR_UNUSABLE)
			return seg_fault(m, seg);
		if (access & ACCESS_W ? code || !flag : code && !flag)
			return seg_fault(m, seg);
	}
	return in_limit(s, offset, size) ? EMU_OK : seg_fault(m, seg);
}

/* SDM 3A 6.15, *Interrupt 17*: table 6-7 ends at 16 bytes */
static int check_alignment(struct emu *m, u64 lin, u8 size)
{
	const struct vcpu_regs *r = m->r;
	u64 skew = lin & (MIN(size, WIDE) - 1u);

	if (likely(!(r->rflags & RFLAGS_AC)) || !(r->cr0 & CR0_AM) ||
	    !(r->cr0 & CR0_PE) || !skew)
		return EMU_OK;
	vcpu_need(m->v, RG_SEG);
	if (vcpu_cpl(r) != CPL_USER)
		return EMU_OK;
	vcpu_inject_exception(m->v, EXC_AC, true, 0);
	return EMU_FAULT;
}

static int translate(struct emu *m, u64 lin, u8 access, gpa_t *gpa)
{
	u32 error;

	if (m->mode != INSN_64BIT)
		lin = (u32)lin;
	if (!gva_translate(m->v, GVA(lin), access, gpa, &error))
		return EMU_OK;
	vcpu_inject_pf(m->v, GVA(lin), error);
	return EMU_FAULT;
}

/* The first page's fault comes first; its dirty bit waits for the second's */
static int translate_two(struct emu *m, u64 lin, u8 access,
			 struct emu_span *span)
{
	u64 second = lin + span->first;
	int err = translate(m, lin, access | ACCESS_PROBE, &span->gpa[0]);

	if (!err)
		err = translate(m, second, access, &span->gpa[1]);
	return err ? err : translate(m, lin, access, &span->gpa[0]);
}

static int resolve_linear(struct emu *m, u64 lin, u8 size, u8 access,
			  struct emu_span *span)
{
	if (unlikely(m->r->breakpoints))
		breakpoint_data(m->v, lin, size, access);
	span->first = (u8)MIN(size, PAGE_SIZE - (lin & PAGE_MASK));
	if (unlikely(span->first < size))
		return translate_two(m, lin, access, span);
	return translate(m, lin, access, &span->gpa[0]);
}

static int linear(struct emu *m, u8 seg, u64 offset, u8 size, u8 access,
		  u64 *lin)
{
	vcpu_need(m->v, RG_CR);
	if (m->mode == INSN_64BIT)
		return linear64(m, seg, offset, size, lin);
	return linear_segment(m, seg, offset, size, access, lin);
}

int emu_resolve(struct emu *m, u8 seg, u64 offset, u8 size, u8 access,
		struct emu_span *span)
{
	u64 lin;
	int err = linear(m, seg, offset, size, access, &lin);

	if (!err)
		err = check_alignment(m, lin, size);
	return err ? err : resolve_linear(m, lin, size, access, span);
}

int emu_resolve_operand(struct emu *m, u8 size, u8 access,
			struct emu_span *span)
{
	u64 gpa = m->exit->mmio.gpa.v;
	u64 ea = effective(m);
	u8 seg = data_segment(m);

	/*
	 * The exit is for the operand's first byte: page offsets survive
	 * paging, and in 64-bit code segmentation too but for FS and GS. The
	 * CPU has made all checks, for the access that it was: the bytes may be
	 * another instruction's since. Breakpoints need the linear address.
	 */
	if (likely(m->direct && m->mode == INSN_64BIT && seg < SEG_FS &&
		   !m->r->breakpoints &&
		   !(access & ACCESS_W & ~m->exit->mmio.access) &&
		   (ea & PAGE_MASK) == (gpa & PAGE_MASK) &&
		   (gpa & PAGE_MASK) + size <= PAGE_SIZE)) {
		span->gpa[0].v = gpa;
		span->first = size;
		return EMU_OK;
	}
	return emu_resolve(m, seg, ea, size, access, span);
}

int emu_resolve_aligned(struct emu *m, u8 size, u8 access,
			struct emu_span *span)
{
	u64 ea = effective(m);
	u8 seg = data_segment(m);
	u64 lin;
	int err = linear(m, seg, ea, size, access, &lin);

	if (!err && (lin & (size - 1u))) {
		vcpu_inject_exception(m->v, EXC_GP, true, 0);
		return EMU_FAULT;
	}
	return err ? err : resolve_linear(m, lin, size, access, span);
}

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
static u64 load_at(struct emu *m, const struct emu_span *span, u8 at, u8 size)
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

static void store_at(struct emu *m, const struct emu_span *span, u8 at, u8 size,
		     u64 value)
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

void emu_load_wide(struct emu *m, const struct emu_span *span, u8 size,
		   u64 *value)
{
	for (u8 at = 0; at < size; at += 8)
		value[at / 8] = load_at(m, span, at, (u8)MIN(size - at, 8));
}

void emu_store_wide(struct emu *m, const struct emu_span *span, u8 size,
		    const u64 *value)
{
	for (u8 at = 0; at < size; at += 8)
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
 * The end or the beginning of a page, up to 7 bytes of it: the aligned eight
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
 * has one of them sees its part after the part in RAM has been exchanged; if
 * both are RAM by now, the CPU itself does it, unless it cannot.
 */
static int replace_split(struct emu *m, const struct emu_span *span, u8 size,
			 u64 old, u64 value)
{
	u8 first = span->first, rest = (u8)(size - first);
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
