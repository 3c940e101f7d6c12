/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The log from before on the screen: PgUp and PgDn of the PC's keyboard, as
 * long as screen and keyboard are the hypervisor's. A page is the rows of the
 * log, as wide as the screen, that end so many rows before its end; the last
 * row of the screen says so. Meanwhile what is said goes to the UART alone.
 * Called by console.c and mux.c under the console's lock. Where lines begin is
 * noted as they are said, so that nobody looks for it among the ring's bytes:
 * the work is some instructions for each line back, and those of a page.
 */
#include "drivers/console/fbcon.h"
#include "hv/console/priv.h"
#include "lib/printf.h"
#include "lib/string.h"

#define HINT_BYTES 80u
#define LINE_END   2u /* CR LF */

struct page {
	const struct speaker *log;
	u32 columns, rows;
	u64 oldest;     /* position of the first byte that is still there */
	u64 first_line; /* whose start is known */
};

void scroll_note(const struct speaker *log)
{
	con.starts[con.lines++ % CONSOLE_LOG_LINES] = log->written;
}

static u64 start_of(const struct page *p, u64 line)
{
	return line < con.lines ? con.starts[line % CONSOLE_LOG_LINES]
				: p->log->written;
}

/* Without CR LF */
static u64 text_bytes(const struct page *p, u64 line)
{
	return start_of(p, line + 1) - start_of(p, line) - LINE_END;
}

static u32 rows_of(const struct page *p, u64 line)
{
	u32 len = (u32)text_bytes(p, line);

	return len ? (len + p->columns - 1) / p->columns : 1;
}

/* Goes back @rows rows, to the start of a line: *@line. Returns how many rows
 * it is to the end, fewer where the log begins. */
static u32 go_back(const struct page *p, u32 rows, u64 *line)
{
	u32 have = 0;

	for (*line = con.lines; *line > p->first_line && have < rows; --*line) {
		if (start_of(p, *line - 1) < p->oldest)
			break;
		have += rows_of(p, *line - 1);
	}
	return have;
}

static void write_row(const struct page *p, u64 at, u64 len)
{
	while (len) {
		u64 n = len;
		const char *text = history_bytes(p->log, &at, &n);

		if (!n)
			break;
		fbcon_write(text, n);
		at += n;
		len -= n;
	}
	fbcon_write("\r\n", 2);
}

/* @rows rows from @line on, without its first @skip */
static void write_rows(const struct page *p, u64 line, u32 skip, u32 rows)
{
	for (; rows && line < con.lines; line++) {
		u64 at = start_of(p, line), len = text_bytes(p, line), n;

		do {
			n = MIN(len, (u64)p->columns);
			if (skip) {
				skip--;
			} else {
				write_row(p, at, n);
				rows--;
			}
			at += n;
			len -= n;
		} while (len && rows);
	}
}

static bool page_of(struct page *p)
{
	const struct speaker *log = con.speakers[0];

	p->log = log;
	p->oldest = log->written - MIN(log->written, (u64)log->ring_bytes);
	p->first_line = con.lines - MIN(con.lines, (u64)CONSOLE_LOG_LINES);
	return fbcon_size(&p->columns, &p->rows) && p->rows > 2;
}

u64 scroll_last_page(void)
{
	struct page p;
	u64 line;
	u32 rows, have;

	if (!page_of(&p))
		return con.speakers[0]->written;
	rows = p.rows - 2; /* the cursor's, and the banner's */
	have = go_back(&p, rows, &line);
	return start_of(&p, have > rows ? line + 1 : line);
}

static void show_page(const struct page *p)
{
	u32 text = p->rows - 2, have; /* the hint, and the cursor's row */
	char hint[HINT_BYTES];
	u64 line;

	have = go_back(p, con.scrolled + text, &line);
	if (have < con.scrolled + text)
		con.scrolled = have > text ? have - text : 0;
	fbcon_clear();
	write_rows(p, line,
		   have > con.scrolled + text ? have - con.scrolled - text : 0,
		   text);
	bh_snprintf(hint, sizeof(hint),
		    "--- the log, %u lines back --- PgUp, PgDn ---",
		    con.scrolled);
	if (con.scrolled)
		fbcon_write(hint, strlen(hint));
}

void scroll_page(bool up)
{
	struct page p;
	u32 step;

	if (!page_of(&p))
		return;
	step = p.rows - 2;
	if (up)
		con.scrolled += step;
	else
		con.scrolled -= MIN(con.scrolled, step);
	show_page(&p);
}

void scroll_end(void)
{
	if (!con.scrolled)
		return;
	con.scrolled = 1;
	scroll_page(false);
}
