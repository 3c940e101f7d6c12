/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One device (devices_priv.h): its back-end is started and asked what it can
 * do, and ends. Callbacks change the unit's state and note the guest; what
 * follows is devices.c's.
 */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tools/bhd/devices_priv.h"
#include "tools/bhd/socket.h"

/* virtio 1.2 5.2 *Block Device*, 5.1 *Network Device* */
#define TYPE_NET         1u
#define TYPE_BLOCK       2u
#define BLOCK_CONFIG_WCE BIT(11)
/* What takes a control queue, which no back-end of this protocol serves, or a
 * configuration that it does not tell */
#define NET_FRONT_END                                                          \
	(BIT(3) | BIT(5) | BIT(16) | BIT(17) | BIT(18) | BIT(19) | BIT(20) |   \
	 BIT(21) | BIT(22) | BIT(23))
/* Of a device's own (0 to 23, 50 to 63); indirect tables, EVENT_IDX, IN_ORDER.
 * A packed ring does not say where a back-end that died has left it. */
#define BITS_BELOW(n) (BIT(n) - 1)
#define FEATURES_OWN  (BITS_BELOW(24) | ~BITS_BELOW(50))
#define FEATURES_RING (BIT(28) | BIT(29) | BIT(35))
#define VERSION_1     BIT(32)

void unit_note(struct unit *u)
{
	u->guest->devices.news = true;
}

/* --- its end --- */

/* It has no session any more */
static void session_over(struct unit *u)
{
	u->served = false;
	u->state = u->backend.pid ? UNIT_KILLED : UNIT_LEFT;
	backend_stop(&u->backend);
	unit_note(u);
}

void unit_fail(struct unit *u, const struct failure *f)
{
	if (u->state == UNIT_OFF || u->state >= UNIT_KILLED)
		return;
	u->failed = true;
	u->failure = *f;
	vhost_user_close(&u->session);
	session_over(u);
}

/* Its back-end leaves the guest's memory, then ends */
void unit_leave(struct unit *u)
{
	if (u->state == UNIT_OFF || u->state >= UNIT_LEAVING)
		return;
	u->state = UNIT_LEAVING;
	if (u->session.fd >= 0)
		vhost_user_end(&u->session);
	else
		session_over(u);
}

static void on_backend_ended(struct backend *b, const struct failure *f)
{
	struct unit *u = b->context;

	unit_note(u);
	/* The process knows better why the session broke off */
	if (u->state == UNIT_KILLED && u->failed && f->kind != FAIL_NONE)
		u->failure = *f;
	if (u->state == UNIT_KILLED)
		u->state = UNIT_LEFT;
	else if (u->state == UNIT_LEAVING)
		session_over(u);
	else
		unit_fail(u, f);
}

static void on_ended(struct vhost_user *v)
{
	struct unit *u = v->context;

	if (!u->spec.disk)
		backend_forget(&u->backend);
	session_over(u);
}

/* One that does not leave is ended */
static void on_lost(struct vhost_user *v, const struct failure *f)
{
	struct unit *u = v->context;

	if (u->state == UNIT_LEAVING) {
		fprintf(stderr, "bhd: %s: %s; it is ended\n", u->backend.label,
			f->text);
		session_over(u);
	} else {
		unit_fail(u, f);
	}
}

static void on_ready(struct vhost_user *v)
{
	struct unit *u = v->context;

	if (u->state == UNIT_STARTING)
		u->state = UNIT_SAYS;
	unit_note(u);
}

static void on_stopped(struct vhost_user *v, u32 queue)
{
	struct unit *u = v->context;

	queue_release(u, queue);
	u->queues[queue].taken_up = false;
	unit_note(u);
}

/* --- its start --- */

static bool same_image(const struct unit *u, const struct unit *v)
{
	return v != u && v->claims && v->spec.disk &&
	       v->image_device == u->image_device &&
	       v->image_inode == u->image_inode &&
	       !(u->spec.readonly && v->spec.readonly);
}

/* Whose disk, of another guest or of this one, has its image; NULL: nobody's */
static const struct unit *image_user(const struct unit *u)
{
	const struct guest *g = u->guest->bhd->life->guests;

	for (; g; g = g->next)
		for (u32 i = 0; i < g->devices.count; i++)
			if (same_image(u, &g->devices.units[i]))
				return &g->devices.units[i];
	return NULL;
}

