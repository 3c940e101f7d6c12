/* SOURCES: hv/control/device.c hv/control/ring.c hv/control/dispatch.c hv/control/events.c hv/control/guests.c hv/control/machine.c hv/control/consoles.c hv/control/dynamic.c hv/control/announce.c hv/control/inspect.c hv/control/debug.c hv/assign/vtd.c hv/assign/vtd_walk.c hv/device/pci/pci_fn.c hv/control/devices.c hv/control/doorbell.c hv/device/virtio/served.c hv/device/virtio/served_back.c hv/device/virtio/virtio_pci.c hv/device/virtio/virtio_common.c hv/device/virtio/virtio_irq.c hv/device/pci/pci_bus.c hv/device/pci/pci_bus_fn.c hv/device/pci/pci_bus_bar.c hv/device/pci/pci_bus_irq.c hv/device/pci/pci_msix.c hv/core/bus.c hv/core/slots.c hv/core/exit.c hv/core/last_exit.c lib/last_exit_text.c lib/string.c hv/control/meter.c hv/control/trace.c arch/x86/machine/trace.c hv/control/audit.c hv/control/audit_machine.c mm/pt.c mm/pt_format.c hv/control/set.c hv/manifest/values.c sched/keys.c lib/printf.c hv/load/staged_list.c hv/manifest/lookup.c hv/manifest/keys.c hv/manifest/values_serial.c hv/manifest/values_device.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * libFuzzer target for the control device with its real code, its IOMMU
 * included: a stream of writes to its registers, to its config space, to the
 * IOMMU and to memory, where rings and tables are, and of what guests, their
 * served devices and consoles do meanwhile. No access leaves guest memory, a
 * step is bounded, what is closed does nothing, and the device can be opened
 * once more at the end. Over 400 lines: what stands behind the device is made
 * up.
 */
#include "arch/x86/machine/irq.h"
#include "arch/x86/machine/tsc.h"
#include "drivers/acpi/acpi.h"
#include "hv/assign/passthrough.h"
#include "hv/console/console.h"
#include "hv/control/control.h"
#include "hv/core/meter.h"
#include "hv/core/quiesce.h"
#include "hv/core/slots.h"
#include "hv/device/pc/vpm.h"
#include "hv/device/virtio/served.h"
#include "hv/device/virtio/virtio.h"
#include "hv/irq/route.h"
#include "hv/irq/vlapic.h"
#include "hv/load/load.h"
#include "hv/load/staged.h"
#include "hv/policy/msr.h"
#include "hv/vm/debug.h"
#include "hv/vm/dynamic.h"
#include "hv/vm/kept.h"
#include "hv/vm/pool.h"
#include "hv/vm/privileged.h"
#include "include/bulkhead/control.h"
#include "include/hw/pci.h"
#include "include/hw/vtd.h"
#include "lib/errno.h"
#include "mm/owner.h"
#include "mm/pt_format.h"
#include "tests/unit/fakes/guest_ram.h"
#include "tests/unit/fakes/timer.h"
#include "tests/unit/fakes/vdev.h"

#define STEPS_MAX 256
#define RAM_BYTES KIB(64)
#define AREA      1u /* page number */
#define ROOT      0x6000u
#define CONTEXT   0x7000u
#define TABLES    0x8000u /* levels 4 to 1 */
#define DEVFN     0x78u
#define GUESTS    3u
#define ROUNDS    2000u /* steps of commands that one write may take */

struct vm *vms[VM_MAX];
u32 vm_count;
struct vm *vm_privileged;
struct pcpu *pcpus[MAX_CPUS];
u32 pcpu_count;

static struct vm others[GUESTS];
static struct vcpu other_vcpus[GUESTS];
static struct pci_fn *fn;
static u8 *pages;
static void (*on_spoken)(void);
static bool spoken[GUESTS + 2], any_spoken;

hpa_t virt_to_hpa(const void *va)
{
	return HPA(0xf00000);
}

