/* SPDX-License-Identifier: BSD-2-Clause */
/* See definition.h. The parser reports through a function without a context,
 * so that what it said is static here. */
#include "tools/control/definition.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "tools/control/device_spec.h"

static struct {
	u32 count;
	char first[FAIL_TEXT_BYTES];
	void (*say)(const char *sentence);
} said;

static void report(const char *sentence)
{
	if (!said.count++) {
		snprintf(said.first, sizeof(said.first), "%s", sentence);
		text_clean(said.first);
	}
	if (said.say)
		said.say(sentence);
}

static void check_files(const struct guest_config *g, const char *file,
			const char *folder)
{
	const char *name, *key;

	for (u32 i = 0; manifest_file(g, i, &name, &key); i++) {
		char path[PATH_MAX], sentence[FAIL_TEXT_BYTES];
		struct stat st;

		if (!*name)
			continue;
		snprintf(path, sizeof(path), "%s/%s", folder, name);
		if (!stat(path, &st) && S_ISREG(st.st_mode) && st.st_size)
			continue;
		snprintf(sentence, sizeof(sentence),
			 "%.100s:%u: guest %s: %s = %s: there is no such file "
			 "in %.200s, or it is empty; copy it there",
			 file, manifest_file_line(g, i), g->name, key, name,
			 folder);
		report(sentence);
	}
}

/* What of its devices' lines the parser leaves to bhd */
static void check_devices(const struct guest_config *g, const char *file,
			  const char *text, const char *folder)
{
	for (u32 i = 0; i < g->device_count; i++) {
		struct device_spec spec;
		struct failure f;

		if (device_spec_read(&spec, g, text, i, file, folder, &f))
			report(f.text);
	}
}

/* One section, of a guest, in a file that the loader would not take */
static bool is_definition(const struct manifest *m, const char *file,
			  u32 sections)
{
	return sections == 1 && m->guest_count == 1 &&
	       strcasecmp(file, BOOT_MANIFEST);
}

static int check_length(const char *file, size_t len, struct failure *f)
{
	if (len <= DEFINITION_TEXT_MAX)
		return 0;
	return failed(f, FAIL_DEFINITION,
		      "%.60s is longer than %u bytes; leave comments out", file,
		      DEFINITION_TEXT_MAX);
}

/* What is right in the machine's manifest alone */
static int check_made_later(const struct guest_config *g, const char *file,
			    struct failure *f)
{
	if (!g->privileged && !g->memory_rest && g->memory_bytes)
		return 0;
	return failed(f, FAIL_DEFINITION,
		      "%.60s:%u: guest %s: only the machine's manifest has "
		      "privileged = yes and memory = rest; remove the line",
		      file,
		      manifest_line(g, g->privileged ? "privileged" : "memory"),
		      g->name);
}

static void check_guest(const struct guest_config *g, const char *file,
			const char *text, const char *folder)
{
	check_files(g, file, folder);
	check_devices(g, file, text, folder);
}

u32 definition_check(const char *file, const char *text, const char *folder,
		     void (*say)(const char *sentence))
{
	u32 room = manifest_count(text, strlen(text));
	struct manifest m = { .guests = calloc(room, sizeof(*m.guests)) };
	struct failure f;

	said.count = 0;
	said.say = say;
	if (m.guests)
		m.guest_room = room;
	manifest_parse(&m, file, text, strlen(text), report);
	if (is_definition(&m, file, room) &&
	    (check_length(file, strlen(text), &f) ||
	     (m.guests[0].valid && check_made_later(&m.guests[0], file, &f))))
		report(f.text);
	for (u32 i = 0; i < m.guest_count; i++)
		if (m.guests[i].valid)
			check_guest(&m.guests[i], file, text, folder);
	free(m.guests);
	return said.count;
}

/* The hypervisor says the same later; here nothing has been made yet */
static int judge(const struct guest_config *g, const char *file,
		 struct failure *f)
{
	if (said.count)
		return failed(f, FAIL_DEFINITION, "%s", said.first);
	return check_made_later(g, file, f);
}

