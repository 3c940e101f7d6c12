/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The keys of bulkhead.conf: one row each, with the function that judges its
 * value and the sentence that says what to write. Called by
 * hv/manifest/parse.c, one line at a time; a value is untrusted text without
 * its comment.
 */
#include "hv/manifest/parser.h"

#include "lib/errno.h"
#include "lib/string.h"

#define MEMORY_MIN MIB(2)
#define MEMORY_MAX (GIB(1) << 16)
#define VCPUS_MAX  128
#define GRACE_MAX  3600

/* Decimal digits at *s, at most @max; moves *s behind them */
static int take_number(const char **s, u64 max, u64 *out)
{
	u64 n = 0;

	if (!is_digit(**s))
		return -EINVAL;
	for (; is_digit(**s); (*s)++) {
		n = n * 10 + (u64)(**s - '0');
		if (n > max)
			return -EINVAL;
	}
	*out = n;
	return 0;
}

static int hex_digit(char c)
{
	if (is_digit(c))
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* All of @s, decimal or 0x hexadecimal */
static int parse_number(const char *s, u64 max, u64 *out)
{
	u64 n = 0;

	if (s[0] != '0' || (s[1] != 'x' && s[1] != 'X'))
		return take_number(&s, max, out) || *s ? -EINVAL : 0;
	s += 2;
	if (!*s)
		return -EINVAL;
	for (; *s; s++) {
		if (hex_digit(*s) < 0)
			return -EINVAL;
		n = n << 4 | (u64)hex_digit(*s);
		if (n > max)
			return -EINVAL;
	}
	*out = n;
	return 0;
}

static int parse_bool(const char *s, bool *out)
{
	bool yes = !strcmp(s, "yes");

	if (!yes && strcmp(s, "no"))
		return -EINVAL;
	*out = yes;
	return 0;
}

static int set_console(struct parser *p, const char *value)
{
	bool all = !strcmp(value, "all");

	if (!all && strcmp(value, "switch"))
		return -EINVAL;
	p->m->console = all ? CONSOLE_ALL : CONSOLE_SWITCH;
	return 0;
}

static int set_focus(struct parser *p, const char *value)
{
	if (!*value || strlen(value) >= sizeof(p->m->focus))
		return -EINVAL;
	(void)str_copy(p->m->focus, value, sizeof(p->m->focus));
	p->focus_line = p->line;
	return 0;
}

static int set_privileged(struct parser *p, const char *value)
{
	return parse_bool(value, &p->guest->privileged);
}

/* A file name in /bulkhead: no path, nothing a FAT partition cannot hold */
static int set_file(char out[BOOT_NAME_LEN], const char *value)
{
	if (!*value || strlen(value) >= BOOT_NAME_LEN)
		return -EINVAL;
	for (const char *s = value; *s; s++)
		if (!is_word(*s) && *s != '.' && *s != '+' && *s != '~')
			return -EINVAL;
	(void)str_copy(out, value, BOOT_NAME_LEN);
	return 0;
}

static int set_kernel(struct parser *p, const char *value)
{
	return set_file(p->guest->kernel, value);
}

static int set_initrd(struct parser *p, const char *value)
{
	return set_file(p->guest->initrd, value);
}

static int set_cmdline(struct parser *p, const char *value)
{
	return str_copy(p->guest->cmdline, value, sizeof(p->guest->cmdline))
		       ? 0
		       : -EINVAL;
}

static int set_vcpus(struct parser *p, const char *value)
{
	u64 n;

	if (parse_number(value, VCPUS_MAX, &n) || !n)
		return -EINVAL;
	p->guest->vcpus = (u32)n;
	return 0;
}

static int set_memory(struct parser *p, const char *value)
{
	u64 n;
	u32 shift;

	if (!strcmp(value, "rest")) {
		p->guest->memory_rest = true;
		return 0;
	}
	if (take_number(&value, MEMORY_MAX, &n))
		return -EINVAL;
	if (value[0] == 'M' || value[0] == 'm')
		shift = 20;
	else if (value[0] == 'G' || value[0] == 'g')
		shift = 30;
	else
		return -EINVAL;
	if (value[1] || n > MEMORY_MAX >> shift || n << shift < MEMORY_MIN)
		return -EINVAL;
	p->guest->memory_bytes = n << shift;
	return 0;
}

/* "0-3,5" */
static int set_cores(struct parser *p, const char *value)
{
	u64 cores[MANIFEST_MAX_CORES / 64] = { 0 };
	u64 first, last;

	for (;; value++) {
		if (take_number(&value, MANIFEST_MAX_CORES - 1, &first))
			return -EINVAL;
		last = first;
		if (*value == '-') {
			value++;
			if (take_number(&value, MANIFEST_MAX_CORES - 1, &last))
				return -EINVAL;
		}
		if (last < first)
			return -EINVAL;
		for (u64 i = first; i <= last; i++)
			cores[i / 64] |= BIT(i % 64);
		if (*value != ',')
			break;
	}
	if (*value)
		return -EINVAL;
	memcpy(p->guest->cores, cores, sizeof(cores));
	return 0;
}

static int set_debug_exit_port(struct parser *p, const char *value)
{
	u64 n;

	if (parse_number(value, 0xffff, &n))
		return -EINVAL;
	p->guest->debug_exit_port = (u16)n;
	return 0;
}

static int set_autostart(struct parser *p, const char *value)
{
	return parse_bool(value, &p->guest->autostart);
}

static int set_firmware(struct parser *p, const char *value)
{
	return set_file(p->guest->firmware, value);
}

static int set_boot(struct parser *p, const char *value)
{
	static const char *const ways[] = {
		[BOOT_WAY_AUTO] = "auto",
		[BOOT_WAY_LINUX] = "linux",
		[BOOT_WAY_PVH] = "pvh",
		[BOOT_WAY_MULTIBOOT] = "multiboot",
		[BOOT_WAY_MULTIBOOT2] = "multiboot2",
		[BOOT_WAY_FIRMWARE] = "firmware",
	};

	for (u32 i = 0; i < ARRAY_SIZE(ways); i++) {
		if (strcmp(value, ways[i]))
			continue;
		p->guest->boot = (enum boot_way)i;
		return 0;
	}
	return -EINVAL;
}

/* The first word of *@value into @out; *@value moves to the second */
static int take_word(const char **value, char *out, size_t size)
{
	const char *s = *value;
	size_t n = 0;

	for (; *s && !is_blank(*s); s++) {
		if (n + 1 == size)
			return -EINVAL;
		out[n++] = *s;
	}
	out[n] = 0;
	while (is_blank(*s))
		s++;
	*value = s;
	return n ? 0 : -EINVAL;
}

static int set_module(struct parser *p, const char *value)
{
	struct guest_config *g = p->guest;
	struct module_config *m = &g->modules[g->module_count];
	char file[BOOT_NAME_LEN];

	if (g->module_count == MANIFEST_MAX_FILES ||
	    take_word(&value, file, sizeof(file)) || set_file(m->file, file) ||
	    !str_copy(m->args, value, sizeof(m->args)))
		return -EINVAL;
	g->module_count++;
	return 0;
}

/* What a backslash of a text in quotes begins: \\, \", or \xHH */
static int take_escape(const char **s, char *out)
{
	const char *at = *s + 1;
	int high, low;

	if (*at == '\\' || *at == '"') {
		*out = *at;
		*s = at + 1;
		return 0;
	}
	if (*at != 'x')
		return -EINVAL;
	high = hex_digit(at[1]);
	low = high < 0 ? -1 : hex_digit(at[2]);
	if (low < 0)
		return -EINVAL;
	*out = (char)(high << 4 | low);
	*s = at + 3;
	return 0;
}

/* "TEXT", to the end of @s */
static int take_text(const char *s, struct fwcfg_config *item)
{
	item->text_len = 0;
	for (s++; *s && *s != '"'; item->text_len++) {
		char *to = &item->text[item->text_len];

		if (item->text_len == sizeof(item->text))
			return -EINVAL;
		if (*s != '\\')
			*to = *s++;
		else if (take_escape(&s, to))
			return -EINVAL;
	}
	return s[0] == '"' && !s[1] ? 0 : -EINVAL;
}

static int set_fw_cfg(struct parser *p, const char *value)
{
	struct guest_config *g = p->guest;
	struct fwcfg_config *item = &g->fwcfg[g->fwcfg_count];
	int err;

	if (g->fwcfg_count == MANIFEST_MAX_FILES ||
	    take_word(&value, item->name, sizeof(item->name)))
		return -EINVAL;
	item->file[0] = 0;
	err = *value == '"' ? take_text(value, item)
			    : set_file(item->file, value);
	if (!err)
		g->fwcfg_count++;
	return err;
}

static int set_testdev(struct parser *p, const char *value)
{
	return parse_bool(value, &p->guest->testdev);
}

static int set_debug_console(struct parser *p, const char *value)
{
	return parse_bool(value, &p->guest->debug_console);
}

static int set_ramfb(struct parser *p, const char *value)
{
	return parse_bool(value, &p->guest->ramfb);
}

/* RFC 9562 4 *UUID Format*: 8-4-4-4-12 hexadecimal digits. SMBIOS has the first
 * three fields in little-endian order (DSP0134 7.2.1 *System - UUID*). */
static int set_uuid(struct parser *p, const char *value)
{
	static const u8 order[] = { 3, 2, 1,  0,  5,  4,  7,  6,
				    8, 9, 10, 11, 12, 13, 14, 15 };
	u8 uuid[MANIFEST_UUID_LEN];

	for (u32 i = 0; i < sizeof(uuid); i++) {
		int high, low;

		if (i >= 4 && i <= 10 && i % 2 == 0 && *value++ != '-')
			return -EINVAL;
		high = hex_digit(value[0]);
		low = high < 0 ? -1 : hex_digit(value[1]);
		if (low < 0)
			return -EINVAL;
		uuid[order[i]] = (u8)(high << 4 | low);
		value += 2;
	}
	if (*value)
		return -EINVAL;
	memcpy(p->guest->uuid, uuid, sizeof(uuid));
	p->guest->has_uuid = true;
	return 0;
}

static int set_shutdown_grace(struct parser *p, const char *value)
{
	u64 n;

	if (parse_number(value, GRACE_MAX, &n))
		return -EINVAL;
	p->guest->shutdown_grace_s = (u32)n;
	return 0;
}

#define FILE_CURE                                                              \
	"write the name of a file in the folder " BOOT_DIR " of the boot"      \
	" volume, at most 63 letters, digits and . _ - + ~"

/* clang-format off */
const struct key manifest_keys[] = {
	{ SECTION_HYPERVISOR, ONCE, "console", set_console,
	  "write switch or all" },
	{ SECTION_HYPERVISOR, ONCE, "focus", set_focus,
	  "write the name of a guest, or log" },
	{ SECTION_GUEST, ONCE, "privileged", set_privileged, "write yes or no" },
	{ SECTION_GUEST, ONCE, "kernel", set_kernel, FILE_CURE },
	{ SECTION_GUEST, ONCE, "initrd", set_initrd, FILE_CURE },
	{ SECTION_GUEST, ONCE, "cmdline", set_cmdline,
	  "write at most 1023 characters" },
	{ SECTION_GUEST, ONCE, "vcpus", set_vcpus,
	  "write a number from 1 to 128" },
	{ SECTION_GUEST, ONCE, "memory", set_memory,
	  "write megabytes or gigabytes, at least 2M, such as 512M or 4G,"
	  " or rest" },
	{ SECTION_GUEST, ONCE, "cores", set_cores,
	  "write core numbers from 0 to 255, such as 0-3,5" },
	{ SECTION_GUEST, ONCE, "debug_exit_port", set_debug_exit_port,
	  "write a port from 1 to 0xffff, or 0 for none" },
	{ SECTION_GUEST, ONCE, "autostart", set_autostart, "write yes or no" },
	{ SECTION_GUEST, ONCE, "boot", set_boot,
	  "write auto, linux, pvh, multiboot, multiboot2 or firmware" },
	{ SECTION_GUEST, ONCE, "firmware", set_firmware, FILE_CURE },
	{ SECTION_GUEST, AGAIN, "module", set_module,
	  "write the name of a file and at most 127 characters for it, in at"
	  " most 8 lines" },
	{ SECTION_GUEST, AGAIN, "fw_cfg", set_fw_cfg,
	  "write a name of at most 55 characters, then the name of a file or"
	  " at most 128 characters in quotes, in at most 8 lines" },
	{ SECTION_GUEST, ONCE, "testdev", set_testdev, "write yes or no" },
	{ SECTION_GUEST, ONCE, "debug_console", set_debug_console,
	  "write yes or no" },
	{ SECTION_GUEST, ONCE, "ramfb", set_ramfb, "write yes or no" },
	{ SECTION_GUEST, ONCE, "shutdown_grace", set_shutdown_grace,
	  "write seconds from 0 to 3600" },
	{ SECTION_GUEST, ONCE, "uuid", set_uuid,
	  "write 32 hexadecimal digits in groups, such as"
	  " 7f0c1e52-5f6b-4f0a-9d3e-1c2b3a495867" },
};
/* clang-format on */
const u32 manifest_key_count = ARRAY_SIZE(manifest_keys);
static_assert(ARRAY_SIZE(manifest_keys) <= 32, "parser.seen has a bit per key");

bool manifest_file(const struct guest_config *g, u32 i, const char **name,
		   const char **key)
{
	const struct {
		const char *name, *key;
	} fixed[] = { { g->kernel, "kernel" },
		      { g->initrd, "initrd" },
		      { g->firmware, "firmware" } };

	if (i < ARRAY_SIZE(fixed)) {
		*name = fixed[i].name;
		*key = fixed[i].key;
		return true;
	}
	i -= (u32)ARRAY_SIZE(fixed);
	if (i < g->module_count) {
		*name = g->modules[i].file;
		*key = "module";
		return true;
	}
	i -= g->module_count;
	if (i >= g->fwcfg_count)
		return false;
	*name = g->fwcfg[i].file;
	*key = "fw_cfg";
	return true;
}