int passthrough_virtual_add(struct pci_fn *f, const u8 header[64])
{
	pages = pmm_alloc_bytes(&f->vm->budget, PCI_FN_BYTES);
	fn = f;
	f->devfn = DEVFN;
	pci_fn_init(f, pages, header);
	return 0;
}

void passthrough_virtual_remove(struct pci_fn *f)
{
	abort();
}

u32 vlapic_deliver(struct vm *vm, const struct vlapic_msg *m,
		   struct vlapic_late *late)
{
	if ((vm != &fake_vm && !vm->virtio) || m->vector < 16)
		abort();
	return 1;
}

void vcpu_post(struct vcpu *v, u32 event_bits)
{
	v->events |= event_bits;
}

void vcpu_post_here(struct vcpu *v, u32 event_bits)
{
	v->events |= event_bits;
}

void vm_end(struct vm *vm, enum vm_end how, const char *reason)
{
	if (vm == &fake_vm || vm->end != VM_END_NONE)
		abort();
	vm->end = how;
	vm->end_reason = reason;
	vm_changed();
}

u64 vm_number(const struct vm *vm)
{
	return vm->number;
}

struct vm *vm_numbered(u64 id)
{
	for (u32 i = 0; i < vm_count; i++)
		if (vms[i] && vms[i]->number == id)
			return vms[i];
	return NULL;
}

enum bh_ctl_state dynamic_state(const struct vm *vm)
{
	return vm->zeroing.claimed % (BH_CTL_GONE + 1);
}

bool dynamic_is_granted(const struct vm *vm)
{
	return false;
}

/* A guest that stands is looked into: what there is of it is made up, and no
 * look may reach another's memory */
const struct vcpu_regs *kept_of(const struct vcpu *v)
{
	return v->vm->zeroing.claimed & 256 ? &v->kept : NULL;
}

int kept_change(struct vcpu *v, const struct vcpu_regs *r)
{
	v->kept = *r;
	return r->rip & 1 ? -EINVAL : 0;
}

int gva_find(struct vcpu *v, const struct vcpu_regs *r, gva_t gva, gpa_t *gpa)
{
	*gpa = GPA(gva.v);
	return gva.v & 1 ? -EFAULT : 0;
}

void window_flush(void)
{
}

int debug_attach(struct vm *vm)
{
	vm->debug.mode = VM_DEBUG_STANDS;
	return 0;
}

int debug_stop(struct vm *vm)
{
	return vm->debug.mode == VM_NOT_DEBUGGED ? -ENOENT : 0;
}

int debug_detach(struct vm *vm)
{
	vm->debug.mode = VM_NOT_DEBUGGED;
	return 0;
}

void debug_detach_all(void)
{
	for (u32 i = 0; i < GUESTS; i++)
		(void)debug_detach(&others[i]);
}

int debug_go(struct vm *vm, const struct debug_go *how)
{
	u64 sum = 0;

	for (u32 i = 0; i < how->count; i++)
		sum += how->breakpoints[i].length;
	vm->debug.mode = VM_DEBUG_GOES;
	return sum & 1 ? -EINVAL : 0;
}

/* Tags that an answer is owed to */
static u32 owed[256], owed_count;
static u32 making; /* steps until a guest is made */
static void (*on_news)(void);
static volatile u32 read_sum; /* so that all is read */

static s32 dynamic_owe(u32 tag, struct dynamic_why *why)
{
	if (tag & 1024) {
		strcpy(why->text, "it was told to fail");
		return -BH_CTL_ESTATE;
	}
	owed[owed_count++ % ARRAY_SIZE(owed)] = tag;
	return 0;
}

s32 dynamic_create(const char *text, u32 len, const struct bh_ctl_range *ranges,
		   u32 count, struct dynamic_why *why)
{
	u32 sum = 0;

	if (making)
		abort();
	/* All of it is there */
	for (u32 i = 0; i < len; i++)
		sum += (u8)text[i];
	for (u32 i = 0; i < count; i++)
		sum += (u32)ranges[i].size;
	read_sum = sum;
	making = 1 + len % 8;
	return 0;
}

