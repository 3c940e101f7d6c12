/* SPDX-License-Identifier: BSD-2-Clause */
/* Device-DAX as files in a folder: fake_dax_folder, below /tmp. A device of
 * bhd's has the size of its range and is read with fake_dax_read(). */
#ifndef TESTS_UNIT_FAKES_DAX_H
#define TESTS_UNIT_FAKES_DAX_H

#include "tests/unit/test.h"
#include "tools/control/dax.h"

#define FAKE_DAX_MAX 8

struct fake_dax {
	char name[DAX_NAME_BYTES];
	struct bh_ctl_range range;
};

extern char fake_dax_folder[64];
extern struct fake_dax fake_daxes[FAKE_DAX_MAX];
extern u32 fake_dax_count;
extern bool fake_dax_fails;

/* @count bytes of the last device */
void fake_dax_read(u64 offset, void *bytes, size_t count);

#endif
