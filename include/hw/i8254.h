/* SPDX-License-Identifier: BSD-2-Clause */
/* 82C54 (*Programming the 82C54*), and the NMI status and control port (ICH9,
 * 13.7.1) */
#ifndef HW_I8254_H
#define HW_I8254_H

#define PIT_PORT     0x40u
#define PIT_PORTS    4u
#define PIT_CHANNELS 3u
#define PIT_CONTROL  3u /* the port after the channels' */
#define PIT_HZ       1193182u

/* Control word */
#define PIT_SELECT_SHIFT 6
#define PIT_SELECT_BACK  3u /* read-back command */
#define PIT_ACCESS_SHIFT 4
#define PIT_ACCESS_MASK  3u
#define PIT_ACCESS_LATCH 0u
#define PIT_ACCESS_LOW   1u
#define PIT_ACCESS_HIGH  2u
#define PIT_ACCESS_BOTH  3u
#define PIT_MODE_SHIFT   1
#define PIT_MODE_MASK    7u
#define PIT_BCD          0x01u

/* Read-back command: 0 latches */
#define PIT_BACK_NO_COUNT  0x20u
#define PIT_BACK_NO_STATUS 0x10u
#define PIT_BACK_CHANNEL   0x02u /* shifted by the channel */

/* Status byte */
#define PIT_STATUS_OUT  0x80u
#define PIT_STATUS_NULL 0x40u

/* Port 61h */
#define NMI_SC_PORT     0x61u
#define NMI_SC_GATE2    0x01u
#define NMI_SC_SPEAKER  0x02u
#define NMI_SC_KEPT     0x0fu
#define NMI_SC_REFRESH  0x10u
#define NMI_SC_OUT2     0x20u
#define NMI_SC_IOCHK    0x40u
#define NMI_SC_SERR     0x80u
#define REFRESH_DIVISOR 18u

#endif
