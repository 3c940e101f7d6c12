/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The tables a guest finds, against each other and against what the platform
 * does: ACPI as a kernel walks it, SMBIOS by its anchors. The word "reset":
 * the guest resets itself by the register that the FADT names.
 */
#include "include/hw/acpi.h"
#include "include/hw/smbios.h"
#include "tests/guest/lib/board.h"

#define BIOS_AREA     0xe0000ul
#define BIOS_AREA_END 0x100000ul
#define SMBIOS_AREA   0xf0000ul
#define VECTOR        0x68
#define CMOS_STEP     0x50 /* RAM that a reset leaves alone */
#define STEP_DONE     0x5a

static const struct acpi_rsdp *rsdp;
static const struct acpi_fadt *fadt;

static u8 sum(const void *p, u64 size)
{
	const u8 *b = p;
	u8 s = 0;

	while (size--)
		s = (u8)(s + *b++);
	return s;
}

static bool same(const void *a, const char *b, u32 size)
{
	for (u32 i = 0; i < size; i++)
		if (((const char *)a)[i] != b[i])
			return false;
	return true;
}

static bool in_bios_area(u64 at, u64 size)
{
	return at >= BIOS_AREA && at + size <= BIOS_AREA_END;
}

/* How often @text occurs in a table */
static u32 occurs(const struct acpi_header *t, const char *text, u32 size)
{
	u32 n = 0;

	for (u32 i = sizeof(*t); i + size <= t->length; i++)
		n += same((const u8 *)t + i, text, size);
	return n;
}

static const void *pointer(u64 at)
{
	return (const void *)at;
}

static u32 table_count(const struct acpi_header *root, u32 size)
{
	return (root->length - (u32)sizeof(*root)) / size;
}

static u64 root_entry(const struct acpi_header *root, u32 size, u32 i)
{
	const u8 *p = (const u8 *)(root + 1) + i * size;
	u64 at = 0;

	for (u32 b = 0; b < size; b++)
		at |= (u64)p[b] << b * 8;
	return at;
}

static const void *find(const char *signature)
{
	const struct acpi_header *x = pointer(rsdp->xsdt);

	for (u32 i = 0; i < table_count(x, 8); i++) {
		const struct acpi_header *t = pointer(root_entry(x, 8, i));

		if (same(t->signature, signature, 4))
			return t;
	}
	return NULL;
}

/* As a kernel without a hint does it: on every 16th byte */
static void scan(void)
{
	section("ACPI 6.4 5.2.5.1");
	for (u64 at = BIOS_AREA; at < BIOS_AREA_END && !rsdp; at += 16)
		if (same(pointer(at), "RSD PTR ", 8))
			rsdp = pointer(at);
	check(rsdp, "acpi.rsdp_by_scan", "");
}

static void roots(void)
{
	const struct acpi_header *x = pointer(rsdp->xsdt);
	const struct acpi_header *r = pointer(rsdp->rsdt);
	u32 n = table_count(x, 8), differ = 0;

	section("ACPI 6.4 5.2.5.3");
	check(!sum(rsdp, 20), "acpi.rsdp_checksum", "%x", sum(rsdp, 20));
	check(rsdp->revision == 2 && rsdp->length == 36 && !sum(rsdp, 36),
	      "acpi.rsdp_extended_checksum", "%x", sum(rsdp, 36));
	section("ACPI 6.4 5.2.8");
	check(same(x->signature, "XSDT", 4) && !sum(x, x->length), "acpi.xsdt",
	      "%x", sum(x, x->length));
	section("ACPI 6.4 5.2.7");
	check(same(r->signature, "RSDT", 4) && !sum(r, r->length), "acpi.rsdt",
	      "%x", sum(r, r->length));
	for (u32 i = 0; i < n; i++)
		differ += root_entry(x, 8, i) != root_entry(r, 4, i);
	check(n == table_count(r, 4) && !differ, "acpi.roots_agree",
	      "%u tables, %u differ", n, differ);
}

