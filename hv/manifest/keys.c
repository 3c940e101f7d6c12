/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The keys of bulkhead.conf: one row each, with the function that judges its
 * value and the sentence that says what to write. Called by
 * hv/manifest/parse.c, one line at a time; a value is untrusted text without
 * its comment. Over 400 lines: a key is a function and a row.
 */
#include "hv/manifest/parser.h"
#include "hv/manifest/values.h"
#include "lib/errno.h"
#include "lib/string.h"

#define MEMORY_MIN       MIB(2)
#define POOL_PERCENT_MAX 90u
#define MEMORY_MAX       (GIB(1) << 16)
#define NODE_MAX         1023
#define GRACE_MAX        3600
#define REBOOT_AFTER_MAX 86400

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

static int set_special_memory(struct parser *p, const char *value)
{
	return value_bool(value, &p->m->special_memory);
}

static int set_privileged_restart(struct parser *p, const char *value)
{
	bool restart = true;
	int err = value_bool(value, &restart);

	p->m->privileged_stays = !restart;
	return err;
}

static int set_serial(struct parser *p, const char *value)
{
	return value_serial(value, &p->m->serial);
}

static int set_measure(struct parser *p, const char *value)
{
	return value_bool(value, &p->m->measure);
}

static int set_metering(struct parser *p, const char *value)
{
	static const char *const modes[BH_CTL_METERINGS] = {
		[BH_CTL_METERING_OFF] = "off",
		[BH_CTL_METERING_COUNTERS] = "counters",
		[BH_CTL_METERING_HISTOGRAMS] = "histograms",
	};

	for (u32 i = 0; i < ARRAY_SIZE(modes); i++) {
		if (strcmp(value, modes[i]))
			continue;
		p->m->metering = (enum bh_ctl_metering)i;
		return 0;
	}
	return -EINVAL;
}

static int set_speculation(struct parser *p, const char *value)
{
	static const char *const modes[] = {
		[SPECULATION_AUTO] = "auto",
		[SPECULATION_FULL] = "full",
		[SPECULATION_OFF] = "off",
	};

	for (u32 i = 0; i < ARRAY_SIZE(modes); i++) {
		if (strcmp(value, modes[i]))
			continue;
		p->m->speculation = (enum speculation_mode)i;
		return 0;
	}
	return -EINVAL;
}

static int set_reboot_after(struct parser *p, const char *value)
{
	u64 n;

	if (value_number(value, REBOOT_AFTER_MAX, &n))
		return -EINVAL;
	p->m->reboot_after_s = (u32)n;
	return 0;
}

/* "wait", "reboot 10" */
static int set_panic(struct parser *p, const char *value)
{
	char word[sizeof("reboot")];
	u64 n = 0;

	if (value_take_word(&value, word, sizeof(word)))
		return -EINVAL;
	if (!strcmp(word, "reboot")) {
		if (value_number(value, REBOOT_AFTER_MAX, &n) || !n)
			return -EINVAL;
	} else if (strcmp(word, "wait") || *value) {
		return -EINVAL;
	}
	p->m->panic_reboot_s = (u32)n;
	p->m->has_panic = true;
	return 0;
}

