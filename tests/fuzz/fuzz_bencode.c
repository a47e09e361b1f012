/* SPDX-License-Identifier: MIT */
/* Bencoding: what is taken apart can be put together again, byte for byte where it is canonical. */
#include "daemon/dht/bencode.h"
#include "tests/fuzz/fuzz.h"

/* Begins a list or a dictionary, or writes any other value whole. */
static bool begin(struct bencode_out *out, const struct bencode *value)
{
	switch (value->type) {
	case BENCODE_INTEGER:
		bencode_put_integer(out, value->integer);
		return false;
	case BENCODE_STRING:
		bencode_put_string(out, value->data, value->len);
		return false;
	case BENCODE_LIST:
		bencode_put_list(out);
		return true;
	case BENCODE_DICT:
		bencode_put_dict(out);
		return true;
	case BENCODE_NONE:
		break;
	}
	FUZZ_CHECK(!"a value has a type");
	return false;
}

/* The members of a dictionary are a list, too: keys and values. */
static void copy(struct bencode_out *out, const struct bencode *value)
{
	struct bencode rest[BENCODE_DEPTH_MAX];
	struct bencode member = *value;
	size_t depth = 0;

	for (;;) {
		if (begin(out, &member)) {
			FUZZ_CHECK(depth < BENCODE_DEPTH_MAX);
			rest[depth] = member;
			rest[depth++].type = BENCODE_LIST;
		}
		for (; depth > 0 && !bencode_next(&member, &rest[depth - 1]); depth--)
			bencode_put_end(out);
		if (depth == 0)
			return;
	}
}

static void try_value(const struct bencode *value, const uint8_t *bytes, size_t size)
{
	static const char *const keys[] = { "a", "id", "q", "r", "t", "values", "y" };
	static uint8_t buf[BENCODE_LEN_MAX];
	struct bencode_out out = { .buf = buf, .size = sizeof(buf) };

	FUZZ_CHECK(size <= BENCODE_LEN_MAX);
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		struct bencode found = bencode_find(value, keys[i]);

		FUZZ_CHECK(found.type == BENCODE_NONE || value->type == BENCODE_DICT);
	}
	copy(&out, value);
	FUZZ_CHECK(!out.is_full && out.len == size && memcmp(buf, bytes, size) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *exact = malloc(size + !size);
	struct bencode value;

	FUZZ_CHECK(exact);
	memcpy(exact, data, size);
	if (bencode_parse(&value, exact, size) == 0)
		try_value(&value, exact, size);
	else
		FUZZ_CHECK(value.type == BENCODE_NONE);
	free(exact);
	return 0;
}
