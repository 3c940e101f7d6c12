/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How a device is spelled that a back-end of the privileged guest serves: what
 * the hypervisor has to know of it. Called by hv/manifest/keys.c; the text is
 * untrusted and ends with a zero.
 */
#include "hv/manifest/values.h"
#include "include/hw/virtio.h"
#include "lib/errno.h"
#include "lib/string.h"

#define TYPE_MAX   63 /* so many device ids PCI has (4.1.2) */
#define CONFIG_MAX 256

/* struct virtio_blk_config up to its fields of write zeroes (virtio 1.2, 5.2.4
 * *Device configuration layout*), as far as all back-ends fill it */
#define DISK_CONFIG_BYTES 60

/* Where the path at @s ends, and options begin; NULL: there is none */
static const char *behind_path(const char *s)
{
	const char *end = s;

	while (*end && *end != ',')
		end++;
	return end == s ? NULL : end;
}

int value_disk(const char *s, struct device_config *out)
{
	if (!behind_path(s))
		return -EINVAL;
	out->kind = DEVICE_DISK;
	out->type = VIRTIO_ID_BLOCK;
	out->queues = MANIFEST_DISK_QUEUES;
	out->config_bytes = DISK_CONFIG_BYTES;
	return 0;
}

enum option { OPTION_TYPE, OPTION_QUEUES, OPTION_CONFIG, OPTIONS };

static const struct {
	const char *name;
	u32 min, max;
} options[OPTIONS] = {
	[OPTION_TYPE] = { ",type=", 1, TYPE_MAX },
	[OPTION_QUEUES] = { ",queues=", 1, MANIFEST_MAX_QUEUES },
	[OPTION_CONFIG] = { ",config=", 0, CONFIG_MAX },
};

/* The option at *@s, which moves behind it. -EINVAL: it is none, or bad, or is
 * there in @has already. */
static int take_option(const char **s, u32 *has, u64 value[OPTIONS])
{
	for (u32 i = 0; i < OPTIONS; i++) {
		size_t n = strlen(options[i].name);

		if (strncmp(*s, options[i].name, n))
			continue;
		*s += n;
		if (*has & 1u << i ||
		    value_take_number(s, options[i].max, &value[i]) ||
		    value[i] < options[i].min)
			return -EINVAL;
		*has |= 1u << i;
		return 0;
	}
	return -EINVAL;
}

int value_vhost_user(const char *s, struct device_config *out)
{
	u64 value[OPTIONS] = { [OPTION_QUEUES] = 1 };
	u32 has = 0;

	s = behind_path(s);
	if (!s)
		return -EINVAL;
	while (*s)
		if (take_option(&s, &has, value))
			return -EINVAL;
	if (!(has & 1u << OPTION_TYPE))
		return -EINVAL;
	out->kind = DEVICE_VHOST_USER;
	out->type = (u8)value[OPTION_TYPE];
	out->queues = (u8)value[OPTION_QUEUES];
	out->config_bytes = (u16)value[OPTION_CONFIG];
	return 0;
}
