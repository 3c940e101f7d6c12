/* SOURCES: hv/manifest/parse.c hv/manifest/keys.c hv/manifest/lookup.c hv/manifest/values.c hv/manifest/values_serial.c hv/manifest/values_device.c lib/printf.c lib/string.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The manifest: what a person writes, and what is wrong with it. Over 400
 * lines: a table of sentences for a table of keys.
 */
#include "hv/core/vm.h"
#include "hv/manifest/parser.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "tests/unit/fakes/manifest.h"
#include "tests/unit/test.h"

#define GOOD_GUEST "[guest a]\nkernel = k\nmemory = 64M\n"

static void test_whole(void **state)
{
	parse("# a comment\n"
	      "[hypervisor]\n"
	      "console = all # and why\n"
	      "focus = linux\n"
	      "reboot_after = 30\n"
	      "measure = yes\n"
	      "special_memory = yes\n"
	      "privileged-restart = no\n"
	      "\n"
	      "[guest linux]\n"
	      "privileged = yes\n"
	      "kernel = vmlinuz-6.1\n"
	      "initrd = initrd.cpio\n"
	      "cmdline = root=/dev/sda1 x#y  console=ttyS0\n"
	      "memory = rest\n"
	      "cores = 0-2,5,70\n"
	      "numa = 3\n"
	      "\t[guest box]\n"
	      "  kernel=k\n"
	      "memory = 1G\n"
	      "vcpus = 2\n"
	      "debug_exit_port = 0xf4\n"
	      "weight = 512\n"
	      "cap = 50%\n"
	      "clock = run\n"
	      "share = memory\n"
	      "autostart = no");
	assert_int_equal(said_count, 0);
	assert_int_equal(m.console, CONSOLE_ALL);
	assert_string_equal(m.focus, "linux");
	assert_int_equal(m.reboot_after_s, 30);
	assert_true(m.measure);
	assert_true(m.special_memory);
	assert_true(m.privileged_stays);
	assert_int_equal(m.guest_count, 2);
	assert_true(m.guests[0].valid && m.guests[0].privileged);
	assert_true(m.guests[0].memory_rest && m.guests[0].autostart);
	assert_int_equal(m.guests[0].vcpus, 0);
	assert_string_equal(m.guests[0].kernel, "vmlinuz-6.1");
	assert_string_equal(m.guests[0].initrd, "initrd.cpio");
	assert_string_equal(m.guests[0].cmdline,
			    "root=/dev/sda1 x#y  console=ttyS0");
	assert_int_equal(m.guests[0].cores[0], 0x27);
	assert_int_equal(m.guests[0].numa, NUMA_NODE);
	assert_int_equal(m.guests[0].numa_node, 3);
	assert_int_equal(m.guests[0].cores[1], 1 << 6);
	assert_true(m.guests[1].valid && !m.guests[1].privileged);
	assert_int_equal(m.guests[1].memory_bytes, GIB(1));
	assert_int_equal(m.guests[1].vcpus, 2);
	assert_int_equal(m.guests[1].debug_exit_port, 0xf4);
	assert_int_equal(m.guests[0].weight, 0);
	assert_int_equal(m.guests[1].weight, 512);
	assert_int_equal(m.guests[0].cap, 0);
	assert_int_equal(m.guests[1].cap, 50);
	assert_int_equal(m.guests[0].clock, CLOCK_STOP);
	assert_false(m.guests[0].shares_memory);
	assert_true(m.guests[1].shares_memory);
	assert_int_equal(m.guests[1].clock, CLOCK_RUN);
	assert_false(m.guests[1].autostart);
}

static void test_defaults(void **state)
{
	parse(GOOD_GUEST "[guest p]\nprivileged=yes\nkernel=k\n");
	assert_int_equal(said_count, 0);
	assert_int_equal(m.console, CONSOLE_SWITCH);
	assert_string_equal(m.focus, "");
	assert_int_equal(m.reboot_after_s, 0);
	assert_false(m.measure);
	assert_int_equal(m.guests[0].vcpus, 1);
	assert_true(m.guests[0].autostart);
	assert_true(m.guests[1].memory_rest);
}

static void test_metering(void **state)
{
	static const struct {
		const char *text;
		enum bh_ctl_metering what;
		u32 said;
	} rows[] = {
		{ "", BH_CTL_METERING_COUNTERS, 0 },
		{ "metering = off\n", BH_CTL_METERING_OFF, 0 },
		{ "metering = counters\n", BH_CTL_METERING_COUNTERS, 0 },
		{ "metering = histograms\n", BH_CTL_METERING_HISTOGRAMS, 0 },
		{ "metering = yes\n", BH_CTL_METERING_COUNTERS, 1 },
	};
	char text[256];

	for (u32 i = 0; i < ARRAY_SIZE(rows); i++) {
		snprintf(text, sizeof(text), "[hypervisor]\n%s%s", rows[i].text,
			 GOOD_GUEST);
		parse(text);
		assert_int_equal(said_count, rows[i].said);
		assert_int_equal(m.metering, rows[i].what);
	}
	assert_non_null(strstr(said[0], "write off, counters or histograms"));
}

