/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Can this machine run Bulkhead? The judgement of "Check this machine" from any
 * Linux; tools/bh-report calls it. What needs root is left out without it, and
 * said to be unknown.
 *
 *   bh-judge [--json FILE] [--facts FILE]
 *
 * --json FILE   the report goes to FILE, too
 * --facts FILE  judges the machine that FILE, such a report, is of
 *
 * Exit status 0: Bulkhead runs here; 1: a FAIL; 2: it could not be asked.
 */
#include <cpuid.h>
#include <dirent.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check/facts.h"
#include "check/judge.h"
#include "check/report.h"
#include "check/show.h"
#include "include/hw/acpi.h"

#define PATH_BYTES     512
#define LINE_BYTES     512
#define FILE_BYTES_MAX MIB(16)
#define COLUMNS        100u
#define TABLES         "/sys/firmware/acpi/tables"
#define VARIABLES      "/sys/firmware/efi/efivars"
#define GLOBAL_GUID    "8be4df61-93ca-11d2-aa0d-00e098032b8c"
#define EFI_ATTRIBUTES 4 /* bytes before a variable's value */

static struct check_facts facts;
static u32 current_core;

/* The whole of @path, NULL where it cannot be read; the caller frees it */
static char *slurp(const char *path, size_t *len)
{
	char *buf = malloc(FILE_BYTES_MAX + 1);
	FILE *f = buf ? fopen(path, "rb") : NULL;

	if (!f) {
		free(buf);
		return NULL;
	}
	*len = fread(buf, 1, FILE_BYTES_MAX, f);
	buf[*len] = '\0';
	if (ferror(f)) {
		free(buf);
		buf = NULL;
	}
	fclose(f);
	return buf;
}

static bool read_number(const char *path, unsigned long *value)
{
	size_t len;
	char *text = slurp(path, &len);

	if (!text)
		return false;
	*value = strtoul(text, NULL, 0);
	free(text);
	return true;
}

/* Calls @entry for each name in @path; false: there is no such folder */
static bool each_name(const char *path, void (*entry)(const char *name))
{
	DIR *dir = opendir(path);
	const struct dirent *e;

	if (!dir)
		return false;
	while ((e = readdir(dir)))
		if (e->d_name[0] != '.')
			entry(e->d_name);
	closedir(dir);
	return true;
}

/* --- cores --- */

static void core_cpuid(u32 leaf, u32 subleaf, u32 r[4])
{
	__cpuid_count(leaf, subleaf, r[0], r[1], r[2], r[3]);
}

static int core_msr(u32 msr, u64 *value)
{
	char path[PATH_BYTES];
	int fd;
	ssize_t got;

	snprintf(path, sizeof(path), "/dev/cpu/%u/msr", current_core);
	fd = open(path, O_RDONLY);
	if (fd < 0)
		return -1;
	got = pread(fd, value, sizeof(*value), (off_t)msr);
	close(fd);
	return got == (ssize_t)sizeof(*value) ? 0 : -1;
}

static bool go_to_core(u32 core)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(core, &set);
	current_core = core;
	return !sched_setaffinity(0, sizeof(set), &set);
}

static void take_cores(void)
{
	static const struct check_core all = { core_cpuid, core_msr };
	static const struct check_core no_msrs = { core_cpuid, NULL };
	long count = sysconf(_SC_NPROCESSORS_CONF);
	u32 unlike = 0, asked = 0;

	for (u32 i = 0; i < (u32)MAX(count, 1L) && i < CPU_SETSIZE; i++) {
		struct check_facts own = { 0 };

		if (!go_to_core(i))
			continue;
		if (!asked++) {
			check_cpu(&facts, &all);
			continue;
		}
		check_cpu(&own, &no_msrs);
		unlike += check_core_lacks(&facts, &own) != NULL;
	}
	if (!asked)
		check_cpu(&facts, &no_msrs);
	check_set(&facts, FACT_CORES_UNLIKE, unlike);
}

/* What the kernel tells everybody, where the MSR cannot be read */
static void take_cpuinfo(void)
{
	FILE *f = fopen("/proc/cpuinfo", "r");
	char line[LINE_BYTES];
	unsigned long value;

	while (f && fgets(line, sizeof(line), f)) {
		const char *colon = strchr(line, ':');

		if (!colon)
			continue;
		value = strtoul(colon + 1, NULL, 0);
		if (!strncmp(line, "microcode", 9) &&
		    !facts.known[FACT_MICROCODE])
			check_set(&facts, FACT_MICROCODE, value);
		if (!strncmp(line, "apicid", 6) &&
		    (!facts.known[FACT_APIC_ID_MAX] ||
		     value > facts.value[FACT_APIC_ID_MAX]))
			check_set(&facts, FACT_APIC_ID_MAX, value);
	}
	if (f)
		fclose(f);
}

static void vulnerability(const char *name)
{
	char path[PATH_BYTES], *list = facts.string[CHECK_VULNERABLE];
	size_t len = strlen(list), got;
	char *text;

	snprintf(path, sizeof(path),
		 "/sys/devices/system/cpu/vulnerabilities/%s", name);
	text = slurp(path, &got);
	if (text && !strncmp(text, "Vulnerable", 10))
		snprintf(list + len, CHECK_STRING_BYTES - len, "%s%s",
			 len ? " " : "", name);
	free(text);
}

/* --- tables --- */

static u32 unreadable;

static void table(const char *name)
{
	char path[PATH_BYTES];
	struct stat st;
	size_t len;
	char *data;

	snprintf(path, sizeof(path), TABLES "/%s", name);
	if (stat(path, &st) || !S_ISREG(st.st_mode))
		return;
	data = slurp(path, &len);
	if (data && len >= sizeof(struct acpi_header))
		check_table(&facts, data, (u32)len);
	else
		unreadable++;
	free(data);
}