s32 dynamic_create_step(u32 tag, u64 *id, struct dynamic_why *why)
{
	if (!making)
		abort();
	return --making ? DYNAMIC_GOES_ON : dynamic_owe(tag, why);
}

void dynamic_create_abandon(void)
{
	making = 0;
}

/* --- the files of a start --- */

static const struct guest_config definitions[] = {
	{ .kernel = "k", .initrd = "i" },
	{ .kernel = "k", .initrd = "i", .firmware = "f" },
	{ .kernel = "k",
	  .fwcfg_count = 2,
	  .fwcfg = { { .file = "a" }, { .file = "k" } } },
};

const char *firmware_name(const struct guest_config *c)
{
	return c->firmware[0] ? c->firmware : NULL;
}

/* As it was given, or with a name and a place that may be right */
static struct bh_ctl_file file_given(const struct bh_ctl_file *f)
{
	struct bh_ctl_file out = *f;

	if (f->size & 1)
		return out;
	memset(out.name, 0, sizeof(out.name));
	out.name[0] = "kKiIfa"[(u8)f->name[0] % 6];
	out.offset = f->offset % 8192 * (f->size & 2 ? PAGE_SIZE : MIB(1));
	out.size = (f->size >> 2) % MIB(20);
	if (f->size & 2)
		out.size = ALIGN_UP(out.size, PAGE_SIZE);
	return out;
}

static u64 end_of(const struct image *f)
{
	return f->hpa + ALIGN_UP(f->size, PAGE_SIZE);
}

/* Whole, in the guest's memory, and RAM or no RAM as it should be */
static void judge_file(const struct vm *vm, const struct staged *s, u32 i)
{
	const struct image *f = &s->files[i];
	bool ram = f->hpa < s->ram_end;
	hpa_t hpa;
	u64 left;

	if (!f->size || f->hpa < MIB(1) || !IS_ALIGNED(f->hpa, PAGE_SIZE) ||
	    !vm_held(vm, GPA(f->hpa), &hpa, &left) ||
	    !vm_held(vm, GPA(end_of(f) - 1), &hpa, &left))
		abort();
	if (ram &&
	    (end_of(f) > s->ram_end || staged_stays(vm->config, f->name)))
		abort();
	for (u32 j = 0; j < i; j++)
		if (s->files[j].hpa < end_of(f) &&
		    f->hpa < end_of(&s->files[j]))
			abort();
}

/* A list that is taken makes sense: of a guest with 3 GiB, some of which was no
 * RAM at its last start */
static void judge(const struct bh_ctl_file *list, u32 count)
{
	static struct vm vm;
	static struct staged s;

	vm.config = &definitions[count % ARRAY_SIZE(definitions)];
	vm.slot_count = 1;
	vm.kept_count = 2;
	vm.slots[0] = (struct vm_slot){ 0, GIB(8), GIB(1), false };
	vm.slots[1] = (struct vm_slot){ GIB(1), GIB(9), GIB(1), false };
	vm.slots[2] = (struct vm_slot){ GIB(4), GIB(16), GIB(1), false };
	if (staged_note(&vm, &s, list, count)) {
		if (s.count)
			abort();
		return;
	}
	if (s.count != count || s.ram_end < MIB(2) ||
	    (s.ram_end != STAGED_ALL_RAM && !IS_ALIGNED(s.ram_end, PAGE_2M)))
		abort();
	for (u32 i = 0; i < count; i++)
		judge_file(&vm, &s, i);
}

s32 dynamic_start(u64 id, const struct bh_ctl_file *files, u32 count, u32 tag,
		  struct dynamic_why *why)
{
	static struct bh_ctl_file list[BH_CTL_IN_MAX / sizeof(*files)];

	if (count > ARRAY_SIZE(list))
		abort();
	for (u32 i = 0; i < count; i++)
		list[i] = file_given(&files[i]);
	judge(list, count);
	return dynamic_owe(tag, why);
}

s32 dynamic_end(u64 id, enum bh_ctl_end how, u32 tag, struct dynamic_why *why)
{
	if (how > BH_CTL_END_DESTROY)
		abort();
	return how == BH_CTL_END_BUTTON ? 1 : dynamic_owe(tag, why);
}