static void test_speculation(void **state)
{
	static const struct {
		const char *text;
		enum speculation_mode mode;
		u32 said;
	} rows[] = {
		{ "", SPECULATION_AUTO, 0 },
		{ "speculation = auto\n", SPECULATION_AUTO, 0 },
		{ "speculation = full\n", SPECULATION_FULL, 0 },
		{ "speculation = off\n", SPECULATION_OFF, 0 },
		{ "speculation = on\n", SPECULATION_AUTO, 1 },
	};
	char text[256];

	for (u32 i = 0; i < ARRAY_SIZE(rows); i++) {
		snprintf(text, sizeof(text), "[hypervisor]\n%s%s", rows[i].text,
			 GOOD_GUEST);
		parse(text);
		assert_int_equal(said_count, rows[i].said);
		assert_int_equal(m.speculation, rows[i].mode);
	}
	assert_non_null(strstr(said[0], "write auto, full or off"));
}

static void test_restart(void **state)
{
	parse(GOOD_GUEST);
	assert_int_equal(m.guests[0].restart, RESTART_NEVER);
	parse(GOOD_GUEST "restart = on-crash\n");
	assert_int_equal(m.guests[0].restart, RESTART_ON_CRASH);
	parse(GOOD_GUEST "restart = always\n");
	assert_int_equal(m.guests[0].restart, RESTART_ALWAYS);
	parse(GOOD_GUEST "restart = yes\n");
	assert_int_equal(said_count, 1);
	assert_non_null(strstr(said[0], "write never, on-crash or always"));
}

static void test_serial(void **state)
{
	static const struct {
		const char *text;
		struct serial_config c;
	} rows[] = {
		{ "auto", { .way = SERIAL_AUTO } },
		{ "auto,9600", { .way = SERIAL_AUTO, .baud = 9600 } },
		{ "none", { .way = SERIAL_NONE } },
		{ "com1", { .way = SERIAL_PORT, .address = 0x3f8 } },
		{ "com2,115200",
		  { .way = SERIAL_PORT, .address = 0x2f8, .baud = 115200 } },
		{ "com4", { .way = SERIAL_PORT, .address = 0x2e8 } },
		{ "0x2f8,0x2580",
		  { .way = SERIAL_PORT, .address = 0x2f8, .baud = 9600 } },
		{ "mmio:0xfe030000",
		  { .way = SERIAL_MEMORY, .address = 0xfe030000 } },
		{ "mmio:0xfffffffffffff",
		  { .way = SERIAL_MEMORY, .address = 0xfffffffffffff } },
		{ "pci:00:16.3", { .way = SERIAL_PCI, .devfn = 0xb3 } },
		{ "pci:fe:1f.7,57600",
		  { .way = SERIAL_PCI,
		    .bus = 0xfe,
		    .devfn = 0xff,
		    .baud = 57600 } },
		{ "pci:0001:02:03.4",
		  { .way = SERIAL_PCI,
		    .segment = 1,
		    .bus = 2,
		    .devfn = 0x1c } },
	};
	static const char *const bad[] = {
		"",
		"com5",
		"COM1",
		"3f8",
		"0x",
		"0x10000",
		"0x3f8,",
		"0x3f8,fast",
		"com1,49",
		"com1,0",
		"com1,4000001",
		"com1,9600,8n1",
		"none,9600",
		"com1 ,9600",
		"mmio:",
		"mmio:com1",
		"mmio:fe030000",
		"mmio:0x10000000000000",
		"pci:",
		"pci:0:20.0",
		"pci:0:1f.8",
		"pci:100:0.0",
		"pci:00:16",
		"pci:00:16.",
		"pci:00:16.3x",
		"pci:1:2:3:4.5",
		"pci:10000:00:00.0",
		"mmio:0x0123456789012345678901234567890123456789",
	};
	char text[256];

	for (u32 i = 0; i < ARRAY_SIZE(rows); i++) {
		snprintf(text, sizeof(text), "[hypervisor]\nserial = %s\n%s",
			 rows[i].text, GOOD_GUEST);
		parse(text);
		assert_int_equal(said_count, 0);
		assert_int_equal(m.serial.way, rows[i].c.way);
		assert_int_equal(m.serial.address, rows[i].c.address);
		assert_int_equal(m.serial.segment, rows[i].c.segment);
		assert_int_equal(m.serial.bus, rows[i].c.bus);
		assert_int_equal(m.serial.devfn, rows[i].c.devfn);
		assert_int_equal(m.serial.baud, rows[i].c.baud);
	}
	for (u32 i = 0; i < ARRAY_SIZE(bad); i++) {
		snprintf(text, sizeof(text), "[hypervisor]\nserial = %s\n%s",
			 bad[i], GOOD_GUEST);
		parse(text);
		assert_int_equal(said_count, 1);
		assert_non_null(strstr(said[0], "bad value; write auto, none"));
		assert_int_equal(m.serial.way, SERIAL_AUTO);
		assert_int_equal(m.serial.baud, 0);
	}
}

