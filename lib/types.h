/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Base types and small helpers; included by everything, knows no machine.
 */
#ifndef LIB_TYPES_H
#define LIB_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
/* Not uint64_t: %llu prints it with no cast, in every model of the ABI */
typedef unsigned long long u64;
typedef int8_t s8;
typedef int16_t s16;
typedef int32_t s32;
typedef long long s64;

/* Host-physical, guest-physical, guest-virtual: mixing them must not compile */
typedef struct {
	u64 v;
} hpa_t;
typedef struct {
	u64 v;
} gpa_t;
typedef struct {
	u64 v;
} gva_t;

#define HPA(x) ((hpa_t){ (u64)(x) })
#define GPA(x) ((gpa_t){ (u64)(x) })
#define GVA(x) ((gva_t){ (u64)(x) })

#define KIB(n) ((u64)(n) << 10)
#define MIB(n) ((u64)(n) << 20)
#define GIB(n) ((u64)(n) << 30)

#define PAGE_SHIFT 12
#define PAGE_SIZE  4096ul
#define PAGE_MASK  (PAGE_SIZE - 1)
#define PAGE_2M    MIB(2)
#define PAGE_1G    GIB(1)

#define BIT(n)       (1ull << (n))
#define BITS(hi, lo) ((~0ull >> (63 - (hi))) & (~0ull << (lo)))

#define ARRAY_SIZE(a)    (sizeof(a) / sizeof((a)[0]))
#define MIN(a, b)        ((a) < (b) ? (a) : (b))
#define MAX(a, b)        ((a) > (b) ? (a) : (b))
#define ALIGN_DOWN(x, a) ((x) & ~((u64)(a)-1))
#define ALIGN_UP(x, a)   ALIGN_DOWN((x) + ((u64)(a)-1), a)
#define IS_ALIGNED(x, a) (((x) & ((u64)(a)-1)) == 0)
#define container_of(p, type, member)                                          \
	((type *)(void *)((char *)(p)-offsetof(type, member)))

#define __must_check __attribute__((warn_unused_result))
#ifndef __packed
#define __packed __attribute__((packed))
#endif
#ifndef __aligned
#define __aligned(n) __attribute__((aligned(n)))
#endif
#define __noreturn     __attribute__((noreturn))
#define __printf(f, a) __attribute__((format(printf, f, a)))
#define likely(x)      __builtin_expect(!!(x), 1)
#define unlikely(x)    __builtin_expect(!!(x), 0)

#ifndef static_assert
#define static_assert _Static_assert
#endif

/* A plain load or store the compiler may neither tear, repeat nor drop */
#define READ_ONCE(x)       (*(const volatile __typeof__(x) *)&(x))
#define WRITE_ONCE(x, val) (*(volatile __typeof__(x) *)&(x) = (val))
#define barrier()          __asm__ volatile("" ::: "memory")

#endif
