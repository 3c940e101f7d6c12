/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * NMIs (SDM 3A 6.7 *Nonmaskable Interrupt*; APM 2 8.2.3): blocked from their
 * delivery to the next IRET, one of them kept. An exception in between ends the
 * blocking early, by its own IRET. On SVM the hypervisor steps over that IRET,
 * which nothing here may see.
 */
#include "tests/guest/lib/guest.h"

#define TF  0x100ul
#define NMI 2
#define DB  1
#define BP  3
#define GP  13

static volatile u32 depth, deepest, count;
static void (*volatile in_handler)(struct trap_frame *f);
static volatile u64 at_rip, at_flags, inner_flags, db_rip, db_dr6;
static volatile u32 dbs, gps;

static void send_nmi(void)
{
	wrmsr(X2APIC_ICR, rdmsr(X2APIC_ID) << 32 | 0x400);
}

static void on_nmi(struct trap_frame *f)
{
	void (*then)(struct trap_frame *) = in_handler;

	count++;
	depth++;
	if (depth > deepest)
		deepest = depth;
	at_rip = f->rip;
	at_flags = f->rflags;
	inner_flags = rflags();
	in_handler = NULL;
	if (then)
		then(f);
	depth--;
}

static void start(void (*then)(struct trap_frame *f))
{
	depth = deepest = count = dbs = gps = 0;
	in_handler = then;
}

static void send_one(struct trap_frame *f)
{
	send_nmi();
	spin();
}

static void send_three(struct trap_frame *f)
{
	send_nmi();
	send_nmi();
	send_nmi();
	spin();
}

static void blocking(void)
{
	section("SDM 3A 6.7.1");
	start(NULL);
	send_nmi();
	spin();
	check(count == 1, "nmi.taken", "%u", count);
	start(send_one);
	send_nmi();
	spin();
	check(deepest == 1, "nmi.blocked_in_handler", "nested %u deep",
	      deepest);
	check(count == 2, "nmi.pending_after_iret", "%u", count);
	start(send_three);
	send_nmi();
	spin();
	check(deepest == 1 && count == 2, "nmi.one_is_kept", "%u, %u deep",
	      count, deepest);
}

/* With IF clear, and right behind the instruction that sends it */
static void timing(void)
{
	u64 after, sent = rdmsr(X2APIC_ID) << 32 | 0x400;

	section("SDM 3A 6.7");
	start(NULL);
	irq_off();
	__asm__ volatile("lea 1f(%%rip), %0\n wrmsr\n1: nop"
			 : "=&r"(after)
			 : "c"(X2APIC_ICR), "a"((u32)sent),
			   "d"((u32)(sent >> 32))
			 : "memory");
	check(count == 1 && at_rip == after, "nmi.at_the_boundary",
	      "%u at %llx for %llx", count, at_rip, after);
	section("SDM 3A 6.8.3");
	start(NULL);
	__asm__ volatile("lea 1f(%%rip), %0\n mov %%ss, %%ebx\n"
			 "mov %%ebx, %%ss\n wrmsr\n1: nop"
			 : "=&r"(after)
			 : "c"(X2APIC_ICR), "a"((u32)sent),
			   "d"((u32)(sent >> 32))
			 : "rbx", "memory");
	check(count == 1 && at_rip == after, "nmi.behind_mov_ss_shadow",
	      "%u at %llx for %llx", count, at_rip, after);
	section("SDM 3A 6.8.1");
	start(NULL);
	__asm__ volatile("lea 1f(%%rip), %0\n sti\n wrmsr\n1: nop\n cli"
			 : "=&r"(after)
			 : "c"(X2APIC_ICR), "a"((u32)sent),
			   "d"((u32)(sent >> 32))
			 : "memory");
	check(count == 1 && at_rip >= after && at_rip <= after + 1,
	      "nmi.behind_sti_shadow", "%u at %llx for %llx", count, at_rip,
	      after);
}

static void breakpoint_inside(struct trap_frame *f)
{
	send_nmi();
	spin();
	__asm__ volatile("int3");
	spin();
}

static void nothing(struct trap_frame *f)
{
}

