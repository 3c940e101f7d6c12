/* SPDX-License-Identifier: BSD-2-Clause */
/* See progress.h */
#include "tools/bhctl/progress.h"

#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define COLUMNS_DEFAULT 80
#define COLUMNS_MAX     200
#define BAR_MIN         10
#define AROUND          48 /* what stands beside the bar */

static bool is_shown;

int progress_text(char *text, size_t size, u32 columns, const char *what,
		  u64 done, u64 total)
{
	char bar[COLUMNS_MAX + 1];
	u32 width = MIN(MAX(columns, (u32)AROUND + BAR_MIN) - AROUND,
			(u32)COLUMNS_MAX);
	u64 part = total ? MIN(done, total) * 1000 / total : 0;
	u32 full = (u32)(part * width / 1000);

	memset(bar, '#', full);
	memset(bar + full, '.', width - full);
	bar[width] = 0;
	return snprintf(text, size, "%-16.16s [%s] %3llu %% of %llu MiB",
			what ? what : "", bar, part / 10, total >> 20);
}

void progress_show(const char *what, u64 done, u64 total)
{
	struct winsize w = { .ws_col = 0 };
	char text[2 * COLUMNS_MAX];

	if (!isatty(STDERR_FILENO))
		return;
	ioctl(STDERR_FILENO, TIOCGWINSZ, &w);
	progress_text(text, sizeof(text), w.ws_col ? w.ws_col : COLUMNS_DEFAULT,
		      what, done, total);
	fprintf(stderr, "\r%s\033[K", text);
	is_shown = true;
}

void progress_end(void)
{
	if (is_shown)
		fputs("\r\033[K", stderr);
	is_shown = false;
}
