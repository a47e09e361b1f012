/* SPDX-License-Identifier: MIT */
#include "common/marker.h"
#include "common/defs.h"
#include "common/str.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* 9999-12-31T23:59:59, the last second that str_utc() can write. */
#define TIME_MAX  INT64_C(253402300799)
#define CODE_MAX  255
#define VALUE_MAX 256 /* longer than any value that is valid */
#define KEY_LEN	  (MARKER_KEY_SIZE - 1)

/* Everything but letters and digits that a container id, host name or version may hold. */
#define WORD_PUNCTUATION "._:/@+,~=-"

/* --- words ----------------------------------------------------------------------------------- */

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_word_char(char c)
{
	return is_digit(c) || is_letter(c) || (c != '\0' && strchr(WORD_PUNCTUATION, c));
}

static bool is_word(const char *s)
{
	if (*s == '\0')
		return false;
	while (is_word_char(*s))
		s++;
	return *s == '\0';
}

static bool is_volume_id(const char *s)
{
	return strlen(s) == MARKER_VOLUME_SIZE - 1 &&
	       strspn(s, "0123456789abcdef") == MARKER_VOLUME_SIZE - 1;
}

static void set_word(char *out, size_t size, const char *word)
{
	str_cut(out, size, word[0] ? word : MARKER_UNKNOWN_WORD,
		word[0] ? strlen(word) : strlen(MARKER_UNKNOWN_WORD));
	for (char *p = out; *p; p++)
		if (!is_word_char(*p))
			*p = '_';
}

bool marker_is_public_key(const char *text)
{
	/* The last digit stands for four bits of the key and two that must be zero. */
	static const char last[] = "AEIMQUYcgkosw048";

	if (strlen(text) != KEY_LEN || text[KEY_LEN - 1] != '=' || !strchr(last, text[KEY_LEN - 2]))
		return false;
	for (size_t i = 0; i < KEY_LEN - 2; i++)
		if (!is_digit(text[i]) && !is_letter(text[i]) && text[i] != '+' && text[i] != '/')
			return false;
	return true;
}

/* --- times ----------------------------------------------------------------------------------- */

static int64_t clamp_time(int64_t s)
{
	if (s < 0)
		return 0;
	return s > TIME_MAX ? TIME_MAX : s;
}

static unsigned int number_at(const char *s, size_t digits)
{
	unsigned int n = 0;

	for (size_t i = 0; i < digits; i++)
		n = n * 10 + (unsigned int)(s[i] - '0');
	return n;
}

/* Days from 1970-01-01 to a date, in a year that begins in March, so that leap days come last. */
static int64_t days_to(int64_t year, int64_t month, int64_t day)
{
	int64_t y = month > 2 ? year : year - 1;
	int64_t m = month > 2 ? month - 3 : month + 9;

	return y * 365 + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day - 1 - 719468;
}

/* Takes "2026-01-01T00:00:00Z" and nothing else. */
static bool parse_time(int64_t *out, const char *s)
{
	static const char form[] = "dddd-dd-ddTdd:dd:ddZ";
	char back[STR_UTC_SIZE];

	if (strlen(s) != sizeof(form) - 1)
		return false;
	for (size_t i = 0; form[i]; i++)
		if (form[i] == 'd' ? !is_digit(s[i]) : s[i] != form[i])
			return false;
	*out = days_to(number_at(s, 4), number_at(s + 5, 2), number_at(s + 8, 2)) * 86400 +
	       (int64_t)number_at(s + 11, 2) * 3600 + (int64_t)number_at(s + 14, 2) * 60 +
	       number_at(s + 17, 2);
	if (*out < 0)
		return false;
	/* A date that there is not, such as February 30, reads back as another one. */
	str_utc(back, (uint64_t)*out);
	return strncmp(back, s, STR_UTC_SIZE - 1) == 0;
}

/* --- reading --------------------------------------------------------------------------------- */

/* Takes the next of the words that are one space apart; a value never ends in a space. */
static bool take_word(const char **p, char *out, size_t size)
{
	size_t len = strcspn(*p, " ");

	if (len == 0 || len >= size)
		return false;
	str_cut(out, size, *p, len);
	*p += len;
	*p += **p == ' ' && (*p)[1] != '\0' ? 1 : 0;
	return true;
}

static bool take_checked_word(const char **p, char *out, size_t size)
{
	return take_word(p, out, size) && is_word(out);
}

/* There is one way to write a number: without leading zeros. */
static bool parse_number(uint64_t *out, const char *text, uint64_t min, uint64_t max)
{
	return (text[0] != '0' || text[1] == '\0') && str_parse_u64(out, text, min, max) == 0;
}

