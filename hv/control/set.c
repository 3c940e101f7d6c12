/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * BH_CTL_OP_SET: what can change of a guest while it is there, by the
 * scheduler's table of keys. All that is given is read before anything changes.
 * The vCPUs follow, some a step. Called under control.lock.
 */
#include "hv/control/priv.h"
#include "hv/manifest/values.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "sched/keys.h"

#define SETTINGS_MAX 16u
/* Their entities are lines of cache that others use */
#define VCPUS_AT_ONCE 64u
#define WORD_BYTES    24u

struct setting {
	const struct sched_key *key;
	u32 value;
};

struct settings {
	struct setting at[SETTINGS_MAX];
	u32 count;
	char wrong[160]; /* a sentence, or "" */
};

/* A part of the text, for a number to be read from or a sentence to show */
static void copy_word(char out[WORD_BYTES], const char *text, u32 len)
{
	u32 n = MIN(len, WORD_BYTES - 1);

	for (u32 i = 0; i < n; i++)
		out[i] = text[i] > ' ' && text[i] < 0x7f ? text[i] : '?';
	out[n] = 0;
}

static bool is_given(const struct settings *s, const struct sched_key *key)
{
	for (u32 i = 0; i < s->count; i++)
		if (s->at[i].key == key)
			return true;
	return false;
}

static bool read_value(const struct sched_key *key, const char *text, u32 len,
		       u32 *value)
{
	u32 unit = (u32)strlen(key->unit);
	char word[WORD_BYTES];
	u64 n;

	if (len >= WORD_BYTES || len <= unit ||
	    memcmp(text + len - unit, key->unit, unit))
		return false;
	copy_word(word, text, len - unit);
	if (value_number(word, key->max, &n) || n < key->min)
		return false;
	*value = (u32)n;
	return true;
}

/* One line, without its end */
static void read_line(struct settings *s, const char *text, u32 len)
{
	const struct sched_key *key;
	char name[WORD_BYTES];
	u32 value, n = 0;

	while (n < len && text[n] != '=')
		n++;
	copy_word(name, text, n);
	key = sched_key_find(text, n);
	if (n == len)
		bh_snprintf(s->wrong, sizeof(s->wrong),
			    "%s has no value; write KEY=VALUE", name);
	else if (!key)
		bh_snprintf(s->wrong, sizeof(s->wrong),
			    "there is no key %s that can be set; see the "
			    "manual for those there are",
			    name);
	else if (!key->changeable)
		bh_snprintf(s->wrong, sizeof(s->wrong),
			    "%s cannot change while the guest is there; write "
			    "it into its definition",
			    name);
	else if (is_given(s, key) || s->count == SETTINGS_MAX)
		bh_snprintf(s->wrong, sizeof(s->wrong),
			    "%s is there twice; write it once", name);
	else if (!read_value(key, text + n + 1, len - n - 1, &value))
		bh_snprintf(s->wrong, sizeof(s->wrong),
			    "%s: write a number from %u%s to %u%s", name,
			    key->min, key->unit, key->max, key->unit);
	else
		s->at[s->count++] = (struct setting){ key, value };
}

static void read_all(struct settings *s, const char *text, u32 len)
{
	s->count = 0;
	s->wrong[0] = 0;
	while (len && !s->wrong[0]) {
		u32 n = 0;

		while (n < len && text[n] != '\n')
			n++;
		read_line(s, text, n);
		n = MIN(n + 1, len);
		text += n;
		len -= n;
	}
	if (!s->count && !s->wrong[0])
		str_copy(s->wrong, "nothing is to be set; write KEY=VALUE",
			 sizeof(s->wrong));
}

s32 control_set(struct control *c, struct control_call *call)
{
	const struct vm *vm = vm_numbered(call->command.arg[0]);
	u32 left = VCPUS_AT_ONCE;
	struct settings s;

	if (!vm)
		return control_error(c, call, BH_CTL_ENOENT,
				     "there is no such guest (any more)");
	read_all(&s, (const char *)c->in, call->in_bytes);
	if (s.wrong[0])
		return control_error(c, call, BH_CTL_EINVAL, s.wrong);
	for (; call->vcpu < vm->vcpu_count && left; left--) {
		struct vcpu *v = vm->vcpus[call->vcpu++];

		for (u32 i = 0; i < s.count; i++)
			s.at[i].key->apply(&v->entity, s.at[i].value);
	}
	return call->vcpu < vm->vcpu_count ? CONTROL_GOES_ON : 0;
}
