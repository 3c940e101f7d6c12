/* SPDX-License-Identifier: BSD-2-Clause */
/* What the ACPI tables say (drivers/acpi/acpi.h): nothing, until the test fills
 * it in */
#include "drivers/acpi/acpi.h"

struct acpi_facts acpi;
