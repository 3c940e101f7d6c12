/* SPDX-License-Identifier: BSD-2-Clause */
/* INIT/SIPI, IPIs and NMIs between two vCPUs (SDM 3A 9.4, 11.6) */
#include "tests/guest/lib/guest.h"

#define PROBE_PAGE 0x9000ul
#define PROBE_AT   0x800ul /* struct probe, in its page */
#define STAR_MARK  0x0023001012345678ull

static volatile u64 ap_id = ~0ull, ap_ticks, ap_irqs, ap_tsc, ap_now;
static volatile bool ap_stop;

/* What a vCPU finds in its registers at its first instruction in real mode */
struct probe {
	u32 eax, ebx, ecx, edx, esi, edi, ebp, esp;
	u32 cr0, cr2, cr3, cr4, eflags, dr6, dr7;
	u16 cs, ds, es, fs, gs, ss;
	u16 gdt_limit, idt_limit;
	u32 gdt_base, idt_base;
	u32 efer, apic_base, svr, star_low;
	u32 runs;
	u32 dr0, dr3;
};
static_assert(offsetof(struct probe, cr0) == 0x20, "the code below");
static_assert(offsetof(struct probe, cs) == 0x3c, "the code below");
static_assert(offsetof(struct probe, gdt_limit) == 0x48, "the code below");
static_assert(offsetof(struct probe, efer) == 0x54, "the code below");
static_assert(offsetof(struct probe, runs) == 0x64, "the code below");

extern char probe_code[], probe_code_end[];
__asm__(".text\n.code16\nprobe_code:\n"
	"mov %eax, %cs:0x800\n mov %ebx, %cs:0x804\n mov %ecx, %cs:0x808\n"
	"mov %edx, %cs:0x80c\n mov %esi, %cs:0x810\n mov %edi, %cs:0x814\n"
	"mov %ebp, %cs:0x818\n mov %esp, %cs:0x81c\n"
	"mov %cr0, %eax\n mov %eax, %cs:0x820\n"
	"mov %cr2, %eax\n mov %eax, %cs:0x824\n"
	"mov %cr3, %eax\n mov %eax, %cs:0x828\n"
	"mov %cr4, %eax\n mov %eax, %cs:0x82c\n"
	"mov %cs, %cs:0x83c\n mov %ds, %cs:0x83e\n mov %es, %cs:0x840\n"
	"mov %fs, %cs:0x842\n mov %gs, %cs:0x844\n mov %ss, %cs:0x846\n"
	"mov $0x7000, %sp\n pushfl\n pop %eax\n mov %eax, %cs:0x830\n"
	"mov %dr6, %eax\n mov %eax, %cs:0x834\n"
	"mov %dr7, %eax\n mov %eax, %cs:0x838\n"
	/* SGDT and SIDT store 2 and 4 bytes */
	"sgdtl %cs:0x7f0\n sidtl %cs:0x7f8\n"
	"mov %cs:0x7f0, %ax\n mov %ax, %cs:0x848\n"
	"mov %cs:0x7f8, %ax\n mov %ax, %cs:0x84a\n"
	"mov %cs:0x7f2, %eax\n mov %eax, %cs:0x84c\n"
	"mov %cs:0x7fa, %eax\n mov %eax, %cs:0x850\n"
	"mov $0xc0000080, %ecx\n rdmsr\n mov %eax, %cs:0x854\n"
	"mov $0x1b, %ecx\n rdmsr\n mov %eax, %cs:0x858\n"
	"mov $0x80f, %ecx\n rdmsr\n mov %eax, %cs:0x85c\n"
	"mov $0xc0000081, %ecx\n rdmsr\n mov %eax, %cs:0x860\n"
	"mov %dr0, %eax\n mov %eax, %cs:0x868\n"
	"mov %dr3, %eax\n mov %eax, %cs:0x86c\n"
	"incl %cs:0x864\n"
	"1: cli\n hlt\n jmp 1b\nprobe_code_end:\n.code64\n");

static volatile struct probe *probe(void)
{
	return (volatile struct probe *)(PROBE_PAGE + PROBE_AT);
}

