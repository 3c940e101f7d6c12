/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From the loader to running guests. hv_main() is called once, on the boot CPU,
 * by hv/entry.asm; the only file that sees every part. What it finds
 * wrong it says in one sentence on every console; without a usable machine it
 * then waits, so that the sentence can be read. Over 400 lines: the boot is one
 * story, told in one place.
 */
#include "hv/init.h"

#include "arch/x86/cpu/asm.h"
#include "arch/x86/cpu/cet.h"
#include "arch/x86/cpu/features.h"
#include "arch/x86/cpu/panic.h"
#include "arch/x86/cpu/speculation.h"
#include "arch/x86/machine/cpu.h"
#include "arch/x86/machine/idle.h"
#include "arch/x86/machine/irq.h"
#include "arch/x86/machine/lapic.h"
#include "arch/x86/machine/log_env.h"
#include "arch/x86/machine/mce.h"
#include "arch/x86/machine/microcode.h"
#include "arch/x86/machine/pstate.h"
#include "arch/x86/machine/smp.h"
#include "arch/x86/machine/speculation_core.h"
#include "arch/x86/machine/stub.h"
#include "arch/x86/machine/text_patch.h"
#include "arch/x86/machine/tsc.h"
#include "arch/x86/machine/tsc_sync.h"
#include "drivers/acpi/acpi.h"
#include "drivers/clock/hpet.h"
#include "drivers/clock/rtc.h"
#include "drivers/console/fbcon.h"
#include "drivers/irq/ioapic.h"
#include "drivers/irq/iommu.h"
#include "drivers/pci/pci.h"
#include "drivers/power/piix4.h"
#include "drivers/power/power.h"
#include "hv/assign/pvpanic.h"
#include "hv/console/console.h"
#include "hv/control/control.h"
#include "hv/core/exit.h"
#include "hv/core/meter.h"
#include "hv/core/stretch.h"
#include "hv/core/vcpu.h"
#include "hv/files/files.h"
#include "hv/load/load.h"
#include "hv/load/reload.h"
#include "hv/policy/cpuid.h"
#include "hv/policy/mca.h"
#include "hv/pv/pvclock.h"
#include "hv/run/loop.h"
#include "hv/run/watchdog.h"
#include "hv/vm/create.h"
#include "hv/vm/life.h"
#include "hv/vm/machine_end.h"
#include "hv/vm/machine_stop.h"
#include "hv/vm/numa.h"
#include "hv/vm/plan.h"
#include "hv/vm/pool.h"
#include "hv/vm/set_aside.h"
#include "hv/vm/siblings.h"
#include "hv/vm/stats.h"
#include "hv/vm/vcpu.h"
#include "include/bulkhead/boot_info.h"
#include "include/bulkhead/version.h"
#include "lib/errno.h"
#include "lib/log.h"
#include "lib/log_ring.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "mm/hostmap.h"
#include "mm/owner.h"
#include "mm/pmm.h"
#include "mm/window.h"

#define REAL_MODE_END       0xa0000ull
#define GROW_BYTES_PER_CORE KIB(192) /* without what hostmap_init() took */
#define CORE_RANGE_LEN      32

static_assert(MANIFEST_MAX_GUESTS == VM_MAX, "each can be a guest");
static_assert(ACPI_MAX_CPUS == MAX_CPUS && MANIFEST_MAX_CORES == MAX_CPUS,
	      "as many cores everywhere");

static struct boot_info boot; /* the loader's copy lies in guests' memory */
static struct manifest manifest;

static __noreturn void wait_forever(void)
{
	fbcon_early();
	console_serial_init(NULL);
	log_error("init", "no guest can run");
	log_ring_end(LOG_END_PANIC);
	machine_stop();
	console_wait();
}

static void report(const char *sentence)
{
	log_error("manifest", "%s", sentence);
}

/* What stands in a log line while a guest's exit is handled */
static size_t log_guest(const struct vcpu *v, char *buf, size_t size)
{
	return (size_t)bh_snprintf(buf, size, "%s:%u", v->vm->name, v->id);
}

