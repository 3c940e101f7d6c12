/* SOURCES: hv/load/smbios.c hv/load/smbios_records.c hv/core/slots.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/* SMBIOS as a kernel finds and walks it (DSP0134 3.4.0, chapter 6) */
#include "tests/unit/fakes/loader.h"

#include "hv/core/pc_map.h"
#include "hv/device/fwcfg/fwcfg.h"
#include "hv/load/platform.h"
#include "hv/policy/cpuid.h"
#include "include/hw/smbios.h"

#define AREA 0xf0000ull

static u8 file_anchor[64], file_tables[4096];
static u32 file_anchor_len, file_tables_len;
static char brand[48];

u64 tsc_khz = 2500000;

void cpuid_query(const struct vm *v, u32 leaf, u32 subleaf, u32 out[4])
{
	memset(out, 0, 16);
	if (leaf == 0)
		memcpy(&out[1], "GenuntelineI", 12);
	if (leaf == 1)
		out[0] = 0x306c3;
	if (leaf >= 0x80000002 && leaf <= 0x80000004)
		memcpy(out, brand + (leaf - 0x80000002) * 16, 16);
}

int fwcfg_add_file(struct vm *v, const char *name, const void *data, u32 len)
{
	if (!strcmp(name, "etc/smbios/smbios-anchor")) {
		memcpy(file_anchor, data, len);
		file_anchor_len = len;
	} else {
		assert_string_equal(name, "etc/smbios/smbios-tables");
		memcpy(file_tables, data, len);
		file_tables_len = len;
	}
	return 0;
}

static u8 sum(const void *p, u32 size)
{
	const u8 *b = p;
	u8 s = 0;

	while (size--)
		s = (u8)(s + *b++);
	return s;
}

/* The end of the structure @h: behind its strings' two zeros */
static const u8 *after(const struct smbios_header *h)
{
	const u8 *p = (const u8 *)h + h->length;

	while (p[0] || p[1])
		p++;
	return p + 2;
}

/* The n-th structure of @type, or NULL. Walks all of it, as a kernel does */
static const void *find(const u8 *table, u32 bytes, u8 type, u32 n)
{
	const u8 *p = table;

	while (p < table + bytes) {
		const struct smbios_header *h = (const void *)p;

		assert_true(h->length >= 4);
		if (h->type == type && !n--)
			return h;
		p = after(h);
	}
	assert_ptr_equal(p, table + bytes);
	return NULL;
}

static const char *string(const void *s, u8 n)
{
	const struct smbios_header *h = s;
	const char *p = (const char *)s + h->length;

	assert_true(n);
	while (--n)
		p += strlen(p) + 1;
	return p;
}

static const struct smbios3_anchor *anchor3(void)
{
	return (const void *)fake_ram_at(AREA, 0x1000);
}

static const struct smbios_anchor *anchor2(void)
{
	return (const void *)fake_ram_at(AREA + 0x20, 0x1000);
}

static const u8 *table(void)
{
	return fake_ram_at(anchor3()->table, anchor3()->max_table_length);
}

static const void *need(u8 type, u32 n)
{
	const void *s = find(table(), anchor3()->max_table_length, type, n);

	assert_non_null(s);
	return s;
}

static int setup(void **state)
{
	file_anchor_len = file_tables_len = 0;
	strcpy(brand, "  Some CPU @ 2.50GHz");
	return vm_setup(state);
}

static void test_anchors(void **state)
{
	const struct smbios_anchor *a = anchor2();
	const struct smbios3_anchor *b = anchor3();

	assert_int_equal(smbios_write(&fake_vm), 0);
	assert_memory_equal(a->signature, "_SM_", 4);
	assert_memory_equal(a->dmi_signature, "_DMI_", 5);
	assert_int_equal(a->length, 31);
	assert_int_equal(sum(a, a->length), 0);
	assert_int_equal(sum(a->dmi_signature, 15), 0);
	assert_memory_equal(b->signature, "_SM3_", 5);
	assert_int_equal(sum(b, b->length), 0);
	assert_int_equal(a->table, b->table);
	assert_int_equal(a->table_length, b->max_table_length);
	assert_true(b->table + b->max_table_length <= PC_BIOS_AREA_END - 16);
}

static void test_walk(void **state)
{
	static const u8 types[] = { 0, 1, 3, 4, 16, 17, 19, 32, 127 };
	const u8 *p = NULL;
	u32 count = 0, largest = 0;

	assert_int_equal(smbios_write(&fake_vm), 0);
	for (p = table(); p < table() + anchor3()->max_table_length; count++) {
		const struct smbios_header *h = (const void *)p;

		assert_true(count < ARRAY_SIZE(types));
		assert_int_equal(h->type, types[count]);
		largest = MAX(largest, (u32)(after(h) - p));
		p = after(h);
	}
	assert_int_equal(count, ARRAY_SIZE(types));
	assert_int_equal(anchor2()->count, count);
	assert_int_equal(anchor2()->max_size, largest);
}

