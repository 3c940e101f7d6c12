/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How the hypervisor's UART is spelled in bulkhead.conf: by the names that a PC
 * has for it, by port, PCI function or address. Called by hv/manifest/keys.c;
 * the text is untrusted and ends with a zero.
 */
#include "hv/manifest/values.h"
#include "include/hw/pci.h"
#include "include/hw/uart16550.h"
#include "lib/errno.h"
#include "lib/string.h"

#define SERIAL_TEXT_LEN 40u
#define PORT_MAX        0xffffu
#define ADDRESS_MAX     (BIT(52) - 1)
#define BAUD_MIN        50u
#define BAUD_MAX        4000000u

static const struct {
	const char *name;
	struct serial_config config;
} names[] = {
	{ "auto", { .way = SERIAL_AUTO } },
	{ "none", { .way = SERIAL_NONE } },
	{ "com1", { .way = SERIAL_PORT, .address = COM1_PORT } },
	{ "com2", { .way = SERIAL_PORT, .address = COM2_PORT } },
	{ "com3", { .way = SERIAL_PORT, .address = COM3_PORT } },
	{ "com4", { .way = SERIAL_PORT, .address = COM4_PORT } },
};

static int by_name(const char *s, struct serial_config *c)
{
	for (u32 i = 0; i < ARRAY_SIZE(names); i++) {
		if (strcmp(s, names[i].name))
			continue;
		*c = names[i].config;
		return 0;
	}
	return -EINVAL;
}

/* A hexadecimal number, and the character that follows it */
static int take_part(const char **s, u64 max, char next, u64 *out)
{
	if (value_take_hex(s, max, out) || **s != next)
		return -EINVAL;
	if (next)
		(*s)++;
	return 0;
}

/* [SSSS:]BB:DD.F, as lspci prints it */
static int by_function(const char *s, struct serial_config *c)
{
	u64 segment = 0, bus, device, function;
	const char *at = s;

	if (!take_part(&at, 0xffff, ':', &segment) &&
	    !take_part(&at, PCI_BUSES - 1, ':', &bus))
		s = strchr(s, ':') + 1;
	else
		segment = 0;
	if (take_part(&s, PCI_BUSES - 1, ':', &bus) ||
	    take_part(&s, PCI_DEVICES - 1, '.', &device) ||
	    take_part(&s, PCI_FUNCTIONS - 1, 0, &function))
		return -EINVAL;
	c->way = SERIAL_PCI;
	c->segment = (u16)segment;
	c->bus = (u8)bus;
	c->devfn = (u8)(device << 3 | function);
	return 0;
}

/* What follows @prefix; NULL: @s does not begin so */
static const char *behind(const char *s, const char *prefix)
{
	size_t n = strlen(prefix);

	return strncmp(s, prefix, n) ? NULL : s + n;
}

static int by_where(const char *s, struct serial_config *c)
{
	const char *rest = behind(s, "pci:");

	if (rest)
		return by_function(rest, c);
	rest = behind(s, "mmio:");
	c->way = rest ? SERIAL_MEMORY : SERIAL_PORT;
	s = rest ? rest : s;
	if (s[0] != '0' || s[1] != 'x')
		return rest ? -EINVAL : by_name(s, c);
	return value_number(s, rest ? ADDRESS_MAX : PORT_MAX, &c->address);
}

int value_serial(const char *s, struct serial_config *out)
{
	struct serial_config c = { 0 };
	char where[SERIAL_TEXT_LEN] = "";
	u64 baud = 0;
	size_t n = 0;

	for (; s[n] && s[n] != ','; n++) {
		if (n + 1 == sizeof(where))
			return -EINVAL;
		where[n] = s[n];
	}
	where[n] = 0;
	if (by_where(where, &c))
		return -EINVAL;
	if (s[n] &&
	    (c.way == SERIAL_NONE || value_number(s + n + 1, BAUD_MAX, &baud) ||
	     baud < BAUD_MIN))
		return -EINVAL;
	c.baud = (u32)baud;
	*out = c;
	return 0;
}
