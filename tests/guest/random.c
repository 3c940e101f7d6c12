/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A guest that executes random bytes at CPL 0 with random registers, segments,
 * control registers, tables and page tables, and writes random ports, devices
 * and MSRs. It comes back by its traps as long as it can; a second vCPU sends
 * an NMI when nothing moves and powers off in the end. It may die of anything:
 * the hypervisor, and the guests beside it, may not. `seed=N`, `rounds=N`.
 * Over 400 lines: one guest, which must survive itself.
 */
#include "tests/guest/lib/guest.h"

#define CODE_BYTES  256
#define PTE_USUAL   3ull
#define PTE_LARGE   0x80ull
#define STUCK_SPINS 400000u
#define STUCK_NMIS  8u
#define GDT_ENTRIES 8
#define GDT_RANDOM  64
#define REAL_PAGE   0x9000ul
#define ALIAS       (1ull << 39) /* linear addresses of PML4 entry 1 */

struct registers {
	u64 gpr[16]; /* rax rcx rdx rbx rsp rbp rsi rdi r8-r15 */
	u64 rflags;
};

extern u64 boot_pml4[], guest_gdt[];
extern void random_guard(void (*fn)(void));
extern void random_enter(const struct registers *r, const void *code);
extern char random_back[];

static u8 code[2 * 4096] __aligned(4096);
static u8 junk[8 * 4096] __aligned(4096);
static u64 tables[4 * 512] __aligned(4096);
static u64 gdt_copy[GDT_ENTRIES];
static struct {
	u16 limit;
	u64 base;
} __packed gdtr, idtr;
volatile u64 random_home; /* RSP to come back with */
static volatile u32 progress;

/*
 * random_guard(fn): call fn; random_back is where the trap handler sends the
 * vCPU, back to random_guard()'s caller. random_enter(): load all registers,
 * go.
 */
__asm__(".text\n"
	".globl random_guard, random_enter, random_back\n"
	"random_guard:\n"
	"	push %rbx; push %rbp; push %r12; push %r13\n"
	"	push %r14; push %r15\n"
	"	mov %rsp, random_home(%rip)\n"
	"	sub $8, %rsp\n"
	"	call *%rdi\n"
	"random_back:\n"
	"	cld\n"
	"	mov random_home(%rip), %rsp\n"
	"	pop %r15; pop %r14; pop %r13; pop %r12\n"
	"	pop %rbp; pop %rbx\n"
	"	ret\n"
	"random_enter:\n"
	"	push 128(%rdi)\n"
	"	popfq\n"
	"	mov %rsi, random_target(%rip)\n"
	"	mov 0(%rdi), %rax; mov 8(%rdi), %rcx; mov 16(%rdi), %rdx\n"
	"	mov 24(%rdi), %rbx; mov 32(%rdi), %rsp; mov 40(%rdi), %rbp\n"
	"	mov 48(%rdi), %rsi; mov 64(%rdi), %r8; mov 72(%rdi), %r9\n"
	"	mov 80(%rdi), %r10; mov 88(%rdi), %r11; mov 96(%rdi), %r12\n"
	"	mov 104(%rdi), %r13; mov 112(%rdi), %r14; mov 120(%rdi), %r15\n"
	"	mov 56(%rdi), %rdi\n"
	"	jmp *random_target(%rip)\n"
	".data\n"
	"random_target: .quad 0\n"
	".text\n");

#define PICK(array) ((array)[rnd() % ARRAY_SIZE(array)])

/* Devices, ROM, holes, the ends of RAM and of the address space */
static u64 rnd_gpa(void)
{
	static const u64 places[] = {
		0,          0xa0000,    0xc0000,       0xf0000,
		0x1000000,  0x2000000,  0x7ffff000,    0x80000000,
		0xb0000000, 0xc0000000, 0xe0000000,    0xfec00000,
		0xfed00000, 0xfed40000, 0xfee00000,    0xff000000,
		0xfffc0000, 0xfffff000, 0x100000000,   0x8000000000,
		1ull << 46, 1ull << 51, 0xffffffff000,
	};

	switch (rnd() % 4) {
	case 0:
		return (u64)junk + rnd() % sizeof(junk);
	case 1:
		return rnd() % 0x1000000;
	default:
		return PICK(places) + (rnd() & 0xff8);
	}
}

