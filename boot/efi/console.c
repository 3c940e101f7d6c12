/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the UEFI loader says, see loader.h. The firmware's console output often
 * reaches a serial line by itself. Where it does not, each line goes to COM1 as
 * well. Called by the loader's other files; boot core, no lock.
 */
#include <stdarg.h>

#include "boot/efi/loader.h"
#include "include/hw/uart16550.h"
#include "lib/errno.h"
#include "lib/printf.h"

#define LINE_BYTES      512
#define SCRATCH_PATTERN 0x5a
#define SPINS           100000

static bool com1_used; /* write to COM1 ourselves */

static void out8(u16 port, u8 value)
{
	__asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}

static u8 in8(u16 port)
{
	u8 value;

	__asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
	return value;
}

static bool com1_probe(void)
{
	out8(COM1_PORT + UART_SCR, SCRATCH_PATTERN);
	return in8(COM1_PORT + UART_SCR) == SCRATCH_PATTERN;
}

/* Has the firmware given it a rate, and words of 8 bits? Both are kept. */
static bool com1_has_speed(void)
{
	u8 lcr = in8(COM1_PORT + UART_LCR) & (u8)~UART_LCR_DLAB;
	u8 low, high;

	out8(COM1_PORT + UART_LCR, lcr | UART_LCR_DLAB);
	low = in8(COM1_PORT + UART_DLL);
	high = in8(COM1_PORT + UART_DLM);
	out8(COM1_PORT + UART_LCR, lcr);
	return (low | high) && (lcr & UART_LCR_WORD) == UART_LCR_8N1;
}

static void com1_set_speed(void)
{
	out8(COM1_PORT + UART_LCR, UART_LCR_8N1 | UART_LCR_DLAB);
	out8(COM1_PORT + UART_DLL, UART_DIVISOR_115200);
	out8(COM1_PORT + UART_DLM, 0);
	out8(COM1_PORT + UART_LCR, UART_LCR_8N1);
}

static void com1_setup(void)
{
	if (!com1_has_speed())
		com1_set_speed();
	out8(COM1_PORT + UART_IER, 0);
	out8(COM1_PORT + UART_FCR,
	     UART_FCR_ENABLE | UART_FCR_CLEAR_RX | UART_FCR_CLEAR_TX);
	out8(COM1_PORT + UART_MCR, UART_MCR_DTR | UART_MCR_RTS);
}

static void com1_putc(char c)
{
	for (u32 i = 0; i < SPINS; i++) {
		if (in8(COM1_PORT + UART_LSR) & UART_LSR_THRE)
			break;
	}
	out8(COM1_PORT + UART_THR, (u8)c);
}

/* Does the device path of a console's handle have a UART node
 * (UEFI 2.10, 10.3.4.15 *UART Device Path*)? */
static bool path_has_uart(const EFI_DEVICE_PATH *node)
{
	while (!IsDevicePathEndType(node)) {
		UINTN len = (UINTN)(node->Length[0] | node->Length[1] << 8);

		if (DevicePathType(node) == MESSAGING_DEVICE_PATH &&
		    DevicePathSubType(node) == MSG_UART_DP)
			return true;
		if (len < sizeof(*node))
			return false;
		node = (const void *)((const u8 *)node + len);
	}
	return false;
}

static bool firmware_has_serial(void)
{
	EFI_GUID out = EFI_SIMPLE_TEXT_OUTPUT_PROTOCOL_GUID;
	EFI_GUID path = EFI_DEVICE_PATH_PROTOCOL_GUID;
	EFI_HANDLE *handles = NULL;
	UINTN count = 0;
	bool found = false;

	if (EFI_ERROR(efi_bs->LocateHandleBuffer(ByProtocol, &out, NULL, &count,
						 &handles)))
		return false;
	for (UINTN i = 0; i < count && !found; i++) {
		void *p = NULL;

		if (!EFI_ERROR(efi_bs->HandleProtocol(handles[i], &path, &p)))
			found = path_has_uart(p);
	}
	efi_bs->FreePool(handles);
	return found;
}

void console_init(void)
{
	com1_used = com1_probe() && !firmware_has_serial();
	if (com1_used)
		com1_setup();
}

static void put_line(const char *text)
{
	CHAR16 c[2] = { 0, 0 };

	for (; *text; text++) {
		c[0] = (CHAR16)*text;
		if (efi_st->ConOut)
			efi_st->ConOut->OutputString(efi_st->ConOut, c);
		if (com1_used)
			com1_putc(*text);
	}
}

static void print_va(const char *fmt, va_list ap)
{
	static char line[LINE_BYTES];

	bh_vsnprintf(line, sizeof(line), fmt, ap);
	put_line(line);
	put_line("\r\n");
}

void console_print(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	print_va(fmt, ap);
	va_end(ap);
}

static bool line_open; /* a line of progress waits for its end */

void console_progress(bool last, const char *fmt, ...)
{
	static char line[LINE_BYTES];
	va_list ap;

	va_start(ap, fmt);
	bh_vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	put_line("\r");
	put_line(line);
	line_open = !last;
	if (last)
		put_line("\r\n");
}

int fail(const char *fmt, ...)
{
	va_list ap;

	if (line_open)
		put_line("\r\n");
	put_line("Bulkhead cannot start: ");
	va_start(ap, fmt);
	print_va(fmt, ap);
	va_end(ap);
	return -EINVAL;
}

void console_wait_key(void)
{
	EFI_INPUT_KEY key;
	UINTN which;

	console_print("Press a key to return to the firmware.");
	if (!efi_st->ConIn)
		return;
	efi_st->ConIn->Reset(efi_st->ConIn, FALSE);
	efi_bs->WaitForEvent(1, &efi_st->ConIn->WaitForKey, &which);
	efi_st->ConIn->ReadKeyStroke(efi_st->ConIn, &key);
}
