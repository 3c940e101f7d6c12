/* SOURCES: hv/emulate/alu.c hv/emulate/bits.c hv/emulate/emulate.c hv/emulate/mem.c hv/emulate/operand.c hv/emulate/ops.c hv/emulate/segment.c hv/emulate/stack.c hv/emulate/string.c hv/emulate/system.c hv/emulate/vector.c hv/emulate/vector_table.c hv/emulate/by_stub.c hv/emulate/x87.c hv/emulate/legacy.c hv/emulate/verify.c hv/emulate/fxsave.c hv/emulate/xsave.c hv/emulate/stage.c hv/emulate/task_memory.c hv/emulate/insn.c hv/emulate/insn_modrm.c hv/emulate/insn_vex.c hv/core/gmem.c hv/core/walk.c hv/core/bus.c lib/printf.c lib/string.c hv/core/slots.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * libFuzzer target for the decoder and the emulator: any bytes at CS:RIP, with
 * any registers, segments, control registers and page tables. Whatever happens,
 * an exit costs a bounded number of device accesses and touches nothing but the
 * guest.
 */
#include "hv/emulate/insn.h"
#include "tests/unit/fakes/small_guest.h"

#define ACCESSES_MAX 1200u /* an exit: STRING_CHUNK, bytewise, both sides */

static const u8 *input;
static size_t left;

static void take(void *to, size_t size)
{
	size_t n = MIN(size, left);

	memset(to, 0, size);
	memcpy(to, input, n);
	input += n;
	left -= n;
}

static u64 take_value(void)
{
	static const u64 corners[] = { 0, ~0ull, DEVICE, BUFFER, PML4, CODE };
	u8 kind;
	u64 value;

	take(&kind, 1);
	if (kind < 0x80)
		return corners[kind % ARRAY_SIZE(corners)] + (kind >> 4);
	take(&value, 8);
	return value;
}

static void take_segments(void)
{
	u8 which;
	u32 i;

	take(&which, 1);
	for (i = 0; i < SEG_COUNT; i++)
		if (which >> i & 1) {
			take(&r->seg[i].attr, 2);
			take(&r->seg[i].limit, 4);
			r->seg[i].base = take_value();
		}
}

static void take_tables(void)
{
	u8 count;
	u16 at;

	take(&count, 1);
	for (count %= 8; count; count--) {
		take(&at, 2);
		*(u64 *)(ram + PML4 + (at & 0x5ff8)) = take_value();
	}
}

static void take_state(void)
{
	u8 mode;
	u32 i;

	take(&mode, 1);
	if (mode & 1)
		r->cr4 ^= take_value();
	if (mode & 2)
		r->efer ^= EFER_LMA | EFER_NXE;
	if (mode & 4)
		r->cr0 ^= take_value();
	if (mode & 8)
		r->cr3 = take_value();
	if (mode & 16)
		r->seg[SEG_SS].attr |= 3u << 5;
	if (mode & 32)
		r->seg[SEG_CS].attr ^= SEG_ATTR_L | SEG_ATTR_DB;
	if (mode & 64)
		take_segments();
	if (mode & 128)
		take_tables();
	for (i = 0; i < GPR_COUNT; i++)
		r->gpr[i] = take_value();
	r->rflags ^= take_value() & 0x3f7fd5;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	u8 bytes[INSN_MAX];
	enum verdict verdict;

	input = data;
	left = size;
	guest_reset();
	take(bytes, sizeof(bytes));
	memcpy(ram + CODE, bytes, sizeof(bytes));
	take_state();
	memset(e, 0, sizeof(*e));
	e->mmio.gpa = GPA(take_value());
	e->mmio.walk = left & 1;
	verdict = emulate_mmio(&vcpu, e);
	if (verdict > VERDICT_KILL || (verdict == VERDICT_KILL) != (kills == 1))
		abort();
	if (verdict == VERDICT_INJECT && injected < 0)
		abort();
	if (reads + writes > ACCESSES_MAX)
		abort();
	e->port.port = PORT;
	e->port.size = (u8)(1u << size % 3);
	e->port.in = size & 4;
	e->port.string = true;
	(void)emulate_string_io(&vcpu, e);
	return 0;
}
