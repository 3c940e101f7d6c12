#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# The isolated guest of tests/system/disks.py: its rc sources this in place of
# virtio.sh. vda is a raw image, vdb a qcow2 one, vdc one that is read-only.

pattern() { # WORD: 256 KiB
	yes "$1" | head -c 262144
}

# At 64 KiB of the disk, past the page cache
put() { # DISK WORD
	pattern "$2" | dd of="/dev/$1" bs=65536 seek=1 iflag=fullblock conv=fsync 2>/dev/null
}

has() { # DISK WORD
	echo 3 >/proc/sys/vm/drop_caches
	dd if="/dev/$1" bs=65536 skip=1 count=4 2>/dev/null | cmp -s - /tmp/wanted."$2"
}

drivers() {
	while read -r ko; do
		insmod "/lib/modules/virtio/$ko" || { fail disk "$ko"; return 1; }
	done </lib/modules/virtio/order
	for word in raw qcow raw2 qcow2; do
		pattern $word >/tmp/wanted.$word
	done
}

# What the host put there, and then what this guest writes; the next start of it
# finds that
test_disk() {
	drivers || return
	if has vda raw && has vdb qcow; then
		pass disk_again
		return
	fi
	if [ "$(head -c 8 /dev/vda)" = raw-here ] && [ "$(head -c 8 /dev/vdb)" = qcowhere ]; then
		pass disk_reads
	else
		fail disk_reads "$(head -c 8 /dev/vda) $(head -c 8 /dev/vdb) $(ls /sys/block)"
	fi
	if put vda raw && put vdb qcow && has vda raw && has vdb qcow; then
		pass disk_writes
	else
		fail disk_writes "$(dmesg | tail -n 3)"
	fi
	if [ "$(head -c 8 /dev/vdc)" = raw-here ] && [ "$(cat /sys/block/vdc/ro)" = 1 ]; then
		pass disk_readonly
	else
		fail disk_readonly "$(cat /sys/block/vdc/ro)"
	fi
	if grep -q 'PCI-MSI.*virtio0-req' /proc/interrupts; then
		pass disk_interrupts
	else
		fail disk_interrupts "$(grep virtio /proc/interrupts)"
	fi
	rest_seconds=40
	# While back-ends and their keeper come and go
	while [ $rest_seconds -gt 0 ]; do
		put vda raw2 && has vda raw2 && put vdb qcow2 && has vdb qcow2 || break
		rest_seconds=$((rest_seconds - 1))
		sleep 1
	done
	if put vda raw && put vdb qcow && has vda raw && has vdb qcow; then
		pass disk_lasts
	else
		fail disk_lasts "$(dmesg | tail -n 3)"
	fi
}
