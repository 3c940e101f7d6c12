/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * "Check this machine" of the UEFI loader, see loader.h. While boot services
 * are there, the firmware's keyboards and consoles are, and the volume that the
 * report goes to. The hypervisor then shows the same on its own consoles.
 * Called by main.c. UEFI 2.10, 3.3 *Globally Defined Variables*, 7.1 *Event,
 * Timer, and Task Priority Services*.
 */
#include "boot/common/check.h"
#include "boot/common/boot_mem.h"
#include "boot/efi/loader.h"
#include "check/report.h"
#include "check/show.h"
#include "lib/string.h"

#define OFFER_100NS  10000000ull  /* a second */
#define PAGE_100NS   600000000ull /* a minute, where nobody is */
#define SCAN_ESCAPE  0x17
#define MAP_BYTES    KIB(128)
#define COLUMNS      80u
#define ROWS         25u
#define ROWS_PROMPT  2u
#define OPTION_WORDS 512u

static EFI_EVENT offer;

static EFI_EVENT timer_start(u64 in_100ns)
{
	EFI_EVENT timer = NULL;

	if (EFI_ERROR(efi_bs->CreateEvent(EVT_TIMER, TPL_APPLICATION, NULL,
					  NULL, &timer)))
		return NULL;
	if (!EFI_ERROR(efi_bs->SetTimer(timer, TimerRelative, in_100ns)))
		return timer;
	efi_bs->CloseEvent(timer);
	return NULL;
}

/* The next key, if there is one by the time that @timer ends. Without a timer
 * or a keyboard nobody waits. The timer is looked at each time: there are
 * keyboards whose event says that a key waits when none does. */
static bool key_by(EFI_EVENT timer, EFI_INPUT_KEY *key)
{
	EFI_EVENT events[2];
	UINTN which;

	if (!efi_st->ConIn || !timer)
		return false;
	events[0] = efi_st->ConIn->WaitForKey;
	events[1] = timer;
	for (;;) {
		if (!EFI_ERROR(
			    efi_st->ConIn->ReadKeyStroke(efi_st->ConIn, key)))
			return true;
		if (!EFI_ERROR(efi_bs->CheckEvent(timer)))
			return false;
		if (EFI_ERROR(efi_bs->WaitForEvent(2, events, &which)))
			return false;
		if (which == 1)
			return false;
	}
}

void check_offer(void)
{
	console_print("Bulkhead: press C to check this machine.");
	offer = timer_start(OFFER_100NS);
}

/* As the UEFI shell hands them over: words of 16 bits */
static bool asked_by_options(EFI_HANDLE self)
{
	static const char word[] = CHECK_NAME;
	EFI_GUID guid = EFI_LOADED_IMAGE_PROTOCOL_GUID;
	EFI_LOADED_IMAGE *li = NULL;
	const CHAR16 *text;
	u32 count, same = 0;

	if (EFI_ERROR(efi_bs->HandleProtocol(self, &guid, (void **)&li)) ||
	    !li->LoadOptions)
		return false;
	text = li->LoadOptions;
	count = MIN(li->LoadOptionsSize / 2, OPTION_WORDS);
	for (u32 i = 0; i < count; i++) {
		if (text[i] == (CHAR16)word[same])
			same++;
		else
			same = text[i] == (CHAR16)word[0];
		if (same == sizeof(word) - 1)
			return true;
	}
	return false;
}

bool check_chosen(EFI_HANDLE self, const struct boot_info *bi)
{
	bool chosen = asked_by_options(self) || boot_check_file(bi);
	EFI_INPUT_KEY key;

	while (!chosen && key_by(offer, &key))
		chosen = key.UnicodeChar == 'c' || key.UnicodeChar == 'C';
	if (offer)
		efi_bs->CloseEvent(offer);
	return chosen;
}

/* --- facts that only UEFI knows --- */

/* The memory map as it is now, to bi->mem[], for the check alone */
static void map_take(struct boot_info *bi)
{
	static _Alignas(8) u8 map[MAP_BYTES];
	UINTN size = sizeof(map), key, stride = 0;
	UINT32 version;

	if (EFI_ERROR(efi_bs->GetMemoryMap(&size, (void *)map, &key, &stride,
					   &version)))
		return;
	for (UINTN at = 0; stride && at + stride <= size; at += stride) {
		const EFI_MEMORY_DESCRIPTOR *d = (const void *)(map + at);

		if (boot_mem_add(bi, d->PhysicalStart,
				 d->NumberOfPages * PAGE_SIZE, d->Type,
				 d->Attribute))
			return;
	}
}

