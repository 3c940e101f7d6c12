/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One inline function for each machine instruction that the hypervisor uses.
 * Nothing here decides anything; registers and bits are in include/hw. Each
 * acts on this core, in any context. The instruction's own faults are the
 * caller's affair: an exception here is a panic (arch/x86/machine/idt.c).
 * SDM 2A to 2D and APM 3 have each under its name.
 */
#ifndef ARCH_X86_CPU_ASM_H
#define ARCH_X86_CPU_ASM_H

#include "include/hw/descriptor.h"
#include "lib/types.h"

/* What a CPUID leaf says; cpuid() is subleaf 0 */
struct cpuid {
	u32 eax, ebx, ecx, edx;
};

static inline struct cpuid cpuid_count(u32 leaf, u32 subleaf)
{
	struct cpuid r;

	__asm__ volatile("cpuid"
			 : "=a"(r.eax), "=b"(r.ebx), "=c"(r.ecx), "=d"(r.edx)
			 : "a"(leaf), "c"(subleaf));
	return r;
}

/* cpuid_count(), or in a host test any CPU's */
typedef struct cpuid (*cpuid_reader)(u32 leaf, u32 subleaf);

static inline struct cpuid cpuid(u32 leaf)
{
	return cpuid_count(leaf, 0);
}

static inline u64 rdmsr(u32 msr)
{
	u32 lo, hi;

	__asm__ volatile("rdmsr" : "=a"(lo), "=d"(hi) : "c"(msr) : "memory");
	return (u64)hi << 32 | lo;
}

static inline void wrmsr(u32 msr, u64 value)
{
	__asm__ volatile("wrmsr"
			 :
			 : "c"(msr), "a"((u32)value), "d"((u32)(value >> 32))
			 : "memory");
}

/*
 * The same, but where the instruction raises #GP they return -EIO, and *@value
 * is as it was: the MSR or extended control register is absent, or refuses the
 * value. In arch/x86/machine/idt.asm; once idt_load() has run on this core.
 */
int __must_check rdmsr_safe(u32 msr, u64 *value);
int __must_check wrmsr_safe(u32 msr, u64 value);
int __must_check xsetbv_safe(u32 index, u64 value);

static inline u64 xgetbv(u32 index)
{
	u32 lo, hi;

	__asm__ volatile("xgetbv" : "=a"(lo), "=d"(hi) : "c"(index));
	return (u64)hi << 32 | lo;
}

static inline void xsetbv(u32 index, u64 value)
{
	__asm__ volatile("xsetbv"
			 :
			 : "c"(index), "a"((u32)value), "d"((u32)(value >> 32))
			 : "memory");
}

/* read_NAME() and write_NAME() of a control or debug register */
#define ASM_REGISTER(name, reg)                                                \
	static inline u64 read_##name(void)                                    \
	{                                                                      \
		u64 value;                                                     \
                                                                               \
		__asm__ volatile("mov %%" reg ", %0" : "=r"(value)::"memory"); \
		return value;                                                  \
	}                                                                      \
	static inline void write_##name(u64 value)                             \
	{                                                                      \
		__asm__ volatile("mov %0, %%" reg ::"r"(value) : "memory");    \
	}

ASM_REGISTER(cr0, "cr0")
ASM_REGISTER(cr2, "cr2")
ASM_REGISTER(cr3, "cr3")
ASM_REGISTER(cr4, "cr4")
ASM_REGISTER(cr8, "cr8")
ASM_REGISTER(dr0, "dr0")
ASM_REGISTER(dr1, "dr1")
ASM_REGISTER(dr2, "dr2")
ASM_REGISTER(dr3, "dr3")
ASM_REGISTER(dr6, "dr6")
ASM_REGISTER(dr7, "dr7")

static inline u64 read_rsp(void)
{
	u64 value;

	__asm__ volatile("mov %%rsp, %0" : "=r"(value));
	return value;
}

