/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Task switches through a TSS (SDM 3A 8 *Task Management*; APM 2 12). On VMX
 * every one exits and is done in software; on SVM the CPU does it, so that
 * these checks hold the emulator to the manual as well as the hypervisor; what
 * QEMU's TCG is known to leave out is asked on VMX alone (strict()). Over 400
 * lines: the TSSs and gates that each check changes are shared.
 */
#include "tests/guest/lib/legacy.h"

#define SEL_MAIN   0x30
#define SEL_TASK   0x38
#define SEL_TASK16 0x40
#define SEL_GATE   0x48
#define SEL_LDT    0x50
#define SEL_CODE16 0x58
#define SEL_ABSENT 0x60
#define AVAILABLE  0x89
#define BUSY       0x8b
#define AVAIL16    0x81
#define TASK_GATE  0x85
#define FLAG_NT    0x4000
#define FLAG_RF    0x10000
#define CR0_TS     8
#define TRAP_BIT   1
#define DR6_BT     0x8000
#define GP         13
#define TS         10
#define NP         11
#define SS         12
#define PF         14
#define DB         1
#define LEFT       0xfe
#define AFTER      0xfd

struct tss32 {
	u32 link, esp0, ss0, esp1, ss1, esp2, ss2, cr3, eip, eflags;
	u32 eax, ecx, edx, ebx, esp, ebp, esi, edi;
	u32 es, cs, ss, ds, fs, gs, ldt;
	u16 trap, iomap;
};
static_assert(sizeof(struct tss32) == 104, "SDM 3A 8.2.1");

struct tss16 {
	u16 link, sp0, ss0, sp1, ss1, sp2, ss2, ip, flags;
	u16 ax, cx, dx, bx, sp, bp, si, di, es, cs, ss, ds, ldt;
};
static_assert(sizeof(struct tss16) == 44, "SDM 3A 8.6");

struct task_state {
	u32 eax, ebx, esp, eflags, tr, ldt, cr0, cr3, dr7, ds, top;
	u32 old_type, new_type, count;
};

extern volatile struct task_state task_seen, task_back;
extern volatile u64 task_far, task_far_back;
extern volatile u32 task_act, task_return_eip;
extern void task_call(void), task_jmp(void), task_int(void), task_ud(void);
extern void task_gp(void), task_iret(void), task_leave(void), task_entry(void);
extern void task_after_fault(void);

static struct tss32 main_tss __aligned(128), task_tss __aligned(128);
static struct tss16 task16 __aligned(64);
static u32 task_stack[256] __aligned(16);
static u64 ldt[4] __aligned(16);
/* A TSS page of its own, to be unmapped */
static struct tss32 far_tss __aligned(4096);
static u8 far_rest[4096] __aligned(4096) __attribute__((unused));
static u32 page_dir[1024] __aligned(4096);
static u32 page_tab[1024] __aligned(4096);

static u32 low(const volatile void *p)
{
	return (u32)(u64)p;
}

static void set(u16 sel, u64 descriptor)
{
	legacy_gdt[sel / 8] = descriptor;
}

static u8 type_of(u16 sel)
{
	return (u8)(legacy_gdt[sel / 8] >> 40);
}

/* The ring-0 stack is for QUIRK(bochs-2.7): where it switches tasks itself, it
 * has CPL 3 while it loads LDTR, and a fault of the new task changes stacks
 * (task_switch() of cpu/tasking.cc) */
static void fill_task(struct tss32 *t)
{
	*t = (struct tss32){
		.esp0 = low(task_stack) + sizeof(task_stack) / 2,
		.ss0 = LEGACY_DATA,
		.eip = low(task_entry),
		.eflags = 2,
		.eax = 0x11112222,
		.ebx = 0x33334444,
		.esp = low(task_stack) + sizeof(task_stack),
		.es = LEGACY_DATA,
		.cs = LEGACY_CODE,
		.ss = LEGACY_DATA,
		.ds = LEGACY_DATA,
		.fs = LEGACY_DATA,
		.gs = LEGACY_DATA,
		.iomap = sizeof(*t),
	};
}

