/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The machine's functions between two lives of the privileged guest. What its
 * drivers had them do goes on without it: they write to its memory and send
 * messages. So messages and bus mastering go off first, of all functions; what
 * is on its way arrives; then those that were bus masters are reset, all that
 * go one way of the ladder at a time (passthrough_reset.c), so that a wait is
 * one for all.
 *
 * A table of phases, each a visit to every known function. Nothing here waits:
 * a phase that needs time lets the boot vCPU come back. passthrough.lock is
 * taken for a function at a time, as storms' hooks want it, too; the list of
 * functions does not change, as no vCPU runs.
 */
#include "arch/x86/machine/tsc.h"
#include "hv/assign/passthrough_priv.h"
#include "include/hw/pci.h"
#include "lib/log.h"

/* What a request may take before its sender gives up, and what a function may
 * take behind a reset (PCIe 4.0, 2.8, 6.6.1, 6.6.2, 5.3.1.4; PCI-to-PCI Bridge
 * 1.2, 3.2.5.17). Linux waits longer for some, which then are left as they are.
 */
#define PENDING_MS    100u
#define FLR_MS        100u
#define D3_MS         10u
#define BUS_MS        2u
#define BUS_READY_MS  100u
#define ANSWER_MS     1000u
#define POLL_MS       1u
#define WAKE_MS       2000u /* all, from the root on; */
#define LINK_MS       100u  /* each twice, also those above it */
#define WITHOUT_BOUND ~0u

struct phase {
	enum reset_way way; /* whose functions; RESET_NONE: all */
	/* False: it is not ready; it is visited again, for @within_ms */
	bool (*visit)(struct vfunc *f, const struct piece *piece);
	u32 within_ms;
	u32 wait_ms; /* behind it, if there was such a function */
	u32 rest_ms; /* before one is visited again */
};

/* --- what is done to one function --- */

/* The hypervisor's, bridges, and what only has registers pass requests on, or
 * have none: as they are */
static bool may_be_master(const struct vfunc *f)
{
	return !f->kept && !f->fixed && !f->bridge;
}

static void master_off(struct vfunc *f)
{
	u32 command = pci_read(f->bdf, PCI_COMMAND, 2);

	f->decode_due = false;
	f->reset.master = command & PCI_COMMAND_MASTER;
	f->reset.command =
		(u16)(command & ~(PCI_COMMAND_MASTER | PCI_COMMAND_INTX_OFF));
	/* A read behind it: what was written before has arrived */
	pci_write(f->bdf, PCI_COMMAND, 2,
		  (command & ~PCI_COMMAND_MASTER) | PCI_COMMAND_INTX_OFF);
	(void)pci_read(f->bdf, PCI_COMMAND, 2);
}

static bool wake(struct vfunc *f, const struct piece *piece)
{
	return passthrough_reset_wake(f);
}

static bool stop(struct vfunc *f, const struct piece *piece)
{
	bool present = !f->kept && passthrough_func_present(f);

	f->reset.sleep = SLEEP_UNKNOWN; /* in the next life */
	f->reset.master = false;
	if (present && may_be_master(f))
		master_off(f);
	return true;
}

static bool silence(struct vfunc *f, const struct piece *piece)
{
	bool present = !f->kept && passthrough_func_present(f);

	passthrough_msi_quiet(f, present);
	return passthrough_msix_quiet(f, present, piece);
}

static bool vfs_off(struct vfunc *f, const struct piece *piece)
{
	if (!f->is_vf && passthrough_func_present(f))
		passthrough_sriov_silence(f);
	return true;
}

/* Are its requests under way? Of one that says so; nobody knows of others. */
static bool is_pending(const struct vfunc *f)
{
	u16 pcie = (u16)(f->caps.pcie + PCI_PCIE_STATUS);
	u16 af = (u16)(f->caps.af + PCI_AF_STATUS);

	if (f->caps.pcie)
		return pci_read(f->bdf, pcie, 2) & PCI_PCIE_STATUS_PENDING;
	return f->caps.af && pci_read(f->bdf, af, 1) & PCI_AF_STATUS_PENDING;
}

static bool arrived(struct vfunc *f, const struct piece *piece)
{
	return !f->reset.master || !passthrough_func_present(f) ||
	       !is_pending(f);
}

static bool choose(struct vfunc *f, const struct piece *piece)
{
	passthrough_reset_choose(f);
	return true;
}

static bool look(struct vfunc *f, const struct piece *piece)
{
	return passthrough_reset_look(f, piece);
}

static bool agree(struct vfunc *f, const struct piece *piece)
{
	passthrough_reset_agree(f);
	return true;
}

static bool count(struct vfunc *f, const struct piece *piece)
{
	if (f->reset.master && f->reset.way == RESET_NONE && !f->is_vf)
		f->pci->quiet.unreset++;
	return true;
}

static bool save(struct vfunc *f, const struct piece *piece)
{
	passthrough_reset_save(f);
	return true;
}

static bool begin(struct vfunc *f, const struct piece *piece)
{
	passthrough_reset_begin(f);
	return true;
}

static bool release(struct vfunc *f, const struct piece *piece)
{
	passthrough_reset_release(f);
	return true;
}

/* Done once: it is visited again as long as others are not ready */
static bool over(struct vfunc *f, const struct piece *piece)
{
	if (!passthrough_reset_over(f))
		return false;
	f->reset.way = RESET_NONE;
	return true;
}

