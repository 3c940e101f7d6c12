/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Volatile reads as drivers have them, compiled by clang for x86-64-v3
 * (tests/build.mk). It makes memory operands of them: of BMI, x87, SSE, AVX and
 * conversions. The mixture is random only in so far as it is unplanned.
 */
#include "tests/guest/lib/folded.h"

typedef u32 u32x4 __attribute__((vector_size(16), aligned(16)));
typedef u32 u32x8 __attribute__((vector_size(32), aligned(16)));
typedef u8 u8x16 __attribute__((vector_size(16), aligned(16)));
typedef double f64x2 __attribute__((vector_size(16), aligned(16)));

static u64 *to;
static u64 salt = 0x123456789abcdef1ull;

static void put(u64 value)
{
	*to++ = value;
	salt = salt * 6364136223846793005ull + value;
}

static void put_double(double value)
{
	put((u64)(long long)(value / 65536.0));
}

static void put_vector(u32x4 v)
{
	put(v[0] | (u64)v[1] << 32);
	put(v[2] | (u64)v[3] << 32);
}

static void integers(const volatile u64 *q, const volatile u32 *d,
		     const volatile u8 *b)
{
	put(*q & ~salt);
	put(~*q & salt);
	put(*q << (salt & 63));
	put(*q >> (salt & 63));
	put((u64)((long long)*q >> (salt & 63)));
	put(*d >> 7 & 0x1ff);
	put(*q & (*q - 1));
	put(*d & (0u - *d));
	put(*d ^ (*d - 1));
	put(*q << 13 | *q >> 51);
	put((u64)((unsigned __int128)*q * salt >> 64));
	put((u64)__builtin_popcountll(*q));
	put((u64)__builtin_ctzll(*q | 1));
	put((u64)__builtin_clz(*d | 1));
	put(__builtin_bswap64(*q));
	put(__builtin_bswap32(*d) + *b);
	put(*q & ((1ull << (salt & 31)) - 1));
}

static void numbers(const volatile int *i, const volatile long long *l,
		    const volatile short *s)
{
	double sum = (double)*i + (double)*l / 3.0;
	float single = (float)*i;
	long double wide = (long double)*l;

	put_double(sum);
	put_double((double)(single * (float)*s));
	put_double((double)(wide + *i - *s));
	put_double(__builtin_sqrt((double)(*i & 0xffff)));
	put((u64)(sum > (double)*l));
}

static void floats(const volatile double *d, const volatile float *f)
{
	double a = 1.5;

	put((u64)(a < *d));
	put((u64)(*d != *d));
	put((u64)(*f > 2.0f));
	a = a + *d * 0.0 + (double)*f * 0.0;
	put((u64)(a == 1.5));
}

static void vectors(const volatile u32x4 *x, const volatile u32x8 *y)
{
	u32x4 a = { (u32)salt, 2, 3, 4 };
	u32x8 sum = *y + *y;

	put_vector(a + *x);
	put_vector(a ^ *x);
	put_vector(a - (*x & a));
	put_vector(*x >> 3);
	put_vector((u32x4)(a > *x));
	put_vector(a * *x);
	put_vector(__builtin_shufflevector(*x, *x, 3, 1, 0, 2));
	put_vector((u32x4)((u8x16)a + *(const volatile u8x16 *)x));
	put_vector(__builtin_shufflevector(sum, sum, 0, 2, 5, 7));
	put_vector(__builtin_shufflevector(*y, *y, 4, 5, 6, 7));
}

u32 folded(const volatile void *in, u64 out[FOLDED_RESULTS])
{
	to = out;
	salt = 0x123456789abcdef1ull;
	integers(in, in, in);
	numbers(in, in, in);
	floats(in, in);
	vectors(in, in);
	return (u32)(to - out);
}
