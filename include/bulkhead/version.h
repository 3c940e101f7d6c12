/* SPDX-License-Identifier: BSD-2-Clause */
/* The release: of the hypervisor, and of the tools that are made with it */
#ifndef BULKHEAD_VERSION_H
#define BULKHEAD_VERSION_H

#define BULKHEAD_VERSION "0.1"

#endif
