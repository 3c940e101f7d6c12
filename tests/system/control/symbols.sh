#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# The privileged guest of tests/system/symbols.py, beside bhctl.sh: makes two guests of
# a stock Linux, gives gdb at the other end of COM2 to one, and writes cores of both to a
# disk. The kernel of the other lies where it likes.
LINE=/dev/ttyS1
CMDLINE='console=ttyS0 cryptomgr.notests bulkhead.test=heartbeat'

make_guest() { # NAME CPUS CMDLINE
	bhctl run --kernel /boot/stock --initrd /boot/isolated.cpio --memory 160M \
		--name "$1" --cpus "$2" --cmdline "$3"
}

beaten() { # NAME
	bhctl console --dump "$1" | grep -c HEARTBEAT
}

comes_up() { # NAME
	wait_for 1200 sh -c "bhctl console --dump $1 | grep -q HEARTBEAT"
}

# Its next line comes
lives() { # NAME
	before=$(beaten "$1")
	wait_for 120 sh -c "[ \$(bhctl console --dump $1 | grep -c HEARTBEAT) -gt $before ]"
}

test_symbols() {
	insmod_all vfio || { fail symbols "no module $ko"; return; }
	insmod_all dax region_idle=1 || { fail symbols "no module $ko"; return; }
	mkdir -p /run/bulkhead
	start_bhd || { fail symbols "$(cat /tmp/bhd.log)"; return; }
	says sym_run '^fixed$' make_guest fixed 2 "$CMDLINE nokaslr"
	says sym_up '' comes_up fixed
	stty -F $LINE raw -echo 115200
	pass sym_line
	bhctl gdb fixed --listen - <$LINE >$LINE
	says sym_detached '^fixed  *running' bhctl list
	says sym_lives '' lives fixed
	says sym_random '^random$' make_guest random 1 "$CMDLINE"
	says sym_random_up '' comes_up random
	says sym_disk '' wait_for 20 find_partition
	mount -t ext4 "$part" /mnt
	says sym_dump_fixed '160 MiB of memory, 2 vCPUs' bhctl dump fixed /mnt/fixed
	says sym_dump_random '"vmcoreinfo": *true' bhctl dump --json random /mnt/random
	says sym_goes_on '' lives random
	umount /mnt
	kill $bhd
	pass symbols
}
