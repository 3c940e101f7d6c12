/* SOURCES: tools/bhctl/gdb_protocol.c tools/bhctl/gdb_registers.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/* gdb's remote protocol as gdb speaks it: packets whole, cut and wrong, and
 * what each makes of a guest of two vCPUs */
#include "tests/unit/test.h"
#include "tools/bhctl/gdb_protocol.h"
#include "tools/bhctl/gdb_registers.h"

static struct gdb g;
static struct bh_ctl_registers regs[2];
static char sent[65536];
static u32 sent_count, goes, stops, detaches, sets, stepper_was;
static bool others_were;
static u8 ram[64];

static int fake_registers(struct gdb *it)
{
	it->registers = regs;
	return 0;
}

static int fake_set(struct gdb *it, u32 vcpu)
{
	assert_ptr_equal(&it->registers[vcpu], &regs[vcpu]);
	sets++;
	return 0;
}

static int fake_read(struct gdb *it, u32 vcpu, u64 address, u8 *to, u32 bytes)
{
	if (address > sizeof(ram) || bytes > sizeof(ram) - address)
		return -1;
	memcpy(to, ram + address, bytes);
	return 0;
}

static int fake_write(struct gdb *it, u32 vcpu, u64 address, const u8 *from,
		      u32 bytes)
{
	if (address > sizeof(ram) || bytes > sizeof(ram) - address)
		return -1;
	memcpy(ram + address, from, bytes);
	return 0;
}

static int fake_go(struct gdb *it, u32 stepper, bool others)
{
	goes++;
	stepper_was = stepper;
	others_were = others;
	return 0;
}

static int fake_stop(struct gdb *it)
{
	stops++;
	return 0;
}

static int fake_detach(struct gdb *it)
{
	detaches++;
	return 0;
}

static const struct gdb_target target = {
	fake_registers, fake_set,  fake_read,   fake_write,
	fake_go,        fake_stop, fake_detach,
};

static void fake_send(struct gdb *it, const char *bytes, u32 count)
{
	assert_true(sent_count + count < sizeof(sent));
	memcpy(sent + sent_count, bytes, count);
	sent_count += count;
	sent[sent_count] = 0;
}

static int setup(void **state)
{
	memset(&g, 0, sizeof(g));
	memset(regs, 0, sizeof(regs));
	memset(ram, 0, sizeof(ram));
	g.target = &target;
	g.send = fake_send;
	g.vcpus = 2;
	g.no_acks = true;
	goes = stops = detaches = sets = sent_count = 0;
	return 0;
}

static const char *framed(const char *text)
{
	static char packet[8192];
	u8 sum = 0;

	for (const char *c = text; *c; c++)
		sum = (u8)(sum + (u8)*c);
	snprintf(packet, sizeof(packet), "$%s#%02x", text, sum);
	return packet;
}

static void take(const char *bytes)
{
	sent_count = 0;
	sent[0] = 0;
	gdb_take(&g, bytes, (u32)strlen(bytes));
}

static void expect(const char *request, const char *answer)
{
	char want[8192];

	snprintf(want, sizeof(want), "%s", framed(answer));
	take(framed(request));
	assert_string_equal(sent, want);
}

