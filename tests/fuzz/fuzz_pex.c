/* SPDX-License-Identifier: MIT */
/*
 * Where other members are, as any member may say it: an object as it stands in a message, and bytes as
 * they stand behind base64, which mutations seldom get through.
 */
#include "common/defs.h"
#include "daemon/wire/crypto.h"
#include "daemon/wire/pex.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/start.h"

#define TEXT_SIZE  4096
#define BYTES_MAX  2048
#define ROOM	   2048 /* PEX_MAX records of IPv6, and a few more */
#define OBJECT_MAX 8192

static void check_list(const struct pex_list *list)
{
	FUZZ_CHECK(list->n <= PEX_MAX);
	for (size_t i = 0; i < list->n; i++) {
		const struct endpoint *at = &list->record[i].at;

		FUZZ_CHECK(at->port != 0);
		FUZZ_CHECK(at->ip.family == AF_INET || at->ip.family == AF_INET6);
	}
}

static void read_text(struct pex_list *out, const char *text, size_t len)
{
	json_t *body = json_parse(text, len, NULL);

	out->n = 0;
	if (!body)
		return;
	memset(out, 0xa5, sizeof(*out));
	pex_read(out, body);
	json_decref(body);
	check_list(out);
}

/* Writes behind another member, as messages do, and reads that. */
static void pass_on(struct pex_list *out, const struct pex_list *in, size_t room)
{
	static char text[OBJECT_MAX];
	struct json_writer w;
	size_t before;
	long len;

	json_write_init(&w, text, sizeof(text), false);
	json_write_open(&w, NULL, '{');
	json_write_text(&w, "first", "");
	before = w.len;
	pex_write(&w, in, room);
	FUZZ_CHECK(w.len - before <= room);
	json_write_close(&w, '}');
	len = json_write_end(&w);
	FUZZ_CHECK(len > 0);
	read_text(out, text, (size_t)len);
}

/* With room enough all is passed on as it was read, with less no more than that. */
static void check_again(const struct pex_list *first, size_t room)
{
	struct pex_list second;

	pass_on(&second, first, ROOM);
	FUZZ_CHECK(second.n == first->n);
	for (size_t i = 0; i < first->n; i++) {
		FUZZ_CHECK(second.record[i].prefix == first->record[i].prefix);
		FUZZ_CHECK(endpoint_equal(&second.record[i].at, &first->record[i].at));
	}
	pass_on(&second, first, room);
	FUZZ_CHECK(second.n <= first->n);
}

/* As the one member, with a half of it as the other. */
static void try_bytes(bool is_pex6, const uint8_t *data, size_t size)
{
	static char text[OBJECT_MAX];
	static char code[TEXT_SIZE];
	struct pex_list list;
	struct json_writer w;
	long len;

	json_write_init(&w, text, sizeof(text), false);
	json_write_open(&w, NULL, '{');
	crypto_base64(code, sizeof(code), data, size);
	json_write_text(&w, is_pex6 ? "pex6" : "pex", code);
	crypto_base64(code, sizeof(code), data, size / 2);
	json_write_text(&w, is_pex6 ? "pex" : "pex6", code);
	json_write_close(&w, '}');
	len = json_write_end(&w);
	FUZZ_CHECK(len > 0);
	read_text(&list, text, (size_t)len);
	FUZZ_CHECK(list.n <= size / 10 + size / 20);
	check_again(&list, size);
}

/* The first byte chooses: an object, or records of the one family or the other. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pex_list list;

	if (size == 0 || size > BYTES_MAX)
		return -1;
	if (data[0] == '4' || data[0] == '6') {
		try_bytes(data[0] == '6', data + 1, size - 1);
		return 0;
	}
	read_text(&list, (const char *)data, size);
	check_again(&list, size % ROOM);
	return 0;
}
