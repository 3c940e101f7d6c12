/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The privileged guest moves the BAR of a real device, whose MSI-X table lies
 * in it, to where nothing may be, as fast as it can, and while another vCPU
 * writes raw messages to where the table comes next. Sent by the device, that
 * message is an exception vector in the host. It also moves the device's
 * interrupt between its vCPUs without end. An NVMe controller is asked to send
 * what it has all the time; others only move.
 */
#include "tests/guest/lib/guest.h"

#define PCI_ADDRESS 0xcf8
#define PCI_DATA    0xcfc
#define COMMAND     0x04
#define MEMORY      0x2u
#define MASTER      0x4u
#define STATUS_CAPS 0x10u
#define CLASS_NVME  0x010802
#define CAP_MSIX    0x11

/* Where a 512 MiB machine has neither RAM nor devices */
#define PLACE_A   0x50000000ul
#define PLACE_B   0x50100000ul
#define BEYOND_HI 0x1000u /* bit 44 */

#define MESSAGE       0xfee00000u
#define VECTOR        0x61u
#define HOSTILE       0x08u /* #DF */
#define ENTRY_MASKED  1u
#define SPINS_A_REPLY 20000000u

/* NVMe 1.4, 3.1 *Register Definition* and 5.15 *Identify command* */
#define CC         0x14
#define CC_START   0x460001u /* 16-byte completions, 64-byte commands */
#define CSTS       0x1c
#define AQA        0x24
#define ASQ        0x28
#define ACQ        0x30
#define SQ_TAIL    0x1000
#define CQ_HEAD    0x1004
#define QUEUE_SIZE 8u
#define IDENTIFY   0x06u

static u32 device;   /* of bus 0 */
static u32 msix;     /* the capability */
static u32 table;    /* offset in BAR 0 */
static bool is_nvme; /* else nothing asks it to interrupt */
static u64 bar;
static u32 tail, head;
static volatile bool ap_stop, ap_here;
static volatile u64 ap_writes;

static u32 submission[QUEUE_SIZE][16] __aligned(4096);
static volatile u32 completion[QUEUE_SIZE][4] __aligned(4096);
static u8 identity[4096] __aligned(4096);

static u32 cfg_read(u32 reg)
{
	outl(PCI_ADDRESS, 1u << 31 | device << 11 | (reg & ~3u));
	return inl(PCI_DATA);
}

static void cfg_write(u32 reg, u32 value)
{
	outl(PCI_ADDRESS, 1u << 31 | device << 11 | (reg & ~3u));
	outl(PCI_DATA, value);
}

static u32 find_capability(u32 id)
{
	u32 at = cfg_read(0x34) & 0xfc;

	while (at && (cfg_read(at) & 0xff) != id)
		at = cfg_read(at) >> 8 & 0xfc;
	return at;
}

/* A function whose MSI-X table is in BAR 0; the first on bus 0 */
static bool find_device(void)
{
	for (device = 0; device < 32; device++) {
		if (cfg_read(0) == ~0u || !(cfg_read(4) >> 16 & STATUS_CAPS))
			continue;
		msix = find_capability(CAP_MSIX);
		if (msix && !(cfg_read(msix + 4) & 7))
			break;
	}
	is_nvme = cfg_read(8) >> 8 == CLASS_NVME;
	return device < 32;
}

static volatile u32 *reg(u32 offset)
{
	return (volatile u32 *)(bar + offset);
}

static volatile u32 *entry(u64 at, u32 n)
{
	return (volatile u32 *)(at + table + n * 16);
}

static bool decodes(void)
{
	return cfg_read(COMMAND) & MEMORY;
}

/* With decoding on: one write of the low half */
static void bar_move(u64 to)
{
	cfg_write(0x10, (u32)to);
	bar = to;
}

static void entry_set(u32 vector)
{
	volatile u32 *e = entry(bar, 0);

	e[0] = MESSAGE;
	e[1] = 0;
	e[2] = vector;
	e[3] = 0;
}

