/* SPDX-License-Identifier: BSD-2-Clause */
/* PCI configuration space (PCI 3.0, 6.1 *Configuration Space Organization*;
 * PCIe 4.0, 7.5), configuration ports (PCI 3.0, 3.2.2.3.2) and MSI/MSI-X
 * capabilities (PCI 3.0, 6.8) */
#ifndef HW_PCI_H
#define HW_PCI_H

/* clang-format off */
#define PCI_PORT_ADDRESS	0xcf8
#define PCI_PORT_DATA		0xcfc
#define PCI_ADDRESS_ENABLE	0x80000000u

#define PCI_BUSES		256u
#define PCI_DEVICES		32u	/* a bus */
#define PCI_FUNCTIONS		8u	/* a device */
#define PCI_CONFIG_BYTES	256u
#define PCI_ECAM_BYTES		4096u
#define PCI_ECAM_BUS_BYTES	MIB(1)	/* of a bus in ECAM */

#define PCI_VENDOR_ID		0x00
#define PCI_VENDOR_RETRY	0x0001u	/* not ready yet (PCIe 4.0, 2.3.2) */
#define PCI_DEVICE_ID		0x02
#define PCI_COMMAND		0x04
#define PCI_COMMAND_IO		0x0001u
#define PCI_COMMAND_MEMORY	0x0002u
#define PCI_COMMAND_MASTER	0x0004u
#define PCI_COMMAND_PARITY	0x0040u
#define PCI_COMMAND_SERR	0x0100u
#define PCI_COMMAND_INTX_OFF	0x0400u
#define PCI_STATUS		0x06
#define PCI_STATUS_INTX		0x0008u
#define PCI_STATUS_CAP_LIST	0x0010u
#define PCI_CLASS_REVISION	0x08
#define PCI_CACHE_LINE		0x0c
#define PCI_CLASS_DISPLAY	0x03u	/* base classes */
#define PCI_CLASS_BRIDGE	0x06u
#define PCI_CLASS_HOST_BRIDGE	0x0600u
#define PCI_CLASS_IOAPIC	0x080010u	/* with its interface */
#define PCI_CLASS_IOXAPIC	0x080020u
#define PCI_CLASS_IOMMU		0x0806u
#define PCI_HEADER_TYPE		0x0e
#define PCI_HEADER_MULTI	0x80u
#define PCI_HEADER_LAYOUT	0x7fu
#define PCI_HEADER_NORMAL	0u
#define PCI_HEADER_BRIDGE	1u
#define PCI_BAR0		0x10
#define PCI_BAR_COUNT		6u	/* 2 in a bridge */
#define PCI_BAR_IO		0x1u
#define PCI_BAR_TYPE		0x6u
#define PCI_BAR_64		0x4u
#define PCI_BAR_MEM_MASK	(~0xfu)
#define PCI_BAR_IO_MASK		(~0x3u)
#define PCI_ROM			0x30
#define PCI_PRIMARY_BUS		0x18	/* bridges */
#define PCI_SECONDARY_BUS	0x19
#define PCI_SUBORDINATE_BUS	0x1a
#define PCI_IO_WINDOW		0x1c
#define PCI_MEMORY_WINDOW	0x20
#define PCI_PREFETCH_WINDOW	0x24	/* and the high halves of its ends */
#define PCI_IO_WINDOW_HIGH	0x30
#define PCI_BRIDGE_ROM		0x38
#define PCI_SUBSYSTEM_VENDOR	0x2c
#define PCI_SUBSYSTEM_ID	0x2e
#define PCI_CAP_POINTER		0x34
#define PCI_INTERRUPT_LINE	0x3c
#define PCI_INTERRUPT_PIN	0x3d
#define PCI_BRIDGE_CONTROL	0x3e	/* bridges (PCI-to-PCI Bridge 1.2) */
#define PCI_BRIDGE_RESET	0x0040u	/* its secondary bus */

#define PCI_CAP_ID_PM		0x01
#define PCI_CAP_ID_MSI		0x05
#define PCI_CAP_ID_PCIE		0x10
#define PCI_CAP_ID_MSIX		0x11
#define PCI_CAP_ID_AF		0x13
#define PCI_CAP_FIRST		0x40	/* capabilities lie from here on */

/* Device capabilities, control and status (PCIe 4.0, 7.5.3.3 to 7.5.3.5), PM
 * control and status (7.5.2.2), Advanced Features (PCI 3.0 ECN *Advanced
 * Capabilities*) */
