# SPDX-License-Identifier: BSD-2-Clause
# Unit tests and fuzzers (host, ASan + UBSan) and guest test images.

# A test or fuzzer names the project sources it is linked with in its first
# line: /* SOURCES: lib/printf.c lib/string.c */. SOURCED has `test.c:source.c`
# for each; $(call sources,test.c) picks them.
UNIT_C  := $(sort $(shell find tests/unit -name 'test_*.c'))
FUZZ_C  := $(sort $(wildcard tests/fuzz/fuzz_*.c))
SOURCED := $(shell awk 'FNR == 1 && $$2 == "SOURCES:" { \
	for (i = 3; i < NF; i++) print FILENAME ":" $$i }' $(UNIT_C) $(FUZZ_C))
sources  = $(patsubst $(1):%,%,$(filter $(1):%,$(SOURCED)))

# tests/unit/ROOM/test_X.c tests what stands in ROOM. Each source is compiled
# once, for all tests. What they call and a test neither names nor defines comes
# from the library tests/unit/fakes/.
UNIT_BIN  := $(UNIT_C:tests/unit/%.c=$(B)/unit/%)
UNIT_OBJ  := $(B)/unit/obj
UNIT_CC   := gcc
FAKES_C   := $(wildcard tests/unit/fakes/*.c)
UNIT_FLAGS := -std=gnu11 -O1 -g -I. -Wall -Wextra -Wno-unused-parameter -Wshadow -Wundef -Werror \
	      -fsanitize=address,undefined -fno-sanitize-recover=all \
	      -fno-omit-frame-pointer -D_GNU_SOURCE -DBULKHEAD_UNIT_TEST

UNIT_LIBS_test_insn_capstone := -lcapstone
UNIT_LIBS_test_plan := -Wl,--wrap=strcmp
UNIT_LIBS_test_dynamic := -Wl,--wrap=news_add_state,--wrap=news_state
# Of the tools of the privileged guest
UNIT_LIBS_test_bhd := -ljson-c -lev
UNIT_LIBS_test_bhd_life := -ljson-c -lev
UNIT_LIBS_test_bhd_devices := -ljson-c -lev
UNIT_LIBS_test_vhost_user := -lev
UNIT_LIBS_test_top := -ljson-c
UNIT_LIBS_test_http := -ljson-c
UNIT_LIBS_test_args := -ljson-c
UNIT_LIBS_test_make := -ljson-c
UNIT_LIBS_test_trace_text := -ljson-c -lm
UNIT_LIBS_test_stats_text := -ljson-c
UNIT_LIBS_test_proof := -ljson-c

$(UNIT_OBJ)/%.o: %.c tests/build.mk
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(UNIT_CC) $(UNIT_FLAGS) -MMD -MP -c $< -o $@

# Of assembly, the same text as the hypervisor's
$(UNIT_OBJ)/%.asm.o: %.asm tests/build.mk
	@mkdir -p $(@D)
	$(call say,NASM,$@)
	$(Q)$(NASM) $(NFLAGS) -M -MT $@ -MF $(UNIT_OBJ)/$*.asm.d $<
	$(Q)$(NASM) $(NFLAGS) $< -o $@

# $(1): tests/unit/ROOM/test_X.c, $(2): the program
define unit-rule
$(2): $(patsubst %.c,$(UNIT_OBJ)/%.o,$(patsubst %.asm,$(UNIT_OBJ)/%.asm.o,$(1) $(call sources,$(1)))) $(UNIT_OBJ)/fakes.a
	@mkdir -p $$(@D)
	$$(call say,UNIT,$$@)
	$$(Q)$(UNIT_CC) $(UNIT_FLAGS) -z noexecstack -o $$@ $$^ -lcmocka $$(UNIT_LIBS_$$(@F))
endef
$(foreach t,$(UNIT_C),$(eval $(call unit-rule,$(t),$(t:tests/unit/%.c=$(B)/unit/%))))

.PHONY: unit unit-build
unit-build: $(UNIT_BIN)
unit: unit-build
	@scripts/run-unit $(UNIT_BIN)

# libFuzzer (clang). tests/fuzz/run gives each its time; what they find stays
# in $(B)/fuzz
FUZZ_BIN     := $(FUZZ_C:tests/fuzz/%.c=$(B)/fuzz/%)
FUZZ_OBJ     := $(B)/fuzz/obj
FUZZ_SECONDS := 60
FUZZ_FLAGS   := -std=gnu11 -O1 -g -I. -Wall -Wextra -Wno-unused-parameter -Wno-unused-function -Werror \
		-fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all \
		-D_GNU_SOURCE -DBULKHEAD_UNIT_TEST

$(FUZZ_OBJ)/%.o: %.c tests/build.mk
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)clang $(FUZZ_FLAGS) -MMD -MP -c $< -o $@

define fuzz-rule
$(2): $(patsubst %.c,$(FUZZ_OBJ)/%.o,$(1) $(call sources,$(1))) $(FUZZ_OBJ)/fakes.a
	$$(call say,FUZZ,$$@)
	$$(Q)clang $(FUZZ_FLAGS) -o $$@ $$^ -lcmocka
endef
$(foreach t,$(FUZZ_C),$(eval $(call fuzz-rule,$(t),$(t:tests/fuzz/%.c=$(B)/fuzz/%))))

.PHONY: fuzz-build
fuzz-build: $(FUZZ_BIN)

$(UNIT_OBJ)/fakes.a: $(FAKES_C:%.c=$(UNIT_OBJ)/%.o)
$(FUZZ_OBJ)/fakes.a: $(FAKES_C:%.c=$(FUZZ_OBJ)/%.o)
$(UNIT_OBJ)/fakes.a $(FUZZ_OBJ)/fakes.a:
	$(call say,AR,$@)
	$(Q)rm -f $@ && ar rc $@ $^

# What each object of either was made from
HOST_C := $(sort $(UNIT_C) $(FUZZ_C) $(FAKES_C) $(foreach s,$(SOURCED),$(lastword $(subst :, ,$(s)))))
HOST_ASM := $(filter %.asm,$(HOST_C))
HOST_C := $(filter %.c,$(HOST_C))
.SECONDARY: $(HOST_C:%.c=$(UNIT_OBJ)/%.o) $(HOST_C:%.c=$(FUZZ_OBJ)/%.o) $(HOST_ASM:%=$(UNIT_OBJ)/%.o)
-include $(wildcard $(HOST_C:%.c=$(UNIT_OBJ)/%.d) $(HOST_C:%.c=$(FUZZ_OBJ)/%.d) $(HOST_ASM:%=$(UNIT_OBJ)/%.d))

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
# What clang folds into instructions with a memory operand
$(B)/tests/guest/lib/folded.o: CC := clang
$(B)/tests/guest/lib/folded.o: CFLAGS := $(filter-out -mgeneral-regs-only -fno-tree-loop-distribute-patterns,$(GUEST_FLAGS)) \
	-march=x86-64-v3 -fno-math-errno -fno-vectorize -fno-slp-vectorize
# The multiboot loaders enter elsewhere than PVH does
$(B)/tests/guest/multiboot.elf: GUEST_LD := -e mb_entry
# The machine's own memory: GRUB has put the hypervisor and the files below
$(B)/tests/guest/assign.elf $(B)/tests/guest/serial.elf $(B)/tests/guest/console.elf $(B)/tests/guest/control.elf $(B)/tests/guest/cycles.elf $(B)/tests/guest/debugger.elf $(B)/tests/guest/mca.elf $(B)/tests/guest/pauser.elf $(B)/tests/guest/served.elf $(B)/tests/guest/sleep.elf: GUEST_LD := --defsym=guest_base=0x3000000
$(B)/tests/guest/%.elf: $(B)/tests/guest/%.o $(GUEST_LIB_O) tests/guest/lib/guest.ld
	$(call say,GUEST,$@)
	$(Q)$(LD) -nostdlib -static $(GUEST_LD) -z noexecstack -z max-page-size=4096 \
		--no-warn-rwx-segments -T tests/guest/lib/guest.ld -o $@ $(filter %.o,$^)
$(B)/tests/bench/%.elf: $(B)/tests/bench/%.o $(GUEST_LIB_O) tests/guest/lib/guest.ld
	$(call say,GUEST,$@)
	$(Q)$(LD) -nostdlib -static -z noexecstack -z max-page-size=4096 \
		--no-warn-rwx-segments -T tests/guest/lib/guest.ld -o $@ $(filter %.o,$^)
.SECONDARY: $(GUEST_C:%.c=$(B)/%.o) $(GUEST_LIB_O)
-include $(GUEST_C:%.c=$(B)/%.d) $(GUEST_LIB_C:%.c=$(B)/%.d) $(GUEST_LIB_S:%.asm=$(B)/%.asm.d)
# The flags above are this file's
$(GUEST_C:%.c=$(B)/%.o) $(GUEST_LIB_O): tests/build.mk

# The same as ELF32, known by its multiboot 2 header alone
$(B)/tests/guest/multiboot32.elf: $(B)/tests/guest/multiboot.elf
	$(call say,GUEST,$@)
	$(Q)objcopy -O elf32-i386 --remove-section=.note.pvh $< $@

# Firmware of our own
$(B)/tests/guest/rom.bin: tests/guest/rom.asm
	@mkdir -p $(@D)
	$(call say,NASM,$<)
	$(Q)$(NASM) -f bin -o $@ $<

# EFI programs that run before the loader
BEFORE   := $(addprefix $(B)/tests/firmware/,residue.efi refuse.efi faults.efi checksum.efi)
BEFORE_O := $(B)/efi/tests/firmware/before.o $(B)/efi/lib/string.o
$(B)/tests/firmware/%.efi: $(B)/efi/tests/firmware/%.o $(BEFORE_O)
	@mkdir -p $(@D)
	$(efi-link)
$(B)/tests/firmware/residue.efi: $(B)/efi/tests/firmware/five_levels.asm.o \
	$(B)/efi/tests/firmware/remap.o
.SECONDARY: $(BEFORE:$(B)/%.efi=$(B)/efi/%.o) $(BEFORE_O)
-include $(BEFORE:$(B)/%.efi=$(B)/efi/%.d) $(BEFORE_O:.o=.d)

.PHONY: guests
guests: $(GUEST_ELF) $(B)/tests/guest/multiboot32.elf $(B)/tests/guest/rom.bin $(BEFORE)

# What counts the instructions of a guest's boot: a plugin for QEMU, and the
# program that ends it (tests/plugin/share.c)
PLUGIN := $(B)/tests/plugin/share.so $(B)/tests/plugin/first $(B)/tests/plugin/launch
guests: $(PLUGIN)

$(B)/tests/plugin/share.so: tests/plugin/share.c tests/plugin/mark.h
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(UNIT_CC) -std=gnu11 -O2 -I. -Wall -Wextra -Wno-unused-parameter -Werror -shared -fPIC -o $@ $<

# Begins and ends what is counted: it runs in the privileged guest
$(B)/tests/plugin/launch: tests/plugin/launch.c tests/plugin/mark.h
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(UNIT_CC) -std=gnu11 -O2 -I. -Wall -Wextra -Werror -static -s -o $@ $<

$(B)/tests/plugin/first: tests/plugin/first.asm
	@mkdir -p $(@D)
	$(call say,NASM,$<)
	$(Q)$(NASM) -f elf64 -o $@.o $<
	$(Q)$(LD) -nostdlib -static -z noexecstack -Ttext=0x40000000 -o $@ $@.o
