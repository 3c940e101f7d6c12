/* SPDX-License-Identifier: BSD-2-Clause */
/* "Check this machine" on the hypervisor's own consoles, see console.h. The log
 * has it, and so has whatever shows the log. Called by hv/init.c; no lock. */
#include "arch/x86/cpu/asm.h"
#include "arch/x86/machine/tsc.h"
#include "check/show.h"
#include "drivers/console/keyboard.h"
#include "drivers/console/uart.h"
#include "hv/console/console.h"
#include "lib/log.h"

/* Of a terminal with 80 columns and 24 rows, what the log's prefix leaves */
#define PAGE_COLUMNS 56u
#define PAGE_ROWS    22u
/* Nobody has measured the TSC yet: half a minute to two */
#define PAGE_CYCLES (1ull << 37)

static void line_log(const char *line)
{
	log_info("check", "%s", line);
}

static void page_next(void)
{
	u64 begin = rdtsc();

	log_info("check", "-- press a key for more --");
	while (rdtsc() - begin < PAGE_CYCLES && uart_getc() < 0 &&
	       keyboard_get() == KEY_NONE)
		cpu_pause();
}

void console_show_check(struct check_facts *facts)
{
	const struct check_view view = { .columns = PAGE_COLUMNS,
					 .rows = PAGE_ROWS,
					 .line = line_log,
					 .pause = page_next };

	/* A UART that a table names may not be there */
	check_set(facts, FACT_SERIAL, uart_present());
	keyboard_start();
	check_show(facts, &view);
}