/* Only root may read them. What is not read is not known, but for there being
 * some. */
static void take_tables(void)
{
	static const enum check_fact read_only[] = {
		FACT_BAD_SUMS,       FACT_TABLES_UNREAD, FACT_MADT,
		FACT_FADT,           FACT_MCFG,          FACT_IOAPICS,
		FACT_CORES,          FACT_SEGMENTS,      FACT_IOMMUS,
		FACT_HPET,           FACT_HEST,          FACT_TPM2,
		FACT_SPCR,           FACT_DBG2,          FACT_REDUCED,
		FACT_TABLES,         FACT_ACPI,          FACT_IOMMUS_WRONG,
		FACT_FIRMWARE_BANKS,
	};
	bool there;

	check_tables_begin(&facts);
	there = each_name(TABLES, table);
	check_tables_end(&facts);
	for (u32 i = 0; (unreadable || !there) && i < ARRAY_SIZE(read_only);
	     i++)
		facts.known[read_only[i]] = 0;
	if (!facts.known[FACT_CORES])
		check_set(&facts, FACT_CORES,
			  (u64)sysconf(_SC_NPROCESSORS_CONF));
}

/* --- the firmware --- */

static void variable(const char *name, enum check_fact fact)
{
	char path[PATH_BYTES];
	size_t len;
	char *data;

	snprintf(path, sizeof(path), VARIABLES "/%s-" GLOBAL_GUID, name);
	data = slurp(path, &len);
	if (data && len > EFI_ATTRIBUTES)
		check_set(&facts, fact, data[EFI_ATTRIBUTES] == 1);
	free(data);
}

static u32 map_entries;

static void map_entry(const char *name)
{
	map_entries++;
}

static void take_firmware(void)
{
	bool uefi = !access("/sys/firmware/efi", F_OK);

	check_set(&facts, FACT_UEFI, uefi);
	variable("SecureBoot", FACT_SECURE_BOOT);
	variable("SetupMode", FACT_SETUP_MODE);
	if (each_name("/sys/firmware/memmap", map_entry) && map_entries)
		check_set(&facts, FACT_MAP_ENTRIES, map_entries);
}

/* --- memory and devices --- */

static void take_memory(void)
{
	FILE *f = fopen("/proc/meminfo", "r");
	unsigned long kib;
	char line[LINE_BYTES];

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "MemTotal: %lu", &kib) == 1)
			check_set(&facts, FACT_RAM_MIB, kib >> 10);
	if (f)
		fclose(f);
}

static void tty(const char *name)
{
	char path[PATH_BYTES];
	unsigned long type;

	snprintf(path, sizeof(path), "/sys/class/tty/%s/type", name);
	if (!strncmp(name, "ttyS", 4) && read_number(path, &type) && type)
		check_set(&facts, FACT_SERIAL, 1);
}

static void screen(const char *name)
{
	check_set(&facts, FACT_SCREEN, 1);
}

/* By its driver */
static void function(const char *name)
{
	char path[PATH_BYTES], driver[PATH_BYTES];
	ssize_t len;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/driver", name);
	len = readlink(path, driver, sizeof(driver) - 1);
	if (len < 0)
		return;
	driver[len] = '\0';
	if (len > 4 && !strcmp(driver + len - 4, "/vmd"))
		check_add(&facts, FACT_VMD, 1);
}

static void take_devices(void)
{
	check_set(&facts, FACT_SERIAL, 0);
	check_set(&facts, FACT_SCREEN, 0);
	each_name("/sys/class/tty", tty);
	each_name("/sys/class/graphics", screen);
	each_name("/sys/class/drm", screen);
	if (each_name("/sys/bus/pci/devices", function))
		check_add(&facts, FACT_VMD, 0);
}

static void take_machine(void)
{
	check_set(&facts, FACT_FOUND_BY, CHECK_BY_LINUX);
	take_cores();
	take_tables();
	take_cpuinfo();
	each_name("/sys/devices/system/cpu/vulnerabilities", vulnerability);
	take_firmware();
	take_memory();
	take_devices();
}

/* --- the report --- */

static bool read_facts(const char *path)
{
	size_t len;
	char *json = slurp(path, &len);
	bool good = json && !check_parse(&facts, json, len);

	free(json);
	if (!good)
		fprintf(stderr, "bh-judge: %s is no report on a machine\n",
			path);
	return good;
}

static bool write_json(const char *path)
{
	static char text[CHECK_REPORT_BYTES];
	size_t len = check_json(&facts, text, sizeof(text));
	FILE *f = fopen(path, "w");
	bool good = f && fwrite(text, 1, len, f) == len;

	if (f)
		good &= !fclose(f);
	if (!good)
		perror(path);
	return good;
}

static void line(const char *text)
{
	puts(text);
}

static int usage(void)
{
	fputs("usage: bh-judge [--json FILE] [--facts FILE]\n", stderr);
	return 2;
}

int main(int argc, char **argv)
{
	const struct check_view view = { .columns = COLUMNS,
					 .rows = ~0u, /* one page */
					 .line = line };
	const char *json = NULL, *of = NULL;

	for (int i = 1; i < argc; i += 2) {
		if (i + 1 == argc)
			return usage();
		if (!strcmp(argv[i], "--json"))
			json = argv[i + 1];
		else if (!strcmp(argv[i], "--facts"))
			of = argv[i + 1];
		else
			return usage();
	}
	if (of && !read_facts(of))
		return 2;
	if (!of)
		take_machine();
	if (json && !write_json(json))
		return 2;
	check_show(&facts, &view);
	return check_worst(&facts) == CHECK_FAIL;
}
