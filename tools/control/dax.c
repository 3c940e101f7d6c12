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

/* The regions that the last scan found, by the folder of their attributes */
static struct {
	u32 count;
	char path[REGIONS_MAX][PATH_MAX];
} regions;

/* The region of device @name, whose attributes are beside it: /dax_region */
static void region_add(const char *name)
{
	char path[PATH_MAX], real[PATH_MAX];

	snprintf(path, sizeof(path), DEVICES "/%s/../dax_region", name);
	if (regions.count == REGIONS_MAX || !realpath(path, real))
		return;
	for (u32 i = 0; i < regions.count; i++)
		if (!strcmp(regions.path[i], real))
			return;
	strcpy(regions.path[regions.count++], real);
}

/* Goes through the devices: takes away those that have some of @range, a dead
 * guest's or the region's own (dax_hmem without region_idle=1), and notes the
 * regions */
static void devices_scan(const struct bh_ctl_range *range)
{
	DIR *dir = opendir(DEVICES);
	const struct dirent *e;

	regions.count = 0;
	while (dir && (e = readdir(dir))) {
		u64 start, end;

		if (e->d_name[0] == '.')
			continue;
		region_add(e->d_name);
		if (mapping_of(e->d_name, &start, &end) &&
		    start < range->base + range->size && end >= range->base)
			dax_release(e->d_name);
	}
	if (dir)
		closedir(dir);
}

/* The regions, once the modules are there */
static int regions_find(const struct bh_ctl_range *range, struct failure *f)
{
	devices_scan(range);
	if (!regions.count) {
		module_load("dax_hmem");
		module_load("device_dax");
	}
	for (u32 i = 0; i < WAIT_TRIES && !regions.count; i++) {
		usleep(WAIT_US);
		devices_scan(range);
	}
	if (regions.count)
		return 0;
	return failed(f, FAIL_NO_BULKHEAD,
		      "the kernel does not show the memory for guests; load "
		      "the modules dax_hmem and device_dax, or install a "
		      "kernel that has them");
}

/* As the kernel reads it */
static void range_text(const struct bh_ctl_range *range, char text[LINE])
{
	snprintf(text, LINE, "0x%llx-0x%llx", range->base,
		 range->base + range->size - 1);
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

/* A device of @range in the region that has it; the others refuse it, and so
 * does that one while another device has some of it. 0 or -errno. */
static int device_make(const struct bh_ctl_range *range, char *name)
{
	char text[LINE];
	int err = -ENODEV;

	range_text(range, text);
	for (u32 i = 0; i < regions.count; i++) {
		err = device_new(regions.path[i], name);
		if (err)
			continue;
		err = file_set(text, DEVICES "/%s/mapping", name);
		if (!err)
			return 0;
		dax_release(name);
	}
	return err;
}

/* A scan looks at each device there is: it is for the first guest, and for one
 * that the kernel refuses by what is known */
static int device_take(const struct bh_ctl_range *range, char *name,
		       struct failure *f)
{
	char text[LINE];
	int err;

	if (regions.count && !device_make(range, name))
		return 0;
	if (regions_find(range, f))
		return -1;
	err = device_make(range, name);
	if (!err)
		return 0;
	range_text(range, text);
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
	if (device_take(range, name, f))
		return -1;
	if (!device_bind(name, f))
		return 0;
	dax_release(name);
	return -1;
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
