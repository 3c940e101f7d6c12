/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * See hpet.h. Called by hv/init.c at boot and by hv/assign/hpet_view.c. No
 * lock: the list is constant after hpet_init(), and nothing writes afterwards.
 */
#include "drivers/clock/hpet.h"

#include "arch/x86/cpu/portio.h"
#include "arch/x86/machine/tsc_clock.h"
#include "drivers/acpi/acpi.h"
#include "include/hw/hpet.h"
#include "lib/bytes.h"
#include "lib/log.h"
#include "mm/hostmap.h"
#include "mm/owner.h"
#include "mm/pt.h"

/* A chipset decodes the HPET at one of four pages, chosen by a register that is
 * the guest's, among others (ICH9, 10.1.75 *HPTC*) */
#define FIRST_BASE 0xfed00000ull
#define BASES      4u

static struct {
	u64 base;
	u8 *va;
} hpets[ACPI_MAX_HPETS];
static u32 count;

/* What firmware left there must not fire into our vectors */
static void quieten(u8 *va, u32 cap)
{
	u32 config = (u32)mmio_read(va + HPET_CONFIG, 4);

	for (u32 i = 0; i < HPET_CAP_TIMERS(cap); i++) {
		u8 *timer = va + HPET_TIMER0 + i * HPET_TIMER_BYTES;
		u32 conf = (u32)mmio_read(timer + HPET_TIMER_CONF, 4);

		mmio_write(timer + HPET_TIMER_CONF, 4,
			   conf & ~(u32)(HPET_T_ENABLE | HPET_T_FSB));
	}
	config &= ~(u32)HPET_CONFIG_LEGACY;
	mmio_write(va + HPET_CONFIG, 4, config | HPET_CONFIG_ENABLE);
}

static void hpet_add(u64 base)
{
	u8 *va;
	u32 cap;

	if (owner_keep_device(base, HPET_BYTES)) {
		log_warn("hpet",
			 "the HPET at %#llx is not where registers can be: it "
			 "is left out",
			 base);
		return;
	}
	va = ioremap(HPA(base), HPET_BYTES, PT_R | PT_W | PT_UC);
	cap = va ? (u32)mmio_read(va + HPET_CAP, 4) : ~0u;
	if (cap == ~0u)
		return;
	quieten(va, cap);
	hpets[count].base = base;
	hpets[count++].va = va;
}

void hpet_init(void)
{
	count = 0;
	for (u32 i = 0; i < acpi.hpet_count; i++)
		hpet_add(acpi.hpets[i]);
	if (owner_keep_device(FIRST_BASE, BASES * PAGE_SIZE))
		log_info("hpet", "there is RAM at %#llx", FIRST_BASE);
}

static u64 counter_read(void)
{
	return mmio_read(hpets[0].va + HPET_COUNTER, 4);
}

const struct ref_clock *hpet_clock(void)
{
	static struct ref_clock clock = { .name = "HPET",
					  .mask = UINT32_MAX,
					  .read = counter_read };
	u64 period;

	if (!count)
		return NULL;
	period = mmio_read(hpets[0].va + HPET_CAP + 4, 4);
	if (period < HPET_PERIOD_MIN_FS || period > HPET_PERIOD_MAX_FS)
		return NULL;
	clock.hz = HPET_FS_PER_S / period;
	return &clock;
}

u32 hpet_count(void)
{
	return count;
}

u64 hpet_base(u32 i)
{
	return hpets[i].base;
}

u64 hpet_read(u32 i, u64 offset, u8 size)
{
	if (size < 4 || !IS_ALIGNED(offset, size) || offset >= HPET_BYTES)
		return ones_of(size);
	return mmio_read(hpets[i].va + offset, size);
}
