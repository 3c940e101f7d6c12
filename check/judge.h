/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Can this machine run Bulkhead? One list of requirements, judged by the facts
 * of a machine (check/facts.h), for the boot entry "Check this machine" and for
 * tools/bh-report alike. Freestanding; no state, no lock, any context.
 */
#ifndef CHECK_JUDGE_H
#define CHECK_JUDGE_H

#include "check/facts.h"
#include "lib/types.h"

enum check_verdict {
	CHECK_PASS,
	CHECK_WARN, /* it runs, with less; or the fact is not known */
	CHECK_FAIL, /* no guest runs */
};

#define CHECK_TEXT_BYTES 192u

struct check_result {
	const char *name; /* of the requirement: constant, for programs */
	enum check_verdict verdict;
	char text[CHECK_TEXT_BYTES]; /* what was found, one sentence */
	const char *cure; /* the firmware's switch, or what else to do; "" */
};

/* How many requirements there are */
u32 check_count(void);
/* Judges requirement @i, in the order in which a person reads them */
void check_judge(const struct check_facts *f, u32 i, struct check_result *r);
/* The worst of all verdicts */
enum check_verdict check_worst(const struct check_facts *f);
/* "PASS", "WARN", "FAIL" */
const char *check_word(enum check_verdict verdict);
/* One sentence on all of it */
const char *check_summary(enum check_verdict worst);

#endif