static bool take_time(const char **p, int64_t *out)
{
	char word[STR_UTC_SIZE + 1];

	return take_word(p, word, sizeof(word)) && parse_time(out, word);
}

static bool read_volume(struct marker *m, const char *value)
{
	return is_volume_id(value) && str_copy(m->volume, sizeof(m->volume), value) == 0;
}

static bool read_created(struct marker *m, const char *value)
{
	return parse_time(&m->created_s, value);
}

static bool read_served(struct marker *m, const char *value)
{
	struct marker_key *key = &m->served[m->n_served];

	if (m->n_served == MARKER_SERVED_MAX ||
	    !take_word(&value, key->ifname, sizeof(key->ifname)) ||
	    !take_word(&value, key->public_key, sizeof(key->public_key)) || *value != '\0')
		return false;
	if (!str_is_interface_name(key->ifname) || !marker_is_public_key(key->public_key) ||
	    marker_served(m, key->ifname))
		return false;
	m->n_served++;
	return true;
}

static bool read_proven(struct marker *m, const char *value)
{
	m->has_proof = true;
	return parse_time(&m->proven_s, value);
}

static bool read_exit(struct marker *m, const char *value)
{
	uint64_t code;

	if (!take_time(&value, &m->exit_s) || !parse_number(&code, value, 0, CODE_MAX))
		return false;
	m->exit_code = (int)code;
	m->has_exit = true;
	return true;
}

static bool read_boots(struct marker *m, const char *value)
{
	return parse_number(&m->boots, value, 1, UINT64_MAX);
}

static bool read_boot(struct marker *m, const char *value)
{
	struct marker_boot *b = &m->boot[m->n_boot];

	if (m->n_boot == MARKER_BOOTS_MAX || !take_time(&value, &b->at_s) ||
	    !take_checked_word(&value, b->container, sizeof(b->container)) ||
	    !take_checked_word(&value, b->host, sizeof(b->host)) ||
	    !take_checked_word(&value, b->image, sizeof(b->image)) ||
	    !take_checked_word(&value, b->kernel, sizeof(b->kernel)) || *value != '\0')
		return false;
	m->n_boot++;
	return true;
}

static const struct {
	const char *key;
	bool (*read)(struct marker *m, const char *value);
	size_t least;
	size_t most;
} lines[] = {
	{ "volume", read_volume, 1, 1 },
	{ "created", read_created, 1, 1 },
	{ "served", read_served, 0, MARKER_SERVED_MAX },
	{ "proven", read_proven, 0, 1 },
	{ "last_exit", read_exit, 0, 1 },
	{ "boots", read_boots, 1, 1 },
	{ "boot", read_boot, 1, MARKER_BOOTS_MAX },
};

/* Takes the next line if it is "KEY=VALUE" with this key. */
static bool take_line(const char **text, const char *key, char value[static VALUE_MAX])
{
	size_t key_len = strlen(key);
	size_t len = strcspn(*text, "\n");

	if ((*text)[len] != '\n' || len <= key_len || strncmp(*text, key, key_len) != 0 ||
	    (*text)[key_len] != '=' || len - key_len - 1 >= VALUE_MAX)
		return false;
	str_cut(value, VALUE_MAX, *text + key_len + 1, len - key_len - 1);
	*text += len + 1;
	return true;
}

/* Return: false when a line of this kind is malformed, or there are too few */
static bool read_lines(struct marker *m, const char **text, size_t kind)
{
	char value[VALUE_MAX];
	size_t n = 0;

	while (n < lines[kind].most && take_line(text, lines[kind].key, value)) {
		if (!lines[kind].read(m, value))
			return false;
		n++;
	}
	return n >= lines[kind].least;
}

static int read_all(struct marker *m, const char *text)
{
	char value[VALUE_MAX];
	uint64_t version = 0;

	if (!take_line(&text, "version", value) || !parse_number(&version, value, 1, UINT32_MAX))
		return -EBADMSG;
	if (version > MARKER_VERSION)
		return -EPROTONOSUPPORT;
	for (size_t kind = 0; kind < ARRAY_LEN(lines); kind++)
		if (!read_lines(m, &text, kind))
			return -EBADMSG;
	if (*text != '\0' ||
	    m->n_boot != (m->boots < MARKER_BOOTS_MAX ? m->boots : MARKER_BOOTS_MAX))
		return -EBADMSG;
	return 0;
}

int marker_parse(struct marker *m, const char *text)
{
	int r;

	memset(m, 0, sizeof(*m));
	r = read_all(m, text);
	if (r < 0)
		memset(m, 0, sizeof(*m));
	return r;
}

