/* SPDX-License-Identifier: MIT */
/* test - cmocka with the headers it needs before it, in the order it needs them */
#ifndef TESTS_UNIT_TEST_H
#define TESTS_UNIT_TEST_H

/* clang-format off */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
/* clang-format on */

#endif /* TESTS_UNIT_TEST_H */
