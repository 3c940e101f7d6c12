/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A guest's definition: one section of the manifest (docs/manifest.md), which
 * the hypervisor's own parser judges, and where its files are in this file
 * system. It comes from people and from a disk: untrusted text.
 */
#ifndef TOOLS_CONTROL_DEFINITION_H
#define TOOLS_CONTROL_DEFINITION_H

#include "hv/manifest/manifest.h"
#include "tools/control/fail.h"
#include "tools/control/wire.h"

/* With the ranges it fits into what a command takes (BH_CTL_IN_MAX) */
#define DEFINITION_TEXT_MAX  3072
#define DEFINITION_FILES_MAX 19

struct definition {
	char *text; /* as it was written */
	struct guest_config config;
	u32 file_count; /* each once */
	u32 stay_count; /* the last ones of them: read as long as it lives */
	bool firmware;  /* and the very last is its firmware's image */
	struct definition_file {
		char name[BOOT_NAME_LEN];
		char *path; /* absolute */
	} files[DEFINITION_FILES_MAX];
};

/* Judges @text, of a file that messages call @file. @folder: where its files
 * are, absolute; @paths: an object of names and absolute paths for those that
 * are elsewhere, or NULL. FAIL_DEFINITION: @f has the first sentence.
 * definition_free() follows in any case. */
int definition_read(struct definition *d, const char *file, const char *text,
		    const char *folder, struct json_object *paths,
		    struct failure *f) __must_check;
void definition_free(struct definition *d);
/* All that is wrong with @text goes to @say, a sentence a call; returns how
 * many. Files are looked for in @folder. A manifest is judged, too: a text of
 * more than one section, or a @file of that name. */
u32 definition_check(const char *file, const char *text, const char *folder,
		     void (*say)(const char *sentence));

#endif
