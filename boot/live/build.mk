# SPDX-License-Identifier: BSD-2-Clause
# The stick of `make usb`: the live Debian is its privileged guest, that of `make
# run` the isolated one. scripts/mklive makes the system, once; scripts/mkiso the
# image around it.
LIVE       := $(B)/live
LIVE_TREE  := $(shell find boot/live -type f ! -name bulkhead.conf ! -name build.mk)
LIVE_MADE  := $(addprefix $(LIVE)/,filesystem.squashfs vmlinuz initrd.img live-uuid)
LIVE_FILES := $(ELF) boot/live/bulkhead.conf $(LIVE)/vmlinuz $(LIVE)/initrd.img \
	      $(GUESTS)/isolated.cpio
# The time in it is the last commit's
LIVE_EPOCH  = $(or $(SOURCE_DATE_EPOCH),$(shell git log -1 --format=%ct))

$(LIVE_MADE) &: scripts/mklive scripts/debian-root scripts/debian-clean $(LIVE_TREE) $(JUDGE) tools/bh-report $(CONSOLE_TOOL_STATIC)
	$(call say,LIVE,$(LIVE))
	$(Q)SOURCE_DATE_EPOCH=$(LIVE_EPOCH) PROGRESS=$(PROGRESS) scripts/mklive $(LIVE) $(JUDGE) $(CONSOLE_TOOL_STATIC)
# Asked for by name, as USB_FILES are
ifneq ($(LIVE_PACKAGES)$(LIVE_SNAPSHOT)$(LIVE_SUITE)$(LIVE_MIRROR),)
.PHONY: $(LIVE_MADE)
endif

$(B)/bulkhead.img: $(LIVE_MADE) $(LIVE_FILES) $(LOADER) scripts/mkiso scripts/mkimage
	$(call say,IMAGE,$@)
	$(Q)SOURCE_DATE_EPOCH=$(LIVE_EPOCH) scripts/mkiso --live $(LIVE) --loader $(LOADER) \
		$(addprefix --size ,$(USB_MIB)) --out $@ $(LIVE_FILES) $(USB_FILES) >/dev/null

.PHONY: live
live: $(B)/bulkhead.img