static u64 rnd_value(void)
{
	switch (rnd() % 6) {
	case 0:
		return rnd() % 256;
	case 1:
		return 1ull << rnd() % 64;
	case 2:
		return ~0ull << rnd() % 64;
	case 3:
		return (u32)rnd();
	case 4:
		return rnd_gpa();
	default:
		return rnd();
	}
}

static u32 rnd_msr(void)
{
	static const u32 bases[] = {
		0x0,        0x10,       0x1b,       0x3a,       0x48,
		0x79,       0x8b,       0xc1,       0xfe,       0x174,
		0x179,      0x186,      0x1a0,      0x1d9,      0x200,
		0x250,      0x268,      0x277,      0x2ff,      0x38d,
		0x400,      0x480,      0x6e0,      0x800,      0x810,
		0x820,      0x830,      0xda0,      0xc0000080, 0xc0000100,
		0xc0010000, 0xc0010010, 0xc0010114, 0xc0011020, 0x4b564d00,
		0x40000000, 0x11,       0x12,
	};

	return rnd() % 8 ? PICK(bases) + (u32)(rnd() % 16) : (u32)rnd();
}

static u16 rnd_port(void)
{
	static const u16 bases[] = {
		0x20,  0xa0,  0x40,  0x60,  0x70,  0x80,  0x92,  0x170,
		0x1f0, 0x2f8, 0x3c0, 0x4d0, 0x500, 0x510, 0x600, 0x620,
		0x630, 0xb2,  0xcf8, 0xcfc, 0x402, 0xf4,  0xe0,  0x5658
	};

	return rnd() % 4 ? (u16)(PICK(bases) + rnd() % 8) : (u16)rnd();
}

/* ---- what it does ---- */

/* Privileged and awkward beginnings; what follows is random */
static const char *const starts[] = {
	"\x0f\x20", "\x0f\x22", "\x0f\x21", "\x0f\x23", "\x0f\x30", "\x0f\x32",
	"\x0f\x01", "\x0f\xc7", "\x0f\xae", "\x0f\x18", "\x0f\xa2", "\x0f\x09",
	"\x0f\x08", "\x0f\x06", "\x0f\x05", "\x0f\x07", "\x0f\x34", "\x0f\x35",
	"\x0f\x31", "\x0f\x33", "\x0f\xaa", "\x0f\x78", "\x0f\xb0", "\x0f\xb1",
	"\xf0",     "\xf2",     "\xf3",     "\x64",     "\x65",     "\x66",
	"\x67",     "\xcd",     "\xcf",     "\x48\xcf", "\xcb",     "\xff",
	"\xf4",     "\xfa",     "\xfb",     "\x9d",     "\x8e",     "\xec",
	"\xee",     "\xed",     "\xef",     "\xe4",     "\xe6",     "\x6c",
	"\x6e",     "\xf3\x6d", "\xf3\x6f", "\xf3\xa4", "\xf3\xab", "\x87",
	"\x0f\xba", "\xc5",     "\xc4",     "\x62",     "\x8f",     "\xf1",
	"\xcc",     "\xa1",     "\xa3",     "\x90",     "\x0f\x00", "\x0f\x0b",
};

static void fill_code(u8 *to)
{
	const char *s;
	u32 i = 0;

	while (i < CODE_BYTES) {
		if (rnd() % 3 == 0)
			for (s = PICK(starts); *s && i < CODE_BYTES; s++)
				to[i++] = (u8)*s;
		if (i < CODE_BYTES)
			to[i++] = (u8)rnd();
	}
}

static void random_bytes(void)
{
	static struct registers r;
	u32 i;

	fill_code(code);
	for (i = 0; i < ARRAY_SIZE(r.gpr); i++)
		r.gpr[i] = rnd_value();
	if (rnd() % 2)
		r.gpr[4] = (u64)junk + rnd() % sizeof(junk);
	r.gpr[2] = rnd() % 2 ? rnd_port() : r.gpr[2];
	r.gpr[1] = rnd() % 2 ? rnd_msr() : r.gpr[1];
	/* IF every other time; sometimes TF, AC, NT, IOPL */
	r.rflags = 2 | (rnd() & 0x200);
	if (rnd() % 4 == 0)
		r.rflags |= rnd() & 0x247fd5;
	random_enter(&r, code);
}

static void write_msrs(void)
{
	wrmsr(rnd_msr(), rnd_value());
	(void)rdmsr(rnd_msr());
}

