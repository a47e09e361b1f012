/* SPDX-License-Identifier: MIT */
#include "daemon/cli/watch.h"
#include "common/defs.h"
#include "common/exits.h"
#include "common/io.h"
#include "common/str.h"
#include "daemon/cli/cli.h"
#include "daemon/cli/terminal.h"
#include "daemon/cli/text.h"
#include "daemon/clock.h"

#include <errno.h>
#include <jansson.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#define HOME	     "\033[H"
#define CLEAR_LINE   "\033[K"
#define CLEAR_BELOW  "\033[J"
#define ROWS_MAX     512
#define INTERVAL_MIN 100 /* milliseconds: asking is not free for the node */

static volatile sig_atomic_t ended_by;

static void on_end(int number)
{
	ended_by = number;
}

/* Only interrupts the wait. */
static void on_resize(int number)
{
	(void)number;
}

/* --- a frame ------------------------------------------------------------------------------- */

/* Columns of a line of @len bytes; the escape sequences for bold and plain take none. */
static size_t shown_width(const char *line, size_t len)
{
	char *copy = strndup(line, len);
	size_t width = 0;

	for (char *p = copy, *next; p; p = next) {
		next = strchr(p, '\033');
		if (next)
			*next++ = '\0';
		width += text_width(p);
		if (next)
			next = strchr(next, 'm') ? strchr(next, 'm') + 1 : NULL;
	}
	free(copy);
	return width;
}

static size_t rows_of(const char *line, size_t len, size_t columns)
{
	size_t width = shown_width(line, len);

	return width == 0 ? 1 : (width + columns - 1) / columns;
}

static size_t count_lines(const char *text)
{
	size_t n = 0;

	for (const char *p = strchr(text, '\n'); p; p = strchr(p + 1, '\n'))
		n++;
	return n;
}

/* Cut to one row: a second one would scroll everything up. */
static void put_rest(FILE *out, size_t n_lines, size_t columns)
{
	char text[48];
	size_t taken;

	(void)snprintf(text, sizeof(text), "… %zu more lines", n_lines);
	(void)fprintf(out, "%.*s" CLEAR_LINE, (int)text_cut(text, columns, &taken), text);
}

/* The last row gets no line break: that would scroll everything up by one. */
void watch_frame(FILE *out, const char *text, size_t rows, size_t columns)
{
	const char *separator = HOME;
	size_t used = 0;

	for (const char *p = text; *p;) {
		size_t len = strcspn(p, "\n");
		const char *next = p + len + (p[len] == '\n' ? 1 : 0);
		size_t more = rows_of(p, len, columns);

		if (used + more + (*next ? 1 : 0) > rows) {
			(void)fputs(separator, out);
			put_rest(out, count_lines(p), columns);
			break;
		}
		(void)fprintf(out, "%s%.*s" CLEAR_LINE, separator, (int)len, p);
		separator = "\r\n";
		used += more;
		p = next;
	}
	(void)fputs(CLEAR_BELOW, out);
}

/* --- drawing ------------------------------------------------------------------------------- */

static void put_title(FILE *out, const struct settings *s, const struct watch *w, int64_t now_s)
{
	char utc[STR_UTC_SIZE];

	str_utc(utc, (uint64_t)now_s);
	(void)fprintf(out, "%s every %s, %s UTC; ^C ends\n\n", w->title,
		      settings_text(s, SETTING_INTERVAL), strchr(utc, 'T') + 1);
}

static void put_failure(const struct show *show, const struct watch *w, const struct err *e)
{
	char line[CLI_SENTENCE_SIZE];
	json_t *obj;

	(void)cli_sentence(line, e);
	if (!w->is_json) {
		text_wrap(show->out, line, 0, show->width);
		if (w->without)
			w->without(show, w->arg);
		return;
	}
	obj = json_pack("{s:s}", "error", line);
	(void)json_dumpf(obj, show->out, JSON_COMPACT);
	(void)fputc('\n', show->out);
	json_decref(obj);
}

/* A question that ^Z broke off is asked again; one that ^C did is not wanted any more. */
static int draw_again(const struct watch *w, const struct show *show, struct err *e)
{
	int r;

	do {
		*e = (struct err) { 0 };
		r = w->draw(show, w->arg, e);
	} while (r == -EINTR && !ended_by);
	return r;
}

/* The text of one frame, owned by the caller; NULL without memory. */
static char *compose(const struct settings *s, const struct watch *w, struct show *show)
{
	char *text = NULL;
	size_t len = 0;
	struct err e;

	show->out = open_memstream(&text, &len);
	if (!show->out)
		return NULL;
	show->now_s = clock_now().unix_s;
	if (!w->is_json)
		put_title(show->out, s, w, show->now_s);
	if (draw_again(w, show, &e) < 0)
		put_failure(show, w, &e);
	return fclose(show->out) == 0 ? text : NULL;
}

