/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Results and flags of the integer operations (SDM 1 appendix A *EFLAGS
 * Cross-Reference*). Pure; called by hv/emulate/.
 *
 * Each is a small function around the instruction itself, one for each operand
 * size. The guest's flags go in by SAHF (OF by an overflowing addition) and
 * come out by LAHF and SETO, which needs no stack.
 */
#include "hv/emulate/priv.h"

#define FLAGS_IN  "addb $0x7f, %%al\n\tsahf\n\t"
#define FLAGS_OUT "\n\tlahf\n\tseto %%al"

/* AH: SF ZF AF PF CF as SAHF has them; AL: OF */
#define LAHF_FLAGS (ALU_FLAGS & ~RFLAGS_OF)
#define OF_SHIFT   11

typedef void (*binary_fn)(u64 *a, u64 b, u32 *ax);
typedef void (*unary_fn)(u64 *a, u32 *ax);
typedef void (*shift_fn)(u64 *a, u64 count, u32 *ax);
typedef void (*double_fn)(u64 *a, u64 fill, u64 count, u32 *ax);
typedef void (*multiply_fn)(u64 *lo, u64 *hi, u64 b, u32 *ax);

static u32 flags_in(u64 flags)
{
	return (u32)((flags & LAHF_FLAGS) << 8 | (flags >> OF_SHIFT & 1));
}

static void flags_out(u64 *flags, u32 ax)
{
	*flags = (*flags & ~ALU_FLAGS) | (ax >> 8 & LAHF_FLAGS) |
		 (u64)(ax & 1) << OF_SHIFT;
}

static u32 size_index(u8 size)
{
	return (u32)__builtin_ctz(size);
}

/* clang-format off */
#define UNARY(op, s, reg)						\
	static void op##_##s(u64 *a, u32 *ax)				\
	{								\
		__asm__(FLAGS_IN #op #s " %" reg "[a]" FLAGS_OUT	\
			: [a] "+r"(*a), "+&a"(*ax) : : "cc");		\
	}
#define BINARY(op, s, reg)						\
	static void op##_##s(u64 *a, u64 b, u32 *ax)			\
	{								\
		__asm__(FLAGS_IN #op #s " %" reg "[b], %" reg "[a]"	\
			FLAGS_OUT					\
			: [a] "+r"(*a), "+&a"(*ax) : [b] "r"(b) : "cc");	\
	}
#define SHIFT(op, s, reg)						\
	static void op##_##s(u64 *a, u64 count, u32 *ax)		\
	{								\
		__asm__(FLAGS_IN #op #s " %%cl, %" reg "[a]" FLAGS_OUT	\
			: [a] "+r"(*a), "+&a"(*ax) : "c"(count) : "cc");	\
	}
#define DOUBLE(op, s, reg)						\
	static void op##_##s(u64 *a, u64 fill, u64 count, u32 *ax)	\
	{								\
		__asm__(FLAGS_IN #op #s " %%cl, %" reg "[b], %" reg "[a]" \
			FLAGS_OUT					\
			: [a] "+r"(*a), "+&a"(*ax)			\
			: [b] "r"(fill), "c"(count) : "cc");		\
	}
#define MULTIPLY(op, s, reg)						\
	static void op##_wide_##s(u64 *lo, u64 *hi, u64 b, u32 *ax)	\
	{								\
		__asm__(FLAGS_IN "movq %[lo], %%rax\n\t"		\
			#op #s " %" reg "[b]\n\t"			\
			"movq %%rax, %[lo]" FLAGS_OUT			\
			: [lo] "+r"(*lo), "+d"(*hi), "+&a"(*ax)		\
			: [b] "r"(b) : "cc");				\
	}

#define WORDS(shape, op)						\
	shape(op, w, "w") shape(op, l, "k") shape(op, q, "q")
#define SIZES(shape, op) shape(op, b, "b") WORDS(shape, op)
#define WORD_ROW(op) { NULL, op##_w, op##_l, op##_q }
#define BWLQ(op)     { op##_b, op##_w, op##_l, op##_q }

SIZES(BINARY, add) SIZES(BINARY, or) SIZES(BINARY, adc) SIZES(BINARY, sbb)
SIZES(BINARY, and) SIZES(BINARY, sub) SIZES(BINARY, xor) SIZES(BINARY, cmp)
SIZES(UNARY, not) SIZES(UNARY, neg) SIZES(UNARY, inc) SIZES(UNARY, dec)
SIZES(SHIFT, rol) SIZES(SHIFT, ror) SIZES(SHIFT, rcl) SIZES(SHIFT, rcr)
SIZES(SHIFT, shl) SIZES(SHIFT, shr) SIZES(SHIFT, sar)
WORDS(BINARY, bt) WORDS(BINARY, bts) WORDS(BINARY, btr) WORDS(BINARY, btc)
WORDS(BINARY, imul)
WORDS(BINARY, bsf) WORDS(BINARY, bsr)
WORDS(BINARY, tzcnt) WORDS(BINARY, lzcnt) WORDS(BINARY, popcnt)
WORDS(DOUBLE, shld) WORDS(DOUBLE, shrd)
SIZES(MULTIPLY, mul) SIZES(MULTIPLY, imul)

