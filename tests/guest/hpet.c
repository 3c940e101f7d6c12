/* SPDX-License-Identifier: BSD-2-Clause */
/* The HPET as drivers find and program it */
#include "tests/guest/lib/board.h"

#define HPET    0xfed00000ul
#define VECTOR  0x63
#define VECTOR0 0x64 /* IRQ 0 */
#define VECTOR8 0x65

#define CAP     0x00
#define CONFIG  0x10
#define STATUS  0x20
#define COUNTER 0xf0
#define CONF(n) (0x100 + 0x20 * (n))
#define CMP(n)  (0x108 + 0x20 * (n))

#define LEVEL    BIT(1)
#define ENABLE   BIT(2)
#define PERIODIC BIT(3)
#define VAL_SET  BIT(6)
#define MODE32   BIT(8)
#define ROUTE(n) ((u64)(n) << 9)

static u64 hz;

static u64 get(u32 reg)
{
	return *(volatile u64 *)(HPET + reg);
}

static void set(u32 reg, u64 value)
{
	*(volatile u64 *)(HPET + reg) = value;
}

static u64 counts(u64 us)
{
	return us * hz / 1000000;
}

static u64 in_us(u64 us)
{
	return get(COUNTER) + counts(us);
}

static void capabilities(void)
{
	u64 period = get(CAP) >> 32;

	section("IA-PC HPET 1.0a 2.3.4");
	check(period >= 10000000 && period <= 100000000, "hpet.period",
	      "%llu fs", period);
	hz = period ? 1000000000000000ull / period : 1;
	check((get(CAP) & 0xff) != 0, "hpet.revision", "");
	check((get(CAP) >> 8 & 0x1f) == 2, "hpet.three_timers", "%llx",
	      get(CAP));
	check((get(CAP) & 0xa000) == 0xa000, "hpet.64_bits_and_legacy", "%llx",
	      get(CAP));
	section("IA-PC HPET 1.0a 2.3.8");
	check((get(CONF(0)) & 0x8030) == 0x30, "hpet.timer0_periodic", "%llx",
	      get(CONF(0)));
	check(!(get(CONF(1)) & 0x8010), "hpet.timer1_not_periodic", "%llx",
	      get(CONF(1)));
	set(CONF(1), PERIODIC | ROUTE(1));
	check(!(get(CONF(1)) & PERIODIC), "hpet.periodic_refused", "");
	check((get(CONF(1)) & ROUTE(31)) == 0, "hpet.route_refused", "%llx",
	      get(CONF(1)));
	check(get(CONF(2)) >> 32 & BIT(21), "hpet.routes", "%llx",
	      get(CONF(2)));
}

static void counter(void)
{
	u64 a, b, tsc, us;

	section("IA-PC HPET 1.0a 2.3.7");
	set(CONFIG, 0);
	set(COUNTER, 0x1234567890ull);
	sleep_us(100);
	check(get(COUNTER) == 0x1234567890ull, "hpet.halted", "%llx",
	      get(COUNTER));
	set(COUNTER, 0);
	section("IA-PC HPET 1.0a 2.3.5");
	set(CONFIG, 1);
	a = get(COUNTER);
	tsc = rdtsc();
	sleep_us(20000);
	b = get(COUNTER);
	us = (rdtsc() - tsc) * 1000 / tsc_khz();
	check(near(b - a, counts(us), 3), "hpet.rate", "%llu counts in %llu us",
	      b - a, us);
	a = *(volatile u32 *)(HPET + COUNTER);
	check(a >= b && a < b + counts(1000000), "hpet.low_half", "%llx", a);
	check(*(volatile u32 *)(HPET + COUNTER + 4) == 0, "hpet.high_half", "");
}

static void one_shot(void)
{
	u64 n = irq_count[VECTOR], start;

	section("IA-PC HPET 1.0a 2.3.9.2.1");
	ioapic_set(21, VECTOR);
	set(CONF(1), ENABLE | ROUTE(21));
	start = rdtsc();
	set(CMP(1), in_us(2000));
	check(wait_irq(VECTOR, 100000), "hpet.one_shot", "");
	check(rdtsc() - start >= tsc_khz() * 2, "hpet.not_early", "");
	sleep_us(5000);
	check(irq_count[VECTOR] == n + 1, "hpet.once", "%llu",
	      irq_count[VECTOR] - n);
	section("IA-PC HPET 1.0a 2.3.6");
	check(get(STATUS) == 0, "hpet.edge_has_no_status", "%llx", get(STATUS));
	section("IA-PC HPET 1.0a 2.3.8");
	set(CONF(1), ROUTE(21));
	set(CMP(1), in_us(100));
	sleep_us(1000);
	check(irq_count[VECTOR] == n + 1, "hpet.not_enabled", "");
}

