/* SOURCES: hv/emulate/emulate.c hv/emulate/alu.c hv/emulate/bits.c hv/emulate/mem.c hv/emulate/operand.c hv/emulate/ops.c hv/emulate/segment.c hv/emulate/stack.c hv/emulate/string.c hv/emulate/system.c hv/emulate/vector.c hv/emulate/vector_table.c hv/emulate/by_stub.c hv/emulate/x87.c hv/emulate/legacy.c hv/emulate/verify.c hv/emulate/fxsave.c hv/emulate/xsave.c hv/emulate/stage.c hv/emulate/task_memory.c hv/emulate/insn.c hv/emulate/insn_modrm.c hv/emulate/insn_vex.c hv/core/gmem.c hv/core/walk.c hv/core/bus.c lib/printf.c lib/string.c hv/core/slots.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Instructions on device memory and string I/O. Each operation on memory is
 * also run by the CPU this test runs on, and must leave the same registers,
 * flags and memory; test_emulate_cpu.c does so for all of them. Over 400
 * lines: one small guest serves every instruction.
 */
#include <sys/mman.h>
#include <unistd.h>

#include "hv/core/piece.h"
#include "tests/unit/fakes/log.h"
#include "tests/unit/fakes/small_guest.h"

static int setup(void **state)
{
	guest_reset();
	return 0;
}

/* ---- the same instruction on this CPU ---- */

struct hw_state {
	u64 rax, rcx, rbx, flags;
};

static void run_native(const u8 *code, struct hw_state *s, void *mem)
{
	register u64 rax __asm__("rax") = s->rax;
	register u64 rcx __asm__("rcx") = s->rcx;
	register u64 rbx __asm__("rbx") = s->rbx;
	u64 flags = s->flags;

	__asm__ volatile("sub $128, %%rsp\n\t"
			 "push %[flags]\n\t"
			 "popfq\n\t"
			 "call *%[code]\n\t"
			 "pushfq\n\t"
			 "pop %[flags]\n\t"
			 "cld\n\t"
			 "lea 128(%%rsp), %%rsp"
			 : "+r"(rax), "+r"(rcx), "+r"(rbx), [flags] "+r"(flags)
			 : [code] "r"(code), "D"(mem)
			 : "memory", "cc");
	s->rax = rax;
	s->rcx = rcx;
	s->rbx = rbx;
	s->flags = flags;
}

#define LOGIC (ALL_FLAGS & ~RFLAGS_AF) /* AF is undefined */
#define ALL_FLAGS                                                              \
	(RFLAGS_CF | RFLAGS_PF | RFLAGS_AF | RFLAGS_ZF | RFLAGS_SF | RFLAGS_OF)