#define PCI_PCIE_CAPS		0x04
#define PCI_PCIE_CAPS_FLR	0x10000000u
#define PCI_PCIE_STATUS		0x0a
#define PCI_PCIE_STATUS_PENDING	0x0020u
#define PCI_PCIE_CONTROL	0x08
#define PCI_PCIE_CONTROL_FLR	0x8000u
#define PCI_PM_CONTROL		0x04
#define PCI_PM_STATE		0x0003u	/* 0: D0 */
#define PCI_PM_STATE_D3		0x0003u
#define PCI_PM_NO_RESET		0x0008u	/* by D3 and D0 */
#define PCI_PM_PME_STATUS	0x8000u	/* cleared by 1 */
#define PCI_AF_CAPS		0x03
#define PCI_AF_CAPS_FLR		0x02u
#define PCI_AF_CONTROL		0x04
#define PCI_AF_CONTROL_FLR	0x01u
#define PCI_AF_STATUS		0x05
#define PCI_AF_STATUS_PENDING	0x01u

#define PCI_MSI_CONTROL		0x02
#define PCI_MSI_ENABLE		0x0001u
#define PCI_MSI_MMC		0x000eu	/* messages it can send, log2 */
#define PCI_MSI_MME		0x0070u	/* messages enabled, log2 */
#define PCI_MSI_64		0x0080u
#define PCI_MSI_MASKABLE	0x0100u
#define PCI_MSI_ADDRESS		0x04

#define PCI_MSIX_CONTROL	0x02
#define PCI_MSIX_SIZE		0x07ffu	/* entries - 1 */
#define PCI_MSIX_MASK_ALL	0x4000u
#define PCI_MSIX_ENABLE		0x8000u
#define PCI_MSIX_TABLE		0x04	/* BIR 2:0, offset */
#define PCI_MSIX_PBA		0x08
#define PCI_MSIX_BIR		0x7u
#define PCI_MSIX_MAX		2048u	/* entries */
#define PCI_MSIX_ENTRY_BYTES	16u
#define PCI_MSIX_ENTRY_MASKED	0x1u	/* vector control, entry + 12 */

/* Extended capabilities (PCIe 4.0, 7.6.3), Resizable BAR (PCIe 4.0, 7.8.6) */
#define PCI_EXT_CAP_FIRST	0x100
#define PCI_EXT_CAP_ID(h)	((h) & 0xffffu)
#define PCI_EXT_CAP_NEXT(h)	((h) >> 20 & 0xffcu)
#define PCI_EXT_CAP_REBAR	0x15
#define PCI_REBAR_FIRST		0x04	/* then a pair of dwords each BAR */
#define PCI_REBAR_BYTES		(PCI_BAR_COUNT * 8u)
#define PCI_EXT_CAP_ARI		0x0e	/* alternative routing id (7.8.7) */
#define PCI_EXT_CAP_VF_REBAR	0x24	/* its registers as above (7.8.6) */

/* Single Root I/O Virtualization (PCIe 4.0, 9.3.3) */
#define PCI_EXT_CAP_SRIOV	0x10
#define PCI_SRIOV_BYTES		0x40u
#define PCI_SRIOV_CONTROL	0x08	/* 16 bits, status behind it */
#define PCI_SRIOV_VF_ENABLE	0x0001u
#define PCI_SRIOV_VF_MEMORY	0x0008u
#define PCI_SRIOV_ARI		0x0010u
#define PCI_SRIOV_TOTAL_VFS	0x0e
#define PCI_SRIOV_NUM_VFS	0x10
#define PCI_SRIOV_VF_OFFSET	0x14	/* of the first, in requester ids */
#define PCI_SRIOV_VF_STRIDE	0x16
#define PCI_SRIOV_VF_DEVICE	0x1a
#define PCI_SRIOV_PAGE_SIZE	0x20
#define PCI_SRIOV_VF_BAR0	0x24	/* PCI_BAR_COUNT of them */

/* AMD's root complex 00:00.0: its two ways to the System Management Network */
#define AMD_SMN_INDEX		0x60
#define AMD_SMN_INDEX_2		0xb8
/* Intel's client host bridges, 00:00.0: error status, cleared by ones */
#define INTEL_ERRSTS		0xc8
/* clang-format on */

#endif
