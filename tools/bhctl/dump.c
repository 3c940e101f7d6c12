/* SPDX-License-Identifier: BSD-2-Clause */
/* See dump.h. The file is the caller's, made with the caller's rights. */
#include "tools/bhctl/dump.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tools/bhctl/core.h"
#include "tools/bhctl/last_exits.h"
#include "tools/bhctl/link.h"
#include "tools/bhctl/progress.h"
#include "tools/bhctl/show.h"

#define PART       (256u << 10)
#define VCPUS_MAX  1024u
#define RANGES_MAX 4096u

struct dump {
	struct link link;
	const char *name, *path;
	struct json_object *about; /* bhd's "inspect" */
	struct core core;
	struct bh_ctl_registers *registers;
	struct bh_ctl_memory *memory;
	char *text;
	u64 id, total, done;
};

static struct json_object *to_guest(const struct dump *d, const char *what)
{
	struct json_object *request = link_request(what);

	wire_add_string(request, "name", d->name);
	return request;
}

static int tell(struct dump *d, const char *what, struct failure *f)
{
	struct json_object *reply;

	if (link_ask(&d->link, to_guest(d, what), &reply, f))
		return -1;
	json_object_put(reply);
	return 0;
}

static int memory_read(struct dump *d, struct failure *f)
{
	struct json_object *list, *o;
	size_t count = 0;

	if (json_object_object_get_ex(d->about, "memory", &list) &&
	    json_object_is_type(list, json_type_array))
		count = json_object_array_length(list);
	d->memory = count <= RANGES_MAX ? calloc(count + 1, sizeof(*d->memory))
					: NULL;
	if (!d->memory)
		return failed(f, FAIL_NO_ROOM, "no memory for the list");
	for (size_t i = 0; i < count; i++) {
		o = json_object_array_get_idx(list, i);
		d->memory[i].base = wire_number(o, "base", 0);
		d->memory[i].size = wire_number(o, "bytes", 0);
		d->memory[i].flags =
			wire_bool(o, "rom") ? BH_CTL_MEMORY_ROM : 0;
		d->total += d->memory[i].size;
	}
	d->core.memory = d->memory;
	d->core.count = (u32)count;
	return 0;
}

/* What it is made of; the registers follow the reply */
static int inspect(struct dump *d, struct failure *f)
{
	u64 vcpus;

	if (link_ask(&d->link, to_guest(d, "inspect"), &d->about, f))
		return -1;
	vcpus = wire_number(d->about, "vcpus", 0);
	if (vcpus > VCPUS_MAX ||
	    wire_number(d->about, "bytes", 0) != vcpus * sizeof(*d->registers))
		return failed(f, FAIL_NO_BULKHEAD,
			      "bhd's answer makes no sense; install the tools "
			      "of one release");
	d->registers = calloc(vcpus + 1, sizeof(*d->registers));
	if (!d->registers)
		return failed(f, FAIL_NO_ROOM, "no memory for registers");
	d->id = wire_number(d->about, "id", 0);
	d->core.registers = d->registers;
	d->core.vcpus = (u32)vcpus;
	if (link_bytes(&d->link, d->registers, vcpus * sizeof(*d->registers),
		       f))
		return -1;
	return memory_read(d, f);
}

/* A part of range @range, at @offset: *@bytes of it */
static int part_copy(struct dump *d, u32 range, u64 offset, u32 *bytes,
		     struct failure *f)
{
	static u8 part[PART];
	struct json_object *request = link_request("memory"), *reply;
	u64 want = MIN(d->memory[range].size - offset, (u64)PART), got;

	wire_add_number(request, "id", d->id);
	wire_add_number(request, "address", d->memory[range].base + offset);
	wire_add_number(request, "bytes", want);
	if (link_ask(&d->link, request, &reply, f))
		return -1;
	got = wire_number(reply, "bytes", 0);
	json_object_put(reply);
	if (!got || got > want)
		return failed(f, FAIL_OTHER, "the guest's memory ends early");
	*bytes = (u32)got;
	if (link_bytes(&d->link, part, got, f))
		return -1;
	return core_write(&d->core, range, offset, part, *bytes, f);
}

