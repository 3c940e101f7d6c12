/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * See printf.h. Called by the log, by whoever builds text, and by the loaders.
 * One conversion at a time is parsed into struct spec and written through
 * struct out, which counts on past the end of the buffer. No state, no lock;
 * works in a panic.
 */
#include "lib/printf.h"

#include "lib/string.h"

struct out {
	char *buf;
	size_t size; /* room, with the terminator */
	size_t len;  /* what the whole text takes */
};

enum spec_length { LEN_INT, LEN_CHAR, LEN_SHORT, LEN_LONG };

struct spec {
	bool left, zero, alt;
	char sign; /* '+' or ' ' before a positive number, or 0 */
	int width;
	int precision; /* -1: none */
	enum spec_length length;
	char conversion;
};

static void put(struct out *o, char c)
{
	if (o->len + 1 < o->size)
		o->buf[o->len] = c;
	o->len++;
}

static void put_repeat(struct out *o, char c, int count)
{
	while (count-- > 0)
		put(o, c);
}

/* @prefix, then @zeros zeros, then @len bytes of @text, in the field's width */
static void put_field(struct out *o, const struct spec *s, const char *prefix,
		      int zeros, const char *text, int len)
{
	int pad = s->width - (int)strlen(prefix) - zeros - len;

	if (!s->left)
		put_repeat(o, ' ', pad);
	while (*prefix)
		put(o, *prefix++);
	put_repeat(o, '0', zeros);
	for (int i = 0; i < len; i++)
		put(o, text[i]);
	if (s->left)
		put_repeat(o, ' ', pad);
}

#define DIGITS_MAX 24

/* Writes the digits of @value, the last just before @end, and returns the
 * first. 0 has no digit. */
static char *decimal(char *end, u64 value)
{
	for (; value; value /= 10)
		*--end = (char)('0' + value % 10);
	return end;
}

static char *hexadecimal(char *end, u64 value, const char *set)
{
	for (; value; value >>= 4)
		*--end = set[value & 0xf];
	return end;
}

static char *digits(char *end, u64 value, char conversion)
{
	if (conversion == 'x')
		return hexadecimal(end, value, "0123456789abcdef");
	if (conversion == 'X')
		return hexadecimal(end, value, "0123456789ABCDEF");
	return decimal(end, value);
}

static void put_number(struct out *o, const struct spec *s, u64 value,
		       const char *prefix)
{
	char text[DIGITS_MAX];
	char *end = text + sizeof(text);
	char *first = digits(end, value, s->conversion);
	int len = (int)(end - first);
	int zeros = (s->precision < 0 ? 1 : s->precision) - len;

	if (s->precision < 0 && s->zero && !s->left)
		zeros = s->width - (int)strlen(prefix) - len;
	if (zeros < 0)
		zeros = 0;
	if (s->precision < 0 && len == 0 && zeros == 0)
		zeros = 1;
	put_field(o, s, prefix, zeros, first, len);
}

static u64 take_unsigned(va_list *ap, enum spec_length length)
{
	if (length == LEN_LONG)
		return va_arg(*ap, u64);
	if (length == LEN_CHAR)
		return (u8)va_arg(*ap, u32);
	if (length == LEN_SHORT)
		return (u16)va_arg(*ap, u32);
	return va_arg(*ap, u32);
}

static s64 take_signed(va_list *ap, enum spec_length length)
{
	if (length == LEN_LONG)
		return va_arg(*ap, s64);
	if (length == LEN_CHAR)
		return (s8)va_arg(*ap, s32);
	if (length == LEN_SHORT)
		return (s16)va_arg(*ap, s32);
	return va_arg(*ap, s32);
}

static void put_signed(struct out *o, const struct spec *s, s64 value)
{
	char prefix[2] = { value < 0 ? '-' : s->sign, '\0' };
	u64 magnitude = value < 0 ? 0 - (u64)value : (u64)value;

	put_number(o, s, magnitude, prefix);
}

static void put_unsigned(struct out *o, const struct spec *s, u64 value)
{
	const char *prefix = "";

	if (s->alt && value && s->conversion == 'x')
		prefix = "0x";
	else if (s->alt && value && s->conversion == 'X')
		prefix = "0X";
	put_number(o, s, value, prefix);
}

