/* SOURCES: hv/core/last_exit.c hv/core/exit.c lib/last_exit_text.c lib/printf.c lib/string.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/* What is noted of a vCPU's last exits: what each asked for, a loop in as many
 * records as it has places, and all of it in order, in words and in the log */
#include "hv/core/last_exit.h"

#include "hv/core/exit.h"
#include "lib/last_exit_text.h"
#include "tests/unit/fakes/exception.h"
#include "tests/unit/fakes/log.h"
#include "tests/unit/test.h"

static struct vm vm;
static struct vcpu v;
static struct bh_ctl_last_exits all;
static u32 rests;

const struct vcpu_ops *vcpu_ops;

static void rest(void)
{
	rests++;
}

static int setup(void **state)
{
	memset(&v, 0, sizeof(v));
	v.vm = &vm;
	v.id = 3;
	rests = 0;
	return 0;
}

static struct vcpu_exit *leave(enum exit_kind kind, u64 rip)
{
	v.hw.exit = (struct vcpu_exit){ .kind = kind };
	v.hw.regs.rip = rip;
	return &v.hw.exit;
}

static void note(enum exit_kind kind, u64 rip)
{
	leave(kind, rip);
	last_exit_note(&v);
}

static const char *text_of(u32 i)
{
	static char text[LAST_EXIT_TEXT_BYTES];

	last_exit_copy(&v, &all);
	assert_true(i < all.count);
	last_exit_text(text, sizeof(text), &all.exit[i],
		       exit_name(all.exit[i].kind));
	return text;
}

static void test_ports(void **state)
{
	struct vcpu_exit *e = leave(EXIT_PORT, 0x7c00);

	v.hw.regs.gpr[GPR_RAX] = 0x1122334455667706;
	e->port.port = 0xcf9;
	e->port.size = 1;
	last_exit_note(&v);
	assert_string_equal(text_of(0), "port at 0x7c00, writes 0x6 to port "
					"0xcf9, 1 byte");
	e = leave(EXIT_PORT, 0x7c02);
	e->port.port = 0x70;
	e->port.size = 4;
	last_exit_note(&v);
	assert_string_equal(text_of(1), "port at 0x7c02, writes 0x55667706 to "
					"port 0x70, 4 bytes");
	e = leave(EXIT_PORT, 0x7c04);
	e->port.port = 0x64;
	e->port.size = 2;
	e->port.in = true;
	last_exit_note(&v);
	assert_string_equal(text_of(2),
			    "port at 0x7c04, reads port 0x64, 2 bytes");
	leave(EXIT_PORT, 0x7c06)->port.string = true;
	v.hw.exit.port.size = 2;
	last_exit_note(&v);
	assert_string_equal(text_of(3), "port at 0x7c06, writes port 0, 2 "
					"bytes a time");
}

static void test_memory(void **state)
{
	leave(EXIT_MMIO, 1)->mmio.gpa = GPA(0xfed40000);
	v.hw.exit.mmio.access = ACCESS_W;
	last_exit_note(&v);
	assert_string_equal(text_of(0), "MMIO at 0x1, writes address "
					"0xfed40000");
	leave(EXIT_MMIO, 2)->mmio.gpa = GPA(0xfed40000);
	v.hw.exit.mmio.access = ACCESS_R;
	last_exit_note(&v);
	assert_string_equal(text_of(1),
			    "MMIO at 0x2, reads address 0xfed40000");
	leave(EXIT_MMIO, 3)->mmio.gpa = GPA(0xfed40000);
	v.hw.exit.mmio.access = ACCESS_X;
	last_exit_note(&v);
	assert_string_equal(text_of(2),
			    "MMIO at 0x3, executes address 0xfed40000");
}