/* A static guest that has ended: it is made ready once more */
bool vm_start_again(struct vm *vm)
{
	if (vm->state != VM_STOPPED)
		abort();
	vm->state = VM_RUNNING;
	vm->end = VM_END_NONE;
	vm->runs = vm->number & 1;
	return true;
}

s32 dynamic_pause(u64 id, u32 tag, struct dynamic_why *why)
{
	return dynamic_owe(tag, why);
}

s32 dynamic_resume(u64 id, struct dynamic_why *why)
{
	return 1;
}

bool dynamic_news(struct bh_ctl_event *event, struct dynamic_why *why,
		  bool *lost)
{
	*lost = owed_count & 8;
	if (!owed_count)
		return false;
	owed_count--;
	*event = (struct bh_ctl_event){
		.type = owed_count & 1 ? BH_CTL_EVENT_ANSWER
				       : BH_CTL_EVENT_STATE,
		.tag = owed[owed_count % ARRAY_SIZE(owed)],
	};
	strcpy(why->text, "news");
	return true;
}

void dynamic_on_news(void (*fn)(void))
{
	on_news = fn;
}

void privileged_say(enum privileged_word word)
{
}

void dynamic_forget_news(void)
{
	owed_count = 0;
}

u32 pool_range_count(void)
{
	return 1;
}

struct bh_ctl_range pool_range(u32 i)
{
	if (i)
		abort();
	return (struct bh_ctl_range){ .size = 1 };
}

bool pool_run(u32 *unit, struct bh_ctl_range *range, u16 *vm)
{
	if (*unit >= 3)
		return false;
	*range = pool_range((*unit)++);
	*vm = 1;
	return true;
}

u64 pmm_free_pages(void)
{
	return 5;
}

hpa_t pool_scratch(void)
{
	return HPA(0);
}

u64 pool_changes(void)
{
	return 0;
}

/* An empty table of a guest's */
static u64 empty_table[512];
void *hpa_to_virt(hpa_t hpa)
{
	return empty_table;
}

static u32 msr_passes(const struct vm_intercepts *i, u32 msr)
{
	return msr & 3;
}

static u8 ports_pass(const struct vm_intercepts *i, u16 first)
{
	return (u8)(first >> 8);
}

static const struct vcpu_ops backend = { .msr_passes = msr_passes,
					 .ports_pass = ports_pass };
const struct vcpu_ops *vcpu_ops = &backend;

u32 msr_policy_passes(const struct vm *vm, u32 msr)
{
	return msr & 1;
}

/* It ends where the last address does */
struct extent owner_find(hpa_t hpa)
{
	if (hpa.v >= BIT(52))
		abort();
	return (struct extent){ .base = ALIGN_DOWN(hpa.v, BIT(44)),
				.size = BIT(44),
				.kind = (enum owner_kind)(hpa.v >> 44) % 8 };
}

u64 owner_changes(void)
{
	return 0;
}

struct irq *irq_bound(const struct pcpu *cpu, u8 vector, u32 member)
{
	static struct irq irq;

	if (member >= IRQ_SHARE_MAX)
		abort();
	return vector % 5 ? NULL : &irq;
}

u32 irq_bound_count(void)
{
	return 0;
}

u64 irq_changes(void)
{
	return 0;
}

u64 irq_pin_changes(void)
{
	return 0;
}

u64 irq_message_changes(void)
{
	return 0;
}

bool irq_is_pin(const struct irq *irq, const struct vm **vm, u32 *gsi)
{
	return false;
}

bool irq_is_message(const struct irq *irq, const struct vm **vm,
		    struct pci_bdf *bdf)
{
	*vm = &fake_vm;
	*bdf = (struct pci_bdf){ 0 };
	return true;
}

bool passthrough_list(struct vm *vm, u32 *at, struct passthrough_entry *entry)
{
	*entry = (struct passthrough_entry){ 0 };
	return (*at)++ < 100;
}

