/* SPDX-License-Identifier: MIT */
#include "daemon/doctor/strength.h"
#include "common/defs.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

#define WORD_MIN       3
#define WORD_MAX       14
#define WORD_TENTHS    110 /* one of two thousand */
#define CONSONANTS_MAX 4   /* in a row: "lengths" */
#define TENTHS	       10

/* Length of the shortest beginning that makes the whole text by repetition. */
static size_t period(const char *text, size_t len)
{
	for (size_t p = 1; p <= len / 2; p++)
		if (memcmp(text, text + p, len - p) == 0)
			return p;
	return len;
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_vowel(char c)
{
	return strchr("aeiouyAEIOUY", c) != NULL;
}

/* Lower case, upper case or capitalised: random letters are in none of these forms for long. */
static bool has_case_of_word(const char *text, size_t len)
{
	bool is_upper = text[1] <= 'Z';

	for (size_t i = 2; i < len; i++)
		if ((text[i] <= 'Z') != is_upper)
			return false;
	return !is_upper || text[0] <= 'Z';
}

static bool is_word(const char *text, size_t len)
{
	size_t row = 0;
	size_t longest = 0;
	bool has_vowel = false;

	if (len < WORD_MIN || len > WORD_MAX || !has_case_of_word(text, len))
		return false;
	for (size_t i = 0; i < len; i++) {
		row = is_vowel(text[i]) ? 0 : row + 1;
		has_vowel |= row == 0;
		if (row > longest)
			longest = row;
	}
	return has_vowel && longest <= CONSONANTS_MAX;
}

/* Tenths of a bit that one character of such a text is worth. */
static unsigned int alphabet(const char *text, size_t len)
{
	bool digit = false;
	bool lower = false;
	bool upper = false;
	bool other = false;
	bool is_hex = true;

	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];

		digit |= c >= '0' && c <= '9';
		lower |= c >= 'a' && c <= 'z';
		upper |= c >= 'A' && c <= 'Z';
		other |= !isalnum(c) && c != ' ';
		is_hex &= isxdigit(c) != 0;
	}
	if (other)
		return upper || digit ? 60 : 50;
	if (upper && lower)
		return 57;
	if (lower || upper)
		return is_hex ? 40 : (digit ? 51 : 47);
	return 33;
}

/* Equal to the one before it, or its neighbour in the alphabet: "aaa", "123". */
static bool follows(const char *text, size_t i)
{
	return i > 0 &&
	       (text[i] == text[i - 1] || text[i] == text[i - 1] + 1 || text[i] == text[i - 1] - 1);
}

unsigned int strength_bits(const char *text, size_t len)
{
	size_t end = period(text, len);
	unsigned int each = alphabet(text, end);
	unsigned int tenths = 0;
	size_t i = 0;

	while (i < end) {
		size_t n = 0;

		while (i + n < end && is_letter(text[i + n]))
			n++;
		if (is_word(text + i, n)) {
			tenths += WORD_TENTHS;
			i += n;
			continue;
		}
		/* One character that is no letter, or all letters up to the next one. */
		for (size_t stop = i + (n > 0 ? n : 1); i < stop; i++)
			tenths += follows(text, i) || text[i] == ' ' ? 0 : each;
	}
	return tenths / TENTHS;
}