static void write_ports(void)
{
	u16 port = rnd_port();
	u32 v = (u32)rnd_value();
	u32 i;

	for (i = 0; i < 8; i++) {
		if (rnd() % 3 == 0)
			outb(port, (u8)v);
		else if (rnd() % 2)
			outw(port, (u16)v);
		else
			outl(port, v);
		(void)inb(port);
		(void)inl(port);
		port = (u16)(port + rnd() % 3);
		v = (u32)rnd_value();
	}
}

static void write_devices(void)
{
	u32 i;

	for (i = 0; i < 8; i++) {
		u64 at = rnd_gpa() & 0xffffffff;

		if (rnd() % 2)
			*(volatile u32 *)(at & ~3ull) = (u32)rnd_value();
		else
			*(volatile u64 *)at = rnd_value();
		(void)*(volatile u16 *)at;
	}
}

/* An interrupt of any kind to anybody, itself and the watching vCPU included */
static void send_ipis(void)
{
	u64 icr = rnd() & 0xcffff;

	if (rnd() % 8)
		icr &= ~0x700ull; /* fixed: the others end too soon */
	wrmsr(X2APIC_ICR, icr | (rnd() % 3) << 32);
	wrmsr(X2APIC_SELF_IPI, rnd() % 256);
	irq_on();
	irq_off();
}

static void fast_timers(void)
{
	outb(0x43, (u8)(0x30 | rnd() % 8 << 1));
	outb(0x40, (u8)(rnd() % 3));
	outb(0x40, 0);
	outb(0x70, 0x0a);
	outb(0x71, 0x21 + (u8)(rnd() % 3));
	outb(0x70, 0x0b);
	outb(0x71, 0x72);
	wrmsr(X2APIC_TDCR, 0xb);
	wrmsr(X2APIC_LVT_TIMER, 0x20000 | (rnd() & 0xff));
	wrmsr(X2APIC_TMICT, 1 + rnd() % 3);
	*(volatile u64 *)0xfed00100 = 0x7c;
	*(volatile u64 *)0xfed00108 = 1 + rnd() % 3;
	*(volatile u64 *)0xfed00010 = 3;
	outb(0x21, 0);
	outb(0xa1, 0);
	irq_on();
	for (u32 i = 0; i < 2000; i++)
		cpu_relax();
	irq_off();
}

/* A DMA command wherever, which names memory wherever */
static void fw_cfg_dma(void)
{
	u32 *access = (u32 *)(junk + (rnd() & 0x7ff8));
	u64 at = rnd() % 2 ? (u64)access : rnd_gpa(), to = rnd_gpa();

	if ((u8 *)access > junk + sizeof(junk) - 16)
		return;
	access[0] = __builtin_bswap32((u32)(rnd() & 0x3f001f));
	access[1] = __builtin_bswap32((u32)rnd_value());
	access[2] = __builtin_bswap32((u32)(to >> 32));
	access[3] = __builtin_bswap32((u32)to);
	outw(0x510, (u16)rnd_value());
	outl(0x514, __builtin_bswap32((u32)(at >> 32)));
	outl(0x518, __builtin_bswap32((u32)at));
}

static void pci_config(void)
{
	u32 i;

	for (i = 0; i < 8; i++) {
		outl(0xcf8, 0x80000000 | (u32)(rnd() & 0xfffffc));
		outl(0xcfc, (u32)rnd_value());
		outl(0xcf8, (rnd() % 2 ? 0x8000f800 : 0x80000000) |
				    (u32)(rnd() & 0xfc));
		outl(0xcfc, (u32)rnd_value());
		(void)inl(0xcfc);
	}
}

static void hypercalls(void)
{
	u64 rax = rnd() % 3 ? rnd() % 16 : rnd_value();

	if (cpu_is_intel())
		__asm__ volatile("vmcall"
				 : "+a"(rax)
				 : "b"(rnd_value()), "c"(rnd_value()),
				   "d"(rnd_value()), "S"(rnd_value())
				 : "memory");
	else
		__asm__ volatile("vmmcall"
				 : "+a"(rax)
				 : "b"(rnd_value()), "c"(rnd_value()),
				   "d"(rnd_value()), "S"(rnd_value())
				 : "memory");
}

