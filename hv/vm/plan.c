/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The plan; see plan.h. Files that are not there, cores and memory beyond what
 * the machine has, the way in; and the built-in default when there is no
 * manifest. A guest that does not fit is marked invalid; the others go on. No
 * locks.
 *
 * Over 400 lines: all that holds an entry to the machine, early or late.
 */
#include "hv/vm/plan.h"

#include "arch/x86/cpu/random.h"
#include "hv/core/vm.h"
#include "hv/load/load.h"
#include "hv/vm/numa.h"
#include "lib/printf.h"
#include "lib/string.h"

/* Left for the hypervisor and the files it was started with, and what a stock
 * Linux needs at the least when the manifest gives it the rest */
#define HYPERVISOR_BYTES     MIB(16)
#define HYPERVISOR_RAM_SHARE 100000u /* a byte for so many (mm/pool_size.h) */
#define REST_BYTES           MIB(128)

/* For definitions that come later; constant after plan_check() */
static u32 cores_there, cores_first;

struct check {
	struct manifest *m;
	const char *file; /* where it says so */
	const struct boot_info *bi;
	u32 core_count, first_core;
	u64 left_bytes; /* RAM no earlier guest of the file has claimed */
	u64 total_bytes;
	void (*report)(const char *sentence);
};

static void reject(struct check *c, struct guest_config *g, u32 line,
		   const char *fmt, ...) __printf(4, 5);

/* @line: of the key that is wrong */
static void reject(struct check *c, struct guest_config *g, u32 line,
		   const char *fmt, ...)
{
	char text[MANIFEST_SENTENCE_LEN];
	va_list ap;
	int n = bh_snprintf(text, sizeof(text), "%s:%u: guest %s: ", c->file,
			    line, g->name);

	va_start(ap, fmt);
	(void)bh_vsnprintf(text + n, sizeof(text) - (size_t)n, fmt, ap);
	va_end(ap);
	g->valid = false;
	c->report(text);
}

static const struct boot_module *find_module(const struct boot_info *bi,
					     const char *name)
{
	for (u32 i = 0; i < bi->module_count && i < BOOT_MAX_MODULES; i++)
		if (str_equal_nocase(bi->modules[i].name, name, BOOT_NAME_LEN))
			return &bi->modules[i];
	return NULL;
}

static bool is_ram(u32 type)
{
	return type == BOOT_MEM_CONVENTIONAL || type == BOOT_MEM_LOADER_CODE ||
	       type == BOOT_MEM_LOADER_DATA || type == BOOT_MEM_BS_CODE ||
	       type == BOOT_MEM_BS_DATA;
}

static u64 ram_bytes(const struct boot_info *bi, bool special)
{
	u64 sum = 0;

	for (u32 i = 0; i < bi->mem_count && i < BOOT_MAX_MEM; i++)
		if (is_ram(bi->mem[i].type) ||
		    (special && bi->mem[i].type == BOOT_MEM_SPECIAL))
			sum += bi->mem[i].size;
	return sum;
}

/* For the hypervisor and the files it was started with */
static u64 kept_bytes(u64 total)
{
	return HYPERVISOR_BYTES + total / HYPERVISOR_RAM_SHARE;
}

static void check_file(struct check *c, struct guest_config *g, u32 i)
{
	u32 line = manifest_file_line(g, i);
	const char *name = "", *key = "";
	const struct boot_module *mod;

	if (!manifest_file(g, i, &name, &key) || !name[0] || !g->valid)
		return;
	mod = find_module(c->bi, name);
	if (!mod)
		reject(c, g, line,
		       "%s = %s: there is no such file; copy it to the folder "
		       "%s of the boot volume or correct the name",
		       key, name, BOOT_DIR);
	else if (!mod->size)
		reject(c, g, line,
		       "%s = %s: the file is empty; copy it to the folder %s "
		       "again",
		       key, name, BOOT_DIR);
}

static void check_files(struct check *c, struct guest_config *g)
{
	const char *name, *key;

	for (u32 i = 0; manifest_file(g, i, &name, &key); i++)
		check_file(c, g, i);
}