static void test_packets(void **state)
{
	const char *whole;

	g.no_acks = false;
	take("$qC#b4");
	assert_string_equal(sent, "+$QC1#c5");
	take("+$qC#b5");
	assert_string_equal(sent, "-");
	take("$qC#"); /* cut */
	assert_string_equal(sent, "");
	take("b4$qC#b4");
	assert_string_equal(sent, "+$QC1#c5+$QC1#c5");
	take(framed("QStartNoAckMode"));
	assert_string_equal(sent, "+$OK#9a");
	expect("fly", "");
	expect("qAttached", "1");
	whole = framed("qSupported:xmlRegisters=i386");
	take(whole);
	assert_non_null(strstr(sent, "qXfer:features:read+"));
	/* One without an end */
	while (!g.over)
		take("$aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
}

/* GDB manual E.1 *Overview*: "-" asks for the packet again. E.11 *Packet
 * Acknowledgment*: a line that spoils bytes keeps acknowledgments. */
static void test_spoiled(void **state)
{
	g.no_acks = false;
	g.lossy = true;
	take("-"); /* of nothing */
	assert_string_equal(sent, "");
	take("$qC#b4");
	take("-");
	assert_string_equal(sent, "$QC1#c5");
	take("-+");
	assert_string_equal(sent, "$QC1#c5");
	take("$$qC#b4"); /* a byte came twice, and each is sent again */
	assert_string_equal(sent, "-");
	take("$qqC#b4");
	assert_string_equal(sent, "-");
	take("$qC##b4");
	assert_string_equal(sent, "-");
	take("$qC$qC#b4"); /* the end was lost */
	assert_string_equal(sent, "-");
	take("++$qC#b44");
	assert_string_equal(sent, "+$QC1#c5");
	take(framed("qSupported:xmlRegisters=i386"));
	assert_null(strstr(sent, "QStartNoAckMode"));
	take(framed("QStartNoAckMode"));
	assert_string_equal(sent, "+$#00");
	take("$qC#b4");
	assert_string_equal(sent, "+$QC1#c5");
}

/* Without acknowledgments "-" is nothing */
static void test_no_acks(void **state)
{
	expect("qC", "QC1");
	take("-");
	assert_string_equal(sent, "");
	take(framed("qSupported:xmlRegisters=i386"));
	assert_non_null(strstr(sent, "QStartNoAckMode+"));
}

static void test_registers(void **state)
{
	static char back[4096];

	regs[1].gpr[3] = 0x1122334455667788;
	regs[1].rip = 0xffffffff81000000;
	regs[1].rflags = 0x246;
	regs[1].segment[1].selector = 0x10;
	regs[1].segment[1].reserved[0] = 0xbad;
	regs[1].cr3 = 0x5000;
	expect("Hg2", "OK");
	expect("p1", "8877665544332211");
	expect("p10", "00000081ffffffff");
	expect("p11", "46020000");
	expect("p12", "10000000");
	expect("p18", "xxxxxxxxxxxxxxxxxxxx");
	expect("p2c", "0050000000000000");
	expect("p99", "E01");
	expect("P10=0010000000000000", "OK");
	assert_int_equal(regs[1].rip, 0x1000);
	assert_int_equal(sets, 1);
	expect("P10=00", "E01");
	expect("P10=zz10000000000000", "E01");
	take(framed("g"));
	assert_int_equal(sent_count,
			 4 + 2 * (17 * 8 + 7 * 4 + 80 + 32 + 7 * 8));
	/* And all of them back, as gdb got them */
	sent[sent_count - 3] = 0;
	sent[0] = 'G';
	regs[1].gpr[3] = 0;
	memcpy(back, sent, sizeof(back));
	expect(back, "OK");
	assert_int_equal(regs[1].gpr[3], 0x1122334455667788);
	assert_int_equal(regs[1].cr3, 0x5000);
	expect("G00", "E01");
	expect("Hg3", "E01");
}

static void test_description(void **state)
{
	char xml[GDB_PACKET_MAX];
	u32 len = gdb_registers_xml(xml, sizeof(xml)), at = 0;
	char request[80];

	assert_true(len < sizeof(xml));
	assert_non_null(strstr(xml, "org.gnu.gdb.i386.core"));
	assert_non_null(strstr(xml, "name=\"fs_base\" bitsize=\"64\""));
	do {
		snprintf(request, sizeof(request),
			 "qXfer:features:read:target.xml:%x,200", at);
		take(framed(request));
		assert_memory_equal(sent + 2, xml + at, sent_count - 5);
		at += sent_count - 5;
	} while (sent[1] == 'm');
	assert_int_equal(at, len);
	expect("qXfer:features:read:target.xml:ffff,200", "E01");
}

static void test_memory(void **state)
{
	ram[2] = 0xab;
	expect("m1,3", "00ab00");
	expect("m40,1", "E01");
	expect("m1", "E01");
	expect("m1,ffffffff", "E01");
	expect("M1,2:1234", "OK");
	assert_int_equal(ram[2], 0x34);
	expect("M1,2:12", "E01");
	expect("M40,1:12", "E01");
	g.dead = true;
	expect("M1,2:1234", "E01");
	expect("m1,1", "12");
}

static void test_threads(void **state)
{
	regs[1].state = 1;
	expect("qfThreadInfo", "m1,2");
	expect("qsThreadInfo", "l");
	expect("T2", "OK");
	expect("T3", "E01");
	expect("qThreadExtraInfo,2", "7643505520312c2068616c746564");
	expect("?", "T05thread:1;");
}

static void test_goes(void **state)
{
	take(framed("vCont;c"));
	assert_string_equal(sent, "");
	assert_int_equal(stepper_was, 0);
	take("\003");
	assert_int_equal(stops, 1);
	regs[1].stop = BH_CTL_STOP_SOFTWARE;
	gdb_stands(&g, false);
	assert_string_equal(sent, framed("T05swbreak:;thread:2;"));
	gdb_stands(&g, false); /* nobody waits */
	assert_string_equal(sent, framed("T05swbreak:;thread:2;"));
	take(framed("vCont;s:2;c"));
	assert_int_equal(stepper_was, 2);
	assert_true(others_were);
	regs[1].stop = BH_CTL_STOP_WATCH;
	regs[1].stop_address = 0x1234;
	gdb_stands(&g, false);
	assert_string_equal(sent, framed("T05watch:1234;thread:2;"));
	take(framed("vCont;s:1"));
	assert_int_equal(stepper_was, 1);
	assert_false(others_were);
	gdb_stands(&g, true);
	assert_string_equal(sent, framed("W00"));
	assert_true(g.over);
}

static void test_not_now(void **state)
{
	take("\003");
	assert_int_equal(stops, 0);
	expect("vCont;s:9", "E01");
	expect("vCont?", "vCont;c;C;s;S");
	g.dead = true;
	expect("vCont;c", "E01");
	expect("s", "E01");
	assert_int_equal(goes, 0);
}

static void test_breakpoints(void **state)
{
	char request[64];

	expect("Z0,10,1", "OK");
	expect("Z0,10,1", "OK");
	assert_int_equal(g.breakpoint_count, 1);
	expect("Z0,1000,1", "E01"); /* nothing is mapped */
	expect("Z2,18,8", "OK");
	expect("Z2,19,8", "E01");
	expect("Z2,18,3", "E01");
	expect("Z5,18,8", "");
	expect("z0,10,1", "OK");
	assert_int_equal(g.breakpoint_count, 1);
	assert_int_equal(g.breakpoints[0].kind, BH_CTL_BREAK_WRITE);
	expect("Z1,20,1", "OK");
	expect("Z4,20,4", "OK");
	expect("Z1,30,1", "OK");
	expect("Z1,31,1", "E01"); /* four of hardware */
	for (u32 i = 0; i < BH_CTL_SOFTWARE_BREAKPOINTS; i++) {
		snprintf(request, sizeof(request), "Z0,%x,1", i);
		expect(request, "OK");
	}
	expect("Z0,3f,1", "E01");
}

static void test_leaves(void **state)
{
	expect("D", "OK");
	assert_int_equal(detaches, 1);
	assert_true(g.over);
	setup(state);
	take(framed("k")); /* the guest is not gdb's to kill */
	assert_int_equal(detaches, 1);
	assert_true(g.over);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup(name, setup)
	const struct CMUnitTest tests[] = {
		T(test_packets),     T(test_spoiled),     T(test_no_acks),
		T(test_registers),   T(test_description), T(test_memory),
		T(test_threads),     T(test_goes),        T(test_not_now),
		T(test_breakpoints), T(test_leaves),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
