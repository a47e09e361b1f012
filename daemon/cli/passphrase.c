/* SPDX-License-Identifier: MIT */
#include "daemon/cli/passphrase.h"
#include "common/defs.h"
#include "common/exits.h"
#include "common/io.h"
#include "common/str.h"
#include "daemon/state/sealed.h"
#include "daemon/wire/crypto.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

static volatile sig_atomic_t interrupted;

void passphrase_wipe(struct passphrase *p)
{
	crypto_wipe(p, sizeof(*p));
}

static void cut_line_break(struct passphrase *p)
{
	while (p->len > 0 && (p->text[p->len - 1] == '\n' || p->text[p->len - 1] == '\r'))
		p->len--;
	p->text[p->len] = '\0';
}

static int read_file(struct passphrase *out, const char *path, struct err *e)
{
	auto_close int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	ssize_t n = fd < 0 ? -errno : io_read_bounded(fd, out->text, sizeof(out->text) - 1);

	if (n < 0)
		return err_exit(e, EXITS_USAGE, (int)n,
				"the passphrase file %.200s cannot be read; mount it into the "
				"container, readable for uid %u",
				path, geteuid());
	out->len = (size_t)n;
	cut_line_break(out);
	return 0;
}

static int take_variable(struct passphrase *out, const char *text, struct err *e)
{
	int r = str_copy(out->text, sizeof(out->text), text);

	out->len = strlen(out->text);
	/* /proc/PID/environ shows these bytes to others: leave nothing there. */
	crypto_wipe((void *)(uintptr_t)text, strlen(text));
	return r < 0 ? err_exit(e, EXITS_USAGE, -EINVAL,
				"WGMESH_PASSPHRASE is longer than %d bytes", PASSPHRASE_SIZE - 1)
		     : 0;
}

static void on_signal(int number)
{
	interrupted = number;
}

static const int caught[] = { SIGINT, SIGTERM, SIGQUIT, SIGHUP };

/**
 * struct guard - How the signals that end a program were treated before a prompt
 * @old:	What they did
 * @mask:	Whether they were blocked
 */
struct guard {
	struct sigaction old[ARRAY_LEN(caught)];
	sigset_t mask;
};

/* Blocked but while we wait: one that comes between two calls must not be overlooked. */
static void catch_signals(struct guard *g)
{
	struct sigaction catcher = { .sa_handler = on_signal };
	sigset_t blocked;

	interrupted = 0;
	(void)sigemptyset(&blocked);
	for (size_t i = 0; i < ARRAY_LEN(caught); i++) {
		(void)sigaddset(&blocked, caught[i]);
		(void)sigaction(caught[i], &catcher, &g->old[i]);
	}
	(void)sigprocmask(SIG_BLOCK, &blocked, &g->mask);
}

static void release_signals(const struct guard *g)
{
	for (size_t i = 0; i < ARRAY_LEN(caught); i++)
		(void)sigaction(caught[i], &g->old[i], NULL);
	(void)sigprocmask(SIG_SETMASK, &g->mask, NULL);
	/* Now it does what it would have done. */
	if (interrupted)
		(void)raise(interrupted);
}

/* One line, without its line break: 0 or a negative errno value. */
static int read_line(struct passphrase *out, int tty, const struct guard *g)
{
	struct pollfd line = { .fd = tty, .events = POLLIN };
	char c = '\0';

	out->len = 0;
	while (c != '\n') {
		if (ppoll(&line, 1, NULL, &g->mask) < 0) {
			if (errno == EINTR && !interrupted)
				continue;
			return -ECANCELED;
		}
		if (read(tty, &c, 1) <= 0)
			return -ECANCELED;
		if (out->len + 1 >= sizeof(out->text))
			return -EINVAL;
		out->text[out->len++] = c;
	}
	cut_line_break(out);
	return 0;
}

static int prompt(struct passphrase *out, int tty, const char *text)
{
	struct guard guard;
	struct termios shown;
	struct termios hidden;
	int r;

	if (tcgetattr(tty, &shown) < 0)
		return -errno;
	hidden = shown;
	hidden.c_lflag &= ~(tcflag_t)ECHO;
	hidden.c_lflag |= ICANON | ISIG;
	catch_signals(&guard);
	if (tcsetattr(tty, TCSAFLUSH, &hidden) < 0) {
		r = -errno;
	} else {
		(void)io_write_full(tty, text, strlen(text));
		r = read_line(out, tty, &guard);
		(void)io_write_full(tty, "\n", 1);
		(void)tcsetattr(tty, TCSAFLUSH, &shown);
	}
	release_signals(&guard);
	return r;
}

static int ask(struct passphrase *out, bool is_new, struct err *e)
{
	auto_close int tty = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
	struct passphrase again = { .len = 0 };
	bool is_same;
	int r;

	if (tty < 0)
		return err_exit(e, EXITS_USAGE, -EINVAL,
				"there is no passphrase, and no terminal to ask for one: give "
				"--passphrase-file FILE (WGMESH_PASSPHRASE_FILE)");
	r = prompt(out, tty, "Passphrase: ");
	if (r == 0 && is_new && out->len >= SEALED_PASSPHRASE_MIN)
		r = prompt(&again, tty, "The same once more: ");
	is_same = again.len == out->len && crypto_equal(again.text, out->text, out->len);
	if (r < 0)
		(void)err_exit(e, EXITS_USAGE, r == -EINVAL ? r : -ECANCELED,
			       r == -EINVAL ? "the passphrase is too long" : "no passphrase");
	else if (is_new && out->len >= SEALED_PASSPHRASE_MIN && !is_same)
		r = err_exit(e, EXITS_USAGE, -EINVAL, "the two passphrases differ");
	passphrase_wipe(&again);
	return r;
}

static int find(struct passphrase *out, const struct settings *s, bool is_new, struct err *e)
{
	const struct setting_value *file = &s->v[SETTING_PASSPHRASE_FILE];
	const char *text = settings_text(s, SETTING_PASSPHRASE);

	if (file->text && text && file->source == SOURCE_ENV)
		return err_exit(e, EXITS_USAGE, -EINVAL,
				"the passphrase is given twice, as text and as a file; give only "
				"WGMESH_PASSPHRASE_FILE");
	if (file->text) {
		if (text)
			crypto_wipe((void *)(uintptr_t)text, strlen(text));
		return read_file(out, file->text, e);
	}
	if (text)
		return take_variable(out, text, e);
	return ask(out, is_new, e);
}

int passphrase_get(struct passphrase *out, const struct settings *s, bool is_new, struct err *e)
{
	int r;

	*out = (struct passphrase) { .len = 0 };
	r = find(out, s, is_new, e);
	if (r == 0 && out->len < SEALED_PASSPHRASE_MIN)
		r = err_exit(e, EXITS_USAGE, -EINVAL,
			     "the passphrase has fewer than %d characters%s", SEALED_PASSPHRASE_MIN,
			     is_new ? "; choose a longer one, such as four or five random words"
				    : ", so it is not the one of any export");
	if (r < 0)
		passphrase_wipe(out);
	return r;
}
