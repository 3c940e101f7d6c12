/* SPDX-License-Identifier: BSD-2-Clause */
/* See ucode_file.h */
#include "tests/unit/arch/x86/machine/ucode_file.h"

union ucode_file file;
u32 used;
struct ucode_cpu cpu;
struct ucode_update best;
static ucode_find_fn *find_in;

void ucode_file_init(ucode_find_fn *find, struct ucode_cpu c)
{
	memset(&file, 0, sizeof(file));
	used = 0;
	cpu = c;
	find_in = find;
}

const char *look(void)
{
	return find_in(file.bytes, used, &cpu, &best);
}

void refused(const char *why)
{
	assert_string_equal(look(), why);
	assert_null(best.data);
}
