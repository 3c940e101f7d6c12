/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Base types and small helpers, included by everything. Knows no machine but
 * the page size. Macros evaluate each argument once, unless they say not.
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

/* Host-physical, guest-physical and guest-virtual addresses. Structs, so that
 * mixing them does not compile. */
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

/* So many binary units, in bytes */
#define KIB(n) ((u64)(n) << 10)
#define MIB(n) ((u64)(n) << 20)
#define GIB(n) ((u64)(n) << 30)

#define PAGE_SHIFT 12
#define PAGE_SIZE  4096ul
#define PAGE_MASK  (PAGE_SIZE - 1)
#define PAGE_2M    MIB(2)
#define PAGE_1G    GIB(1)

/* Of 64 bits: bit @n, and bits @hi to @lo, which the manuals write hi:lo.
 * 0 <= @lo <= @hi <= 63. */
#define BIT(n)       (1ull << (n))
#define BITS(hi, lo) ((~0ull >> (63 - (hi))) & (~0ull << (lo)))

/* Elements of @a, an array and not a pointer */
#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* The smaller and the larger of two values of one type; one of the two is
 * evaluated twice */
#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define MAX(a, b) ((a) > (b) ? (a) : (b))

/* The multiple of @a at or below and at or above @x, and whether @x is one. @x
 * is unsigned, @a a power of two. ALIGN_UP() evaluates @a twice and is 0 where
 * the multiple has more than 64 bits. */
#define ALIGN_DOWN(x, a) ((x) & ~((u64)(a)-1))
#define ALIGN_UP(x, a)   ALIGN_DOWN((x) + ((u64)(a)-1), a)
#define IS_ALIGNED(x, a) (((x) & ((u64)(a)-1)) == 0)

/* The struct of @type whose @member is at @p, which is not NULL */
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

/* A plain load or store that the compiler neither tears, repeats nor drops.
 * It orders nothing. barrier() stops the compiler from moving accesses over it,
 * not the CPU. */
#define READ_ONCE(x)       (*(const volatile __typeof__(x) *)&(x))
#define WRITE_ONCE(x, val) (*(volatile __typeof__(x) *)&(x) = (val))
#define barrier()          __asm__ volatile("" ::: "memory")

#endif
