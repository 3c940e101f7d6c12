/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where a guest's section says something: the files it names, and the lines of
 * its keys. Called by the plan, the parser and hv/files/. No state, no lock.
 */
#include "hv/manifest/parser.h"
#include "lib/string.h"

u32 manifest_line(const struct guest_config *g, const char *key)
{
	for (u32 i = 0; i < manifest_key_count; i++)
		if (manifest_keys[i].section == SECTION_GUEST &&
		    !strcmp(manifest_keys[i].name, key) && g->key_lines[i])
			return g->key_lines[i];
	return g->line;
}

#define FIXED_FILES 3u /* kernel, initrd, firmware */

u32 manifest_file_line(const struct guest_config *g, u32 i)
{
	const char *name, *key;

	if (!manifest_file(g, i, &name, &key))
		return g->line;
	if (i < FIXED_FILES)
		return manifest_line(g, key);
	i -= FIXED_FILES;
	return i < g->module_count ? g->modules[i].line
				   : g->fwcfg[i - g->module_count].line;
}

bool manifest_file(const struct guest_config *g, u32 i, const char **name,
		   const char **key)
{
	const struct {
		const char *name, *key;
	} fixed[] = { { g->kernel, "kernel" },
		      { g->initrd, "initrd" },
		      { g->firmware, "firmware" } };
	static_assert(ARRAY_SIZE(fixed) == FIXED_FILES, "as many");

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
