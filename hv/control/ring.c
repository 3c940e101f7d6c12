/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The control device's area: command ring and event ring. All of it is the
 * driver's memory, which may change at any time. So an index is read once and
 * checked; a command is copied whole, and only the copy is looked at; the
 * device's own counters are never read back. What makes no sense closes the
 * device. Called under control.lock.
 */
#include "hv/control/priv.h"
#include "hv/device/virtio/served.h"
#include "include/hw/pci.h"
#include "lib/string.h"

#define AREA_INDEX(field) (offsetof(struct bh_ctl_indexes, field))
#define AREA_COMMANDS     (offsetof(struct bh_ctl_area, commands))
#define AREA_EVENTS       (offsetof(struct bh_ctl_area, events))
#define COMMAND_AT(count)                                                      \
	(AREA_COMMANDS +                                                       \
	 (count) % BH_CTL_COMMANDS * sizeof(struct bh_ctl_command))
#define EVENT_AT(count)                                                        \
	(AREA_EVENTS + (count) % BH_CTL_EVENTS * sizeof(struct bh_ctl_event))

/* Driver's indexes, and ours behind 14 reserved ones: pairs that are read and
 * written in one */
struct driver_indexes {
	u32 command_tail, event_head;
};
struct device_indexes {
	u32 command_head, event_tail;
};
static_assert(AREA_INDEX(event_head) == AREA_INDEX(command_tail) + 4, "a pair");
static_assert(AREA_INDEX(event_tail) == AREA_INDEX(command_head) + 4, "a pair");

bool control_may_dma(const struct control *c)
{
	return c->fn.config[PCI_COMMAND] & PCI_COMMAND_MASTER;
}

void control_close(struct control *c, enum bh_ctl_status why)
{
	control_debug_end();
	served_unbind_all();
	if (control_trace_end())
		vcpu_post(c->vm->vcpus[0], VE_CONTROL);
	if (c->call.begun)
		dynamic_create_abandon();
	c->status = why;
	c->area = 0;
	c->lost = false;
	c->unsaid = false;
	c->command_head = 0;
	c->command_tail = 0;
	c->event_head = 0;
	c->event_tail = 0;
	c->call.begun = false;
	c->waiting = 0;
	memset(c->waits, 0, sizeof(c->waits));
}

/* The area is not what it was; true: it is open still */
static bool check(struct control *c, int err)
{
	if (err)
		control_close(c, BH_CTL_BAD_ADDRESS);
	return !err;
}

void control_publish(struct control *c)
{
	const struct device_indexes own = { c->command_head, c->event_tail };

	if (c->status == BH_CTL_IS_OPEN)
		check(c, vtd_dma_write(c->iommu,
				       c->area + AREA_INDEX(command_head), &own,
				       sizeof(own)));
}

/* All three pages are there and what they are for: the device writes the first
 * and the last, and reads the second */
void control_open(struct control *c, u32 page)
{
	const struct bh_ctl_event none = { 0 };
	struct bh_ctl_command first;

	if (!page) {
		control_close(c, BH_CTL_CLOSED);
		return;
	}
	if (c->status == BH_CTL_IS_OPEN) {
		control_close(c, BH_CTL_AGAIN);
		return;
	}
	control_close(c, BH_CTL_BAD_ADDRESS);
	if (!control_may_dma(c))
		return;
	c->area = (u64)page << PAGE_SHIFT;
	c->status = BH_CTL_IS_OPEN;
	if (check(c, vtd_dma_read(c->iommu, c->area + COMMAND_AT(0), &first,
				  sizeof(first))) &&
	    check(c, vtd_dma_write(c->iommu, c->area + EVENT_AT(0), &none,
				   sizeof(none)))) {
		control_guests_forget(c);
		control_devices_again(c);
		control_publish(c);
	}
}

static u32 event_room(const struct control *c)
{
	return BH_CTL_EVENTS - (c->event_tail - c->event_head);
}

/* False: it is closed */
static bool read_indexes(struct control *c)
{
	struct driver_indexes driver;

	if (!check(c, vtd_dma_read(c->iommu, c->area + AREA_INDEX(command_tail),
				   &driver, sizeof(driver))))
		return false;
	if (driver.command_tail - c->command_head > BH_CTL_COMMANDS) {
		control_close(c, BH_CTL_BAD_TAIL);
		return false;
	}
	if (driver.event_head - c->event_head > c->event_tail - c->event_head) {
		control_close(c, BH_CTL_BAD_HEAD);
		return false;
	}
	c->command_tail = driver.command_tail;
	c->event_head = driver.event_head;
	return true;
}

/* Room for one event more; the driver may have taken some meanwhile. False: no,
 * or it is closed. */
static bool has_room(struct control *c)
{
	return event_room(c) || (read_indexes(c) && event_room(c));
}

static void put(struct control *c, const struct bh_ctl_event *e)
{
	if (check(c, vtd_dma_write(c->iommu, c->area + EVENT_AT(c->event_tail),
				   e, sizeof(*e))))
		c->event_tail++;
}

/* It was lost some time ago: as soon as there is room */
static void tell_loss(struct control *c)
{
	const struct bh_ctl_event e = { .type = BH_CTL_EVENT_LOST };

	if (!c->lost || !event_room(c))
		return;
	c->lost = false;
	put(c, &e);
}

static void put_answer(struct control *c, const struct bh_ctl_event *e)
{
	if (has_room(c))
		put(c, e);
	else if (c->status == BH_CTL_IS_OPEN)
		control_close(c, BH_CTL_OVERRUN);
}

void control_answer(struct control *c, const struct bh_ctl_event *e)
{
	if (c->status != BH_CTL_IS_OPEN)
		return;
	put_answer(c, e);
	c->unsaid = c->status == BH_CTL_IS_OPEN;
}

void control_event(struct control *c, const struct bh_ctl_event *e)
{
	if (c->status != BH_CTL_IS_OPEN)
		return;
	if (!c->lost && has_room(c))
		put(c, e);
	else if (c->status == BH_CTL_IS_OPEN)
		c->lost = true;
	c->unsaid = c->status == BH_CTL_IS_OPEN;
}

void control_lose(struct control *c)
{
	c->lost = c->status == BH_CTL_IS_OPEN;
	if (c->lost && has_room(c))
		tell_loss(c);
}

bool control_look(struct control *c)
{
	if (c->status != BH_CTL_IS_OPEN || !read_indexes(c))
		return false;
	tell_loss(c);
	return c->command_head != c->command_tail;
}

/* The next command becomes control.call, unless that goes on. False: it is
 * closed. */
static bool next_command(struct control *c)
{
	if (c->call.begun)
		return true;
	memset(&c->call, 0, sizeof(c->call));
	if (!check(c,
		   vtd_dma_read(c->iommu, c->area + COMMAND_AT(c->command_head),
				&c->call.command, sizeof(c->call.command))))
		return false;
	if (!has_room(c) && c->status == BH_CTL_IS_OPEN)
		control_close(c, BH_CTL_OVERRUN);
	return c->status == BH_CTL_IS_OPEN;
}

bool control_step(struct control *c)
{
	struct bh_ctl_event answer;
	s32 status;

	if (c->status != BH_CTL_IS_OPEN || c->command_head == c->command_tail ||
	    !next_command(c))
		return false;
	status = control_dispatch(c, &answer);
	if (status == CONTROL_GOES_ON)
		return true;
	c->call.begun = false;
	c->command_head++;
	/* Events may have taken its room, between its steps */
	if (!status)
		put_answer(c, &answer);
	return c->status == BH_CTL_IS_OPEN &&
	       c->command_head != c->command_tail;
}