static void test_editors_marks(void **state)
{
	parse("\xef\xbb\xbf[guest a]\r\nkernel = k\r\nmemory = 64M\r\n");
	assert_int_equal(said_count, 0);
	assert_true(m.guests[0].valid);
	assert_string_equal(m.guests[0].kernel, "k");
}

/* One bad line in an otherwise good guest: where it is, what the sentence says,
 * and that the guest is out */
static const struct {
	const char *line, *says;
} bad_lines[] = {
	{ "colour = red", "unknown key 'colour'; the keys of this section are "
			  "privileged, kernel" },
	{ "vcpus = 0", "vcpus = 0: bad value; write a number from 1 to 1024" },
	{ "vcpus = 1025", "vcpus = 1025: bad value" },
	{ "vcpus = two", "vcpus = two: bad value" },
	{ "vcpus = 1 2", "vcpus = 1 2: bad value" },
	{ "vcpus = 99999999999999999999999", "bad value" },
	{ "vcpus = 0x", "bad value" },
	{ "vcpus = -1", "bad value" },
	{ "vcpus =", "vcpus = : bad value" },
	{ "share = all", "write memory or none" },
	{ "clock = yes", "write stop or run" },
	{ "cap = 50", "write how much of a core, from 1% to 100%" },
	{ "cap = 0%", "from 1% to 100%" },
	{ "cap = 101%", "from 1% to 100%" },
	{ "cap = 50%%", "from 1% to 100%" },
	{ "weight = 0", "write a number from 1 to 10000" },
	{ "weight = 10001", "write a number from 1 to 10000" },
	{ "privileged = maybe", "write yes or no" },
	{ "autostart = 1", "write yes or no" },
	{ "initrd = a/b", "write the name of a file in the folder" },
	{ "initrd = ", "write the name of a file" },
	{ "debug_exit_port = 65536", "write a port" },
	{ "debug_exit_port = 0xg", "write a port" },
	{ "cores = ", "write core numbers from 0 to 1023" },
	{ "cores = 3-1", "write core numbers" },
	{ "cores = 1,,2", "write core numbers" },
	{ "cores = 0-1024", "write core numbers" },
	{ "cores = 1,", "write core numbers" },
	{ "cores = 1;2", "write core numbers" },
	{ "numa = first", "write the number of a NUMA node, auto or any" },
	{ "numa = 1024", "write the number of a NUMA node" },
	{ "boot = disk", "write auto, linux, pvh, multiboot, multiboot2 or" },
	{ "firmware = a/b", "write the name of a file in the folder" },
	{ "module = ", "write the name of a file and at most 127" },
	{ "disk = ", "write the path of an image" },
	{ "disk = ,size=1", "write the path of an image" },
	{ "vhost-user = ", "write the path of a socket" },
	{ "vhost-user = /s", "write the path of a socket" },
	{ "vhost-user = ,type=2", "write the path of a socket" },
	{ "vhost-user = /s,type=0", "write the path of a socket" },
	{ "vhost-user = /s,type=64", "write the path of a socket" },
	{ "vhost-user = /s,type=2,type=2", "write the path of a socket" },
	{ "vhost-user = /s,type=2,queues=0", "write the path of a socket" },
	{ "vhost-user = /s,type=2,queues=17", "write the path of a socket" },
	{ "vhost-user = /s,type=2,config=257", "write the path of a socket" },
	{ "vhost-user = /s,type=2,more", "write the path of a socket" },
	{ "vhost-user = /s,type=2,", "write the path of a socket" },
	{ "vhost-user = /s,type=2 ,queues=1", "write the path of a socket" },
	{ "module = a/b x", "write the name of a file and at most 127" },
	{ "fw_cfg = opt/x", "write a name of at most 55 characters" },
	{ "fw_cfg = opt/x \"open", "write a name of at most 55" },
	{ "fw_cfg = opt/x \"a\" b", "write a name of at most 55" },
	{ "fw_cfg = opt/x \"\\q\"", "write a name of at most 55" },
	{ "fw_cfg = opt/x \"\\x1\"", "write a name of at most 55" },
	{ "fw_cfg = opt/x \"\\", "write a name of at most 55" },
	{ "fw_cfg = opt/x file two", "write a name of at most 55" },
	{ "fw_cfg = "
	  "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffff x",
	  "write a name of at most 55" },
	{ "testdev = 1", "write yes or no" },
	{ "debug_console = on", "write yes or no" },
	{ "ramfb = 2", "write yes or no" },
	{ "entropy = 2", "write yes or no" },
	{ "uuid = 00112233-4455-6677-8899-aabbccddeef",
	  "write 32 hexadecimal" },
	{ "uuid = 00112233-4455-6677-8899-aabbccddeeff0", "write 32 hexa" },
	{ "uuid = 00112233-4455-6677-8899-aabbccddeefg", "write 32 hexa" },
	{ "uuid = 00112233445566778899aabbccddeeff", "write 32 hexadecimal" },
	{ "shutdown_grace = 3601", "write seconds from 0 to 3600" },
	{ "shutdown_grace = 5s", "write seconds from 0 to 3600" },
	{ "uuid = ", "write 32 hexadecimal digits in groups, such as 7f0c" },
	{ "kernel = again", "kernel is given twice in this section" },
	{ "memory = 1G", "memory is given twice" },
	{ "just words", "'just words' is not key = value" },
	{ "= 1", "'= 1' is not key = value" },
	{ "x = \x01", "control character" },
};

