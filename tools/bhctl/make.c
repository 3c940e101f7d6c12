/* SPDX-License-Identifier: BSD-2-Clause */
/* See make.h. What is made here is judged by bhd, and by the hypervisor. */
#include "tools/bhctl/make.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tools/bhctl/link.h"
#include "tools/control/definition.h"
#include "tools/control/files.h"

#define RUN_MEMORY   "256M"
#define RUN_CMDLINE  "console=ttyS0"
#define MANIFEST_MAX MIB(1)
#define ITEM_FILE    "fw_cfg%u"

/* A value of the manifest: one line, with nothing that begins a comment */
static int value_check(const char *what, const char *value, struct failure *f)
{
	if (!strpbrk(value, "\r\n") && *value != '#' && !strstr(value, " #") &&
	    !strstr(value, "\t#"))
		return 0;
	return failed(f, FAIL_USAGE,
		      "--%s is one line with no # behind a blank", what);
}

/* The files are named by their keys */
static const char *line_of(const char *given, const char *line)
{
	return given ? line : "";
}

/* Of "NAME FILE" and of "NAME "TEXT"": what stands behind the name */
static const char *item_value(const char *item)
{
	const char *value = item + strcspn(item, " \t");

	return value + strspn(value, " \t");
}

static bool item_is_file(const char *item)
{
	return *item_value(item) != '"';
}

/* The line of item @i, as the manifest has it; a file is named by its number */
static int item_line(const char *item, u32 i, char *line, size_t size,
		     struct failure *f)
{
	if (value_check("fw-cfg", item, f))
		return -1;
	if (!*item_value(item))
		return failed(f, FAIL_USAGE,
			      "--fw-cfg %.40s: write 'NAME FILE', or 'NAME "
			      "\"TEXT\"'",
			      item);
	if (item_is_file(item))
		return snprintf(line, size, "fw_cfg = %.*s " ITEM_FILE "\n",
				(int)strcspn(item, " \t"), item, i);
	return snprintf(line, size, "fw_cfg = %s\n", item);
}

static int items_add(const struct args *a, char *text, size_t size,
		     struct failure *f)
{
	size_t used = strlen(text);

	for (u32 i = 0; i < a->fw_cfg_count; i++) {
		int n = item_line(a->fw_cfg[i], i, text + used, size - used, f);

		if (n < 0)
			return -1;
		if ((size_t)n >= size - used)
			return failed(f, FAIL_USAGE, "--fw-cfg is too long");
		used += (size_t)n;
	}
	return 0;
}

int make_definition(const struct args *a, const char *name, char *text,
		    size_t size, struct failure *f)
{
	const char *cmdline = a->cmdline ? a->cmdline : RUN_CMDLINE;
	const char *memory = a->memory ? a->memory : RUN_MEMORY;
	int n;

	if (value_check("cmdline", cmdline, f) ||
	    value_check("memory", memory, f) || value_check("name", name, f))
		return -1;
	n = snprintf(text, size,
		     "[guest %s]\n%s%s%scmdline = %s\nmemory = %s\n"
		     "vcpus = %u\n",
		     name, line_of(a->kernel, "kernel = kernel\n"),
		     line_of(a->initrd, "initrd = initrd\n"),
		     line_of(a->firmware, "firmware = firmware\n"), cmdline,
		     memory, a->cpus ? a->cpus : 1);
	if (n >= (int)size)
		return failed(f, FAIL_USAGE, "the command line is too long");
	return items_add(a, text, size, f);
}

/* @path NULL: there is none */
static int path_add(struct json_object *paths, const char *name,
		    const char *path, struct failure *f)
{
	char real[PATH_MAX];

	if (!path)
		return 0;
	if (!realpath(path, real))
		return failed(f, FAIL_DEFINITION, "%.300s: %s", path,
			      strerror(errno));
	wire_add_string(paths, name, real);
	return 0;
}

/* Of all files that the definition names */
static int paths_add(const struct args *a, struct json_object *paths,
		     struct failure *f)
{
	char name[BOOT_NAME_LEN];

	for (u32 i = 0; i < a->fw_cfg_count; i++) {
		snprintf(name, sizeof(name), ITEM_FILE, i);
		if (item_is_file(a->fw_cfg[i]) &&
		    path_add(paths, name, item_value(a->fw_cfg[i]), f))
			return -1;
	}
	if (path_add(paths, "kernel", a->kernel, f) ||
	    path_add(paths, "initrd", a->initrd, f))
		return -1;
	return path_add(paths, "firmware", a->firmware, f);
}

static int make(const struct args *a, struct json_object *request,
		struct failure *f)
{
	struct json_object *reply;
	const char *name;
	struct link l;
	int err;

	if (link_open(&l, a->socket, f)) {
		json_object_put(request);
		return -1;
	}
	err = link_ask(&l, request, &reply, f);
	link_close(&l);
	if (err)
		return -1;
	name = wire_string(reply, "name");
	puts(name ? name : "");
	json_object_put(reply);
	return 0;
}

int make_run(const struct args *a, struct failure *f)
{
	struct json_object *request, *paths;
	char text[DEFINITION_TEXT_MAX], name[MANIFEST_NAME_LEN];

	if (!a->kernel && !a->firmware)
		return failed(
			f, FAIL_USAGE,
			"bhctl run: --kernel FILE is missing, and so is "
			"--firmware FILE: say what the guest is to start");
	snprintf(name, sizeof(name), "run-%d", getpid());
	if (make_definition(a, a->name ? a->name : name, text, sizeof(text), f))
		return -1;
	request = link_request("create");
	paths = json_object_new_object();
	wire_add(request, "paths", paths);
	wire_add_string(request, "definition", text);
	wire_add_string(request, "file", "the command line");
	if (paths_add(a, paths, f)) {
		json_object_put(request);
		return -1;
	}
	return make(a, request, f);
}

/* The text of @path and the folder that it is in */
static char *text_read(const char *path, char folder[PATH_MAX],
		       struct failure *f)
{
	size_t len;
	char *text = realpath(path, folder)
			     ? file_read(path, MANIFEST_MAX, &len)
			     : NULL;

	if (!text) {
		failed(f, FAIL_DEFINITION, "%.300s: %s", path, strerror(errno));
		return NULL;
	}
	*strrchr(folder, '/') = 0;
	if (strlen(text) == len)
		return text;
	failed(f, FAIL_DEFINITION, "%.300s is no text", path);
	free(text);
	return NULL;
}

static const char *base_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

int make_create(const struct args *a, struct failure *f)
{
	struct json_object *request;
	char folder[PATH_MAX];
	char *text = text_read(a->operand, folder, f);

	if (!text)
		return -1;
	request = link_request("create");
	wire_add_string(request, "definition", text);
	wire_add_string(request, "file", base_of(a->operand));
	wire_add_string(request, "folder", folder);
	wire_add(request, "stays", json_object_new_boolean(true));
	free(text);
	return make(a, request, f);
}

static void say(const char *sentence)
{
	puts(sentence);
}

int make_check(const struct args *a, struct failure *f)
{
	char folder[PATH_MAX];
	char *text = text_read(a->operand, folder, f);
	u32 count;

	if (!text)
		return -1;
	count = definition_check(base_of(a->operand), text,
				 *folder ? folder : "/", say);
	free(text);
	if (!count) {
		printf("%s: nothing is wrong; whether a machine has the "
		       "memory, cores and NUMA nodes is not judged here\n",
		       base_of(a->operand));
		return 0;
	}
	return failed(f, FAIL_DEFINITION, "%.300s has %u fault%s", a->operand,
		      count, count == 1 ? "" : "s");
}
