/* SPDX-License-Identifier: BSD-2-Clause */
/* See device_spec.h */
#include "tools/control/device_spec.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OPTION_BYTES 64

/* The value of line @number, without blanks and comment, as the manifest has
 * them. The parser has judged the line already. */
static void line_value(const char *text, u32 number, char *value, size_t size)
{
	const char *end;
	size_t bytes;

	for (u32 i = 1; i < number && text; i++) {
		text = strchr(text, '\n');
		text = text ? text + 1 : NULL;
	}
	*value = 0;
	text = text ? text + strcspn(text, "=\n") : "";
	if (*text != '=')
		return;
	text++;
	text += strspn(text, " \t");
	end = text + strcspn(text, "\r\n");
	for (const char *c = text; c < end; c++)
		if (*c == '#' && (c == text || c[-1] == ' ' || c[-1] == '\t'))
			end = c;
	while (end > text && (end[-1] == ' ' || end[-1] == '\t'))
		end--;
	bytes = MIN((size_t)(end - text), size - 1);
	memcpy(value, text, bytes);
	value[bytes] = 0;
}

static bool disk_option(struct device_spec *s, const char *option)
{
	if (!strcmp(option, "readonly"))
		s->readonly = true;
	else if (!strcmp(option, "cache=none"))
		s->direct = true;
	else if (!strcmp(option, "cache=writeback"))
		s->direct = false;
	else if (!strcmp(option, "format=raw"))
		s->format = IMAGE_RAW;
	else if (!strcmp(option, "format=qcow2"))
		s->format = IMAGE_QCOW2;
	else
		return false;
	return true;
}

/* The parser has read the numbers */
static bool socket_option(const char *option)
{
	return !strncmp(option, "type=", 5) || !strncmp(option, "queues=", 7) ||
	       !strncmp(option, "config=", 7);
}

/* Takes the next of the words that commas part; false: there is none */
static bool next_word(const char **at, char *word, size_t size)
{
	size_t bytes = strcspn(*at, ",");

	if (!**at)
		return false;
	snprintf(word, size, "%.*s", (int)bytes, *at);
	*at += bytes + ((*at)[bytes] == ',');
	return true;
}

static int bad(const struct device_spec *s, const char *file, const char *what,
	       struct failure *f)
{
	return failed(
		f, FAIL_DEFINITION, "%.60s:%u: %.64s: %s", file, s->line, what,
		s->disk ? "no such option; write readonly, cache=none, "
			  "cache=writeback, format=raw or format=qcow2"
			: "no such option; write type=, queues= or config=");
}

static int read_value(struct device_spec *s, const char *value,
		      const char *file, const char *folder, struct failure *f)
{
	char path[PATH_MAX], word[OPTION_BYTES];
	int n;

	if (!next_word(&value, path, sizeof(path)))
		return failed(f, FAIL_DEFINITION, "%.60s:%u: there is no path",
			      file, s->line);
	n = path[0] == '/' ? snprintf(s->path, sizeof(s->path), "%s", path)
			   : snprintf(s->path, sizeof(s->path), "%s/%s",
				      strcmp(folder, "/") ? folder : "", path);
	if (n >= (int)sizeof(s->path))
		return failed(f, FAIL_DEFINITION,
			      "%.60s:%u: the path is too long", file, s->line);
	while (next_word(&value, word, sizeof(word)))
		if (s->disk ? !disk_option(s, word) : !socket_option(word))
			return bad(s, file, word, f);
	return 0;
}

int device_spec_read(struct device_spec *s, const struct guest_config *g,
		     const char *text, u32 i, const char *file,
		     const char *folder, struct failure *f)
{
	const struct device_config *c = &g->devices[i];
	char *value = strdup(text);
	int err;

	if (!value)
		return failed(f, FAIL_NO_ROOM, "no memory for the definition");
	*s = (struct device_spec){ .disk = c->kind == DEVICE_DISK,
				   .type = c->type,
				   .queues = c->queues,
				   .config_bytes = c->config_bytes,
				   .line = c->line };
	line_value(text, c->line, value, strlen(text) + 1);
	err = read_value(s, value, file, folder, f);
	free(value);
	return err;
}

void device_name(char *name, size_t size, const struct device_spec *s, u32 i)
{
	snprintf(name, size, "%s %u", s->disk ? "disk" : "vhost-user", i);
}