static void test_bad_lines(void **state)
{
	char text[256];

	for (size_t i = 0; i < ARRAY_SIZE(bad_lines); i++) {
		snprintf(text, sizeof(text),
			 GOOD_GUEST "%s\n[guest b]\nkernel=k\nmemory=2M\n",
			 bad_lines[i].line);
		parse(text);
		if (said_count != 1 || !strstr(said[0], bad_lines[i].says))
			fail_msg("'%s': %u sentences, '%s'", bad_lines[i].line,
				 said_count, said_count ? said[0] : "");
		assert_memory_equal(said[0], "bulkhead.conf:4: ", 17);
		assert_false(m.guests[0].valid);
		assert_true(m.guests[1].valid);
	}
}

/* Behind the longest name that a sentence repeats; up to the last key, whole */
static bool of_definition(const char *name)
{
	for (u32 i = 0; i < manifest_differs_count; i++)
		if (!strcmp(manifest_differs[i].name, name))
			return manifest_differs[i].right_in ==
			       RIGHT_IN_DEFINITION;
	return false;
}

static void test_every_key_is_named(void **state)
{
	static const char *const headers[] = {
		[SECTION_HYPERVISOR] = "[hypervisor]",
		[SECTION_GUEST] = "[guest a]",
	};
	char text[128];

	for (u32 s = SECTION_HYPERVISOR; s <= SECTION_GUEST; s++) {
		const char *list;

		snprintf(text, sizeof(text), "%s\n%048d = 1\n", headers[s], 0);
		parse(text);
		list = strstr(said[0], "the keys of this section are ");
		assert_non_null(list);
		list += sizeof("the keys of this section are ") - 1;
		for (u32 i = 0; i < manifest_key_count; i++) {
			const char *name = manifest_keys[i].name;
			size_t len = strlen(name);

			if (manifest_keys[i].section != s ||
			    of_definition(name))
				continue;
			assert_memory_equal(list, name, len);
			list += len;
			list += strncmp(list, ", ", 2) ? 0 : 2;
		}
		assert_string_equal(list, "");
	}
}

#define FIRMWARE_GUEST "[guest a]\nmemory = 2M\nfirmware = bios.bin\n"

static void test_ways_in(void **state)
{
	const struct guest_config *g;

	parse(GOOD_GUEST "boot = multiboot2\n"
			 "module = one.bin  with  its words\n"
			 "module = two.bin\n"
			 "fw_cfg = opt/a file.bin\n"
			 "fw_cfg = opt/b \"t x \\\"q\\\\ \\x00\\xfF\"\n"
			 "fw_cfg = opt/c \"\"\n"
			 "testdev = yes\ndebug_console = yes\nramfb = yes\n"
			 "entropy = yes\n");
	g = m.guests;
	assert_int_equal(said_count, 0);
	assert_int_equal(g->boot, BOOT_WAY_MULTIBOOT2);
	assert_int_equal(g->module_count, 2);
	assert_string_equal(g->modules[0].file, "one.bin");
	assert_string_equal(g->modules[0].args, "with  its words");
	assert_string_equal(g->modules[1].args, "");
	assert_int_equal(g->fwcfg_count, 3);
	assert_string_equal(g->fwcfg[0].name, "opt/a");
	assert_string_equal(g->fwcfg[0].file, "file.bin");
	assert_string_equal(g->fwcfg[1].file, "");
	assert_int_equal(g->fwcfg[1].text_len, 10);
	assert_memory_equal(g->fwcfg[1].text, "t x \"q\\ \0\xff", 10);
	assert_int_equal(g->fwcfg[2].text_len, 0);
	assert_true(g->testdev && g->debug_console && g->ramfb && g->entropy);
	assert_false(g->has_uuid);
	assert_int_equal(g->shutdown_grace_s, MANIFEST_GRACE_S);
	parse(FIRMWARE_GUEST);
	g = m.guests;
	assert_int_equal(said_count, 0);
	assert_string_equal(g->firmware, "bios.bin");
	assert_false(g->testdev || g->debug_console || g->ramfb || g->entropy);
	parse(GOOD_GUEST "boot = firmware\n");
	assert_int_equal(said_count, 0);
}

/* DSP0134 7.2.1 has this very example */
static void test_uuid(void **state)
{
	static const u8 smbios[] = { 0x33, 0x22, 0x11, 0x00, 0x55, 0x44,
				     0x77, 0x66, 0x88, 0x99, 0xaa, 0xbb,
				     0xcc, 0xdd, 0xee, 0xff };

	parse(GOOD_GUEST "uuid = 00112233-4455-6677-8899-AABBCCDDEEFF\n"
			 "shutdown_grace = 90\n");
	assert_int_equal(said_count, 0);
	assert_int_equal(m.guests[0].shutdown_grace_s, 90);
	assert_true(m.guests[0].has_uuid);
	assert_memory_equal(m.guests[0].uuid, smbios, sizeof(smbios));
}

