/* SPDX-License-Identifier: BSD-2-Clause */
/* The library of the guest tests: see guest.h */
#include <stdarg.h>

#include "tests/guest/lib/guest.h"

#define COM1       0x3f8
#define LSR_THRE   0x20
#define PM1_CNT    0x604 /* hv/core/pc_map.h */
#define PM1_SLP_S5 0x2000
#define AP_PAGE    0x8000ul
#define EXC_GP     13
#define SPINS      2000

/* Of rnd() */
#define RANDOM_FIRST 88172645463325252ull
#define GOLDEN       0x9e3779b97f4a7c15ull /* no seed is near another */

/* Xen's struct hvm_start_info, version 1: the parts used here */
struct start_info {
	u32 magic, version, flags, nr_modules;
	u64 modlist, cmdline, rsdp;
};

struct idt_gate {
	u16 offset_lo, selector;
	u8 ist, attr;
	u16 offset_mid;
	u32 offset_hi, reserved;
} __packed;

struct tss {
	u32 reserved0;
	u64 rsp[3], reserved1, ist[7], reserved2;
	u16 reserved3, iomap;
} __packed;

extern u64 start_info_gpa, try_rsp, guest_gdt[];
extern char trap_stubs[], try_resume[];
extern char ap_trampoline[], ap_trampoline_end[];

const char *guest_cmdline = "";
volatile u64 trap_error, trap_rip, trap_cr2;
volatile u64 irq_count[256];
void (*volatile irq_handler[256])(struct trap_frame *f);

static struct idt_gate idt[256] __aligned(16);
static struct tss tss;
static u8 ist_stack[8192] __aligned(16);
static u32 passed, failed;
static void (*volatile ap_fn)(void);
static volatile u32 ap_alive;

void guest_start(void);
void guest_ap_start(void);
void guest_trap(struct trap_frame *f);
void *memcpy(void *dst, const void *src, size_t n);
void *memset(void *dst, int c, size_t n);

void *memcpy(void *dst, const void *src, size_t n)
{
	for (size_t i = 0; i < n; i++)
		((u8 *)dst)[i] = ((const u8 *)src)[i];
	return dst;
}

void *memset(void *dst, int c, size_t n)
{
	for (size_t i = 0; i < n; i++)
		((u8 *)dst)[i] = (u8)c;
	return dst;
}

void put_char(char c)
{
	while (!(inb(COM1 + 5) & LSR_THRE))
		cpu_relax();
	outb(COM1, (u8)c);
}

static void put_string(const char *s)
{
	while (*s)
		put_char(*s++);
}

static void put_number(u64 v, u32 base, bool negative)
{
	char buf[24];
	u32 i = sizeof(buf);

	buf[--i] = 0;
	do {
		buf[--i] = "0123456789abcdef"[v % base];
		v /= base;
	} while (v);
	if (negative)
		put_char('-');
	put_string(buf + i);
}

/* %s %d %u %x and %llu %llx are enough */
static void vprint(const char *fmt, va_list ap)
{
	for (; *fmt; fmt++) {
		bool wide = false;

		if (*fmt != '%') {
			put_char(*fmt);
			continue;
		}
		fmt++;
		for (; *fmt == 'l'; fmt++)
			wide = true;
		if (*fmt == 's') {
			put_string(va_arg(ap, const char *));
		} else if (*fmt == 'd') {
			s64 v = wide ? va_arg(ap, s64) : va_arg(ap, int);

			put_number((u64)(v < 0 ? -v : v), 10, v < 0);
		} else {
			u64 v = wide ? va_arg(ap, u64) : va_arg(ap, u32);

			put_number(v, *fmt == 'x' ? 16 : 10, false);
		}
	}
}

void print(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vprint(fmt, ap);
	va_end(ap);
}

static const char *manual = "";

void section(const char *of)
{
	manual = of;
}

void check(bool ok, const char *name, const char *fmt, ...)
{
	va_list ap;

	if (ok) {
		passed++;
		print("PASS %s [%s]\n", name, manual);
		return;
	}
	failed++;
	print("FAIL %s [%s]: ", name, manual);
	va_start(ap, fmt);
	vprint(fmt, ap);
	va_end(ap);
	put_char('\n');
}

bool cmdline_has(const char *word)
{
	const char *s = guest_cmdline;

	while (*s) {
		u32 n = 0;

		while (word[n] && s[n] == word[n])
			n++;
		if (!word[n] && (s[n] == 0 || s[n] == ' '))
			return true;
		while (*s && *s != ' ')
			s++;
		while (*s == ' ')
			s++;
	}
	return false;
}

u64 cmdline_number(const char *name, u64 otherwise)
{
	u64 n = 0;

	for (const char *s = guest_cmdline; *s; s++) {
		u32 i = 0;

		while (name[i] && s[i] == name[i])
			i++;
		if (name[i])
			continue;
		for (s += i; *s >= '0' && *s <= '9'; s++)
			n = n * 10 + (u64)(*s - '0');
		return n;
	}
	return otherwise;
}

static u64 rnd_state = RANDOM_FIRST;

void rnd_seed(void)
{
	rnd_state = cmdline_number("seed=", 1) * GOLDEN + RANDOM_FIRST;
}