/* The privileged guest has no firmware: the machine's has run */
static void choose_way(struct guest_config *g)
{
	struct image file;
	enum boot_way way;

	if (!g->valid)
		return;
	if (g->firmware[0]) {
		g->boot = BOOT_WAY_FIRMWARE;
		return;
	}
	if (g->boot != BOOT_WAY_AUTO || file_find(g->kernel, &file))
		return;
	way = load_way(&file);
	if (!g->privileged || way != BOOT_WAY_FIRMWARE)
		g->boot = way;
}

static bool core_allowed(const struct guest_config *g, u32 core)
{
	return g->cores[core / 64] & BIT(core % 64);
}

/* How many cores the guest names, and the highest */
static u32 count_cores(const struct guest_config *g, u32 *highest)
{
	u32 n = 0;

	*highest = 0;
	for (u32 i = 0; i < MANIFEST_MAX_CORES; i++) {
		if (!core_allowed(g, i))
			continue;
		n++;
		*highest = i;
	}
	return n;
}

static void allow_cores_from(struct guest_config *g, u32 first)
{
	for (u32 i = first; i < MANIFEST_MAX_CORES; i++)
		g->cores[i / 64] |= BIT(i % 64);
}

static void check_cores(struct check *c, struct guest_config *g)
{
	u32 highest;
	u32 usable = count_cores(g, &highest);

	if (!g->valid)
		return;
	if (!usable) {
		allow_cores_from(g, c->first_core);
		usable = c->core_count - c->first_core;
	} else if (highest >= c->core_count) {
		reject(c, g, manifest_line(g, "cores"),
		       "cores names core %u, but the machine has %u, numbered "
		       "from 0; name cores below %u",
		       highest, c->core_count, c->core_count);
		return;
	}
	if (!g->vcpus)
		g->vcpus = MIN(usable, (u32)VM_MAX_VCPUS);
	/* Others may share their cores; this one's devices want it on time */
	if (g->privileged && g->vcpus > usable)
		reject(c, g, manifest_line(g, "vcpus"),
		       "vcpus = %u, but it has only %u cores to run on; write "
		       "vcpus = %u or fewer",
		       g->vcpus, usable, usable);
}

static void check_memory(struct check *c, struct guest_config *g)
{
	u64 need = g->memory_bytes ? g->memory_bytes : REST_BYTES;

	if (!g->valid)
		return;
	if (need <= c->left_bytes) {
		c->left_bytes -= need;
		return;
	}
	if (g->memory_bytes)
		reject(c, g, manifest_line(g, "memory"),
		       "memory = %lluM, but of the machine's %lluM only %lluM "
		       "are left for it; lower it, or that of other guests",
		       (need >> 20), (c->total_bytes >> 20),
		       (c->left_bytes >> 20));
	else
		reject(c, g, manifest_line(g, "memory"),
		       "memory = rest, but the rest is %lluM and it needs "
		       "%lluM; lower the memory of other guests",
		       (c->left_bytes >> 20), (need >> 20));
}

/* The node that the manifest names is there, and has what the guest needs */
static void check_node(struct check *c, struct guest_config *g)
{
	u64 cores[MANIFEST_MAX_CORES / 64], bytes;
	u32 count = numa_node_count();

	if (!g->valid || g->numa != NUMA_NODE)
		return;
	if (g->privileged) {
		reject(c, g, manifest_line(g, "numa"),
		       "numa = %u, but the privileged guest has what is left "
		       "of all NUMA nodes; leave numa out",
		       g->numa_node);
		return;
	}
	if (g->numa_node >= count) {
		reject(c, g, manifest_line(g, "numa"),
		       "numa = %u, but the machine has %u NUMA node%s, "
		       "numbered from 0; write a number below %u, auto or any",
		       g->numa_node, count, count == 1 ? "" : "s", count);
		return;
	}
	bytes = numa_ram_bytes(c->bi, g->numa_node, c->m->special_memory);
	if (bytes < g->memory_bytes)
		reject(c, g, manifest_line(g, "memory"),
		       "memory = %lluM, but NUMA node %u has %lluM; lower it, "
		       "or write another node, auto or any",
		       (g->memory_bytes >> 20), g->numa_node, (bytes >> 20));
	else if (!numa_cores(g->numa_node, g->cores, cores))
		reject(c, g, manifest_line(g, "numa"),
		       "numa = %u, but none of the cores that it may run on is "
		       "of that NUMA node; write another node or other cores",
		       g->numa_node);
}

