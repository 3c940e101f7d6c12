/* SPDX-License-Identifier: BSD-2-Clause */
/* A manifest, parsed from a text, and what was said of it. For tests whose
 * SOURCES have hv/manifest/parse.c. */
#ifndef TESTS_UNIT_FAKES_MANIFEST_H
#define TESTS_UNIT_FAKES_MANIFEST_H

#include "hv/manifest/manifest.h"

#define SENTENCES 64

extern struct manifest m;
extern char said[SENTENCES][MANIFEST_SENTENCE_LEN];
extern unsigned int said_count;

/* Keep a sentence */
void report(const char *sentence);
/* Parse @text into @m; what was said before is forgotten */
void parse(const char *text);

#endif
