/* SPDX-License-Identifier: MIT */
#include "init/process/signame.h"
#include "common/defs.h"
#include "common/str.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <strings.h>

/* Above the middle, names count down from the end, as kill -l prints them. */
#define RT_MIDDLE 49

static const char *const names[] = {
	[SIGHUP] = "SIGHUP",	   [SIGINT] = "SIGINT",	      [SIGQUIT] = "SIGQUIT",
	[SIGILL] = "SIGILL",	   [SIGTRAP] = "SIGTRAP",     [SIGABRT] = "SIGABRT",
	[SIGBUS] = "SIGBUS",	   [SIGFPE] = "SIGFPE",	      [SIGKILL] = "SIGKILL",
	[SIGUSR1] = "SIGUSR1",	   [SIGSEGV] = "SIGSEGV",     [SIGUSR2] = "SIGUSR2",
	[SIGPIPE] = "SIGPIPE",	   [SIGALRM] = "SIGALRM",     [SIGTERM] = "SIGTERM",
	[SIGSTKFLT] = "SIGSTKFLT", [SIGCHLD] = "SIGCHLD",     [SIGCONT] = "SIGCONT",
	[SIGSTOP] = "SIGSTOP",	   [SIGTSTP] = "SIGTSTP",     [SIGTTIN] = "SIGTTIN",
	[SIGTTOU] = "SIGTTOU",	   [SIGURG] = "SIGURG",	      [SIGXCPU] = "SIGXCPU",
	[SIGXFSZ] = "SIGXFSZ",	   [SIGVTALRM] = "SIGVTALRM", [SIGPROF] = "SIGPROF",
	[SIGWINCH] = "SIGWINCH",   [SIGIO] = "SIGIO",	      [SIGPWR] = "SIGPWR",
	[SIGSYS] = "SIGSYS",
};

static const struct {
	const char *name;
	int sig;
} aliases[] = { { "CLD", SIGCHLD }, { "IOT", SIGABRT }, { "POLL", SIGIO }, { "UNUSED", SIGSYS } };

const char *signame_of(int sig, char buf[static SIGNAME_SIZE])
{
	if (sig <= 0 || sig > SIGNAME_MAX)
		return "SIG?";
	if ((size_t)sig < ARRAY_LEN(names) && names[sig])
		return names[sig];
	if (sig < SIGNAME_RTMIN)
		(void)snprintf(buf, SIGNAME_SIZE, "SIG%d", sig);
	else if (sig == SIGNAME_RTMIN)
		return "SIGRTMIN";
	else if (sig == SIGNAME_MAX)
		return "SIGRTMAX";
	else if (sig <= RT_MIDDLE)
		(void)snprintf(buf, SIGNAME_SIZE, "SIGRTMIN+%d", sig - SIGNAME_RTMIN);
	else
		(void)snprintf(buf, SIGNAME_SIZE, "SIGRTMAX-%d", SIGNAME_MAX - sig);
	return buf;
}

/* What follows "RTMIN" or "RTMAX": nothing, or the distance with its sign. */
static int parse_distance(const char *text, char sign)
{
	uint64_t n;

	if (*text == '\0')
		return 0;
	if (*text != sign || str_parse_u64(&n, text + 1, 0, SIGNAME_MAX - SIGNAME_RTMIN) < 0)
		return -EINVAL;
	return (int)n;
}

static int parse_realtime(const char *text)
{
	bool from_start = strncasecmp(text, "RTMIN", 5) == 0;
	int n;

	if (!from_start && strncasecmp(text, "RTMAX", 5) != 0)
		return -EINVAL;
	n = parse_distance(text + 5, from_start ? '+' : '-');
	if (n < 0)
		return n;
	return from_start ? SIGNAME_RTMIN + n : SIGNAME_MAX - n;
}

int signame_parse(const char *text)
{
	const char *bare = strncasecmp(text, "SIG", 3) == 0 ? text + 3 : text;
	uint64_t n;

	/* No signal is zero, so "SIG0" is none. */
	if (str_parse_u64(&n, bare, bare == text ? 0 : 1, SIGNAME_MAX) == 0)
		return (int)n;
	for (size_t i = 1; i < ARRAY_LEN(names); i++)
		if (names[i] && strcasecmp(names[i] + 3, bare) == 0)
			return (int)i;
	for (size_t i = 0; i < ARRAY_LEN(aliases); i++)
		if (strcasecmp(aliases[i].name, bare) == 0)
			return aliases[i].sig;
	return parse_realtime(bare);
}
