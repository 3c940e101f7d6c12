/* SPDX-License-Identifier: BSD-2-Clause */
/* See report.h. Called by the loaders and tools/bh-judge.c; no lock. */
#include "check/report.h"

#include <stdarg.h>

#include "check/judge.h"
#include "lib/printf.h"
#include "lib/string.h"

struct writer {
	char *buf;
	size_t size, len; /* @len: of the whole text */
};

static void put(struct writer *w, const char *fmt, ...) __printf(2, 3);

static void put(struct writer *w, const char *fmt, ...)
{
	size_t at = MIN(w->len, w->size);
	va_list ap;
	int len;

	va_start(ap, fmt);
	len = bh_vsnprintf(w->buf + at, w->size - at, fmt, ap);
	va_end(ap);
	w->len += len > 0 ? (size_t)len : 0;
}

static void put_char(struct writer *w, char c)
{
	if (w->len + 1 < w->size) {
		w->buf[w->len] = c;
		w->buf[w->len + 1] = '\0';
	}
	w->len++;
}

/* Texts may be the firmware's or a CPU's: what would need an escape is shown as
 * a question mark */
static void put_quoted(struct writer *w, const char *s)
{
	put_char(w, '"');
	for (; *s; s++) {
		bool plain = *s >= ' ' && *s <= '~' && *s != '"' && *s != '\\';

		put_char(w, plain ? *s : '?');
	}
	put_char(w, '"');
}

static void put_facts(struct writer *w, const struct check_facts *f)
{
	for (u32 i = 0; i < FACT_COUNT; i++)
		if (f->known[i])
			put(w, "    \"%s\": %llu,\n",
			    check_fact_name((enum check_fact)i), f->value[i]);
	for (u32 i = 0; i < CHECK_STRINGS; i++) {
		put(w, "    \"%s\": ", check_string_name((enum check_string)i));
		put_quoted(w, f->string[i]);
		put(w, "%s\n", i + 1 < CHECK_STRINGS ? "," : "");
	}
}

static void put_verdict(struct writer *w, const struct check_result *r)
{
	put(w,
	    "    {\"name\": \"%s\", \"verdict\": \"%s\", \"text\": ", r->name,
	    check_word(r->verdict));
	put_quoted(w, r->text);
	put(w, ", \"switch\": ");
	put_quoted(w, r->cure);
	put_char(w, '}');
}

size_t check_json(const struct check_facts *f, char *buf, size_t size)
{
	struct writer w = { .buf = buf, .size = size };
	struct check_result r;

	put(&w,
	    "{\n  \"format\": \"bulkhead-check\",\n  \"version\": %u,\n"
	    "  \"result\": \"%s\",\n  \"facts\": {\n",
	    CHECK_VERSION, check_word(check_worst(f)));
	put_facts(&w, f);
	put(&w, "  },\n  \"verdicts\": [\n");
	for (u32 i = 0; i < check_count(); i++) {
		check_judge(f, i, &r);
		put_verdict(&w, &r);
		put(&w, "%s\n", i + 1 < check_count() ? "," : "");
	}
	put(&w, "  ]\n}\n");
	return w.len;
}

size_t check_text(const struct check_facts *f, char *buf, size_t size)
{
	struct writer w = { .buf = buf, .size = size };
	struct check_result r;

	put(&w, "Bulkhead: this machine, checked\r\n\r\n");
	for (u32 i = 0; i < check_count(); i++) {
		check_judge(f, i, &r);
		put(&w, "%s  %s: %s\r\n", check_word(r.verdict), r.name,
		    r.text);
		if (r.verdict != CHECK_PASS && r.cure[0])
			put(&w, "      -> %s\r\n", r.cure);
	}
	put(&w, "\r\n%s\r\n", check_summary(check_worst(f)));
	return w.len;
}