static int memory_copy(struct dump *d, struct failure *f)
{
	for (u32 i = 0; i < d->core.count; i++) {
		u32 bytes = 0;

		for (u64 at = 0; at < d->memory[i].size; at += bytes) {
			if (part_copy(d, i, at, &bytes, f))
				return -1;
			d->done += bytes;
			progress_show("dump", d->done, d->total);
		}
	}
	progress_end();
	return 0;
}

/* For the core's note: what bhctl info shows of them, and its name */
static int text_make(struct dump *d, struct failure *f)
{
	size_t bytes = 0;
	FILE *to = open_memstream(&d->text, &bytes);

	if (!to)
		return failed(f, FAIL_NO_ROOM, "no memory for a note");
	fprintf(to, "NAME=%s\nSTATE=%s\nREASON=%s\n", d->name,
		wire_string(d->about, "state"),
		wire_string(d->about, "reason"));
	last_exits_show(to, d->about);
	if (fclose(to))
		return failed(f, FAIL_NO_ROOM, "no memory for a note");
	d->core.text = d->text;
	d->core.text_bytes = (u32)bytes;
	return 0;
}

static int copy(struct dump *d, struct failure *f)
{
	if (text_make(d, f))
		return -1;
	if (core_begin(&d->core, f) || memory_copy(d, f))
		return -1;
	return core_end(&d->core, f);
}

/* A guest's memory has its secrets: the file is for its owner alone */
static int file_open(struct dump *d, struct failure *f)
{
	d->core.fd = open(d->path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC,
			  S_IRUSR | S_IWUSR);
	if (d->core.fd >= 0)
		return 0;
	return failed(f, FAIL_OTHER, "%.300s: %s", d->path, strerror(errno));
}

/* Half a core is none */
static void file_close(struct dump *d, int err)
{
	struct stat s;

	if (err && !fstat(d->core.fd, &s) && S_ISREG(s.st_mode))
		unlink(d->path);
	close(d->core.fd);
}

static void show(const struct args *a, const struct dump *d)
{
	struct json_object *o, *list;
	char bytes[32];

	if (!a->json) {
		printf("%s: %s of memory, %u vCPU%s, %s%s%s\n", d->path,
		       show_bytes(bytes, d->total), d->core.vcpus,
		       d->core.vcpus == 1 ? "" : "s",
		       wire_string(d->about, "state"),
		       *wire_string(d->about, "reason") ? ": " : "",
		       wire_string(d->about, "reason"));
		last_exits_show(stdout, d->about);
		return;
	}
	o = json_object_new_object();
	wire_add_string(o, "file", d->path);
	wire_add_string(o, "state", wire_string(d->about, "state"));
	wire_add_string(o, "reason", wire_string(d->about, "reason"));
	wire_add_number(o, "vcpus", d->core.vcpus);
	wire_add_number(o, "memory_bytes", d->total);
	wire_add(o, "vmcoreinfo",
		 json_object_new_boolean(core_has_vmcoreinfo(&d->core)));
	json_object_object_get_ex(d->about, "last_exits", &list);
	wire_add(o, "last_exits", json_object_get(list));
	show_json(stdout, o);
	json_object_put(o);
}

/* One that runs is paused; *@paused: it is to go on afterwards */
static int stand(struct dump *d, bool *paused, struct failure *f)
{
	if (!inspect(d, f))
		return 0;
	if (f->kind != FAIL_STATE || d->about)
		return -1;
	if (tell(d, "pause", f))
		return -1;
	*paused = true;
	return inspect(d, f);
}

int dump_run(const struct args *a, struct failure *f)
{
	struct dump d = { .name = a->operand, .path = a->file };
	struct failure later;
	bool paused = false;
	int err;

	if (link_open(&d.link, a->socket, f))
		return -1;
	err = stand(&d, &paused, f);
	if (!err)
		err = file_open(&d, f);
	if (!err) {
		err = copy(&d, f);
		file_close(&d, err);
	}
	if (paused && tell(&d, "resume", &later) && !err) {
		*f = later;
		err = -1;
	}
	if (!err)
		show(a, &d);
	json_object_put(d.about);
	free(d.registers);
	free(d.memory);
	free(d.text);
	link_close(&d.link);
	return err;
}