static void put_pointer(struct out *o, struct spec *s, const void *p)
{
	s->conversion = 'x';
	put_number(o, s, (u64)(uintptr_t)p, "0x");
}

static void put_string(struct out *o, const struct spec *s, const char *text)
{
	size_t max = s->precision < 0 ? INT32_MAX : (size_t)s->precision;

	if (!text)
		text = "(null)";
	put_field(o, s, "", 0, text, (int)strnlen(text, max));
}

static void put_char(struct out *o, const struct spec *s, char c)
{
	put_field(o, s, "", 0, &c, 1);
}

/* Largest width and precision: a hostile one would keep the core for ages */
#define FIELD_MAX 4096

static const char *parse_number(const char *f, int *value)
{
	*value = 0;
	for (; *f >= '0' && *f <= '9'; f++)
		if (*value < FIELD_MAX)
			*value = *value * 10 + (*f - '0');
	*value = MIN(*value, FIELD_MAX);
	return f;
}

static const char *parse_flags(const char *f, struct spec *s)
{
	for (;; f++) {
		if (*f == '-')
			s->left = true;
		else if (*f == '0')
			s->zero = true;
		else if (*f == '#')
			s->alt = true;
		else if (*f == '+' || (*f == ' ' && !s->sign))
			s->sign = *f;
		else
			return f;
	}
}

static const char *parse_width(const char *f, struct spec *s, va_list *ap)
{
	if (*f != '*')
		return parse_number(f, &s->width);
	s->width = va_arg(*ap, int);
	if (s->width < 0) {
		s->left = true;
		s->width = s->width < -FIELD_MAX ? FIELD_MAX : -s->width;
	}
	s->width = MIN(s->width, FIELD_MAX);
	return f + 1;
}

static const char *parse_precision(const char *f, struct spec *s, va_list *ap)
{
	s->precision = -1;
	if (*f != '.')
		return f;
	if (f[1] != '*')
		return parse_number(f + 1, &s->precision);
	s->precision = va_arg(*ap, int);
	s->precision = MIN(s->precision, FIELD_MAX);
	return f + 2;
}

static const char *parse_length(const char *f, struct spec *s)
{
	s->length = LEN_INT;
	if (*f == 'h') {
		s->length = f[1] == 'h' ? LEN_CHAR : LEN_SHORT;
		return f + (f[1] == 'h' ? 2 : 1);
	}
	while (*f == 'l' || *f == 'z' || *f == 'j' || *f == 't') {
		s->length = LEN_LONG;
		f++;
	}
	return f;
}

static void convert(struct out *o, struct spec *s, va_list *ap)
{
	switch (s->conversion) {
	case 'd':
	case 'i':
		put_signed(o, s, take_signed(ap, s->length));
		break;
	case 'u':
	case 'x':
	case 'X':
		put_unsigned(o, s, take_unsigned(ap, s->length));
		break;
	case 'p':
		put_pointer(o, s, va_arg(*ap, const void *));
		break;
	case 's':
		put_string(o, s, va_arg(*ap, const char *));
		break;
	case 'c':
		put_char(o, s, (char)va_arg(*ap, int));
		break;
	default: /* %% and what is no conversion: as it stands */
		put(o, s->conversion);
		break;
	}
}

/* @f is behind the '%'; returns what follows the conversion */
static const char *format_one(struct out *o, const char *f, va_list *ap)
{
	struct spec s = { .precision = -1 };

	f = parse_flags(f, &s);
	f = parse_width(f, &s, ap);
	f = parse_precision(f, &s, ap);
	f = parse_length(f, &s);
	if (!*f)
		return f;
	s.conversion = *f;
	convert(o, &s, ap);
	return f + 1;
}

int bh_vsnprintf(char *buf, size_t size, const char *fmt, va_list ap)
{
	struct out o = { .buf = buf, .size = size };
	va_list args;

	va_copy(args, ap);
	while (*fmt) {
		if (*fmt == '%')
			fmt = format_one(&o, fmt + 1, &args);
		else
			put(&o, *fmt++);
	}
	va_end(args);
	if (size)
		buf[MIN(o.len, size - 1)] = '\0';
	return (int)o.len;
}

int bh_snprintf(char *buf, size_t size, const char *fmt, ...)
{
	va_list ap;
	int len;

	va_start(ap, fmt);
	len = bh_vsnprintf(buf, size, fmt, ap);
	va_end(ap);
	return len;
}
