/* SPDX-License-Identifier: BSD-2-Clause */
/* See settings.h */
#include "tools/bhctl/settings.h"

#include <stdio.h>
#include <string.h>

#include "hv/manifest/values.h"

#define NUMBER_BYTES 24u

const struct setting_key setting_keys[] = {
	{ "weight", "", 1, 10000 },
	{ "cap", "%", 1, 100 },
};
const u32 setting_key_count = ARRAY_SIZE(setting_keys);

static const struct setting_key *key_of(const char *setting, size_t len)
{
	for (u32 i = 0; i < setting_key_count; i++)
		if (strlen(setting_keys[i].name) == len &&
		    !memcmp(setting_keys[i].name, setting, len))
			return &setting_keys[i];
	return NULL;
}

static bool value_is_right(const struct setting_key *key, const char *value)
{
	size_t len = strlen(value), unit = strlen(key->unit);
	char number[NUMBER_BYTES];
	u64 n;

	if (len <= unit || len - unit >= sizeof(number) ||
	    strcmp(value + len - unit, key->unit) != 0)
		return false;
	snprintf(number, sizeof(number), "%.*s", (int)(len - unit), value);
	return !value_number(number, key->max, &n) && n >= key->min;
}

static int setting_check(const char *setting, u32 *seen, struct failure *f)
{
	size_t len = strcspn(setting, "=");
	const struct setting_key *key = key_of(setting, len);
	int shown = (int)MIN(len, (size_t)40);
	u32 bit;

	if (!setting[len])
		return failed(f, FAIL_USAGE,
			      "%.*s has no value; write KEY=VALUE", shown,
			      setting);
	if (!key)
		return failed(f, FAIL_USAGE,
			      "there is no key %.*s that can be set; write "
			      "weight=100 or cap=50%%",
			      shown, setting);
	bit = 1u << (key - setting_keys);
	if (*seen & bit)
		return failed(f, FAIL_USAGE, "%s is there twice; write it once",
			      key->name);
	*seen |= bit;
	if (value_is_right(key, setting + len + 1))
		return 0;
	return failed(f, FAIL_USAGE, "%s: write a number from %u%s to %u%s",
		      key->name, key->min, key->unit, key->max, key->unit);
}

int settings_check(char *const *settings, u32 count, struct failure *f)
{
	u32 seen = 0;

	for (u32 i = 0; i < count; i++)
		if (setting_check(settings[i], &seen, f))
			return -1;
	return 0;
}