/* An access to an MSR that the policy refuses, and who is told of it */
static void test_msr_and_what_came_of_it(void **state)
{
	v.hw.regs.gpr[GPR_RCX] = 0xffffffffc0000103;
	v.hw.regs.gpr[GPR_RDX] = 0x1;
	v.hw.regs.gpr[GPR_RAX] = 0xff00000002;
	note(EXIT_WRMSR, 0x10);
	v.pending =
		(struct vcpu_event){ .type = EVENT_EXCEPTION, .vector = 13 };
	last_exit_raised(&v);
	assert_string_equal(text_of(0),
			    "WRMSR at 0x10, writes 0x100000002 to MSR "
			    "0xc0000103, answered with exception 13");
	note(EXIT_RDMSR, 0x12);
	assert_string_equal(text_of(1), "RDMSR at 0x12, reads MSR 0xc0000103");
	/* A triple fault is no exception of its own */
	v.pending.type = EVENT_SHUTDOWN;
	last_exit_raised(&v);
	last_exit_copy(&v, &all);
	assert_int_equal(all.exit[1].raised, 0);
}

static void test_registers_and_exceptions(void **state)
{
	struct vcpu_exit *e = leave(EXIT_CR, 1);

	v.hw.regs.gpr[GPR_RSI] = 0x80000011;
	e->cr.gpr = GPR_RSI;
	e->cr.write = true;
	last_exit_note(&v);
	assert_string_equal(text_of(0),
			    "CR access at 0x1, writes 0x80000011 to CR0");
	e = leave(EXIT_CR, 2);
	e->cr.cr = 8;
	e->cr.gpr = GPR_RSP; /* not known here */
	e->cr.write = true;
	last_exit_note(&v);
	assert_string_equal(text_of(1), "CR access at 0x2, writes CR8");
	leave(EXIT_CR, 3)->cr.cr = 8;
	last_exit_note(&v);
	assert_string_equal(text_of(2), "CR access at 0x3, reads CR8");
	e = leave(EXIT_EXCEPTION, 4);
	e->exception = (struct vcpu_event){ EVENT_EXCEPTION, 17, 0, true, 9 };
	last_exit_note(&v);
	assert_string_equal(text_of(3), "exception at 0x4, vector 17, error "
					"code 0x9");
	leave(EXIT_EXCEPTION, 5)->exception.vector = 1;
	last_exit_note(&v);
	assert_string_equal(text_of(4), "exception at 0x5, vector 1");
	v.hw.regs.gpr[GPR_RAX] = 5;
	v.hw.regs.gpr[GPR_RCX] = 2;
	note(EXIT_HYPERCALL, 6);
	assert_string_equal(text_of(5), "hypercall at 0x6, RAX 0x5, RCX 0x2");
	leave(EXIT_TRIPLE_FAULT, 7)->raw_reason = 0x7f;
	last_exit_note(&v);
	assert_string_equal(text_of(6), "triple fault at 0x7, reason 0x7f");
}

/* A guest that waits for a UART, then writes to it, takes two records */
static void test_a_loop_takes_as_many_records_as_places(void **state)
{
	note(EXIT_WBINVD, 0x50);
	for (u32 i = 0; i < 1000; i++) {
		note(EXIT_PORT, 0x100);
		note(EXIT_PORT, 0x108);
		note(EXIT_CR, 0x108);
	}
	last_exit_copy(&v, &all);
	assert_int_equal(all.count, 4);
	assert_int_equal(all.exit[0].rip, 0x50);
	assert_int_equal(all.exit[0].times, 1);
	assert_int_equal(all.exit[1].times, 1000);
	assert_int_equal(all.exit[3].kind, EXIT_CR);
	/* What is far behind is another record */
	for (u32 i = 0; i < LAST_EXITS_NEAR; i++)
		note(EXIT_PORT, 0x200 + i);
	note(EXIT_PORT, 0x100);
	last_exit_copy(&v, &all);
	assert_int_equal(all.count, 4 + LAST_EXITS_NEAR + 1);
	assert_int_equal(all.exit[all.count - 1].times, 1);
}

/* By time, although a place that came again keeps its record */
static void test_order(void **state)
{
	for (u32 i = 0; i < 3 * BH_CTL_LAST_EXITS; i++)
		note(EXIT_PORT, i);
	note(EXIT_PORT, 3 * BH_CTL_LAST_EXITS - 3);
	last_exit_copy(&v, &all);
	assert_int_equal(all.count, BH_CTL_LAST_EXITS);
	for (u32 i = 1; i < all.count; i++)
		assert_true(all.exit[i - 1].tsc <= all.exit[i].tsc);
	assert_int_equal(all.exit[0].rip, 2 * BH_CTL_LAST_EXITS);
	assert_int_equal(all.exit[all.count - 1].rip,
			 3 * BH_CTL_LAST_EXITS - 3);
	assert_int_equal(all.exit[all.count - 1].tsc, last_exit_when(&v));
	/* The count wraps, the places go on */
	v.last.count = v.last.newest = ~0u;
	note(EXIT_PORT, 0x1000);
	note(EXIT_PORT, 0x1001);
	last_exit_copy(&v, &all);
	assert_true(all.count >= 1);
}

