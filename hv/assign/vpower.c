/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Power and reset registers; see vpower.h. Every register is a row of a table:
 * a port and what a write to it means. A write that does not end the guest
 * passes to the hardware. Called from exits, any core. No locks; vm_end() takes
 * its own.
 */
#include "hv/assign/vpower.h"

#include "arch/x86/cpu/portio.h"
#include "arch/x86/machine/tsc.h"
#include "drivers/acpi/acpi.h"
#include "hv/core/vcpu.h"
#include "include/hw/acpi.h"
#include "include/hw/acpi_pm.h"
#include "include/hw/i8042.h"
#include "include/hw/q35.h"
#include "lib/errno.h"
#include "lib/log.h"

/* True: the write is dealt with and does not reach the hardware */
typedef bool (*power_fn)(struct vm *vm, u32 value);

struct power_port {
	u16 port;
	u16 size;
	power_fn write;
	bool passthrough;
	const u32 *shows; /* bits that read as set, beside the hardware's; or
			     NULL */
};

/* PM1 status as the privileged guest has it: WAK_STS after a sleep that was
 * refused. Its vCPUs race for nothing but their own guest's bit. */
static u32 pm1_status;

/* The guest's kernel has put its devices to sleep and waits for WAK_STS: it
 * wakes at once (ACPI 6.4, 16.1.6.3 *Transitioning from the Working to the
 * Sleeping State*) */
static void refuse_sleep(struct vm *vm, u32 type)
{
	WRITE_ONCE(pm1_status, PM1_WAK);
	if (ratelimit_pass(&vm->log_limit, rdtsc(), tsc_khz * 1000, 4))
		log_warn("power",
			 "%s asked for sleep type %u and is woken at once: the "
			 "machine does not sleep below Bulkhead",
			 vm->name, type);
}

static bool pm1a_write(struct vm *vm, u32 value)
{
	u32 type = value >> PM1_CNT_SLP_TYP_SHIFT & PM1_CNT_SLP_TYP_MASK;

	if (!(value & PM1_CNT_SLP_EN))
		return false;
	if (acpi.has_s5 && type == acpi.s5_typ_a)
		vm_end(vm, VM_END_POWER_OFF, "it powered off");
	else
		refuse_sleep(vm, type);
	return true;
}

/* Ones clear status bits (ACPI 6.4, 4.8.4.1.1 *PM1 Status Registers*) */
static bool pm1_status_write(struct vm *vm, u32 value)
{
	WRITE_ONCE(pm1_status, READ_ONCE(pm1_status) & ~value);
	return false;
}

/* Software writes PM1a first: what SLP_EN means was decided there */
static bool pm1b_write(struct vm *vm, u32 value)
{
	return value & PM1_CNT_SLP_EN;
}

static bool reset_now(struct vm *vm)
{
	vm_end(vm, VM_END_RESET, "it reset itself");
	return true;
}

/* Any command that pulses the CPU's reset line, whatever else it pulses */
static bool kbc_write(struct vm *vm, u32 value)
{
	return (value & (KBC_CMD_PULSE | KBC_OUT_RUN)) == KBC_CMD_PULSE &&
	       reset_now(vm);
}

static bool port92_write(struct vm *vm, u32 value)
{
	return value & PORT92_RESET && reset_now(vm);
}

static bool fadt_reset_write(struct vm *vm, u32 value)
{
	return (u8)value == acpi.reset_value && reset_now(vm);
}

bool vpower_cf9_write(struct vm *vm, u8 value)
{
	return value & RST_CNT_RST_CPU && reset_now(vm);
}

static u64 filter_read(struct vcpu *v, void *dev, u64 offset, u8 size)
{
	const struct power_port *p = dev;

	u32 shown = p->shows ? READ_ONCE(*p->shows) >> offset * 8 : 0;

	if (!p->passthrough)
		return 0;
	return port_read((u16)(p->port + offset), size) | shown;
}

static void filter_write(struct vcpu *v, void *dev, u64 offset, u8 size,
			 u64 value)
{
	const struct power_port *p = dev;
	u32 shifted = (u32)(value << offset * 8);

	if (!p->write(v->vm, shifted) && p->passthrough)
		port_write((u16)(p->port + offset), size, (u32)value);
}

/* One table for the machine: the privileged guest's part depends on the FADT,
 * read once. Rows with port 0 are not there. */
static struct power_port fadt_ports[] = {
	{ 0, PM1_CNT_BYTES, pm1a_write, true, NULL },
	{ 0, PM1_CNT_BYTES, pm1b_write, true, NULL },
	{ 0, PM1_STS_BYTES, pm1_status_write, true, &pm1_status },
	{ 0, 1, fadt_reset_write, true, NULL },
};

static struct power_port legacy_ports[] = {
	{ KBC_COMMAND, 1, kbc_write, true, NULL },
	{ KBC_PORT_92, 1, port92_write, true, NULL },
};

static int ports_add(struct vm *vm, struct power_port *p, u32 count)
{
	u32 i;
	int err;

	for (i = 0; i < count; i++) {
		const struct bus_region region = {
			.base = p[i].port,
			.size = p[i].size,
			.name = "power",
			.read = filter_read,
			.write = filter_write,
			.dev = &p[i],
		};

		if (!p[i].port)
			continue;
		err = bus_add(&vm->ports, &region);
		if (err)
			return err;
	}
	return 0;
}

/* A reset register among ports that other rows or passthrough.c filter needs no
 * row */
static u16 fadt_reset_port(void)
{
	u64 port = acpi.reset.address;

	if (!acpi.has_reset || acpi.reset.space != ACPI_SPACE_IO ||
	    port == RST_CNT || port == KBC_COMMAND || port == KBC_PORT_92 ||
	    port > 0xffff)
		return 0;
	return (u16)port;
}

static int vpower_create(struct vm *vm)
{
	int err = ports_add(vm, legacy_ports, ARRAY_SIZE(legacy_ports));

	if (err)
		return err;
	fadt_ports[0].port = acpi.pm1a_cnt;
	fadt_ports[1].port = acpi.pm1b_cnt;
	fadt_ports[2].port = acpi.pm1a_evt;
	fadt_ports[3].port = fadt_reset_port();
	return ports_add(vm, fadt_ports, ARRAY_SIZE(fadt_ports));
}

static void vpower_reset(struct vm *vm)
{
	pm1_status = 0;
}

const struct vdev vpower_vdev = {
	.name = "power registers",
	.create = vpower_create,
	.reset = vpower_reset,
};