static void no_rest(void)
{
}

/* What a panic says of the guest that was on the core */
static void dump_current(void)
{
	struct vcpu *v = this_cpu()->current;

	if (!v)
		return;
	log_write(LOG_PANIC, "panic",
		  "the last exit of guest %s, vCPU %u: %s, reason %#llx",
		  v->vm->name, v->id, exit_name(v->hw.exit.kind),
		  v->hw.exit.raw_reason);
	vcpu_dump(v, no_rest);
}

static void copy_boot_info(u64 hpa)
{
	const struct boot_info *bi = (const struct boot_info *)hpa;

	if (bi->magic == BOOT_INFO_MAGIC && bi->version == BOOT_INFO_VERSION &&
	    bi->size == sizeof(*bi))
		memcpy(&boot, bi, sizeof(boot));
}

/* Files and the firmware's map stay the hypervisor's */
static void reserve(const char *what, u64 base, u64 size)
{
	u64 first = ALIGN_DOWN(base, PAGE_SIZE);

	if (!size)
		return;
	if (owner_change(first, ALIGN_UP(base + size, PAGE_SIZE) - first,
			 OWNER_FREE, OWNER_HYPERVISOR, 0))
		log_warn("init", "%s lies outside the firmware's free memory",
			 what);
}

static void reserve_boot_data(void)
{
	u32 i;

	for (i = 0; i < MIN(boot.module_count, BOOT_MAX_MODULES); i++)
		reserve(boot.modules[i].name, boot.modules[i].base,
			boot.modules[i].size);
	if (boot.efi.system_table)
		reserve("the EFI memory map", boot.efi.memory_map,
			boot.efi.memory_map_size);
}

static void show_old_line(const char *line, size_t len)
{
	log_info("previous", "%.*s", (int)len, line);
}

/* No guest starts, whatever the verdict is */
static __noreturn void check_machine(void)
{
	console_show_check(&boot.facts);
	log_info("check", "this was all; switch the machine off");
	cpu_halt_forever();
}

static bool has_old_log;

/* Once all consoles show it */
static void show_old_log(void)
{
	if (!has_old_log)
		return;
	log_info("previous", "the log of the boot before%s:",
		 log_ring_previous()->end == LOG_END_PANIC
			 ? ", which ended in a panic"
			 : "");
	log_ring_dump_previous(show_old_line);
	log_info("previous", "end of the log before");
}

/* The same address at every boot, so that a warm reset does not lose it */
static bool log_ring_at(u64 place, u32 firmware_type)
{
	void *ring;

	if (owner_find(HPA(place)).firmware_type != firmware_type ||
	    owner_change(place, LOG_RING_BYTES, OWNER_FREE, OWNER_HYPERVISOR,
			 0))
		return false;
	ring = ioremap(HPA(place), LOG_RING_BYTES, PT_R | PT_W);
	has_old_log = ring && log_ring_attach(ring, LOG_RING_BYTES);
	return true;
}

/* Rather where no loader was; ours holds the places as its data, and no other's
 * files are there by now */
static void log_ring_init(void)
{
	static const u32 types[] = { BOOT_MEM_CONVENTIONAL,
				     BOOT_MEM_LOADER_DATA };
	static const u64 places[] = LOG_RING_PLACES;

	for (u32 t = 0; t < ARRAY_SIZE(types); t++)
		for (u32 i = 0; i < ARRAY_SIZE(places); i++)
			if (log_ring_at(places[i], types[t]))
				return;
}

static void memory_init(void)
{
	if (boot.magic != BOOT_INFO_MAGIC) {
		log_error("init", "the loader and the hypervisor are of "
				  "different versions: copy both files again");
		wait_forever();
	}
	if (owner_init(&boot))
		wait_forever();
	reserve_boot_data();
	if (hostmap_init(&boot) || window_init_cpu()) {
		log_error("init", "the machine has too little free memory");
		wait_forever();
	}
	log_ring_init();
}