/* read_NAME(): the selector in segment register NAME */
#define ASM_SELECTOR(seg)                                                      \
	static inline u16 read_##seg(void)                                     \
	{                                                                      \
		u16 value;                                                     \
                                                                               \
		__asm__ volatile("mov %%" #seg ", %w0" : "=r"(value));         \
		return value;                                                  \
	}

ASM_SELECTOR(cs)
ASM_SELECTOR(ss)
ASM_SELECTOR(ds)
ASM_SELECTOR(es)
ASM_SELECTOR(fs)
ASM_SELECTOR(gs)

static inline void lgdt(const struct desc_ptr *p)
{
	__asm__ volatile("lgdt %0" ::"m"(*p) : "memory");
}

static inline void lidt(const struct desc_ptr *p)
{
	__asm__ volatile("lidt %0" ::"m"(*p) : "memory");
}

static inline void ltr(u16 selector)
{
	__asm__ volatile("ltr %w0" ::"r"(selector) : "memory");
}

static inline u8 inb(u16 port)
{
	u8 value;

	__asm__ volatile("inb %w1, %b0" : "=a"(value) : "Nd"(port) : "memory");
	return value;
}

static inline u16 inw(u16 port)
{
	u16 value;

	__asm__ volatile("inw %w1, %w0" : "=a"(value) : "Nd"(port) : "memory");
	return value;
}

static inline u32 inl(u16 port)
{
	u32 value;

	__asm__ volatile("inl %w1, %k0" : "=a"(value) : "Nd"(port) : "memory");
	return value;
}

static inline void outb(u16 port, u8 value)
{
	__asm__ volatile("outb %b0, %w1" ::"a"(value), "Nd"(port) : "memory");
}

static inline void outw(u16 port, u16 value)
{
	__asm__ volatile("outw %w0, %w1" ::"a"(value), "Nd"(port) : "memory");
}

static inline void outl(u16 port, u32 value)
{
	__asm__ volatile("outl %k0, %w1" ::"a"(value), "Nd"(port) : "memory");
}

static inline void invlpg(const void *va)
{
	__asm__ volatile("invlpg (%0)" ::"r"(va) : "memory");
}

static inline void wbinvd(void)
{
	__asm__ volatile("wbinvd" ::: "memory");
}

static inline void irq_disable(void)
{
	__asm__ volatile("cli" ::: "memory");
}

static inline void cpu_pause(void)
{
	__asm__ volatile("pause" ::: "memory");
}

/* Waits for an interrupt, takes it, and returns with interrupts off. STI opens
 * the window behind the next instruction: one that comes before HLT ends it. */
static inline void cpu_idle_once(void)
{
	__asm__ volatile("sti; hlt; cli" ::: "memory");
}

/* The same by MWAIT, in the state that @hint asks for; @line is not written */
static inline void cpu_mwait_once(const void *line, u32 hint)
{
	__asm__ volatile("monitor" ::"a"(line), "c"(0), "d"(0) : "memory");
	__asm__ volatile("sti; mwait; cli" ::"a"(hint), "c"(0) : "memory");
}

__noreturn static inline void cpu_halt_forever(void)
{
	for (;;)
		__asm__ volatile("cli; hlt" ::: "memory");
}

static inline void mfence(void)
{
	__asm__ volatile("mfence" ::: "memory");
}

static inline void lfence(void)
{
	__asm__ volatile("lfence" ::: "memory");
}

/* Device memory: one aligned access of exactly this width */
static inline u32 mmio_read32(const volatile void *addr)
{
	u32 value;

	__asm__ volatile("movl %1, %0"
			 : "=r"(value)
			 : "m"(*(const volatile u32 *)addr)
			 : "memory");
	return value;
}

static inline void mmio_write32(volatile void *addr, u32 value)
{
	__asm__ volatile("movl %1, %0"
			 : "=m"(*(volatile u32 *)addr)
			 : "r"(value)
			 : "memory");
}

#endif
