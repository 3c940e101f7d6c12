/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * See log_ring.h. Called by log.c, by hv/init.c at boot, and by the UEFI loader
 * (boot/efi/crash.c). A half has two
 * positions (head, check), written in turn: a reset between two stores leaves
 * one of them valid.
 */
#include "lib/log_ring.h"

#include "lib/string.h"

#define RING_MAGIC   0x676f6c2d6b6c7542ull /* "Bulk-log" */
#define RING_VERSION 2
#define RING_SEED    0x9e3779b97f4a7c15ull
#define RING_PANIC   0x9d3c5a17e2b8460full
#define RING_ENDED   0x62c3a5e81d47b9f0ull
#define RING_SAVED   0x17be36d94c05a8f2ull
#define LINE_MAX     256
#define EARLY_SIZE   4096

struct ring_position {
	u64 head; /* bytes ever written to this half */
	u64 check;
};

struct ring_header {
	u64 magic;
	u32 version;
	u32 half;                       /* the one in use */
	u64 size;                       /* bytes of text in one half */
	u64 check;                      /* over the four above */
	struct ring_position pos[2][2]; /* [half][turn] */
	u64 end[2];   /* RING_PANIC, RING_ENDED; else it runs, or was cut off */
	u64 saved[2]; /* RING_SAVED: somebody has put it into a file */
};
static_assert(sizeof(struct ring_header) == 128, "read by the next version");

struct ring_text {
	char *text;
	u64 size;
	u64 head;
};

static char early_text[EARLY_SIZE];
static struct ring_header *header; /* NULL: the early ring is in use */
static struct ring_text current = { early_text, EARLY_SIZE, 0 };
static struct log_ring_view previous;
static bool dumping; /* an old log is shown: those lines are not kept */

static u64 mix(u64 sum, u64 value)
{
	sum = (sum ^ value) * RING_SEED;
	return sum ^ sum >> 29;
}

static u64 header_check(const struct ring_header *h)
{
	u64 sum = mix(RING_SEED, h->magic);

	sum = mix(sum, h->version);
	sum = mix(sum, h->half);
	return mix(sum, h->size);
}

static u64 position_check(u64 head)
{
	return mix(RING_MAGIC, head);
}

static bool header_valid(const struct ring_header *h, u64 text_size)
{
	return h->magic == RING_MAGIC && h->version == RING_VERSION &&
	       h->half < 2 && h->size == text_size &&
	       h->check == header_check(h);
}

/* The newer valid position of @half; false when neither is valid */
static bool position_find(const struct ring_header *h, u32 half, u64 *head)
{
	bool found = false;

	*head = 0;
	for (u32 turn = 0; turn < 2; turn++) {
		const struct ring_position *p = &h->pos[half][turn];

		if (p->check != position_check(p->head))
			continue;
		*head = MAX(*head, p->head);
		found = true;
	}
	return found;
}

static void position_store(u64 head)
{
	struct ring_position *p = header->pos[header->half];

	if (p[1].head < p[0].head)
		p++;
	p->check = 0;
	barrier();
	p->head = head;
	barrier();
	p->check = position_check(head);
}

static void ring_put(struct ring_text *r, const char *text, size_t len)
{
	while (len) {
		u64 at = r->head % r->size;
		u64 n = MIN(len, r->size - at);

		memcpy(r->text + at, text, n);
		r->head += n;
		text += n;
		len -= n;
	}
}

static void header_init(struct ring_header *h, u32 half, u64 text_size)
{
	h->magic = 0;
	barrier();
	h->version = RING_VERSION;
	h->half = half;
	h->size = text_size;
	h->end[half] = 0;
	h->saved[half] = 0;
	for (u32 turn = 0; turn < 2; turn++)
		h->pos[half][turn] = (struct ring_position){
			.check = position_check(0),
		};
	barrier();
	h->magic = RING_MAGIC;
	h->check = header_check(h);
}