static int choose_backend(void)
{
	static const struct vcpu_ops *const both[] = { &vmx_ops, &svm_ops };

	return backend_select(both, ARRAY_SIZE(both), &vm_npt_max_level);
}

/* The back-end's code, as this CPU and the manifest want it */
static int finish_text(void)
{
	const struct text_patch patch = { .sites = vcpu_ops->sites,
					  .site_count = vcpu_ops->site_count,
					  .stub = vcpu_enter,
					  .target = vcpu_ops->run };

	return text_patch(&patch);
}

/* Back-end and queue of the core it runs on */
static int core_start(struct pcpu *cpu)
{
	int err = stub_init_cpu();

	idle_init_cpu();
	pstate_init_cpu();
	speculation_init_core();
	if (!err)
		err = vcpu_ops->cpu_enable(cpu);
	if (err)
		return err;
	err = sched_init_cpu(cpu);
	/* In VMX operation it would not take the INIT that it gets */
	if (err)
		vcpu_ops->cpu_disable();
	return err;
}

/* Cores may differ: all must have what guests and the back-end use */
static int core_check(const struct pcpu *cpu)
{
	const char *lacking = cpu_features_lacking(cpuid_count);

	if (!lacking)
		lacking = cpuid_core_lacks(cpuid_count);
	if (!lacking)
		return 0;
	log_error("init",
		  "the core with APIC id %u lacks %s, which the boot core has",
		  cpu->apic_id, lacking);
	return -ENOTSUP;
}

/* Of another core. What it gets before it fails is lost. */
static int core_prepare(struct pcpu *cpu)
{
	int err = core_check(cpu);

	if (!err)
		err = window_init_cpu();
	if (err)
		return err;
	irq_init_cpu(cpu);
	return core_start(cpu);
}

static void core_main(struct pcpu *cpu)
{
	watchdog_start();
	mce_poll_start();
	vcpu_loop();
}

static u32 start_other_cores(void)
{
	bool madt = acpi.present && acpi.cpu_count;
	const u32 *ids = madt ? acpi.cpu_apic_ids : boot.cpu_apic_ids;
	u32 count = madt ? acpi.cpu_count : boot.cpu_count;
	u32 usable;
	hpa_t page;

	if (count <= 1)
		return 1;
	if (count > MAX(boot.cpu_count, HOSTMAP_MIN_CORES) &&
	    hostmap_grow_pool(count * GROW_BYTES_PER_CORE))
		log_warn("init", "memory for all cores is short");
	if (owner_take(PAGE_SIZE, PAGE_SIZE, PAGE_SIZE, REAL_MODE_END,
		       OWNER_HYPERVISOR, 0, &page)) {
		log_warn("init", "no page below 640 KiB is free: going on "
				 "with one core");
		return 1;
	}
	cpuid_note_boot_core(cpuid_count);
	usable = smp_start(ids, count, page, core_prepare, core_main);
	if (owner_change(page.v, PAGE_SIZE, OWNER_HYPERVISOR, OWNER_FREE, 0))
		log_warn("init", "the page at %llx is lost", page.v);
	return usable;
}

/* Once all cores are up */
static void measure(void)
{
	if (manifest.measure)
		stretch_measure();
	meter_switch(manifest.metering);
}

static void devices_init(void)
{
	piix4_facts();
	power_init();
	irq_init();
	lapic_init_cpu();
	hpet_init();
	tsc_init(acpi.pm_timer, hpet_clock());
	rtc_init();
	pci_keep_ecam();
	if (iommu_take_all())
		wait_forever();
	idle_init();
	if (ioapic_init(boot.mp_ioapic_base))
		log_warn("init", "no IOAPIC was found: devices have no "
				 "interrupt lines");
}

static void log_machine(u32 cores)
{
	u64 ram = owner_bytes(OWNER_FREE, 0) + owner_bytes(OWNER_HYPERVISOR, 0);

	cpu_features_log();
	log_info("init", "%u core%s, %llu MiB RAM, %s with pages up to %s",
		 cores, cores == 1 ? "" : "s", (ram >> 20), vcpu_ops->name,
		 vm_npt_max_level >= 3 ? "1 GiB" : "2 MiB");
}