/* With [rdi] as the memory operand and rax, rcx, rbx as registers */
static const struct {
	const char *bytes;
	u8 len;
	u64 flags; /* defined after it */
} operations[] = {
	{ "\x00\x0f", 2, ALL_FLAGS }, /* add [rdi], cl */
	{ "\x66\x01\x0f", 3, ALL_FLAGS },
	{ "\x01\x0f", 2, ALL_FLAGS },
	{ "\x48\x01\x0f", 3, ALL_FLAGS },
	{ "\x00\x2f", 2, ALL_FLAGS }, /* add [rdi], ch */
	{ "\x02\x0f", 2, ALL_FLAGS }, /* add cl, [rdi] */
	{ "\x48\x03\x0f", 3, ALL_FLAGS },
	{ "\x11\x0f", 2, ALL_FLAGS }, /* adc */
	{ "\x48\x13\x0f", 3, ALL_FLAGS },
	{ "\x18\x0f", 2, ALL_FLAGS }, /* sbb */
	{ "\x19\x0f", 2, ALL_FLAGS },
	{ "\x48\x1b\x0f", 3, ALL_FLAGS },
	{ "\x28\x0f", 2, ALL_FLAGS }, /* sub */
	{ "\x66\x29\x0f", 3, ALL_FLAGS },
	{ "\x48\x2b\x0f", 3, ALL_FLAGS },
	{ "\x39\x0f", 2, ALL_FLAGS }, /* cmp */
	{ "\x3a\x0f", 2, ALL_FLAGS },
	{ "\x09\x0f", 2, LOGIC },     /* or */
	{ "\x21\x0f", 2, LOGIC },     /* and */
	{ "\x48\x31\x0f", 3, LOGIC }, /* xor */
	{ "\x0a\x2f", 2, LOGIC },     /* or ch, [rdi] */
	{ "\x85\x0f", 2, LOGIC },     /* test */
	{ "\x84\x0f", 2, LOGIC },
	{ "\x80\x07\x81", 3, ALL_FLAGS },     /* add byte, imm8 */
	{ "\x83\x17\x81", 3, ALL_FLAGS },     /* adc dword, imm8 */
	{ "\x48\x83\x3f\x81", 4, ALL_FLAGS }, /* cmp qword, imm8 */
	{ "\x81\x2f\x78\x56\x34\x92", 6, ALL_FLAGS },
	{ "\x48\x81\x2f\x78\x56\x34\x92", 7, ALL_FLAGS },
	{ "\x66\x81\x37\x34\x92", 5, LOGIC },
	{ "\xf6\x07\x83", 3, LOGIC }, /* test byte, imm8 */
	{ "\xf7\x07\x78\x56\x34\x92", 6, LOGIC },
	{ "\xf6\x17", 2, ALL_FLAGS }, /* not */
	{ "\x48\xf7\x17", 3, ALL_FLAGS },
	{ "\xf6\x1f", 2, ALL_FLAGS }, /* neg */
	{ "\x48\xf7\x1f", 3, ALL_FLAGS },
	{ "\xfe\x07", 2, ALL_FLAGS }, /* inc */
	{ "\x48\xff\x07", 3, ALL_FLAGS },
	{ "\xfe\x0f", 2, ALL_FLAGS }, /* dec */
	{ "\x66\xff\x0f", 3, ALL_FLAGS },
	{ "\x87\x0f", 2, ALL_FLAGS }, /* xchg */
	{ "\x86\x2f", 2, ALL_FLAGS },
	{ "\x0f\xc1\x0f", 3, ALL_FLAGS }, /* xadd */
	{ "\x0f\xc0\x0f", 3, ALL_FLAGS },
	{ "\x0f\xb1\x0f", 3, ALL_FLAGS }, /* cmpxchg */
	{ "\x48\x0f\xb1\x0f", 4, ALL_FLAGS },
	{ "\x0f\xb0\x0f", 3, ALL_FLAGS },
	{ "\x0f\xba\x27\x05", 4, RFLAGS_CF },     /* bt imm8 */
	{ "\x48\x0f\xba\x2f\x25", 5, RFLAGS_CF }, /* bts */
	{ "\x0f\xba\x37\x1f", 4, RFLAGS_CF },     /* btr */
	{ "\x66\x0f\xba\x3f\x0f", 5, RFLAGS_CF }, /* btc */
	{ "\x8b\x0f", 2, ALL_FLAGS },             /* mov */
	{ "\x66\x8b\x0f", 3, ALL_FLAGS },
	{ "\x8a\x2f", 2, ALL_FLAGS },
	{ "\x48\x8b\x0f", 3, ALL_FLAGS },
	{ "\x88\x2f", 2, ALL_FLAGS },
	{ "\x40\x88\x0f", 3, ALL_FLAGS },
	{ "\x48\x89\x0f", 3, ALL_FLAGS },
	{ "\xc6\x07\x5a", 3, ALL_FLAGS },
	{ "\x48\xc7\x07\x78\x56\x34\x92", 7, ALL_FLAGS },
	{ "\x0f\xb6\x0f", 3, ALL_FLAGS }, /* movzx */
	{ "\x48\x0f\xb7\x0f", 4, ALL_FLAGS },
	{ "\x0f\xbe\x0f", 3, ALL_FLAGS }, /* movsx */
	{ "\x66\x0f\xbe\x0f", 4, ALL_FLAGS },
	{ "\x48\x0f\xbf\x0f", 4, ALL_FLAGS },
	{ "\x48\x63\x0f", 3, ALL_FLAGS },     /* movsxd */
	{ "\x0f\xc3\x0f", 3, ALL_FLAGS },     /* movnti */
	{ "\x0f\x38\xf0\x0f", 4, ALL_FLAGS }, /* movbe */
	{ "\x48\x0f\x38\xf1\x0f", 5, ALL_FLAGS },
	{ "\x66\x0f\x38\xf0\x0f", 5, ALL_FLAGS },
};

