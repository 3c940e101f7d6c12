/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A control device in this process (include/bulkhead/control.h): the rings by
 * its rules, and guests that do what a test says. It answers at once, or with
 * @hold only when fake_release() is called, with an event on event_fd.
 */
#ifndef TESTS_UNIT_FAKES_CONTROL_DEVICE_H
#define TESTS_UNIT_FAKES_CONTROL_DEVICE_H

#include "tests/unit/test.h"
#include "tools/control/ring.h"

#define FAKE_GUESTS     8
#define FAKE_VECTORS    16
#define FAKE_SAID_BYTES 65536
#define FAKE_TSC_KHZ    1000000
#define FAKE_RAM_BYTES  65536u

#define FAKE_DEVICES 4
#define FAKE_QUEUES  2

/* One that a back-end serves */
struct fake_served {
	struct bh_ctl_device about;
	struct bh_ctl_offer offer;
	u32 offers, stops; /* how many there were */
	struct bh_ctl_queue queues[FAKE_QUEUES];
};

struct fake_guest {
	struct bh_ctl_guest about;
	u32 served_count;
	struct fake_served served[FAKE_DEVICES];
	u64 lost; /* of the console's first bytes */
	u32 said_len, typed_len, type_room;
	bool armed; /* a read has reached the end */
	/* Said once, right behind the answer of a read that reaches the end */
	const char *next_words;
	char typed[256];
	u8 said[FAKE_SAID_BYTES];
	/* Mapped at MIB(1) by its page tables */
	u8 ram[FAKE_RAM_BYTES];
	struct bh_ctl_registers registers;
	bool debugged;
	u32 stepper, break_count; /* of the last GO */
	struct bh_ctl_breakpoint last_break;
};

/* What the device does wrong with its next answer */
enum fake_fault {
	FAKE_GOOD,
	FAKE_WRONG_TAG,
	FAKE_TOO_LONG,
	FAKE_TAIL_AHEAD,
	FAKE_CLOSES,
	FAKE_SILENT,
};

struct fake_device {
	struct device device;
	u8 *memory;
	u32 status, command_head, event_tail, opens, submits;
	u32 pool_busy; /* so many CREATEs find the memory not free */
	u32 end_busy;  /* so many ENDs are refused */
	bool hold;
	u32 changing; /* so many commands of an audit find that it changed */
	u64 changes;
	enum fake_fault fault;
	struct bh_ctl_command held[BH_CTL_COMMANDS];
	u32 held_count;
	enum bh_ctl_announce announced; /* the last word, of so many */
	u32 announcements;
	u32 version;
	u64 boot_tsc;
	struct fake_guest guests[FAKE_GUESTS]; /* [0]: the log */
	u32 guest_count;                       /* with the log */
	char definition[BH_CTL_IN_MAX + 1];    /* of the last CREATE */
	struct bh_ctl_file files[16];          /* of the last START */
	u32 file_count;
	u32 metering; /* enum bh_ctl_metering */
	bool traced;
	int vectors[FAKE_VECTORS];   /* copies of what is set, or -1 */
	int doorbells[FAKE_VECTORS]; /* by their number */
	u32 trace_room; /* records a core has memory for; 0: any number */
	u64 trace_at, trace_end;        /* core 0 keeps those records, */
	struct bh_ctl_trace trace[512]; /* at their position modulo 512 */
};

/* A device with the log and the privileged guest, "linux", id 1 */
struct fake_device *fake_new(void);
void fake_free(struct fake_device *f);
struct fake_guest *fake_add(struct fake_device *f, const char *name, u32 state,
			    u32 flags);
struct fake_guest *fake_find(struct fake_device *f, const char *name);
/* The guest (or "log") says so */
void fake_say(struct fake_device *f, const char *name, const char *text);
/* It goes over into @state */
void fake_state(struct fake_device *f, const char *name, u32 state,
		const char *reason);
/* A guest with a debugger stands, and that is told */
void fake_stands(struct fake_device *f, const char *name);
/* Its device's driver, or its end, has changed queues */
void fake_device_news(struct fake_device *f, const char *name, u32 device);
/* Answers what is held */
void fake_release(struct fake_device *f);

#endif