#define EMULATED_SPARE_CORES 3u

/* The first core for guests that name none. QUIRK(tcg-7.2): with a thread a
 * core, any core's FXRSTOR or XRSTOR of x87 state changes flags of core 0
 * without a lock (cpu_clear_ignne). A vCPU that is entered or left on core 0
 * just then is lost: where there are enough cores, guests keep off that one. */
static u32 first_guest_core(u32 cores)
{
	if (cores < EMULATED_SPARE_CORES ||
	    strcmp(cpu_features.hypervisor_name, "TCGTCGTCGTCG"))
		return 0;
	log_info("init", "QEMU emulates this machine and may harm vCPUs on its "
			 "core 0: guests start at core 1");
	return 1;
}

/* Not of the pool, which gives no more than 2 MiB in a row */
static bool make_room(u32 guests)
{
	u64 bytes = ALIGN_UP(guests * sizeof(*manifest.guests), PAGE_SIZE);
	hpa_t at;

	if (owner_take(bytes, PAGE_SIZE, 0, cpu_phys_end(), OWNER_HYPERVISOR, 0,
		       &at))
		return false;
	manifest.guests = ioremap(at, bytes, PT_R | PT_W);
	manifest.guest_room = guests;
	return manifest.guests;
}

/* What the manifest wants; plan() says later what of it can be */
static void read_manifest(void)
{
	const char *text = NULL;
	struct image file;

	if (files_init(&boot))
		wait_forever();
	if (!file_find(BOOT_MANIFEST, &file))
		text = (const char *)file.data;
	if (!make_room(text ? manifest_count(text, file.size) : 1)) {
		log_error("init", "there is no memory to read %s with",
			  BOOT_MANIFEST);
		wait_forever();
	}
	if (text)
		manifest_parse(&manifest, BOOT_MANIFEST, text, file.size,
			       report);
	else
		plan_default(&manifest, &boot, report);
	machine_on_stop(manifest.has_panic ? manifest.panic_reboot_s
					   : manifest.reboot_after_s);
	if (manifest.special_memory)
		owner_use_special();
	set_aside_for_guests(&manifest);
}

static const struct guest_config *privileged_config(void)
{
	for (u32 i = 0; i < manifest.guest_count; i++)
		if (manifest.guests[i].valid && manifest.guests[i].privileged)
			return &manifest.guests[i];
	return NULL;
}

/* Before anything but cpu_boot_init() has asked the CPU what it is: it may say
 * something else afterwards */
static void update_microcode(void)
{
	const struct guest_config *c = privileged_config();
	struct image initrd = { .data = NULL };

	if (c && c->initrd[0] && file_find(c->initrd, &initrd))
		initrd.data = NULL;
	microcode_init(initrd.data, initrd.size);
	cpu_features_init();
}

/* Before they are started */
static u32 firmware_cores(void)
{
	return MAX(MAX(acpi.cpu_count, boot.cpu_count), 1u);
}

static void plan(u32 cores)
{
	plan_check(&manifest, &boot, cores, first_guest_core(cores), report);
	console_configure(&manifest);
	machine_reboot_after(manifest.reboot_after_s);
}

/* "core 1", or "cores 0 to 3" */
static void core_range(const struct vm *vm, char *buf, size_t size)
{
	u32 low = vm->vcpus[0]->entity.cpu->id, high = low;

	for (u32 i = 1; i < vm->vcpu_count; i++) {
		u32 id = vm->vcpus[i]->entity.cpu->id;

		low = MIN(low, id);
		high = MAX(high, id);
	}
	if (low == high)
		bh_snprintf(buf, size, "core %u", low);
	else
		bh_snprintf(buf, size, "cores %u to %u", low, high);
}