static u64 random64(void)
{
	u64 v = (u64)random() << 42 ^ (u64)random() << 21 ^ (u64)random();

	/* Corners more often than chance gives them */
	switch (random() % 6) {
	case 0:
		return 0;
	case 1:
		return ~0ull;
	case 2:
		return 0x8080808080808080ull;
	case 3:
		return 0x7f7f7f7f7f7f7f7full;
	default:
		return v;
	}
}

static void compare_one(u32 n, u8 *page)
{
	u64 at = 0x100 + 8 * (n % 16);
	struct hw_state hw;
	u8 memory[16];
	u64 value = random64();

	hw.rax = random() % 2 ? value : random64();
	hw.rcx = random64();
	hw.rbx = random64();
	hw.flags = RFLAGS_FIXED | RFLAGS_IF | ((u64)random() & ALL_FLAGS);
	memset(memory, 0x33, sizeof(memory));
	memcpy(memory, &value, 8);
	memcpy(device + at, memory, sizeof(memory));
	r->gpr[GPR_RAX] = hw.rax;
	r->gpr[GPR_RCX] = hw.rcx;
	r->gpr[GPR_RBX] = hw.rbx;
	r->gpr[GPR_RDI] = DEVICE + at;
	r->rflags = hw.flags;

	memcpy(page, operations[n].bytes, operations[n].len);
	page[operations[n].len] = 0xc3;
	run_native(page, &hw, memory);
	assert_int_equal(mmio(operations[n].bytes, operations[n].len,
			      DEVICE + at, ACCESS_R),
			 VERDICT_ADVANCE);
	assert_int_equal(e->insn_len, operations[n].len);
	if (memcmp(device + at, memory, sizeof(memory)) ||
	    r->gpr[GPR_RAX] != hw.rax || r->gpr[GPR_RCX] != hw.rcx ||
	    ((r->rflags ^ hw.flags) & operations[n].flags))
		fail_msg("operation %u: flags %llx, the CPU has %llx", n,
			 r->rflags, hw.flags);
	assert_int_equal(r->gpr[GPR_RBX], hw.rbx);
}

