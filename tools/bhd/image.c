/* SPDX-License-Identifier: BSD-2-Clause */
/* See image.h. The header is of QEMU's manual, *Qcow2 Image File Format*. */
#include "tools/bhd/image.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define QCOW_MAGIC       0x514649fbu
#define QCOW_SUFFIX      ".qcow2"
#define NAME_MAX_BYTES   1023u  /* of a backing file */
#define EXTERNAL_DATA    BIT(2) /* incompatible feature */
#define RAW_MIN_BYTES    512    /* a sector */
#define QCOW_VERSION_MIN 2
#define QCOW_VERSION_MAX 3

struct qcow_header {
	u32 magic, version;
	u64 backing_offset;
	u32 backing_bytes;
	u8 other[52];
	u64 incompatible; /* from version 3 on */
} __packed;
static_assert(offsetof(struct qcow_header, incompatible) == 72, "qcow2 header");

/* A name without a folder of its own is beside the image */
static int backing_check(const char *image, const char *name, struct failure *f)
{
	const char *slash = strrchr(image, '/');
	char path[2 * PATH_MAX];

	/* nbd:..., json:...: no file */
	if (strcspn(name, ":") < strcspn(name, "/"))
		return 0;
	if (name[0] == '/')
		snprintf(path, sizeof(path), "%s", name);
	else
		snprintf(path, sizeof(path), "%.*s/%s", (int)(slash - image),
			 image, name);
	if (!access(path, R_OK))
		return 0;
	return failed(f, FAIL_DEFINITION,
		      "%.150s is based on %.150s: %s; put it there, or rebase "
		      "the image (qemu-img rebase)",
		      image, path, strerror(errno));
}

static int qcow_check(const struct device_spec *s, int fd,
		      const struct qcow_header *h, struct failure *f)
{
	u32 version = be32toh(h->version), bytes = be32toh(h->backing_bytes);
	u64 offset = be64toh(h->backing_offset);
	char name[NAME_MAX_BYTES + 1] = "";
	bool others = offset || (version >= 3 &&
				 be64toh(h->incompatible) & EXTERNAL_DATA);

	if (version < QCOW_VERSION_MIN || version > QCOW_VERSION_MAX)
		return failed(f, FAIL_DEFINITION,
			      "%.300s is qcow2 of version %u; convert it "
			      "(qemu-img convert)",
			      s->path, version);
	if (others && s->format == IMAGE_ANY)
		return failed(f, FAIL_DEFINITION,
			      "%.300s is a qcow2 image that leads to another "
			      "file, as a guest could have written; write "
			      "format=qcow2 if it is yours, or format=raw",
			      s->path);
	if (!offset)
		return 0;
	if (bytes > NAME_MAX_BYTES ||
	    pread(fd, name, bytes, (off_t)offset) != (ssize_t)bytes)
		return failed(f, FAIL_DEFINITION,
			      "%.300s is damaged: it does not name what it is "
			      "based on; repair it (qemu-img check)",
			      s->path);
	text_clean(name);
	return backing_check(s->path, name, f);
}

/* A file's name is nothing that the guest can change */
static enum image_format format_wanted(const struct device_spec *s)
{
	size_t length = strlen(s->path), end = strlen(QCOW_SUFFIX);

	if (s->format != IMAGE_ANY)
		return s->format;
	return length > end && !strcmp(s->path + length - end, QCOW_SUFFIX)
		       ? IMAGE_QCOW2
		       : IMAGE_RAW;
}

static int file_check(const struct device_spec *s, int fd,
		      enum image_format *format, struct failure *f)
{
	struct qcow_header h = { 0 };
	ssize_t n = pread(fd, &h, sizeof(h), 0);
	bool qcow = n == (ssize_t)sizeof(h) && be32toh(h.magic) == QCOW_MAGIC;

	if (n < 0)
		return failed(f, FAIL_DEFINITION, "%.300s: %s", s->path,
			      strerror(errno));
	if (n < (ssize_t)sizeof(h) || lseek(fd, 0, SEEK_END) < RAW_MIN_BYTES)
		return failed(f, FAIL_DEFINITION,
			      "%.300s is empty and no image; make one "
			      "(qemu-img create -f qcow2 %.100s 10G)",
			      s->path, s->path);
	*format = format_wanted(s);
	if (*format == IMAGE_QCOW2 && !qcow)
		return failed(f, FAIL_DEFINITION,
			      "%.300s is no qcow2 image; write format=raw, or "
			      "name another",
			      s->path);
	if (qcow && *format == IMAGE_RAW && s->format == IMAGE_ANY)
		return failed(f, FAIL_DEFINITION,
			      "%.300s begins as a qcow2 image and is not named "
			      "so, as a guest could have written; write "
			      "format=qcow2 if it is yours, or format=raw",
			      s->path);
	return *format == IMAGE_QCOW2 ? qcow_check(s, fd, &h, f) : 0;
}

int image_check(const struct device_spec *s, enum image_format *format,
		struct failure *f)
{
	int fd = open(s->path, (s->readonly ? O_RDONLY : O_RDWR) | O_CLOEXEC |
				       O_NONBLOCK);
	struct stat st;
	int err;

	if (fd < 0)
		return failed(f, FAIL_DEFINITION, "%.300s: %s%s", s->path,
			      strerror(errno),
			      errno == ENOENT ? "; make it, or name another"
			      : s->readonly   ? ""
					      : "; it is to be written, or "
						"write readonly");
	if (fstat(fd, &st) || (!S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode)))
		err = failed(f, FAIL_DEFINITION,
			     "%.300s is no file and no disk; name another",
			     s->path);
	else
		err = file_check(s, fd, format, f);
	close(fd);
	return err;
}
