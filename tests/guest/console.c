/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The console port of the privileged guest (include/bulkhead/console_port.h):
 * its calls, what CPL 3 gets, and what random registers do, which is nothing to
 * anybody but this guest's own console.
 */
#include "include/bulkhead/console_port.h"
#include "include/bulkhead/cpuid.h"
#include "tests/guest/lib/guest.h"

#define GP     13
#define SELF   1u
#define COUNT  2u
#define MARK   "the mark of this test"
#define TEXT   65536u
#define ROUNDS 20000u
#define PTE_U  4ul

extern u64 boot_pml4[512];
extern void user_run(void (*fn)(void));
extern char user_return[];

static u16 port;
static char text[TEXT + 1];

struct call {
	u32 eax;
	u64 word[5]; /* RBX, RCX, RSI, RDI, R8 */
};

static void call(struct call *c, u32 what)
{
	register u64 r8 __asm__("r8") = c->word[4];

	c->eax = what;
	__asm__ volatile("inl %%dx, %%eax"
			 : "+a"(c->eax), "+b"(c->word[0]), "+c"(c->word[1]),
			   "+S"(c->word[2]), "+D"(c->word[3]), "+r"(r8)
			 : "d"(port)
			 : "memory");
	c->word[4] = r8;
}

static struct call ask(u32 what, u64 rbx, u64 rcx)
{
	struct call c = { .word = { rbx, rcx } };

	call(&c, what);
	return c;
}

/* All that console @id has from @at on */
static u32 read_from(u32 id, u64 at)
{
	u32 n = 0;

	for (;;) {
		struct call c = ask(BH_CONSOLE_READ, id, at);

		if (!c.eax || c.eax > BH_CONSOLE_BYTES || n + c.eax > TEXT)
			break;
		for (u32 i = 0; i < c.eax; i++)
			text[n++] = ((const char *)&c.word[1])[i];
		at = c.word[0] + c.eax;
	}
	text[n] = 0;
	return n;
}

static bool starts(const char *at, const char *what)
{
	for (; *what; at++, what++)
		if (*at != *what)
			return false;
	return true;
}

static bool has(const char *what)
{
	for (const char *at = text; *at; at++)
		if (starts(at, what))
			return true;
	return false;
}

/* A name is followed by zeros */
static bool is_name(const struct call *c, const char *name, u32 bytes)
{
	const char *at = (const char *)c->word;

	for (u32 i = bytes; i < BH_CONSOLE_BYTES; i++)
		if (at[i])
			return false;
	return starts(at, name);
}

static void names(void)
{
	struct call c = ask(BH_CONSOLE_COUNT, 0, 0);

	check(c.eax == COUNT && c.word[0] <= COUNT, "console.count", "%u, %llu",
	      c.eax, c.word[0]);
	c = ask(BH_CONSOLE_ABOUT, 0, 0);
	check(c.eax == BH_CONSOLE_LOG && is_name(&c, "log", 3), "console.log",
	      "flags %x", c.eax);
	c = ask(BH_CONSOLE_ABOUT, SELF, 0);
	check(c.eax == BH_CONSOLE_OWN && is_name(&c, "console", 7),
	      "console.own", "flags %x", c.eax);
	c = ask(BH_CONSOLE_WHY, SELF, 0);
	check(c.eax == 0, "console.runs", "%u", c.eax);
	c = ask(BH_CONSOLE_ABOUT, COUNT, 0);
	check(c.eax == BH_CONSOLE_NONE, "console.none", "flags %x", c.eax);
	c = ask(BH_CONSOLE_WHY + 1, 0, 0);
	check(c.eax == BH_CONSOLE_NONE, "console.no_call", "%x", c.eax);
}

static void texts(void)
{
	u64 end = ask(BH_CONSOLE_READ, SELF, ~0ull).word[0];
	u32 len;

	print(MARK "\n");
	len = read_from(SELF, end);
	check(len >= sizeof(MARK) && has(MARK), "console.hears_itself",
	      "%u bytes", len);
	len = read_from(0, 0);
	check(has("init: Bulkhead"), "console.log_from_the_start", "%u bytes",
	      len);
}