static void fill_task16(void)
{
	task16 = (struct tss16){ .flags = 2,
				 .ax = 0x2222,
				 .bx = 0x4444,
				 .sp = 0x8000,
				 .es = LEGACY_DATA,
				 .cs = SEL_CODE16,
				 .ss = LEGACY_DATA,
				 .ds = LEGACY_DATA };
}

/* As the first test wants it: TR names main_tss, the far pointer the task */
static void reset(void)
{
	legacy_reset();
	main_tss = (struct tss32){ .iomap = sizeof(main_tss) };
	fill_task(&task_tss);
	fill_task16();
	set(SEL_MAIN, legacy_descriptor((u64)&main_tss, 103, AVAILABLE));
	set(SEL_TASK, legacy_descriptor((u64)&task_tss, 103, AVAILABLE));
	set(SEL_TASK16, legacy_descriptor((u64)&task16, 43, AVAIL16));
	set(SEL_GATE, legacy_gate(SEL_TASK, 0, TASK_GATE));
	set(SEL_LDT, legacy_descriptor((u64)ldt, 31, 0x82));
	set(SEL_CODE16, legacy_descriptor((u64)task_entry, 0xffff, 0x409b));
	legacy_tr = SEL_MAIN;
	task_far = (u64)SEL_TASK << 32;
	task_far_back = (u64)SEL_MAIN << 32;
	task_act = 0;
	task_seen = (struct task_state){ 0 };
	task_back = (struct task_state){ 0 };
}

/* TCG's own switches lack some of it */
static bool strict(void)
{
	return cpu_is_intel();
}

static void by_call(void)
{
	u8 v;

	reset();
	section("SDM 3A 8.3");
	v = legacy_try(task_call);
	check(v == NO_TRAP && task_seen.count == 1, "task.call_enters",
	      "vector %u error %x", v, legacy_trap.error);
	check(task_seen.tr == SEL_TASK, "task.call_tr", "%x", task_seen.tr);
	check(task_seen.eax == 0x11112222 && task_seen.ebx == 0x33334444,
	      "task.call_registers", "%x %x", task_seen.eax, task_seen.ebx);
	check(task_seen.esp == low(task_stack) + sizeof(task_stack),
	      "task.call_stack", "%x", task_seen.esp);
	check(main_tss.eip == task_return_eip, "task.call_saves_eip", "%x",
	      main_tss.eip);
	check(main_tss.ebx == 0xb0b0b0b0 && main_tss.cs == LEGACY_CODE &&
		      main_tss.ss == LEGACY_DATA,
	      "task.call_saves_registers", "%x %x %x", main_tss.ebx,
	      main_tss.cs, main_tss.ss);
	section("SDM 3A 8.4");
	check((task_tss.link & 0xffff) == SEL_MAIN, "task.call_links", "%x",
	      task_tss.link);
	check(task_seen.eflags & FLAG_NT, "task.call_sets_nt", "%x",
	      task_seen.eflags);
	section("SDM 3A 8.4.1");
	check(task_seen.old_type == BUSY && task_seen.new_type == BUSY,
	      "task.call_both_busy", "%x %x", task_seen.old_type,
	      task_seen.new_type);
	section("SDM 3A 2.5");
	check(task_seen.cr0 & CR0_TS, "task.call_sets_ts", "%x", task_seen.cr0);
	section("SDM 3A 8.3");
	check(task_back.tr == SEL_MAIN && task_back.count == 1,
	      "task.iret_returns", "%x", task_back.tr);
	check(task_back.ebx == 0xb0b0b0b0, "task.iret_registers", "%x",
	      task_back.ebx);
	check(!(task_back.eflags & FLAG_NT), "task.iret_flags", "%x",
	      task_back.eflags);
	check(!(task_tss.eflags & FLAG_NT), "task.iret_saves_nt_clear", "%x",
	      task_tss.eflags);
	section("SDM 3A 8.4.1");
	check(task_back.old_type == BUSY && task_back.new_type == AVAILABLE,
	      "task.iret_clears_busy", "%x %x", task_back.old_type,
	      task_back.new_type);
}