static void on_level(struct trap_frame *f)
{
	set(STATUS, BIT(2));
	wrmsr(X2APIC_EOI, 0);
}

static void level(void)
{
	u64 n = irq_count[VECTOR];

	section("IA-PC HPET 1.0a 2.3.6");
	ioapic_set(21, VECTOR | IOAPIC_MASKED | IOAPIC_LEVEL);
	set(CONF(2), ENABLE | LEVEL | ROUTE(21));
	set(CMP(2), in_us(100));
	sleep_us(1000);
	check(get(STATUS) == BIT(2), "hpet.level_status", "%llx", get(STATUS));
	irq_handler[VECTOR] = on_level;
	ioapic_set(21, VECTOR | IOAPIC_LEVEL);
	sleep_us(1000);
	check(irq_count[VECTOR] == n + 1, "hpet.level_until_cleared", "%llu",
	      irq_count[VECTOR] - n);
	check(get(STATUS) == 0, "hpet.status_written_clears", "%llx",
	      get(STATUS));
	irq_handler[VECTOR] = irq_ack;
	ioapic_set(21, VECTOR);
	set(CONF(2), 0);
}

static void periodic(void)
{
	u64 n = irq_count[VECTOR], cmp, after;

	section("IA-PC HPET 1.0a 2.3.9.2.2");
	set(CONF(0), ENABLE | PERIODIC | VAL_SET | ROUTE(21));
	set(CMP(0), in_us(1000));
	cmp = get(CMP(0));
	set(CMP(0), counts(1000));
	after = get(CMP(0));
	sleep_us(50500);
	n = irq_count[VECTOR] - n;
	check(after - cmp < counts(20000), "hpet.accumulator_stays",
	      "%llx %llx", cmp, after);
	check(n >= 48 && n <= 52, "hpet.periodic", "%llu in 50 ms", n);
	check((get(CMP(0)) - cmp) % counts(1000) == 0 && get(CMP(0)) > cmp,
	      "hpet.comparator_moves_by_the_period", "%llx %llx", cmp,
	      get(CMP(0)));
	section("IA-PC HPET 1.0a 2.3.9.1");
	set(CONF(0), ENABLE | PERIODIC | VAL_SET | ROUTE(21));
	n = irq_count[VECTOR];
	set(CMP(0), in_us(1000));
	set(CMP(0), 1);
	sleep_us(10000);
	n = irq_count[VECTOR] - n;
	check(n >= 10 && n <= 250, "hpet.absurd_rate", "%llu in 10 ms", n);
	section("IA-PC HPET 1.0a 2.3.8");
	set(CONF(0), MODE32 | ROUTE(21));
	set(CMP(0), 0x123456789abcull);
	check(get(CMP(0)) == 0x56789abc, "hpet.32_bit_mode", "%llx",
	      get(CMP(0)));
	set(CONF(0), 0);
}

static void legacy(void)
{
	u64 n;

	section("IA-PC HPET 1.0a 2.3.5");
	irq_handler[VECTOR0] = irq_handler[VECTOR8] = irq_ack;
	ioapic_set(2, VECTOR0);
	ioapic_set(8, VECTOR8);
	pit_set(0, 0x34, PIT_HZ / 1000);
	sleep_us(5000);
	set(CONFIG, 3);
	sleep_us(1000);
	n = irq_count[VECTOR0];
	sleep_us(10000);
	check(irq_count[VECTOR0] == n, "hpet.legacy_silences_the_pit", "%llu",
	      irq_count[VECTOR0] - n);
	set(CONF(0), ENABLE | ROUTE(21));
	set(CMP(0), in_us(500));
	check(wait_irq(VECTOR0, 10000), "hpet.timer0_is_irq0", "");
	set(CONF(1), ENABLE | ROUTE(21));
	set(CMP(1), in_us(500));
	check(wait_irq(VECTOR8, 10000), "hpet.timer1_is_irq8", "");
	set(CONFIG, 1);
	n = irq_count[VECTOR0];
	sleep_us(10000);
	check(irq_count[VECTOR0] > n + 5, "hpet.the_pit_comes_back", "%llu",
	      irq_count[VECTOR0] - n);
	ioapic_set(2, IOAPIC_MASKED);
	ioapic_set(8, IOAPIC_MASKED);
}

void guest_main(void)
{
	board_start();
	pic_init(1);
	irq_handler[VECTOR] = irq_ack;
	capabilities();
	counter();
	one_shot();
	level();
	periodic();
	legacy();
}