/* Only the pool's memory can be granted */
static void check_share(struct check *c, struct guest_config *g)
{
	if (g->valid && g->shares_memory)
		reject(c, g, manifest_line(g, "share"),
		       "share = memory is for a guest that is made while the "
		       "machine runs; remove it, or make the guest by bhctl "
		       "create");
}

/* And their back-ends are bhd's, which makes no guest of the manifest */
static void check_devices(struct check *c, struct guest_config *g)
{
	static const char *const key[] = {
		[DEVICE_DISK] = "disk",
		[DEVICE_VHOST_USER] = "vhost-user",
	};

	if (g->valid && g->device_count)
		reject(c, g, g->devices[0].line,
		       "%s is for a guest that is made while the machine "
		       "runs; remove it, or make the guest by bhctl create",
		       key[g->devices[0].kind]);
}

/* The CPU must have what its entropy device is seeded from */
static void check_entropy(struct check *c, struct guest_config *g)
{
	if (g->valid && g->entropy && !cpu_has_random())
		reject(c, g, manifest_line(g, "entropy"),
		       "entropy = yes, but this CPU has neither RDSEED nor "
		       "RDRAND to take it from; remove it");
}

/* The privileged guest first: an isolated one that asks for too much must not
 * keep it from starting */
static void check_all_memory(struct check *c)
{
	for (u32 i = 0; i < c->m->guest_count; i++)
		if (c->m->guests[i].privileged)
			check_memory(c, &c->m->guests[i]);
	for (u32 i = 0; i < c->m->guest_count; i++)
		if (!c->m->guests[i].privileged)
			check_memory(c, &c->m->guests[i]);
}

/* What the guests of the manifest leave, and only for a privileged guest */
static void check_pool(struct check *c)
{
	struct manifest *m = c->m;
	char text[MANIFEST_SENTENCE_LEN];
	bool privileged = false;

	for (u32 i = 0; i < m->guest_count; i++)
		privileged |= m->guests[i].privileged && m->guests[i].valid &&
			      m->guests[i].autostart;
	if (m->pool_percent)
		m->pool_bytes = c->total_bytes / 100 * m->pool_percent;
	/* What nobody asked for leaves the privileged guest half */
	if (!m->pool_line)
		m->pool_bytes = MIN(m->pool_bytes, c->left_bytes / 2);
	m->pool_bytes = ALIGN_DOWN(m->pool_bytes, PAGE_2M);
	if (!privileged)
		m->pool_bytes = 0;
	if (m->pool_bytes <= c->left_bytes)
		return;
	(void)bh_snprintf(text, sizeof(text),
			  "%s:%u: guest-memory is %lluM, but of the machine's "
			  "%lluM only %lluM are left for it, so there is none; "
			  "lower it, or the memory of guests",
			  BOOT_MANIFEST, m->pool_line, (m->pool_bytes >> 20),
			  (c->total_bytes >> 20), (c->left_bytes >> 20));
	m->pool_bytes = 0;
	c->report(text);
}

/* Constant from then on. Of each guest's name there is a hash, side by side:
 * entries are large, and there may be a thousand. */
static const struct manifest *planned;
static u32 name_hashes[MANIFEST_MAX_GUESTS];

/* FNV-1a. Names that are alike cost a comparison, and which the manifest has is
 * its author's choice. */
static u32 name_hash(const char *name)
{
	u32 hash = 0x811c9dc5u;

	for (; *name; name++)
		hash = (hash ^ (u8)*name) * 0x01000193u;
	return hash;
}

static void note_names(const struct manifest *m)
{
	for (u32 i = 0; i < m->guest_count; i++)
		name_hashes[i] = name_hash(m->guests[i].name);
	planned = m;
}

bool plan_has_guest(const char *name)
{
	u32 hash = name_hash(name);

	for (u32 i = 0; planned && i < planned->guest_count; i++)
		if (name_hashes[i] == hash &&
		    !strcmp(planned->guests[i].name, name))
			return true;
	return false;
}