static bool wait_ready(u32 ready)
{
	for (u32 i = 0; i < SPINS_A_REPLY; i++)
		if ((*reg(CSTS) & 1) == ready)
			return true;
	return false;
}

static bool controller_start(void)
{
	if (!is_nvme)
		return true;
	*reg(CC) = 0;
	if (!wait_ready(0))
		return false;
	*reg(AQA) = (QUEUE_SIZE - 1) << 16 | (QUEUE_SIZE - 1);
	*reg(ASQ) = (u32)(u64)submission;
	*reg(ASQ + 4) = 0;
	*reg(ACQ) = (u32)(u64)completion;
	*reg(ACQ + 4) = 0;
	*reg(CC) = CC_START;
	return wait_ready(1);
}

/* One command; the device works on it while we go on */
static void submit(void)
{
	u32 *command = submission[tail];

	if (!is_nvme)
		return;
	command[0] = IDENTIFY;
	command[6] = (u32)(u64)identity;
	command[10] = 1; /* the controller */
	tail = (tail + 1) % QUEUE_SIZE;
	*reg(SQ_TAIL) = tail;
}

/* Its completion, which the phase bit shows; its interrupt may come or not */
static bool complete(void)
{
	static u32 phase = 1;

	if (!is_nvme)
		return true;
	for (u32 i = 0; (completion[head][3] >> 16 & 1) != phase; i++) {
		if (i == SPINS_A_REPLY)
			return false;
		cpu_relax();
	}
	head = (head + 1) % QUEUE_SIZE;
	phase ^= !head;
	*reg(CQ_HEAD) = head;
	return true;
}

static bool interrupt_comes(void)
{
	u64 before = irq_count[VECTOR];

	submit();
	if (!is_nvme || !complete())
		return !is_nvme;
	for (u32 i = 0; i < 100000 && irq_count[VECTOR] == before; i++)
		irq_window();
	return irq_count[VECTOR] != before;
}

static void test_table(void)
{
	section("PCI 3.0 6.8.2");
	check(entry(bar, 0)[3] & ENTRY_MASKED, "assign.entry_is_masked", "%x",
	      entry(bar, 0)[3]);
	entry_set(VECTOR);
	check(entry(bar, 0)[2] == VECTOR, "assign.entry_is_kept", "%x",
	      entry(bar, 0)[2]);
	cfg_write(msix, 0x80000000);
	check(controller_start(), "assign.controller_starts", "CSTS %x",
	      *reg(CSTS));
	check(interrupt_comes(), "assign.interrupt", "completion %x",
	      completion[0][3]);
}

/* The host cannot map it, so there must be no table either */
static void test_beyond(void)
{
	if ((cfg_read(0x10) & 6) != 4)
		return; /* a 32-bit BAR */
	section("SDM 3A 4.5.4");
	cfg_write(0x14, BEYOND_HI);
	check(!decodes(), "assign.bar_beyond_the_cpu", "command %x",
	      cfg_read(COMMAND));
	cfg_write(msix, 0);
	cfg_write(msix, 0x80000000);
	cfg_write(COMMAND, MEMORY | MASTER);
	check(!decodes(), "assign.bar_beyond_the_cpu_again", "command %x",
	      cfg_read(COMMAND));
	cfg_write(0x14, 0);
	cfg_write(COMMAND, MEMORY | MASTER);
	check(decodes(), "assign.bar_is_back", "command %x", cfg_read(COMMAND));
	check(interrupt_comes(), "assign.interrupt_after_beyond", "%llu",
	      irq_count[VECTOR]);
}

/* More often than the hypervisor's pool has pages for the mappings */
static void test_moves(void)
{
	u64 moves = cmdline_number("moves=", 1000);

	section("PCI 3.0 6.2.5.1");
	for (u64 i = 0; i < moves; i++)
		bar_move(i & 1 ? PLACE_A : PLACE_B);
	bar_move(PLACE_A);
	check(decodes() && interrupt_comes(), "assign.interrupt_after_moves",
	      "%llu moves, command %x", moves, cfg_read(COMMAND));
}

