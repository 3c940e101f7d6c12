/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A hostile guest: tens of thousands of privileged operations with random
 * operands, each of which may fault. It may crash itself; the hypervisor and
 * the guests beside it may not notice. `seed=N` on the command line.
 */
#include "tests/guest/lib/guest.h"

#define ROUNDS    5000
#define CODE_LEN  24
#define OP_RET    0xc3
#define MODRM_RDI 7

static u8 code[CODE_LEN] __attribute__((aligned(64)));
static u8 buffer[8192] __attribute__((aligned(4096)));

static u64 rnd_value(void)
{
	switch (rnd() % 5) {
	case 0:
		return rnd() % 256;
	case 1:
		return 1ull << rnd() % 64;
	case 2:
		return ~0ull;
	case 3:
		return (u32)rnd();
	default:
		return rnd();
	}
}

static u32 rnd_msr(void)
{
	static const u32 bases[] = {
		0x0,        0x10,       0x1b,       0x3a,       0x48,
		0x174,      0x1a0,      0x200,      0x277,      0x2ff,
		0x400,      0x480,      0x6e0,      0x800,      0x830,
		0xc0000080, 0xc0000081, 0xc0000100, 0xc0010000, 0xc0010114,
		0x4b564d00, 0x40000000,
	};
	u32 base = bases[rnd() % ARRAY_SIZE(bases)];

	return rnd() % 8 ? base + (u32)(rnd() % 16) : (u32)rnd();
}

static void do_rdmsr(void *arg)
{
	(void)rdmsr(rnd_msr());
}

/* Not what ends the test by design: EFER, FS and GS bases, the stack's CR3 */
static void do_wrmsr(void *arg)
{
	u32 msr = rnd_msr();

	if (msr != 0xc0000080 && msr != 0xc0000101)
		wrmsr(msr, rnd_value());
}

/* All but the console, power, reset and the exit port */
static u16 rnd_port(void)
{
	for (;;) {
		u16 p = (u16)rnd();

		if (rnd() % 2)
			p &= 0xfff;
		if ((p & ~7u) != 0x3f8 && (p & ~7u) != 0x600 &&
		    (p & ~7u) != 0xcf8 && p != 0x64 && p != 0x92)
			return p;
	}
}

static void do_port(void *arg)
{
	u16 p = rnd_port();
	u32 v = (u32)rnd();

	switch (rnd() % 6) {
	case 0:
		outb(p, (u8)v);
		break;
	case 1:
		outw(p, (u16)v);
		break;
	case 2:
		outl(p, v);
		break;
	case 3:
		(void)inb(p);
		break;
	case 4:
		(void)inw(p);
		break;
	default:
		(void)inl(p);
		break;
	}
}

static void do_string_port(void *arg)
{
	u64 count = rnd() % 300;
	u64 at = (u64)buffer + rnd() % 4096;
	u16 p = rnd_port();

	if (rnd() % 8 == 0)
		at = rnd_value() | 1ull << 40; /* not this program */
	switch (rnd() % 4) {
	case 0:
		__asm__ volatile("rep insb"
				 : "+D"(at), "+c"(count)
				 : "d"(p)
				 : "memory");
		break;
	case 1:
		__asm__ volatile("rep insl"
				 : "+D"(at), "+c"(count)
				 : "d"(p)
				 : "memory");
		break;
	case 2:
		__asm__ volatile("rep outsw"
				 : "+S"(at), "+c"(count)
				 : "d"(p)
				 : "memory");
		break;
	default:
		__asm__ volatile("rep outsb"
				 : "+S"(at), "+c"(count)
				 : "d"(p)
				 : "memory");
		break;
	}
}

static u64 rnd_device(void)
{
	static const u64 bases[] = { 0xfee00000, 0xfec00000, 0xe0000000,
				     0xfed00000, 0xfffff000 };

	return bases[rnd() % ARRAY_SIZE(bases)] + rnd() % 4096;
}

/* An instruction with [rdi] as its memory operand; RET is also every byte of an
 * immediate */
static u32 build_insn(void)
{
	static const u8 one[] = { 0x88, 0x89, 0x8a, 0x8b, 0xc6, 0xc7,
				  0x00, 0x01, 0x11, 0x19, 0x21, 0x29,
				  0x31, 0x39, 0x0a, 0x23, 0x3b, 0x80,
				  0x81, 0x83, 0x84, 0x85, 0x86, 0x87,
				  0xf6, 0xf7, 0xfe, 0xff, 0x63 };
	static const u8 two[] = { 0xb6, 0xb7, 0xbe, 0xbf, 0xc3, 0xba, 0xb0,
				  0xb1, 0xc0, 0xc1, 0xa3, 0xab, 0xb3, 0xbb };
	static const u8 regs[] = { 0, 1, 2, 3, 6 };
	u32 n = 0;

	for (u32 i = 0; i < CODE_LEN; i++)
		code[i] = OP_RET;
	if (rnd() % 4 == 0)
		code[n++] = 0x66;
	if (rnd() % 4 == 0)
		code[n++] = 0x48;
	if (rnd() % 2) {
		code[n++] = 0x0f;
		code[n] = two[rnd() % ARRAY_SIZE(two)];
	} else {
		code[n] = one[rnd() % ARRAY_SIZE(one)];
	}
	n++;
	code[n] = (u8)(regs[rnd() % ARRAY_SIZE(regs)] << 3 | MODRM_RDI);
	if (code[n - 1] == 0xba)
		code[n] |= 4 << 3;
	if (code[n - 1] >= 0xf6 || code[n - 1] == 0xc6 || code[n - 1] == 0xc7)
		code[n] &= (u8)~0x30;
	if (code[n - 1] == 0xc6 || code[n - 1] == 0xc7)
		code[n] = MODRM_RDI;
	return n;
}

