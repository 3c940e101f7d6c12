/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Definitions on disk: one JSON object a guest. What a file says of ids and
 * memory counts only in the boot of the hypervisor that wrote it.
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "tools/bhd/life_priv.h"
#include "tools/control/files.h"

#define FILE_MAX MIB(1)

static int path_of(const struct guest *g, char *path)
{
	int n = snprintf(path, PATH_MAX, "%s/guests/%s.json", g->bhd->folder,
			 g->definition.config.name);

	return n < PATH_MAX ? 0 : -ENAMETOOLONG;
}

static struct json_object *places_array(const struct guest *g)
{
	struct json_object *a = json_object_new_array();

	for (u32 i = 0; i < g->place.count; i++) {
		struct json_object *o = json_object_new_object();

		wire_add_number(o, "base", g->place.ranges[i].base);
		wire_add_number(o, "bytes", g->place.ranges[i].size);
		wire_add_string(o, "dax", i < g->dax_count ? g->dax[i] : "");
		json_object_array_add(a, o);
	}
	return a;
}

void store_save(const struct guest *g)
{
	struct json_object *o = json_object_new_object();
	char path[PATH_MAX], *text;
	int err = -ENOMEM;

	wire_add(o, "given", json_object_get(g->given));
	wire_add_number(o, "uid", g->uid);
	wire_add_number(o, "gid", g->gid);
	wire_add(o, "stays", json_object_new_boolean(g->stays));
	wire_add(o, "wanted", json_object_new_boolean(g->wanted));
	wire_add(o, "forget", json_object_new_boolean(g->forget));
	wire_add_number(o, "boot", g->bhd->info.boot_tsc);
	wire_add_number(o, "id", g->id);
	wire_add(o, "places", places_array(g));
	text = wire_text(o);
	if (text)
		err = path_of(g, path);
	if (!err)
		err = file_replace(path, text, strlen(text), 0600);
	free(text);
	if (err)
		fprintf(stderr,
			"bhd: guest %s cannot be kept in %s: %s; the next bhd "
			"will not know its definition\n",
			g->definition.config.name, g->bhd->folder,
			strerror(-err));
}

static void definition_remove(const char *path)
{
	int err = file_remove(path);

	if (err)
		fprintf(stderr,
			"bhd: %s cannot be removed: %s; the next bhd will know "
			"this guest again, so remove it by hand\n",
			path, strerror(-err));
}

void store_remove(const struct guest *g)
{
	char path[PATH_MAX];

	if (!path_of(g, path))
		definition_remove(path);
}

void guest_free(struct guest *g)
{
	ev_timer_stop(g->bhd->loop, &g->again);
	loader_stop(&g->loader);
	devices_free(g);
	definition_free(&g->definition);
	json_object_put(g->given);
	free(g->avoid.items);
	free(g);
}

static const char *text_of(struct json_object *o, const char *name,
			   const char *other)
{
	const char *text = wire_string(o, name);

	return text ? text : other;
}

struct guest *store_guest(struct bhd *b, struct json_object *o,
			  struct failure *f)
{
	struct guest *g = calloc(1, sizeof(*g));
	struct json_object *paths = NULL;

	if (!g) {
		failed(f, FAIL_NO_ROOM, "no memory for the guest");
		return NULL;
	}
	g->bhd = b;
	g->state = BH_CTL_GONE; /* not looked at yet */
	g->given = json_object_get(o);
	json_object_object_get_ex(o, "paths", &paths);
	if (paths && !json_object_is_type(paths, json_type_object))
		paths = NULL;
	if (!definition_read(&g->definition, text_of(o, "file", "definition"),
			     text_of(o, "definition", ""),
			     text_of(o, "folder", "/"), paths, f) &&
	    !devices_read(g, text_of(o, "file", "definition"),
			  text_of(o, "folder", "/"), f))
		return g;
	guest_free(g);
	return NULL;
}

static void places_read(struct guest *g, struct json_object *o)
{
	struct json_object *a;
	size_t n = json_object_object_get_ex(o, "places", &a) &&
				   json_object_is_type(a, json_type_array)
			   ? json_object_array_length(a)
			   : 0;

	for (size_t i = 0; i < n && i < PLACE_MAX; i++) {
		struct json_object *p = json_object_array_get_idx(a, i);
		struct bh_ctl_range *r = &g->place.ranges[i];

		r->base = wire_number(p, "base", 0);
		r->size = wire_number(p, "bytes", 0);
		g->place.count = (u32)i + 1;
		snprintf(g->dax[i], sizeof(g->dax[i]), "%s",
			 text_of(p, "dax", ""));
		/* Another kernel's: this one has no such device */
		if (g->dax_count == i && dax_is(g->dax[i], r))
			g->dax_count++;
	}
}

/* One file; what does not hold is said and left alone */
static void load_file(struct bhd *b, const char *path)
{
	size_t len;
	char *text = file_read(path, FILE_MAX, &len);
	struct json_object *o, *given;
	struct guest *g = NULL;
	struct failure f;

	failed(&f, FAIL_DEFINITION, "it is no definition; remove it");
	while (text && len && text[len - 1] == '\n')
		len--;
	o = text ? wire_parse(text, len) : NULL;
	if (o && json_object_object_get_ex(o, "given", &given) &&
	    json_object_is_type(given, json_type_object))
		g = store_guest(b, given, &f);
	if (!g) {
		fprintf(stderr, "bhd: %s: %s\n", path, f.text);
		goto out;
	}
	g->uid = (uid_t)wire_number(o, "uid", (uid_t)-1);
	g->gid = (gid_t)wire_number(o, "gid", (gid_t)-1);
	g->stays = wire_bool(o, "stays");
	g->wanted = wire_bool(o, "wanted");
	g->forget = wire_bool(o, "forget");
	if (wire_number(o, "boot", 0) == b->info.boot_tsc) {
		g->id = wire_number(o, "id", 0);
		places_read(g, o);
		if (guest_take_place(g))
			fprintf(stderr,
				"bhd: %s: no memory to note where the guest "
				"lies\n",
				path);
	}
	if (!g->id && (!g->stays || g->forget)) {
		definition_remove(path);
		guest_free(g);
		goto out;
	}
	life_add(b, g);
out:
	free(text);
	if (o)
		json_object_put(o);
}

int store_load(struct bhd *b, struct failure *f)
{
	char folder[PATH_MAX], path[PATH_MAX];
	const struct dirent *e;
	DIR *dir;

	if (snprintf(folder, sizeof(folder), "%s/guests", b->folder) >=
	    (int)sizeof(folder))
		return failed(f, FAIL_USAGE, "the path of --state is too long");
	mkdir(folder, 0700);
	dir = opendir(folder);
	if (!dir) {
		fprintf(stderr, "bhd: %s: %s; definitions are not kept\n",
			folder, strerror(errno));
		return 0;
	}
	while ((e = readdir(dir))) {
		size_t len = strlen(e->d_name);

		if (len < 6 || strcmp(e->d_name + len - 5, ".json") ||
		    snprintf(path, sizeof(path), "%s/%s", folder, e->d_name) >=
			    (int)sizeof(path))
			continue;
		load_file(b, path);
	}
	closedir(dir);
	return 0;
}
