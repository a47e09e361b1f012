/* SPDX-License-Identifier: MIT */
#include "daemon/wire/json.h"
#include "tests/unit/test.h"

#include <errno.h>
#include <string.h>

static json_t *parse(const char *text)
{
	return json_parse(text, strlen(text), NULL);
}

static void assert_member(const char *text, const char *want)
{
	json_t *root = parse(text);
	struct json_text got;

	assert_non_null(root);
	assert_int_equal(json_member_text(&got, root, "name"), 0);
	assert_string_equal(got.s, want);
	assert_int_equal(got.len, strlen(want));
	json_decref(root);
}

static void members_are_found_as_existing_nodes_find_them(void **state)
{
	(void)state;
	assert_member("{\"name\":\"a\"}", "a");
	assert_member(" \t\r\n{\"NAME\":\"a\"} \n", "a");
	assert_member("{\"name\":\"a\",\"name\":\"b\"}", "b");
	assert_member("{\"name\":\"a\",\"Name\":\"b\"}", "b");
	assert_member("{\"Name\":\"b\",\"name\":\"a\"}", "a");
	assert_member("{\"other\":1,\"name\":null}", "");
	assert_member("{}", "");
}

static void bytes_that_are_not_utf8_become_the_replacement_character(void **state)
{
	(void)state;
	assert_member("{\"name\":\"a\xff"
		      "b\"}",
		      "a\xef\xbf\xbd"
		      "b");
	assert_member("{\"name\":\"\xc0\xaf\"}", "\xef\xbf\xbd\xef\xbf\xbd");
	assert_member("{\"name\":\"\xed\xa0\x80\"}", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
	assert_member("{\"name\":\"\xf4\x90\x80\x80\"}",
		      "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
	assert_member("{\"name\":\"\xe2\x82\"}", "\xef\xbf\xbd\xef\xbf\xbd");
	assert_member("{\"name\":\"\xf0\x9f\x98\x80\xe2\x82\xac\xc4\x85\"}",
		      "\xf0\x9f\x98\x80\xe2\x82\xac\xc4\x85");
}

static void half_a_surrogate_pair_becomes_the_replacement_character(void **state)
{
	(void)state;
	assert_member("{\"name\":\"\\ud83d\"}", "\xef\xbf\xbd");
	assert_member("{\"name\":\"\\uDE00x\"}", "\xef\xbf\xbdx");
	assert_member("{\"name\":\"\\ud83d\\ud83d\\ude00\"}", "\xef\xbf\xbd\xf0\x9f\x98\x80");
	assert_member("{\"name\":\"\\ud83d\\ude00\"}", "\xf0\x9f\x98\x80");
	/* The backslash is itself escaped, so nothing is a surrogate here. */
	assert_member("{\"name\":\"\\\\ud83d\"}", "\\ud83d");
}

static void other_documents_are_refused(void **state)
{
	static const char *const texts[] = {
		"",
		" ",
		"[]",
		"null",
		"5",
		"{",
		"{}x",
		"{}{}",
		"{\"a\":1,}",
		"{a:1}",
		"{'a':1}",
		"{\"a\":01}",
		"\xef\xbb\xbf{}",
		"{}\xff",
		"{\"a\":\"\n\"}",
		"{\"a\":\"\\q\"}",
		"{\"a\":\"\\u12g4\"}",
		"{\"a\":\"\\",
		"{\"a\":\"\\ud83",
		"{\"a\":NaN}",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		assert_null(parse(texts[i]));
	assert_null(json_parse("{}\0", 3, NULL));
}

static void bottomless_nesting_is_refused(void **state)
{
	static char text[60000];
	json_error_t error;

	(void)state;
	memset(text, '[', sizeof(text));
	memcpy(text, "{\"a\":", 5);
	assert_null(json_parse(text, sizeof(text), &error));
	assert_int_equal(json_error_code(&error), json_error_stack_overflow);
}

static void wrong_types_are_reported(void **state)
{
	json_t *root = parse("{\"text\":\"5\",\"int\":5,\"real\":5.0,\"exp\":5e0,\"bool\":true,"
			     "\"list\":[null,1],\"object\":{}}");
	struct json_text text;
	int64_t number;
	bool flag;
	const json_t *list;

	(void)state;
	assert_int_equal(json_member_int(&number, root, "text"), -EINVAL);
	assert_int_equal(json_member_int(&number, root, "real"), -EINVAL);
	assert_int_equal(json_member_int(&number, root, "exp"), -EINVAL);
	assert_int_equal(json_member_int(&number, root, "int"), 0);
	assert_int_equal(number, 5);
	assert_int_equal(json_member_int(&number, root, "absent"), 0);
	assert_int_equal(number, 0);
	assert_int_equal(json_member_text(&text, root, "int"), -EINVAL);
	assert_int_equal(json_member_bool(&flag, root, "int"), -EINVAL);
	assert_int_equal(json_member_bool(&flag, root, "bool"), 0);
	assert_true(flag);
	assert_int_equal(json_member_bool(&flag, root, "absent"), 0);
	assert_false(flag);
	assert_int_equal(json_member_list(&list, root, "object"), -EINVAL);
	assert_null(list);
	assert_int_equal(json_member_list(&list, root, "list"), 0);
	assert_int_equal(json_as_text(&text, json_array_get(list, 0)), 0);
	assert_int_equal(json_as_text(&text, json_array_get(list, 1)), -EINVAL);
	json_decref(root);
}

static void text_with_a_nul_inside_is_not_copied(void **state)
{
	json_t *root = parse("{\"name\":\"a\\u0000b\",\"long\":\"12345\"}");
	struct json_text text;
	char copy[6] = "x";

	(void)state;
	assert_int_equal(json_member_text(&text, root, "name"), 0);
	assert_int_equal(text.len, 3);
	assert_int_equal(json_text_copy(copy, sizeof(copy), &text), -EINVAL);
	assert_string_equal(copy, "");
	assert_int_equal(json_member_text(&text, root, "long"), 0);
	assert_int_equal(json_text_copy(copy, 5, &text), -EINVAL);
	assert_int_equal(json_text_copy(copy, 6, &text), 0);
	assert_string_equal(copy, "12345");
	json_decref(root);
}

static long write_sample(char *out, size_t size, bool indented)
{
	struct json_writer w;

	json_write_init(&w, out, size, indented);
	json_write_open(&w, NULL, '{');
	json_write_text(&w, "a", "<\"\\>&\n");
	json_write_open(&w, "b", '[');
	json_write_int(&w, NULL, INT64_MIN);
	json_write_true(&w, NULL);
	json_write_close(&w, ']');
	json_write_open(&w, "c", '{');
	json_write_close(&w, '}');
	json_write_null(&w, "d");
	json_write_close(&w, '}');
	return json_write_end(&w);
}

static void documents_are_written_compact_or_indented(void **state)
{
	static const char compact[] = "{\"a\":\"\\u003c\\\"\\\\\\u003e\\u0026\\u000a\","
				      "\"b\":[-9223372036854775808,true],\"c\":{},\"d\":null}";
	static const char indented[] = "{\n  \"a\": \"\\u003c\\\"\\\\\\u003e\\u0026\\u000a\",\n"
				       "  \"b\": [\n    -9223372036854775808,\n    true\n  ],\n"
				       "  \"c\": {},\n  \"d\": null\n}";
	char out[256];

	(void)state;
	assert_int_equal(write_sample(out, sizeof(out), false), strlen(compact));
	assert_string_equal(out, compact);
	assert_int_equal(write_sample(out, sizeof(out), true), strlen(indented));
	assert_string_equal(out, indented);
}

static void nothing_is_written_beyond_the_buffer(void **state)
{
	char full[256];
	long len = write_sample(full, sizeof(full), false);

	(void)state;
	for (size_t size = 0; size <= (size_t)len; size++) {
		char out[256];

		memset(out, '#', sizeof(out));
		assert_int_equal(write_sample(out, size, false), -EMSGSIZE);
		assert_int_equal(out[size], '#');
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(members_are_found_as_existing_nodes_find_them),
		cmocka_unit_test(bytes_that_are_not_utf8_become_the_replacement_character),
		cmocka_unit_test(half_a_surrogate_pair_becomes_the_replacement_character),
		cmocka_unit_test(other_documents_are_refused),
		cmocka_unit_test(bottomless_nesting_is_refused),
		cmocka_unit_test(wrong_types_are_reported),
		cmocka_unit_test(text_with_a_nul_inside_is_not_copied),
		cmocka_unit_test(documents_are_written_compact_or_indented),
		cmocka_unit_test(nothing_is_written_beyond_the_buffer),
	};

	json_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
