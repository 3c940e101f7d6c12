#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# The privileged guest of tests/system/disks.py: its rc sources this before
# bhctl.sh, whose functions it uses. A guest with disks, images that lie here.

disk_conf() { # NAME TESTS LINES...: a definition of /boot
	name=$1 tests=$2
	shift 2
	{
		printf '[guest %s]\nkernel = vmlinuz\ninitrd = isolated.cpio\n' "$name"
		printf 'cmdline = console=ttyS0 cryptomgr.notests bulkhead.test=%s\n' "$tests"
		printf 'memory = 128M\nshare = memory\n'
		printf '%s\n' "$@"
	} >"/boot/$name.conf"
}

backends() {
	pidof qemu-storage-daemon | wc -w
}

stored() { # Of the image of vda, what the guest wrote
	yes raw | head -c 262144 >/tmp/wanted
	dd if=/disks/raw.img bs=65536 skip=1 count=4 2>/dev/null | cmp -s - /tmp/wanted
}

said_twice() { # NAME PATTERN
	[ "$(bhctl console --dump "$1" | grep -c "$2")" -ge 2 ]
}

test_bhdisk() {
	grep -q '^vfio_pci ' /proc/modules || insmod_all vfio || fail bhdisk "no module $ko"
	grep -q '^dax_hmem ' /proc/modules || insmod_all dax region_idle=1 ||
		fail bhdisk "no module $ko"
	mkdir -p /run/bulkhead
	start_bhd || { fail bhdisk "$(cat /tmp/bhd.log)"; return; }
	disk_conf box disk,poweroff 'disk = /disks/raw.img' 'disk = /disks/disk.qcow2' \
		'disk = /disks/copy.img,readonly,format=raw'
	says disk_create '^box$' bhctl create /boot/box.conf
	says disk_reads '' made_says box 'TEST disk_reads ok' 120
	says disk_writes '' made_says box 'TEST disk_writes ok' 60
	says disk_readonly '' made_says box 'TEST disk_readonly ok' 30
	says disk_interrupts '' made_says box 'TEST disk_interrupts ok' 30
	[ "$(backends)" = 3 ] && pass disk_backends || fail disk_backends "$(backends)"
	disk_conf other poweroff 'disk = /disks/raw.img' 'disk = /disks/none.img'
	says disk_in_use 'is a disk of guest box' bhctl create /boot/other.conf
	bhctl destroy other
	kill -9 $bhd
	start_bhd || { fail bhdisk "$(cat /tmp/bhd.log)"; return; }
	says disk_lasts '' made_says box 'TEST disk_lasts ok' 120
	says disk_ends '' wait_for 60 sh -c "bhctl list | grep -q '^box  *stopped'"
	stored && pass disk_stored || fail disk_stored "$(od -c /disks/raw.img | head -n 5)"
	wait_for 10 sh -c '! pidof qemu-storage-daemon' && pass disk_no_backends ||
		fail disk_no_backends "$(backends)"
	says disk_start '' bhctl start box
	says disk_again '' made_says box 'TEST disk_again ok' 120
	says disk_destroy '' bhctl destroy box
	disk_conf still disk 'disk = /disks/raw.img' 'disk = /disks/disk.qcow2'
	says disk_still '^still$' bhctl create /boot/still.conf
	made_says still 'TEST disk_again ok' 120
	says disk_reset '' bhctl reset still
	says disk_after_reset '' wait_for 120 said_twice still 'TEST disk_again ok'
	says disk_off '' bhctl stop --timeout 0 still
	says disk_gone '' bhctl destroy still
	kill $bhd
	cat /tmp/bhd.log
	pass bhdisk
}
