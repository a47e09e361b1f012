/* SPDX-License-Identifier: MIT */
#include "daemon/state/archive.h"
#include "common/str.h"
#include "daemon/wire/json.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define FORMAT	 "wgmesh-state"
#define KEY_SIZE 45
#define HEX_SIZE (2 * CRYPTO_SHA256_LEN + 1)

static void free_wiped(void *p, size_t len)
{
	if (p)
		crypto_wipe(p, len);
	free(p);
}

void archive_fini(struct archive *a)
{
	for (size_t i = 0; i < a->n; i++)
		free_wiped(a->files[i].data, a->files[i].len);
	crypto_wipe(a, sizeof(*a));
}

const struct archive_file *archive_find(const struct archive *a, enum state_kind kind)
{
	for (size_t i = 0; i < a->n; i++)
		if (a->files[i].kind == kind)
			return &a->files[i];
	return NULL;
}

/* The kind of a file that may be in this archive once more, or STATE_UNKNOWN. */
static enum state_kind judge_name(const struct archive *a, const char *name)
{
	char owner[STATENAME_IFACE_SIZE];
	enum state_kind kind = statename_kind(owner, name, a->ifname);

	if (!statename_moves(kind) || strlen(name) >= ARCHIVE_NAME_SIZE ||
	    (kind != STATE_SERVICE && strcmp(owner, a->ifname) != 0))
		return STATE_UNKNOWN;
	for (size_t i = 0; i < a->n; i++)
		if (strcmp(a->files[i].name, name) == 0)
			return STATE_UNKNOWN;
	return kind;
}

static size_t total_of(const struct archive *a)
{
	size_t total = 0;

	for (size_t i = 0; i < a->n; i++)
		total += a->files[i].len;
	return total;
}

int archive_add(struct archive *a, const char *name, const void *data, size_t len, struct err *e)
{
	struct archive_file *f;
	enum state_kind kind = judge_name(a, name);
	int r;

	if (kind == STATE_UNKNOWN)
		return err_set(e, -EINVAL,
			       "holds a file that is none, or not once, of %s's: \"%.40s\"",
			       a->ifname, name);
	if (a->n == ARCHIVE_FILES_MAX)
		return err_set(e, -EFBIG, "holds more than %d files of %s's", ARCHIVE_FILES_MAX,
			       a->ifname);
	if (len > ARCHIVE_FILE_MAX || total_of(a) + len > ARCHIVE_DATA_MAX)
		return err_set(e, -EFBIG, "holds more bytes of %.40s than any node writes", name);
	if (kind == STATE_KEY) {
		struct err why = { 0 };

		r = identity_parse(&a->id, data, len, &why);
		if (r < 0)
			return err_set(e, r, "holds a %.40s that %.200s", name, why.msg);
	}
	f = &a->files[a->n];
	*f = (struct archive_file) { .kind = kind, .len = len, .data = malloc(len + 1) };
	if (!f->data)
		return err_set(e, -ENOMEM, "holds too much for this machine");
	memcpy(f->data, data, len);
	str_cut(f->name, sizeof(f->name), name, strlen(name));
	a->n++;
	return 0;
}

static void checksum(char out[static HEX_SIZE], const void *data, size_t len)
{
	const struct crypto_part part = { data, len };
	uint8_t digest[CRYPTO_SHA256_LEN];

	crypto_sha256(digest, &part, 1);
	crypto_hex(out, HEX_SIZE, digest, sizeof(digest));
}

static void write_file(struct json_writer *w, const struct archive_file *f, char *scratch,
		       size_t size)
{
	char digest[HEX_SIZE];

	checksum(digest, f->data, f->len);
	crypto_base64(scratch, size, f->data, f->len);
	json_write_open(w, NULL, '{');
	json_write_text(w, "name", f->name);
	json_write_int(w, "size", (int64_t)f->len);
	json_write_text(w, "sha256", digest);
	json_write_text(w, "data", scratch);
	json_write_close(w, '}');
}

/* With no room in @w it only counts. */
static void write_all(struct json_writer *w, const struct archive *a, char *scratch, size_t size)
{
	char key[KEY_SIZE];

	json_write_open(w, NULL, '{');
	json_write_text(w, "format", FORMAT);
	json_write_int(w, "version", ARCHIVE_VERSION);
	json_write_text(w, "interface", a->ifname);
	json_write_text(w, "public_key", wg_key_format(key, &a->id.public_key));
	json_write_int(w, "created", a->created_s);
	json_write_open(w, "files", '[');
	for (size_t i = 0; i < a->n; i++)
		write_file(w, &a->files[i], scratch, size);
	json_write_close(w, ']');
	json_write_close(w, '}');
}

static size_t longest_of(const struct archive *a)
{
	size_t longest = 0;

	for (size_t i = 0; i < a->n; i++)
		if (a->files[i].len > longest)
			longest = a->files[i].len;
	return longest;
}

