/* SPDX-License-Identifier: BSD-2-Clause */
/* See show.h. Called by boot/efi/check.c, hv/console/check.c and
 * tools/bh-judge.c; no lock. */
#include "check/show.h"

#include "check/judge.h"
#include "lib/printf.h"
#include "lib/string.h"

#define ENTRY_BYTES 320u
#define LINE_BYTES  160u
#define INDENT      "      "

struct page {
	const struct check_view *v;
	u32 columns, used; /* lines of the page */
};

/* Where @text is cut for a line of @room: at its last blank */
static u32 cut(const char *text, u32 room)
{
	u32 len = (u32)strlen(text), at;

	if (len <= room)
		return len;
	for (at = room; at && text[at] != ' '; at--)
		;
	return at ? at : room;
}

static u32 put_lines(struct page *p, const char *text, bool dry)
{
	char line[LINE_BYTES];
	u32 count = 0;

	while (*text || !count) {
		u32 indent = count ? (u32)sizeof(INDENT) - 1 : 0;
		u32 len = cut(text, p->columns - indent);

		bh_snprintf(line, sizeof(line), "%s%.*s", count ? INDENT : "",
			    (int)len, text);
		if (!dry)
			p->v->line(line);
		for (text += len; *text == ' '; text++)
			;
		count++;
	}
	return count;
}

/* What belongs together stays on one page */
static void put_entry(struct page *p, const char *first, const char *second)
{
	u32 count = put_lines(p, first, true);

	count += *second ? put_lines(p, second, true) : 0;
	if (p->used && p->used + count >= p->v->rows) {
		p->v->pause();
		p->used = 0;
	}
	put_lines(p, first, false);
	if (*second)
		put_lines(p, second, false);
	p->used += count;
}

void check_show(const struct check_facts *f, const struct check_view *v)
{
	struct page p = { .v = v, .columns = MIN(v->columns, LINE_BYTES - 1) };
	char first[ENTRY_BYTES], second[ENTRY_BYTES];
	const char *summary = check_summary(check_worst(f));
	struct check_result r;

	put_entry(&p, summary, "");
	for (u32 i = 0; i < check_count(); i++) {
		check_judge(f, i, &r);
		bh_snprintf(first, sizeof(first), "%s  %s: %s",
			    check_word(r.verdict), r.name, r.text);
		second[0] = '\0';
		if (r.cure[0])
			bh_snprintf(second, sizeof(second), INDENT "-> %s",
				    r.cure);
		put_entry(&p, first, second);
	}
	put_entry(&p, summary, "");
}