u64 passthrough_changes(struct vm *vm)
{
	return 0;
}

u64 pool_bytes(void)
{
	return 1;
}

u64 pool_free_bytes(void)
{
	return 1;
}

void sched_set_cap(struct sched_entity *e, u32 percent)
{
	WRITE_ONCE(e->cap, percent);
}

u64 sched_run_ticks(const struct sched_entity *e)
{
	return e->run_tsc;
}

u64 sched_idle_ticks(const struct pcpu *cpu)
{
	return 1;
}

u64 stretch_longest(u32 id)
{
	return 1;
}

u64 stretch_too_long(u32 id)
{
	return 1;
}

void meter_switch(enum bh_ctl_metering what)
{
	if (what >= BH_CTL_METERINGS)
		abort();
	metering = what;
}

void meter_trace(bool on)
{
	if (on && !fake_pcpus[0].trace)
		abort();
}

/* Each core lets go by the second look */
static u32 quiet;

struct quiesce quiesce_ask(void)
{
	quiet = 0;
	return (struct quiesce){ 0 };
}

bool quiesce_over(struct quiesce *q)
{
	return quiet++;
}

u64 owner_bytes(enum owner_kind kind, u16 vm)
{
	return 1;
}

int acpi_node_of_core(u32 apic_id)
{
	return -1;
}

bool vpm_power_button(struct vm *vm)
{
	return vm->number & 1;
}

bool console_of(const struct vm *vm, u64 *id)
{
	*id = vm->id + 1u;
	return true;
}

u32 console_follow(u64 id, u64 *at, char *buf, u32 max, u64 *end)
{
	if (id >= ARRAY_SIZE(spoken) || max > BH_CTL_OUT_MAX)
		abort();
	*end = 100;
	memset(buf, 'x', max);
	return max;
}

bool console_any_spoken(void)
{
	bool was = any_spoken;

	any_spoken = false;
	return was;
}

bool console_spoken(u64 id)
{
	bool was = spoken[id];

	spoken[id] = false;
	return was;
}

void console_on_spoken(void (*f)(void))
{
	on_spoken = f;
}

bool console_type_at(u64 id, u8 byte)
{
	return byte & 1;
}

static void put(u32 gpa, u64 value)
{
	memcpy(fake_ram + gpa, &value, sizeof(value));
}

static void tables_fill(void)
{
	const u64 rw = VTD_SL_READ | VTD_SL_WRITE;

	put(ROOT, CONTEXT | VTD_PRESENT);
	put(CONTEXT + DEVFN * VTD_ENTRY_BYTES, TABLES | VTD_PRESENT);
	put(CONTEXT + DEVFN * VTD_ENTRY_BYTES + 8, VTD_AW_48);
	for (u32 i = 0; i < 3; i++)
		put(TABLES + i * 0x1000, (TABLES + (i + 1) * 0x1000) | rw);
	for (u32 i = 1; i < 6; i++)
		put(TABLES + 0x3000 + i * 8, i << PAGE_SHIFT | rw);
}

/* The first guest has two devices that are served */
static const struct guest_config served = {
	.device_count = 2,
	.devices = { { .type = 2, .queues = 3, .config_bytes = 60 },
		     { .type = 1, .queues = 1 } },
};

static void served_make(struct vm *vm)
{
	vm->config = &served;
	if (bus_init(&vm->ports, &vm->budget, 8) ||
	    bus_init(&vm->mmio, &vm->budget, 8) || pci_bus_vdev.create(vm) ||
	    served_vdev.create(vm))
		abort();
}

static void served_unmake(struct vm *vm)
{
	if (!vm->devices[VDEV_served])
		return;
	served_vdev.destroy(vm);
	pci_bus_vdev.destroy(vm);
	bus_destroy(&vm->ports, &vm->budget);
	bus_destroy(&vm->mmio, &vm->budget);
}

