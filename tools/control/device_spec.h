/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a definition says of a virtio device that a back-end of this system
 * serves (docs/manifest.md): the keys disk and vhost-user. How many devices of
 * which kind there are, the manifest's parser knows; what concerns the back-end
 * alone is read here, from the text of the same line. Pure.
 */
#ifndef TOOLS_CONTROL_DEVICE_SPEC_H
#define TOOLS_CONTROL_DEVICE_SPEC_H

#include <limits.h>

#include "hv/manifest/manifest.h"
#include "tools/control/fail.h"

enum image_format { IMAGE_ANY, IMAGE_RAW, IMAGE_QCOW2 };

struct device_spec {
	bool disk; /* else a vhost-user socket */
	u32 type;  /* virtio's device id */
	u32 queues, config_bytes;
	u32 line;            /* of the definition */
	char path[PATH_MAX]; /* of the image or the socket, absolute */
	bool readonly;
	bool direct; /* past the page cache */
	enum image_format format;
};

/* Device @i of @g, of which @text is the definition; paths that are not
 * absolute are in @folder. FAIL_DEFINITION:
 * @f has a sentence that begins with @file and the line. */
int device_spec_read(struct device_spec *s, const struct guest_config *g,
		     const char *text, u32 i, const char *file,
		     const char *folder, struct failure *f) __must_check;
/* "disk 1" */
void device_name(char *name, size_t size, const struct device_spec *s, u32 i);

#endif