/* What redraws the screen, owned by the caller; NULL without memory. */
static char *in_place(const char *text, const struct terminal *t)
{
	char *frame = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&frame, &len);

	if (!out)
		return NULL;
	watch_frame(out, text, t->rows, t->columns);
	if (fclose(out) == 0)
		return frame;
	free(frame);
	return NULL;
}

/* In one write: whatever is on the screen in between would flicker. */
static int write_frame(const char *text, const struct terminal *t)
{
	char *frame = in_place(text, t);
	int r = frame ? io_write_full(STDOUT_FILENO, frame, strlen(frame)) : -ENOMEM;

	free(frame);
	return r;
}

static int draw_frame(const struct settings *s, const struct watch *w)
{
	struct show show = { .is_full = settings_flag(s, SETTING_FULL) };
	auto_free char *text = NULL;
	struct terminal t;

	terminal_look(&t);
	show.width = show.is_full ? TEXT_NO_LIMIT : t.columns;
	show.is_loud = t.can_move;
	text = compose(s, w, &show);
	if (!text)
		return -ENOMEM;
	if (ended_by)
		return 0;
	/* Frames of people that stand one behind the other need something between them. */
	if (!t.can_move && !w->is_json)
		(void)puts("");
	if (fflush(stdout) != 0)
		return -EIO;
	return t.can_move && !w->is_json ? write_frame(text, &t)
					 : io_write_full(STDOUT_FILENO, text, strlen(text));
}

/* --- staying ------------------------------------------------------------------------------- */

/* What nohup, or a shell for what it starts in the background, has turned off stays off. */
static void catch_end(int number)
{
	const struct sigaction end = { .sa_handler = on_end };
	struct sigaction before;

	if (sigaction(number, NULL, &before) == 0 && before.sa_handler != SIG_IGN)
		(void)sigaction(number, &end, NULL);
}

static void catch_signals(sigset_t *waiting)
{
	struct sigaction resize = { .sa_handler = on_resize };
	sigset_t winch;

	catch_end(SIGINT);
	catch_end(SIGTERM);
	catch_end(SIGHUP);
	(void)sigaction(SIGWINCH, &resize, NULL);
	(void)sigemptyset(&winch);
	(void)sigaddset(&winch, SIGWINCH);
	/* A new size must not break off a question to the node. */
	(void)sigprocmask(SIG_BLOCK, &winch, waiting);
	(void)sigdelset(waiting, SIGWINCH);
}

/* Waits for the time or a signal; what came just before counts too. */
static void pause_for(uint64_t ms, const sigset_t *waiting)
{
	const struct timespec limit = { .tv_sec = (time_t)(ms / 1000),
					.tv_nsec = (long)(ms % 1000) * 1000000 };
	sigset_t ends;
	sigset_t before;

	(void)sigemptyset(&ends);
	(void)sigaddset(&ends, SIGINT);
	(void)sigaddset(&ends, SIGTERM);
	(void)sigaddset(&ends, SIGHUP);
	(void)sigprocmask(SIG_BLOCK, &ends, &before);
	if (!ended_by)
		(void)ppoll(NULL, 0, &limit, waiting);
	(void)sigprocmask(SIG_SETMASK, &before, NULL);
}

/* What is on the screen goes up into its history, where it can be read again. */
static void make_room(const struct watch *w)
{
	char breaks[ROWS_MAX];
	struct terminal t;

	terminal_look(&t);
	if (!t.can_move || w->is_json)
		return;
	memset(breaks, '\n', sizeof(breaks));
	(void)io_write_full(STDOUT_FILENO, breaks,
			    t.rows <= sizeof(breaks) ? t.rows - 1 : sizeof(breaks));
}

static int stay(const struct settings *s, const struct watch *w)
{
	uint64_t interval = settings_number(s, SETTING_INTERVAL);
	struct terminal t;
	sigset_t waiting;
	int r = 0;

	if (interval < INTERVAL_MIN)
		interval = INTERVAL_MIN;
	catch_signals(&waiting);
	make_room(w);
	while (r == 0 && !ended_by) {
		r = draw_frame(s, w);
		if (r == 0)
			pause_for(interval, &waiting);
	}
	terminal_look(&t);
	if (t.can_move && !w->is_json)
		(void)io_write_full(STDOUT_FILENO, "\n", 1);
	if (ended_by) {
		(void)signal(ended_by, SIG_DFL);
		(void)raise(ended_by);
	}
	return r < 0 ? EXITS_IO : EXITS_OK;
}

int watch_run(const struct settings *s, const struct watch *w)
{
	struct show show = { .out = stdout, .is_full = settings_flag(s, SETTING_FULL) };
	struct terminal t;
	struct err e;

	if (settings_flag(s, SETTING_WATCH))
		return stay(s, w);
	terminal_look(&t);
	show.width = show.is_full ? TEXT_NO_LIMIT : t.columns;
	show.is_loud = t.can_move;
	show.now_s = clock_now().unix_s;
	if (draw_again(w, &show, &e) == 0)
		return EXITS_OK;
	if (w->without && !w->is_json)
		w->without(&show, w->arg);
	return cli_fail(&e, EXITS_FAILURE);
}