/* A walk for an alias goes through tables that lie anywhere */
static void page_tables(void)
{
	u64 flags = PTE_USUAL | (rnd() & 0x7c);
	u64 next = (u64)tables, at = ALIAS;
	u32 depth = (u32)rnd() % 4, i;

	for (i = 0; i < 512; i++) {
		tables[i] = ((u64)tables + 4096) | PTE_USUAL;
		tables[512 + i] = ((u64)tables + 8192) | PTE_USUAL;
		tables[1024 + i] = ((u64)tables + 12288) | PTE_USUAL;
		tables[1536 + i] = (rnd_gpa() & ~0xfffull) | flags;
	}
	if (depth)
		tables[(depth - 1) * 512] = (rnd_gpa() & ~0xfffull) | flags |
					    (rnd() % 4 ? 0 : PTE_LARGE);
	else
		next = rnd_gpa() & ~0xfffull;
	boot_pml4[1] = next | PTE_USUAL;
	__asm__ volatile("invlpg (%0)" ::"r"(at) : "memory");
	at += rnd() & 0x1ffff8;
	switch (rnd() % 4) {
	case 0:
		*(volatile u32 *)at = (u32)rnd();
		break;
	case 1:
		(void)*(volatile u64 *)at;
		break;
	case 2:
		__asm__ volatile("lock addq $1, (%0)" ::"r"(at) : "memory");
		break;
	default:
		__asm__ volatile("mov %0, %%rsp; call *%1"
				 :
				 : "r"(at + 64), "r"(at)
				 : "memory");
		break;
	}
}

/* To any segment: 16-bit and 32-bit code run the same random bytes */
static void far_jump(u32 selector)
{
	static struct {
		u64 offset;
		u16 selector;
	} __packed target;

	fill_code(code);
	target.offset = (u64)code;
	target.selector = (u16)selector;
	__asm__ volatile("rex.w ljmp *%0" ::"m"(target));
}

/* A GDT whose first entries are as they were, and which goes on with TSSs,
 * LDTs, gates and segments of any kind */
static void random_gdt(void)
{
	u64 *gdt = (u64 *)junk;
	u32 i;

	for (i = 0; i < GDT_RANDOM; i++) {
		gdt[i] = rnd_value();
		if (rnd() % 2)
			gdt[i] = 0x0000800000000067 |
				 (rnd() & 0x00007f1fffff0000);
	}
	for (i = 0; i < GDT_ENTRIES; i++)
		gdt[i] = gdt_copy[i];
}

/* GDT, IDT, LDT, TSS as they should not be, then something that uses them; one
 * in a while where no descriptor can be, and nobody comes back */
static void descriptor_tables(void)
{
	struct {
		u16 limit;
		u64 base;
	} __packed dt = { GDT_RANDOM * 8 - 1, (u64)junk };
	u32 selector = (u32)rnd() % GDT_RANDOM << 3 | ((u32)rnd() & 7);

	random_gdt();
	if (rnd() % 16 == 0)
		dt.base = rnd_gpa();
	if (rnd() % 64 == 0)
		__asm__ volatile("lidt %0; int3" ::"m"(dt));
	__asm__ volatile("lgdt %0" ::"m"(dt));
	switch (rnd() % 6) {
	case 0:
		__asm__ volatile("ltr %w0" ::"r"(selector));
		break;
	case 1:
		__asm__ volatile("lldt %w0" ::"r"(selector));
		__asm__ volatile("mov %w0, %%ds" ::"r"((u32)rnd() & 0xffff));
		break;
	case 2:
		__asm__ volatile("mov %w0, %%fs; mov %%fs:0, %%eax"
				 :
				 : "r"(selector)
				 : "eax");
		break;
	case 3:
		__asm__ volatile("mov %w0, %%ss" ::"r"(selector));
		break;
	case 4:
		far_jump(selector);
		break;
	default:
		set_gate((u8)rnd(), (u8)rnd() & 7, (u8)rnd() & 3);
		__asm__ volatile("int $0x80");
		break;
	}
}

/* vCPU 2 in real mode, on random bytes: it lives beside vCPU 0 for a while */
static void real_mode(void)
{
	fill_code((u8 *)REAL_PAGE);
	for (u32 i = CODE_BYTES; i < 4096; i++)
		((u8 *)REAL_PAGE)[i] = (u8)rnd();
	wrmsr(X2APIC_ICR, 2ull << 32 | 0x4500);
	wrmsr(X2APIC_ICR, 2ull << 32 | 0x4600 | REAL_PAGE >> 12);
}