static void inner_iret(void)
{
	section("SDM 3A 6.7.1");
	irq_handler[BP] = nothing;
	start(breakpoint_inside);
	send_nmi();
	spin();
	check(count == 2 && deepest == 2, "nmi.any_iret_unblocks",
	      "%u, %u deep", count, deepest);
	irq_handler[BP] = NULL;
}

static u64 good_cs;

static void spoil_cs(struct trap_frame *f)
{
	good_cs = f->cs;
	f->cs = 0xf8;
}

/* The frame of the IRETQ that faulted is at its RSP: mend it, try again */
static void mend(struct trap_frame *f)
{
	u64 *frame = (u64 *)f->rsp;

	gps++;
	at_flags = f->rflags;
	frame[1] = good_cs;
}

/* The handler's own IRET faults: its flags stay, nothing is lost */
static void faulting_iret(void)
{
	section("SDM 2A IRET");
	irq_handler[GP] = mend;
	start(spoil_cs);
	send_nmi();
	spin();
	check(gps == 1 && count == 1, "nmi.iret_fault", "%u faults, %u NMIs",
	      gps, count);
	check(!(at_flags & TF), "nmi.iret_fault_flags", "TF in %llx", at_flags);
	check(!(rflags() & TF), "nmi.iret_fault_no_trap", "TF in %llx",
	      rflags());
	section("SDM 3A 6.7.1");
	start(send_one);
	send_nmi();
	spin();
	check(count == 2 && deepest == 1, "nmi.blocking_after_fault",
	      "%u, %u deep", count, deepest);
	irq_handler[GP] = NULL;
}

static void on_db(struct trap_frame *f)
{
	dbs++;
	db_rip = f->rip;
	__asm__ volatile("mov %%dr6, %0; mov %1, %%dr6"
			 : "=&r"(db_dr6)
			 : "r"(0xffff0ff0ul));
	f->rflags &= ~TF;
}

/* The interrupted code is being single-stepped */
static void stepped_code(void)
{
	u64 after, sent = rdmsr(X2APIC_ID) << 32 | 0x400;

	section("SDM 3A 6.9");
	irq_handler[DB] = on_db;
	start(NULL);
	__asm__ volatile("lea 1f(%%rip), %0\n pushfq\n orq $0x100, (%%rsp)\n"
			 "popfq\n wrmsr\n1: nop\n nop"
			 : "=&r"(after)
			 : "c"(X2APIC_ICR), "a"((u32)sent),
			   "d"((u32)(sent >> 32))
			 : "memory", "cc");
	check(count == 1 && dbs == 1, "nmi.step_and_nmi", "%u NMIs, %u traps",
	      count, dbs);
	check(db_rip == after && (db_dr6 & 0x4000), "nmi.step_where",
	      "%llx for %llx, dr6 %llx", db_rip, after, db_dr6);
	check(!(inner_flags & TF), "nmi.handler_not_stepped", "%llx",
	      inner_flags);
}

/* Back to code with TF set: the trap comes behind its next instruction */
static u64 step_rip;

static void set_tf(struct trap_frame *f)
{
	f->rflags |= TF;
	step_rip = f->rip;
}

static void iret_to_stepped_code(void)
{
	u64 after, sent = rdmsr(X2APIC_ID) << 32 | 0x400;

	section("SDM 3B 18.3.1.4");
	start(set_tf);
	__asm__ volatile("lea 1f(%%rip), %0\n wrmsr\n1: nop\n2: nop\n nop"
			 : "=&r"(after)
			 : "c"(X2APIC_ICR), "a"((u32)sent),
			   "d"((u32)(sent >> 32))
			 : "memory");
	check(dbs == 1 && step_rip == after && db_rip == after + 1,
	      "nmi.iret_sets_tf", "%u traps, at %llx for %llx", dbs, db_rip,
	      after + 1);
	check((db_dr6 & 0x4000) && (db_dr6 & 0xf) == 0, "nmi.iret_sets_tf_dr6",
	      "%llx", db_dr6);
	irq_handler[DB] = NULL;
}

void guest_main(void)
{
	apic_enable();
	irq_handler[NMI] = on_nmi;
	blocking();
	timing();
	inner_iret();
	faulting_iret();
	stepped_code();
	iret_to_stepped_code();
	check(!(rflags() & TF), "nmi.no_tf_left", "%llx", rflags());
}