static int judge_devices(const struct guest_config *g, const char *file,
			 const char *text, const char *folder,
			 struct failure *f)
{
	struct device_spec spec;

	for (u32 i = 0; i < g->device_count; i++)
		if (device_spec_read(&spec, g, text, i, file, folder, f))
			return -1;
	return 0;
}

static struct definition_file *file_of(struct definition *d, const char *name)
{
	for (u32 i = 0; i < d->file_count; i++)
		if (!strcasecmp(d->files[i].name, name))
			return &d->files[i];
	return NULL;
}

static int add_file(struct definition *d, const char *name, const char *folder,
		    struct json_object *paths, struct failure *f)
{
	const char *given = paths ? wire_string(paths, name) : NULL;
	struct definition_file *file;

	if (!*name || file_of(d, name))
		return 0;
	if (d->file_count == DEFINITION_FILES_MAX)
		return failed(f, FAIL_DEFINITION, "too many files");
	file = &d->files[d->file_count++];
	snprintf(file->name, sizeof(file->name), "%s", name);
	if (given)
		file->path = strdup(given);
	else if (asprintf(&file->path, "%s/%s", folder, name) < 0)
		file->path = NULL;
	if (!file->path)
		return failed(f, FAIL_NO_ROOM, "no memory for the definition");
	if (strlen(file->path) >= PATH_MAX || file->path[0] != '/')
		return failed(f, FAIL_DEFINITION,
			      "the path of %s is too long or not absolute",
			      name);
	return 0;
}

/* What happens to a file: in this order the files lie in the memory. As
 * staged_stays() of the hypervisor has it. */
enum use { USE_LOADED, USE_STAYS, USE_FIRMWARE, USES };

static const char *firmware_of(const struct guest_config *g)
{
	if (g->firmware[0])
		return g->firmware;
	return g->boot == BOOT_WAY_FIRMWARE ? g->kernel : NULL;
}

static enum use use_of(const struct guest_config *g, const char *name)
{
	const char *firmware = firmware_of(g);

	if (firmware)
		return strcasecmp(name, firmware) ? USE_STAYS : USE_FIRMWARE;
	for (u32 i = 0; i < g->fwcfg_count; i++)
		if (!strcasecmp(g->fwcfg[i].file, name))
			return USE_STAYS;
	return USE_LOADED;
}

static int add_files(struct definition *d, const char *folder,
		     struct json_object *paths, struct failure *f)
{
	const struct guest_config *g = &d->config;
	const char *name, *key;
	u32 loaded = 0;

	for (enum use use = 0; use < USES; use++) {
		for (u32 i = 0; manifest_file(g, i, &name, &key); i++)
			if (use_of(g, name) == use &&
			    add_file(d, name, folder, paths, f))
				return -1;
		if (use == USE_LOADED)
			loaded = d->file_count;
	}
	d->stay_count = d->file_count - loaded;
	d->firmware = firmware_of(g);
	return 0;
}

int definition_read(struct definition *d, const char *file, const char *text,
		    const char *folder, struct json_object *paths,
		    struct failure *f)
{
	size_t len = strlen(text);
	int err;

	memset(d, 0, sizeof(*d));
	if (check_length(file, len, f))
		return -1;
	said.count = 0;
	said.say = NULL;
	if (manifest_parse_guest(&d->config, file, text, len, report) ||
	    said.count)
		err = judge(&d->config, file, f);
	else
		err = failed(f, FAIL_DEFINITION, "%.60s has no guest", file);
	if (err || judge_devices(&d->config, file, text, folder, f) ||
	    add_files(d, folder, paths, f))
		return -1;
	d->text = strdup(text);
	return d->text ? 0
		       : failed(f, FAIL_NO_ROOM,
				"no memory for the definition");
}

void definition_free(struct definition *d)
{
	for (u32 i = 0; i < d->file_count; i++)
		free(d->files[i].path);
	free(d->text);
	d->file_count = 0;
	d->text = NULL;
}
