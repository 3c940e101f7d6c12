/* SPDX-License-Identifier: BSD-2-Clause */
/* See manifest.h */
#include "tests/unit/fakes/manifest.h"

#include "tests/unit/test.h"

struct manifest m;
char said[SENTENCES][MANIFEST_SENTENCE_LEN];
unsigned int said_count;

void report(const char *sentence)
{
	assert_true(said_count < SENTENCES);
	snprintf(said[said_count++], sizeof(said[0]), "%s", sentence);
}

void parse(const char *text)
{
	/* A private copy of the exact size: ASan sees a read behind it */
	size_t len = strlen(text);
	char *copy = malloc(len ? len : 1);

	memcpy(copy, text, len);
	said_count = 0;
	free(m.guests);
	m.guest_room = manifest_count(copy, len);
	m.guests = malloc(m.guest_room * sizeof(*m.guests));
	manifest_parse(&m, "bulkhead.conf", copy, len, report);
	free(copy);
}