static void test_too_many(void **state)
{
	char text[1024] = GOOD_GUEST;

	for (u32 i = 0; i < MANIFEST_MAX_FILES; i++)
		strcat(text, "module = m\nfw_cfg = n f\n");
	parse(text);
	assert_int_equal(said_count, 0);
	assert_int_equal(m.guests[0].module_count, MANIFEST_MAX_FILES);
	assert_int_equal(m.guests[0].fwcfg_count, MANIFEST_MAX_FILES);
	strcat(text, "module = m\nfw_cfg = n f\n");
	parse(text);
	assert_int_equal(said_count, 2);
	assert_int_equal(m.guests[0].module_count, MANIFEST_MAX_FILES);
}

static void test_ways_that_clash(void **state)
{
	static const char *const bad[] = {
		FIRMWARE_GUEST "boot = linux\n",
		"[guest a]\nprivileged = yes\nfirmware = f\n",
		"[guest a]\nprivileged = yes\nkernel = k\nmodule = f\n",
		"[guest a]\nprivileged = yes\nkernel = k\nfw_cfg = n f\n",
		"[guest a]\nprivileged = yes\nkernel = k\ntestdev = yes\n",
		"[guest a]\nprivileged = yes\nkernel = k\nentropy = yes\n",
		"[guest a]\nprivileged = yes\nkernel = k\nboot = multiboot\n",
	};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		parse(bad[i]);
		assert_int_equal(said_count, 1);
		assert_non_null(strstr(said[0], "remove"));
		assert_false(m.guests[0].valid);
	}
}

static const char *const bad_memory[] = { "1",
					  "64",
					  "64K",
					  "1M",
					  "0G",
					  "64MB",
					  "G",
					  "-1G",
					  "99999999999999G",
					  "65537G",
					  "18014398509481985M",
					  "1.5G" };

static void test_bad_memory(void **state)
{
	char text[256];

	for (size_t i = 0; i < ARRAY_SIZE(bad_memory); i++) {
		snprintf(text, sizeof(text),
			 "[guest a]\nkernel = k\nmemory = %s\n", bad_memory[i]);
		parse(text);
		if (!said_count || !strstr(said[0], "such as 512M or 4G"))
			fail_msg("memory = %s was taken", bad_memory[i]);
		assert_false(m.guests[0].valid);
	}
}

static const char *const bad_names[] = {
	"",        "log", "all", "a b",
	"-x",      "a/b", "x]",  "12345678901234567890123456789012",
	"\xc3\xa9"
};

static void test_bad_names(void **state)
{
	char text[256];

	for (size_t i = 0; i < ARRAY_SIZE(bad_names); i++) {
		snprintf(text, sizeof(text),
			 "[guest %s]\nkernel = k\nwhat = ever\n" GOOD_GUEST,
			 bad_names[i]);
		parse(text);
		assert_int_equal(said_count, 1);
		assert_non_null(strstr(said[0], "is not allowed; use 1 to 31"));
		assert_int_equal(m.guest_count, 1);
		assert_true(m.guests[0].valid);
	}
}

static void test_sections(void **state)
{
	parse("kernel = k\nmore = x\n" GOOD_GUEST);
	assert_int_equal(said_count, 1);
	assert_non_null(strstr(said[0], ":1: this line is in no section"));
	assert_true(m.guests[0].valid);

	parse("[guests a]\nkernel = k\n" GOOD_GUEST);
	assert_int_equal(said_count, 1);
	assert_non_null(strstr(said[0], "unknown section [guests a]; write"));

	parse("[guest a\nkernel = k\n" GOOD_GUEST);
	assert_int_equal(said_count, 1);
	assert_non_null(strstr(said[0], "the section header has no ]"));
	assert_true(m.guests[0].valid);

	parse("[hypervisor]\nreboot_after = soon\nmeasure = 1\n" GOOD_GUEST);
	assert_int_equal(said_count, 2);
	assert_non_null(strstr(said[0], "reboot_after = soon: bad value; write "
					"seconds from 1 to 86400"));
	assert_non_null(strstr(said[1], "measure = 1: bad value; write yes"));
	assert_int_equal(m.reboot_after_s, 0);

	parse("[hypervisor]\nfocus = nobody\ncpus = 3\n" GOOD_GUEST);
	assert_int_equal(said_count, 2);
	assert_non_null(strstr(said[0], ":3: unknown key 'cpus'; the keys of "
					"this section are console, focus"));
	assert_non_null(strstr(said[1], ":2: focus = nobody: no guest"));
	assert_string_equal(m.focus, "");
	assert_true(m.guests[0].valid);
}

static void test_duplicates(void **state)
{
	parse(GOOD_GUEST GOOD_GUEST);
	assert_int_equal(said_count, 1);
	assert_non_null(strstr(said[0], ":4: guest a is already defined in "
					"line 1; give this one another name"));
	assert_int_equal(m.guest_count, 1);
	assert_true(m.guests[0].valid);

	parse("[guest a]\nprivileged=yes\nkernel=k\n"
	      "[guest b]\nprivileged=yes\nkernel=k\n");
	assert_int_equal(said_count, 1);
	assert_non_null(strstr(said[0], "guest b is privileged, and so is a"));
	assert_true(m.guests[0].valid);
	assert_false(m.guests[1].valid);
}

