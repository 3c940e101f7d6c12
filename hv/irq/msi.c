/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Physical MSIs as they become vLAPIC bits; see route.h, and route.c for pins.
 * The guest's message is one 64-bit word: an arrival on another core sees the
 * old or the new message, never a mix. With a mix, a guest that moves an
 * interrupt would lose it. Rows are never freed, so that an interrupt in flight
 * finds a valid row: one of the row's next owner at worst, for which it is
 * spurious.
 *
 * Where an interrupt arrives is only a matter of speed: whatever core it is,
 * msi_deliver() reaches the vCPU that the guest named. So a message whose next
 * core is full stays where it is. Over 400 lines: all that has a row.
 *
 * An arrival takes no lock. msi_lock protects the lists of free rows and the
 * storm hook; it comes after passthrough.lock, and pmm's and kmem's come after
 * it. A row's vectors are under its device's lock.
 */
#include "include/hw/msi.h"
#include "arch/x86/cpu/percpu.h"
#include "arch/x86/cpu/spinlock.h"
#include "arch/x86/machine/irq.h"
#include "arch/x86/machine/tsc.h"
#include "hv/core/vcpu.h"
#include "hv/irq/route.h"
#include "hv/irq/storm.h"
#include "hv/irq/vlapic.h"
#include "include/hw/lapic.h"
#include "lib/errno.h"
#include "lib/log.h"
#include "lib/printf.h"
#include "mm/pmm.h"

/* A fast disk or NIC may send a few hundred thousand a second */
#define MSI_STORM_MAX 50000u

/* The guest's message in one word */
#define ROUTE_VECTOR     0xffull
#define ROUTE_MODE_SHIFT 8
#define ROUTE_LOGICAL    BIT(11)
#define ROUTE_DIRECT     BIT(12) /* one vCPU, by number in 63:32 */
#define ROUTE_VALID      BIT(13)
#define ROUTE_DEST_SHIFT 32

/* A host vector, of one core or (@cpu is NULL) of all; 0: none */
struct host_place {
	struct pcpu *cpu;
	u8 vector;
};

struct irq_msi {
	struct irq irq;
	u64 route; /* atomic */
	struct vlapic_late late;
	struct vm *vm; /* NULL: it is free. Changes while route is 0. */
	struct pci_bdf bdf;
	struct host_place at;
	struct host_place
		left; /* where the hardware sends until irq_msi_moved() */
	struct storm storm;
	void (*on_storm)(void *dev);
	void *storm_dev;
	struct irq_msi *next; /* free one */
};

#define MSI_ROWS_BYTES KMEM_MAX
#define MSI_ROWS       (MSI_ROWS_BYTES / sizeof(struct irq_msi))

static struct irq_msi *free_rows;  /* that have no vector */
static struct irq_msi *fixed_rows; /* that keep one of irq_alloc(), and free */
static struct spinlock msi_lock;
static u64 changes; /* of who has a row */

/* The hook and its device are read together, as the row may be changing owners.
 * No lock is held, as the hook takes the device's. */
static void storm_tell(struct irq_msi *m)
{
	void (*on_storm)(void *dev);
	void *dev;

	spin_lock(&msi_lock);
	on_storm = m->on_storm;
	dev = m->storm_dev;
	spin_unlock(&msi_lock);
	if (on_storm)
		on_storm(dev);
}

static __attribute__((noinline)) void deliver_to_set(struct irq_msi *m,
						     struct vm *vm, u64 route)
{
	const struct vlapic_msg message = {
		.dest = (u32)(route >> ROUTE_DEST_SHIFT),
		.logical = route & ROUTE_LOGICAL,
		.mode = route >> ROUTE_MODE_SHIFT & 7,
		.vector = (u8)route,
		.trigger = TRIGGER_EDGE,
	};

	vlapic_deliver(vm, &message, &m->late);
}

/* Both of one owner: the row has no route while it changes owners, and the next
 * one need not have a vCPU of the number in the last one's */
static inline u64 route_read(const struct irq_msi *m, struct vm **vm)
{
	u64 route;

	do {
		route = READ_ONCE(m->route);
		*vm = READ_ONCE(m->vm);
	} while (unlikely(READ_ONCE(m->route) != route));
	return route;
}

/* False: it is nobody's any more */
static inline bool msi_deliver(struct irq_msi *m)
{
	struct vm *vm;
	u64 route = route_read(m, &vm);
	u32 dest = (u32)(route >> ROUTE_DEST_SHIFT);

	if (unlikely(!(route & ROUTE_VALID) || !vm))
		return false;
	if (likely(route & ROUTE_DIRECT))
		vlapic_post(vm->vcpus[dest], (u8)route, TRIGGER_EDGE);
	else
		deliver_to_set(m, vm, route);
	return true;
}