static void on_ipi(struct trap_frame *f)
{
	if (rdmsr(X2APIC_ID) == 1)
		ap_irqs++;
	wrmsr(X2APIC_EOI, 0);
}

static void ap_main(void)
{
	ap_id = rdmsr(X2APIC_ID);
	ap_tsc = rdtsc();
	wrmsr(0xc0000081, STAR_MARK);
	__asm__ volatile("mov %0, %%dr0; mov %0, %%dr3" ::"r"(PROBE_PAGE));
	irq_on();
	while (!ap_stop) {
		ap_ticks++;
		ap_now = rdtsc();
		cpu_relax();
	}
	irq_off();
	ap_id = 1000;
	for (;;)
		__asm__ volatile("sti; hlt");
}

static bool wait_for(volatile u64 *what, u64 at_least)
{
	for (u64 i = 0; i < 100000000 && *what < at_least; i++)
		cpu_relax();
	return *what >= at_least;
}

static void cross_ipis(void)
{
	u64 want = ap_irqs;

	section("SDM 3A 11.6.1");
	for (u32 i = 0; i < 100; i++) {
		wrmsr(X2APIC_ICR, 1ull << 32 | 0x71);
		if (!wait_for(&ap_irqs, ++want))
			break;
	}
	check(ap_irqs == want && want >= 100, "smp.ipi_each_arrives",
	      "%llu of %llu", ap_irqs, want);
	wrmsr(X2APIC_ICR, 0xc0000 | 0x71);
	check(wait_for(&ap_irqs, want + 1), "smp.ipi_all_but_self", "lost");
}

static void halted_ipi(void)
{
	u64 before;

	section("SDM 3A 9.10.3");
	ap_stop = true;
	check(wait_for(&ap_id, 1000), "smp.ap_stops", "still running");
	before = ap_irqs;
	for (u32 i = 0; i < 50; i++) {
		wrmsr(X2APIC_ICR, 1ull << 32 | 0x71);
		if (!wait_for(&ap_irqs, before + i + 1))
			break;
	}
	check(ap_irqs == before + 50, "smp.ipi_wakes_hlt", "%llu of 50",
	      ap_irqs - before);
}

static void restart(void)
{
	static u32 twice;

	section("SDM 3A 9.4.3");
	ap_stop = false;
	ap_id = ~0ull;
	check(ap_start(1, ap_main),
	      twice++ ? "smp.restarts_again" : "smp.init_restarts",
	      "no answer to SIPI");
	ap_ticks = 0;
	check(wait_for(&ap_ticks, 100),
	      twice > 1 ? "smp.runs_again" : "smp.runs_after_restart", "%llu",
	      ap_ticks);
}

/* The other's TSC, read before one's own, is never ahead */
static void one_tsc(void)
{
	u64 seen = 0, ahead = 0, last = 0;

	section("SDM 3B 18.17.4");
	for (u64 i = 0; i < 100000000 && seen < 100; i++) {
		u64 others = ap_now;

		__asm__ volatile("lfence" ::: "memory");
		ahead += others > rdtsc();
		seen += others != last;
		last = others;
	}
	check(seen >= 100 && !ahead, "smp.tsc_never_ahead", "%llu of %llu",
	      ahead, seen);
}

static void send_sipi(void)
{
	wrmsr(X2APIC_ICR, 1ull << 32 | 0x4600 | PROBE_PAGE >> 12);
}

static void pause_a_while(void)
{
	for (u32 i = 0; i < 1000000; i++)
		cpu_relax();
}