u64 rnd(void)
{
	rnd_state ^= rnd_state << 13;
	rnd_state ^= rnd_state >> 7;
	rnd_state ^= rnd_state << 17;
	return rnd_state;
}

struct msr_access {
	u32 msr;
	u64 value;
};

static void do_rdmsr(void *arg)
{
	struct msr_access *a = arg;

	a->value = rdmsr(a->msr);
}

static void do_wrmsr(void *arg)
{
	const struct msr_access *a = arg;

	wrmsr(a->msr, a->value);
}

u8 try_rdmsr(u32 msr, u64 *value)
{
	struct msr_access a = { .msr = msr };
	u8 trap = guest_try(do_rdmsr, &a);

	*value = a.value;
	return trap;
}

u8 try_wrmsr(u32 msr, u64 value)
{
	return guest_try(do_wrmsr, &(struct msr_access){ msr, value });
}

bool rdmsr_faults(u32 msr)
{
	u64 value;

	return try_rdmsr(msr, &value) == EXC_GP;
}

bool wrmsr_faults(u32 msr, u64 value)
{
	return try_wrmsr(msr, value) == EXC_GP;
}

void irq_ack(struct trap_frame *f)
{
	wrmsr(X2APIC_EOI, 0);
}

void spin(void)
{
	for (u32 i = 0; i < SPINS; i++)
		cpu_relax();
}

void irq_window(void)
{
	irq_on();
	spin();
	irq_off();
}

void set_gate(u8 vector, u8 ist, u8 dpl)
{
	u64 stub = (u64)trap_stubs + 16ul * vector;

	idt[vector] = (struct idt_gate){
		.offset_lo = (u16)stub,
		.selector = 0x18,
		.ist = ist,
		.attr = (u8)(0x8e | dpl << 5),
		.offset_mid = (u16)(stub >> 16),
		.offset_hi = (u32)(stub >> 32),
	};
}

static void load_idt(void)
{
	struct {
		u16 limit;
		u64 base;
	} __packed idtr = { sizeof(idt) - 1, (u64)idt };

	__asm__ volatile("lidt %0" ::"m"(idtr));
}

static void load_tss(void)
{
	u64 base = (u64)&tss;

	tss.ist[0] = (u64)ist_stack + sizeof(ist_stack);
	tss.rsp[0] = tss.ist[0];
	tss.iomap = sizeof(tss);
	guest_gdt[6] = (sizeof(tss) - 1) | (base & 0xffffff) << 16 |
		       0x89ull << 40 | (base >> 24 & 0xff) << 56;
	guest_gdt[7] = base >> 32;
	__asm__ volatile("ltr %w0" ::"r"(0x30));
}

void guest_trap(struct trap_frame *f)
{
	u8 vector = (u8)f->vector;

	irq_count[vector]++;
	if (irq_handler[vector]) {
		irq_handler[vector](f);
		return;
	}
	if (vector >= 32)
		return;
	trap_error = f->error;
	trap_rip = f->rip;
	__asm__ volatile("mov %%cr2, %0" : "=r"(trap_cr2));
	if (try_rsp) {
		f->rip = (u64)try_resume;
		f->rsp = try_rsp;
		f->rax = vector;
		f->rflags &= ~0x40100ull; /* AC, TF */
		f->cs = 0x18;
		f->ss = 0x10;
		return;
	}
	print("FAIL unexpected exception %u error %llx at %llx\n", vector,
	      f->error, f->rip);
	failed++;
	print("DONE %u %u\n", passed, failed);
	guest_power_off();
}

void apic_enable(void)
{
	wrmsr(MSR_APIC_BASE, rdmsr(MSR_APIC_BASE) | 0xc00);
	wrmsr(X2APIC_TPR, 0);
	wrmsr(X2APIC_SIVR, 0x1ff);
}

void guest_ap_start(void)
{
	load_idt();
	apic_enable();
	ap_alive = 1;
	if (ap_fn)
		ap_fn();
}

bool ap_start(u32 apic_id, void (*fn)(void))
{
	u64 dest = (u64)apic_id << 32;

	memcpy((void *)AP_PAGE, ap_trampoline,
	       (size_t)(ap_trampoline_end - ap_trampoline));
	ap_fn = fn;
	ap_alive = 0;
	wrmsr(X2APIC_ICR, dest | 0x4500);
	wrmsr(X2APIC_ICR, dest | 0x4600 | AP_PAGE >> 12);
	for (u64 i = 0; i < 50000000 && !ap_alive; i++)
		cpu_relax();
	return ap_alive;
}

void guest_power_off(void)
{
	for (;;) {
		outw(PM1_CNT, PM1_SLP_S5);
		__asm__ volatile("cli; hlt");
	}
}

void guest_start(void)
{
	const struct start_info *si = (void *)start_info_gpa;

	if (si->cmdline)
		guest_cmdline = (const char *)si->cmdline;
	for (u32 v = 0; v < 256; v++)
		set_gate((u8)v, 0, 0);
	load_idt();
	load_tss();
	guest_main();
	print("DONE %u %u\n", passed, failed);
	guest_power_off();
}
