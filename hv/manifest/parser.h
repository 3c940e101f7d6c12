/* SPDX-License-Identifier: BSD-2-Clause */
/* Private to hv/manifest/: the parser's state and its table of keys */
#ifndef HV_MANIFEST_PARSER_H
#define HV_MANIFEST_PARSER_H

#include "hv/manifest/manifest.h"

#define VCPUS_MAX          1024 /* VM_MAX_VCPUS (hv/core/vm.h) */
#define ISOLATED_VCPUS_MAX 128  /* VM_MAX_ISOLATED_VCPUS */

enum section { SECTION_NONE, SECTION_HYPERVISOR, SECTION_GUEST, SECTION_SKIP };

struct parser {
	struct manifest *m; /* NULL: one guest's section and nothing else */
	struct guest_config *one; /* where that goes */
	/* @one is, and @m of a file of one section that is not BOOT_MANIFEST:
	 * sentences name only what a definition may have */
	bool definition;
	const char *file;
	u32 line;
	u32 complaints; /* how many sentences there were */
	enum section section;
	struct guest_config *guest; /* SECTION_GUEST */
	u64 seen;  /* bit per row of manifest_keys[]: given in this section */
	bool lost; /* a section, or lines in none: no guest may be left */
	u32 focus_line;
	void (*report)(const char *sentence);
};

enum how_often { ONCE, AGAIN };

struct key {
	enum section section;
	enum how_often often; /* it may be given in a section */
	const char *name;
	/* 0 or -EINVAL; changes the manifest only on success */
	int (*set)(struct parser *p, const char *value);
	const char *cure; /* completes "...: bad value; " */
};

extern const struct key manifest_keys[];
extern const u32 manifest_key_count;

/* Which text a key is right in: that it is listed for. In the other one some
 * of its values may be, and what is wrong is said of the value. */
enum right_in { RIGHT_IN_ALL, RIGHT_IN_MANIFEST, RIGHT_IN_DEFINITION };

/* A guest's key of which less is right in a definition, or in the manifest */
struct key_differs {
	const char *name;
	enum right_in right_in;
	const char *cure; /* of a definition; NULL: the key's */
};

extern const struct key_differs manifest_differs[];
extern const u32 manifest_differs_count;

static inline bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static inline bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static inline bool is_word(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'z') ||
	       (c >= 'A' && c <= 'Z') || c == '_' || c == '-';
}

#endif
