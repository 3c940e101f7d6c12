/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The report on a machine as JSON and as text. Freestanding; no state, no lock,
 * any context.
 */
#ifndef CHECK_REPORT_H
#define CHECK_REPORT_H

#include "check/facts.h"
#include "lib/types.h"

/* Enough for either form */
#define CHECK_REPORT_BYTES KIB(16)

/* Writes the report to @buf of @size bytes, terminated, cut where it does not
 * fit. Returns its length without the cut. The JSON is one object:
 * `format`, `version`, `result`, `facts` (names and numbers or texts; what is
 * not known is left out), `verdicts` (a list of `name`, `verdict`, `text`,
 * `switch`). */
size_t check_json(const struct check_facts *f, char *buf, size_t size);
/* Lines end with CR LF, for whoever opens the file */
size_t check_text(const struct check_facts *f, char *buf, size_t size);

#endif