static void by_jmp(void)
{
	u8 v;

	reset();
	task_act = 1;
	task_tss.link = 0x7777;
	section("SDM 3A 8.3");
	v = legacy_try(task_jmp);
	check(v == NO_TRAP && task_seen.tr == SEL_TASK &&
		      task_back.tr == SEL_MAIN,
	      "task.jmp_there_and_back", "vector %u", v);
	section("SDM 3A 8.4");
	check(!(task_seen.eflags & FLAG_NT), "task.jmp_nt_clear", "%x",
	      task_seen.eflags);
	check((task_tss.link & 0xffff) == 0x7777, "task.jmp_no_link", "%x",
	      task_tss.link);
	section("SDM 3A 8.4.1");
	check(task_seen.old_type == AVAILABLE && task_seen.new_type == BUSY,
	      "task.jmp_busy_moves", "%x %x", task_seen.old_type,
	      task_seen.new_type);
}

static void by_gates(void)
{
	u8 v;

	reset();
	section("SDM 3A 8.2.5");
	task_far = (u64)SEL_GATE << 32;
	v = legacy_try(task_call);
	check(v == NO_TRAP && task_seen.tr == SEL_TASK && task_back.count == 1,
	      "task.call_gate", "vector %u", v);
	reset();
	section("SDM 3A 6.14.1");
	legacy_idt[0x40] = legacy_gate(SEL_TASK, 0, TASK_GATE);
	v = legacy_try(task_int);
	check(v == NO_TRAP && task_seen.tr == SEL_TASK &&
		      (task_seen.eflags & FLAG_NT),
	      "task.int_gate", "vector %u flags %x", v, task_seen.eflags);
	check(main_tss.eip == task_return_eip && task_back.count == 1,
	      "task.int_returns_behind", "%x", main_tss.eip);
}

static void by_exceptions(void)
{
	u8 v;

	reset();
	section("SDM 3A 6.14.1");
	task_tss.eip = low(task_after_fault);
	legacy_idt[6] = legacy_gate(SEL_TASK, 0, TASK_GATE);
	v = legacy_try(task_ud);
	check(v == AFTER && main_tss.eip == task_return_eip,
	      "task.fault_saves_its_eip", "vector %u eip %x", v, main_tss.eip);
	section("SDM 3B 18.3.1.1");
	if (strict())
		check(main_tss.eflags & FLAG_RF, "task.fault_saves_rf", "%x",
		      main_tss.eflags);
	reset();
	section("SDM 3A 6.13");
	task_tss.eip = low(task_after_fault);
	legacy_idt[GP] = legacy_gate(SEL_TASK, 0, TASK_GATE);
	v = legacy_try(task_gp);
	check(v == AFTER && task_seen.top == 0xf8, "task.error_code_pushed",
	      "vector %u code %x", v, task_seen.top);
	check(task_seen.esp == low(task_stack) + sizeof(task_stack) - 4,
	      "task.error_code_is_32_bits", "%x", task_seen.esp);
}

/* A fault before the switch: the first task gets it, and nothing has changed */
static void old_fault(const char *name, legacy_function way, u8 want, u32 error)
{
	u32 eip = main_tss.eip;
	u8 v = legacy_try(way);

	check(v == want && legacy_trap.error == error &&
		      legacy_trap.tr == SEL_MAIN && main_tss.eip == eip &&
		      !task_seen.count,
	      name, "vector %u error %x tr %x", v, legacy_trap.error,
	      legacy_trap.tr);
}

static void refusals(void)
{
	section("SDM 3A 8.3 table 8-1");
	reset();
	set(SEL_TASK, legacy_descriptor((u64)&task_tss, 103, BUSY));
	old_fault("task.call_busy_gp", task_call, GP, SEL_TASK);
	reset();
	set(SEL_TASK, legacy_descriptor((u64)&task_tss, 103, BUSY));
	old_fault("task.jmp_busy_gp", task_jmp, GP, SEL_TASK);
	reset();
	set(SEL_TASK, legacy_descriptor((u64)&task_tss, 103, 0x09));
	old_fault("task.absent_np", task_call, NP, SEL_TASK);
	check(type_of(SEL_TASK) == 0x09, "task.absent_unchanged", "%x",
	      type_of(SEL_TASK));
	reset();
	set(SEL_TASK, legacy_descriptor((u64)&task_tss, 0x66, AVAILABLE));
	old_fault("task.short_ts", task_call, TS, SEL_TASK);
	reset();
	task_far = 0xff8ull << 32;
	old_fault("task.outside_gdt_gp", task_call, GP, 0xff8);
	reset();
	legacy_idt[0x40] = legacy_gate(SEL_TASK, 0, 0x05);
	old_fault("task.gate_absent_np", task_int, NP, 0x40 * 8 + 2);
	section("SDM 3A 8.4");
	reset();
	main_tss.link = SEL_TASK;
	old_fault("task.iret_not_busy_ts", task_iret, TS, SEL_TASK);
	check(type_of(SEL_MAIN) == BUSY, "task.iret_fault_keeps_busy", "%x",
	      type_of(SEL_MAIN));
}