static void tables(void)
{
	const struct acpi_header *x = pointer(rsdp->xsdt);
	u32 bad_sum = 0, outside = 0;

	section("ACPI 6.4 5.2.6");
	for (u32 i = 0; i < table_count(x, 8); i++) {
		const struct acpi_header *t = pointer(root_entry(x, 8, i));

		outside += !in_bios_area((u64)t, t->length);
		bad_sum += sum(t, t->length) != 0;
	}
	check(!outside, "acpi.tables_where_the_map_says", "%u", outside);
	check(!bad_sum, "acpi.every_checksum", "%u", bad_sum);
}

static void dsdt_and_facs(void)
{
	const struct acpi_header *d = pointer(fadt->dsdt);
	const u32 *facs = pointer(fadt->facs);

	section("ACPI 6.4 5.2.11.1");
	check(same(d->signature, "DSDT", 4) && !sum(d, d->length) &&
		      fadt->x_dsdt == fadt->dsdt,
	      "acpi.dsdt", "%x", sum(d, d->length));
	section("ACPI 6.4 7.4.2");
	check(occurs(d, "\x08_S5_\x12", 6) == 1 && !occurs(d, "_S3_", 4) &&
		      !occurs(d, "_S4_", 4),
	      "acpi.only_s5", "");
	/* EISA ids: a PS/2 keyboard, and no mouse, for there is none */
	section("ACPI 6.4 6.1.5");
	check(occurs(d, "\x41\xd0\x03\x03", 4) == 1 &&
		      !occurs(d, "\x41\xd0\x0f\x13", 4),
	      "acpi.no_mouse", "");
	section("ACPI 6.4 5.2.10");
	check(same(facs, "FACS", 4) && facs[1] == 64 && !(fadt->facs % 64) &&
		      fadt->x_facs == fadt->facs,
	      "acpi.facs", "%x", fadt->facs);
}

static void fadt_fields(void)
{
	section("ACPI 6.4 5.2.9");
	check(fadt->header.revision >= 6 && fadt->header.length == 276,
	      "acpi.fadt_size", "%u", fadt->header.length);
	check(!(fadt->flags & 1u << 20), "acpi.not_hardware_reduced", "%x",
	      fadt->flags);
	check(fadt->x_pm1a_evt.address == fadt->pm1a_evt_blk &&
		      fadt->x_pm1a_cnt.address == fadt->pm1a_cnt_blk &&
		      fadt->x_pm_tmr.address == fadt->pm_tmr_blk &&
		      fadt->x_gpe0.address == fadt->gpe0_blk,
	      "acpi.fadt_both_addresses", "");
	check(fadt->x_gpe0.bits == fadt->gpe0_blk_len * 8 &&
		      fadt->x_pm1a_evt.bits == fadt->pm1_evt_len * 8,
	      "acpi.fadt_both_widths", "%u", fadt->x_gpe0.bits);
	section("ACPI 6.4 5.2.9.3");
	check(fadt->iapc_boot_arch & 2 && inb(0x64) != 0xff, "acpi.has_8042",
	      "%x", fadt->iapc_boot_arch);
}

static void fixed_hardware(void)
{
	u16 port = (u16)fadt->pm_tmr_blk;
	u32 a, b;

	a = inl(port);
	sleep_us(20000);
	b = (inl(port) - a) & 0xffffff;
	/* At what rate, acpi_pm.c says, on a machine whose time nobody takes */
	section("ACPI 6.4 4.8.2.1");
	check(b >= 20000ull * 3579545 / 1000000 * 97 / 100,
	      "acpi.pm_timer_counts", "%u in 20 ms", b);
	check(fadt->flags & 1u << 8 || !(inl(port) >> 24),
	      "acpi.pm_timer_as_wide_as_told", "%x", inl(port));
	section("ACPI 6.4 4.8.2.5");
	outb((u16)fadt->smi_cmd, fadt->acpi_disable);
	check(!(inw((u16)fadt->pm1a_cnt_blk) & 1), "acpi.smi_cmd_disables",
	      "%x", inw((u16)fadt->pm1a_cnt_blk));
	outb((u16)fadt->smi_cmd, fadt->acpi_enable);
	check(inw((u16)fadt->pm1a_cnt_blk) & 1, "acpi.smi_cmd_enables", "%x",
	      inw((u16)fadt->pm1a_cnt_blk));
}