/* The other vCPU writes the hostile message where the table is about to be */
static void ap_main(void)
{
	while (!ap_stop) {
		volatile u32 *e = entry(PLACE_B, 0);

		e[0] = MESSAGE;
		e[1] = 0;
		e[2] = HOSTILE;
		e[3] = 0;
		ap_writes++;
		ap_here = true;
	}
	ap_here = false;
	for (;;)
		__asm__ volatile("cli; hlt");
}

static void test_race(void)
{
	u64 rounds = cmdline_number("rounds=", 100), done = 0, irqs = 0;

	section("PCI 3.0 6.8.2");
	check(ap_start(1, ap_main), "assign.second_vcpu", "silent");
	while (!ap_here)
		cpu_relax();
	for (u64 i = 0; i < rounds; i++) {
		/* It sends what is in the entry during the move */
		submit();
		bar_move(PLACE_B);
		done += complete();
		submit();
		bar_move(PLACE_A);
		done += complete();
		entry_set(VECTOR);
		irqs += interrupt_comes();
	}
	ap_stop = true;
	while (ap_here)
		cpu_relax();
	check(done == 2 * rounds, "assign.commands_in_the_race", "%llu of %llu",
	      done, 2 * rounds);
	check(irqs == rounds, "assign.interrupts_in_the_race",
	      "%llu of %llu, %llu hostile writes", irqs, rounds, ap_writes);
}

static volatile u64 arrived, retargets;

static void count_arrival(struct trap_frame *f)
{
	__atomic_fetch_add(&arrived, 1, __ATOMIC_SEQ_CST);
	irq_ack(f);
}

/* The other vCPU aims the interrupt at itself and back, as fast as it can */
static void ap_retarget(void)
{
	while (!ap_stop) {
		entry(bar, 0)[0] = MESSAGE | (retargets & 1) << 12;
		retargets++;
		irq_window();
		ap_here = true;
	}
	ap_here = false;
	for (;;)
		__asm__ volatile("cli; hlt");
}

static bool arrives(u64 count)
{
	for (u32 i = 0; i < 1000000 && arrived < count; i++)
		irq_window();
	return arrived >= count;
}

/* One interrupt for each command: none is lost on its way, and none comes on
 * the old core and on the new one */
static void test_retargets(void)
{
	u64 rounds = cmdline_number("retargets=", 1000), lost = 0;

	section("PCI 3.0 6.8.3.5");
	irq_handler[VECTOR] = count_arrival;
	ap_stop = false;
	check(ap_start(1, ap_retarget), "assign.retargeting_vcpu", "silent");
	while (!ap_here)
		cpu_relax();
	for (u64 i = 0; i < rounds && is_nvme; i++) {
		submit();
		lost += !complete() || !arrives(i + 1 - lost);
	}
	ap_stop = true;
	while (ap_here)
		cpu_relax();
	spin();
	irq_window();
	check(lost == 0, "assign.no_interrupt_is_lost",
	      "%llu of %llu, %llu moves", lost, rounds, retargets);
	check(!is_nvme || arrived + lost == rounds,
	      "assign.no_interrupt_is_doubled", "%llu of %llu, %llu moves",
	      arrived, rounds, retargets);
}

void guest_main(void)
{
	apic_enable();
	irq_handler[VECTOR] = irq_ack;
	section("PCI 3.0 6.7");
	if (!find_device()) {
		check(false, "assign.device", "none with MSI-X");
		return;
	}
	table = cfg_read(msix + 4) & ~7u;
	cfg_write(COMMAND, 0);
	cfg_write(0x14, 0);
	cfg_write(0x10, (u32)PLACE_A);
	cfg_write(COMMAND, MEMORY | MASTER);
	bar = PLACE_A;
	check(decodes(), "assign.device", "command %x", cfg_read(COMMAND));
	test_table();
	test_beyond();
	test_moves();
	test_race();
	test_retargets();
	if (is_nvme)
		*reg(CC) = 0;
}
