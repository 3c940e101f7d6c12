# SPDX-License-Identifier: BSD-2-Clause
# The UEFI loader, build/BOOTX64.EFI: a gnu-efi application. The hypervisor's
# own string and printf sources are linked in, so that libefi is not needed.

EFI_LOADER  := $(B)/BOOTX64.EFI
EFI_C       := $(wildcard boot/efi/*.c boot/common/*.c check/*.c) lib/string.c lib/printf.c \
	       lib/log_ring.c
EFI_ASM     := $(wildcard boot/efi/*.asm)
EFI_OBJS    := $(EFI_C:%.c=$(B)/efi/%.o) $(EFI_ASM:%.asm=$(B)/efi/%.asm.o)
EFI_LIB     ?= /usr/lib
EFI_INC     ?= /usr/include/efi
EFI_CFLAGS  := -std=gnu11 -O2 -I. -isystem $(EFI_INC) -isystem $(EFI_INC)/x86_64 \
	       $(WARN) -ffreestanding -fno-stack-protector -fpic -fvisibility=hidden \
	       -fshort-wchar -mno-red-zone -mgeneral-regs-only -fno-strict-aliasing \
	       -fno-asynchronous-unwind-tables -fcf-protection=none \
	       -DGNU_EFI_USE_MS_ABI
EFI_SECTIONS := .text .sdata .data .dynamic .dynsym .rel .rela .rel.* .rela.* .reloc

all: $(EFI_LOADER)

$(B)/efi/%.o: %.c boot/build.mk
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(EFI_CFLAGS) -MMD -MP -c $< -o $@

$(B)/efi/%.asm.o: %.asm boot/build.mk
	@mkdir -p $(@D)
	$(call say,NASM,$<)
	$(Q)$(NASM) -f elf64 -I./ -MD $(@:.o=.d) $< -o $@

# $(call efi-link): an EFI application from all that a rule needs
define efi-link
	$(call say,LD,$@)
	$(Q)$(LD) -nostdlib -shared -Bsymbolic -znocombreloc --build-id=none \
		-z noexecstack --no-warn-rwx-segments --no-undefined \
		-T $(EFI_LIB)/elf_x86_64_efi.lds -o $@.so \
		$(EFI_LIB)/crt0-efi-x86_64.o $^ $(EFI_LIB)/libgnuefi.a
	$(Q)objcopy $(EFI_SECTIONS:%=-j %) --output-target=efi-app-x86_64 $@.so $@
endef

$(EFI_LOADER): $(EFI_OBJS)
	$(efi-link)

-include $(EFI_OBJS:.o=.d)
