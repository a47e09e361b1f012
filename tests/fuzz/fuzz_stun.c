/* SPDX-License-Identifier: MIT */
/* Answers of STUN servers, or of whoever pretends to be one. */
#include "daemon/nat/stun.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* Of the vectors, so that their answers are seeds. */
	static const struct stun_transaction t = { { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12 } };
	uint8_t *exact = malloc(size + !size);
	struct endpoint at;
	enum stun_result r;

	FUZZ_CHECK(exact);
	memcpy(exact, data, size);
	r = stun_parse(&at, exact, size, &t);
	FUZZ_CHECK((r == STUN_OK) == (at.ip.family != 0));
	free(exact);
	return 0;
}