static void test_system(void **state)
{
	const struct smbios_system *s;
	u8 uuid[16];

	assert_int_equal(smbios_write(&fake_vm), 0);
	s = need(1, 0);
	assert_string_equal(string(s, s->manufacturer), "Bulkhead");
	assert_string_equal(string(s, s->serial), "box");
	assert_int_equal(s->uuid[7] >> 4, 8);
	assert_int_equal(s->uuid[8] >> 6, 2);
	memcpy(uuid, s->uuid, 16);
	/* The same again after a reset, another for another guest */
	assert_int_equal(smbios_write(&fake_vm), 0);
	assert_memory_equal(uuid, s->uuid, 16);
	strcpy(fake_vm.name, "bow");
	assert_int_equal(smbios_write(&fake_vm), 0);
	assert_memory_not_equal(uuid, s->uuid, 16);
	/* The manifest's own goes before */
	fake_config.has_uuid = true;
	memset(fake_config.uuid, 0x5a, sizeof(fake_config.uuid));
	assert_int_equal(smbios_write(&fake_vm), 0);
	assert_memory_equal(s->uuid, fake_config.uuid, 16);
}

static void test_cpu(void **state)
{
	const struct smbios_cpu *s;

	fake_vm.vcpu_count = 128;
	assert_int_equal(smbios_write(&fake_vm), 0);
	s = need(4, 0);
	assert_string_equal(string(s, s->manufacturer), "GenuineIntel");
	assert_string_equal(string(s, s->version), "Some CPU @ 2.50GHz");
	assert_int_equal(s->id_eax, 0x306c3);
	assert_int_equal(s->now_mhz, 2500);
	assert_int_equal(s->cores, 128);
	assert_int_equal(s->threads2, 128);
	assert_null(find(table(), anchor3()->max_table_length, 4, 1));
	brand[0] = 0;
	assert_int_equal(smbios_write(&fake_vm), 0);
	s = need(4, 0);
	assert_string_equal(string(s, s->version), "unknown");
}

/* The fields with few bits tell that the others count */
static void test_memory(void **state)
{
	const struct smbios_mapped *m;

	assert_int_equal(smbios_write(&fake_vm), 0);
	assert_int_equal(((const struct smbios_memory *)need(17, 0))->size_mib,
			 RAM_BYTES >> 20);
	m = need(19, 0);
	assert_int_equal(m->end_kib, (RAM_BYTES >> 10) - 1);
	assert_null(find(table(), anchor3()->max_table_length, 19, 1));

	fake_vm.slot_count = 3;
	fake_vm.slots[0].size = GIB(2);
	fake_vm.slots[1] = (struct vm_slot){ GIB(4) - MIB(4), 0, MIB(4), true };
	fake_vm.slots[2] = (struct vm_slot){ GIB(4), 0, GIB(6), false };
	assert_int_equal(smbios_write(&fake_vm), 0);
	assert_int_equal(((const struct smbios_memory *)need(17, 0))->size_mib,
			 8192);
	m = need(19, 0);
	assert_int_equal(m->end_kib, 0x1fffff);
	m = need(19, 1);
	assert_int_equal(m->start_kib, 0x400000);
	assert_int_equal(m->end_kib, 0x9fffff);

	fake_vm.slots[2].size = GIB(4096);
	assert_int_equal(smbios_write(&fake_vm), 0);
	assert_int_equal(((const struct smbios_memory *)need(17, 0))->size_mib,
			 0x7fff);
	assert_int_equal(
		((const struct smbios_memory *)need(17, 0))->size_ext_mib,
		(GIB(4096) + GIB(2)) >> 20);
	assert_int_equal(
		((const struct smbios_array *)need(16, 0))->capacity_kib,
		0x80000000);
	assert_int_equal(
		((const struct smbios_array *)need(16, 0))->capacity_ext,
		GIB(4096) + GIB(2));
	m = need(19, 1);
	assert_int_equal(m->start_kib, ~0u);
	assert_int_equal(m->start, GIB(4));
	assert_int_equal(m->end, GIB(4100) - 1);
}

static void test_files(void **state)
{
	const struct smbios_anchor *a = (const void *)file_anchor;

	assert_int_equal(smbios_publish(&fake_vm), 0);
	assert_int_equal(file_anchor_len, sizeof(*a));
	assert_int_equal(sum(a, sizeof(*a)), 0);
	assert_int_equal(sum(a->dmi_signature, 15), 0);
	assert_int_equal(a->table, 0);
	assert_int_equal(a->table_length, file_tables_len);
	assert_non_null(find(file_tables, file_tables_len, 127, 0));
	assert_int_equal(*fake_ram_at(AREA, 1),
			 0xaa); /* RAM is the firmware's */
}

static void test_no_room(void **state)
{
	fake_pool_left = 0;
	assert_int_equal(smbios_write(&fake_vm), -ENOMEM);
	assert_int_equal(smbios_publish(&fake_vm), -ENOMEM);
	fake_pool_left = ~0u;
	fake_vm.slots[0].size = 0x1000;
	assert_int_equal(smbios_write(&fake_vm), -EFAULT);
}

#define smbios_test(f) cmocka_unit_test_setup_teardown(f, setup, vm_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		smbios_test(test_anchors), smbios_test(test_walk),
		smbios_test(test_system),  smbios_test(test_cpu),
		smbios_test(test_memory),  smbios_test(test_files),
		smbios_test(test_no_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