static void log_guest_line(const struct vm *vm)
{
	char cores[CORE_RANGE_LEN];
	u64 bytes = owner_bytes(OWNER_GUEST, vm->id);

	core_range(vm, cores, sizeof(cores));
	log_info("init", "guest %s: %s, %llu MiB, %u vCPU%s on %s", vm->name,
		 vm->privileged ? "privileged" : "isolated", (bytes >> 20),
		 vm->vcpu_count, vm->vcpu_count == 1 ? "" : "s", cores);
}

static void log_made(const struct vm *vm)
{
	log_guest_line(vm);
	numa_report(vm);
}

/* All of one kind; one that cannot be built does not keep the others */
static void create_guests(bool privileged)
{
	struct vm *vm;
	u32 i;

	for (i = 0; i < manifest.guest_count; i++) {
		const struct guest_config *c = &manifest.guests[i];

		if (!c->autostart || c->privileged != privileged)
			continue;
		if (!c->valid)
			log_error("init",
				  "guest %s does not start: lines of manifest: "
				  "above say why",
				  c->name);
		else if (vm_create(c, &vm))
			log_error("init", "guest %s does not start", c->name);
		else
			log_made(vm);
	}
}

/* It has all that other guests have, and functions of the hypervisor's */
static void finish_privileged(struct vm *vm)
{
	control_create(vm, "Bulkhead " BULKHEAD_VERSION);
	pvpanic_create(vm);
	mce_taken_hook = mca_put;
	if (manifest.privileged_stays)
		return;
	vm->restarts = !reload_set_aside(vm);
	if (!vm->restarts)
		log_warn("init",
			 "guest %s is not started again when it fails: the "
			 "hypervisor has no memory left to load it with",
			 vm->name);
}

/* The privileged guest is built last, from the memory that is left, and
 * started first */
static void start_guests(void)
{
	u32 i;

	create_guests(false);
	files_settle(privileged_config(), !manifest.privileged_stays);
	pool_init(manifest.pool_bytes);
	create_guests(true);
	if (!vm_privileged)
		pci_quiet();
	else
		finish_privileged(vm_privileged);
	siblings_report();
	set_aside_report();
	if (!vm_count)
		machine_stays("no guest can run");
	console_defer_output();
	if (vm_privileged)
		vm_start(vm_privileged);
	for (i = 0; i < vm_count; i++)
		if (vms[i] != vm_privileged)
			vm_start(vms[i]);
}

void hv_main(u64 boot_info_hpa)
{
	u32 cores;

	copy_boot_info(boot_info_hpa);
	cpu_boot_init();
	panic_console_hook = console_panic_mode;
	panic_dump_hook = dump_current;
	panic_end_hook = machine_stop;
	log_guest_hook = log_guest;
	console_init_early(&boot);
	console_code_init("Bulkhead " BULKHEAD_VERSION);
	console_on_key(stats_key);
	log_info("init", "Bulkhead %s, started by %.32s", BULKHEAD_VERSION,
		 boot.loader);
	if (boot.fatal) {
		log_error("init", "%.191s", boot.problem);
		wait_forever();
	}
	if (boot.problem[0])
		log_warn("init", "%.191s", boot.problem);
	cpu_boot_control();
	memory_init();
	read_manifest();
	acpi_init(&boot);
	mce_leave_to_firmware(acpi.firmware_banks);
	console_log_screen(&boot);
	console_serial_init(&manifest);
	if (boot.check)
		check_machine();
	show_old_log();
	update_microcode();
	cet_init();
	if (cpu_guard_stacks(this_cpu()))
		wait_forever();
	cet_start(this_cpu());
	devices_init();
	speculation_init(manifest.speculation);
	set_aside_split_tables(&manifest, firmware_cores());
	if (choose_backend())
		wait_forever();
	if (finish_text())
		wait_forever();
	if (core_start(this_cpu())) {
		log_error("init", "the boot core cannot be used for guests");
		wait_forever();
	}
	cores = start_other_cores();
	measure();
	tsc_sync_report();
	log_machine(cores);
	plan(cores);
	console_input_init();
	tsc_settle();
	start_guests();
	tsc_refine_later(pvclock_rate_changed);
	watchdog_start();
	mce_poll_start();
	vcpu_loop();
}
