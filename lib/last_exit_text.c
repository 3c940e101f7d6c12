/* SPDX-License-Identifier: BSD-2-Clause */
/* See last_exit_text.h. No lock, no allocation. */
#include "lib/last_exit_text.h"

#include "lib/printf.h"

struct text {
	char *buf;
	size_t size, len;
};

#define add(t, ...)                                                            \
	((t)->len += (size_t)bh_snprintf(                                      \
		 (t)->buf + MIN((t)->len, (t)->size - 1),                      \
		 (t)->size - MIN((t)->len, (t)->size - 1), __VA_ARGS__))

/* ", reads @what", or ", writes 0x6 to @what" */
static void access_add(struct text *t, const struct bh_ctl_last_exit *r,
		       const char *what)
{
	if (r->flags & BH_CTL_LAST_FETCHES)
		add(t, ", executes %s", what);
	else if (r->flags & BH_CTL_LAST_READS)
		add(t, ", reads %s", what);
	else if (r->what == BH_CTL_LAST_MEMORY ||
		 (r->flags & (BH_CTL_LAST_NO_VALUE | BH_CTL_LAST_STRING)))
		add(t, ", writes %s", what);
	else
		add(t, ", writes %#llx to %s", r->value, what);
}

static void port_add(struct text *t, const struct bh_ctl_last_exit *r)
{
	char what[32];

	bh_snprintf(what, sizeof(what), "port %#llx", r->where);
	access_add(t, r, what);
	add(t, ", %u byte%s%s", r->size, r->size == 1 ? "" : "s",
	    r->flags & BH_CTL_LAST_STRING ? " a time" : "");
}

static void where_add(struct text *t, const struct bh_ctl_last_exit *r,
		      const char *of)
{
	char what[48];

	bh_snprintf(what, sizeof(what), "%s %#llx", of, r->where);
	access_add(t, r, what);
}

static void cr_add(struct text *t, const struct bh_ctl_last_exit *r)
{
	char what[32];

	bh_snprintf(what, sizeof(what), "CR%llu", r->where);
	access_add(t, r, what);
}

static void exception_add(struct text *t, const struct bh_ctl_last_exit *r)
{
	add(t, ", vector %llu", r->where);
	if (!(r->flags & BH_CTL_LAST_NO_VALUE))
		add(t, ", error code %#llx", r->value);
}

static void what_add(struct text *t, const struct bh_ctl_last_exit *r)
{
	switch (r->what) {
	case BH_CTL_LAST_PORT:
		port_add(t, r);
		break;
	case BH_CTL_LAST_MEMORY:
		where_add(t, r, "address");
		break;
	case BH_CTL_LAST_MSR:
		where_add(t, r, "MSR");
		break;
	case BH_CTL_LAST_CR:
		cr_add(t, r);
		break;
	case BH_CTL_LAST_EXCEPTION:
		exception_add(t, r);
		break;
	case BH_CTL_LAST_CALL:
		add(t, ", RAX %#llx, RCX %#llx", r->where, r->value);
		break;
	default:
		add(t, ", reason %#llx", r->reason);
		break;
	}
}

void last_exit_text(char *buf, size_t size, const struct bh_ctl_last_exit *r,
		    const char *kind)
{
	struct text t = { buf, size, 0 };

	add(&t, "%s at %#llx", kind, r->rip);
	what_add(&t, r);
	if (r->raised)
		add(&t, ", answered with exception %u", r->raised - 1u);
	if (r->times > 1)
		add(&t, ", %u times", r->times);
}

/* Kind 0 is none: no counted exit has it but one that ends its guest */
u32 last_exit_kinds_text(char *buf, size_t size,
			 const struct bh_ctl_last_exits *l,
			 const char *(*name)(u32 kind))
{
	struct text t = { buf, size, 0 };
	u32 count = 0;

	buf[0] = '\0';
	for (u32 i = 0; i < ARRAY_SIZE(l->kinds); i++) {
		if (!l->kinds[i])
			continue;
		add(&t, "%s%s", count ? ", " : "", name(l->kinds[i]));
		count++;
	}
	return count;
}