static void variable_take(struct check_facts *f, CHAR16 *name,
			  enum check_fact fact)
{
	EFI_GUID global = EFI_GLOBAL_VARIABLE;
	UINTN size = 1;
	u8 value = 0;
	EFI_STATUS st;

	st = efi_st->RuntimeServices->GetVariable(name, &global, NULL, &size,
						  &value);
	if (!EFI_ERROR(st) || st == EFI_NOT_FOUND)
		check_set(f, fact, value);
}

/* --- the report --- */

static bool file_write(EFI_FILE_HANDLE root, CHAR16 *name, const char *text,
		       size_t len)
{
	const UINT64 mode =
		EFI_FILE_MODE_READ | EFI_FILE_MODE_WRITE | EFI_FILE_MODE_CREATE;
	EFI_FILE_HANDLE f = NULL;
	UINTN size = len;
	EFI_STATUS st;

	/* What is left of a longer one would stay */
	if (!EFI_ERROR(root->Open(root, &f, name,
				  EFI_FILE_MODE_READ | EFI_FILE_MODE_WRITE, 0)))
		f->Delete(f);
	if (EFI_ERROR(root->Open(root, &f, name, mode, 0)))
		return false;
	st = f->Write(f, &size, (void *)(uintptr_t)text);
	if (!EFI_ERROR(st))
		st = f->Flush(f);
	f->Close(f);
	return !EFI_ERROR(st) && size == len;
}

static void report_write(EFI_HANDLE self, const struct check_facts *f)
{
	static CHAR16 json[] = L"bh-check.json", plain[] = L"bh-check.txt";
	static char text[CHECK_REPORT_BYTES];
	EFI_FILE_HANDLE root;
	bool good;
	size_t len;

	if (volume_open(self, &root))
		return;
	len = check_json(f, text, sizeof(text));
	good = len < sizeof(text) && file_write(root, json, text, len);
	len = check_text(f, text, sizeof(text));
	good &= len < sizeof(text) && file_write(root, plain, text, len);
	root->Close(root);
	if (good)
		console_print("The report is on this volume: bh-check.txt and "
			      "bh-check.json.");
	else
		console_print("The report is not on this volume: it cannot be "
			      "written.");
}

static bool wants_back;

static void page_wait(const char *prompt)
{
	EFI_EVENT timer = timer_start(PAGE_100NS);
	EFI_INPUT_KEY key;

	console_print("%s", prompt);
	if (key_by(timer, &key) && key.ScanCode == SCAN_ESCAPE)
		wants_back = true;
	if (timer)
		efi_bs->CloseEvent(timer);
}

static void page_next(void)
{
	page_wait("-- Press a key for more. --");
}

static void line_print(const char *line)
{
	console_print("%s", line);
}

static void report_show(const struct check_facts *f)
{
	struct check_view view = { .columns = COLUMNS - 1,
				   .rows = ROWS - ROWS_PROMPT,
				   .line = line_print,
				   .pause = page_next };
	SIMPLE_TEXT_OUTPUT_INTERFACE *out = efi_st->ConOut;
	UINTN columns = 0, rows = 0;

	if (out && out->Mode &&
	    !EFI_ERROR(out->QueryMode(out, (UINTN)out->Mode->Mode, &columns,
				      &rows)) &&
	    columns >= COLUMNS && rows >= ROWS) {
		view.columns = (u32)columns - 1;
		view.rows = (u32)rows - ROWS_PROMPT;
	}
	check_show(f, &view);
}

bool check_machine(EFI_HANDLE self, struct boot_info *bi)
{
	static CHAR16 secure_boot[] = L"SecureBoot";
	static CHAR16 setup_mode[] = L"SetupMode";

	bi->efi.system_table = (u64)efi_st;
	map_take(bi);
	boot_check(bi, CHECK_BY_LOADER);
	bi->mem_count = 0;
	variable_take(&bi->facts, secure_boot, FACT_SECURE_BOOT);
	variable_take(&bi->facts, setup_mode, FACT_SETUP_MODE);
	report_show(&bi->facts);
	report_write(self, &bi->facts);
	page_wait("-- Press a key, and Bulkhead shows it on its own screen "
		  "and serial line; Esc goes back. --");
	return !wants_back;
}