static void test_incomplete(void **state)
{
	parse("[guest a]\nmemory = 64M\n[guest b]\nkernel = k\n"
	      "[guest c]\nkernel = k\nmemory = rest\n");
	assert_int_equal(said_count, 3);
	assert_non_null(strstr(said[0], "guest a has no kernel; add"));
	assert_non_null(strstr(said[1], "guest b has no memory; add"));
	assert_non_null(strstr(said[2], "guest c cannot have memory = rest"));

	parse("");
	assert_int_equal(said_count, 1);
	assert_non_null(strstr(said[0], "no guest is defined"));
	parse("\n\n# nothing\n");
	assert_int_equal(said_count, 1);
	/* One mistake, one sentence */
	parse("kernel = k\nmemory = 64M\n");
	assert_int_equal(said_count, 1);
	assert_non_null(strstr(said[0], ":1: this line is in no section; put "
					"[hypervisor] or [guest NAME]"));
	parse("[guest log]\nkernel = k\nmemory = 64M\n");
	assert_int_equal(said_count, 1);
	assert_non_null(strstr(said[0], "is not allowed"));
	parse("[guest a\nkernel = k\nmemory = 64M\n");
	assert_int_equal(said_count, 1);
	parse("[hypervisor]\nconsole = both\n");
	assert_int_equal(said_count, 2);
}

static void test_long(void **state)
{
	char *text = malloc(8192);
	int n = snprintf(text, 8192,
			 "[guest a]\nkernel=k\nmemory=4M\ncmdline=");

	memset(text + n, 'x', MANIFEST_CMDLINE_LEN - 1);
	text[n + MANIFEST_CMDLINE_LEN - 1] = 0;
	parse(text);
	assert_int_equal(said_count, 0);
	assert_int_equal(strlen(m.guests[0].cmdline), MANIFEST_CMDLINE_LEN - 1);

	memset(text + n, 'x', MANIFEST_CMDLINE_LEN);
	text[n + MANIFEST_CMDLINE_LEN] = 0;
	parse(text);
	assert_int_equal(said_count, 1);
	assert_non_null(strstr(said[0], "write at most 1023 characters"));

	memset(text + n, 'x', 4000);
	text[n + 4000] = 0;
	parse(text);
	assert_int_equal(said_count, 1);
	assert_non_null(strstr(said[0], ":4: the line is too long"));
	assert_false(m.guests[0].valid);
	free(text);
}

static void test_many_guests(void **state)
{
	char *text = malloc(65536);
	size_t n = 0;

	for (int i = 0; i <= MANIFEST_MAX_GUESTS; i++)
		n += (size_t)snprintf(text + n, 65536 - n,
				      "%s[guest g%d]\nkernel=k\nmemory=4M\n",
				      i % 2 ? " \t" : "", i);
	parse(text);
	assert_int_equal(m.guest_count, MANIFEST_MAX_GUESTS);
	assert_int_equal(said_count, 1);
	assert_non_null(strstr(said[0], "guest g1024 is one too many; "
					"keep at most 1024"));
	free(text);
}

static void count_is(const char *text, u32 count)
{
	assert_int_equal(manifest_count(text, strlen(text)), count);
}

/* Room for no guest too few, and for few too many */
static void test_count(void **state)
{
	count_is("", 1);
	count_is("[hypervisor]\n", 1);
	count_is("\xef\xbb\xbf[guest a]\n[guest b]", 2);
	count_is("# [guest a]\n[guest b]\r\n  [guest c]\nkernel = [x]\n", 2);
	parse("\xef\xbb\xbf[guest a]\nkernel=k\nmemory=4M\n[guest b]\n"
	      "kernel=k\nmemory=4M\n");
	assert_int_equal(m.guest_count, 2);
	assert_int_equal(said_count, 0);
}

static void test_panic(void **state)
{
	static const char *const bad[] = { "reboot",    "reboot 0",
					   "reboot x",  "wait 3",
					   "restart 3", "reboot 86401",
					   "3" };
	char text[256];

	parse("[hypervisor]\npanic = reboot 10\n" GOOD_GUEST);
	assert_true(m.has_panic);
	assert_int_equal(m.panic_reboot_s, 10);
	parse("[hypervisor]\npanic = wait\n" GOOD_GUEST);
	assert_true(m.has_panic);
	assert_int_equal(m.panic_reboot_s, 0);
	for (u32 i = 0; i < ARRAY_SIZE(bad); i++) {
		snprintf(text, sizeof(text), "[hypervisor]\npanic = %s\n%s",
			 bad[i], GOOD_GUEST);
		parse(text);
		assert_false(m.has_panic);
		assert_non_null(strstr(said[0], "write wait, or reboot and "));
	}
}

