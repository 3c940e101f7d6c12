/* SPDX-License-Identifier: BSD-2-Clause */
/* See gdb_protocol.h: packets, and what gdb asks by them. Registers are
 * gdb_registers.c's. Over 400 lines: a function for each packet. */
#include "tools/bhctl/gdb_protocol.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/bhctl/gdb_registers.h"

#define MEMORY_MAX 4096u
#define CTRL_C     3
#define SIGTRAP    5

/* --- packets --- */

static u8 checksum(const char *text, size_t len)
{
	u8 sum = 0;

	for (size_t i = 0; i < len; i++)
		sum = (u8)(sum + (u8)text[i]);
	return sum;
}

static void reply(struct gdb *g, const char *text)
{
	int n = snprintf(g->last, sizeof(g->last), "$%s#%02x", text,
			 checksum(text, strlen(text)));

	g->last_count = (u32)n;
	g->send(g, g->last, g->last_count);
}

static void reply_err(struct gdb *g, int err)
{
	reply(g, err ? "E01" : "OK");
}

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* Bytes of @hex into @to; -1: it is none, or not @count of them */
static int hex_bytes(const char *hex, u8 *to, u32 count)
{
	if (strlen(hex) != 2 * (size_t)count)
		return -1;
	for (u32 i = 0; i < count; i++) {
		int high = digit(hex[2 * i]), low = digit(hex[2 * i + 1]);

		if (high < 0 || low < 0)
			return -1;
		to[i] = (u8)(high << 4 | low);
	}
	return 0;
}

static void to_hex(char *out, const u8 *bytes, u32 count)
{
	for (u32 i = 0; i < count; i++)
		sprintf(out + 2 * i, "%02x", bytes[i]);
	out[2 * count] = 0;
}

/* A number of hex digits at *@at, which goes behind it and one @end; false:
 * there is none, or another end */
static bool number(const char **at, char end, u64 *value)
{
	char *behind;

	if (digit(**at) < 0)
		return false;
	*value = strtoull(*at, &behind, 16);
	*at = behind;
	if (*behind != end)
		return false;
	*at += end != 0;
	return true;
}

/* --- threads --- */

/* A thread's number to a vCPU; 0 and -1 mean the current one */
static bool vcpu_of(const struct gdb *g, const char *text, u32 *vcpu)
{
	const char *at = text;
	u64 n;

	*vcpu = g->current;
	if (!strcmp(text, "-1") || !strcmp(text, "0"))
		return true;
	if (!number(&at, 0, &n) || !n || n > g->vcpus)
		return false;
	*vcpu = (u32)n - 1;
	return true;
}

static void list_threads(struct gdb *g)
{
	u32 at = (u32)sprintf(g->out, "m1");

	for (u32 i = 1; i < g->vcpus && at + 8 < sizeof(g->out); i++)
		at += (u32)sprintf(g->out + at, ",%x", i + 1);
	reply(g, g->out);
}

static void thread_extra(struct gdb *g, const char *text)
{
	static const char *const states[] = { "runs", "halted", "not started",
					      "parked" };
	char said[64];
	u32 vcpu;

	if (!vcpu_of(g, text, &vcpu) || gdb_registers_know(g)) {
		reply(g, "E01");
		return;
	}
	snprintf(said, sizeof(said), "vCPU %u, %s", vcpu,
		 states[MIN(g->registers[vcpu].state, 3u)]);
	to_hex(g->out, (const u8 *)said, (u32)strlen(said));
	reply(g, g->out);
}

/* --- why it stands --- */

static void reply_stop(struct gdb *g)
{
	const struct bh_ctl_registers *r;
	char why[64] = "";

	g->known = false;
	if (gdb_registers_know(g)) {
		reply(g, "E01");
		return;
	}
	for (u32 i = 0; i < g->vcpus; i++)
		if (g->registers[i].stop != BH_CTL_STOP_NONE) {
			g->current = i;
			break;
		}
	r = &g->registers[g->current];
	if (r->stop == BH_CTL_STOP_SOFTWARE)
		strcpy(why, "swbreak:;");
	else if (r->stop == BH_CTL_STOP_HARDWARE)
		strcpy(why, "hwbreak:;");
	else if (r->stop == BH_CTL_STOP_WATCH)
		snprintf(why, sizeof(why), "watch:%llx;",
			 (unsigned long long)r->stop_address);
	snprintf(g->out, sizeof(g->out), "T%02x%sthread:%x;", SIGTRAP, why,
		 g->current + 1);
	reply(g, g->out);
}

void gdb_stands(struct gdb *g, bool gone)
{
	g->known = false;
	if (!g->goes)
		return;
	g->goes = false;
	if (gone) {
		g->over = true;
		reply(g, "W00");
	} else {
		reply_stop(g);
	}
}

static void go(struct gdb *g, u32 stepper, bool others)
{
	if (g->dead || g->target->go(g, stepper, others)) {
		reply(g, "E01");
		return;
	}
	g->goes = true;
	g->known = false;
}

