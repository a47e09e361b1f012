/* SPDX-License-Identifier: MIT */
/*
 * wgproxy - wireguard-go, with a look at what it is asked
 *
 *   wgproxy -f IF     run in place of wireguard-go (wgmesh join --wireguard-go)
 *
 * Starts the real one, moves its socket aside, and passes every request on. Each that has been answered
 * is a line of /run/wireguard/IF.log: monotonic microseconds when the answer came, "set" or "get", errno, how
 * many peers it was about, and the key of the last of them in hexadecimal.
 *
 * While there is a file /run/wireguard/IF.alive, each peer that says nothing of its own is told to have
 * made a handshake within the last half minute: a mesh of many tunnels without as many machines.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define REAL	    "/usr/bin/wireguard-go"
#define DIRECTORY   "/var/run/wireguard"
#define REQUEST_MAX (4U << 20)
#define TRIES	    500
#define TRY_MS	    10
#define ALIVE_S	    30 /* since the last handshake of a tunnel that is said to be alive */

static char request[REQUEST_MAX + 1];
static char answer[REQUEST_MAX + 1];
static char alive[2 * REQUEST_MAX];

static struct sockaddr_un address(const char *ifname, const char *suffix)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };

	(void)snprintf(a.sun_path, sizeof(a.sun_path), DIRECTORY "/%.15s%s", ifname, suffix);
	return a;
}

static int dial(const struct sockaddr_un *to)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd >= 0 && connect(fd, (const struct sockaddr *)to, sizeof(*to)) == 0)
		return fd;
	if (fd >= 0)
		(void)close(fd);
	return -1;
}

/* Requests and answers end with an empty line. Return: bytes, or -1 */
static ssize_t receive(int fd, char *to)
{
	size_t len = 0;

	while (len < 2 || to[len - 1] != '\n' || to[len - 2] != '\n') {
		ssize_t n = read(fd, to + len, REQUEST_MAX - len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return -1;
		len += (size_t)n;
	}
	to[len] = '\0';
	return (ssize_t)len;
}

static int send_all(int fd, const char *from, size_t len)
{
	while (len > 0) {
		ssize_t n = send(fd, from, len, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		from += n;
		len -= (size_t)n;
	}
	return 0;
}

static void note(FILE *log)
{
	static const char name[] = "public_key=";
	const char *last = "";
	const char *code = strstr(answer, "errno=");
	struct timespec ts;
	unsigned int n = 0;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	for (const char *p = request; (p = strstr(p, name)) != NULL; n++) {
		p += sizeof(name) - 1;
		last = p;
	}
	(void)fprintf(log, "%" PRIu64 " %.3s %.*s %u %.*s\n",
		      (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000, request,
		      code ? (int)strcspn(code + 6, "\n") : 0, code ? code + 6 : "", n,
		      (int)strcspn(last, "\n"), last);
	(void)fflush(log);
}

/* The answer, with life in each tunnel that has none. Return: bytes in alive[] */
static size_t give_life(void)
{
	struct timespec now;
	size_t len = 0;

	(void)clock_gettime(CLOCK_REALTIME, &now);
	for (const char *line = answer; *line != '\0' && len < REQUEST_MAX;) {
		int n = (int)strcspn(line, "\n") + 1;

		if (strncmp(line, "last_handshake_time_sec=0\n", (size_t)n) == 0)
			len += (size_t)snprintf(alive + len, sizeof(alive) - len,
						"last_handshake_time_sec=%lld\n",
						(long long)now.tv_sec - ALIVE_S);
		else if (strncmp(line, "rx_bytes=", 9) == 0)
			len += (size_t)snprintf(alive + len, sizeof(alive) - len, "rx_bytes=%lld\n",
						(long long)now.tv_sec);
		else
			len += (size_t)snprintf(alive + len, sizeof(alive) - len, "%.*s", n, line);
		line += n;
	}
	return len;
}

static void serve(int client, const struct sockaddr_un *real, const struct sockaddr_un *life,
		  FILE *log)
{
	int server = dial(real);
	ssize_t n = server < 0 ? -1 : receive(client, request);

	if (n > 0 && send_all(server, request, (size_t)n) == 0 &&
	    (n = receive(server, answer)) > 0) {
		if (strncmp(request, "get", 3) == 0 && access(life->sun_path, F_OK) == 0)
			(void)send_all(client, alive, give_life());
		else
			(void)send_all(client, answer, (size_t)n);
		note(log);
	}
	if (server >= 0)
		(void)close(server);
	(void)close(client);
}

static pid_t start(char *ifname)
{
	static char path[] = REAL;
	static char foreground[] = "-f";
	char *argv[] = { path, foreground, ifname, NULL };
	pid_t pid = fork();

	if (pid == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGTERM, 0, 0, 0);
		(void)execv(path, argv);
		_exit(127);
	}
	return pid;
}

/* Takes the real one's place. Return: listening socket, or -1 */
static int take_place(const struct sockaddr_un *ours, const struct sockaddr_un *real)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	for (int i = 0; i < TRIES && rename(ours->sun_path, real->sun_path) < 0; i++)
		(void)poll(NULL, 0, TRY_MS);
	if (fd < 0 || bind(fd, (const struct sockaddr *)ours, sizeof(*ours)) < 0 ||
	    listen(fd, 16) < 0)
		return -1;
	return fd;
}

int main(int argc, char **argv)
{
	struct sockaddr_un ours;
	struct sockaddr_un real;
	struct sockaddr_un path;
	struct sockaddr_un life;
	struct pollfd p = { .events = POLLIN };
	FILE *log;
	pid_t pid;

	if (argc != 3)
		return 64;
	ours = address(argv[2], ".sock");
	real = address(argv[2], ".real");
	path = address(argv[2], ".log");
	life = address(argv[2], ".alive");
	log = fopen(path.sun_path, "ae");
	pid = start(argv[2]);
	p.fd = take_place(&ours, &real);
	if (!log || pid < 0 || p.fd < 0)
		return 71;
	/* It ends with its interface, and we with it. */
	while (waitpid(pid, NULL, WNOHANG) == 0) {
		int client = poll(&p, 1, 200) > 0 ? accept4(p.fd, NULL, NULL, SOCK_CLOEXEC) : -1;

		if (client >= 0)
			serve(client, &real, &life, log);
	}
	(void)unlink(ours.sun_path);
	(void)unlink(real.sun_path);
	return 0;
}