static void test_guest_memory(void **state)
{
	static const char *const bad[] = { "25", "91%",  "4K", "4Mx",
					   "%",  "25%%", "x",  "99999999999G" };
	char text[256];

	parse("[hypervisor]\nguest-memory = 25%\n" GOOD_GUEST);
	assert_int_equal(said_count, 0);
	assert_int_equal(m.pool_percent, 25);
	assert_int_equal(m.pool_bytes, 0);
	assert_int_equal(m.pool_line, 2);
	parse("[hypervisor]\nguest-memory = 3G\n" GOOD_GUEST);
	assert_int_equal(m.pool_percent, 0);
	assert_int_equal(m.pool_bytes, GIB(3));
	parse("[hypervisor]\nguest-memory = 0\n" GOOD_GUEST);
	assert_int_equal(said_count, 0);
	assert_int_equal(m.pool_bytes + m.pool_percent, 0);
	parse(GOOD_GUEST);
	assert_int_equal(m.pool_bytes + m.pool_percent, 0);
	parse("[guest p]\nprivileged = yes\nkernel = k\n");
	assert_int_equal(m.pool_percent, MANIFEST_POOL_PERCENT);
	assert_int_equal(m.pool_line, 0);
	for (u32 i = 0; i < ARRAY_SIZE(bad); i++) {
		snprintf(text, sizeof(text),
			 "[hypervisor]\nguest-memory = %s\n%s", bad[i],
			 GOOD_GUEST);
		parse(text);
		assert_int_equal(said_count, 1);
		assert_non_null(strstr(said[0], "share of the machine's"));
	}
}

static void test_guest_count(void **state)
{
	static const char *const bad[] = { "0", "1001", "-1", "x",
					   "10 guests" };
	char text[256];

	parse("[hypervisor]\nguest-count = 1000\n" GOOD_GUEST);
	assert_int_equal(said_count, 0);
	assert_int_equal(m.pool_guests, 1000);
	parse(GOOD_GUEST);
	assert_int_equal(m.pool_guests, 0);
	for (u32 i = 0; i < ARRAY_SIZE(bad); i++) {
		snprintf(text, sizeof(text),
			 "[hypervisor]\nguest-count = %s\n%s", bad[i],
			 GOOD_GUEST);
		parse(text);
		assert_int_equal(said_count, 1);
		assert_non_null(strstr(said[0], "from 1 to 1000"));
	}
}

static struct guest_config one;

static bool parse_one(const char *text)
{
	said_count = 0;
	return manifest_parse_guest(&one, "f", text, strlen(text), report);
}

#define SHARING "[guest a]\nkernel=k\nmemory=4M\nshare=memory\n"

/* Devices in the order of the lines, and where they are */
static void test_devices(void **state)
{
	char text[1024] = SHARING "vcpus=9\n";

	assert_true(parse_one(SHARING "vcpus=2\n"
				      "vhost-user = /run/a b.sock,config=256,"
				      "type=63,queues=16\n"
				      "disk = /srv/d.qcow2,readonly,x=#1\n"
				      "vhost-user = s,type=1\n"));
	assert_int_equal(one.device_count, 3);
	assert_int_equal(one.devices[0].kind, DEVICE_VHOST_USER);
	assert_int_equal(one.devices[0].line, 6);
	assert_int_equal(one.devices[0].type, 63);
	assert_int_equal(one.devices[0].queues, 16);
	assert_int_equal(one.devices[0].config_bytes, 256);
	assert_int_equal(one.devices[1].kind, DEVICE_DISK);
	assert_int_equal(one.devices[1].line, 7);
	assert_int_equal(one.devices[1].type, 2);
	assert_int_equal(one.devices[1].queues, 2);
	assert_int_equal(one.devices[1].config_bytes, 60);
	assert_int_equal(one.devices[2].queues, 1);
	assert_int_equal(one.devices[2].config_bytes, 0);
	for (u32 i = 0; i < MANIFEST_MAX_DEVICES; i++)
		strcat(text, i & 1 ? "disk=d\n" : "vhost-user=s,type=9\n");
	assert_true(parse_one(text));
	assert_int_equal(one.devices[7].queues, 4); /* of nine vCPUs */
	strcat(text, "disk=d\n");
	assert_false(parse_one(text));
	assert_non_null(strstr(said[0], "in at most 8 lines"));
	/* Back-ends need its memory */
	assert_false(parse_one("[guest a]\nkernel=k\nmemory=4M\n"
			       "disk=d\ndisk=e\n"));
	assert_int_equal(said_count, 1);
	assert_non_null(strstr(said[0], "f:4: guest a has a disk or a"));
	assert_non_null(strstr(said[0], "add share = memory"));
}

