# SPDX-License-Identifier: BSD-2-Clause
# What the privileged guest does with the machine of tests/system/devices.py:
# sourced by its /etc/rc.

# The controller with serial number $1, as in /sys/class/nvme
nvme_of() {
	for c in /sys/class/nvme/*; do
		[ -r "$c/serial" ] || continue
		[ "$(tr -d ' ' <"$c/serial" 2>/dev/null)" != "$1" ] ||
			{ basename "$c"; return; }
	done
	return 1
}

has_disk() { # SERIAL: its namespace has a block device
	c=$(nvme_of "$1") && [ -b "/dev/${c}n1" ]
}

has_none() { # SERIAL
	! nvme_of "$1" >/dev/null
}

arrivals() { # CONTROLLER: interrupts of its I/O queues so far
	awk -v name="${1}q[1-9]" '$NF ~ name {
		for (i = 2; i < NF && $i ~ /^[0-9]+$/; i++) n += $i }
		END { print n + 0 }' /proc/interrupts
}

# What was written to the disk comes back, from the disk, and by interrupts
disk_io() { # CONTROLLER
	before=$(arrivals "$1")
	dd if=/dev/urandom of=/tmp/io bs=64k count=4 2>/dev/null
	dd if=/tmp/io of="/dev/${1}n1" bs=64k conv=fsync 2>/dev/null || return 1
	echo 3 >/proc/sys/vm/drop_caches
	dd if="/dev/${1}n1" bs=64k count=4 2>/dev/null | cmp -s - /tmp/io ||
		return 1
	[ "$(arrivals "$1")" -gt "$before" ]
}

disk_test() { # TEST SERIAL
	wait_for 30 has_disk "$2" || { fail "$1" "no disk $2"; return; }
	if disk_io "$(nvme_of "$2")"; then
		pass "$1"
	else
		fail "$1" "$2 does not do what it is told"
	fi
}

# Behind a switch, and a network card behind a bridge to conventional PCI
test_switch() {
	disk_test switch behind
}

test_bridge() {
	if [ -n "$(ip route | grep default)" ] && ping -c 3 10.0.2.2 >/dev/null; then
		pass bridge
	else
		fail bridge "no network behind the bridge"
	fi
}

# Virtual functions: queues and interrupts are given to each, then it goes
# online, and its disk is the physical function's
vf_start() { # CONTROLLER NUMBER PCI-ADDRESS
	nvme_virt "/dev/$1" "$2" 1 8 1 && nvme_virt "/dev/$1" "$2" 0 8 2 &&
		nvme_virt "/dev/$1" "$2" 0 9 0 &&
		echo nvme >"/sys/bus/pci/devices/$3/driver_override" &&
		echo "$3" >/sys/bus/pci/drivers/nvme/bind
}

vf_controller() { # PCI-DEVICE
	basename "$(ls -d "$1"/nvme/nvme*)"
}

vf_has_disk() {
	c=$(ls "$1/nvme" 2>/dev/null) && [ -b "/dev/${c}n1" ]
}

vfs_work() { # CONTROLLER PCI-DEVICE COUNT
	echo "$3" >"$2/sriov_numvfs" || { echo "sriov_numvfs"; return 1; }
	for n in $(seq "$3"); do
		vf=$(readlink -f "$2/virtfn$((n - 1))") || { echo "no VF $n"; return 1; }
		vf_start "$1" "$n" "$(basename "$vf")" ||
			{ echo "VF $n stays offline"; return 1; }
		wait_for 20 vf_has_disk "$vf" || { echo "VF $n has no disk"; return 1; }
		disk_io "$(vf_controller "$vf")" || { echo "I/O on VF $n"; return 1; }
	done
}

vfs_end() { # CONTROLLER PCI-DEVICE
	echo 0 >"$2/sriov_numvfs"
}

test_sriov() {
	wait_for 30 has_disk pf || { fail sriov "no disk pf"; return; }
	pf=$(nvme_of pf)
	dev=/sys/class/nvme/$pf/device
	echo 0 >"$dev/sriov_drivers_autoprobe"
	nvme_virt "/dev/$pf" 0 1 1 0 && nvme_virt "/dev/$pf" 0 0 1 0 ||
		{ fail sriov "the physical function keeps its share"; return; }
	echo 1 >"/sys/class/nvme/$pf/reset_controller"
	for count in 2 1 2; do
		why=$(vfs_work "$pf" "$dev" $count) ||
			{ fail sriov "$count: $why"; return; }
		vfs_end "$pf" "$dev"
	done
	disk_io "$pf" || { fail sriov "I/O on the physical function"; return; }
	pass sriov
}

# Registers of a function
cap_of() { # CONFIG ID: where it is
	at=$(od -An -tu1 -j 52 -N 1 "$1")
	while [ $((at)) -ge 64 ]; do
		set -- "$1" "$2" $(od -An -tu1 -j $((at)) -N 2 "$1")
		[ "$3" != "$2" ] || { echo $((at)); return; }
		at=$4
	done
	return 1
}

set_word() { # CONFIG OFFSET VALUE: 16 bits in one write
	printf "$(printf '\\%o\\%o' $(($3 & 255)) $(($3 >> 8)))" |
		dd of="$1" bs=2 seek=$(($2 / 2)) conv=notrunc 2>/dev/null
}

# The windows of the switch's port are closed, and Linux places all that is
# behind it anew
bar_of() { # SERIAL
	head -n 1 "/sys/class/nvme/$(nvme_of "$1")/device/resource" | cut -d ' ' -f 1
}

test_windows() {
	port=/sys/bus/pci/devices/0000:00:10.1
	before=$(bar_of behind)
	for d in "$port"/0000:*; do
		case $d in *:pcie*) ;; *) echo 1 >"$d/remove" ;; esac
	done
	set_word "$port/config" 32 $((0xfff0)) # memory: base above limit
	set_word "$port/config" 34 0
	set_word "$port/config" 36 $((0xfff1)) # prefetchable memory
	set_word "$port/config" 38 1
	echo 1 >"$port/remove"
	echo 1 >/sys/bus/pci/rescan
	wait_for 30 has_disk behind || { fail windows "the disk stays away"; return; }
	disk_io "$(nvme_of behind)" || { fail windows "I/O behind the port"; return; }
	echo "TEST windows moved $before to $(bar_of behind)"
	pass windows
}

# The slot of PORT is as Linux leaves an empty one: without power, its indicator off.
# The indicator goes off a second behind the power, and for QEMU that ejects whatever
# has been plugged meanwhile.
slot_is_off() { # PORT
	control=$(od -An -tu2 -j $(($(cap_of "$1" 16) + 24)) -N 2 "$1")
	[ $((control & 0x700)) = $((0x700)) ]
}

# Configuration space of the port that a controller hangs on
port_of() { # NVME
	echo "$(dirname "$(readlink -f "/sys/class/nvme/$1/device")")/config"
}

# Somebody adds a disk, and it is gone while it is written to: its slot's power
# fails
test_surprise() {
	port=/sys/bus/pci/devices/0000:00:10.0/config
	echo "TEST surprise wants one"
	wait_for 60 has_disk gone || { fail surprise "no disk"; return; }
	disk=/dev/$(nvme_of gone)n1
	while [ -b "$disk" ] &&
		dd if=/dev/zero of="$disk" bs=64k count=64 conv=fsync 2>/dev/null; do
		true
	done &
	sleep 1
	control=$(($(cap_of $port 16) + 24)) # Slot Control
	old=$(($(od -An -tu2 -j $control -N 2 $port)))
	# Power and its indicator go off, and nobody is told: the slot is empty.
	# Then it has power and tells, which Linux leaves off with a button.
	set_word $port $control $(((old | 0x700) & ~0x20))
	set_word $port $control $((old | 0x28))
	wait_for 60 has_none gone || { fail surprise "the disk stays"; return; }
	wait # for the one who writes
	dmesg | grep -q 'pciehp: Slot(1): .*\(not present\|Link Down\)' ||
		{ fail surprise "the port does not know"; return; }
	wait_for 60 slot_is_off $port || { fail surprise "the slot stays on"; return; }
	pass surprise
}

# Whoever runs this adds a disk, removes it, and adds one elsewhere
test_hotplug() {
	for n in 1 2 3 4; do
		echo "TEST hotplug wants $n"
		wait_for 60 has_disk "hot$n" || { fail hotplug "no disk hot$n"; return; }
		disk_io "$(nvme_of "hot$n")" || { fail hotplug "I/O on hot$n"; return; }
		port=$(port_of "$(nvme_of "hot$n")")
		echo "TEST hotplug has $n"
		wait_for 60 has_none "hot$n" || { fail hotplug "hot$n stays"; return; }
		wait_for 60 slot_is_off "$port" || { fail hotplug "slot $n stays on"; return; }
	done
	pass hotplug
}

# An error that somebody injects at the first root port. QEMU reports it only
# where SERR is on, and only if it is uncorrectable.
test_aer() {
	printf '\001' | dd of=/sys/bus/pci/devices/0000:00:10.0/config bs=1 seek=5 \
		conv=notrunc 2>/dev/null
	echo "TEST aer wants one"
	n=40
	until dmesg | grep -q 'AER: .*0000:00:10.0'; do
		n=$((n - 1))
		[ $n -gt 0 ] || { fail aer "the log has none"; return; }
		sleep 1
	done
	pass aer
}
