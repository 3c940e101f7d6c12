# SPDX-License-Identifier: BSD-2-Clause
# What `make run` boots: a small Debian with bhd and bhctl as the privileged guest,
# the isolated guest of boot/rootfs beside it, and a disk for what bhd keeps.
# scripts/mkdebian installs Debian's packages once, into $(CACHE).
DEBIAN       := $(B)/debian
DEBIAN_TREE  := $(shell find boot/debian -type f ! -name bulkhead.conf ! -name build.mk)
DEBIAN_MADE  := $(addprefix $(DEBIAN)/,root.squashfs vmlinuz initrd.img)
DEBIAN_FILES := $(ELF) boot/debian/bulkhead.conf $(DEBIAN)/vmlinuz $(DEBIAN)/initrd.img \
		$(GUESTS)/isolated.cpio
DATA_MIB     := 256

$(DEBIAN_MADE) &: scripts/mkdebian scripts/debian-root scripts/debian-clean scripts/mkinitrd \
		boot/rootfs/debian/init $(DEBIAN_TREE) $(TOOLS_DEB) $(GUESTS)/isolated.cpio
	$(call say,LIVE,$(DEBIAN))
	$(Q)SOURCE_DATE_EPOCH=$(LIVE_EPOCH) PROGRESS=$(PROGRESS) scripts/mkdebian $(DEBIAN) $(CACHE) $(TOOLS_DEB) \
		$(GUESTS)/isolated.cpio

$(B)/run.img: $(DEBIAN_FILES) $(LOADER) scripts/mkimage
	$(call say,IMAGE,$@)
	$(Q)scripts/mkimage --kind uefi --loader $(LOADER) --out $@ $(DEBIAN_FILES) >/dev/null

# What bhd keeps outlives a restart of make run, and a new system
$(B)/run-data.img:
	$(call say,IMAGE,$@)
	$(Q)scripts/mkdisk $@ $(DATA_MIB)

.PHONY: debian
debian: $(B)/run.img $(DEBIAN_MADE)
