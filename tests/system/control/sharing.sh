#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# The privileged guest of system.restart.sharing, beside bhctl.sh: in its first life it makes
# a guest that shares its memory, and its kernel panics. In its second one a new bhd, by
# what the old one left on the disk, gives it that memory again.
mkdir -p /run/bulkhead

sharing_begins() {
	says sharing_nothing '' dax_reads_nothing
	printf '[guest shared]\nkernel = echo\nmemory = 4M\nshare = memory\n' >/boot/shared.conf
	says sharing_create '^shared$' bhctl create /boot/shared.conf
	says sharing_says '' made_says shared 'echo: ready'
	says sharing_reads '' dax_reads
	sync
	echo "TEST sharing panics"
	echo c >/proc/sysrq-trigger
	sleep 60
	fail sharing "it runs on"
}

sharing_again() {
	says sharing_lives '^shared  *running  *dynamic' bhctl list
	says sharing_granted 'shared.*granted to the privileged guest' bhctl audit
	says sharing_audit '^  holds: ' bhctl audit
	says sharing_device '^memory shared by  */dev/dax[0-9]' bhctl info shared
	says sharing_reads_again '' dax_reads
	says sharing_stop '' bhctl stop --timeout 0 shared
	says sharing_no_more '' dax_reads_nothing
	says sharing_start '' bhctl start shared
	says sharing_says_again '' made_says shared 'echo: ready'
	says sharing_destroy '' bhctl destroy shared
	says sharing_gone '' dax_reads_nothing
	kill $bhd
	pass sharing
}

test_sharing() {
	insmod_all vfio || { fail sharing "no module $ko"; return; }
	insmod_all dax region_idle=1 || { fail sharing "no module $ko"; return; }
	says sharing_disk '' wait_for 20 find_partition
	mount -t ext4 "$part" /var/lib || { fail sharing "cannot mount $part"; return; }
	says sharing_before '' dax_reads_nothing
	start_bhd || { fail sharing "$(cat /tmp/bhd.log)"; return; }
	if bh-console -d log | grep -q 'starts again, alone'; then
		sharing_again
	else
		sharing_begins
	fi
}