/* A definition is one guest's section alone */
static void test_one_guest(void **state)
{
	assert_true(parse_one("\xef\xbb\xbf[guest web]\nkernel=k\n"
			      "memory=16M\n"));
	assert_int_equal(said_count, 0);
	assert_string_equal(one.name, "web");
	assert_int_equal(one.vcpus, 1);
	assert_int_equal(one.memory_bytes, MIB(16));
	assert_int_equal(manifest_line(&one, "memory"), 3);
	assert_false(parse_one("[guest web]\nkernel=k\nmemory=16M\nx=1\n"));
	assert_string_equal(one.name, "web");
	assert_false(parse_one("[guest a]\nkernel=k\nmemory=2M\n[guest a]\n"));
	assert_non_null(strstr(said[0], "f:4: guest a is one too many"));
	assert_false(parse_one("[hypervisor]\n"));
	assert_non_null(strstr(said[0], "unknown section [hypervisor]; write "
					"[guest NAME]"));
	assert_false(parse_one("kernel = k\n"));
	assert_int_equal(said_count, 1);
	assert_non_null(strstr(said[0], "no section; put [guest NAME] above"));
	assert_false(parse_one(""));
	assert_non_null(strstr(said[0], "f:1: no guest is defined"));
	assert_false(parse_one("[guest a]\nkernel=k\n"));
	assert_non_null(strstr(said[0], "has no memory"));
	/* The first thing that is wrong is enough */
	assert_false(parse_one("[guest a]\nkernel=k\nx=1\ny=1\nz\n[b]\n"));
	assert_int_equal(said_count, 1);
	assert_non_null(strstr(said[0], "f:3: unknown key 'x'"));
	assert_false(parse_one("[guest /]\n[guest a]\nkernel=k\nmemory=2M\n"));
	assert_int_equal(said_count, 1);
}

/* Only the privileged guest may have more than its tables hold of others */
static bool says(const char *text)
{
	return said_count == 1 && strstr(said[0], text);
}

/* Sentences about a definition name what it may have */
static void test_definition_words(void **state)
{
	assert_false(parse_one("[guest a]\nkernel=k\nmemory=4\n"));
	assert_true(says("such as 512M or 4G"));
	assert_false(says("rest"));
	assert_false(parse_one("[guest a]\nkernel=k\nmemory=4M\nvcpus=x\n"));
	assert_true(says("write a number from 1 to 128"));
	assert_false(says("1024"));
	assert_false(parse_one("[guest a]\nx=1\n"));
	assert_true(says("this section are kernel, initrd"));
	assert_true(says("share"));
	assert_true(says("vhost-user"));
	assert_false(says("privileged"));
	parse("[guest a]\nx=1\n");
	assert_true(says("privileged"));
	assert_false(says("share"));
	assert_false(says("vhost-user"));
}

static void test_vcpus(void **state)
{
	static_assert(VCPUS_MAX == VM_MAX_VCPUS, "what a guest may be");
	static_assert(ISOLATED_VCPUS_MAX == VM_MAX_ISOLATED_VCPUS, "so, too");
	parse("[guest p]\nprivileged=yes\nkernel=k\nvcpus=1024\n"
	      "[guest a]\nkernel=k\nmemory=4M\nvcpus=128\n"
	      "[guest b]\nkernel=k\nvcpus=129\nmemory=4M\n");
	assert_int_equal(said_count, 1);
	assert_non_null(strstr(said[0], ":11: guest b: vcpus = 129, but only "
					"the privileged guest may have more"));
	assert_true(m.guests[1].valid);
	assert_false(m.guests[2].valid);
	assert_false(parse_one("[guest a]\nkernel=k\nmemory=4M\n"
			       "vcpus=129\n"));
	assert_non_null(strstr(said[0], "write vcpus = 128 or fewer"));
}

static void test_core_ranges(void **state)
{
	assert_true(parse_one("[guest a]\nkernel=k\nmemory=2M\n"
			      "cores=3,60-70,127-128,1023\n"));
	assert_int_equal(one.cores[0], BIT(3) | BITS(63, 60));
	assert_int_equal(one.cores[1], BITS(6, 0) | BIT(63));
	assert_int_equal(one.cores[2], 1);
	assert_int_equal(one.cores[15], BIT(63));
	assert_true(parse_one("[guest a]\nkernel=k\nmemory=2M\n"
			      "cores=0-1023,5\n"));
	for (u32 i = 0; i < ARRAY_SIZE(one.cores); i++)
		assert_int_equal(one.cores[i], ~0ull);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whole),
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_panic),
		cmocka_unit_test(test_metering),
		cmocka_unit_test(test_speculation),
		cmocka_unit_test(test_restart),
		cmocka_unit_test(test_serial),
		cmocka_unit_test(test_editors_marks),
		cmocka_unit_test(test_bad_lines),
		cmocka_unit_test(test_every_key_is_named),
		cmocka_unit_test(test_ways_in),
		cmocka_unit_test(test_uuid),
		cmocka_unit_test(test_too_many),
		cmocka_unit_test(test_ways_that_clash),
		cmocka_unit_test(test_bad_memory),
		cmocka_unit_test(test_bad_names),
		cmocka_unit_test(test_sections),
		cmocka_unit_test(test_duplicates),
		cmocka_unit_test(test_incomplete),
		cmocka_unit_test(test_long),
		cmocka_unit_test(test_many_guests),
		cmocka_unit_test(test_count),
		cmocka_unit_test(test_guest_memory),
		cmocka_unit_test(test_guest_count),
		cmocka_unit_test(test_devices),
		cmocka_unit_test(test_one_guest),
		cmocka_unit_test(test_vcpus),
		cmocka_unit_test(test_definition_words),
		cmocka_unit_test(test_core_ranges),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
