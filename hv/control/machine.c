/* SPDX-License-Identifier: BSD-2-Clause */
/* Commands about the machine: what it is, its cores, what exits are called.
 * Called under control.lock. */
#include "arch/x86/cpu/nospec.h"
#include "arch/x86/cpu/percpu.h"
#include "arch/x86/machine/smi.h"
#include "arch/x86/machine/tsc.h"
#include "drivers/acpi/acpi.h"
#include "hv/control/priv.h"
#include "hv/core/exit.h"
#include "hv/core/stretch.h"
#include "hv/vm/ids.h"
#include "hv/vm/pool.h"
#include "lib/string.h"
#include "mm/owner.h"
#include "sched/sched.h"

u64 control_ram_bytes(void)
{
	u64 bytes = owner_bytes(OWNER_FREE, 0) +
		    owner_bytes(OWNER_HYPERVISOR, 0) +
		    owner_bytes(OWNER_FILES, 0) + pool_bytes();

	for (u32 i = 0; i < vm_count; i++)
		if (vm_at(i))
			bytes += owner_bytes(OWNER_GUEST, (u16)i);
	return bytes;
}

s32 control_info(struct control *c, struct control_call *call)
{
	struct bh_ctl_info info = {
		.version = BH_CTL_VERSION,
		.features = c->features,
		.cores = pcpu_count,
		.nodes = MAX(acpi.numa.node_count, 1u),
		.guests = ids_count(),
		.guests_max = VM_MAX,
		.tsc = rdtsc(),
		.tsc_khz = tsc_khz,
		.boot_tsc = tsc_boot,
		.ram_bytes = c->ram_bytes,
		.hypervisor_bytes = owner_bytes(OWNER_HYPERVISOR, 0),
		.hypervisor_free_bytes = pmm_spare_pages() * PAGE_SIZE,
		.pool_bytes = pool_bytes(),
		.pool_free_bytes = pool_free_bytes(),
	};

	str_copy(info.build, c->build, sizeof(info.build));
	call->bytes = MIN((u32)sizeof(info), call->out_bytes);
	memcpy(c->out, &info, call->bytes);
	return 0;
}

s32 control_pool(struct control *c, struct control_call *call)
{
	u64 i = call->command.arg[0];

	call->result[0] = pool_range_count();
	for (; i < pool_range_count(); i++) {
		struct bh_ctl_range *out = control_next(c, call, sizeof(*out));

		if (!out)
			break;
		*out = pool_range((u32)index_nospec(i, pool_range_count()));
	}
	return 0;
}

static u32 node_of(const struct pcpu *cpu)
{
	int node = acpi_node_of_core(cpu->apic_id);

	return node < 0 ? 0 : (u32)node;
}

s32 control_cores(struct control *c, struct control_call *call)
{
	u64 i = call->command.arg[0];
	struct bh_ctl_core *out;

	smi_look(); /* the others do so by their timers */
	call->result[0] = pcpu_count;
	for (; i < pcpu_count; i++) {
		const struct pcpu *cpu = pcpus[index_nospec(i, pcpu_count)];

		out = control_next(c, call, sizeof(*out));
		if (!out)
			break;
		out->id = cpu->id;
		out->apic_id = cpu->apic_id;
		out->node = node_of(cpu);
		out->idle_ticks = sched_idle_ticks(cpu);
		out->host_ticks = READ_ONCE(cpu->host_ticks);
		out->longest_ticks = stretch_longest(cpu->id);
		out->too_long = stretch_too_long(cpu->id);
		out->smis = READ_ONCE(cpu->smis);
	}
	return 0;
}

s32 control_exit_names(struct control *c, struct control_call *call)
{
	call->result[0] = EXIT_KINDS;
	for (u64 i = call->command.arg[0]; i < EXIT_KINDS; i++) {
		u64 kind = index_nospec(i, EXIT_KINDS);
		const char *name = exit_name((enum exit_kind)kind);
		u32 bytes = (u32)strlen(name) + 1;
		void *out = control_next(c, call, bytes);

		if (!out)
			break;
		memcpy(out, name, bytes);
	}
	return 0;
}
