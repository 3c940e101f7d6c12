/* SPDX-License-Identifier: BSD-2-Clause */
/* Which machine-check banks the firmware looks after, by the table HEST, see
 * parse.h. Called by acpi.c at boot; no lock. */
#include "check/facts.h"
#include "drivers/acpi/parse.h"
#include "lib/log.h"

void acpi_parse_hest(struct acpi_facts *f, const struct acpi_header *t)
{
	u32 cut = check_hest(t, t->length, &f->firmware_banks);

	if (cut)
		log_warn("acpi",
			 "the HEST cannot be read from byte %u on: "
			 "machine-check "
			 "banks that it names there are taken for nobody's; a "
			 "firmware update may cure it",
			 cut);
}
