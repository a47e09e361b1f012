/* SPDX-License-Identifier: MIT */
/* start - what a target that seals or reads JSON does before its first input */
#ifndef TESTS_FUZZ_START_H
#define TESTS_FUZZ_START_H

#include "daemon/wire/crypto.h"
#include "daemon/wire/json.h"
#include "tests/fuzz/fuzz.h"

/* Each target is a program of its own, and has this once. */
int LLVMFuzzerInitialize(const int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	FUZZ_CHECK(crypto_init() == 0);
	json_init();
	return 0;
}

#endif /* TESTS_FUZZ_START_H */
