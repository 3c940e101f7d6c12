#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# The privileged guest of tests/system/control.py: its rc sources this. The
# control device goes to vfio-pci, as bhd and a person would do it, and then to
# the client.
CONTROL_IDS="0x4248 0x0001"

find_control() {
	for d in /sys/bus/pci/devices/*; do
		[ "$(cat "$d/vendor") $(cat "$d/device")" != "$CONTROL_IDS" ] ||
			{ basename "$d"; return; }
	done
	return 1
}

test_control() {
	while read -r ko; do
		insmod "/lib/modules/vfio/$ko" || { fail control "$ko"; return; }
	done </lib/modules/vfio/order
	echo 1 >/sys/module/vfio_iommu_type1/parameters/allow_unsafe_interrupts
	at=$(find_control) || { fail control "there is no device"; return; }
	echo "TEST control is at $at"
	echo vfio-pci >"/sys/bus/pci/devices/$at/driver_override"
	echo "$at" >/sys/bus/pci/drivers_probe
	cat "/sys/bus/pci/devices/$at/resource" | head -n 3
	if control-client "$at" box; then
		pass control
	else
		dmesg | grep -iE "dmar|iommu|vfio|$at" | tail -n 40
		fail control "the client ends with an error"
	fi
}
