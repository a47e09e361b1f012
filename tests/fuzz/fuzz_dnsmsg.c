/* SPDX-License-Identifier: MIT */
/* Answers of name servers, or of whoever pretends to be one, and names as a person may write them. */
#include "daemon/net/dnsmsg.h"
#include "tests/fuzz/fuzz.h"

#include <sys/socket.h>

#define HEADER_LEN 12
#define OPT_LEN	   11

static void check_addresses(const struct dnsmsg_answer *a, uint8_t family)
{
	FUZZ_CHECK(a->n <= DNSMSG_ADDRESSES_MAX);
	for (size_t i = 0; i < a->n; i++) {
		FUZZ_CHECK(a->ip[i].family == family);
		for (size_t j = 0; j < i; j++)
			FUZZ_CHECK(!ip_equal(&a->ip[i], &a->ip[j]));
	}
}

/* Reads from a block of exactly that size. */
static enum dnsmsg_verdict read_exact(struct dnsmsg_answer *out, const uint8_t *data, size_t size,
				      const struct dnsmsg_question *q)
{
	uint8_t *exact = malloc(size + !size);
	enum dnsmsg_verdict v;

	FUZZ_CHECK(exact);
	memcpy(exact, data, size);
	memset(out, 0xa5, sizeof(*out));
	v = dnsmsg_read(out, exact, size, q);
	free(exact);
	check_addresses(out, q->family);
	FUZZ_CHECK((v == DNSMSG_FOUND) == (out->n > 0));
	FUZZ_CHECK(out->n > 0 || out->ttl_s == 0);
	return v;
}

static void try_answer(const uint8_t *data, size_t size, const struct dnsmsg_question *q)
{
	struct dnsmsg_question other = *q;
	struct dnsmsg_answer whole;
	struct dnsmsg_answer cut;

	(void)read_exact(&whole, data, size, q);
	/* An answer that was cut has the first of the addresses, and no others. */
	if (read_exact(&cut, data, size - size / 4, q) == DNSMSG_FOUND) {
		FUZZ_CHECK(whole.n >= cut.n && whole.ttl_s <= cut.ttl_s);
		FUZZ_CHECK(memcmp(whole.ip, cut.ip, cut.n * sizeof(cut.ip[0])) == 0);
	}
	other.id ^= 1;
	FUZZ_CHECK(whole.n == 0 || read_exact(&cut, data, size, &other) == DNSMSG_NOT_AN_ANSWER);
}

/* A question that can be asked can be answered: with nothing, and for nobody else. */
static void try_name(const char *name, bool is_plain)
{
	struct dnsmsg_question q = { name, AF_INET, 0x1234, is_plain };
	uint8_t bytes[DNSMSG_QUERY_MAX];
	struct dnsmsg_answer a;
	long len = dnsmsg_ask(bytes, &q);

	if (len < 0)
		return;
	FUZZ_CHECK(len <= DNSMSG_QUERY_MAX && strlen(name) < DNSMSG_NAME_SIZE);
	FUZZ_CHECK(read_exact(&a, bytes, (size_t)len, &q) == DNSMSG_NOT_AN_ANSWER);
	len -= is_plain ? 0 : OPT_LEN;
	bytes[2] = 0x81;
	bytes[HEADER_LEN - 1] = 0;
	FUZZ_CHECK(read_exact(&a, bytes, (size_t)len, &q) == DNSMSG_NONE);
	FUZZ_CHECK(read_exact(&a, bytes, (size_t)len - 1, &q) == DNSMSG_NOT_AN_ANSWER);
	q.family = AF_INET6;
	FUZZ_CHECK(read_exact(&a, bytes, (size_t)len, &q) == DNSMSG_NOT_AN_ANSWER);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct dnsmsg_question q = { .name = "peers.example", .id = 0x1234 };
	char *name;

	if (size > DNSMSG_ANSWER_MAX)
		return -1;
	for (unsigned int i = 0; i < 4; i++) {
		q.family = i & 1 ? AF_INET6 : AF_INET;
		q.is_plain = (i & 2) != 0;
		try_answer(data, size, &q);
	}
	name = fuzz_text(data, size);
	try_name(name, false);
	try_name(name, true);
	free(name);
	return 0;
}
