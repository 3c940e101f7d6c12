/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The parser of bulkhead.conf (docs/manifest.md). Called once by hv/init.c on
 * the boot CPU. The text is untrusted and need not end in a newline. It is read
 * line by line, each line through one private copy. A bad line is reported with
 * file, line, reason and cure; its guest is marked invalid and parsing goes on.
 * Invariant: guests[0 .. guest_count) have unique, legal names, and at most one
 * valid guest is privileged. No locks.
 *
 * Over 400 lines: one grammar, from the text to a whole section.
 */
#include "hv/manifest/parser.h"
#include "lib/errno.h"
#include "lib/printf.h"
#include "lib/string.h"

#define LINE_LEN  (MANIFEST_CMDLINE_LEN + 64)
#define KEYS_LEN  320 /* the names of a section's keys */
#define SHOWN_LEN 48  /* how much of a bad value a sentence repeats */

static void complain(struct parser *p, u32 line, const char *fmt, ...)
	__printf(3, 4);

static void complain(struct parser *p, u32 line, const char *fmt, ...)
{
	char text[MANIFEST_SENTENCE_LEN];
	va_list ap;
	int n = bh_snprintf(text, sizeof(text), "%s:%u: ", p->file, line);

	if (n < 0 || (size_t)n >= sizeof(text))
		n = 0;
	va_start(ap, fmt);
	(void)bh_vsnprintf(text + n, sizeof(text) - (size_t)n, fmt, ap);
	va_end(ap);
	p->complaints++;
	p->report(text);
}

/* The line that follows is about the open section: a guest with a bad line
 * does not start */
static void spoil(struct parser *p)
{
	if (p->section == SECTION_GUEST)
		p->guest->valid = false;
}

static const struct key *key_find(enum section section, const char *name)
{
	for (size_t i = 0; i < manifest_key_count; i++)
		if (manifest_keys[i].section == section &&
		    !strcmp(manifest_keys[i].name, name))
			return &manifest_keys[i];
	return NULL;
}

static const struct key_differs *differs_of(const struct key *k)
{
	static const struct key_differs none = { .right_in = RIGHT_IN_ALL };

	if (k->section != SECTION_GUEST)
		return &none;
	for (u32 i = 0; i < manifest_differs_count; i++)
		if (!strcmp(manifest_differs[i].name, k->name))
			return &manifest_differs[i];
	return &none;
}

static const char *cure_of(const struct parser *p, const struct key *k)
{
	const char *cure = p->definition ? differs_of(k)->cure : NULL;

	return cure ? cure : k->cure;
}

/* "kernel, initrd, ..." for the sentence about an unknown key */
static void key_list(const struct parser *p, char *buf, size_t size)
{
	enum right_in other =
		p->definition ? RIGHT_IN_MANIFEST : RIGHT_IN_DEFINITION;
	size_t used = 0;

	buf[0] = 0;
	for (size_t i = 0; i < manifest_key_count && used < size; i++) {
		if (manifest_keys[i].section != p->section ||
		    differs_of(&manifest_keys[i])->right_in == other)
			continue;
		used += (size_t)bh_snprintf(buf + used, size - used, "%s%s",
					    used ? ", " : "",
					    manifest_keys[i].name);
	}
}

static void parse_key(struct parser *p, const char *name, const char *value)
{
	const struct key *k = key_find(p->section, name);
	char known[KEYS_LEN];
	u64 bit;

	if (!k) {
		key_list(p, known, sizeof(known));
		complain(p, p->line,
			 "unknown key '%.*s'; the keys of this section are %s",
			 SHOWN_LEN, name, known);
		spoil(p);
		return;
	}
	bit = BIT(k - manifest_keys);
	if ((p->seen & bit) && k->often == ONCE) {
		complain(p, p->line,
			 "%s is given twice in this section; remove one",
			 k->name);
		spoil(p);
		return;
	}
	p->seen |= bit;
	if (k->set(p, value)) {
		complain(p, p->line, "%s = %.*s: bad value; %s", k->name,
			 SHOWN_LEN, value, cure_of(p, k));
		spoil(p);
	}
	if (p->section == SECTION_GUEST)
		p->guest->key_lines[k - manifest_keys] = p->line;
}

