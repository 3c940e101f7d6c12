#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# The privileged guest of tests/harness/control.py, beside bhctl.sh: what the
# instructions are counted of. launch sets the marks.
mkdir -p /run/bulkhead
TINY_RUNS=6
RAM_GUESTS=8

test_cost() {
	insmod_all vfio || { fail cost "no module $ko"; return; }
	insmod_all dax region_idle=1 || { fail cost "no module $ko"; return; }
	start_bhd || { fail cost "$(cat /tmp/bhd.log)"; return; }
	kill $bhd
	wait $bhd
	for d in /sys/bus/pci/drivers/vfio-pci/0*; do
		control-client "$(basename "$d")" --cost || { fail cost "$?"; return; }
	done
	start_bhd || { fail cost "$(cat /tmp/bhd.log)"; return; }
	pass cost
}

tiny_says() {
	bhctl console --dump "$1" | grep -q 'tiny: ready'
}

test_tiny() {
	for n in $(seq $TINY_RUNS); do
		launch bhctl run --kernel /boot/tiny --memory 16M --name tiny >/tmp/said 2>&1 &&
			wait_for 20 tiny_says tiny && sleep 1 &&
			launch bhctl destroy tiny >>/tmp/said 2>&1 || {
			fail tiny "$n: $(cat /tmp/said /tmp/bhd.log)"
			return
		}
	done
	pass tiny
}

available() {
	echo 3 >/proc/sys/vm/drop_caches
	sed -n 's/^MemAvailable: *\([0-9]*\) kB/\1/p' /proc/meminfo
}

hypervisor_free() {
	bhctl info --json | sed -n 's/.*"hypervisor_free_bytes": *\([0-9]*\).*/\1/p'
}

# Of the second guest and the next ones: the first one's has what all share
test_ram() {
	bhctl run --kernel /boot/tiny --memory 16M --name ram0 >/tmp/said 2>&1
	sleep 1
	before=$(available)
	free=$(hypervisor_free)
	for n in $(seq $RAM_GUESTS); do
		bhctl run --kernel /boot/tiny --memory 16M --name "ram$n" >/tmp/said 2>&1 || {
			fail ram "$n: $(cat /tmp/said)"
			return
		}
	done
	sleep 1
	echo "BENCH ram $(((free - $(hypervisor_free)) / RAM_GUESTS))" \
		"$(((before - $(available)) * 1024 / RAM_GUESTS))"
	pass ram
}

# One more guest beside 1 and beside many.guests, all of many.memory
test_beside() {
	insmod_all vfio || { fail beside "no module $ko"; return; }
	insmod_all dax region_idle=1 || { fail beside "no module $ko"; return; }
	start_bhd || { fail beside "$(cat /tmp/bhd.log)"; return; }
	guests=$(param many.guests)
	for n in $(seq 0 "$guests"); do
		counted=
		case $n in 1 | "$guests") counted=launch ;; esac
		$counted bhctl run --kernel /boot/tiny --memory "$(param many.memory)" \
			--name "many$n" >/tmp/said 2>&1 &&
			{ [ -z "$counted" ] || wait_for 20 tiny_says "many$n"; } || {
			fail beside "$n: $(cat /tmp/said /tmp/bhd.log)"
			return
		}
	done
	pass beside
}

test_linux() {
	insmod_all vfio || { fail linux "no module $ko"; return; }
	insmod_all dax region_idle=1 || { fail linux "no module $ko"; return; }
	start_bhd || { fail linux "$(cat /tmp/bhd.log)"; return; }
	launch bhctl run --kernel /boot/vmlinuz --initrd /boot/init.cpio --memory 128M \
		--name box --cmdline "console=ttyS0 cryptomgr.notests rdinit=/first" \
		>/tmp/said 2>&1 || { fail linux "$(cat /tmp/said)"; return; }
	wait_for 120 sh -c "bhctl list | grep -q '^box  *stopped'" ||
		{ fail linux "it does not end: $(bhctl list)"; return; }
	pass linux
}

# Its marks: that it is there, and in its first life that its kernel panics
test_restart() {
	launch true
	if bh-console -d log | grep -q 'starts again, alone'; then
		pass restart
		return
	fi
	for d in $(disks); do
		dd if="/dev/$d" of=/dev/null bs=64k 2>/dev/null &
	done
	sleep 1
	launch sh -c 'echo c >/proc/sysrq-trigger'
	fail restart "it runs on"
}

of_list() { # GUEST KEY: a number of bhctl list
	bhctl list --json | tr -d '\n' | tr '{' '\n' |
		sed -n "/\"name\": *\"$1\"/s/.*\"$2\": *\([0-9]*\).*/\1/p"
}

running() {
	bhctl list | grep -c '^many[0-9]*  *running'
}

# As many guests as the pool has room for; then they go, and all of the pool is back.
# Tables of views and of the pool stay for the next ones: less than a page a guest.
test_many() {
	insmod_all vfio || { fail many "no module $ko"; return; }
	insmod_all dax region_idle=1 || { fail many "no module $ko"; return; }
	start_bhd || { fail many "$(cat /tmp/bhd.log)"; return; }
	guests=$(param many.guests) memory=$(param many.memory)
	pool=$(pool_free) free=$(hypervisor_free)
	echo "MANY privileged $(of_list linux memory_bytes)"
	for n in $(seq "$guests"); do
		bhctl run --kernel /boot/tiny --memory "$memory" --name "many$n" \
			>/tmp/said 2>&1 || break
	done
	[ "$(running)" = "$guests" ] && pass many_run ||
		fail many_run "$(running) of $guests run: $(cat /tmp/said)"
	says many_alive 'tiny: ready' bhctl console --dump "many$guests"
	refused many_limit 7 'of the pool are free' \
		bhctl run --kernel /boot/tiny --memory "$memory" --name more
	says many_audit '^  holds: ' bhctl audit
	for n in $(seq "$guests"); do
		bhctl destroy "many$n" >/tmp/said 2>&1 || break
	done
	kept=$((free - $(hypervisor_free)))
	[ "$(pool_free)" = "$pool" ] && [ $kept -lt $((guests * 4096)) ] && pass many_back ||
		fail many_back "$(pool_free) of $pool, $kept bytes of $free stay, $(cat /tmp/said)"
	pass many
}