static bool report_silent(struct vfunc *f, const struct piece *piece)
{
	if (f->reset.way != RESET_NONE)
		log_warn("pci",
			 "%02x:%02x.%u does not answer after its reset: it is "
			 "left alone",
			 f->bdf.bus, pci_device(f->bdf), pci_function(f->bdf));
	return true;
}

static const struct phase phases[] = {
	{ RESET_NONE, wake, WAKE_MS, 0, LINK_MS },
	{ RESET_NONE, stop, 0, 0, 0 },
	{ RESET_NONE, silence, WITHOUT_BOUND, 0, 0 },
	/* While there are VFs, theirs can be asked for, too */
	{ RESET_NONE, arrived, PENDING_MS, 0, POLL_MS },
	{ RESET_NONE, vfs_off, 0, 0, 0 },
	{ RESET_NONE, choose, 0, 0, 0 },
	{ RESET_BUS, look, WITHOUT_BOUND, 0, 0 },
	{ RESET_NONE, agree, 0, 0, 0 },
	{ RESET_NONE, count, 0, 0, 0 },
	{ RESET_FLR, save, 0, 0, 0 },
	{ RESET_FLR, begin, 0, FLR_MS, 0 },
	{ RESET_FLR, over, ANSWER_MS, 0, POLL_MS },
	{ RESET_PM, save, 0, 0, 0 },
	{ RESET_PM, begin, 0, D3_MS, 0 },
	{ RESET_PM, release, 0, D3_MS, 0 },
	{ RESET_PM, over, ANSWER_MS, 0, POLL_MS },
	{ RESET_BUS, save, 0, 0, 0 },
	{ RESET_BUS, begin, 0, BUS_MS, 0 },
	{ RESET_BUS, release, 0, BUS_READY_MS, 0 },
	{ RESET_BUS, over, ANSWER_MS, 0, POLL_MS },
	{ RESET_NONE, report_silent, 0, 0, 0 },
};

/* --- the walk --- */

/* Ends for good where time stands still, which a test may make it do */
static u64 time_after(u32 ms)
{
	return rdtsc() + ns_to_tsc((u64)ms * NS_PER_MS);
}

static struct vfunc *next(const struct passthrough *pci, struct quiet *q)
{
	while (!q->at && q->bucket < PASSTHROUGH_HASH)
		q->at = pci->hash[q->bucket++];
	return q->at;
}

/* One function. False: all have been visited. */
static bool visit(struct passthrough *pci, const struct phase *p,
		  const struct piece *piece)
{
	struct quiet *q = &pci->quiet;
	struct vfunc *f = next(pci, q);

	if (!f)
		return false;
	q->at = f->next;
	if (p->way != RESET_NONE && f->reset.way != p->way)
		return true;
	q->acted = true;
	q->again |= !p->visit(f, piece);
	return true;
}

static void rewind(struct quiet *q)
{
	q->bucket = 0;
	q->at = NULL;
	q->again = false;
}

/* All functions of a phase were visited. True: the phase is over. */
static bool settle(struct quiet *q, const struct phase *p)
{
	bool patient = p->within_ms == WITHOUT_BOUND || rdtsc() < q->end;

	if (q->again && p->within_ms && patient) {
		rewind(q);
		q->rest = time_after(p->rest_ms);
		return false;
	}
	q->waits = q->acted && p->wait_ms;
	q->end = time_after(p->wait_ms);
	return !q->waits;
}

static void next_phase(struct quiet *q)
{
	q->phase++;
	q->begun = q->acted = q->waits = false;
	q->rest = 0;
	rewind(q);
}

/* True: there is more to do at once */
static bool step(struct passthrough *pci, const struct piece *piece)
{
	struct quiet *q = &pci->quiet;
	const struct phase *p = &phases[q->phase];
	bool more;

	if (q->waits) {
		if (rdtsc() < q->end)
			return false;
		next_phase(q);
		return true;
	}
	if (q->rest && rdtsc() < q->rest)
		return false;
	if (!q->begun) {
		q->begun = true;
		q->end = time_after(p->within_ms);
	}
	spin_lock(&pci->lock);
	more = visit(pci, p, piece);
	spin_unlock(&pci->lock);
	if (more)
		return true;
	if (!settle(q, p))
		return !q->waits;
	next_phase(q);
	return true;
}

static void finish(struct passthrough *pci)
{
	if (pci->quiet.unreset)
		log_info("pci",
			 "%u functions that were bus masters cannot be reset: "
			 "they are none any more",
			 pci->quiet.unreset);
	pci->quiet = (struct quiet){ 0 };
	/* Instructions of the last life that are not over */
	for (u32 i = 0; i < pci->vm->vcpu_count; i++)
		pci->bus_writes[i].due = false;
}

bool passthrough_quiet_step(struct vm *vm, u64 *until)
{
	struct passthrough *pci = vm->devices[VDEV_passthrough];
	struct quiet *q = &pci->quiet;
	struct piece piece = piece_begin();

	*until = 0;
	while (q->phase < ARRAY_SIZE(phases)) {
		if (!step(pci, &piece)) {
			*until = q->waits ? q->end : q->rest;
			return false;
		}
		if (piece_over(&piece))
			return false;
	}
	if (!passthrough_virtuals_reset(pci))
		return false;
	finish(pci);
	return true;
}