/* A fault in the new task: its TR, and the handler runs from there */
static void new_fault(const char *name, u8 want, u32 error)
{
	u8 v = legacy_try(task_call);

	check(v == want && legacy_trap.error == error &&
		      legacy_trap.tr == SEL_TASK && !task_seen.count,
	      name, "vector %u error %x tr %x", v, legacy_trap.error,
	      legacy_trap.tr);
}

static void new_task_faults(void)
{
	section("SDM 3A 8.3 table 8-1");
	reset();
	task_tss.ldt = LEGACY_DATA;
	new_fault("task.ldt_no_ldt_ts", TS, LEGACY_DATA);
	reset();
	set(SEL_LDT, legacy_descriptor((u64)ldt, 31, 0x02));
	task_tss.ldt = SEL_LDT;
	new_fault("task.ldt_absent_ts", TS, SEL_LDT);
	reset();
	task_tss.ds = 0xf8 << 4;
	new_fault("task.ds_outside_ts", TS, 0xf80);
	reset();
	set(SEL_ABSENT, legacy_descriptor(0, 0xfffff, 0xc013));
	task_tss.ds = SEL_ABSENT;
	new_fault("task.ds_absent_np", NP, SEL_ABSENT);
	reset();
	set(SEL_ABSENT, legacy_descriptor(0, 0xfffff, 0xc099));
	task_tss.es = SEL_ABSENT;
	new_fault("task.es_unreadable_ts", TS, SEL_ABSENT);
	reset();
	task_tss.cs = LEGACY_DATA;
	new_fault("task.cs_data_ts", TS, LEGACY_DATA);
}

/* With no stack or no code of its own, only a task gate can take the fault */
static void unusable_stack(void)
{
	u8 v;

	if (!strict())
		return;
	section("SDM 3A 8.3 table 8-1");
	reset();
	set(SEL_ABSENT, legacy_descriptor(0, 0xfffff, 0xc013));
	task_tss.ss = SEL_ABSENT;
	/* The main task's IRET is its handler: it is busy, so one more */
	fill_task(&far_tss);
	far_tss.eip = low(task_after_fault);
	set(SEL_TASK16, legacy_descriptor((u64)&far_tss, 103, AVAILABLE));
	legacy_idt[SS] = legacy_gate(SEL_TASK16, 0, TASK_GATE);
	legacy_idt[TS] = legacy_idt[SS];
	v = legacy_try(task_call);
	check(v == AFTER && task_seen.top == SEL_ABSENT, "task.ss_absent_ss",
	      "vector %u code %x", v, task_seen.top);
	check(task_seen.tr == SEL_TASK16 && far_tss.link == SEL_TASK,
	      "task.ss_fault_is_the_new_tasks", "tr %x link %x", task_seen.tr,
	      far_tss.link);
}

static void context(void)
{
	u8 v;

	section("SDM 3A 8.3");
	reset();
	task_tss.ldt = SEL_LDT;
	ldt[1] = legacy_gdt[2];
	task_tss.ds = 0x0c;
	v = legacy_try(task_call);
	check(v == NO_TRAP && task_seen.ldt == SEL_LDT && task_seen.ds == 0x0c,
	      "task.ldt_loaded", "vector %u ldt %x ds %x", v, task_seen.ldt,
	      task_seen.ds);
	section("SDM 3B 18.2.4");
	reset();
	__asm__ volatile("mov %0, %%dr7" ::"r"(0x4aaul | 0x155));
	v = legacy_try(task_call);
	__asm__ volatile("mov %0, %%dr7" ::"r"(0x400ul));
	check(v == NO_TRAP && (task_seen.dr7 & 0x55) == 0 &&
		      (task_seen.dr7 & 0xaa) == 0xaa,
	      "task.dr7_local_cleared", "vector %u dr7 %x", v, task_seen.dr7);
	section("SDM 3B 18.3.1.5");
	reset();
	task_tss.trap = TRAP_BIT;
	if (!strict())
		return;
	v = legacy_try(task_call);
	check(v == DB && legacy_trap.eip == low(task_entry) &&
		      (legacy_trap.dr6 & DR6_BT),
	      "task.trap_bit", "vector %u eip %x dr6 %x", v, legacy_trap.eip,
	      legacy_trap.dr6);
}