/* SDM 3A table 10-1, column INIT; CR0.CD and NW, clear before, stay so */
static void after_init(volatile struct probe *p)
{
	u32 r[4];

	cpuid(1, 0, r);
	section("SDM 3A 10.1.1");
	check(!(p->eax | p->ebx | p->ecx | p->esi | p->edi | p->ebp | p->esp),
	      "smp.init_clears_registers", "eax %x ebx %x esp %x", p->eax,
	      p->ebx, p->esp);
	check(p->edx == r[0], "smp.init_edx_is_the_model", "%x for %x", p->edx,
	      r[0]);
	check(p->eflags == 2, "smp.init_eflags", "%x", p->eflags);
	check(p->cr0 == 0x10 && !(p->cr2 | p->cr3 | p->cr4),
	      "smp.init_control_registers", "%x %x %x %x", p->cr0, p->cr2,
	      p->cr3, p->cr4);
	check(p->dr6 == 0xffff0ff0 && p->dr7 == 0x400, "smp.init_dr", "%x %x",
	      p->dr6, p->dr7);
	check(!(p->dr0 | p->dr3), "smp.init_breakpoints", "%x %x", p->dr0,
	      p->dr3);
	check(p->efer == 0, "smp.init_efer", "%x", p->efer);
	check(!(p->ds | p->es | p->fs | p->gs | p->ss), "smp.init_segments",
	      "ds %x es %x ss %x", p->ds, p->es, p->ss);
	check(p->gdt_limit == 0xffff && p->idt_limit == 0xffff &&
		      !(p->gdt_base | p->idt_base),
	      "smp.init_tables", "%x %x %x %x", p->gdt_limit, p->gdt_base,
	      p->idt_limit, p->idt_base);
	check(p->star_low == (u32)STAR_MARK, "smp.init_keeps_msrs", "%x",
	      p->star_low);
	section("SDM 3A 8.4.4.1");
	check(p->cs == PROBE_PAGE >> 4, "smp.sipi_vector_is_cs", "%x", p->cs);
	section("SDM 3A 11.12.5.1");
	check((p->apic_base & 0xd00) == 0xc00, "smp.init_keeps_x2apic", "%x",
	      p->apic_base);
	check(p->svr == 0xff, "smp.init_resets_apic", "%x", p->svr);
}

/* A running vCPU ignores a SIPI; one that waits takes the first, alone */
static void sipis(void)
{
	u64 seen = ap_ticks;

	for (u32 i = 0; probe_code + i < probe_code_end; i++)
		((u8 *)PROBE_PAGE)[i] = (u8)probe_code[i];
	section("SDM 3A 11.6.1");
	send_sipi();
	check(wait_for(&ap_ticks, seen + 1000) && !probe()->runs,
	      "smp.sipi_to_running_ignored", "%u", probe()->runs);
	wrmsr(X2APIC_ICR, 1ull << 32 | 0x4500);
	pause_a_while();
	wrmsr(X2APIC_ICR, 1ull << 32 | 0x8500); /* de-assert: nothing */
	wrmsr(X2APIC_ICR, 1ull << 32 | 0x71);
	pause_a_while();
	check(!probe()->runs, "smp.waits_for_sipi", "it runs");
	send_sipi();
	for (u32 i = 0; i < 1000 && !probe()->runs; i++)
		pause_a_while();
	send_sipi();
	pause_a_while();
	check(probe()->runs == 1, "smp.second_sipi_ignored", "%u runs",
	      probe()->runs);
	after_init(probe());
}

static void init_stops(void)
{
	u64 seen;

	section("SDM 3A 9.4.3");
	wrmsr(X2APIC_ICR, 1ull << 32 | 0x4500);
	for (u32 i = 0; i < 2000000; i++)
		cpu_relax();
	seen = ap_ticks;
	for (u32 i = 0; i < 2000000; i++)
		cpu_relax();
	check(ap_ticks == seen, "smp.init_parks", "%llu more", ap_ticks - seen);
}

void guest_main(void)
{
	u64 before;

	section("SDM 3A 9.4.4");
	apic_enable();
	irq_handler[0x71] = on_ipi;
	check(rdmsr(MSR_APIC_BASE) & 0x100, "smp.bsp_flag", "%llx",
	      rdmsr(MSR_APIC_BASE));
	before = rdtsc();
	check(ap_start(1, ap_main), "smp.sipi_starts", "no answer");
	check(wait_for(&ap_ticks, 100), "smp.both_run", "%llu", ap_ticks);
	check(ap_id == 1, "smp.ap_id", "%llu", ap_id);
	check(ap_tsc > before, "smp.tsc_agrees", "%lld",
	      (s64)(ap_tsc - before));
	cross_ipis();
	one_tsc();
	halted_ipi();
	restart();
	sipis();
	restart();
	init_stops();
}