static bool name_is_legal(const char *name)
{
	size_t len = strlen(name);

	if (!len || len >= MANIFEST_NAME_LEN || !is_word(name[0]) ||
	    name[0] == '-' || !strcmp(name, "log") || !strcmp(name, "all"))
		return false;
	for (size_t i = 0; i < len; i++)
		if (!is_word(name[i]))
			return false;
	return true;
}

static struct guest_config *guest_find(struct manifest *m, const char *name)
{
	for (u32 i = 0; i < m->guest_count; i++)
		if (!strcmp(m->guests[i].name, name))
			return &m->guests[i];
	return NULL;
}

/* Room for one more; NULL, after a sentence: it cannot be */
static struct guest_config *guest_room(struct parser *p, const char *name)
{
	struct manifest *m = p->m;
	const struct guest_config *g = m ? guest_find(m, name) : NULL;

	if (g) {
		complain(p, p->line,
			 "guest %s is already defined in line %u; give this "
			 "one another name",
			 name, g->line);
		return NULL;
	}
	if (!m && p->one->name[0]) {
		complain(p, p->line,
			 "guest %s is one too many; a definition is of one "
			 "guest",
			 name);
		p->one->valid = false;
		return NULL;
	}
	if (m && m->guest_count == m->guest_room) {
		complain(p, p->line,
			 "guest %s is one too many; keep at most %u", name,
			 m->guest_room);
		return NULL;
	}
	return m ? &m->guests[m->guest_count++] : p->one;
}

/* The header "[guest NAME]"; leaves SECTION_SKIP behind when it is bad */
static void open_guest(struct parser *p, const char *name)
{
	struct guest_config *g;

	if (!name_is_legal(name)) {
		complain(p, p->line,
			 "guest name '%.*s' is not allowed; use 1 to 31 "
			 "letters, digits, - and _, not log or all",
			 SHOWN_LEN, name);
		return;
	}
	g = guest_room(p, name);
	if (!g)
		return;
	memset(g, 0, sizeof(*g));
	(void)str_copy(g->name, name, sizeof(g->name));
	g->line = p->line;
	g->valid = true;
	g->autostart = true;
	g->shutdown_grace_s = MANIFEST_GRACE_S;
	p->guest = g;
	p->section = SECTION_GUEST;
}

/* Cut blanks off both ends, in place */
static char *trim(char *s)
{
	size_t len;

	while (is_blank(*s))
		s++;
	len = strlen(s);
	while (len && is_blank(s[len - 1]))
		len--;
	s[len] = 0;
	return s;
}

static const char *headers_of(const struct parser *p)
{
	return p->m ? "[hypervisor] or [guest NAME]" : "[guest NAME]";
}

static void parse_header(struct parser *p, char *line)
{
	size_t len = strlen(line);
	char *name;

	p->section = SECTION_SKIP;
	p->seen = 0;
	if (line[len - 1] != ']') {
		complain(p, p->line, "the section header has no ]; add it");
		return;
	}
	line[len - 1] = 0;
	name = trim(line + 1);
	if (!strcmp(name, "hypervisor") && p->m)
		p->section = SECTION_HYPERVISOR;
	else if (!strncmp(name, "guest", 5) && (is_blank(name[5]) || !name[5]))
		open_guest(p, trim(name + 5));
	else
		complain(p, p->line, "unknown section [%.*s]; write %s",
			 SHOWN_LEN, name, headers_of(p));
}

static void parse_line(struct parser *p, char *line)
{
	char *eq;

	if (!*line)
		return;
	if (*line == '[') {
		parse_header(p, line);
		p->lost |= p->section == SECTION_SKIP;
		return;
	}
	if (p->section == SECTION_SKIP)
		return;
	if (p->section == SECTION_NONE) {
		complain(p, p->line,
			 "this line is in no section; put %s above it",
			 headers_of(p));
		p->section = SECTION_SKIP;
		p->lost = true;
		return;
	}
	eq = strchr(line, '=');
	if (!eq || eq == line) {
		complain(p, p->line, "'%.*s' is not key = value; correct it",
			 SHOWN_LEN, line);
		spoil(p);
		return;
	}
	*eq = 0;
	parse_key(p, trim(line), trim(eq + 1));
}

