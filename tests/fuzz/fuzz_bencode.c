/* SPDX-License-Identifier: MIT */
/* Bencoding: what is taken apart can be put together again, byte for byte where it is canonical. */
#include "daemon/dht/bencode.h"
#include "tests/fuzz/fuzz.h"

static void copy(struct bencode_out *out, const struct bencode *value);

static void copy_members(struct bencode_out *out, const struct bencode *value)
{
	struct bencode rest = { .type = BENCODE_LIST, .data = value->data, .len = value->len };
	struct bencode member;

	while (bencode_next(&member, &rest))
		copy(out, &member);
	bencode_put_end(out);
}

static void copy(struct bencode_out *out, const struct bencode *value)
{
	switch (value->type) {
	case BENCODE_INTEGER:
		bencode_put_integer(out, value->integer);
		break;
	case BENCODE_STRING:
		bencode_put_string(out, value->data, value->len);
		break;
	case BENCODE_LIST:
		bencode_put_list(out);
		copy_members(out, value);
		break;
	case BENCODE_DICT:
		bencode_put_dict(out);
		copy_members(out, value);
		break;
	case BENCODE_NONE:
		FUZZ_CHECK(!"a value has a type");
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const keys[] = { "a", "id", "q", "r", "t", "values", "y" };
	static uint8_t buf[BENCODE_LEN_MAX];
	struct bencode_out out = { .buf = buf, .size = sizeof(buf) };
	uint8_t *exact = malloc(size + !size);
	struct bencode value;

	FUZZ_CHECK(exact);
	memcpy(exact, data, size);
	if (bencode_parse(&value, exact, size) == 0) {
		FUZZ_CHECK(size <= BENCODE_LEN_MAX);
		for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
			struct bencode found = bencode_find(&value, keys[i]);

			FUZZ_CHECK(found.type == BENCODE_NONE || value.type == BENCODE_DICT);
		}
		copy(&out, &value);
		FUZZ_CHECK(!out.is_full && out.len == size && memcmp(buf, exact, size) == 0);
	} else {
		FUZZ_CHECK(value.type == BENCODE_NONE);
	}
	free(exact);
	return 0;
}