static void test_like_the_cpu(void **state)
{
	u8 *page = mmap(NULL, PAGE_SIZE, PROT_READ | PROT_WRITE | PROT_EXEC,
			MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	u32 n, i;

	if (page == MAP_FAILED)
		skip();
	srandom(7);
	for (n = 0; n < ARRAY_SIZE(operations); n++)
		for (i = 0; i < 300; i++)
			compare_one(n, page);
	munmap(page, PAGE_SIZE);
}

/* ---- operands ---- */

static void test_cmp_does_not_write(void **state)
{
	r->gpr[GPR_RDI] = DEVICE;
	assert_int_equal(mmio("\x39\x0f", 2, DEVICE, ACCESS_R),
			 VERDICT_ADVANCE);
	assert_int_equal(reads, 1);
	assert_int_equal(writes, 0);
}

static void test_bit_string(void **state)
{
	/* bts dword [rdi], ecx with bit 70: the third dword */
	r->gpr[GPR_RDI] = DEVICE + 0x40;
	r->gpr[GPR_RCX] = 70;
	assert_int_equal(mmio("\x0f\xab\x0f", 3, DEVICE + 0x48, ACCESS_W),
			 VERDICT_ADVANCE);
	assert_int_equal(device[0x48], 1 << 6);
	r->gpr[GPR_RCX] = (u64)-1; /* the bit below */
	assert_int_equal(mmio("\x0f\xab\x0f", 3, DEVICE + 0x3c, ACCESS_W),
			 VERDICT_ADVANCE);
	assert_int_equal(device[0x3f], 0x80);
}

static void test_unclaimed(void **state)
{
	r->gpr[GPR_RDI] = 0xf0000000;
	assert_int_equal(mmio("\x8b\x0f", 2, 0xf0000000, ACCESS_R),
			 VERDICT_ADVANCE);
	assert_int_equal(r->gpr[GPR_RCX], 0xffffffff);
	assert_int_equal(mmio("\x89\x0f", 2, 0xf0000000, ACCESS_W),
			 VERDICT_ADVANCE);
	assert_int_equal(reads + writes, 0);
}

static void test_across_pages(void **state)
{
	u64 value = 0x1122334455667788ull;

	/* The last three bytes are beyond the device: nobody's */
	memcpy(device + DEVICE_BYTES - 5, &value, 5);
	r->gpr[GPR_RDI] = DEVICE + DEVICE_BYTES - 5;
	assert_int_equal(
		mmio("\x48\x8b\x0f", 3, DEVICE + DEVICE_BYTES - 5, ACCESS_R),
		VERDICT_ADVANCE);
	assert_int_equal(r->gpr[GPR_RCX], 0xffffff4455667788ull);
}

static void test_fs_base(void **state)
{
	r->seg[SEG_FS].base = DEVICE;
	r->gpr[GPR_RDI] = 0x20;
	device[0x20] = 0x77;
	assert_int_equal(mmio("\x64\x8a\x0f", 3, DEVICE + 0x20, ACCESS_R),
			 VERDICT_ADVANCE);
	assert_int_equal(r->gpr[GPR_RCX], 0x77);
}

static void test_push_pop(void **state)
{
	u64 value = 0xa5a5a5a5deadbeefull;

	memcpy(device + 8, &value, 8);
	r->gpr[GPR_RDI] = DEVICE + 8;
	r->gpr[GPR_RSP] = BUFFER;
	assert_int_equal(mmio("\xff\x37", 2, DEVICE + 8, ACCESS_R),
			 VERDICT_ADVANCE);
	assert_int_equal(r->gpr[GPR_RSP], BUFFER - 8);
	assert_memory_equal(ram + BUFFER - 8, &value, 8);
	r->gpr[GPR_RDI] = DEVICE + 16;
	assert_int_equal(mmio("\x8f\x07", 2, DEVICE + 16, ACCESS_W),
			 VERDICT_ADVANCE);
	assert_int_equal(r->gpr[GPR_RSP], BUFFER);
	assert_memory_equal(device + 16, &value, 8);
	assert_true(r->dirty & RG_RSP);
}

static void test_moffs(void **state)
{
	const u8 bytes[] = { 0xa3, 0x10, 0x00, 0xe0, 0xfe, 0, 0, 0, 0 };

	r->gpr[GPR_RAX] = 0x12345678;
	assert_int_equal(mmio(bytes, sizeof(bytes), DEVICE + 0x10, ACCESS_W),
			 VERDICT_ADVANCE);
	assert_int_equal(e->insn_len, 9);
	assert_int_equal(*(u32 *)(device + 0x10), 0x12345678);
}

static void test_refused(void **state)
{
	r->gpr[GPR_RDI] = DEVICE;
	/* vaddps zmm0, zmm0, [rdi]; vgatherdps xmm0, [rdi+xmm1], xmm2;
	 * vmaskmovps; add ecx, eax */
	assert_int_equal(mmio("\x62\xf1\x7c\x48\x58\x07", 6, DEVICE, ACCESS_R),
			 VERDICT_KILL);
	assert_int_equal(mmio("\xc4\xe2\x69\x92\x04\x0f", 6, DEVICE, ACCESS_R),
			 VERDICT_KILL);
	assert_int_equal(mmio("\xc4\xe2\x69\x2c\x07", 5, DEVICE, ACCESS_R),
			 VERDICT_KILL);
	assert_int_equal(mmio("\x01\xc1", 2, DEVICE, ACCESS_R), VERDICT_KILL);
	assert_int_equal(kills, 4);
	assert_int_equal(reads + writes, 0);
}

/* The same by a process: it alone has to do with it, and the log nothing */
static void test_refused_to_a_process(void **state)
{
	fake_log_reset();
	r->seg[SEG_SS].attr |= SEG_ATTR_DPL_MASK;
	r->gpr[GPR_RSP] = DEVICE;
	/* retf */
	assert_int_equal(mmio("\xcb", 1, DEVICE, ACCESS_R), VERDICT_INJECT);
	assert_int_equal(injected, EXC_UD);
	assert_int_equal(kills + fake_log_lines + reads, 0);
}

static void test_code_gone(void **state)
{
	r->rip = 0x7ffffffff000ull; /* not mapped any more */
	e->mmio.gpa = GPA(DEVICE);
	assert_int_equal(emulate_mmio(&vcpu, e), VERDICT_INJECT);
	assert_int_equal(injected, EXC_PF);
	assert_int_equal(injected_error, PF_I);
	assert_int_equal(r->cr2, r->rip);
}

/* ---- page tables ---- */

/* A table where there is no RAM reads as ones: reserved bits */
static void test_tables_nowhere(void **state)
{
	u64 *pd = (u64 *)(ram + PD0);

	pd[1] = DEVICE | PTE_P | PTE_W | PTE_U;
	r->gpr[GPR_RDI] = PAGE_2M + 0x10;
	assert_int_equal(mmio("\x89\x0f", 2, DEVICE + 0x10, ACCESS_W),
			 VERDICT_ADVANCE); /* an exit for data has no walk */
	e->mmio.walk = true;
	assert_int_equal(emulate_mmio(&vcpu, e), VERDICT_INJECT);
	assert_int_equal(injected, EXC_PF);
	assert_int_equal(injected_error, PF_P | PF_W | PF_RSVD);
	assert_int_equal(r->cr2, PAGE_2M + 0x10);
	r->rip = PAGE_2M; /* and code there */
	assert_int_equal(emulate_mmio(&vcpu, e), VERDICT_INJECT);
	assert_int_equal(injected_error, PF_P | PF_I | PF_RSVD);
}

/* The walk marks what it used: all levels accessed, the leaf dirty */
static void test_accessed_and_dirty(void **state)
{
	u64 *pml4 = (u64 *)(ram + PML4), *pd = (u64 *)(ram + PD0);

	r->gpr[GPR_RSI] = DEVICE;
	r->gpr[GPR_RDI] = BUFFER;
	assert_int_equal(mmio("\xa4", 1, DEVICE, ACCESS_R), VERDICT_ADVANCE);
	assert_true(pml4[0] & PTE_A);
	assert_int_equal(pd[0] & (PTE_A | PTE_D), PTE_A | PTE_D);
	assert_int_equal(pd[DEVICE / PAGE_2M] & (PTE_A | PTE_D), PTE_A);
}

/* A thread of a program turns the load that made the exit into a store, on a
 * page that the program may only read */
static void test_load_becomes_store(void **state)
{
	u64 *pd = (u64 *)(ram + PD0);

	pd[DEVICE / PAGE_2M] &= ~(u64)PTE_W;
	r->seg[SEG_SS].attr |= 3u << 5;
	r->gpr[GPR_RDI] = DEVICE;
	assert_int_equal(mmio("\x89\x0f", 2, DEVICE, ACCESS_R), VERDICT_INJECT);
	assert_int_equal(injected_error, PF_P | PF_W | PF_U);
	assert_int_equal(writes, 0);
}

static void test_protection_key(void **state)
{
	u64 *pd = (u64 *)(ram + PD0);

	r->cr4 |= CR4_PKE;
	pd[0] |= 5ull << 59;
	pkru = 2u << 10; /* no writes by key 5 */
	r->gpr[GPR_RSI] = DEVICE;
	r->gpr[GPR_RDI] = BUFFER;
	assert_int_equal(mmio("\xa4", 1, DEVICE, ACCESS_R), VERDICT_INJECT);
	assert_int_equal(injected_error, PF_P | PF_W | PF_PK);
	pkru = 1u << 10; /* no access at all: reads neither */
	r->gpr[GPR_RSI] = BUFFER;
	r->gpr[GPR_RDI] = DEVICE;
	assert_int_equal(mmio("\xa4", 1, DEVICE, ACCESS_W), VERDICT_INJECT);
	assert_int_equal(injected_error, PF_P | PF_PK);
	pkru = 0;
}

/* LOCK where there is no such form: #UD, and nothing happens */
static void test_lock(void **state)
{
	r->gpr[GPR_RDI] = DEVICE;
	assert_int_equal(mmio("\xf0\x8b\x0f", 3, DEVICE, ACCESS_R),
			 VERDICT_INJECT);
	assert_int_equal(injected, EXC_UD);
	injected = -1;
	assert_int_equal(mmio("\xf0\x39\x0f", 3, DEVICE, ACCESS_R),
			 VERDICT_INJECT);
	assert_int_equal(injected, EXC_UD);
	assert_int_equal(reads, 0);
	assert_int_equal(mmio("\xf0\x09\x0f", 3, DEVICE, ACCESS_W),
			 VERDICT_ADVANCE);
}

/* A trap between two rounds of a REP, and the end of the interrupt shadow */
static void test_rep_traps(void **state)
{
	r->rflags |= RFLAGS_TF;
	r->shadow = SHADOW_STI;
	r->gpr[GPR_RDI] = DEVICE;
	r->gpr[GPR_RCX] = 3;
	assert_int_equal(mmio("\xf3\xaa", 2, DEVICE, ACCESS_W), VERDICT_RESUME);
	assert_int_equal(r->gpr[GPR_RCX], 2);
	assert_int_equal(injected, EXC_DB);
	assert_int_equal(r->shadow, 0);
}

/* ---- strings ---- */

static void test_rep_movs(void **state)
{
	u32 i;

	for (i = 0; i < 256; i++)
		device[i] = (u8)i;
	r->gpr[GPR_RSI] = DEVICE;
	r->gpr[GPR_RDI] = BUFFER;
	r->gpr[GPR_RCX] = 40;
	assert_int_equal(mmio("\xf3\xa5", 2, DEVICE, ACCESS_R),
			 VERDICT_ADVANCE);
	assert_memory_equal(ram + BUFFER, device, 160);
	assert_int_equal(r->gpr[GPR_RCX], 0);
	assert_int_equal(r->gpr[GPR_RSI], DEVICE + 160);
	assert_int_equal(r->gpr[GPR_RDI], BUFFER + 160);
}

/* A step that takes long, as an IPI to many does: one is enough for an exit,
 * and the rest is the next one's */
static void test_rep_of_dear_steps(void **state)
{
	tsc_khz = 0; /* as short as a piece may be */
	device_step_ticks = 2 * PIECE_TICKS_MIN;
	r->gpr[GPR_RSI] = BUFFER;
	r->gpr[GPR_RDI] = DEVICE;
	r->gpr[GPR_RCX] = 3;
	for (u32 left = 2; left; left--) {
		assert_int_equal(mmio("\xf3\xa5", 2, DEVICE, ACCESS_W),
				 VERDICT_RESUME);
		assert_int_equal(r->gpr[GPR_RCX], left);
		assert_int_equal(writes, 3 - left);
	}
	assert_int_equal(mmio("\xf3\xa5", 2, DEVICE, ACCESS_W),
			 VERDICT_ADVANCE);
	assert_int_equal(r->gpr[GPR_RCX], 0);
}

static void test_rep_in_pieces(void **state)
{
	u32 calls = 0;

	r->gpr[GPR_RAX] = 0x5a;
	r->gpr[GPR_RDI] = DEVICE;
	r->gpr[GPR_RCX] = 1000;
	while (mmio("\xf3\xaa", 2, DEVICE, ACCESS_W) == VERDICT_RESUME)
		assert_true(++calls < 1000);
	assert_int_equal(r->gpr[GPR_RCX], 0);
	assert_true(calls > 2);
	assert_int_equal(device[999], 0x5a);
	assert_int_equal(device[1000], 0);
}

static void test_backwards(void **state)
{
	memcpy(device + 0x10, "abcd", 4);
	r->rflags |= RFLAGS_DF;
	r->gpr[GPR_RSI] = DEVICE + 0x13;
	r->gpr[GPR_RDI] = BUFFER + 3;
	r->gpr[GPR_RCX] = 4;
	assert_int_equal(mmio("\xf3\xa4", 2, DEVICE + 0x13, ACCESS_R),
			 VERDICT_ADVANCE);
	assert_memory_equal(ram + BUFFER, "abcd", 4);
	assert_int_equal(r->gpr[GPR_RSI], DEVICE + 0xf);
}

static void test_fault_in_the_middle(void **state)
{
	u64 *pd = (u64 *)(ram + PD0);

	/* The destination runs from a mapped large page into an absent one */
	pd[1] = 0;
	r->gpr[GPR_RSI] = DEVICE;
	r->gpr[GPR_RDI] = PAGE_2M - 8;
	r->gpr[GPR_RCX] = 4;
	assert_int_equal(mmio("\xf3\xa5", 2, DEVICE, ACCESS_R), VERDICT_INJECT);
	assert_int_equal(injected, EXC_PF);
	assert_int_equal(injected_error, PF_W);
	assert_int_equal(r->cr2, PAGE_2M);
	assert_int_equal(r->gpr[GPR_RCX], 2);
	assert_int_equal(r->gpr[GPR_RSI], DEVICE + 8);
}

static enum verdict string_io(const void *bytes, size_t len, bool in, u8 size)
{
	memset(ram + CODE, 0xcc, 16);
	memcpy(ram + CODE, bytes, len);
	e->kind = EXIT_PORT;
	e->port.port = PORT;
	e->port.in = in;
	e->port.size = size;
	e->port.string = true;
	return emulate_string_io(&vcpu, e);
}

static void test_insw(void **state)
{
	r->gpr[GPR_RDI] = BUFFER;
	r->gpr[GPR_RCX] = 3;
	assert_int_equal(string_io("\xf3\x66\x6d", 3, true, 2),
			 VERDICT_ADVANCE);
	assert_memory_equal(ram + BUFFER, "ABBCCD", 6);
	assert_int_equal(e->insn_len, 3);
}

static void test_outsb(void **state)
{
	memcpy(ram + BUFFER, "hello", 5);
	r->gpr[GPR_RSI] = BUFFER;
	r->gpr[GPR_RCX] = 5;
	assert_int_equal(string_io("\xf3\x6e", 2, false, 1), VERDICT_ADVANCE);
	assert_string_equal(port_log, "hello");
	assert_int_equal(r->gpr[GPR_RSI], BUFFER + 5);
}

static void test_string_raced(void **state)
{
	/* The guest changed the bytes behind the exit */
	assert_int_equal(string_io("\xf3\x6e", 2, true, 1), VERDICT_RESUME);
	assert_int_equal(string_io("\x6d", 1, true, 1), VERDICT_RESUME);
	assert_int_equal(port_count, 0);
}

static void test_ins_faults_before_the_port(void **state)
{
	u64 *pd = (u64 *)(ram + PD0);

	pd[1] = 0;
	r->gpr[GPR_RDI] = PAGE_2M;
	assert_int_equal(string_io("\x6c", 1, true, 1), VERDICT_INJECT);
	assert_int_equal(injected, EXC_PF);
	assert_int_equal(port_count, 0);
}

/* 32-bit code: segment limits and types */
static void test_segment_checks(void **state)
{
	r->cr0 = CR0_PE;
	r->cr4 = 0;
	r->efer = 0;
	r->seg[SEG_CS] = (struct segment){ .attr = 0xc09b, .limit = ~0u };
	r->seg[SEG_ES].limit = 0x1ffff;
	r->gpr[GPR_RDI] = BUFFER; /* past ES's limit */
	assert_int_equal(string_io("\x6c", 1, true, 1), VERDICT_INJECT);
	assert_int_equal(injected, EXC_GP);
	r->seg[SEG_ES].limit = ~0u;
	r->seg[SEG_ES].attr = 0xc091; /* read only */
	assert_int_equal(string_io("\x6c", 1, true, 1), VERDICT_INJECT);
	assert_int_equal(port_count, 0);
	r->seg[SEG_ES].attr = 0xc093;
	r->seg[SEG_ES].base = 0x10;
	assert_int_equal(string_io("\x6c", 1, true, 1), VERDICT_ADVANCE);
	assert_int_equal(ram[BUFFER + 0x10], 'A');
	r->seg[SEG_ES].attr = 0xc097; /* expand-down: above the limit */
	r->seg[SEG_ES].limit = 0x1000;
	r->gpr[GPR_RDI] = BUFFER;
	assert_int_equal(string_io("\x6c", 1, true, 1), VERDICT_ADVANCE);
	r->gpr[GPR_RDI] = 0x800;
	assert_int_equal(string_io("\x6c", 1, true, 1), VERDICT_INJECT);
}

static void test_random_code(void **state)
{
	u32 n, i;

	srandom(3);
	for (n = 0; n < 60000; n++) {
		u8 bytes[15];

		for (i = 0; i < sizeof(bytes); i++)
			bytes[i] = (u8)random();
		for (i = 0; i < GPR_COUNT; i++)
			r->gpr[i] = random() % 2
					    ? random64()
					    : BUFFER + (u64)random() % 4096;
		r->rflags = RFLAGS_FIXED | ((u64)random() & 0xcd5);
		mmio(bytes, sizeof(bytes), DEVICE + (u64)random() % PAGE_SIZE,
		     ACCESS_R);
		if (n % 1000 == 0)
			tables_init();
	}
}

#define ROM 0xffff0000ull

/* The CPU wants to set a descriptor's accessed bit, in ROM */
static void test_rom_accessed(void **state)
{
	u8 *type = ram + BUFFER + 8 + 5;

	vm.slots[vm.slot_count++] =
		(struct vm_slot){ ROM, BUFFER, PAGE_SIZE, true };
	r->gdtr = (struct segment){ .base = ROM, .limit = 15 };
	*type = 0x92;
	assert_true(emulate_rom_accessed(&vcpu, GPA(ROM + 8 + 5)));
	assert_int_equal(*type, 0x93);
	assert_false(emulate_rom_accessed(&vcpu, GPA(ROM + 8 + 5)));
	/* Behind the table's end */
	*type = 0x92;
	assert_false(emulate_rom_accessed(&vcpu, GPA(ROM + 16)));
	r->gdtr.base = ROM + PAGE_SIZE;
	assert_false(emulate_rom_accessed(&vcpu, GPA(ROM + 8 + 5)));
}

/* A table that ends with the last address there is has an end all the same */
static void test_rom_accessed_at_the_end(void **state)
{
	vm.slots[vm.slot_count++] =
		(struct vm_slot){ ROM, BUFFER, PAGE_SIZE, true };
	r->gdtr = (struct segment){ .base = 0 - KIB(64), .limit = 0xffff };
	((u64 *)(ram + PDPT))[3] = 0; /* nor is the ROM mapped elsewhere */
	alarm(10);
	assert_false(emulate_rom_accessed(&vcpu, GPA(ROM + 8)));
	r->gdtr.base += 8;
	assert_false(emulate_rom_accessed(&vcpu, GPA(ROM + 8)));
	alarm(0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_like_the_cpu, setup),
		cmocka_unit_test_setup(test_cmp_does_not_write, setup),
		cmocka_unit_test_setup(test_bit_string, setup),
		cmocka_unit_test_setup(test_unclaimed, setup),
		cmocka_unit_test_setup(test_across_pages, setup),
		cmocka_unit_test_setup(test_fs_base, setup),
		cmocka_unit_test_setup(test_push_pop, setup),
		cmocka_unit_test_setup(test_moffs, setup),
		cmocka_unit_test_setup(test_refused, setup),
		cmocka_unit_test_setup(test_refused_to_a_process, setup),
		cmocka_unit_test_setup(test_code_gone, setup),
		cmocka_unit_test_setup(test_tables_nowhere, setup),
		cmocka_unit_test_setup(test_accessed_and_dirty, setup),
		cmocka_unit_test_setup(test_load_becomes_store, setup),
		cmocka_unit_test_setup(test_protection_key, setup),
		cmocka_unit_test_setup(test_lock, setup),
		cmocka_unit_test_setup(test_rep_traps, setup),
		cmocka_unit_test_setup(test_rep_movs, setup),
		cmocka_unit_test_setup(test_rep_of_dear_steps, setup),
		cmocka_unit_test_setup(test_rep_in_pieces, setup),
		cmocka_unit_test_setup(test_backwards, setup),
		cmocka_unit_test_setup(test_fault_in_the_middle, setup),
		cmocka_unit_test_setup(test_insw, setup),
		cmocka_unit_test_setup(test_outsb, setup),
		cmocka_unit_test_setup(test_string_raced, setup),
		cmocka_unit_test_setup(test_ins_faults_before_the_port, setup),
		cmocka_unit_test_setup(test_segment_checks, setup),
		cmocka_unit_test_setup(test_random_code, setup),
		cmocka_unit_test_setup(test_rom_accessed, setup),
		cmocka_unit_test_setup(test_rom_accessed_at_the_end, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