static void guests_make(void)
{
	served_unmake(&others[0]);
	memset(others, 0, sizeof(others));
	memset(other_vcpus, 0, sizeof(other_vcpus));
	vms[0] = &fake_vm;
	fake_vm.number = 1;
	fake_vm.privileged = true;
	fake_vm.state = VM_RUNNING;
	fake_vm.runs = true;
	for (u32 i = 0; i < GUESTS; i++) {
		others[i].id = (u16)(i + 1);
		others[i].number = i + 2;
		others[i].state = VM_RUNNING;
		others[i].runs = true;
		others[i].vcpu_count = 1;
		others[i].npt.fmt = &pt_ept;
		others[i].vcpus[0] = &other_vcpus[i];
		other_vcpus[i].entity.cpu = &fake_pcpus[0];
		other_vcpus[i].vm = &others[i];
		vms[i + 1] = &others[i];
	}
	served_make(&others[0]);
	vm_count = GUESTS + 1;
	pcpus[0] = &fake_pcpus[0];
	pcpu_count = 1;
}

/* The vCPU goes on only when nothing waits: that is not for ever */
static void settle(void)
{
	u32 rounds = 0;

	if (fake_timer)
		fake_timer_fire();
	while (fake_vcpus[0].events & VE_CONTROL) {
		fake_vcpus[0].events &= ~(u32)VE_CONTROL;
		control_go_on(&fake_vcpus[0]);
		if (++rounds == ROUNDS)
			abort();
	}
}

static u32 status(void)
{
	return (u32)fn->ops->bar_read(&fake_vcpus[0], fn, BH_CTL_BAR_REGS,
				      BH_CTL_STATUS, 4);
}

static void reg(u32 offset, u32 value)
{
	fn->ops->bar_write(&fake_vcpus[0], fn, BH_CTL_BAR_REGS, offset, 4,
			   value);
	settle();
}

static void remap(u32 offset, u8 size, u64 value)
{
	bus_write(&fake_vm.mmio, &fake_vcpus[0], fake_vm.remap.base + offset,
		  size, value);
}

static void config(u32 offset, u8 size, u32 value)
{
	pci_fn_config_write(fn, offset, size, value);
	fn->ops->config_written(fn, offset, size);
	settle();
}

struct step {
	u8 what, where;
	u16 offset;
	u64 value;
} __packed;

static void guest_changes(const struct step *s)
{
	struct vm *vm = &others[s->where % GUESTS];

	vm->state = s->value % 3;
	vm->end = vm->state == VM_STOPPED ? VM_END_POWER_OFF : VM_END_NONE;
	vm->end_reason = vm->end == VM_END_NONE ? NULL : "why";
	vm->tsc_start = s->offset;
	vms[vm->id] = s->value & 8 ? NULL : vm;
	vm->dynamic = s->value & 16 ? (void *)vm : NULL;
	vm->zeroing.claimed = s->offset;
	vm_changed();
	on_news();
}

/* Its driver writes to a register, or it starts or ends */
static void driver_does(const struct step *s)
{
	struct virtio *d = others[0].virtio;

	if (s->where & 0x80)
		d = d->next;
	switch (s->where >> 2 & 7) {
	case 0:
		served_end(&others[0]);
		break;
	case 1:
		pci_bus_vdev.reset(&others[0]);
		served_vdev.reset(&others[0]);
		break;
	case 2:
		d->fn.config[PCI_COMMAND] = (u8)s->value;
		break;
	case 3:
		d->fn.ops->bar_write(&other_vcpus[0], &d->fn, 0,
				     s->value % 2 ? VIRTIO_STATUS : 0x1000, 1,
				     s->offset);
		break;
	default:
		d->fn.ops->bar_write(&other_vcpus[0], &d->fn, 0,
				     s->offset & 0x3fff, 1u << (s->where & 3),
				     s->value);
		break;
	}
}

static void console_says(const struct step *s)
{
	spoken[s->where % ARRAY_SIZE(spoken)] = true;
	any_spoken = true;
	on_spoken();
}

/* Rings, tables and data are in the first pages */
static void memory_changes(const struct step *s)
{
	u32 at = (s->where % 12 << PAGE_SHIFT) + s->offset % 4089;

	memcpy(fake_ram + at, &s->value, sizeof(s->value));
}