void plan_check(struct manifest *m, const struct boot_info *bi, u32 core_count,
		u32 first_core, void (*report)(const char *sentence))
{
	struct check c = { .m = m,
			   .file = BOOT_MANIFEST,
			   .bi = bi,
			   .core_count = MIN(core_count, MANIFEST_MAX_CORES),
			   .first_core = first_core,
			   .total_bytes = ram_bytes(bi, m->special_memory),
			   .report = report };

	c.left_bytes =
		c.total_bytes - MIN(c.total_bytes, kept_bytes(c.total_bytes));
	note_names(m);
	cores_there = c.core_count;
	cores_first = first_core;
	for (u32 i = 0; i < m->guest_count; i++) {
		check_files(&c, &m->guests[i]);
		check_cores(&c, &m->guests[i]);
		check_node(&c, &m->guests[i]);
		check_devices(&c, &m->guests[i]);
		check_share(&c, &m->guests[i]);
		check_entropy(&c, &m->guests[i]);
		choose_way(&m->guests[i]);
	}
	check_all_memory(&c);
	check_pool(&c);
}

bool plan_check_dynamic(struct guest_config *g,
			void (*report)(const char *sentence))
{
	struct check c = { .file = PLAN_DEFINITION,
			   .core_count = cores_there,
			   .first_core = cores_first,
			   .report = report };

	if (g->privileged)
		reject(&c, g, manifest_line(g, "privileged"),
		       "privileged is not for a guest that is made while the "
		       "machine runs; remove it");
	/* What a kernel is its file tells, which comes with the start */
	if (g->firmware[0])
		g->boot = BOOT_WAY_FIRMWARE;
	check_cores(&c, g);
	check_entropy(&c, g);
	return g->valid;
}

static bool is_kernel(const char *name)
{
	enum boot_way way = BOOT_WAY_AUTO;
	struct image image;

	if (!file_find(name, &image))
		way = load_way(&image);
	return way == BOOT_WAY_LINUX || way == BOOT_WAY_PVH;
}

static bool has(const char *name, const char *part)
{
	size_t len = strlen(part);

	for (; *name; name++)
		if (!strncmp(name, part, len))
			return true;
	return false;
}

static const char *first_initrd(const struct boot_info *bi)
{
	for (u32 i = 0; i < bi->module_count && i < BOOT_MAX_MODULES; i++)
		if (has(bi->modules[i].name, ".cpio") ||
		    !strncmp(bi->modules[i].name, "init", 4))
			return bi->modules[i].name;
	return "";
}

static const char *first_kernel(const struct boot_info *bi)
{
	for (u32 i = 0; i < bi->module_count && i < BOOT_MAX_MODULES; i++)
		if (is_kernel(bi->modules[i].name))
			return bi->modules[i].name;
	return NULL;
}

void plan_default(struct manifest *m, const struct boot_info *bi,
		  void (*report)(const char *sentence))
{
	const char *kernel = first_kernel(bi);
	struct guest_config *g = &m->guests[0];
	char text[MANIFEST_SENTENCE_LEN];

	*m = (struct manifest){ .guests = m->guests,
				.guest_room = m->guest_room,
				.metering = BH_CTL_METERING_COUNTERS };
	if (!kernel) {
		(void)bh_snprintf(text, sizeof(text),
				  "there is neither a manifest nor a Linux "
				  "kernel; put %s and a kernel into the folder "
				  "%s of the boot volume",
				  BOOT_MANIFEST, BOOT_DIR);
		report(text);
		return;
	}
	m->guest_count = 1;
	memset(g, 0, sizeof(*g));
	(void)str_copy(g->name, "linux", sizeof(g->name));
	(void)str_copy(g->kernel, kernel, sizeof(g->kernel));
	(void)str_copy(g->initrd, first_initrd(bi), sizeof(g->initrd));
	(void)str_copy(g->cmdline, "console=tty0 console=ttyS0",
		       sizeof(g->cmdline));
	g->valid = true;
	g->privileged = true;
	g->memory_rest = true;
	g->autostart = true;
	m->pool_percent = MANIFEST_POOL_PERCENT;
	(void)bh_snprintf(text, sizeof(text),
			  "there is no manifest; kernel %s with initrd %s "
			  "starts as the privileged guest: put %s into the "
			  "folder %s of the boot volume to change that",
			  g->kernel, g->initrd[0] ? g->initrd : "(none)",
			  BOOT_MANIFEST, BOOT_DIR);
	report(text);
}