static const binary_fn binary[][4] = {
	BWLQ(add), BWLQ(or), BWLQ(adc), BWLQ(sbb), BWLQ(and), BWLQ(sub), BWLQ(xor),
	BWLQ(cmp),
};
static const unary_fn unary[][4] = {
	BWLQ(not), BWLQ(neg), BWLQ(inc), BWLQ(dec),
};
static const shift_fn shift[][4] = {
	BWLQ(rol), BWLQ(ror), BWLQ(rcl), BWLQ(rcr), BWLQ(shl), BWLQ(shr), BWLQ(shl),
	BWLQ(sar),
};
static const binary_fn bits[][4] = {
	WORD_ROW(bt), WORD_ROW(bts), WORD_ROW(btr), WORD_ROW(btc),
};
static const binary_fn imul[4] = WORD_ROW(imul);
static const binary_fn scan[][4] = {
	WORD_ROW(bsf), WORD_ROW(bsr), WORD_ROW(tzcnt), WORD_ROW(lzcnt),
	WORD_ROW(popcnt),
};
static const double_fn shift_double[][4] = { WORD_ROW(shld), WORD_ROW(shrd) };
static const multiply_fn multiply[][4] = { BWLQ(mul_wide), BWLQ(imul_wide) };
/* clang-format on */

/* @a's upper bits are as the instruction leaves them */
static u64 two(const binary_fn row[4], u8 size, u64 a, u64 b, u64 *flags)
{
	u32 ax = flags_in(*flags);

	row[size_index(size)](&a, b, &ax);
	flags_out(flags, ax);
	return a;
}

u64 alu_binary(enum alu_op op, u8 size, u64 a, u64 b, u64 *flags)
{
	return two(binary[op], size, a, b, flags) & ones_of(size);
}

u64 alu_bit(enum alu_bit op, u8 size, u64 a, u64 bit, u64 *flags)
{
	return two(bits[op], size, a, bit, flags) & ones_of(size);
}

u64 alu_imul(u8 size, u64 a, u64 b, u64 *flags)
{
	return two(imul, size, a, b, flags) & ones_of(size);
}

u64 alu_scan(enum alu_scan op, u8 size, u64 to, u64 from, u64 *flags)
{
	return two(scan[op], size, to, from, flags);
}

u64 alu_unary(enum alu_unary op, u8 size, u64 a, u64 *flags)
{
	u32 ax = flags_in(*flags);

	unary[op][size_index(size)](&a, &ax);
	flags_out(flags, ax);
	return a & ones_of(size);
}

u64 alu_shift(enum alu_shift op, u8 size, u64 a, u8 count, u64 *flags)
{
	u32 ax = flags_in(*flags);

	shift[op][size_index(size)](&a, count, &ax);
	flags_out(flags, ax);
	return a & ones_of(size);
}

u64 alu_shift_double(bool right, u8 size, u64 a, u64 fill, u8 count, u64 *flags)
{
	u32 ax = flags_in(*flags);

	shift_double[right][size_index(size)](&a, fill, count, &ax);
	flags_out(flags, ax);
	return a & ones_of(size);
}

void alu_multiply(bool is_signed, u8 size, u64 *lo, u64 *hi, u64 b, u64 *flags)
{
	u32 ax = flags_in(*flags);

	multiply[is_signed][size_index(size)](lo, hi, b, &ax);
	flags_out(flags, ax);
}

static u64 magnitude(bool negative, u64 a)
{
	return negative ? 0 - a : a;
}

/* The sign is taken off first and given back last: a quotient that does not fit
 * is found before the CPU is asked for it */
bool alu_divide(bool is_signed, u8 size, u64 *lo, u64 *hi, u64 b)
{
	u32 width = size * 8u;
	bool minus, minus_b;
	u64 top, quotient;

	if (size < 8) {
		*lo = merge_bytes(*hi << width, *lo, size);
		if (is_signed) /* to 128 bits, of 2 * @size bytes */
			*lo = sign_extend(*lo, 2u * size);
		else
			*lo &= ones_of(2u * size);
		*hi = is_signed && *lo >> 63 ? ~0ull : 0;
	}
	if (is_signed)
		b = sign_extend(b, size);
	minus = is_signed && *hi >> 63;
	minus_b = is_signed && b >> 63;
	if (minus) {
		*lo = 0 - *lo;
		*hi = ~*hi + !*lo;
	}
	b = magnitude(minus_b, b);
	if (*hi >= b)
		return false;
	__asm__("divq %[b]"
		: "=a"(quotient), "=d"(*hi)
		: "a"(*lo), "d"(*hi), [b] "r"(b)
		: "cc");
	top = is_signed ? BIT(width - 1) - (minus == minus_b) : ones_of(size);
	if (quotient > top)
		return false;
	*lo = magnitude(minus != minus_b, quotient);
	*hi = magnitude(minus, *hi);
	return true;
}

bool alu_condition(u8 cc, u64 flags)
{
	bool less = !(flags & RFLAGS_SF) != !(flags & RFLAGS_OF);
	bool is;

	switch (cc >> 1 & 7) {
	case 0:
		is = flags & RFLAGS_OF;
		break;
	case 1:
		is = flags & RFLAGS_CF;
		break;
	case 2:
		is = flags & RFLAGS_ZF;
		break;
	case 3:
		is = flags & (RFLAGS_CF | RFLAGS_ZF);
		break;
	case 4:
		is = flags & RFLAGS_SF;
		break;
	case 5:
		is = flags & RFLAGS_PF;
		break;
	case 6:
		is = less;
		break;
	default:
		is = less || (flags & RFLAGS_ZF);
		break;
	}
	return is != (cc & 1);
}