/* The source may have lost a message meanwhile: its driver looks once more */
static void msi_calm(struct storm *s)
{
	struct irq_msi *m = container_of(s, struct irq_msi, storm);

	storm_calm(s);
	storm_tell(m);
	msi_deliver(m);
}

static void msi_storm(struct irq_msi *m)
{
	char what[32];

	bh_snprintf(what, sizeof(what), "message of %02x:%02x.%u", m->bdf.bus,
		    pci_device(m->bdf), pci_function(m->bdf));
	storm_report(&m->storm, m->vm, what);
	storm_tell(m);
}

static void msi_arrived(struct irq *self)
{
	struct irq_msi *m = container_of(self, struct irq_msi, irq);

	if (msi_deliver(m) && unlikely(storm_count(&m->storm, MSI_STORM_MAX)))
		msi_storm(m);
}

/* The guest's message as a word; *@target: the vCPU to aim the hardware at, the
 * first of those it names, or else vCPU 0 */
static u64 route_word(struct vm *vm, const struct msi_message *guest,
		      struct vcpu **target)
{
	u32 dest = MSI_ADDR_DEST(guest->addr);
	u32 mode = APIC_DM_GET(guest->data);
	bool logical = guest->addr & MSI_ADDR_LOGICAL;
	u64 word = ROUTE_VALID | (guest->data & MSI_DATA_VECTOR);

	if (vlapic_match(vm, dest, logical, target) == 1 &&
	    mode <= APIC_DM_LOWEST)
		return word | ROUTE_DIRECT |
		       (u64)(*target)->id << ROUTE_DEST_SHIFT;
	if (!*target)
		*target = vm->vcpus[0];
	return word | (u64)dest << ROUTE_DEST_SHIFT | mode << ROUTE_MODE_SHIFT |
	       (logical ? ROUTE_LOGICAL : 0);
}

static bool may_tell(struct vm *vm)
{
	return ratelimit_pass(&vm->log_limit, rdtsc(), tsc_khz * 1000, 4);
}

static void row_push(struct irq_msi **list, struct irq_msi *m)
{
	m->next = *list;
	*list = m;
}

static struct irq_msi *row_pop(struct irq_msi **list)
{
	struct irq_msi *m = *list;

	if (m)
		*list = m->next;
	return m;
}

static void rows_add(struct vm *vm)
{
	struct irq_msi *rows = kmem_alloc(&vm->budget, MSI_ROWS_BYTES);

	for (u32 i = 0; rows && i < MSI_ROWS; i++) {
		rows[i].irq.fn = msi_arrived;
		rows[i].storm.calm = msi_calm;
		row_push(&free_rows, &rows[i]);
	}
}

static struct irq_msi *row_take(const struct irq_source *source)
{
	struct irq_msi *m = NULL;

	spin_lock(&msi_lock);
	if (source->in_steps)
		m = row_pop(&fixed_rows);
	if (!m && !free_rows)
		rows_add(source->vm);
	if (!m)
		m = row_pop(&free_rows);
	if (m) {
		m->vm = source->vm;
		m->bdf = source->bdf;
		changes++;
	}
	spin_unlock(&msi_lock);
	return m;
}

static void row_free(struct irq_msi *m)
{
	spin_lock(&msi_lock);
	m->on_storm = NULL;
	m->vm = NULL;
	changes++;
	row_push(m->at.vector ? &fixed_rows : &free_rows, m);
	spin_unlock(&msi_lock);
}

/* To a vector of @cpu, if a message can name @cpu and one is free */
static bool msi_move(struct irq_msi *m, struct pcpu *cpu)
{
	int vector = -ENOSPC;

	if (cpu->apic_id <= XAPIC_ID_MAX)
		vector = irq_place(&m->irq, cpu);
	if (vector < 0)
		return false;
	m->left = m->at;
	m->at = (struct host_place){ cpu, (u8)vector };
	return true;
}

/* To @cpu, or else to another core of the guest's */
static bool msi_find_core(struct irq_msi *m, struct pcpu *cpu)
{
	const struct vm *vm = m->vm;
	bool found = msi_move(m, cpu);

	for (u32 i = 0; !found && i < vm->vcpu_count; i++) {
		cpu = vm->vcpus[i]->entity.cpu;
		found = !irq_core_is_full(cpu) && msi_move(m, cpu);
	}
	return found;
}