static void do_mmio(void *arg)
{
	u64 at = rnd_device();
	u64 a = rnd_value(), c = rnd_value();

	build_insn();
	__asm__ volatile("call *%3"
			 : "+a"(a), "+c"(c), "+D"(at)
			 : "r"((u64)code)
			 : "rbx", "rdx", "rsi", "r8", "memory", "cc");
}

static void do_string_mmio(void *arg)
{
	u64 device = rnd_device(), count = rnd() % 600;
	u64 ram = (u64)buffer;

	if (rnd() % 2)
		__asm__ volatile("rep movsb"
				 : "+D"(device), "+S"(ram),
				   "+c"(count)::"memory");
	else
		__asm__ volatile("rep stosl"
				 : "+D"(device), "+c"(count)
				 : "a"((u32)rnd())
				 : "memory");
}

/* A bit to flip, but those QEMU's TCG lets go where a CPU raises #GP: PAE and
 * LA57 of CR4, PE of CR0 */
static u64 rnd_bit(u64 spared)
{
	u64 bit;

	do
		bit = 1ull << rnd() % 64;
	while (bit & spared);
	return bit;
}

static void do_cr(void *arg)
{
	u64 v;

	switch (rnd() % 4) {
	case 0:
		__asm__ volatile("mov %0, %%cr8" ::"r"(rnd() % 17));
		__asm__ volatile("mov %0, %%cr8" ::"r"(0ull));
		break;
	case 1:
		__asm__ volatile("mov %%cr4, %0" : "=r"(v));
		__asm__ volatile("mov %0, %%cr4" ::"r"(
			v ^ rnd_bit(1ull << 5 | 1ull << 12)));
		__asm__ volatile("mov %0, %%cr4" ::"r"(v));
		break;
	case 2:
		__asm__ volatile("mov %%cr0, %0" : "=r"(v));
		__asm__ volatile(
			"mov %0, %%cr0" ::"r"(v ^ rnd_bit(1ull << 31 | 1)));
		__asm__ volatile("mov %0, %%cr0" ::"r"(v));
		break;
	default:
		__asm__ volatile("mov %0, %%dr6" ::"r"(rnd_value()));
		break;
	}
}

static void do_special(void *arg)
{
	u32 a = (u32)rnd_value(), b, c = (u32)rnd() % 4, d = 0;
	u64 x = rnd_value();

	switch (rnd() % 8) {
	case 0:
		__asm__ volatile("xsetbv" ::"a"((u32)rnd_value()), "d"(0),
				 "c"((u32)rnd() % 2));
		break;
	case 1:
		__asm__ volatile("vmmcall"
				 : "+a"(x)
				 : "b"(rnd_value()), "c"(rnd_value()),
				   "d"(rnd_value()), "S"(rnd_value())
				 : "memory");
		break;
	case 2:
		__asm__ volatile("vmcall"
				 : "+a"(x)
				 : "b"(rnd_value()), "c"(rnd_value())
				 : "memory");
		break;
	case 3:
		__asm__ volatile("invd" ::: "memory");
		break;
	case 4:
		__asm__ volatile("vmrun" ::"a"(rnd_value()));
		break;
	case 5:
		__asm__ volatile("int3");
		break;
	default:
		if (rnd() % 2)
			a |= 0x40000000u << rnd() % 2;
		__asm__ volatile("cpuid" : "+a"(a), "=b"(b), "+c"(c), "+d"(d));
		break;
	}
}

static void do_interrupt(void *arg)
{
	switch (rnd() % 4) {
	case 0:
		wrmsr(X2APIC_SELF_IPI, 32 + rnd() % 224);
		break;
	case 1: /* no INIT, no SIPI to itself */
		wrmsr(X2APIC_ICR, 0x40020 | (rnd() & 0x8ff));
		break;
	case 2:
		wrmsr(X2APIC_LVT_TIMER, 0x40 | (rnd() & 0x60000));
		wrmsr(X2APIC_TMICT, rnd() % 100000);
		break;
	default:
		wrmsr(X2APIC_EOI, 0);
		break;
	}
	__asm__ volatile("sti; nop; nop; cli");
	wrmsr(X2APIC_TMICT, 0); /* a storm of its own would stop it here */
}

void guest_main(void)
{
	section("SDM 3C 26");
	static void (*const ops[])(void *) = {
		do_rdmsr,       do_wrmsr, do_port,    do_string_port, do_mmio,
		do_string_mmio, do_cr,    do_special, do_interrupt,
	};
	u64 faults = 0;

	rnd_seed();
	apic_enable();
	for (u32 i = 0; i < ROUNDS; i++)
		if (guest_try(ops[rnd() % ARRAY_SIZE(ops)], NULL) != NO_TRAP)
			faults++;
	check(true, "hostile.survived", "%llu", faults);
}
