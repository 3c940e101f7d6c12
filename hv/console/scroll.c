/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The log from before on the screen: PgUp and PgDn of the PC's keyboard, as
 * long as screen and keyboard are the hypervisor's. A page is the rows of the
 * log, as wide as the screen, that end so many rows before its end; the last
 * row of the screen says so. Meanwhile what is said goes to the UART alone.
 * Called by console.c and mux.c under the console's lock; the work is bounded
 * by the log's ring.
 */
#include "drivers/console/fbcon.h"
#include "hv/console/priv.h"
#include "lib/printf.h"
#include "lib/string.h"

#define HINT_BYTES 80u

struct page {
	const struct speaker *log;
	u32 columns, rows;
	u64 oldest; /* position of the first byte that is still there */
};

static char byte_at(const struct page *p, u64 at)
{
	return p->log->ring[at % p->log->ring_bytes];
}

/* Where the line begins whose LF is before @end */
static u64 line_start(const struct page *p, u64 end)
{
	u64 at = end - 1;

	while (at > p->oldest && byte_at(p, at - 1) != '\n')
		at--;
	return at;
}

/* The text between @start and @end, without CR LF */
static u64 text_bytes(const struct page *p, u64 start, u64 end)
{
	while (end > start &&
	       (byte_at(p, end - 1) == '\n' || byte_at(p, end - 1) == '\r'))
		end--;
	return end - start;
}

static u32 rows_of(const struct page *p, u64 start, u64 end)
{
	u64 len = text_bytes(p, start, end);

	return len ? (u32)((len + p->columns - 1) / p->columns) : 1;
}

/* Goes back @rows rows, to the start of a line: *@at. Returns how many rows it
 * is to the end, fewer where the log begins. */
static u32 go_back(const struct page *p, u32 rows, u64 *at)
{
	u32 have = 0;

	for (*at = p->log->written; *at > p->oldest && have < rows;) {
		u64 start = line_start(p, *at);

		have += rows_of(p, start, *at);
		*at = start;
	}
	return have;
}

static void write_row(const struct page *p, u64 at, u64 len)
{
	while (len) {
		u64 n = len;
		const char *text = mux_history(p->log, &at, &n);

		if (!n)
			break;
		fbcon_write(text, n);
		at += n;
		len -= n;
	}
	fbcon_write("\r\n", 2);
}

/* @rows rows from the line at @at on, without its first @skip */
static void write_rows(const struct page *p, u64 at, u32 skip, u32 rows)
{
	while (rows && at < p->log->written) {
		u64 end = at, len;

		do
			end++;
		while (end < p->log->written && byte_at(p, end - 1) != '\n');
		len = text_bytes(p, at, end);
		do {
			u64 n = MIN(len, (u64)p->columns);

			if (skip) {
				skip--;
			} else {
				write_row(p, at, n);
				rows--;
			}
			at += n;
			len -= n;
		} while (len && rows);
		at = end;
	}
}

static bool page_of(struct page *p)
{
	p->log = con.speakers[0];
	p->oldest =
		p->log->written - MIN(p->log->written, (u64)p->log->ring_bytes);
	return fbcon_size(&p->columns, &p->rows) && p->rows > 2;
}

static void show_page(const struct page *p)
{
	u32 text = p->rows - 2, have; /* the hint, and the cursor's row */
	char hint[HINT_BYTES];
	u64 at;

	have = go_back(p, con.scrolled + text, &at);
	if (have < con.scrolled + text)
		con.scrolled = have > text ? have - text : 0;
	fbcon_clear();
	write_rows(p, at,
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