/* Copy one line without its comment: a # at the start or after a blank.
 * -EINVAL on a control character, -E2BIG when it does not fit. */
static int copy_line(char out[LINE_LEN], const char *text, size_t len)
{
	size_t n = 0;

	if (len && text[len - 1] == '\r')
		len--;
	for (; n < len; n++) {
		char c = text[n];

		if (c == '#' && (!n || is_blank(text[n - 1])))
			break;
		if (n == LINE_LEN - 1)
			return -E2BIG;
		if (((u8)c < ' ' && c != '\t') || c == 0x7f)
			return -EINVAL;
		out[n] = c;
	}
	out[n] = 0;
	return 0;
}

/* A definition comes while guests run: one sentence says enough, and more take
 * time */
static bool is_enough(const struct parser *p)
{
	return p->one && p->complaints;
}

static void parse_text(struct parser *p, const char *text, size_t len)
{
	char line[LINE_LEN];
	size_t n;
	int err;

	for (size_t at = 0; at < len && !is_enough(p); at += n + 1) {
		for (n = 0; at + n < len && text[at + n] != '\n'; n++)
			;
		p->line++;
		err = copy_line(line, text + at, n);
		if (!err) {
			parse_line(p, trim(line));
			continue;
		}
		complain(p, p->line,
			 err == -E2BIG
				 ? "the line is too long; keep it below %d "
				   "characters"
				 : "the line holds a control character; save "
				   "the file as plain text, lines below %d "
				   "characters",
			 LINE_LEN);
		spoil(p);
	}
}

/* *@key: whose line tells the most */
static const char *bad_way(const struct guest_config *g, const char **key)
{
	*key = "";
	if (!g->kernel[0] && !g->firmware[0])
		return "has no kernel; add kernel = FILE";
	*key = "boot";
	if (g->firmware[0] && g->boot != BOOT_WAY_AUTO &&
	    g->boot != BOOT_WAY_FIRMWARE)
		return "has a firmware, which starts the kernel; remove one of "
		       "boot = and firmware =";
	*key = "privileged";
	if (!g->privileged)
		return NULL;
	if (g->boot > BOOT_WAY_PVH || g->firmware[0] || g->module_count ||
	    g->fwcfg_count || g->testdev || g->debug_console || g->entropy ||
	    g->ramfb || g->has_uuid)
		return "is privileged: it has the real machine's devices and "
		       "is a Linux or PVH kernel; remove boot, firmware, "
		       "module, fw_cfg, testdev, debug_console, entropy, ramfb "
		       "and uuid";
	return NULL;
}

/* How it is started, as far as the keys tell */
static void check_way(struct parser *p, struct guest_config *g)
{
	const char *key;
	const char *why = bad_way(g, &key);

	if (!why || !g->valid)
		return;
	complain(p, manifest_line(g, key), "guest %s %s", g->name, why);
	g->valid = false;
}

/* A definition's devices: their back-ends reach its memory, and a disk has a
 * queue for each vCPU */
static void finish_devices(struct parser *p, struct guest_config *g)
{
	for (u32 i = 0; i < g->device_count; i++)
		if (g->devices[i].kind == DEVICE_DISK)
			g->devices[i].queues =
				(u8)MIN(g->vcpus, (u32)MANIFEST_DISK_QUEUES);
	if (!p->one || !g->valid || !g->device_count || g->shares_memory)
		return;
	complain(p, g->devices[0].line,
		 "guest %s has a disk or a vhost-user device, whose back-end "
		 "needs its memory; add share = memory",
		 g->name);
	g->valid = false;
}

static void check_vcpus(struct parser *p, struct guest_config *g)
{
	if (!g->valid || g->vcpus <= ISOLATED_VCPUS_MAX)
		return;
	complain(p, manifest_line(g, "vcpus"),
		 "guest %s: vcpus = %u, but only the privileged guest may have "
		 "more than %u; write vcpus = %u or fewer",
		 g->name, g->vcpus, ISOLATED_VCPUS_MAX, ISOLATED_VCPUS_MAX);
	g->valid = false;
}

