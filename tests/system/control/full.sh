#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# The privileged guest of system.restart.full, beside bhctl.sh: in its first life it makes
# guests until the hypervisor has no memory left for one more, and its kernel panics. In
# its second one all of them are there.
mkdir -p /run/bulkhead

make_guests() {
	made=0
	while bhctl run --kernel /boot/tiny --memory 4M --name "full$made" >/tmp/said 2>&1; do
		made=$((made + 1))
	done
}

running() {
	bhctl list | grep -c '^full[0-9]*  *running'
}

test_full() {
	insmod_all vfio || { fail full "no module $ko"; return; }
	insmod_all dax region_idle=1 || { fail full "no module $ko"; return; }
	start_bhd || { fail full "$(cat /tmp/bhd.log)"; return; }
	if ! bh-console -d log | grep -q 'starts again, alone'; then
		make_guests
		grep -q 'no memory for one more guest' /tmp/said ||
			{ fail full "$made guests: $(cat /tmp/said)"; return; }
		sleep 2
		echo "FULL $(running)"
		echo c >/proc/sysrq-trigger
		sleep 60
		fail full "it runs on"
		return
	fi
	echo "FULL again $(running), $(bhctl info --json |
		sed -n 's/.*"hypervisor_free_bytes": *\([0-9]*\).*/\1/p') bytes left"
	says full_reason 'started again: its kernel panicked' bhctl list
	says full_event 'linux  *running  *started again: its kernel panicked' bhctl events
	says full_alive 'tiny: ready' bhctl console --dump full0
	refused full_limit 7 'no memory for one more guest' \
		bhctl run --kernel /boot/tiny --memory 4M --name more
	says full_destroy '' bhctl destroy full1
	says full_room '' bhctl run --kernel /boot/tiny --memory 4M --name more
	pass full
}