static void on_sci(struct trap_frame *f)
{
	outw((u16)(fadt->pm1a_evt_blk + 2), 0);
	wrmsr(X2APIC_EOI, 0);
}

/* The timer's carry bit changes every 2.3 s: the SCI comes by then, as the
 * FADT and the MADT say, level and active high */
static void sci(void)
{
	u16 sts = (u16)fadt->pm1a_evt_blk;
	bool came;

	section("ACPI 6.4 4.8.3.1");
	irq_handler[VECTOR] = on_sci;
	outw(sts, 1);
	ioapic_set(fadt->sci_int, VECTOR | IOAPIC_LEVEL);
	outw((u16)(sts + 2), 1);
	came = wait_irq(VECTOR, 3000000);
	check(came && inw(sts) & 1, "acpi.sci_of_the_timer", "%u, %x", came,
	      inw(sts));
	outw(sts, 1);
	ioapic_set(fadt->sci_int, IOAPIC_MASKED);
	check(irq_count[VECTOR] == 1, "acpi.sci_falls_with_its_enable", "%llu",
	      irq_count[VECTOR]);
}

struct madt_seen {
	u32 cpus, own, ioapics, nmis;
	u32 gsi[16], flags[16];
	u64 ioapic;
};

static void madt_walk(const struct acpi_madt *m, struct madt_seen *s)
{
	const u8 *end = (const u8 *)m + m->header.length;
	const u8 *p = (const u8 *)(m + 1);

	for (u32 i = 0; i < 16; i++)
		s->gsi[i] = i;
	for (; p < end && p[1]; p += p[1]) {
		const struct madt_lapic *l = (const void *)p;
		const struct madt_ioapic *io = (const void *)p;
		const struct madt_override *o = (const void *)p;

		if (p[0] == MADT_LAPIC && l->flags & 1) {
			s->cpus++;
			s->own += l->apic_id == rdmsr(X2APIC_ID);
		} else if (p[0] == MADT_IOAPIC) {
			s->ioapics++;
			s->ioapic = io->base;
		} else if (p[0] == MADT_OVERRIDE && o->irq < 16) {
			s->gsi[o->irq] = o->gsi;
			s->flags[o->irq] = o->flags;
		} else if (p[0] == 4 && p[2] == 0xff && p[5] == 1) {
			s->nmis++;
		}
	}
}

static void madt(void)
{
	const struct acpi_madt *m = find("APIC");
	static struct madt_seen s;
	volatile u32 *io;

	section("ACPI 6.4 5.2.12");
	check(m, "acpi.madt", "");
	if (!m)
		return;
	madt_walk(m, &s);
	check(m->flags & 1, "acpi.madt_pcat_compat", "%x", m->flags);
	check(s.cpus == cmdline_number("vcpus=", 1), "acpi.madt_cpus", "%u",
	      s.cpus);
	check(s.own == 1, "acpi.madt_has_this_cpu", "%u", s.own);
	section("ACPI 6.4 5.2.12.3");
	io = (volatile u32 *)s.ioapic;
	io[0] = 1;
	check(s.ioapics == 1 && (io[4] >> 16 & 0xff) == 23,
	      "acpi.madt_ioapic_is_there", "%x", io[4]);
	section("ACPI 6.4 5.2.12.5");
	check(s.gsi[fadt->sci_int] == fadt->sci_int &&
		      s.flags[fadt->sci_int] == 0xd,
	      "acpi.sci_is_level_high", "%x", s.flags[fadt->sci_int]);
	irq_handler[VECTOR + 1] = irq_ack;
	ioapic_set(s.gsi[0], VECTOR + 1);
	pit_set(0, 0x30, 1000);
	check(wait_irq(VECTOR + 1, 200000), "acpi.irq_0_where_overridden",
	      "pin %u", s.gsi[0]);
	ioapic_set(s.gsi[0], IOAPIC_MASKED);
	section("ACPI 6.4 5.2.12.7");
	check(s.nmis == 1, "acpi.nmi_on_lint1", "%u", s.nmis);
}

