# SPDX-License-Identifier: BSD-2-Clause
# Unit tests (host, ASan + UBSan) and guest test images.

# tests/unit/ROOM/test_X.c tests what stands in ROOM. Its first line names the
# project sources it is linked with: /* SOURCES: lib/printf.c lib/string.c */
UNIT_C    := $(sort $(shell find tests/unit -name 'test_*.c'))
UNIT_BIN  := $(UNIT_C:tests/unit/%.c=$(B)/unit/%)
UNIT_FAKES := $(wildcard tests/unit/fakes/*.h)
UNIT_CC   := gcc
UNIT_FLAGS := -std=gnu11 -O1 -g -I. -Wall -Wextra -Wno-unused-parameter -Wshadow -Wundef -Werror \
	      -fsanitize=address,undefined -fno-sanitize-recover=all \
	      -fno-omit-frame-pointer -D_GNU_SOURCE -DBULKHEAD_UNIT_TEST

unit-sources = $(shell sed -n '1s,^/\* SOURCES:\(.*\)\*/.*,\1,p' tests/unit/$(1).c)

UNIT_LIBS_hv/emulate/test_insn_capstone := -lcapstone

define unit-rule
$(B)/unit/$(1): tests/unit/$(1).c $(call unit-sources,$(1)) $(UNIT_FAKES)
	@mkdir -p $$(@D)
	@echo "  UNIT  $(notdir $(1))"
	@$(UNIT_CC) $(UNIT_FLAGS) -MMD -MP -MF $$@.d -o $$@ \
		tests/unit/$(1).c $(call unit-sources,$(1)) -lcmocka $(UNIT_LIBS_$(1))
endef
$(foreach t,$(UNIT_C:tests/unit/%.c=%),$(eval $(call unit-rule,$(t))))
-include $(UNIT_BIN:=.d)

.PHONY: unit unit-build
unit-build: $(UNIT_BIN)
unit: unit-build
	scripts/run-unit $(UNIT_BIN)

# Fuzzers (libFuzzer, clang): tests/fuzz/fuzz_X.c, sources as in unit tests.
# tests/fuzz/run gives each its time; what they find stays in $(B)/fuzz
FUZZ_C       := $(sort $(wildcard tests/fuzz/fuzz_*.c))
FUZZ_BIN     := $(FUZZ_C:tests/fuzz/%.c=$(B)/fuzz/%)
FUZZ_SECONDS := 60
FUZZ_FLAGS   := -std=gnu11 -O1 -g -I. -Wall -Wextra -Wno-unused-parameter -Wno-unused-function \
		-fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all \
		-D_GNU_SOURCE -DBULKHEAD_UNIT_TEST

fuzz-sources = $(shell sed -n '1s,^/\* SOURCES:\(.*\)\*/.*,\1,p' tests/fuzz/$(1).c)

define fuzz-rule
$(B)/fuzz/$(1): tests/fuzz/$(1).c $(call fuzz-sources,$(1)) $(UNIT_FAKES)
	@mkdir -p $$(@D)
	@echo "  FUZZ  $(1)"
	@clang $(FUZZ_FLAGS) -o $$@ tests/fuzz/$(1).c \
		$(call fuzz-sources,$(1)) -lcmocka
endef
$(foreach t,$(FUZZ_C:tests/fuzz/%.c=%),$(eval $(call fuzz-rule,$(t))))

.PHONY: fuzz-build
fuzz-build: $(FUZZ_BIN)

# Guest tests: tiny freestanding PVH ELF images, one source a group
GUEST_FLAGS := -std=gnu11 -O2 -g -I. -Wall -Wextra -Wno-unused-parameter -Werror -Wno-format-zero-length -ffreestanding \
	       -fno-stack-protector -fno-pic -fno-pie -mcmodel=small \
	       -mno-red-zone -mgeneral-regs-only -fcf-protection=none \
	       -fno-asynchronous-unwind-tables -fno-tree-loop-distribute-patterns
GUEST_LIB_C := $(sort $(wildcard tests/guest/lib/*.c))
GUEST_LIB_S := $(sort $(wildcard tests/guest/lib/*.asm))
GUEST_LIB_O := $(GUEST_LIB_C:%.c=$(B)/%.o) $(GUEST_LIB_S:%.asm=$(B)/%.asm.o)
GUEST_C     := $(sort $(wildcard tests/guest/*.c) $(wildcard tests/bench/*.c))
GUEST_ELF   := $(GUEST_C:%.c=$(B)/%.elf)

$(B)/tests/%.o: CFLAGS := $(GUEST_FLAGS)
# The multiboot loaders enter elsewhere than PVH does
$(B)/tests/guest/multiboot.elf: GUEST_LD := -e mb_entry
$(B)/tests/guest/%.elf: $(B)/tests/guest/%.o $(GUEST_LIB_O) tests/guest/lib/guest.ld
	$(LD) -nostdlib -static $(GUEST_LD) -z noexecstack -z max-page-size=4096 \
		--no-warn-rwx-segments -T tests/guest/lib/guest.ld -o $@ $(filter %.o,$^)
$(B)/tests/bench/%.elf: $(B)/tests/bench/%.o $(GUEST_LIB_O) tests/guest/lib/guest.ld
	$(LD) -nostdlib -static -z noexecstack -z max-page-size=4096 \
		--no-warn-rwx-segments -T tests/guest/lib/guest.ld -o $@ $(filter %.o,$^)
-include $(GUEST_C:%.c=$(B)/%.d) $(GUEST_LIB_C:%.c=$(B)/%.d)

# The same as ELF32, known by its multiboot 2 header alone
$(B)/tests/guest/multiboot32.elf: $(B)/tests/guest/multiboot.elf
	objcopy -O elf32-i386 --remove-section=.note.pvh $< $@

# Firmware of our own
$(B)/tests/guest/rom.bin: tests/guest/rom.asm
	@mkdir -p $(@D)
	$(NASM) -f bin -o $@ $<

.PHONY: guests
guests: $(GUEST_ELF) $(B)/tests/guest/multiboot32.elf $(B)/tests/guest/rom.bin

# What counts the instructions of a guest's boot: a plugin for QEMU, and the
# program that ends it (tests/plugin/share.c)
PLUGIN := $(B)/tests/plugin/share.so $(B)/tests/plugin/first
guests: $(PLUGIN)

$(B)/tests/plugin/share.so: tests/plugin/share.c
	@mkdir -p $(@D)
	@$(UNIT_CC) -std=gnu11 -O2 -Wall -Wextra -Wno-unused-parameter -Werror -shared -fPIC -o $@ $<

$(B)/tests/plugin/first: tests/plugin/first.asm
	@mkdir -p $(@D)
	@$(NASM) -f elf64 -o $@.o $<
	@$(LD) -nostdlib -static -z noexecstack -Ttext=0x40000000 -o $@ $@.o
