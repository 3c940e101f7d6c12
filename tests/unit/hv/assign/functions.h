/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The machine of the passthrough tests: two functions with fake config spaces,
 * a BAR that may be in two places, and messages that are only counted. The
 * invariants are checked at each access: no message of the guest's reaches the
 * device, and no table is where the guest can reach it with no trap there.
 */
#ifndef TESTS_UNIT_HV_ASSIGN_FUNCTIONS_H
#define TESTS_UNIT_HV_ASSIGN_FUNCTIONS_H

#include "drivers/pci/address.h"
#include "tests/unit/fakes/vdev.h"

#define MSI_CAP   0x50
#define MSIX_CAP  0x70
#define BAR       0xe0000000u
#define BAR_MOVED 0xe0100000u
#define BAR_RAM   0x10000000u /* memory: it is not mapped for a BAR */
#define TABLE_OFF 0x800u
#define ENTRIES   130u /* the table crosses into a second page's start */

#define PCIE_CAP 0x98
#define AF_CAP   0xb8
#define PM_CAP   0xc8

#define REBAR  0x200u
#define SECRET 0x44u /* a write here moves BAR 0 to BAR_MOVED */

#define HOST_ADDR 0xfee42000u
#define HOST_DATA 0x77u

extern u8 config[2][4096]; /* function 00:03.0 and 00:04.0 */
extern u8 bar[16384], bar_moved[16384];
extern u32 routes, unroutes, unmaps, meetings, cf9;
extern u32 writes_seen_off;    /* while function 0 decoded no memory */
extern u32 reads_behind_write; /* of config space, since the last write there */
extern u64 routed_addr;
extern u32 routed_data;
extern bool routed_in_steps;   /* the last one's message changes so */
extern struct irq_msi *routed; /* the last one */
extern u32 moves;              /* messages whose old vector was left */
extern bool alive;             /* created, and not yet to be destroyed */
extern u8 bar_type;
extern bool writes_everywhere; /* as a chipset's function has registers */
extern bool table_is_slow;     /* a write to it takes longer than a piece */
extern bool config_is_slow;    /* ten accesses take as long as a piece */
extern u32 accesses;           /* of config space, and routes that ended */
extern bool core_is_silent;
extern void (*meanwhile)(void); /* what another core does before it comes */
/* Where function 0 has SR-IOV; 0: it has none. Its virtual functions, NULL
 * where none is, and what a write to config space brings about. */
extern u16 sriov_cap;
extern u8 *(*virtual_function)(struct pci_bdf bdf);
extern void (*written)(void);

struct irq_msi {
	void (*on_storm)(void *dev);
	void *dev;
	bool throttled;
	bool moves; /* the next message has another vector */
};
extern struct irq_msi msi_pool[256]; /* in the order of their first routing */

static inline void put32(u8 *p, u32 v)
{
	memcpy(p, &v, 4);
}

/* For cmocka: function 00:03.0 is known, its table at BAR + TABLE_OFF */
int setup(void **state);
int teardown(void **state);
/* The guest is made once more, with the functions as they are now */
void new_guest(void);
/* What the vCPU does before it goes on in the guest: a piece of what its access
 * has begun. False: there was nothing. */
bool go_on(void);
bool go_on_at(struct vcpu *v); /* go_on() is vCPU 0's; there are two */
/* The guest's accesses: config space, of function 0 if none is named, whose
 * writes are over when it goes on, and the table at BAR */
u32 cfg_read(u32 devfn, u32 off, u8 size);
void cfg_write(u32 off, u8 size, u32 value);
void table_write(u32 entry, u32 word, u32 value);
u32 table_read(u32 entry, u32 word);
/* What the device has in its table at BAR */
u32 hw_entry(u32 entry, u32 word);
/* The address in BAR 0 of a config space */
u64 bar_of(const u8 *c);
/* The message's source begins or ends to storm */
void storm(struct irq_msi *m, bool throttled);

#endif
