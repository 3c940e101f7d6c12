/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a guest test has: a console on COM1, checks that print one line each,
 * a way to run something that faults, interrupts, the local APIC by x2APIC
 * MSRs, and a second vCPU. Serial lines are the result:
 *
 *   PASS <name> [<manual's section>]
 *   FAIL <name> [<manual's section>]: <why>
 *   DONE <passed> <failed>
 */
#ifndef TESTS_GUEST_LIB_GUEST_H
#define TESTS_GUEST_LIB_GUEST_H

#include "lib/types.h"

struct trap_frame {
	u64 r15, r14, r13, r12, r11, r10, r9, r8;
	u64 rdi, rsi, rbp, rbx, rdx, rcx, rax;
	u64 vector, error;
	u64 rip, cs, rflags, rsp, ss;
};

/* Each test program supplies this; the library powers off after it */
void guest_main(void);

void put_char(char c);
void print(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* The checks that follow hold the platform to this section of a manual, such as
 * "SDM 3A 6.8.3"; every check has one */
void section(const char *manual);
/* One result line; @fmt explains a failure */
void check(bool ok, const char *name, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
extern const char *guest_cmdline;
bool cmdline_has(const char *word);
/* The decimal number behind the first @name, such as "seed=" */
u64 cmdline_number(const char *name, u64 otherwise);

/* Numbers that repeat: xorshift, from the command line's "seed=" */
void rnd_seed(void);
u64 rnd(void);

/* Run @fn(@arg); NO_TRAP, or the vector of the exception that ended it */
#define NO_TRAP 0xff
u8 guest_try(void (*fn)(void *), void *arg);
extern volatile u64 trap_error, trap_rip, trap_cr2;

/* The same of an access to @msr; it is a #GP */
u8 try_rdmsr(u32 msr, u64 *value);
u8 try_wrmsr(u32 msr, u64 value);
bool rdmsr_faults(u32 msr);
bool wrmsr_faults(u32 msr, u64 value);

/* Interrupts: counted, and given to a handler if there is one */
extern volatile u64 irq_count[256];
extern void (*volatile irq_handler[256])(struct trap_frame *f);
void irq_ack(struct trap_frame *f); /* a handler: only the EOI */
void spin(void);                    /* long enough for what is on its way */
void irq_window(void);              /* let it in, meanwhile */
void set_gate(u8 vector, u8 ist, u8 dpl);

/* Local APIC in x2APIC mode */
#define MSR_APIC_BASE    0x1b
#define MSR_TSC_DEADLINE 0x6e0
#define X2APIC_ID        0x802
#define X2APIC_VERSION   0x803
#define X2APIC_TPR       0x808
#define X2APIC_PPR       0x80a
#define X2APIC_EOI       0x80b
#define X2APIC_SIVR      0x80f
#define X2APIC_ISR0      0x810
#define X2APIC_IRR0      0x820
#define X2APIC_ESR       0x828
#define X2APIC_ICR       0x830
#define X2APIC_LVT_TIMER 0x832
#define X2APIC_LVT_LINT0 0x835
#define X2APIC_TMICT     0x838
#define X2APIC_TMCCT     0x839
#define X2APIC_TDCR      0x83e
#define X2APIC_SELF_IPI  0x83f
void apic_enable(void);

/* Start vCPU @apic_id on @fn; returns when it runs (or false after a while) */
bool ap_start(u32 apic_id, void (*fn)(void));

__attribute__((noreturn)) void guest_power_off(void);

static inline void outb(u16 port, u8 v)
{
	__asm__ volatile("outb %0, %1" ::"a"(v), "Nd"(port));
}
static inline void outw(u16 port, u16 v)
{
	__asm__ volatile("outw %0, %1" ::"a"(v), "Nd"(port));
}
static inline void outl(u16 port, u32 v)
{
	__asm__ volatile("outl %0, %1" ::"a"(v), "Nd"(port));
}
static inline u8 inb(u16 port)
{
	u8 v;

	__asm__ volatile("inb %1, %0" : "=a"(v) : "Nd"(port));
	return v;
}
static inline u16 inw(u16 port)
{
	u16 v;

	__asm__ volatile("inw %1, %0" : "=a"(v) : "Nd"(port));
	return v;
}
static inline u32 inl(u16 port)
{
	u32 v;

	__asm__ volatile("inl %1, %0" : "=a"(v) : "Nd"(port));
	return v;
}
static inline u64 rdmsr(u32 msr)
{
	u32 lo, hi;

	__asm__ volatile("rdmsr" : "=a"(lo), "=d"(hi) : "c"(msr));
	return (u64)hi << 32 | lo;
}
static inline void wrmsr(u32 msr, u64 v)
{
	__asm__ volatile("wrmsr" ::"c"(msr), "a"((u32)v), "d"((u32)(v >> 32))
			 : "memory");
}
static inline u64 rdtsc(void)
{
	u32 lo, hi;

	__asm__ volatile("rdtsc" : "=a"(lo), "=d"(hi)::"memory");
	return (u64)hi << 32 | lo;
}
static inline void cpuid(u32 leaf, u32 sub, u32 r[4])
{
	__asm__ volatile("cpuid"
			 : "=a"(r[0]), "=b"(r[1]), "=c"(r[2]), "=d"(r[3])
			 : "a"(leaf), "c"(sub)
			 : "memory");
}
/* Zero if the CPU has no such leaf: Intel's answer with another one then (SDM
 * 2A CPUID) */
static inline void cpuid_if_any(u32 leaf, u32 sub, u32 r[4])
{
	cpuid(leaf & ~0xffu, 0, r);
	if (leaf <= r[0])
		cpuid(leaf, sub, r);
	else
		r[0] = r[1] = r[2] = r[3] = 0;
}
static inline bool cpu_is_intel(void) /* so the back-end is VMX */
{
	u32 r[4];

	cpuid(0, 0, r);
	return r[1] == 0x756e6547; /* "Genu" */
}
static inline u64 read_cr0(void)
{
	u64 v;

	__asm__ volatile("mov %%cr0, %0" : "=r"(v));
	return v;
}
static inline u64 read_cr4(void)
{
	u64 v;

	__asm__ volatile("mov %%cr4, %0" : "=r"(v));
	return v;
}
static inline void write_cr4(u64 v)
{
	__asm__ volatile("mov %0, %%cr4" ::"r"(v) : "memory");
}
static inline void irq_on(void)
{
	__asm__ volatile("sti" ::: "memory");
}
static inline void irq_off(void)
{
	__asm__ volatile("cli" ::: "memory");
}
static inline void irq_wait(void) /* STI; HLT with no gap */
{
	__asm__ volatile("sti; hlt; cli" ::: "memory");
}
static inline void cpu_relax(void)
{
	__asm__ volatile("pause" ::: "memory");
}
static inline u64 rflags(void)
{
	u64 v;

	__asm__ volatile("pushfq; pop %0" : "=r"(v));
	return v;
}

#endif