/* vCont;s:2;c and the like. The first step decides; a default lets others go */
static void vcont(struct gdb *g, char *text)
{
	u32 stepper = 0, vcpu;
	bool others = false;

	for (char *act = strtok(text, ";"); act; act = strtok(NULL, ";")) {
		char *thread = strchr(act, ':');

		if (thread)
			*thread++ = 0;
		if (thread && !vcpu_of(g, thread, &vcpu)) {
			reply(g, "E01");
			return;
		}
		if ((*act == 's' || *act == 'S') && !stepper)
			stepper = (thread ? vcpu : g->current) + 1;
		else if (!thread || !strcmp(thread, "-1"))
			others = true;
	}
	go(g, stepper, others);
}

/* --- memory --- */

static void read_memory(struct gdb *g, const char *at)
{
	u8 bytes[MEMORY_MAX];
	u64 address, count;

	if (!number(&at, ',', &address) || !number(&at, 0, &count) || !count ||
	    count > MEMORY_MAX ||
	    g->target->read(g, g->current, address, bytes, (u32)count)) {
		reply(g, "E01");
		return;
	}
	to_hex(g->out, bytes, (u32)count);
	reply(g, g->out);
}

static void write_memory(struct gdb *g, const char *at)
{
	u8 bytes[MEMORY_MAX];
	u64 address, count;

	if (!number(&at, ',', &address) || !number(&at, ':', &count) ||
	    count > MEMORY_MAX || hex_bytes(at, bytes, (u32)count) ||
	    (count && (g->dead || g->target->write(g, g->current, address,
						   bytes, (u32)count))))
		reply(g, "E01");
	else
		reply(g, "OK");
}

/* --- breakpoints --- */

static bool same(const struct bh_ctl_breakpoint *a,
		 const struct bh_ctl_breakpoint *b)
{
	return a->address == b->address && a->kind == b->kind &&
	       (a->kind == BH_CTL_BREAK_SOFTWARE || a->length == b->length);
}

static int remove_breakpoint(struct gdb *g, const struct bh_ctl_breakpoint *b)
{
	for (u32 i = 0; i < g->breakpoint_count; i++)
		if (same(&g->breakpoints[i], b)) {
			g->breakpoints[i] =
				g->breakpoints[--g->breakpoint_count];
			break;
		}
	return 0;
}

static u32 count_of(const struct gdb *g, bool software)
{
	u32 n = 0;

	for (u32 i = 0; i < g->breakpoint_count; i++)
		n += (g->breakpoints[i].kind == BH_CTL_BREAK_SOFTWARE) ==
		     software;
	return n;
}

static int add_breakpoint(struct gdb *g, const struct bh_ctl_breakpoint *b)
{
	bool software = b->kind == BH_CTL_BREAK_SOFTWARE;
	u32 limit = software ? BH_CTL_SOFTWARE_BREAKPOINTS
			     : BH_CTL_HARDWARE_BREAKPOINTS;
	u8 byte;

	remove_breakpoint(g, b);
	if (g->dead || count_of(g, software) == limit)
		return -1;
	if (software) {
		if (g->target->read(g, g->current, b->address, &byte, 1))
			return -1;
	} else if ((b->length != 1 && b->length != 2 && b->length != 4 &&
		    b->length != 8) ||
		   b->address % b->length) {
		return -1;
	}
	g->breakpoints[g->breakpoint_count++] = *b;
	return 0;
}

/* Z or z: type,address,length. A read watch point stops at writes, too: there
 * is no other on this processor. */
static void breakpoint(struct gdb *g, const char *text)
{
	static const u32 kinds[] = {
		BH_CTL_BREAK_SOFTWARE, BH_CTL_BREAK_HARDWARE,
		BH_CTL_BREAK_WRITE,    BH_CTL_BREAK_ACCESS,
		BH_CTL_BREAK_ACCESS,
	};
	const char *at = text + 1;
	u64 type, address, length;
	struct bh_ctl_breakpoint b;

	if (!number(&at, ',', &type) || !number(&at, ',', &address) ||
	    !number(&at, 0, &length) || type >= ARRAY_SIZE(kinds)) {
		reply(g, "");
		return;
	}
	b = (struct bh_ctl_breakpoint){ .address = address,
					.kind = kinds[type],
					.length = (u32)length };
	reply_err(g, *text == 'Z' ? add_breakpoint(g, &b)
				  : remove_breakpoint(g, &b));
}

/* --- questions --- */

static void features(struct gdb *g, const char *at)
{
	static char xml[GDB_PACKET_MAX];
	u32 len = gdb_registers_xml(xml, sizeof(xml));
	u64 offset, count;

	if (!number(&at, ',', &offset) || !number(&at, 0, &count) ||
	    offset > len) {
		reply(g, "E01");
		return;
	}
	count = MIN(MIN(count, (u64)len - offset), (u64)sizeof(g->out) - 2);
	g->out[0] = offset + count == len ? 'l' : 'm';
	memcpy(g->out + 1, xml + offset, count);
	g->out[count + 1] = 0;
	reply(g, g->out);
}