static void indexes_change(const struct step *s)
{
	struct bh_ctl_area *area = (void *)(fake_ram + AREA * PAGE_SIZE);

	if (s->where & 1)
		area->index.command_tail += s->offset % 66;
	if (s->where & 2)
		area->index.event_head = area->index.event_tail;
}

static void do_step(const struct step *s)
{
	static const u8 sizes[] = { 1, 2, 4, 8 };
	u8 size = sizes[s->where & 3];

	switch (s->what % 11) {
	case 0:
		memory_changes(s);
		break;
	case 1:
		indexes_change(s);
		reg(BH_CTL_SUBMIT, 1);
		break;
	case 2:
		reg(BH_CTL_OPEN, s->where & 1 ? AREA : (u32)s->value % 20);
		break;
	case 3:
		fn->ops->bar_write(&fake_vcpus[0], fn,
				   s->where & 4 ? BH_CTL_BAR_MSIX
						: BH_CTL_BAR_REGS,
				   s->where & 4 ? s->offset & ~(size - 1u)
						: s->offset & 0x38,
				   size, s->value);
		settle();
		break;
	case 4:
		config(s->offset % 0x50 & ~3u, 4, (u32)s->value);
		break;
	case 5:
		remap(s->offset & 0xff8, size, s->value);
		break;
	case 6:
		guest_changes(s);
		settle();
		break;
	case 7:
		console_says(s);
		settle();
		break;
	case 8:
		tables_fill();
		remap(VTD_RTADDR, 8, ROOT);
		remap(VTD_GCMD, 4, s->where & 1 ? VTD_G_RTP | VTD_G_TE : 0);
		break;
	case 9:
		driver_does(s);
		settle();
		break;
	default:
		config(PCI_COMMAND, 2, s->where);
		break;
	}
}

/* Other events may come with it */
static bool is_answered(const struct bh_ctl_area *area, u32 tag)
{
	u32 n = 0;

	for (u32 i = 0; i < area->index.event_tail && i < BH_CTL_EVENTS; i++)
		n += area->events[i].type == BH_CTL_EVENT_ANSWER &&
		     area->events[i].tag == tag && !area->events[i].status;
	return n == 1;
}

/* Whatever has become of it */
static void open_again(void)
{
	struct bh_ctl_area *area = (void *)(fake_ram + AREA * PAGE_SIZE);

	remap(VTD_GCMD, 4, 0);
	config(PCI_COMMAND, 2, PCI_COMMAND_MASTER);
	reg(BH_CTL_OPEN, 0);
	area->index.command_tail = 0;
	area->index.event_head = 0;
	reg(BH_CTL_OPEN, AREA);
	if (status() != BH_CTL_IS_OPEN)
		abort();
	area->commands[0] = (struct bh_ctl_command){
		.op = BH_CTL_OP_INFO, .tag = 77, .out = 0x5000, .out_bytes = 256
	};
	area->index.command_tail = 1;
	reg(BH_CTL_SUBMIT, 1);
	if (!is_answered(area, 77))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The device lives as long as its guest, so one is made for all inputs */
static void device_make(void)
{
	fake_vm_init(1);
	fake_ram_init(RAM_BYTES, 0);
	fake_vm.phys_bits = 36;
	fake_vcpus[0].entity.cpu = &fake_pcpus[0];
	if (bus_init(&fake_vm.mmio, &fake_vm.budget, 4))
		abort();
	control_create(&fake_vm, "Bulkhead");
	if (!fn || !fake_vm.remap.base)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct step s;

	if (!fn)
		device_make();
	memset(fake_ram, 0, RAM_BYTES);
	guests_make();
	open_again();
	for (size_t i = 0; i < size / sizeof(s) && i < STEPS_MAX; i++) {
		memcpy(&s, data + i * sizeof(s), sizeof(s));
		do_step(&s);
		if (status() > BH_CTL_OVERRUN)
			abort();
	}
	guests_make();
	open_again();
	return 0;
}
