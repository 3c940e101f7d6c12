/* SPDX-License-Identifier: BSD-2-Clause */
/* What the privileged guest is to be told of dynamic guests: dynamic_news() of
 * dynamic.h, from the inside. Any core; the lock is a leaf. */
#ifndef HV_VM_NEWS_H
#define HV_VM_NEWS_H

#include "include/bulkhead/control.h"
#include "lib/types.h"

/* The guest is in another state. The second only notes it, for who holds a lock
 * that whoever is told may want: news_tell() follows. */
void news_state(u64 id, enum bh_ctl_state state);
void news_add_state(u64 id, enum bh_ctl_state state);
void news_tell(void);
/* A guest that a debugger has let go stands, or has ended */
void news_debug(u64 id);
/* The command of @tag is done; @why may be NULL */
void news_answer(u32 tag, s32 status, u64 id, const char *why);

#endif
