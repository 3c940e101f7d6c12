/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A guest that writes to its consoles as fast as it can, many bytes with one
 * instruction, and what no terminal should see. What REP OUTS costs is its own
 * time alone: nobody waits for the wire. Then it is polite, and loses nothing.
 * `bound=N`: TSC ticks for one REP OUTS, kept three times in four (others share
 * the core). `polite=N` lines.
 */
#include "tests/guest/lib/guest.h"

#define COM1       0x3f8
#define DEBUGCON   0x402
#define OUTS_BYTES 64u
#define ROUNDS     200u

static u64 bound;

static void outs(u16 port, const void *from, u64 n)
{
	__asm__ volatile("rep outsb"
			 : "+S"(from), "+c"(n)
			 : "d"(port)
			 : "memory");
}

static void outs_text(const char *s)
{
	u64 n = 0;

	while (s[n])
		n++;
	outs(COM1, s, n);
}

/* Screens cleared, lines overwritten, others' lines: in all ways there are */
static void forge(void)
{
	outs_text("\x1b[2J\x1b[1;1H[log] FORGED by CSI\n");
	outs_text("\x1b]0;title\x07\x1bP1$r0m\x1b\\[log] FORGED by strings\n");
	outs_text("text\r[log] FORGED by CR\n");
	outs_text("\b\b\b\b\b\b\b\b\b\b\b\b[log] FORGED by BS\n");
	outs_text("\x9b"
		  "2J\x85[log] FORGED by C1\n");
	outs_text("\xc2\x9b"
		  "2J\xc2\x85[log] FORGED by UTF-8\n");
	outs_text("\v\f\x1b"
		  "D\x1b"
		  "E[log] FORGED by index\n");
	outs_text("\xff\xfe\xc0\x8d\xe2\x80\xa8[log] FORGED by nonsense\n");
}

static void flood(u16 port, const char *unit, const char *name)
{
	static char text[OUTS_BYTES];
	u64 late = 0, least = ~0ull, most = 0;

	for (u32 i = 0, k = 0; i < OUTS_BYTES; i++) {
		text[i] = unit[k];
		k = unit[k + 1] ? k + 1 : 0;
	}
	for (u32 i = 0; i < ROUNDS; i++) {
		u64 took = rdtsc();

		outs(port, text, OUTS_BYTES);
		took = rdtsc() - took;
		late += took > bound;
		least = took < least ? took : least;
		most = took > most ? took : most;
	}
	put_char('\n');
	print("%s: %llu to %llu ticks\n", name, least, most);
	check(late * 4 <= ROUNDS, name, "%llu of %u beyond %llu ticks", late,
	      ROUNDS, bound);
}

void guest_main(void)
{
	u64 polite = cmdline_number("polite=", 100);

	bound = cmdline_number("bound=", 100000);
	forge();
	section("16550D 8.4");
	flood(COM1, "flood ", "flood.line");
	flood(COM1, "\n", "flood.empty_lines");
	section("QEMU debugcon.c");
	flood(DEBUGCON, "x\n", "flood.debug_console");
	for (u64 i = 0; i < polite; i++)
		print("polite %llu of %llu\n", i, polite);
}
