/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The consoles of the guests and the hypervisor's log (id 0), and who looks at
 * them. bhd reads each as it speaks, keeps it (history.h) and hands it on to
 * the sessions. The first session that wants to type does; others only look.
 */
#ifndef TOOLS_BHD_CONSOLE_H
#define TOOLS_BHD_CONSOLE_H

#include "tools/bhd/bhd.h"
#include "tools/bhd/client.h"

/* The id of the log, and its name */
#define CONSOLE_LOG      0
#define CONSOLE_LOG_NAME "log"

/* The device has something new of console @id. Calls no command. */
void console_mark(struct bhd *b, u64 id);
/* It may have something new of each */
void consoles_mark(struct bhd *b);
/* Reads what is marked and hands it on, of a console 200 times a second at
 * most; true: there is more to do soon */
bool consoles_work(struct bhd *b);
/* Reads what is marked of console @id, which is about to go */
void console_read_now(struct bhd *b, u64 id);
/* @guests: struct bh_ctl_guest[], all there are now. New ones get a console,
 * that of one that is gone goes, and who looks at one that ended is told. */
int consoles_refresh(struct bhd *b, const struct list *guests,
		     struct failure *f);
/* The same of guest @id alone: what it is @now, or NULL: it is there no more */
void console_look(struct bhd *b, u64 id, const struct bh_ctl_guest *now);
/* The name of guest @id, and the id of guest @name, whose console there is; or
 * NULL, or 0 */
const char *console_name(const struct bhd *b, u64 id);
u64 console_id(const struct bhd *b, const char *name);
void consoles_free(struct bhd *b);

/* Shows console @name to @c from its first byte that is kept; @follow: and what
 * it says then; @type: its keys go there. Answers @c. */
void session_start(struct client *c, const char *name, bool follow, bool type);
/* More goes to the client, which has room */
void session_pump(struct session *s);
/* What was typed: returns how much was taken */
size_t session_type(struct session *s, const u8 *bytes, size_t len);
/* The client is gone */
void session_end(struct session *s);

#endif
