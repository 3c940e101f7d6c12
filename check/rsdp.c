/* SPDX-License-Identifier: BSD-2-Clause */
/* What of an RSDP can be used, see facts.h. Called by drivers/acpi/acpi.c and
 * boot/common/check.c; no lock. */
#include "check/facts.h"
#include "include/hw/acpi.h"
#include "lib/string.h"

enum check_rsdp check_rsdp(struct acpi_rsdp *r)
{
	if (memcmp(r->signature, "RSD PTR ", sizeof(r->signature)) ||
	    !check_adds_up(r, ACPI_RSDP_V1_BYTES))
		return CHECK_RSDP_NONE;
	if (r->revision >= ACPI_RSDP_REV_XSDT &&
	    r->length == ACPI_RSDP_V2_BYTES &&
	    check_adds_up(r, ACPI_RSDP_V2_BYTES))
		return CHECK_RSDP_WHOLE;
	r->xsdt = 0;
	return r->revision < ACPI_RSDP_REV_XSDT ? CHECK_RSDP_WHOLE
						: CHECK_RSDP_HALF;
}
