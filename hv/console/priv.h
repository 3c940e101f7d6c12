/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Between the files of the console: console.c (who speaks), serial.c (which
 * UART it is; serial_taken.c: where none can be), mux.c (who is shown),
 * history.c (what was said before), output.c (what is on its way to the UART),
 * screen.c (when the framebuffer is drawn), scroll.c (what the screen shows
 * from before), input.c (what is typed, and the UART's interrupt), remote.c
 * (the consoles as the privileged guest has them).
 */
#ifndef HV_CONSOLE_PRIV_H
#define HV_CONSOLE_PRIV_H

#include "arch/x86/cpu/spinlock.h"
#include "hv/console/console.h"
#include "hv/console/filter.h"
#include "lib/types.h"

#define CONSOLE_RING_BYTES KIB(8)  /* a guest's */
#define CONSOLE_LOG_BYTES  KIB(32) /* the log's */
/* What Ctrl-] replays, so that the time under the lock is bounded: a guest's
 * goes through a filter, byte by byte; the log's fits into its share of the
 * queue */
#define CONSOLE_REPLAY_BYTES     KIB(1)
#define CONSOLE_LOG_REPLAY_BYTES KIB(24)
#define CONSOLE_LOG_LINES        1024u /* that PgUp goes back to */
#define CONSOLE_LINE_BYTES       256u
#define CONSOLE_MAX_SPEAKERS     (MANIFEST_MAX_GUESTS + 1)
#define CONSOLE_SWITCH_KEY       0x1du /* Ctrl-] */

struct speaker {
	char name[MANIFEST_NAME_LEN];
	u32 id;          /* in the order of Ctrl-]; its number in the queue */
	bool privileged; /* its guest gets what is typed in mode "all" */
	struct console_device device; /* all zero: the log, or a guest gone */
	const struct vm *vm; /* whose it is; NULL: the log's, or not built */
	char *ring;          /* the last @ring_bytes it said */
	u32 ring_bytes;
	u64 written; /* bytes ever; the ring's position modulo its size */
	u64 lost;    /* bytes not shown since it last had room; 0: has room */
	bool waits;  /* for room: its device's ready() is due */
	bool followed, spoken; /* console_follow() */
	u32 partial_len;       /* mode "all": the line it is saying */
	struct filter filter;
	char partial[CONSOLE_LINE_BYTES + FILTER_OUT_MAX];
};

#define CONSOLE_MARK_LEN 4u

struct console {
	struct spinlock lock;
	u32 count;      /* speakers in use */
	u32 focus;      /* index, or count for "all" */
	bool mid_line;  /* the last byte shown did not end a line */
	bool alone;     /* this core alone is left: no locks, log only */
	bool unsettled; /* some speaker has lost bytes or waits for room, */
	bool unsettled_again; /* or has come to since the round began, */
	u32 settling;         /* which goes on here: mux_settle() */
	bool built; /* all guests are: one without a VM does not start */
	u64 lines;  /* the log's, ever */
	u64 starts[CONSOLE_LOG_LINES]; /* where the last of them begin */
	u32 scrolled;  /* rows that the screen shows the log from before; 0:
			  it follows what is said */
	bool chosen;   /* the focus is where it was wanted, or a person's */
	u32 receivers; /* cores that call a device, atomic */
	char mark[CONSOLE_MARK_LEN + 1]; /* behind the hypervisor's own lines */
	char wanted[MANIFEST_NAME_LEN];  /* focus the manifest asks for */
	void (*on_key)(u8 byte);         /* console_on_key(); NULL: dropped */
	void (*on_spoken)(void);         /* console_on_spoken(); or NULL */
	bool any_spoken;                 /* since it was last asked */
	struct speaker *speakers[CONSOLE_MAX_SPEAKERS];
};

/* The one there is, in console.c. Its lock is held for microseconds, and never
 * over port I/O but where output is direct. In a panic there is none. */
extern struct console con;
/* Dynamic guests' speakers, by their index. None goes; lock held to change. */
extern struct speaker *console_apart[VM_MAX];
void console_lock(void);
void console_unlock(void);

static inline bool focus_is_all(void)
{
	return con.focus == con.count;
}

/* What @sp says now, in its ring and, where it is shown, on its way to the
 * terminal; of the log a whole line, with CR LF. Lock held. */
void mux_speak(struct speaker *sp, const char *s, size_t len);
/* @sp, which is followed, has said something. Lock held. */
void mux_spoken(struct speaker *sp);
/* Is there room for what @sp says next? If not, its device's ready() is called
 * once there is. Lock held. */
bool mux_roomy(struct speaker *sp);
/* Some of those that have lost something and have room again say so, up to a
 * speaker whose device waits and may go on: it is returned. NULL: there is none
 * among them. Lock held. */
struct speaker *mux_settle(void);
/* Shows a line of the log to whoever looks at a guest. Lock held. */
void mux_alert(const char *line, size_t len);
/* Shows speaker @focus from now on, or all, behind a banner. Lock held. */
void mux_focus(u32 focus, bool with_replay);
/* "log, linux, box, all" to @buf; behind a guest that has ended, why. Lock
 * held.
 */
void mux_names(char *buf, size_t size);
/* @id says it; false: there was no room. Lock held. */
bool mux_show(u32 id, const char *s, size_t len);
/* Its last lines, of the log as many as there is room for. Lock held. */
void history_show(const struct speaker *sp);
/* The speaker's bytes from @at on, which are @len at most and in a row: returns
 * where they are. *@at moves up to the oldest that the ring still has, *@len
 * down to what there is. Lock held. */
const char *history_bytes(const struct speaker *sp, u64 *at, u64 *len);
/* Why it has ended, or NULL: it has not. Lock held. */
const char *mux_ended(const struct speaker *sp);
/* Is something else known to be where @at would have its registers? Boot CPU,
 * after acpi_init(). */
bool serial_is_taken(const struct uart_place *at);
/* serial.c: what the loader found of UARTs; @bi stays. Before the choice. */
void serial_note(const struct boot_info *bi);
/* All that the log has said and still has, to the UART alone. Lock held. */
void history_replay_log(void);
/* Puts the terminal into a state in which text is text. Lock held. */
void mux_reset_terminal(void);

/* Ctrl-]: move the focus on, with banner and last lines. No lock held. */
void console_focus_next(void);
/* The same to speaker @focus, or con.count: to all of them */
void console_focus_to(u32 focus);
/* Hand @byte to whoever has the focus. No lock held. */
void console_type(u8 byte);
/* Whose keys are those of @sp; NULL: whose those of the console in focus are.
 * Counts the caller among the receivers, so that console_detach() waits for it
 * until receiver_put(). No lock held. */
struct console_device receiver_get(const struct speaker *sp);
void receiver_put(void);
/* The queue has drained a little: say what was lost, tell the devices that
 * wait, some at a time. No lock held. */
void console_drained(void);

/* Is output direct: written at once by whoever says it? */
bool output_is_direct(void);
/* Says @len bytes of speaker @id's; false: its share of the queue is full, and
 * none is said. Console lock held. */
bool output_put(u32 id, const char *s, u32 len);
/* Could speaker @id say some hundred bytes now? Console lock held. */
bool output_roomy(u32 id);
/* Could it say @len bytes, in a few pieces? Console lock held. */
bool output_fits(u32 id, u32 len);
/* After output_put(), console lock held: true if the caller must call
 * output_start() once it has given the lock back */
bool output_begin(void);
/* Sets the UART to work on the queue. Any core; takes the UART's lock. */
void output_start(void);
/* The UART says that its transmitter is empty. No lock held. */
void output_interrupt(void);
/* The UART still has something for its interrupt to do. No lock held. */
void output_irq_again(void);
/* The UART has an interrupt of its own. Boot CPU, before output_defer(). */
void output_has_irq(void);
/* From now on what is said goes to the queue. @speakers share it. Boot CPU,
 * once; console lock held. */
void output_defer(u32 speakers);
/* Writes the queue out, for 3 s at most. From now on output is direct. No lock
 * is held or taken: the other cores have stopped. */
void output_finish(void);

/* The PC's keyboard is the privileged guest's from now on. No lock held. */
void console_give_keys(void);
/* The screen shows the page of the log above the one that it shows, or below.
 * No lock held. */
void console_scroll(bool up);
/* A line of the log follows. Lock held. */
void scroll_note(const struct speaker *log);
/* Where in the log its last page begins; its end, if no screen shows it. Lock
 * held. */
u64 scroll_last_page(void);
/* scroll.c: the same; lock held. Nothing where there is no screen. */
void scroll_page(bool up);
/* The screen follows what is said again, if it does not. Lock held. */
void scroll_end(void);

/* Text for the framebuffer was written: have it drawn. Console lock held. */
void screen_draw_soon(void);

#endif
