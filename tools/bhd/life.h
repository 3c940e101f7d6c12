/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The guests that bhd makes: their definitions, which it keeps in
 * FOLDER/guests/NAME.json, and their way from there into memory and to their
 * first instruction. One that ends by itself is started again as `restart =`
 * says, each time a little later; one that somebody stopped is not.
 */
#ifndef TOOLS_BHD_LIFE_H
#define TOOLS_BHD_LIFE_H

#include "tools/bhd/bhd.h"
#include "tools/bhd/client.h"

/* Reads the definitions. Guests of a bhd before are found by their ids at the
 * next life_refresh(). */
int life_open(struct bhd *b, struct failure *f) __must_check;
/* The definitions that want to run and have no guest are started: at the start
 * of bhd, after life_refresh() */
void life_autostart(struct bhd *b);
void life_close(struct bhd *b);
/* @guests: struct bh_ctl_guest[], all there are now, by id */
void life_refresh(struct bhd *b, const struct list *guests);
/* Of guest @id alone, @name: what it is @now, or NULL: it is there no more */
void life_look(struct bhd *b, u64 id, const char *name,
	       const struct bh_ctl_guest *now);

/* Requests; each answers @c when it is done */
void life_create(struct client *c, struct json_object *o);
/* False: guest @name is none of bhd's, and @c has no answer */
bool life_start(struct client *c, const char *name);
bool life_reset(struct client *c, const char *name);
/* The same, for a definition that has no guest now */
bool life_forget_off(struct client *c, const char *name);
/* Somebody ends the guest: it is not started again. @forget: and its definition
 * goes with it. */
void life_told_to_end(struct bhd *b, const char *name, bool forget);
/* It is being destroyed: it is not started again. Nothing is stored, as the
 * definition goes with it. */
void life_told_to_go(struct bhd *b, const char *name);
/* It is destroyed: nothing has @id any more, and its definition goes */
void life_destroyed(struct bhd *b, u64 id, const char *name);
/* It was not destroyed after all: it is started again as before */
void life_stays(struct bhd *b, const char *name);
/* The guest @name, as control_find() finds it; -1 also for a definition that
 * has no guest now, of which @f says so. @f may be NULL. */
int life_find(struct bhd *b, const char *name, struct bh_ctl_guest *g,
	      struct failure *f) __must_check;
/* "memory_devices" goes into @o, of which @guest is the source: the files of
 * its memory, in the order of its addresses, if it shares it now */
void life_add_devices(const struct bhd *b, const struct bh_ctl_guest *guest,
		      struct json_object *o);
/* Definitions that have no guest now, as in bhctl list; added to @array */
void life_list_off(const struct bhd *b, struct json_object *array);

/* Seconds before start number @tries + 1 in a row */
double life_backoff(u32 tries);

#endif
