/* SPDX-License-Identifier: BSD-2-Clause */
/* Virtio 1.2 (OASIS): status and feature bits (2.1, 6), PCI transport (4.1),
 * split and packed rings (2.7, 2.8), and device ids (5) */
#ifndef HW_VIRTIO_H
#define HW_VIRTIO_H

#include "lib/types.h"

/* clang-format off */
#define VIRTIO_PCI_VENDOR	0x1af4u
#define VIRTIO_PCI_DEVICE	0x1040u	/* and the device id (4.1.2) */
#define VIRTIO_PCI_REVISION	1u
#define VIRTIO_ID_NET		1u	/* 5.1 */
#define VIRTIO_ID_BLOCK		2u	/* 5.2 */
#define VIRTIO_ID_ENTROPY	4u	/* 5.4 */

/* Device status (2.1) */
#define VIRTIO_ACKNOWLEDGE	0x01u
#define VIRTIO_DRIVER		0x02u
#define VIRTIO_DRIVER_OK	0x04u
#define VIRTIO_FEATURES_OK	0x08u
#define VIRTIO_NEEDS_RESET	0x40u
#define VIRTIO_FAILED		0x80u

/* Feature bits (6) */
#define VIRTIO_F_INDIRECT_DESC		BIT(28)
#define VIRTIO_F_EVENT_IDX		BIT(29)
#define VIRTIO_F_VERSION_1		BIT(32)
#define VIRTIO_F_RING_PACKED		BIT(34)
#define VIRTIO_F_IN_ORDER		BIT(35)
#define VIRTIO_F_NOTIFICATION_DATA	BIT(38)
#define VIRTIO_F_RING_RESET		BIT(40)

/* Vendor capability (4.1.4) */
#define PCI_CAP_ID_VENDOR	0x09u
#define VIRTIO_CAP_LEN		0x02
#define VIRTIO_CAP_TYPE		0x03
#define VIRTIO_CAP_COMMON	1u
#define VIRTIO_CAP_NOTIFY	2u
#define VIRTIO_CAP_ISR		3u
#define VIRTIO_CAP_DEVICE	4u
#define VIRTIO_CAP_PCI		5u
#define VIRTIO_CAP_BAR		0x04
#define VIRTIO_CAP_OFFSET	0x08
#define VIRTIO_CAP_LENGTH	0x0c
#define VIRTIO_CAP_BYTES	0x10u
#define VIRTIO_CAP_MULTIPLIER	0x10	/* of a notify capability (4.1.4.4) */
#define VIRTIO_CAP_DATA		0x10	/* of the PCI window (4.1.4.9) */

/* Common configuration (4.1.4.3) */
#define VIRTIO_DEVICE_SELECT	0x00
#define VIRTIO_DEVICE_FEATURE	0x04
#define VIRTIO_DRIVER_SELECT	0x08
#define VIRTIO_DRIVER_FEATURE	0x0c
#define VIRTIO_CONFIG_VECTOR	0x10
#define VIRTIO_NUM_QUEUES	0x12
#define VIRTIO_STATUS		0x14
#define VIRTIO_GENERATION	0x15
#define VIRTIO_QUEUE_SELECT	0x16
#define VIRTIO_QUEUE_SIZE	0x18
#define VIRTIO_QUEUE_VECTOR	0x1a
#define VIRTIO_QUEUE_ENABLE	0x1c
#define VIRTIO_QUEUE_NOTIFY_OFF	0x1e
#define VIRTIO_QUEUE_DESC	0x20	/* 64 bits, as two times 32 */
#define VIRTIO_QUEUE_DRIVER	0x28
#define VIRTIO_QUEUE_DEVICE	0x30
#define VIRTIO_QUEUE_DATA	0x38	/* of a feature that nobody offers */
#define VIRTIO_QUEUE_RESET	0x3a
#define VIRTIO_COMMON_BYTES	0x3cu

#define VIRTIO_NO_VECTOR	0xffffu	/* 4.1.5.1.2 */

/* ISR status (4.1.4.5) */
#define VIRTIO_ISR_QUEUE	0x1u
#define VIRTIO_ISR_CONFIG	0x2u

/* Descriptors' flags (2.7.5, 2.8.1) */
#define VIRTQ_NEXT		0x0001u
#define VIRTQ_WRITE		0x0002u
#define VIRTQ_INDIRECT		0x0004u
#define VIRTQ_AVAIL		0x0080u	/* packed */
#define VIRTQ_USED		0x8000u	/* packed */

/* Split ring (2.7.6, 2.7.8): flags and index, then the ring */
#define VIRTQ_FLAGS		0
#define VIRTQ_IDX		2
#define VIRTQ_RING		4
#define VIRTQ_NO_INTERRUPT	0x1u	/* the driver's flag (2.7.6), */
#define VIRTQ_NO_NOTIFY		0x1u	/* and the device's (2.7.8) */
#define VIRTQ_AVAIL_BYTES	2u	/* an entry */
#define VIRTQ_USED_BYTES	8u

/* Packed ring: event suppression (2.8.14) */
#define VIRTQ_EVENT_OFF		0
#define VIRTQ_EVENT_FLAGS	2
#define VIRTQ_EVENT_ENABLE	0u
#define VIRTQ_EVENT_DISABLE	1u
#define VIRTQ_EVENT_DESC	2u
#define VIRTQ_EVENT_MASK	3u
#define VIRTQ_EVENT_WRAP	0x8000u

#define VIRTQ_SIZE_MAX		32768u
/* clang-format on */

/* An entry of the descriptor table (2.7.5), and of a packed ring (2.8.13) */
struct virtq_desc {
	u64 addr;
	u32 len;
	u16 flags, next;
};
struct virtq_packed_desc {
	u64 addr;
	u32 len;
	u16 id, flags;
};
/* An element of the used ring (2.7.8) */
struct virtq_used {
	u32 id, len;
};
static_assert(sizeof(struct virtq_desc) == 16, "2.7.5");
static_assert(sizeof(struct virtq_packed_desc) == 16, "2.8.13");
static_assert(sizeof(struct virtq_used) == VIRTQ_USED_BYTES, "2.7.8");

#endif
