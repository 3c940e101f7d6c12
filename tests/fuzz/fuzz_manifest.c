/* SOURCES: hv/manifest/parse.c hv/manifest/keys.c hv/manifest/lookup.c hv/manifest/values.c hv/manifest/values_serial.c hv/manifest/values_device.c lib/printf.c lib/string.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/* libFuzzer target for the manifest parser: tests/fuzz/run manifest */
#include <stdlib.h>

#include "hv/manifest/manifest.h"
#include "lib/string.h"

static struct manifest m;
static u32 said;

static void report(const char *sentence)
{
	said++;
	if (strncmp(sentence, "f:", 2))
		abort();
}

/* What holds after any text at all */
static void check(void)
{
	u32 privileged = 0;

	if (m.guest_count > m.guest_room || m.guest_room > MANIFEST_MAX_GUESTS)
		abort();
	for (u32 i = 0; i < m.guest_count; i++) {
		const struct guest_config *g = &m.guests[i];

		if (!g->valid)
			continue;
		privileged += g->privileged;
		if (!g->kernel[0] || (!g->privileged && !g->memory_bytes))
			abort();
	}
	if (privileged > 1)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	said = 0;
	m.guest_room = manifest_count((const char *)data, size);
	m.guests = malloc(m.guest_room * sizeof(*m.guests));
	manifest_parse(&m, "f", (const char *)data, size, report);
	check();
	free(m.guests);
	return 0;
}