static void others(void)
{
	const struct acpi_header *mcfg = find("MCFG"), *ssdt = find("SSDT");
	const struct acpi_hpet *hpet = find("HPET");
	const struct mcfg_entry *e;

	section("PCI Firmware 3.2 4.1.2");
	check(mcfg, "acpi.mcfg", "");
	e = (const void *)((const u8 *)mcfg + MCFG_ENTRIES_OFFSET);
	outl(0xcf8, 0x8000f800);
	check(mcfg && *(volatile u32 *)(e->base + (0x1ful << 15)) == inl(0xcfc),
	      "acpi.mcfg_is_ecam", "%x", inl(0xcfc));
	section("HPET 1.0a 3.2.4");
	check(hpet && *(volatile u32 *)hpet->base.address == hpet->id,
	      "acpi.hpet_is_there", "%x", hpet ? hpet->id : 0);
	section("ACPI 6.4 8.4");
	check(ssdt && occurs(ssdt, "ACPI0007", 8) ==
			      cmdline_number("vcpus=", 1),
	      "acpi.processor_objects", "");
}

static void smbios(void)
{
	const struct smbios3_anchor *a3 = pointer(SMBIOS_AREA);
	const struct smbios_anchor *a2 = pointer(SMBIOS_AREA + 0x20);
	const u8 *p = pointer(a3->table), *end = p + a3->max_table_length;
	u32 count = 0, cores = 0, last = 0;

	section("SMBIOS 3.4 5.2.2");
	check(same(a3->signature, "_SM3_", 5) && !sum(a3, a3->length),
	      "smbios.anchor_64", "%x", sum(a3, a3->length));
	section("SMBIOS 3.4 5.2.1");
	check(same(a2->signature, "_SM_", 4) && !sum(a2, a2->length) &&
		      !sum(a2->dmi_signature, 15),
	      "smbios.anchor_32", "%x", sum(a2, a2->length));
	section("SMBIOS 3.4 6.1");
	for (; p < end; count++) {
		const struct smbios_cpu *c = (const void *)p;

		last = c->h.type;
		if (last == 4)
			cores += c->cores;
		for (p += c->h.length; p < end && (p[0] || p[1]);)
			p++;
		p += 2;
	}
	check(p == end && last == SMBIOS_END && count == a2->count,
	      "smbios.walk", "%u of %u, last %u", count, a2->count, last);
	section("SMBIOS 3.4 7.5");
	check(cores == cmdline_number("vcpus=", 1), "smbios.cores", "%u",
	      cores);
}

/* The second run finds what the first left in the CMOS */
static void reset(void)
{
	section("ACPI 6.4 4.8.3.6");
	if (cmos(CMOS_STEP) != STEP_DONE) {
		cmos_set(CMOS_STEP, STEP_DONE);
		outb((u16)fadt->reset_reg.address, fadt->reset_value);
		check(false, "acpi.reset_register", "the guest still runs");
		return;
	}
	check(true, "acpi.reset_register", "");
}

void guest_main(void)
{
	board_start();
	scan();
	if (!rsdp)
		return;
	fadt = find("FACP");
	section("ACPI 6.4 5.2.9");
	check(fadt, "acpi.fadt", "");
	if (!fadt)
		return;
	if (cmdline_has("reset")) {
		reset();
		return;
	}
	roots();
	tables();
	dsdt_and_facs();
	fadt_fields();
	madt();
	fixed_hardware();
	sci();
	others();
	smbios();
}
