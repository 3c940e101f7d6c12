/* SPDX-License-Identifier: BSD-2-Clause */
/* See top.h */
#include "tools/bhctl/top.h"

#include <curses.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tools/bhctl/link.h"

#define LOOK_MS 1000

struct screen {
	struct link link;
	struct json_object *now, *before;
	u32 chosen;
};

static u32 guest_count(const struct screen *s)
{
	struct json_object *guests;

	return json_object_object_get_ex(s->now, "guests", &guests)
		       ? (u32)json_object_array_length(guests)
		       : 0;
}

static void draw(const struct screen *s)
{
	char *text = NULL, *line, *rest;
	size_t len;
	FILE *to = open_memstream(&text, &len);
	u32 at, row = 0;

	if (!to)
		return;
	at = top_text(to, s->now, s->before, s->chosen, (u32)MAX(COLS, 0));
	fclose(to);
	erase();
	mvprintw(0, 0, "Bulkhead  %u guests   q leaves, arrows choose a guest",
		 guest_count(s));
	for (line = strtok_r(text, "\n", &rest); line && (int)row + 2 < LINES;
	     line = strtok_r(NULL, "\n", &rest), row++) {
		if (row == at)
			attron(A_REVERSE);
		mvaddnstr((int)row + 2, 0, line, COLS);
		attroff(A_REVERSE);
	}
	refresh();
	free(text);
}

static int look(struct screen *s, struct failure *f)
{
	struct json_object *reply;

	if (link_ask(&s->link, link_request("top"), &reply, f))
		return -1;
	if (s->before)
		json_object_put(s->before);
	s->before = s->now;
	s->now = reply;
	return 0;
}

/* False: leave */
static bool take_key(struct screen *s, int key)
{
	u32 count = guest_count(s);

	if (key == 'q' || key == 'Q')
		return false;
	if (key == KEY_UP && s->chosen)
		s->chosen--;
	if (key == KEY_DOWN && s->chosen + 1 < count)
		s->chosen++;
	if (count && s->chosen >= count)
		s->chosen = count - 1;
	return true;
}

/* One key, or a new look when a second is over */
static int run(struct screen *s, struct failure *f)
{
	int key;

	do {
		draw(s);
		key = getch();
		if (key == ERR && look(s, f))
			return -1;
	} while (take_key(s, key));
	return 0;
}

int top_show(const char *socket, struct failure *f)
{
	struct screen s = { .chosen = 0 };
	int err;

	if (!isatty(STDOUT_FILENO) || !isatty(STDIN_FILENO))
		return failed(f, FAIL_USAGE,
			      "bhctl top wants a terminal; --json prints one "
			      "look");
	if (link_open(&s.link, socket, f))
		return -1;
	err = look(&s, f);
	if (!err && !newterm(NULL, stdout, stdin))
		err = failed(f, FAIL_OTHER,
			     "this terminal cannot be drawn on; set TERM");
	else if (!err) {
		cbreak();
		noecho();
		keypad(stdscr, TRUE);
		curs_set(0);
		timeout(LOOK_MS);
		err = run(&s, f);
		endwin();
	}
	link_close(&s.link);
	if (s.now)
		json_object_put(s.now);
	if (s.before)
		json_object_put(s.before);
	return err;
}
