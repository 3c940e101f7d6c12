/* SPDX-License-Identifier: BSD-2-Clause */
/* Exceptions reach the guest as the CPU raised them (SDM 3A 6.15) */
#include "tests/guest/lib/guest.h"

static void do_ud(void *arg)
{
	__asm__ volatile("ud2");
}
static void do_de(void *arg)
{
	__asm__ volatile("div %b0" ::"r"(0), "a"(1));
}
static void do_bp(void *arg)
{
	__asm__ volatile("int3");
}
static void do_gp(void *arg)
{
	__asm__ volatile("mov (%0), %%rax" ::"r"(arg) : "rax");
}
static void do_pf_read(void *arg)
{
	(void)*(volatile u64 *)arg;
}
static void do_pf_write(void *arg)
{
	*(volatile u64 *)arg = 1;
}
static void do_db(void *arg)
{
	__asm__ volatile("pushfq; orq $0x100, (%%rsp); popfq; nop; nop" ::
				 : "memory");
}
static void do_segment(void *arg)
{
	__asm__ volatile("mov %w0, %%fs" ::"r"(0xf8));
}
static void do_vmcall_svm(void *arg)
{
	__asm__ volatile(".byte 0x0f,0x01,0xd8" ::"a"(0) : "memory");
}
static void do_vmxon(void *arg)
{
	u64 where = (u64)arg;

	__asm__ volatile("vmxon %0" ::"m"(where));
}
static void do_vmread(void *arg)
{
	u64 v = 0;

	__asm__ volatile("vmread %0, %0" : "+r"(v));
}
static void do_clgi(void *arg)
{
	__asm__ volatile(".byte 0x0f,0x01,0xdd");
}
static void do_stgi(void *arg)
{
	__asm__ volatile(".byte 0x0f,0x01,0xdc");
}
static void do_cr4_vmxe(void *arg)
{
	write_cr4(read_cr4() | 1ul << 13);
}
static void do_cr4_reserved(void *arg)
{
	write_cr4(read_cr4() | 1ul << 63);
}
static void do_cr0_reserved(void *arg)
{
	__asm__ volatile("mov %0, %%cr0" ::"r"(read_cr0() | 1ull << 40));
}
static void do_monitor(void *arg)
{
	__asm__ volatile("monitor" ::"a"(arg), "c"(0), "d"(0));
}
static void do_rdpmc(void *arg)
{
	__asm__ volatile("rdpmc" ::"c"(0x12345) : "eax", "edx");
}
static void do_int80(void *arg)
{
	__asm__ volatile("int $0x80");
}

static const struct {
	const char *name;
	void (*fn)(void *arg);
	void *arg;
	u8 vector;
	u64 error;
} faults[] = {
	{ "exception.ud", do_ud, NULL, 6, 0 },
	{ "exception.de", do_de, NULL, 0, 0 },
	{ "exception.bp", do_bp, NULL, 3, 0 },
	{ "exception.db_single_step", do_db, NULL, 1, 0 },
	{ "exception.gp_noncanonical", do_gp, (void *)0x8000000000000000, 13,
	  0 },
	{ "exception.gp_segment", do_segment, NULL, 13, 0xf8 },
	{ "exception.pf_read", do_pf_read, (void *)0x180000000, 14, 0 },
	{ "exception.pf_write", do_pf_write, (void *)0x180000000, 14, 2 },
	{ "exception.vmrun_ud", do_vmcall_svm, NULL, 6, 0 },
	{ "exception.vmxon_ud", do_vmxon, NULL, 6, 0 },
	{ "exception.vmread_ud", do_vmread, NULL, 6, 0 },
	{ "exception.clgi_ud", do_clgi, NULL, 6, 0 },
	{ "exception.stgi_ud", do_stgi, NULL, 6, 0 },
	{ "exception.monitor_ud", do_monitor, NULL, 6, 0 },
	{ "exception.rdpmc_gp", do_rdpmc, NULL, 13, 0 },
};

/* The trap flag over an instruction that exits: #DB right after it */
static void step_over_cpuid(void *arg)
{
	u64 *after = arg;
	u32 a = 0, b, c = 0, d;

	__asm__ volatile("lea 1f(%%rip), %%rdi; mov %%rdi, %4\n"
			 "pushfq; orq $0x100, (%%rsp); popfq\n"
			 "cpuid\n1: nop; nop; nop"
			 : "+a"(a), "=b"(b), "+c"(c), "=d"(d), "=m"(*after)
			 :
			 : "rdi", "memory");
}

static void single_step(void)
{
	u64 after = 0;
	u8 v = guest_try(step_over_cpuid, &after);

	section("SDM 3B 18.3.1.4");
	check(v == 1 && trap_rip == after, "exception.step_over_cpuid",
	      "vector %u at %llx, wanted %llx", v, trap_rip, after);
}

/* On AMD the guest's own MOV, no exit. QUIRK(tcg-7.2): it raises no #GP */
static void control_registers(void)
{
	section("SDM 3A 2.5");
	if (!cpu_is_intel())
		return;
	check(guest_try(do_cr0_reserved, NULL) == 13,
	      "exception.cr0_reserved_gp", "no #GP");
	check(guest_try(do_cr4_vmxe, NULL) == 13, "exception.cr4_vmxe_gp",
	      "VMXE could be set");
	check(guest_try(do_cr4_reserved, NULL) == 13,
	      "exception.cr4_reserved_gp", "no #GP");
}

static void page_fault_address(void)
{
	section("SDM 3A 6.15");
	(void)guest_try(do_pf_read, (void *)0x180000123);
	check(trap_cr2 == 0x180000123, "exception.cr2", "%llx", trap_cr2);
}

static void software_interrupt(void)
{
	u64 before = irq_count[0x80];

	section("SDM 3A 6.3.3");
	do_int80(NULL);
	check(irq_count[0x80] == before + 1, "exception.int_80", "%llu",
	      irq_count[0x80] - before);
}

void guest_main(void)
{
	section("SDM 3A 6.15");
	for (u32 i = 0; i < ARRAY_SIZE(faults); i++) {
		u8 v = guest_try(faults[i].fn, faults[i].arg);

		check(v == faults[i].vector && trap_error == faults[i].error,
		      faults[i].name, "vector %u error %llx, wanted %u %llx", v,
		      trap_error, faults[i].vector, faults[i].error);
	}
	single_step();
	control_registers();
	page_fault_address();
	software_interrupt();
}