static void query(struct gdb *g, const char *text)
{
	static const char xml[] = "qXfer:features:read:target.xml:";

	if (!strncmp(text, "qSupported", 10)) {
		snprintf(g->out, sizeof(g->out),
			 "PacketSize=3000;qXfer:features:read+;swbreak+;"
			 "hwbreak+;vContSupported+%s",
			 g->lossy ? "" : ";QStartNoAckMode+");
		reply(g, g->out);
	} else if (!strncmp(text, xml, sizeof(xml) - 1)) {
		features(g, text + sizeof(xml) - 1);
	} else if (!strcmp(text, "qAttached")) {
		reply(g, "1");
	} else if (!strcmp(text, "qC")) {
		snprintf(g->out, sizeof(g->out), "QC%x", g->current + 1);
		reply(g, g->out);
	} else if (!strcmp(text, "qfThreadInfo")) {
		list_threads(g);
	} else if (!strcmp(text, "qsThreadInfo")) {
		reply(g, "l");
	} else if (!strncmp(text, "qThreadExtraInfo,", 17)) {
		thread_extra(g, text + 17);
	} else {
		reply(g, "");
	}
}

static void select_thread(struct gdb *g, const char *text)
{
	u32 vcpu;

	if (!vcpu_of(g, text + 1, &vcpu)) {
		reply(g, "E01");
		return;
	}
	if (*text == 'g')
		g->current = vcpu;
	reply(g, "OK");
}

static void leave(struct gdb *g)
{
	g->over = true;
	reply_err(g, g->dead ? 0 : g->target->detach(g));
}

static void v_packet(struct gdb *g, char *text)
{
	if (!strcmp(text, "vCont?"))
		reply(g, "vCont;c;C;s;S");
	else if (!strncmp(text, "vCont;", 6))
		vcont(g, text + 6);
	else
		reply(g, "");
}

static void packet(struct gdb *g, char *text)
{
	u32 vcpu;

	switch (*text) {
	case '?':
		reply_stop(g);
		return;
	case 'g':
	case 'G':
	case 'p':
	case 'P':
		gdb_registers_packet(g, text, g->out, sizeof(g->out));
		reply(g, g->out);
		return;
	case 'm':
		read_memory(g, text + 1);
		return;
	case 'M':
		write_memory(g, text + 1);
		return;
	case 'Z':
	case 'z':
		breakpoint(g, text);
		return;
	case 'H':
		select_thread(g, text + 1);
		return;
	case 'T':
		reply(g, vcpu_of(g, text + 1, &vcpu) ? "OK" : "E01");
		return;
	case 'c':
		go(g, 0, true);
		return;
	case 's':
		go(g, g->current + 1, false);
		return;
	case 'D':
		leave(g);
		return;
	case 'k':
		g->over = true;
		if (!g->dead)
			g->target->detach(g);
		return;
	case 'q':
		query(g, text);
		return;
	case 'Q':
		g->no_acks |= !g->lossy && !strcmp(text, "QStartNoAckMode");
		reply(g, g->no_acks ? "OK" : "");
		return;
	case 'v':
		v_packet(g, text);
		return;
	default:
		reply(g, "");
	}
}

/* --- the stream --- */

/* The packet at the start of g->in, whole: how many bytes it has; 0: there is
 * more to come */
static u32 whole(const struct gdb *g)
{
	const char *end = memchr(g->in, '#', g->in_count);

	if (!end || (u32)(end - g->in) + 3 > g->in_count)
		return 0;
	return (u32)(end - g->in) + 3;
}

static void take_packet(struct gdb *g, u32 len)
{
	char text[GDB_PACKET_MAX];
	u32 n = len - 4; /* without $, # and the sum */
	int high = digit(g->in[len - 2]), low = digit(g->in[len - 1]);

	memcpy(text, g->in + 1, n);
	text[n] = 0;
	if (!g->no_acks) {
		bool good = high >= 0 && low >= 0 &&
			    (high << 4 | low) == checksum(text, n);

		g->send(g, good ? "+" : "-", 1);
		if (!good)
			return;
	}
	packet(g, text);
}

static void drop(struct gdb *g, u32 count)
{
	g->in_count -= count;
	memmove(g->in, g->in + count, g->in_count);
}

static void take_all(struct gdb *g)
{
	while (g->in_count && !g->over) {
		u32 len = 1;

		if (g->in[0] == CTRL_C && g->goes)
			(void)g->target->stop(g);
		if (g->in[0] == '-' && !g->no_acks && g->last_count)
			g->send(g, g->last, g->last_count);
		if (g->in[0] == '$') {
			len = whole(g);
			if (!len)
				return;
			take_packet(g, len);
		}
		drop(g, len);
	}
}

void gdb_take(struct gdb *g, const char *bytes, u32 count)
{
	while (count && !g->over) {
		u32 n = MIN(count, GDB_PACKET_MAX - 1 - g->in_count);

		if (!n) { /* a packet that is too long */
			g->over = true;
			return;
		}
		memcpy(g->in + g->in_count, bytes, n);
		g->in_count += n;
		bytes += n;
		count -= n;
		take_all(g);
	}
}