long archive_format(char **out, const struct archive *a)
{
	size_t scratch_size = crypto_base64_size(longest_of(a));
	char *scratch = malloc(scratch_size);
	struct json_writer w;
	size_t size = 0;
	long len = -ENOMEM;

	*out = NULL;
	if (scratch) {
		json_write_init(&w, NULL, 0, true);
		write_all(&w, a, scratch, scratch_size);
		size = w.len + 1;
		*out = malloc(size);
	}
	if (*out) {
		json_write_init(&w, *out, size, true);
		write_all(&w, a, scratch, scratch_size);
		len = json_write_end(&w);
	}
	free_wiped(scratch, scratch_size);
	return len;
}

/* The bytes of a file, to be wiped and freed; NULL when they are not what is said of them. */
static uint8_t *read_data(json_t *object, size_t *len)
{
	struct json_text digest_text;
	struct json_text data;
	char digest[HEX_SIZE];
	char want[HEX_SIZE];
	int64_t size;
	uint8_t *bytes;

	if (json_member_text(&digest_text, object, "sha256") < 0 ||
	    json_text_copy(want, sizeof(want), &digest_text) < 0 ||
	    json_member_text(&data, object, "data") < 0 ||
	    json_member_int(&size, object, "size") < 0 || size < 0 || size > ARCHIVE_FILE_MAX ||
	    data.len != crypto_base64_size((size_t)size) - 1)
		return NULL;
	*len = (size_t)size;
	bytes = malloc(*len + 1);
	if (!bytes)
		return NULL;
	if (crypto_unbase64(bytes, *len, data.s, data.len, false) == (long)*len) {
		checksum(digest, bytes, *len);
		if (strcmp(digest, want) == 0)
			return bytes;
	}
	free_wiped(bytes, *len);
	return NULL;
}

static int read_file(struct archive *out, json_t *object, struct err *e)
{
	char name[ARCHIVE_NAME_SIZE];
	struct json_text text;
	size_t len = 0;
	uint8_t *data;
	int r;

	if (!json_is_object(object) || json_member_text(&text, object, "name") < 0 ||
	    json_text_copy(name, sizeof(name), &text) < 0)
		return err_set(e, -EBADMSG, "is damaged: a file in it has no name");
	data = read_data(object, &len);
	if (!data)
		return err_set(e, -EBADMSG, "is damaged: %.40s in it has another checksum or size",
			       name);
	r = archive_add(out, name, data, len, e);
	free_wiped(data, len);
	if (r == -EPROTONOSUPPORT || r == -ENOMEM || r == 0)
		return r;
	if (e)
		e->code = -EBADMSG;
	return -EBADMSG;
}

static bool has_text(json_t *root, const char *name, const char *want)
{
	struct json_text text;

	return json_member_text(&text, root, name) == 0 && text.s && strcmp(text.s, want) == 0;
}

static int read_head(struct archive *out, json_t *root, struct err *e)
{
	struct json_text ifname;
	int64_t version;

	if (!has_text(root, "format", FORMAT) || json_member_int(&version, root, "version") < 0 ||
	    version < 1)
		return err_set(e, -EBADMSG, "is no export of `wgmesh state export`");
	if (version > ARCHIVE_VERSION)
		return err_set(e, -EPROTONOSUPPORT,
			       "was written by a newer release of wgmesh: import it with that one");
	if (json_member_text(&ifname, root, "interface") < 0 ||
	    json_text_copy(out->ifname, sizeof(out->ifname), &ifname) < 0 ||
	    !str_is_interface_name(out->ifname) ||
	    json_member_int(&out->created_s, root, "created") < 0)
		return err_set(e, -EBADMSG, "is damaged: it names no interface");
	return 0;
}

static int read_root(struct archive *out, json_t *root, struct err *e)
{
	const json_t *files = NULL;
	char key[KEY_SIZE];
	json_t *object;
	size_t i;
	int r = read_head(out, root, e);

	if (r < 0)
		return r;
	if (json_member_list(&files, root, "files") < 0)
		return err_set(e, -EBADMSG, "is damaged: it has no list of files");
	json_array_foreach (files, i, object) {
		r = read_file(out, object, e);
		if (r < 0)
			return r;
	}
	if (!archive_find(out, STATE_KEY))
		return err_set(e, -EBADMSG, "is damaged: there is no key file in it");
	if (!has_text(root, "public_key", wg_key_format(key, &out->id.public_key)))
		return err_set(e, -EBADMSG, "is damaged: it names another key than it holds");
	return 0;
}

int archive_parse(struct archive *out, const void *text, size_t len, struct err *e)
{
	bool wiped_before = json_wipe_memory(true);
	json_t *root;
	int r;

	*out = (struct archive) { 0 };
	root = len > 0 ? json_parse(text, len, NULL) : NULL;
	r = root ? read_root(out, root, e)
		 : err_set(e, -EBADMSG, "is no export of `wgmesh state export`, or is cut short");
	json_decref(root);
	(void)json_wipe_memory(wiped_before);
	return r;
}