static int msi_share(struct irq_msi *m, struct irq_source *source)
{
	int vector = irq_share(&m->irq);

	if (!source->told && may_tell(source->vm)) {
		source->told = true;
		log_warn("irq",
			 "%s: all interrupt vectors are taken: "
			 "%02x:%02x.%u %s",
			 source->vm->name, source->bdf.bus,
			 pci_device(source->bdf), pci_function(source->bdf),
			 vector < 0 ? "gets none"
				    : "shares one with other devices");
	}
	return vector;
}

/* One that stays the same on all cores */
static int msi_fix(struct irq_msi *m, struct irq_source *source)
{
	int vector = source->in_steps ? irq_alloc(&m->irq) : -ENOSPC;

	if (vector < 0)
		vector = msi_share(m, source);
	if (vector < 0)
		return vector;
	m->at = (struct host_place){ NULL, (u8)vector };
	return 0;
}

static int msi_place(struct irq_msi *m, struct irq_source *source,
		     struct pcpu *target)
{
	if (!m->at.vector && !source->in_steps && msi_find_core(m, target))
		return 0;
	if (!m->at.vector)
		return msi_fix(m, source);
	if (m->at.cpu && m->at.cpu != target)
		msi_move(m, target);
	return 0;
}

static int msi_place_new(struct irq_source *source, struct pcpu *target,
			 struct irq_msi **msi)
{
	struct irq_msi *m = row_take(source);
	int err = m ? msi_place(m, source, target) : -ENOSPC;

	if (!m && may_tell(source->vm))
		log_warn("irq", "no memory for another MSI of %s",
			 source->vm->name);
	if (m && err)
		row_free(m);
	if (!err)
		*msi = m;
	return err;
}

int irq_route_msi(struct irq_source *source, const struct msi_message *guest,
		  struct irq_msi **msi, struct msi_message *host)
{
	struct vcpu *target;
	struct pcpu *cpu;
	u64 route;
	int err;

	if ((guest->addr & MSI_ADDR_MASK) != MSI_ADDR_BASE ||
	    (guest->data & MSI_DATA_VECTOR) < APIC_FIRST_VECTOR)
		return -EINVAL;
	route = route_word(source->vm, guest, &target);
	cpu = irq_core(target);
	if (cpu->apic_id > XAPIC_ID_MAX)
		return -ENOTSUP;
	err = *msi ? msi_place(*msi, source, cpu)
		   : msi_place_new(source, cpu, msi);
	if (err)
		return err;
	WRITE_ONCE((*msi)->route, route);
	if ((*msi)->at.cpu)
		cpu = (*msi)->at.cpu;
	host->addr = MSI_ADDR_BASE | (u64)cpu->apic_id << MSI_ADDR_DEST_SHIFT;
	host->data = (*msi)->at.vector;
	return 0;
}

bool irq_msi_moves(const struct irq_msi *msi)
{
	return msi->left.vector;
}

void irq_msi_moved(struct irq_msi *msi)
{
	if (msi->left.vector)
		irq_retire(msi->left.cpu, msi->left.vector);
	msi->left.vector = 0;
}

void irq_msi_on_storm(struct irq_msi *msi, void (*on_storm)(void *dev),
		      void *dev)
{
	spin_lock(&msi_lock);
	msi->storm_dev = dev;
	msi->on_storm = on_storm;
	spin_unlock(&msi_lock);
}

bool irq_msi_throttled(const struct irq_msi *msi)
{
	return storm_throttled(&msi->storm);
}

void irq_unroute_msi(struct irq_msi *msi)
{
	struct host_place at = msi->at;

	WRITE_ONCE(msi->route, 0);
	irq_msi_moved(msi);
	if (at.cpu)
		irq_retire(at.cpu, at.vector);
	else if (at.vector >= VEC_SHARED_FIRST)
		irq_unshare(&msi->irq, at.vector);
	if (at.cpu || at.vector >= VEC_SHARED_FIRST)
		msi->at = (struct host_place){ NULL, 0 };
	row_free(msi);
}

bool irq_is_message(const struct irq *irq, const struct vm **vm,
		    struct pci_bdf *bdf)
{
	const struct irq_msi *m = container_of(irq, struct irq_msi, irq);

	if (irq->fn != msi_arrived)
		return false;
	spin_lock(&msi_lock);
	*vm = m->vm;
	*bdf = m->bdf;
	spin_unlock(&msi_lock);
	return true;
}

u64 irq_message_changes(void)
{
	u64 count;

	spin_lock(&msi_lock);
	count = changes;
	spin_unlock(&msi_lock);
	return count;
}