static void task_16(void)
{
	u8 v;

	section("SDM 3A 8.6");
	reset();
	task_far = (u64)SEL_TASK16 << 32;
	v = legacy_try(task_call);
	check(v == NO_TRAP && task_seen.tr == SEL_TASK16, "task.tss16_enters",
	      "vector %u error %x tr %x", v, legacy_trap.error, task_seen.tr);
	check((task_seen.eax & 0xffff) == 0x2222 &&
		      (task_seen.ebx & 0xffff) == 0x4444,
	      "task.tss16_registers", "%x %x", task_seen.eax, task_seen.ebx);
	check(task16.link == SEL_MAIN && (task_seen.eflags & FLAG_NT),
	      "task.tss16_links", "%x", task16.link);
	check(task_back.tr == SEL_MAIN && task_back.ebx == 0xb0b0b0b0,
	      "task.tss16_returns", "%x %x", task_back.tr, task_back.ebx);
	reset();
	set(SEL_TASK16, legacy_descriptor((u64)&task16, 42, AVAIL16));
	task_far = (u64)SEL_TASK16 << 32;
	old_fault("task.tss16_short_ts", task_call, TS, SEL_TASK16);
}

/* 4 MiB pages 1:1, but for the page of far_tss */
static void map(bool with_far)
{
	u32 base = low(&far_tss) & ~0x3fffffu;

	for (u32 i = 0; i < 1024; i++)
		page_dir[i] = i << 22 | 0x83;
	for (u32 i = 0; i < 1024; i++)
		page_tab[i] = (base + (i << 12)) | 3;
	if (!with_far)
		page_tab[low(&far_tss) >> 12 & 1023] = 0;
	page_dir[base >> 22] = low(page_tab) | 3;
	legacy_cr0 = LEGACY_CR0 | 1u << 31;
	legacy_cr3 = low(page_dir);
	legacy_cr4 = 0x10; /* PSE */
}

static void with_paging(void)
{
	static u32 other_dir[1024] __aligned(4096);
	u8 v;

	section("SDM 3A 8.3");
	reset();
	map(true);
	for (u32 i = 0; i < 1024; i++)
		other_dir[i] = page_dir[i];
	task_tss.cr3 = low(other_dir);
	main_tss.cr3 = low(page_dir);
	v = legacy_try(task_call);
	check(v == NO_TRAP && task_seen.cr3 == low(other_dir),
	      "task.cr3_loaded", "vector %u cr3 %x", v, task_seen.cr3);
	check(task_back.cr3 == low(page_dir), "task.cr3_back", "%x",
	      task_back.cr3);
	reset();
	map(false);
	set(SEL_TASK, legacy_descriptor((u64)&far_tss, 103, AVAILABLE));
	v = legacy_try(task_call);
	check(v == PF && legacy_trap.tr == SEL_MAIN, "task.unmapped_tss_pf",
	      "vector %u tr %x", v, legacy_trap.tr);
	check(legacy_trap.cr2 >> 12 == low(&far_tss) >> 12,
	      "task.unmapped_tss_cr2", "%x", legacy_trap.cr2);
	if (strict())
		check(type_of(SEL_TASK) == AVAILABLE &&
			      type_of(SEL_MAIN) == BUSY,
		      "task.unmapped_tss_unchanged", "%x %x", type_of(SEL_TASK),
		      type_of(SEL_MAIN));
}

void guest_main(void)
{
	by_call();
	by_jmp();
	by_gates();
	by_exceptions();
	refusals();
	new_task_faults();
	unusable_stack();
	context();
	task_16();
	with_paging();
}