static void control_registers(void)
{
	u64 v = rnd_value();

	switch (rnd() % 6) {
	case 0:
		__asm__ volatile(
			"mov %0, %%cr0" ::"r"(read_cr0() ^ 1ull << rnd() % 32));
		break;
	case 1:
		write_cr4(read_cr4() ^ 1ull << rnd() % 26);
		break;
	case 2:
		__asm__ volatile("mov %0, %%cr8" ::"r"(v & 0x1f));
		break;
	case 3:
		__asm__ volatile("mov %0, %%dr7; mov %1, %%dr0" ::"r"(v),
				 "r"((u64)code));
		break;
	case 4:
		wrmsr(0xc0000080, rdmsr(0xc0000080) ^ 1ull << rnd() % 16);
		break;
	default:
		__asm__ volatile("xsetbv" ::"a"((u32)v), "d"(0), "c"(0));
		break;
	}
}

static void everything(void);

static void (*const deeds[])(void) = {
	random_bytes,      random_bytes, random_bytes, random_bytes,
	random_bytes,      random_bytes, write_msrs,   write_ports,
	write_devices,     send_ipis,    fast_timers,  fw_cfg_dma,
	pci_config,        hypercalls,   page_tables,  descriptor_tables,
	control_registers, everything,   real_mode,
};

/* Random bytes under random control registers and tables */
static void everything(void)
{
	if (rnd() % 4 == 0) {
		control_registers();
		descriptor_tables();
	}
	random_bytes();
}

/* ---- and how it comes back ---- */

static void come_back(struct trap_frame *f)
{
	f->rip = (u64)random_back;
	f->rsp = random_home;
	f->rflags = 2;
	f->cs = 0x18;
	f->ss = 0x10;
}

static void restore(void)
{
	u32 i;

	__asm__ volatile("mov %0, %%cr3" ::"r"((u64)boot_pml4) : "memory");
	__asm__ volatile("mov %0, %%cr0" ::"r"(0x80010033ull));
	boot_pml4[1] = 0;
	for (i = 0; i < GDT_ENTRIES; i++)
		guest_gdt[i] = gdt_copy[i];
	guest_gdt[6] &= ~(2ull << 40); /* the TSS is not busy */
	__asm__ volatile("lgdt %0; lidt %1" ::"m"(gdtr), "m"(idtr));
	__asm__ volatile("mov %w0, %%ds; mov %w0, %%es; mov %w0, %%ss; "
			 "mov %w1, %%fs; mov %w1, %%gs; lldt %w1; ltr %w2"
			 :
			 : "r"(0x10), "r"(0), "r"(0x30));
	write_cr4(0x620);
	__asm__ volatile("mov %0, %%dr7" ::"r"(0x400ull));
	for (i = 0; i < 256; i++) {
		irq_handler[i] = come_back;
		set_gate((u8)i, 1, 0);
	}
	apic_enable();
	wrmsr(X2APIC_TMICT, 0);
}

/* vCPU 1: an NMI where nothing moves, and the end of it all */
static void watch(void)
{
	u32 last = 0, stuck = 0, spins = 0;

	for (;;) {
		cpu_relax();
		if (progress != last) {
			last = progress;
			stuck = spins = 0;
		}
		if (++spins < STUCK_SPINS)
			continue;
		spins = 0;
		if (++stuck > STUCK_NMIS)
			guest_power_off();
		wrmsr(X2APIC_ICR, 0x4400); /* NMI to vCPU 0 */
	}
}

void guest_main(void)
{
	u64 rounds = cmdline_number("rounds=", 400);
	u32 i;

	rnd_seed();
	for (i = 0; i < GDT_ENTRIES; i++)
		gdt_copy[i] = guest_gdt[i];
	__asm__ volatile("sgdt %0; sidt %1" : "=m"(gdtr), "=m"(idtr));
	for (i = 0; i < sizeof(code); i++)
		code[i] = 0xcc;
	restore();
	ap_start(1, watch);
	for (i = 0; i < rounds; i++) {
		random_guard(PICK(deeds));
		restore();
		if (++progress % 64 == 0)
			print("INFO round %u\n", progress);
	}
	section("SDM 3A 6.15");
	check(true, "random.survived", "%llu", rounds);
}
