/* SPDX-License-Identifier: BSD-2-Clause */
/* See dax.h */
#include "tools/control/dax.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tools/control/files.h"
#include "tools/control/vfio.h"

#define DEVICES     "/sys/bus/dax/devices"
#define DRIVER      "/sys/bus/dax/drivers/device_dax"
#define LINE        64
#define REGIONS_MAX 64
#define WAIT_US     10000
#define WAIT_TRIES  300

/* As the kernel prints them: addresses as 0x..., sizes decimal */
static int number_of(u64 *value, const char *name, const char *attribute)
{
	char text[LINE];

	if (file_line(text, sizeof(text), DEVICES "/%s/%s", name, attribute))
		return -1;
	*value = strtoull(text, NULL, 0);
	return 0;
}

/* The first piece of a device's; false: it has none */
static bool mapping_of(const char *name, u64 *start, u64 *end)
{
	return !number_of(start, name, "mapping0/start") &&
	       !number_of(end, name, "mapping0/end");
}

bool dax_is(const char *name, const struct bh_ctl_range *range)
{
	u64 start, end;

	return mapping_of(name, &start, &end) && start == range->base &&
	       end == range->base + range->size - 1;
}

/* One device of each region, whose attributes are beside it: /dax_region */
struct regions {
	u32 count;
	char path[REGIONS_MAX][PATH_MAX];
};

static void region_add(struct regions *r, const char *name)
{
	char path[PATH_MAX], real[PATH_MAX];

	snprintf(path, sizeof(path), DEVICES "/%s/../dax_region", name);
	if (r->count == REGIONS_MAX || !realpath(path, real))
		return;
	for (u32 i = 0; i < r->count; i++)
		if (!strcmp(r->path[i], real))
			return;
	strcpy(r->path[r->count++], real);
}

/* Goes through the devices: takes away those that have some of @range, a dead
 * guest's or the region's own (dax_hmem without region_idle=1), and notes the
 * regions */
static void devices_scan(struct regions *r, const struct bh_ctl_range *range)
{
	DIR *dir = opendir(DEVICES);
	const struct dirent *e;

	r->count = 0;
	while (dir && (e = readdir(dir))) {
		u64 start, end;

		if (e->d_name[0] == '.')
			continue;
		region_add(r, e->d_name);
		if (mapping_of(e->d_name, &start, &end) &&
		    start < range->base + range->size && end >= range->base)
			dax_release(e->d_name);
	}
	if (dir)
		closedir(dir);
}

/* The regions, once the modules are there */
static struct regions *regions_find(const struct bh_ctl_range *range,
				    struct failure *f)
{
	struct regions *r = malloc(sizeof(*r));

	if (!r) {
		failed(f, FAIL_NO_ROOM, "no memory for the list of regions");
		return NULL;
	}
	devices_scan(r, range);
	if (!r->count) {
		module_load("dax_hmem");
		module_load("device_dax");
	}
	for (u32 i = 0; i < WAIT_TRIES && !r->count; i++) {
		usleep(WAIT_US);
		devices_scan(r, range);
	}
	if (r->count)
		return r;
	free(r);
	failed(f, FAIL_NO_BULKHEAD,
	       "the kernel does not show the memory for guests; load the "
	       "modules dax_hmem and device_dax, or install a kernel that has "
	       "them");
	return NULL;
}

/* A device without memory: the region's first, or a new one */
static int device_new(const char *region, char *name)
{
	u64 size;
	int err;

	if (!file_line(name, DAX_NAME_BYTES, "%s/seed", region) && *name &&
	    !number_of(&size, name, "size") && !size)
		return 0;
	err = file_set("1", "%s/create", region);
	return err ? err : file_line(name, DAX_NAME_BYTES, "%s/create", region);
}

/* A device of @range in the region that has it; the others refuse it */
static int device_make(const struct regions *r,
		       const struct bh_ctl_range *range, char *name,
		       struct failure *f)
{
	char text[LINE];
	int err = -ENODEV;

	snprintf(text, sizeof(text), "0x%llx-0x%llx", range->base,
		 range->base + range->size - 1);
	for (u32 i = 0; i < r->count; i++) {
		err = device_new(r->path[i], name);
		if (err)
			continue;
		err = file_set(text, DEVICES "/%s/mapping", name);
		if (!err)
			return 0;
		dax_release(name);
	}
	return failed(f, err == -EACCES ? FAIL_DENIED : FAIL_OTHER,
		      "the kernel makes no dax device of the memory %s: %s; "
		      "see its log",
		      text, strerror(-err));
}

static int device_bind(const char *name, struct failure *f)
{
	char driver[LINE] = "", path[LINE];

	if (access(DRIVER, F_OK))
		module_load("device_dax");
	file_set(name, DRIVER "/bind");
	/* Kernels that would give it to kmem want its name as an id */
	if (link_name(driver, sizeof(driver), DEVICES "/%s/driver", name))
		file_set(name, DRIVER "/new_id");
	if (link_name(driver, sizeof(driver), DEVICES "/%s/driver", name) ||
	    strcmp(driver, "device_dax"))
		return failed(f, FAIL_NO_BULKHEAD,
			      "the kernel does not give %s to device_dax; load "
			      "that module, and dax_hmem with region_idle=1",
			      name);
	snprintf(path, sizeof(path), "/dev/%s", name);
	for (u32 i = 0; i < WAIT_TRIES && access(path, F_OK); i++)
		usleep(WAIT_US);
	return access(path, F_OK)
		       ? failed(f, FAIL_OTHER, "%s does not appear", path)
		       : 0;
}

int dax_carve(const struct bh_ctl_range *range, char name[DAX_NAME_BYTES],
	      struct failure *f)
{
	struct regions *r = regions_find(range, f);
	int err;

	if (!r)
		return -1;
	err = device_make(r, range, name, f);
	free(r);
	if (!err && device_bind(name, f)) {
		dax_release(name);
		err = -1;
	}
	return err;
}

void dax_release(const char *name)
{
	char driver[LINE], seed[DAX_NAME_BYTES] = "";

	if (!link_name(driver, sizeof(driver), DEVICES "/%s/driver", name))
		file_set(name, DEVICES "/%s/driver/unbind", name);
	file_set("0", DEVICES "/%s/size", name);
	/* The first device of a region stays, empty */
	if (!file_line(seed, sizeof(seed), DEVICES "/%s/../dax_region/seed",
		       name) &&
	    strcmp(seed, name))
		file_set(name, DEVICES "/%s/../dax_region/delete", name);
}