static void copy_early(const struct ring_text *early)
{
	u64 from = early->head > early->size ? early->head - early->size : 0;

	for (; from < early->head; from++)
		ring_put(&current, &early->text[from % early->size], 1);
	position_store(current.head);
}

static enum log_end end_of(u64 word)
{
	if (word == RING_PANIC)
		return LOG_END_PANIC;
	return word == RING_ENDED ? LOG_END_ORDERLY : LOG_END_CUT;
}

static u64 text_bytes(size_t size)
{
	return (size - sizeof(struct ring_header)) / 2;
}

bool log_ring_look(const void *buf, size_t size, struct log_ring_view *out)
{
	const struct ring_header *h = buf;
	u64 bytes = text_bytes(size), head;

	*out = (struct log_ring_view){ .text = NULL };
	if (size < LOG_RING_MIN_SIZE || !header_valid(h, bytes) ||
	    !position_find(h, h->half, &head) || !head)
		return false;
	*out = (struct log_ring_view){
		.text = (const char *)(h + 1) + h->half * bytes,
		.size = bytes,
		.head = head,
		.end = end_of(h->end[h->half]),
		.saved = h->saved[h->half] == RING_SAVED,
	};
	return true;
}

void log_ring_set_saved(void *buf)
{
	struct ring_header *h = buf;

	h->saved[h->half & 1] = RING_SAVED;
}

bool log_ring_attach(void *buf, size_t size)
{
	struct ring_header *h = buf;
	struct ring_text early = current;
	u64 bytes = text_bytes(size);
	u32 half;
	bool found;

	if (size < LOG_RING_MIN_SIZE)
		return false;
	found = log_ring_look(buf, size, &previous);
	half = header_valid(h, bytes) ? 1 - h->half : 0;
	header_init(h, half, bytes);
	header = h;
	current =
		(struct ring_text){ (char *)(h + 1) + half * bytes, bytes, 0 };
	copy_early(&early);
	return found;
}

void log_ring_end(enum log_end end)
{
	if (header && end != LOG_END_CUT)
		header->end[header->half] =
			end == LOG_END_PANIC ? RING_PANIC : RING_ENDED;
}

void log_ring_write(const char *text, size_t len)
{
	if (dumping)
		return;
	ring_put(&current, text, len);
	if (header)
		position_store(current.head);
}

static char printable(char c)
{
	return c >= ' ' && c <= '~' ? c : '.';
}

static void dump(const char *text, u64 size, u64 head,
		 void (*fn)(const char *line, size_t len))
{
	u64 from = head > size ? head - size : 0;
	char line[LINE_MAX];
	size_t len = 0;

	for (u64 i = from; i < head; i++) {
		char c = text[i % size];

		if (c != '\n')
			line[len++] = printable(c);
		if ((c == '\n' && len) || len == sizeof(line)) {
			fn(line, len);
			len = 0;
		}
	}
	if (len)
		fn(line, len);
}

const struct log_ring_view *log_ring_previous(void)
{
	return previous.text ? &previous : NULL;
}

size_t log_ring_copy(const struct log_ring_view *v, char *buf, size_t size)
{
	u64 kept = MIN(v->head, v->size), skipped = 0, len = 0;
	u64 from = v->head - MIN(kept, size);

	/* Not the end of a line whose begin is lost */
	while (from != 0 && skipped < v->head - from &&
	       v->text[(from - 1 + skipped) % v->size] != '\n')
		skipped++;
	for (u64 i = from + skipped; i < v->head; i++) {
		char c = v->text[i % v->size];

		buf[len++] = c == '\n' ? c : printable(c);
	}
	return len;
}

void log_ring_dump_previous(void (*fn)(const char *line, size_t len))
{
	dumping = true;
	if (previous.text)
		dump(previous.text, previous.size, previous.head, fn);
	dumping = false;
}

void log_ring_dump(void (*fn)(const char *line, size_t len))
{
	dump(current.text, current.size, current.head, fn);
}
