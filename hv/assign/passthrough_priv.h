/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Inside of the privileged guest's PCI: passthrough.c (config space),
 * passthrough_func.c (which functions there are), passthrough_bus.c (their
 * buses), passthrough_sriov.c (virtual ones), passthrough_guard.c (what is not
 * the guest's), passthrough_msi.c, passthrough_msix.c (table),
 * passthrough_move.c (a table's new address), passthrough_virtual.c (functions
 * of ours), passthrough_list.c (all of them), passthrough_quiet.c and
 * passthrough_reset.c (between two lives of the guest). All state is protected
 * by passthrough.lock; pci_lock and the locks of hv/irq/route.h come after it.
 * It is not held across a rendezvous of the cores.
 */
#ifndef HV_ASSIGN_PASSTHROUGH_PRIV_H
#define HV_ASSIGN_PASSTHROUGH_PRIV_H

#include "arch/x86/cpu/spinlock.h"
#include "drivers/acpi/acpi.h"
#include "drivers/pci/pci.h"
#include "hv/assign/passthrough.h"
#include "hv/core/piece.h"
#include "hv/core/vm.h"
#include "hv/irq/route.h"
#include "mm/iomap.h"

#define PASSTHROUGH_HASH   64u
#define PASSTHROUGH_RESETS 3u

/* How a function is reset: the first that it can do (passthrough_reset.c) */
enum reset_way {
	RESET_NONE,
	RESET_FLR, /* by itself, PCIe's or Advanced Features' way */
	RESET_PM,  /* by D3 and back */
	RESET_BUS, /* by the bridge above, with all that is beside it */
};
/* Dwords of its header that a reset loses and its next driver needs, at most */
#define PASSTHROUGH_SAVED 12u
/* The functions that a bus has room for */
#define PASSTHROUGH_BUS 256u

struct vfunc;

struct msix_entry {
	u32 word[4]; /* address low and high, data, control: the guest's */
	struct irq_msi *route;
	struct vfunc *func;
};

struct vf_bar {
	u64 base, size; /* size 0: there is none */
};

/* One function of the machine, and what its guest thinks of its interrupts */
struct vfunc {
	struct vfunc *next; /* hash chain, or of the forgotten */
	struct passthrough *pci;
	struct pci_bdf bdf;
	u32 id; /* vendor and device */
	/* The bridge to its bus, as it was found; its own address: a root bus,
	 * or nobody knows */
	struct pci_bdf parent;
	bool bridge;
	u8 secondary; /* of a bridge: its secondary bus, as it was written */
	struct {
		u8 pm, pcie, af;
	} caps;
	/* A bridge above it has got other bus numbers: it is off, and elsewhere
	 * (passthrough_bus.c) */
	bool lost;
	/* The bus_writes.round in which it was off, or did not answer; nobody
	 * has touched it since. 0: never. */
	u64 seen_to;
	bool fixed; /* its own registers are read-only for the guest */
	bool kept;  /* all of them are: the hypervisor uses it */
	bool vmd;   /* messages of the functions behind it go through it */

	struct {
		u8 cap;   /* 0: no capability */
		u8 words; /* dwords it has */
		bool is_64, maskable;
		bool enabled;
		u32 address_low, address_high, data, mask;
		struct irq_source source;
		struct irq_msi *route;
	} msi;

	struct {
		u8 cap;    /* 0: none, or unusable */
		u8 bar;    /* index of the BAR that holds the table */
		u16 rebar; /* offset of the Resizable BAR capability; 0: none */
		u16 count;
		u16 left;   /* the last ones, not yet in step with the device */
		u16 routed; /* how many have a route */
		/* Of a forgotten one, until no hook can come back to them */
		struct msix_entry *old_entries;
		u16 old_count;
		bool enabled, masked; /* control bits as the guest wrote them */
		struct irq_source source;
		u32 offset;               /* of the table in the BAR */
		u64 table;                /* its address; 0: not placed */
		u64 trap_base, trap_size; /* the whole pages it lies in */
		struct iomap map;         /* of trap_base */
		struct msix_entry *entries;
	} msix;
	/* What has virtual functions (passthrough_sriov.c) */
	struct {
		u16 cap;   /* 0: none, or no ECAM */
		u16 rebar; /* offset of VF Resizable BAR; 0: none */
		bool on;   /* VF Enable was set; the rest is as it was then */
		u64 since; /* host TSC */
		u16 count, offset, stride;
		/* Where those of the first one are, and how large */
		struct vf_bar bars[PCI_BAR_COUNT];
		struct vfunc *next; /* that has the capability */
	} sriov;
	bool is_vf;       /* a virtual one: its ids read as ones */
	u16 vf_index;     /* from 0 */
	struct vfunc *pf; /* whose it is; NULL: that has turned it off */
	/* Bytes of its registers that begin a reset; 0: none */
	u16 resets[PASSTHROUGH_RESETS];
	/* Between two lives of the guest */
	struct {
		enum reset_way way;
		enum { SLEEP_UNKNOWN, SLEEP_ENDS, SLEEP_OVER } sleep;
		u16 beside;       /* how many were looked for on its bus */
		bool may;         /* be reset at all */
		bool master;      /* it was one in the last life */
		u16 command;      /* what it is to decode again */
		u16 pcie_control; /* device control */
		u32 saved[PASSTHROUGH_SAVED];
	} reset;
	/* The guest turned memory decoding on, the hardware has it off: the
	 * trap of the MSI-X table comes first (passthrough_move.c) */
	bool decode_due;
};

/* A vCPU's write to a bridge's bus numbers that is not done yet: its own
 * instruction waits for it (passthrough_bus.c) */
struct bus_write {
	bool due;
	struct pci_bdf bridge;
	u32 value, mask; /* of the dword that the numbers are in */
	u64 round;
	/* All in the buckets of the hash before this one have been seen to, as
	 * long as nobody has touched them since, and these buses are meant */
	u32 bucket, first, last;
	u64 touched;
};

/* A BAR of a virtual function. Changes while all cores stand still. */
struct virtual_bar {
	struct pci_fn *f;
	u8 index;
	bool moved;
	int err;    /* why it is not at @wanted */
	u64 wanted; /* where it was last to be; 0: nowhere */
	u64 placed; /* its region on the bus; 0: none */
};

/* How far passthrough_quiet_step() is; all zero: it has not begun */
struct quiet {
	u32 phase;
	u32 bucket; /* of the hash: the function that comes next is in it, */
	struct vfunc *at; /* or NULL: its first */
	bool begun;       /* the phase has */
	bool acted;  /* some function of this phase has something to wait for */
	bool again;  /* some is not ready yet */
	bool waits;  /* the phase is over, but for its time */
	u64 end;     /* host TSC: of the wait, or of the patience */
	u64 rest;    /* nobody is visited before */
	u32 unreset; /* functions that no way was found for */
};

#define PASSTHROUGH_VIRTUALS 8u

struct virtual_slot {
	struct pci_fn *f;
	u8 *pages;
	struct virtual_bar bars[PCI_FN_BARS];
};

/* For who lists them: IOMMUs and IOAPICs, one or two for each root */
#define PASSTHROUGH_HIDDEN 128u

struct passthrough {
	struct vm *vm;
	struct spinlock lock;
	u32 address; /* CF8h */
	struct vfunc *hash[PASSTHROUGH_HASH];
	struct vfunc *forgotten;
	bool draining;                /* some of those have messages */
	struct vfunc *with_vfs;       /* chained by sriov.next */
	struct bus_write *bus_writes; /* one a vCPU */
	u64 rounds;                   /* of those: how many have begun */
	u64 touched; /* how often one was touched that they had seen to */
	struct ratelimit meetings;
	struct quiet quiet;
	u64 changes; /* of the functions that are known or hidden */
	/* Those that the guest does not see, as far as somebody looked */
	u32 hidden_count;
	struct pci_bdf hidden[PASSTHROUGH_HIDDEN];
	u32 virtual_count; /* as the slots', constant once the VM runs */
	struct virtual_slot virtuals[PASSTHROUGH_VIRTUALS];
};

/* The virtual function whose device @bdf is of, or NULL. No lock. */
struct virtual_slot *passthrough_virtual_at(struct passthrough *pci,
					    struct pci_bdf bdf);
/* An aligned access to its device that crosses no dword. No lock held. */
u32 passthrough_virtual_read(struct passthrough *pci, struct virtual_slot *s,
			     struct pci_address a, u8 size);
void passthrough_virtual_write(struct passthrough *pci, struct virtual_slot *s,
			       struct pci_address a, u8 size, u32 value);
void passthrough_virtuals_free(struct passthrough *pci);
/* All of them are as at power on, and decode nothing. False: not yet, as the
 * cores did not meet; do it again. No vCPU of the guest runs; no lock held. */
bool __must_check passthrough_virtuals_reset(struct passthrough *pci);
/* May device registers be at [@base, @end)? A BAR holds whatever the guest
 * writes: memory is never taken for them. */
bool passthrough_is_device(u64 base, u64 end);

/* Is there no such function for the guest? */
bool passthrough_is_hidden(struct pci_bdf bdf);
/* The same, and it is noted for who lists them. Lock held, or while the VM is
 * built. */
bool passthrough_hides(struct passthrough *pci, struct pci_bdf bdf);
void passthrough_guard_init(struct vfunc *f);
/* Logs of one that is there and hidden, if somebody may look for it. While the
 * VM is built. */
void passthrough_guard_report(struct pci_bdf bdf);
/* One that is there and that the guest cannot drive: the console's, a hidden
 * one, or one that there was no memory for. What firmware left on of its
 * messages goes off, and of its DMA where nothing needs that. While the VM is
 * built. */
void passthrough_guard_quiet(struct pci_bdf bdf);
/* A write of @size bytes at @offset that no capability of ours takes: does it
 * stay away from the hardware? */
bool passthrough_write_is_refused(const struct vfunc *f, u32 offset, u8 size);

/* Takes passthrough.lock, and finds the function at @bdf or makes it known;
 * NULL: there is none for the guest. A new one has its memory decoding held:
 * passthrough_follow(). No locks held. */
struct vfunc *passthrough_func_lock(struct passthrough *pci,
				    struct pci_bdf bdf);
/* Of pci_scan(), @pci, while the VM is built */
void passthrough_func_found(struct pci_bdf bdf, void *pci);
/* The function known at @bdf, if it answers there; NULL: it does not. With
 * passthrough.lock held. */
struct vfunc *passthrough_func_known(struct passthrough *pci,
				     struct pci_bdf bdf);
/* It does not answer. Is it as it was, behind a bridge that sleeps? */
bool passthrough_func_sleeps(const struct vfunc *f);
/* Does @f itself answer at its address? */
bool passthrough_func_present(const struct vfunc *f);
void passthrough_funcs_free(struct passthrough *pci);

/*
 * Virtual functions. Take the capability of @f, if it has one, and turn off
 * what firmware left on; undo it. While VF Enable is set, what says where VFs
 * and their BARs are is fixed.
 */
void passthrough_sriov_init(struct vfunc *f);
void passthrough_sriov_forget(struct vfunc *f);
/* Is the register at @offset one of those? Then passthrough_sriov_write(), an
 * aligned access that does not cross a dword. True: a VF's memory was turned
 * on, and tables may have to be filled again (VE_ASSIGN). */
bool passthrough_sriov_has(const struct vfunc *f, u32 offset);
bool passthrough_sriov_write(struct vfunc *f, u32 offset, u8 size, u32 value);
/* Whose VF is at @bdf, and which? NULL: none is there. */
struct vfunc *passthrough_sriov_owner(struct passthrough *pci,
				      struct pci_bdf bdf, u16 *index);
/* May nobody ask the VFs of @pf yet? */
bool passthrough_sriov_is_early(const struct vfunc *pf);
/* Has the VF @f been turned off, by its PF's control or by a reset? */
bool passthrough_vf_is_gone(const struct vfunc *f);
/* Does the hardware decode the memory of the VF @f? */
bool passthrough_vf_decodes(const struct vfunc *f);
/* Where the MSI-X table of the VF @f is; 0: nowhere */
u64 passthrough_vf_table_address(const struct vfunc *f);

/* A dword of the capability, @word counted from its start */
u32 passthrough_msi_read(const struct vfunc *f, u32 word);
void passthrough_msi_write(struct vfunc *f, u32 word, u32 value);
void passthrough_msi_init(struct vfunc *f);
/* Forget: its routes, its trap and its memory. Release: the hardware, too. */
void passthrough_msi_forget(struct vfunc *f);
void passthrough_msi_release(struct vfunc *f);

/* Between two lives of the guest: MSI is as after a reset, and so is MSI-X. If
 * @present, in the hardware, too. The latter some entries at a time, until
 * @piece is over; true: it is done. */
void passthrough_msi_quiet(struct vfunc *f, bool present);
bool passthrough_msix_quiet(struct vfunc *f, bool present,
			    const struct piece *piece);

/*
 * Before all else a function that sleeps is woken, once: it has its registers
 * as they were, but is no bus master if it lost them. False: it, or a bridge
 * above it, was told something just now; wait, and do it again.
 */
bool passthrough_reset_wake(struct vfunc *f);
/*
 * The ladder of resets, for passthrough_quiet.c: which way @f goes, if it was a
 * bus master; whether all on its bus is known, looked for until @piece is over
 * (true: that is answered); and whether its bus may be reset, with all that is
 * beside it, which goes that way then, too. No wait is in here: PCIe 4.0,
 * 6.6.2, 5.3.1.4 and 6.6.1 say how long to leave it alone.
 */
void passthrough_reset_choose(struct vfunc *f);
bool passthrough_reset_look(struct vfunc *f, const struct piece *piece);
void passthrough_reset_agree(struct vfunc *f);
/* Of all that go one way, one step after the other: what the reset will lose is
 * saved; it begins; of D3 and of a bus, it ends */
void passthrough_reset_save(struct vfunc *f);
void passthrough_reset_begin(struct vfunc *f);
void passthrough_reset_release(struct vfunc *f);
/* True: it answers, and has its addresses again; it is no bus master */
bool passthrough_reset_over(struct vfunc *f);

u32 passthrough_msix_control_read(const struct vfunc *f);
void passthrough_msix_control_write(struct vfunc *f, u32 value);
/* Find the capability. As long as its table is not trapped, its enable bit
 * never reaches the device. */
void passthrough_msix_init(struct vfunc *f);
void passthrough_msix_forget(struct vfunc *f);
/* Takes its messages from a forgotten one, until @piece is over; true: none is
 * left. After that and a rendezvous: frees what it had. */
bool passthrough_msix_drain(struct vfunc *f, const struct piece *piece);
void passthrough_msix_free(struct vfunc *f);
void passthrough_msix_release(struct vfunc *f);
/* Has the table another number of entries than when @f was found? A physical
 * function may give its VFs more or fewer while nobody uses them. */
bool passthrough_msix_is_resized(const struct vfunc *f);
/* Trap the table where firmware put it, while the VM is built: later the bus is
 * searched without a lock, and passthrough_follow() does it */
void passthrough_msix_place_first(struct vfunc *f);
/* Bring the hardware's table and enable bit in step with the guest's: at once
 * what is no work, and the entries by passthrough_msix_step() as long as some
 * are left. The device sends none of them before. */
void passthrough_msix_sync(struct vfunc *f);
/* The next entries, until @piece is over; at least one, if any is left */
void passthrough_msix_step(struct vfunc *f, const struct piece *piece);
/* Where the table is by the BAR as it is now; 0: nowhere */
u64 passthrough_msix_table_address(const struct vfunc *f);
/* Add the trap at @table (bus region and mapping); no vCPU looks at the bus,
 * and each core calls iomap_flush_here() afterwards. -EINVAL: no device can be
 * there; -EEXIST, -ENOSPC as bus_add(). */
int __must_check passthrough_msix_place(struct vfunc *f, u64 table);
void passthrough_msix_unplace(struct vfunc *f);

/* Configuration space that is no part of an MSI or MSI-X capability; an aligned
 * access that does not cross a dword. passthrough_follow() comes after a write
 * that leaves decode_due set. */
u32 passthrough_read(const struct vfunc *f, u32 offset, u8 size);
void passthrough_write(struct vfunc *f, u32 offset, u8 size, u32 value);
/* smp_rendezvous() for a change that the guest has caused, as often as guests
 * that need it cause one: each stops its neighbours. No locks held. -EBUSY: it
 * comes too often; -ETIMEDOUT. */
int __must_check passthrough_meet(struct passthrough *pci,
				  int (*change)(void *arg),
				  void (*after)(void *arg), void *arg);

/* Has @f left its slot, so that what was its may be another's? It does not
 * answer, although the way to it is as when it was found and open. One that is
 * behind a bridge with other bus numbers, or asleep, has not left. */
bool passthrough_func_left(const struct vfunc *f);

/* Is a write to the bridge @f one of its bus numbers? passthrough_bus_write()
 * takes it for @v, whose instruction ends once it is done (VE_INSN): what was
 * behind it is lost at its address, and turned off before. */
bool passthrough_is_bus_number(const struct vfunc *f, u32 offset, u8 size);
void passthrough_bus_write(struct vcpu *v, const struct vfunc *f, u32 offset,
			   u8 size, u32 value);
/* The VFs of @f are turned off, if there are any */
void passthrough_sriov_silence(struct vfunc *f);

/* Does the hardware decode memory? Yes if it does not answer and has not left:
 * it may, where nobody can ask it. */
bool passthrough_decodes(const struct vfunc *f);
/* What passthrough_write() must know of a function with a table */
void passthrough_move_init(struct vfunc *f);
/* Turn decoding off, if it is on and the function has a table, until
 * passthrough_follow() */
void passthrough_hold(struct vfunc *f);
/* If memory decoding is due: let the trap follow the table, then turn it on.
 * Takes passthrough.lock; no lock is held. */
void passthrough_follow(struct vfunc *f);

#endif
