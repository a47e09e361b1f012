/* SPDX-License-Identifier: MIT */
#include "init/supervise/history.h"
#include "common/defs.h"
#include "common/exits.h"
#include "common/statefile.h"
#include "common/str.h"
#include "init/state/names.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* Some 30000 years; sums of a few such times overflow nothing. */
#define TIME_MAX   (UINT64_C(1) << 40)
#define CODE_MAX   255
#define SIGNAL_MAX 64

void history_add(struct history *h, const struct history_entry *entry)
{
	if (h->n == HISTORY_MAX) {
		memmove(&h->entries[0], &h->entries[1], (HISTORY_MAX - 1) * sizeof(h->entries[0]));
		h->n--;
	}
	h->entries[h->n++] = *entry;
}

static bool is_failure(const struct history_entry *entry)
{
	return (entry->code != 0 || entry->signal != 0) &&
	       strcmp(entry->cause, CAUSE_WORD_STOPPED) != 0 &&
	       strcmp(entry->cause, CAUSE_WORD_STOP_TIMEOUT) != 0 &&
	       strcmp(entry->cause, CAUSE_WORD_REVOKED) != 0;
}

static int64_t clamp_time(int64_t s)
{
	if (s < 0)
		return 0;
	return s > (int64_t)TIME_MAX ? (int64_t)TIME_MAX : s;
}

unsigned int history_failures(const struct history *h, int64_t now_s)
{
	int64_t next_s = clamp_time(now_s);
	unsigned int count = 0;

	for (size_t i = h->n; i > 0; i--) {
		const struct history_entry *entry = &h->entries[i - 1];
		int64_t ended_s = clamp_time(entry->ended_s);

		if (!is_failure(entry) || entry->run_ms >= HISTORY_SHORT_RUN_MS)
			break;
		/* A time after the next ending: somebody set the clock. */
		if (next_s - ended_s > HISTORY_RECENT_S)
			break;
		next_s = ended_s < next_s ? ended_s : next_s;
		count++;
	}
	return count;
}

/* Takes the next word of a line that must not be empty; words are one space apart. */
static bool take_word(const char **p, char *out, size_t size)
{
	size_t len = strcspn(*p, " \n");

	if (len == 0 || len >= size)
		return false;
	str_cut(out, size, *p, len);
	*p += len;
	*p += **p == ' ' && (*p)[1] != '\n' ? 1 : 0;
	return true;
}

static bool take_number(const char **p, uint64_t *out, uint64_t max)
{
	char word[24];

	return take_word(p, word, sizeof(word)) && str_parse_u64(out, word, 0, max) == 0;
}

/* "code=69" or "signal=9" */
static bool take_how(const char **p, struct history_entry *entry)
{
	char word[24];
	uint64_t n;

	if (!take_word(p, word, sizeof(word)))
		return false;
	if (strncmp(word, "code=", 5) == 0 && str_parse_u64(&n, word + 5, 0, CODE_MAX) == 0) {
		entry->code = (int)n;
		return true;
	}
	if (strncmp(word, "signal=", 7) == 0 && str_parse_u64(&n, word + 7, 1, SIGNAL_MAX) == 0) {
		entry->signal = (int)n;
		entry->code = 128 + (int)n;
		return true;
	}
	return false;
}

static bool is_word(const char *s)
{
	return s[strspn(s, "abcdefghijklmnopqrstuvwxyz-")] == '\0';
}

static bool parse_line(const char **p, struct history_entry *entry)
{
	uint64_t ended;
	uint64_t boot;

	*entry = (struct history_entry) { 0 };
	if (!take_number(p, &ended, TIME_MAX) || !take_number(p, &boot, TIME_MAX) ||
	    !take_how(p, entry) || !take_number(p, &entry->run_ms, UINT64_MAX) ||
	    !take_word(p, entry->cause, sizeof(entry->cause)) || !is_word(entry->cause) ||
	    **p != '\n')
		return false;
	entry->ended_s = (int64_t)ended;
	entry->boot_s = (int64_t)boot;
	++*p;
	return true;
}

void history_parse(struct history *h, const char *text)
{
	struct history_entry entry;

	memset(h, 0, sizeof(*h));
	while (*text) {
		if (!parse_line(&text, &entry)) {
			memset(h, 0, sizeof(*h));
			return;
		}
		history_add(h, &entry);
	}
}

size_t history_format(const struct history *h, char out[static HISTORY_TEXT_SIZE])
{
	size_t used = 0;

	out[0] = '\0';
	for (size_t i = 0; i < h->n; i++) {
		const struct history_entry *entry = &h->entries[i];
		int n = snprintf(out + used, HISTORY_TEXT_SIZE - used, "%lld %lld %s=%d %llu %s\n",
				 (long long)clamp_time(entry->ended_s),
				 (long long)clamp_time(entry->boot_s),
				 entry->signal ? "signal" : "code",
				 entry->signal ? entry->signal : entry->code,
				 (unsigned long long)entry->run_ms, entry->cause);

		if (n > 0 && (size_t)n < HISTORY_TEXT_SIZE - used)
			used += (size_t)n;
	}
	return used;
}

void history_load(struct history *h, int dirfd)
{
	/* Room for a file that a later release made longer; only the newest endings are kept. */
	char text[4 * HISTORY_TEXT_SIZE];
	ssize_t n = statefile_read(dirfd, NAMES_HISTORY, text, sizeof(text), NULL);

	if (n < 0 || memchr(text, '\0', (size_t)n))
		n = 0;
	text[n] = '\0';
	history_parse(h, text);
}

int history_store(const struct history *h, int dirfd)
{
	char text[HISTORY_TEXT_SIZE];
	size_t len = history_format(h, text);

	return statefile_replace(dirfd, NAMES_HISTORY, text, len, NULL);
}

int history_record(void *arg)
{
	const struct history_record *record = arg;
	struct history h;

	history_load(&h, record->dirfd);
	history_add(&h, &record->entry);
	return history_store(&h, record->dirfd) < 0 ? EXITS_IO : EXITS_OK;
}
