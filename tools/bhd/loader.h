/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Copies a guest's files into its memory, while that is granted. A process of
 * its own does it: a slow disk keeps nobody waiting, and it opens the files
 * with the rights of whoever made the guest. They lie at the end of the memory,
 * one behind the other, each at a page, those that are loaded first.
 */
#ifndef TOOLS_BHD_LOADER_H
#define TOOLS_BHD_LOADER_H

#include <ev.h>
#include <sys/types.h>

#include "tools/control/dax.h"
#include "tools/control/definition.h"

struct loader {
	/* From the caller; they stay until @done */
	const struct definition *definition;
	const struct place *place;
	char (*dax)[DAX_NAME_BYTES]; /* a device for each range, in order */
	uid_t uid;
	gid_t gid;
	int (*rights)(uid_t uid, gid_t gid, struct failure *f); /* rights.h */
	void (*progress)(struct loader *l, u64 done, u64 total);
	/* Called once, unless loader_stop() came before: @f has no kind and
	 * @files are where they are, or @f says why not */
	void (*done)(struct loader *l, const struct failure *f,
		     const struct bh_ctl_file *files, u32 count);
	void *context;
	/* The loader's */
	struct ev_loop *loop;
	pid_t pid;
	int fd;
	ev_io io;
};

int loader_start(struct loader *l, struct ev_loop *loop,
		 struct failure *f) __must_check;
/* Ends it at once; nothing is called any more */
void loader_stop(struct loader *l);

/* Where files of @sizes lie in @memory bytes, as docs/lifecycle.md wants it:
 * the offset of each. The last @stay of them are no RAM of the guest's. -1:
 * they have no room. */
int loader_plan(const u64 *sizes, u32 count, u32 stay, u64 memory,
		u64 *offsets);

#endif