static int set_privileged(struct parser *p, const char *value)
{
	return value_bool(value, &p->guest->privileged);
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

static int set_weight(struct parser *p, const char *value)
{
	u64 n;

	if (value_number(value, MANIFEST_WEIGHT_MAX, &n) || !n)
		return -EINVAL;
	p->guest->weight = (u32)n;
	return 0;
}

/* "50%" */
static int set_cap(struct parser *p, const char *value)
{
	u64 percent;

	if (value_take_number(&value, 100, &percent) || !percent ||
	    strcmp(value, "%"))
		return -EINVAL;
	p->guest->cap = (u32)percent;
	return 0;
}

static int set_vcpus(struct parser *p, const char *value)
{
	u64 n;

	if (value_number(value, VCPUS_MAX, &n) || !n)
		return -EINVAL;
	p->guest->vcpus = (u32)n;
	return 0;
}

/* Whole megabytes or gigabytes at *@s, which moves behind the unit */
static int take_bytes(const char **s, u64 *bytes)
{
	u64 n;
	u32 shift;

	if (value_take_number(s, MEMORY_MAX, &n))
		return -EINVAL;
	if (**s == 'M' || **s == 'm')
		shift = 20;
	else if (**s == 'G' || **s == 'g')
		shift = 30;
	else
		return -EINVAL;
	++*s;
	if (**s || n > MEMORY_MAX >> shift)
		return -EINVAL;
	*bytes = n << shift;
	return 0;
}

static int set_memory(struct parser *p, const char *value)
{
	u64 bytes;

	if (!strcmp(value, "rest")) {
		p->guest->memory_rest = true;
		return 0;
	}
	if (take_bytes(&value, &bytes) || bytes < MEMORY_MIN)
		return -EINVAL;
	p->guest->memory_bytes = bytes;
	return 0;
}

static int set_guest_count(struct parser *p, const char *value)
{
	u64 n;

	if (value_number(value, MANIFEST_MAX_COUNT, &n) || !n)
		return -EINVAL;
	p->m->pool_guests = (u32)n;
	return 0;
}

/* 25% is of the machine's RAM; 0 is none */
static int set_guest_memory(struct parser *p, const char *value)
{
	const char *at = value;
	u64 bytes, percent;

	if (value_take_number(&at, MEMORY_MAX, &percent))
		return -EINVAL;
	if (*at && strcmp(at, "%")) {
		if (take_bytes(&value, &bytes))
			return -EINVAL;
		p->m->pool_bytes = bytes;
	} else if (*at ? percent > POOL_PERCENT_MAX : percent) {
		return -EINVAL;
	} else {
		p->m->pool_percent = (u32)percent;
	}
	p->m->pool_line = p->line;
	return 0;
}

/* "0-3,5" */
/* Each word at once: a value may name all cores a hundred times */
static void add_cores(u64 *cores, u32 first, u32 last)
{
	for (u32 i = first / 64; i <= last / 64; i++) {
		u32 low = i == first / 64 ? first % 64 : 0;
		u32 high = i == last / 64 ? last % 64 : 63;

		cores[i] |= ~0ull << low & ~0ull >> (63 - high);
	}
}

static int set_cores(struct parser *p, const char *value)
{
	u64 cores[MANIFEST_MAX_CORES / 64] = { 0 };
	u64 first, last;

	for (;; value++) {
		if (value_take_number(&value, MANIFEST_MAX_CORES - 1, &first))
			return -EINVAL;
		last = first;
		if (*value == '-') {
			value++;
			if (value_take_number(&value, MANIFEST_MAX_CORES - 1,
					      &last))
				return -EINVAL;
		}
		if (last < first)
			return -EINVAL;
		add_cores(cores, (u32)first, (u32)last);
		if (*value != ',')
			break;
	}
	if (*value)
		return -EINVAL;
	memcpy(p->guest->cores, cores, sizeof(cores));
	return 0;
}

static int set_numa(struct parser *p, const char *value)
{
	u64 n = 0;

	if (!strcmp(value, "auto"))
		p->guest->numa = NUMA_AUTO;
	else if (!strcmp(value, "any"))
		p->guest->numa = NUMA_ANY;
	else if (value_number(value, NODE_MAX, &n))
		return -EINVAL;
	else
		p->guest->numa = NUMA_NODE;
	p->guest->numa_node = (u32)n;
	return 0;
}

static int set_debug_exit_port(struct parser *p, const char *value)
{
	u64 n;

	if (value_number(value, 0xffff, &n))
		return -EINVAL;
	p->guest->debug_exit_port = (u16)n;
	return 0;
}

static int set_autostart(struct parser *p, const char *value)
{
	return value_bool(value, &p->guest->autostart);
}

static int set_clock(struct parser *p, const char *value)
{
	bool run = !strcmp(value, "run");

	if (!run && strcmp(value, "stop"))
		return -EINVAL;
	p->guest->clock = run ? CLOCK_RUN : CLOCK_STOP;
	return 0;
}

static int set_share(struct parser *p, const char *value)
{
	bool memory = !strcmp(value, "memory");

	if (!memory && strcmp(value, "none"))
		return -EINVAL;
	p->guest->shares_memory = memory;
	return 0;
}

static int set_restart(struct parser *p, const char *value)
{
	static const char *const ways[] = {
		[RESTART_NEVER] = "never",
		[RESTART_ON_CRASH] = "on-crash",
		[RESTART_ALWAYS] = "always",
	};

	for (u32 i = 0; i < ARRAY_SIZE(ways); i++) {
		if (strcmp(value, ways[i]))
			continue;
		p->guest->restart = (enum restart_way)i;
		return 0;
	}
	return -EINVAL;
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

static int set_module(struct parser *p, const char *value)
{
	struct guest_config *g = p->guest;
	struct module_config *m = &g->modules[g->module_count];
	char file[BOOT_NAME_LEN];

	if (g->module_count == MANIFEST_MAX_FILES ||
	    value_take_word(&value, file, sizeof(file)) ||
	    set_file(m->file, file) ||
	    !str_copy(m->args, value, sizeof(m->args)))
		return -EINVAL;
	m->line = p->line;
	g->module_count++;
	return 0;
}

static int set_fw_cfg(struct parser *p, const char *value)
{
	struct guest_config *g = p->guest;
	struct fwcfg_config *item = &g->fwcfg[g->fwcfg_count];
	int err;

	if (g->fwcfg_count == MANIFEST_MAX_FILES ||
	    value_take_word(&value, item->name, sizeof(item->name)))
		return -EINVAL;
	item->line = p->line;
	item->file[0] = 0;
	err = *value == '"' ? value_text(value, item)
			    : set_file(item->file, value);
	if (!err)
		g->fwcfg_count++;
	return err;
}

static int set_testdev(struct parser *p, const char *value)
{
	return value_bool(value, &p->guest->testdev);
}

static int set_debug_console(struct parser *p, const char *value)
{
	return value_bool(value, &p->guest->debug_console);
}

static int set_ramfb(struct parser *p, const char *value)
{
	return value_bool(value, &p->guest->ramfb);
}

static int set_entropy(struct parser *p, const char *value)
{
	return value_bool(value, &p->guest->entropy);
}

/* @value_of: it is spelled so */
static int add_device(struct parser *p, const char *value,
		      int (*value_of)(const char *s, struct device_config *out))
{
	struct guest_config *g = p->guest;

	if (g->device_count == MANIFEST_MAX_DEVICES ||
	    value_of(value, &g->devices[g->device_count]))
		return -EINVAL;
	g->devices[g->device_count++].line = p->line;
	return 0;
}

static int set_disk(struct parser *p, const char *value)
{
	return add_device(p, value, value_disk);
}

static int set_vhost_user(struct parser *p, const char *value)
{
	return add_device(p, value, value_vhost_user);
}

static int set_uuid(struct parser *p, const char *value)
{
	if (value_uuid(value, p->guest->uuid))
		return -EINVAL;
	p->guest->has_uuid = true;
	return 0;
}

static int set_shutdown_grace(struct parser *p, const char *value)
{
	u64 n;

	if (value_number(value, GRACE_MAX, &n))
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
	{ SECTION_HYPERVISOR, ONCE, "serial", set_serial,
	  "write auto, none, com1, com2, com3, com4, a port such as 0x2f8,"
	  " pci:00:16.3 or mmio:0xfe030000, and a baud rate behind a comma if"
	  " the firmware's is not to be kept" },
	{ SECTION_HYPERVISOR, ONCE, "measure", set_measure, "write yes or no" },
	{ SECTION_HYPERVISOR, ONCE, "metering", set_metering,
	  "write off, counters or histograms" },
	{ SECTION_HYPERVISOR, ONCE, "speculation", set_speculation,
	  "write auto, full or off" },
	{ SECTION_HYPERVISOR, ONCE, "special_memory", set_special_memory,
	  "write yes or no" },
	{ SECTION_HYPERVISOR, ONCE, "privileged-restart",
	  set_privileged_restart, "write yes or no" },
	{ SECTION_HYPERVISOR, ONCE, "guest-memory", set_guest_memory,
	  "write megabytes or gigabytes, such as 512M or 4G, a share of the"
	  " machine's memory from 0% to 90%, or 0 for none" },
	{ SECTION_HYPERVISOR, ONCE, "guest-count", set_guest_count,
	  "write a number from 1 to 1000" },
	{ SECTION_HYPERVISOR, ONCE, "reboot_after", set_reboot_after,
	  "write seconds from 1 to 86400, or 0 for never" },
	{ SECTION_HYPERVISOR, ONCE, "panic", set_panic,
	  "write wait, or reboot and seconds from 1 to 86400, such as"
	  " reboot 10" },
	{ SECTION_GUEST, ONCE, "privileged", set_privileged, "write yes or no" },
	{ SECTION_GUEST, ONCE, "kernel", set_kernel, FILE_CURE },
	{ SECTION_GUEST, ONCE, "initrd", set_initrd, FILE_CURE },
	{ SECTION_GUEST, ONCE, "cmdline", set_cmdline,
	  "write at most 1023 characters" },
	{ SECTION_GUEST, ONCE, "vcpus", set_vcpus,
	  "write a number from 1 to 1024" },
	{ SECTION_GUEST, ONCE, "weight", set_weight,
	  "write a number from 1 to 10000" },
	{ SECTION_GUEST, ONCE, "cap", set_cap,
	  "write how much of a core, from 1% to 100%" },
	{ SECTION_GUEST, ONCE, "memory", set_memory,
	  "write megabytes or gigabytes, at least 2M, such as 512M or 4G,"
	  " or for the privileged guest rest" },
	{ SECTION_GUEST, ONCE, "cores", set_cores,
	  "write core numbers from 0 to 1023, such as 0-3,5" },
	{ SECTION_GUEST, ONCE, "numa", set_numa,
	  "write the number of a NUMA node, auto or any" },
	{ SECTION_GUEST, ONCE, "debug_exit_port", set_debug_exit_port,
	  "write a port from 1 to 0xffff, or 0 for none" },
	{ SECTION_GUEST, ONCE, "autostart", set_autostart, "write yes or no" },
	{ SECTION_GUEST, ONCE, "clock", set_clock, "write stop or run" },
	{ SECTION_GUEST, ONCE, "share", set_share, "write memory or none" },
	{ SECTION_GUEST, ONCE, "restart", set_restart,
	  "write never, on-crash or always" },
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
	{ SECTION_GUEST, ONCE, "entropy", set_entropy, "write yes or no" },
	{ SECTION_GUEST, AGAIN, "disk", set_disk,
	  "write the path of an image, and options behind commas, in at most"
	  " 8 lines with those of vhost-user" },
	{ SECTION_GUEST, AGAIN, "vhost-user", set_vhost_user,
	  "write the path of a socket, then ,type= from 1 to 63 and if need be"
	  " ,queues= from 1 to 16 and ,config= from 0 to 256, in at most 8"
	  " lines with those of disk" },
	{ SECTION_GUEST, ONCE, "shutdown_grace", set_shutdown_grace,
	  "write seconds from 0 to 3600" },
	{ SECTION_GUEST, ONCE, "uuid", set_uuid,
	  "write 32 hexadecimal digits in groups, such as"
	  " 7f0c1e52-5f6b-4f0a-9d3e-1c2b3a495867" },
};

const struct key_differs manifest_differs[] = {
	{ "privileged", RIGHT_IN_MANIFEST, "remove it" },
	{ "vcpus", RIGHT_IN_ALL, "write a number from 1 to 128" },
	{ "memory", RIGHT_IN_ALL,
	  "write megabytes or gigabytes, at least 2M, such as 512M or 4G" },
	{ "share", RIGHT_IN_DEFINITION, NULL },
	{ "disk", RIGHT_IN_DEFINITION, NULL },
	{ "vhost-user", RIGHT_IN_DEFINITION, NULL },
};
/* clang-format on */
const u32 manifest_differs_count = ARRAY_SIZE(manifest_differs);
const u32 manifest_key_count = ARRAY_SIZE(manifest_keys);
static_assert(ARRAY_SIZE(manifest_keys) <= 64, "parser.seen has a bit per key");
static_assert(ARRAY_SIZE(manifest_keys) <= MANIFEST_MAX_KEYS,
	      "guest_config.key_lines has a line per key");