/* --- writing --------------------------------------------------------------------------------- */

/* The largest file there can be fits, see the test of that name. */
size_t marker_format(const struct marker *m, char out[static MARKER_TEXT_SIZE])
{
	struct str_out t = { .out = out, .size = MARKER_TEXT_SIZE };
	char utc[STR_UTC_SIZE];

	out[0] = '\0';
	str_utc(utc, (uint64_t)clamp_time(m->created_s));
	str_add(&t, "version=%d\nvolume=%s\ncreated=%sZ\n", MARKER_VERSION, m->volume, utc);
	for (size_t i = 0; i < m->n_served; i++)
		str_add(&t, "served=%s %s\n", m->served[i].ifname, m->served[i].public_key);
	if (m->has_proof) {
		str_utc(utc, (uint64_t)clamp_time(m->proven_s));
		str_add(&t, "proven=%sZ\n", utc);
	}
	if (m->has_exit) {
		str_utc(utc, (uint64_t)clamp_time(m->exit_s));
		str_add(&t, "last_exit=%sZ %d\n", utc, m->exit_code);
	}
	str_add(&t, "boots=%llu\n", (unsigned long long)m->boots);
	for (size_t i = 0; i < m->n_boot; i++) {
		const struct marker_boot *b = &m->boot[i];

		str_utc(utc, (uint64_t)clamp_time(b->at_s));
		str_add(&t, "boot=%sZ %s %s %s %s\n", utc, b->container, b->host, b->image,
			b->kernel);
	}
	return t.len;
}

/* --- changing -------------------------------------------------------------------------------- */

void marker_init(struct marker *m, const uint8_t id[static MARKER_ID_BYTES], int64_t now_s)
{
	memset(m, 0, sizeof(*m));
	m->created_s = clamp_time(now_s);
	for (size_t i = 0; i < MARKER_ID_BYTES; i++)
		(void)snprintf(m->volume + 2 * i, 3, "%02x", id[i]);
}

static bool is_known(const char *word)
{
	return strcmp(word, MARKER_UNKNOWN_WORD) != 0;
}

bool marker_is_same_container(const struct marker_boot *a, const struct marker_boot *b)
{
	if (is_known(a->container) && is_known(b->container))
		return strcmp(a->container, b->container) == 0;
	return strcmp(a->host, b->host) == 0;
}

static void note_proof(struct marker *m)
{
	if (m->n_boot < 2 || marker_is_same_container(&m->boot[0], &m->boot[1]))
		return;
	m->has_proof = true;
	m->proven_s = m->boot[0].at_s;
}

void marker_add_boot(struct marker *m, const struct marker_boot *boot)
{
	struct marker_boot *b = &m->boot[0];

	if (m->n_boot < MARKER_BOOTS_MAX)
		m->n_boot++;
	memmove(&m->boot[1], &m->boot[0], (m->n_boot - 1) * sizeof(m->boot[0]));
	if (m->boots < UINT64_MAX)
		m->boots++;
	b->at_s = clamp_time(boot->at_s);
	set_word(b->container, sizeof(b->container), boot->container);
	set_word(b->host, sizeof(b->host), boot->host);
	set_word(b->image, sizeof(b->image), boot->image);
	set_word(b->kernel, sizeof(b->kernel), boot->kernel);
	note_proof(m);
}

void marker_set_exit(struct marker *m, int64_t at_s, int code)
{
	m->has_exit = true;
	m->exit_s = clamp_time(at_s);
	m->exit_code = code < 0 || code > CODE_MAX ? CODE_MAX : code;
}

/* Return: where the interface's key is; @m->n_served when it has none */
static size_t find_served(const struct marker *m, const char *ifname)
{
	size_t i = 0;

	while (i < m->n_served && strcmp(m->served[i].ifname, ifname) != 0)
		i++;
	return i;
}

int marker_set_served(struct marker *m, const struct marker_key *key)
{
	size_t at = find_served(m, key->ifname);

	if (!str_is_interface_name(key->ifname) || !marker_is_public_key(key->public_key))
		return -EINVAL;
	if (at == m->n_served && at < MARKER_SERVED_MAX)
		m->n_served++;
	else if (at == m->n_served)
		at--;
	memmove(&m->served[1], &m->served[0], at * sizeof(m->served[0]));
	m->served[0] = *key;
	return 0;
}

const char *marker_served(const struct marker *m, const char *ifname)
{
	size_t at = find_served(m, ifname);

	return at < m->n_served ? m->served[at].public_key : NULL;
}
