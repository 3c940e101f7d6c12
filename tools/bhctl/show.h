/* SPDX-License-Identifier: BSD-2-Clause */
/* Replies as tables for people. Pure: text to a stream. */
#ifndef TOOLS_BHCTL_SHOW_H
#define TOOLS_BHCTL_SHOW_H

#include <stdio.h>

#include "tools/control/wire.h"

void show_list(FILE *to, struct json_object *reply);
void show_info(FILE *to, struct json_object *reply);
/* Guest @name of the reply to "list"; NULL: there is none */
struct json_object *show_guest_of(struct json_object *list, const char *name);
/* -1: FAIL_NO_GUEST, which says how to find those that there are */
int show_no_guest(const char *name, struct failure *f);
/* All of it. FAIL_NO_GUEST. */
int show_guest(FILE *to, struct json_object *list, const char *name, bool json,
	       struct failure *f) __must_check;
/* One event of "events", a line */
void show_event(FILE *to, struct json_object *event);
/* The reply as it came, for programs */
void show_json(FILE *to, struct json_object *reply);
/* "512 MiB", "4.0 GiB" */
const char *show_bytes(char text[32], u64 bytes);
/* "12.3 s", "1 h 02 min" */
const char *show_seconds(char text[32], double seconds);

#endif