/* What only the whole section can tell; @privileged: the valid one so far */
static void finish_guest(struct parser *p, struct guest_config *g,
			 const struct guest_config *privileged)
{
	check_way(p, g);
	if (g->privileged && g->valid && privileged) {
		complain(p, manifest_line(g, "privileged"),
			 "guest %s is privileged, and so is %s of line %u; "
			 "only one can be: change one to privileged = no",
			 g->name, privileged->name, privileged->line);
		g->valid = false;
	}
	if (g->privileged && !g->memory_bytes)
		g->memory_rest = true;
	if (g->privileged)
		return;
	if (!g->vcpus)
		g->vcpus = 1;
	check_vcpus(p, g);
	finish_devices(p, g);
	if (g->valid && !g->memory_bytes) {
		complain(p, manifest_line(g, "memory"),
			 g->memory_rest
				 ? "guest %s cannot have memory = rest, which "
				   "is the privileged guest's; name an amount, "
				   "such as memory = 256M"
				 : "guest %s has no memory; add a line such as "
				   "memory = 256M",
			 g->name);
		g->valid = false;
	}
}

static void finish(struct parser *p)
{
	struct manifest *m = p->m;
	const struct guest_config *privileged = NULL;

	for (u32 i = 0; i < m->guest_count; i++) {
		finish_guest(p, &m->guests[i], privileged);
		if (m->guests[i].valid && m->guests[i].privileged)
			privileged = &m->guests[i];
	}
	if (privileged && privileged->autostart && !m->pool_line)
		m->pool_percent = MANIFEST_POOL_PERCENT;
	if (!m->guest_count && !p->lost)
		complain(p, p->line ? p->line : 1,
			 "no guest is defined; add a section [guest NAME]");
	if (m->focus[0] && strcmp(m->focus, "log") &&
	    !guest_find(m, m->focus)) {
		complain(p, p->focus_line,
			 "focus = %s: no guest has this name; write one that "
			 "is defined, or log",
			 m->focus);
		m->focus[0] = 0;
	}
}

/* Bytes of the mark that some editors put in front of UTF-8 */
static size_t mark_bytes(const char *text, size_t len)
{
	static const char bom[3] = { '\xef', '\xbb', '\xbf' };

	return len >= sizeof(bom) && !memcmp(text, bom, sizeof(bom))
		       ? sizeof(bom)
		       : 0;
}

static void parse_marked(struct parser *p, const char *text, size_t len)
{
	size_t mark = mark_bytes(text, len);

	parse_text(p, text + mark, len - mark);
}

u32 manifest_count(const char *text, size_t len)
{
	bool begins = true; /* a line, but for blanks */
	u32 count = 0;

	for (size_t i = mark_bytes(text, len);
	     i < len && count < MANIFEST_MAX_GUESTS; i++) {
		count += begins && text[i] == '[';
		begins = text[i] == '\n' || (begins && is_blank(text[i]));
	}
	return MAX(count, 1u);
}

void manifest_parse(struct manifest *m, const char *file, const char *text,
		    size_t len, void (*report)(const char *sentence))
{
	struct parser p = { .m = m, .file = file, .report = report };

	*m = (struct manifest){ .guests = m->guests,
				.guest_room = m->guest_room,
				.metering = BH_CTL_METERING_COUNTERS };
	p.definition =
		manifest_count(text, len) == 1 &&
		!str_equal_nocase(file, BOOT_MANIFEST, sizeof(BOOT_MANIFEST));
	parse_marked(&p, text, len);
	finish(&p);
}

bool manifest_parse_guest(struct guest_config *g, const char *file,
			  const char *text, size_t len,
			  void (*report)(const char *sentence))
{
	struct parser p = {
		.one = g, .definition = true, .file = file, .report = report
	};

	memset(g, 0, sizeof(*g));
	parse_marked(&p, text, len);
	if (is_enough(&p))
		return false;
	if (!g->name[0])
		complain(&p, p.line ? p.line : 1,
			 "no guest is defined; add a section [guest NAME]");
	else
		finish_guest(&p, g, NULL);
	return g->valid;
}
