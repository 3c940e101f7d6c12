#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# The isolated guest of tests/system/virtio.py: its rc sources this.

hwrng_current() {
	cat /sys/class/misc/hw_random/rng_current
}

# The stock driver finds the device, and what it reads is random: it cannot be
# made smaller
test_hwrng() {
	while read -r ko; do
		insmod "/lib/modules/virtio/$ko" || { fail hwrng "$ko"; return; }
	done </lib/modules/virtio/order
	case $(hwrng_current) in
	virtio_rng*) ;;
	*)
		fail hwrng "the kernel has $(hwrng_current)"
		return
		;;
	esac
	dd if=/dev/hwrng of=/tmp/random bs=1024 count=16 iflag=fullblock 2>/dev/null
	gzip -k /tmp/random
	if [ "$(wc -c </tmp/random)" -ne 16384 ]; then
		fail hwrng "it gave $(wc -c </tmp/random) bytes"
	elif [ "$(wc -c </tmp/random.gz)" -lt 16384 ]; then
		fail hwrng "gzip makes $(wc -c </tmp/random.gz) bytes of 16384"
	elif ! grep -q 'PCI-MSI.*virtio0-input' /proc/interrupts; then
		fail hwrng "no message came: $(grep virtio /proc/interrupts)"
	else
		pass hwrng
	fi
}
