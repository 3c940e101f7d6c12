/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The console port of the privileged guest, by which its programs reach every
 * console (include/bulkhead/console_port.h). The guest owns the machine and its
 * terminal, so it may read and type everywhere, as a person with Ctrl-] may. It
 * can do no more than that: each call names a console by a number that is
 * checked, and moves a few bytes. Called from exits, any core. No state, no
 * lock; hv/console/remote.c has the console's.
 */
#include "include/bulkhead/console_port.h"

#include "arch/x86/cpu/nospec.h"
#include "arch/x86/cpu/portio.h"
#include "hv/console/console.h"
#include "hv/core/vcpu.h"
#include "lib/errno.h"
#include "lib/log.h"
#include "lib/string.h"

#define PORTS    4u /* an IN of four bytes */
#define NOTHING  0xffu
#define NUM_REGS 4u

static_assert(BH_CONSOLE_BYTES == NUM_REGS * sizeof(u64), "they fit");
static_assert(MANIFEST_NAME_LEN <= BH_CONSOLE_BYTES, "a name fits");

/*
 * Where the port may be. Below 1000h neither firmware nor kernels place PCI
 * devices; chipsets have fixed ports there, up to the reset and configuration
 * ports at CF8h. Above these, boards have ports at a few places. These are none
 * of them, and no aliases of ISA devices in use, which decode ten bits. What
 * answers a read all the same is passed over.
 */
static const u16 places[] = { 0xd40, 0xd44, 0xd80, 0xe40, 0xe80, 0xf40, 0xf80 };

/* Up to BH_CONSOLE_BYTES into registers, zeros behind them */
static void put_bytes(u64 *gpr, const enum gpr regs[NUM_REGS], const char *from,
		      size_t len)
{
	u64 words[NUM_REGS] = { 0 };

	memcpy(words, from, len);
	for (u32 i = 0; i < NUM_REGS; i++)
		gpr[regs[i]] = words[i];
}

static const enum gpr first_regs[NUM_REGS] = { GPR_RBX, GPR_RCX, GPR_RSI,
					       GPR_RDI };
static const enum gpr read_regs[NUM_REGS] = { GPR_RCX, GPR_RSI, GPR_RDI,
					      GPR_R8 };

static u32 call_count(struct vcpu *v, u64 *gpr)
{
	u32 focus;
	u32 count = console_count(&focus);

	gpr[GPR_RBX] = focus;
	return count;
}

static u32 call_about(struct vcpu *v, u64 *gpr)
{
	struct console_about about;

	if (!console_about(gpr[GPR_RBX], &about))
		return BH_CONSOLE_NONE;
	put_bytes(gpr, first_regs, about.name, sizeof(about.name));
	return (about.is_log ? BH_CONSOLE_LOG : 0) |
	       (about.privileged ? BH_CONSOLE_OWN : 0) |
	       (about.ended ? BH_CONSOLE_ENDED : 0);
}

static u32 call_read(struct vcpu *v, u64 *gpr)
{
	char bytes[BH_CONSOLE_BYTES];
	struct console_about about;
	u64 id = gpr[GPR_RBX];
	u32 len;

	if (!console_about(id, &about))
		return BH_CONSOLE_NONE;
	gpr[GPR_RBX] = gpr[GPR_RCX];
	len = console_read(id, &gpr[GPR_RBX], bytes, sizeof(bytes));
	put_bytes(gpr, read_regs, bytes, len);
	return len;
}

static u32 call_type(struct vcpu *v, u64 *gpr)
{
	struct console_about about;

	if (!console_about(gpr[GPR_RBX], &about))
		return BH_CONSOLE_NONE;
	return console_type_at(gpr[GPR_RBX], (u8)gpr[GPR_RCX]);
}

static u32 call_focus(struct vcpu *v, u64 *gpr)
{
	u32 focus;

	if (gpr[GPR_RBX] > console_count(&focus))
		return BH_CONSOLE_NONE;
	return console_focus(gpr[GPR_RBX]);
}

static u32 call_why(struct vcpu *v, u64 *gpr)
{
	struct console_about about;
	u64 at = gpr[GPR_RCX];
	size_t len;

	if (!console_about(gpr[GPR_RBX], &about))
		return BH_CONSOLE_NONE;
	if (!about.ended)
		return 0;
	len = strlen(about.ended);
	at = MIN(at, len);
	len = MIN(len - at, BH_CONSOLE_BYTES);
	put_bytes(gpr, first_regs, about.ended + at, len);
	return (u32)len;
}

/* Each returns what goes to EAX */
static u32 (*const calls[])(struct vcpu *v, u64 *gpr) = {
	[BH_CONSOLE_COUNT] = call_count, [BH_CONSOLE_ABOUT] = call_about,
	[BH_CONSOLE_READ] = call_read,   [BH_CONSOLE_TYPE] = call_type,
	[BH_CONSOLE_FOCUS] = call_focus, [BH_CONSOLE_WHY] = call_why,
};

/* Only a plain IN has the registers of a call: INS and the emulator's accesses
 * use them for their own ends */
static bool is_call(const struct vcpu_exit *e, u64 offset, u8 size)
{
	return e->kind == EXIT_PORT && !e->port.string && !offset && size == 4;
}

static u64 port_call(struct vcpu *v, void *dev, u64 offset, u8 size)
{
	u64 *gpr = vcpu_regs(v)->gpr;
	u32 call = (u32)gpr[GPR_RAX];

	if (!is_call(&v->hw.exit, offset, size) || call >= ARRAY_SIZE(calls))
		return ~0ull;
	return calls[index_nospec(call, ARRAY_SIZE(calls))](v, gpr);
}

/* Nothing answers at the port, or the three behind it */
static bool is_free(u16 port)
{
	for (u32 i = 0; i < PORTS; i++)
		if (port_read((u16)(port + i), 1) != NOTHING)
			return false;
	return true;
}

static int console_port_create(struct vm *vm)
{
	struct bus_region region = { .size = PORTS,
				     .name = "console",
				     .read = port_call };

	for (u32 i = 0; i < ARRAY_SIZE(places); i++) {
		region.base = places[i];
		/* Reserved ports first: reading them may do something */
		if (bus_find(&vm->ports, places[i]) || !is_free(places[i]) ||
		    bus_add(&vm->ports, &region))
			continue;
		vm->console_port = places[i];
		return 0;
	}
	log_warn("console",
		 "no port is free for the consoles: %s reaches them "
		 "by Ctrl-] alone",
		 vm->name);
	return 0;
}

const struct vdev console_port_vdev = {
	.name = "console port",
	.create = console_port_create,
};
