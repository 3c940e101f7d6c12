/* SPDX-License-Identifier: BSD-2-Clause */
/* See boot/common/devpath.h. Nodes and resources have any alignment: they are
 * copied out. */
#include "boot/common/devpath.h"

#include "include/hw/uart16550.h"
#include "lib/string.h"

#define PATH_BYTES_MAX 4096u /* one without an end is no path */

/* UEFI 2.10, 10.3.1 *Generic Device Path Structures*; types but for the bit
 * that old firmware sets */
#define TYPE_MASK 0x7fu
enum node_type {
	TYPE_HARDWARE = 1,
	TYPE_ACPI = 2,
	TYPE_MESSAGING = 3,
	TYPE_END = 0x7f
};
enum { HARDWARE_PCI = 1, HARDWARE_CONTROLLER = 5 };
enum { ACPI_SHORT = 1, ACPI_EXPANDED = 2 };
enum { MESSAGING_UART = 14 };

struct node {
	u8 type, subtype;
	u16 bytes;
};
static_assert(sizeof(struct node) == 4, "EFI_DEVICE_PATH_PROTOCOL");

/* The beginning of both forms */
struct acpi_node {
	struct node head;
	u32 hid, uid;
};
static_assert(sizeof(struct acpi_node) == 12, "ACPI_HID_DEVICE_PATH");

struct controller_node {
	struct node head;
	u32 number;
};

/* EISA ids, the number in the upper half */
#define PNP0500 0x050041d0u /* a standard COM port */
#define PNP0501 0x050141d0u /* a 16550 */

/* As firmware numbers them; where it tells the port itself, that counts */
static const u16 ports[] = { COM1_PORT, COM2_PORT, COM3_PORT, COM4_PORT };

static struct node node_at(const u8 *p)
{
	struct node n;

	memcpy(&n, p, sizeof(n));
	n.type &= TYPE_MASK;
	return n;
}

static bool is(const struct node *n, u8 type, u8 subtype)
{
	return n->type == type && n->subtype == subtype;
}

/* A function with several UARTs has a controller for each */
static bool is_first_controller(const u8 *p)
{
	struct node n = node_at(p);
	struct controller_node c;

	if (!is(&n, TYPE_HARDWARE, HARDWARE_CONTROLLER) || n.bytes < sizeof(c))
		return false;
	memcpy(&c, p, sizeof(c));
	return !c.number;
}

/* @p has the UART */
static bool owner_take(const u8 *p, struct boot_serial *s)
{
	struct node n = node_at(p);
	struct acpi_node a;

	memset(s, 0, sizeof(*s));
	if (is(&n, TYPE_HARDWARE, HARDWARE_PCI)) {
		s->way = BOOT_SERIAL_PCI;
		return true;
	}
	if ((!is(&n, TYPE_ACPI, ACPI_SHORT) &&
	     !is(&n, TYPE_ACPI, ACPI_EXPANDED)) ||
	    n.bytes < sizeof(a))
		return false;
	memcpy(&a, p, sizeof(a));
	if ((a.hid != PNP0500 && a.hid != PNP0501) ||
	    a.uid >= ARRAY_SIZE(ports))
		return false;
	s->way = BOOT_SERIAL_PORT;
	s->port = ports[a.uid];
	return true;
}

bool devpath_uart(const void *path, struct boot_serial *s)
{
	const u8 *p = path, *owner = NULL;

	while (p - (const u8 *)path < (s64)PATH_BYTES_MAX) {
		struct node n = node_at(p);

		if (n.type == TYPE_END || n.bytes < sizeof(n))
			return false;
		if (is(&n, TYPE_MESSAGING, MESSAGING_UART))
			return owner && owner_take(owner, s);
		if (!is_first_controller(p))
			owner = p;
		p += n.bytes;
	}
	return false;
}

/* ACPI 6.4, 6.4.2.5 *I/O Port Descriptor*, 6.4.2.6, 6.4.2.9 *End Tag* */
#define RESOURCE_LARGE     0x80u
#define RESOURCE_BYTES     0x07u
#define RESOURCE_PORTS     0x47u
#define RESOURCE_FIXED     0x4bu
#define RESOURCE_END       0x78u
#define RESOURCE_PORTS_MIN 2u /* where the lowest first port stands */
#define RESOURCE_FIXED_MIN 1u

static u16 word_at(const u8 *p)
{
	u16 word;

	memcpy(&word, p, sizeof(word));
	return word;
}

/* Its tag included; 0: it is cut */
static u32 resource_bytes(const u8 *p, u32 left)
{
	u32 bytes = 1u + (*p & RESOURCE_BYTES);

	if (*p & RESOURCE_LARGE)
		bytes = left < 3 ? 0 : 3u + word_at(p + 1);
	return bytes > left ? 0 : bytes;
}

u16 devpath_port(const void *list, u32 bytes)
{
	const u8 *p = list;
	u32 len;

	for (; bytes; p += len, bytes -= len) {
		len = resource_bytes(p, bytes);
		if (!len || (*p & ~RESOURCE_BYTES) == RESOURCE_END)
			return 0;
		if (*p == RESOURCE_PORTS)
			return word_at(p + RESOURCE_PORTS_MIN);
		if (*p == RESOURCE_FIXED)
			return word_at(p + RESOURCE_FIXED_MIN);
	}
	return 0;
}