/* What is typed arrives at COM1 as if a person had */
static void types(void)
{
	struct call c = ask(BH_CONSOLE_TYPE, SELF, 'k');
	u8 status = 0;

	for (u32 i = 0; i < 100000 && !(status & 1); i++)
		status = inb(0x3fd);
	check(c.eax == 1 && status & 1 && inb(0x3f8) == 'k', "console.typed",
	      "%u, status %x", c.eax, status);
}

static void not_calls(void)
{
	struct call c = { .word = { 5, 6, 7, 8, 9 } };
	u32 eax = BH_CONSOLE_COUNT, buf = 0;
	void *to = &buf;

	check(inb(port) == 0xff && inw(port) == 0xffff &&
		      inl((u16)(port + 1)) == 0xffffffff,
	      "console.other_sizes", "%x", inb(port));
	__asm__ volatile("insl" : "+D"(to) : "d"(port), "a"(eax) : "memory");
	check(buf == 0xffffffff && to == &buf + 1, "console.string", "%x", buf);
	call(&c, ~0u);
	check(c.eax == BH_CONSOLE_NONE && c.word[0] == 5 && c.word[4] == 9,
	      "console.registers_stay", "%llx", c.word[0]);
}

/* But no moves of the focus: this test is read from the terminal */
static void hostile(void)
{
	struct call c;

	rnd_seed();
	for (u32 i = 0; i < ROUNDS; i++) {
		u32 what = (u32)(rnd() % 8);

		for (u32 w = 0; w < ARRAY_SIZE(c.word); w++)
			c.word[w] = rnd() & 1 ? rnd() : rnd() % 4;
		if (what == BH_CONSOLE_FOCUS)
			c.word[0] |= COUNT + 1;
		if (what == BH_CONSOLE_TYPE && !c.word[0])
			c.word[0] = SELF; /* the log has keys */
		call(&c, what);
	}
	while (inb(0x3fd) & 1)
		(void)inb(0x3f8);
	c = ask(BH_CONSOLE_COUNT, 0, 0);
	check(c.eax == COUNT, "console.random", "%u", c.eax);
}

static void op_call(void)
{
	__asm__ volatile("inl %%dx, %%eax" ::"d"(port), "a"(BH_CONSOLE_COUNT)
			 : "rbx", "rcx", "rsi", "rdi", "r8", "memory");
}

static void enter(void *fn)
{
	user_run((void (*)(void))fn);
}

static void leave(struct trap_frame *f)
{
	f->rip = (u64)user_return;
	f->cs = 0x18;
	f->ss = 0x10;
}

static void open_pages(void)
{
	u64 *pdpt = (u64 *)(boot_pml4[0] & ~0xffful);

	boot_pml4[0] |= PTE_U;
	for (u32 i = 0; i < 4; i++) {
		u64 *pd = (u64 *)(pdpt[i] & ~0xffful);

		pdpt[i] |= PTE_U;
		for (u32 j = 0; j < 512; j++)
			pd[j] |= PTE_U;
	}
	__asm__ volatile("mov %0, %%cr3" ::"r"(boot_pml4) : "memory");
}

/* IOPL is 0 and the TSS has no bitmap */
static void user(void)
{
	u8 v;

	open_pages();
	set_gate(0x80, 0, 0);
	irq_handler[0x81] = leave;
	set_gate(0x81, 0, 3);
	v = guest_try(enter, (void *)op_call);
	check(v == GP && trap_error == 0, "console.user_gp",
	      "vector %u error %llx", v, trap_error);
}

void guest_main(void)
{
	u32 r[4];

	section("include/bulkhead/console_port.h");
	cpuid(BH_CPUID_CONSOLE, 0, r);
	port = (u16)r[0];
	check(r[0] && r[0] < 0x1000 && r[1] == BH_CONSOLE_VERSION,
	      "console.port", "%x, version %u", r[0], r[1]);
	names();
	texts();
	types();
	not_calls();
	section("SDM 1 19.5.2");
	user();
	section("include/bulkhead/console_port.h");
	hostile();
}