static int image_claim(struct unit *u, struct failure *f)
{
	const struct unit *other;
	struct stat st;

	/* What is wrong with it, the back-end finds with its own rights */
	if (stat(u->spec.path, &st))
		return 0;
	u->image_device = st.st_dev;
	u->image_inode = st.st_ino;
	other = image_user(u);
	if (other)
		return failed(f, FAIL_STATE,
			      "%.200s is %s %s; end it, or write readonly for "
			      "both",
			      u->spec.path,
			      other->guest == u->guest ? "another disk of guest"
						       : "a disk of guest",
			      other->guest->definition.config.name);
	u->claims = true;
	return 0;
}

static int disk_connect(struct unit *u, struct failure *f)
{
	int fd;

	if (image_claim(u, f) || backend_start(&u->backend, f))
		return -1;
	fd = backend_connect(&u->backend, f);
	if (fd >= 0)
		vhost_user_open(&u->session, fd);
	return fd < 0 ? -1 : 0;
}

void unit_start(struct unit *u)
{
	struct guest *g = u->guest;
	struct failure f;
	int fd;

	u->failed = u->served = false;
	u->state = UNIT_STARTING;
	u->backend.uid = g->uid;
	u->backend.gid = g->gid;
	u->backend.rights = g->bhd->rights;
	if (u->spec.disk) {
		if (disk_connect(u, &f))
			unit_fail(u, &f);
		return;
	}
	/* It gets files of the guest's memory, which it can keep */
	if (g->uid != geteuid())
		fd = failed(&f, FAIL_DENIED,
			    "vhost-user is for guests that root makes; make "
			    "it by sudo bhctl create, or write disk");
	else
		fd = socket_connect(u->spec.path, &f);
	if (fd < 0)
		unit_fail(u, &f);
	else
		vhost_user_open(&u->session, fd);
}

static u64 features_offered(const struct unit *u)
{
	u64 all = u->session.features & (FEATURES_OWN | FEATURES_RING);

	if (u->spec.type == TYPE_BLOCK)
		all &= ~BLOCK_CONFIG_WCE;
	if (u->spec.type == TYPE_NET)
		all &= ~NET_FRONT_END;
	return all;
}

int unit_offer(struct unit *u, struct failure *f)
{
	struct bhd *b = u->guest->bhd;
	struct bh_ctl_offer offer = { .features = features_offered(u),
				      .config_bytes = u->spec.config_bytes };
	struct ring_call call = { .op = BH_CTL_OP_DEVICE_OFFER,
				  .arg = { u->guest->id, u->number },
				  .in = &offer,
				  .in_bytes = sizeof(offer),
				  .out_bytes = FAIL_TEXT_BYTES };
	u8 out[FAIL_TEXT_BYTES];

	if (!(u->session.features & VERSION_1))
		return failed(f, FAIL_OTHER,
			      "its back-end is older than virtio 1.0");
	if (u->session.queues && u->session.queues < u->spec.queues)
		return failed(f, FAIL_OTHER,
			      "its back-end has %u queues and %u are wanted; "
			      "write queues=%u",
			      u->session.queues, u->spec.queues,
			      u->session.queues);
	memcpy(offer.config, u->session.config, u->spec.config_bytes);
	return ring_call(&b->ring, &call, out, NULL, f);
}

void unit_init(struct unit *u, struct guest *g, u32 i)
{
	const char *name = g->definition.config.name;
	char own[16];

	u->guest = g;
	u->number = i;
	u->session = (struct vhost_user){ .loop = g->bhd->loop,
					  .config_bytes = u->spec.config_bytes,
					  .ready = on_ready,
					  .stopped = on_stopped,
					  .ended = on_ended,
					  .lost = on_lost,
					  .context = u,
					  .fd = -1 };
	u->backend = (struct backend){ .loop = g->bhd->loop,
				       .spec = &u->spec,
				       .folder = g->bhd->backends,
				       .ended = on_backend_ended,
				       .context = u };
	device_name(own, sizeof(own), &u->spec, i);
	snprintf(u->backend.label, sizeof(u->backend.label),
		 "guest %.31s: %.15s", name, own);
	snprintf(u->backend.name, sizeof(u->backend.name), "%s.%u", name, i);
}