static void test_the_final_one_is_there_once(void **state)
{
	assert_true(last_exit_when(&v) == 0);
	leave(EXIT_RDMSR, 9);
	last_exit_final(&v);
	last_exit_final(&v);
	last_exit_copy(&v, &all);
	assert_int_equal(all.count, 1);
	assert_int_equal(all.exit[0].times, 1);
	last_exit_forget(&v);
	last_exit_copy(&v, &all);
	assert_int_equal(all.count, 0);
}

static void test_kinds(void **state)
{
	char text[LAST_EXIT_KINDS_BYTES];

	for (u32 i = 0; i < 9; i++)
		last_exit_kind(&v, EXIT_HLT);
	last_exit_kind(&v, EXIT_CPUID);
	last_exit_kind(&v, EXIT_TRIPLE_FAULT);
	last_exit_copy(&v, &all);
	assert_int_equal(all.kinds[0], EXIT_TRIPLE_FAULT);
	assert_int_equal(all.kinds[1], EXIT_CPUID);
	assert_int_equal(all.kinds[7], EXIT_HLT);
	v.last.kinds &= 0xffffff;
	last_exit_log(&v, rest);
	assert_non_null(strstr(fake_log_last,
			       "vCPU 3, its last ones, newest first: triple "
			       "fault, CPUID, HLT"));
	/* The longest text fits */
	for (u32 i = 0; i < 8; i++)
		last_exit_kind(&v, EXIT_MACHINE_CHECK);
	last_exit_copy(&v, &all);
	assert_int_equal(last_exit_kinds_text(text, sizeof(text), &all,
					      (const char *(*)(u32))exit_name),
			 8);
	assert_string_equal(text + strlen(text) - 13, "machine check");
}

static void test_log(void **state)
{
	u32 lines = fake_log_lines;

	last_exit_log(&v, rest);
	assert_int_equal(fake_log_lines, lines);
	for (u32 i = 0; i < BH_CTL_LAST_EXITS; i++)
		note(EXIT_DR, i);
	v.hw.exit.raw_reason = 29;
	last_exit_note(&v);
	last_exit_log(&v, rest);
	assert_int_equal(fake_log_lines, lines + BH_CTL_LAST_EXITS);
	assert_int_equal(rests, BH_CTL_LAST_EXITS / 8);
	assert_non_null(strstr(fake_log_last, "] DR access at 0xf, reason "
					      "0x1d, 2 times"));
}

/* Whatever the numbers are, the text is cut, and ends */
static void test_text_is_cut(void **state)
{
	struct bh_ctl_last_exit r = { .rip = ~0ull,
				      .where = ~0ull,
				      .value = ~0ull,
				      .times = ~0u,
				      .raised = 256,
				      .what = BH_CTL_LAST_MSR };
	char text[LAST_EXIT_TEXT_BYTES], small[20];

	last_exit_text(text, sizeof(text), &r, "machine check");
	assert_true(strlen(text) < sizeof(text) - 1);
	last_exit_text(small, sizeof(small), &r, "machine check");
	assert_int_equal(strlen(small), sizeof(small) - 1);
	assert_memory_equal(small, text, sizeof(small) - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_ports, setup),
		cmocka_unit_test_setup(test_memory, setup),
		cmocka_unit_test_setup(test_msr_and_what_came_of_it, setup),
		cmocka_unit_test_setup(test_registers_and_exceptions, setup),
		cmocka_unit_test_setup(
			test_a_loop_takes_as_many_records_as_places, setup),
		cmocka_unit_test_setup(test_order, setup),
		cmocka_unit_test_setup(test_the_final_one_is_there_once, setup),
		cmocka_unit_test_setup(test_kinds, setup),
		cmocka_unit_test_setup(test_log, setup),
		cmocka_unit_test_setup(test_text_is_cut, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
