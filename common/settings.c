/* SPDX-License-Identifier: MIT */
#include "common/settings.h"
#include "common/defs.h"
#include "common/exits.h"
#include "common/str.h"

#include <errno.h>
#include <string.h>

#define ENV_PREFIX  "WGMESH_"
#define HOUR_MS	    UINT64_C(3600000)
#define NAME_SIZE   64
#define NEAREST_MAX 3
#define INIT_PHASES (SCOPE_INIT | SCOPE_INIT_CHECK)
#define WITH_STATE  (INIT_PHASES | SCOPE_JOIN | SCOPE_STATE)
#define WITH_IFACE  (SCOPE_JOIN | SCOPE_STATUS | SCOPE_PEERS | SCOPE_STATE | SCOPE_DOWN)
#define WITH_SECRET (SCOPE_JOIN | SCOPE_STATUS | SCOPE_DECODE)
#define JOIN_NO_OP  (SCOPE_JOIN | SCOPE_NO_EFFECT)

/* clang-format off */
static const struct setting table[] = {
	[SETTING_STATE_DIR] = { "state-dir", "WGMESH_STATE_DIR", WITH_STATE, SETTING_TEXT, 0, 0, NULL,
		"/var/lib/wgmesh", "DIR", "directory of the node's key and caches; \"none\" makes wgmesh-init a plain supervisor" },
	[SETTING_LEGACY_DIR] = { "legacy-dir", "WGMESH_LEGACY_DIR", INIT_PHASES, SETTING_TEXT, 0, 0, NULL,
		"/data", "DIR", "directory of older deployments to migrate from; \"none\" migrates nothing" },
	[SETTING_PERSISTENCE] = { "persistence", "WGMESH_PERSISTENCE", INIT_PHASES, SETTING_CHOICE, 0, 0,
		"warn|require|ignore", "warn", "POLICY", "when the state directory will not last: warn and go on, require (exit 78), or ignore" },
	[SETTING_USER] = { "user", "WGMESH_USER", INIT_PHASES, SETTING_TEXT, 0, 0, NULL,
		"65532:65532", "UID[:GID]", "user and group that the daemon runs as, by number" },
	[SETTING_RESTART] = { "restart", "WGMESH_RESTART", SCOPE_INIT, SETTING_CHOICE, 0, 0,
		"on-failure|always|never", "on-failure", "POLICY", "when to start the daemon again after it ended" },
	[SETTING_ON_LOOP] = { "on-loop", "WGMESH_ON_LOOP", SCOPE_INIT, SETTING_CHOICE, 0, 0,
		"exit|hold", "exit", "POLICY", "in a restart loop: exit with the daemon's code, or hold the container for inspection" },
	[SETTING_STOP_TIMEOUT] = { "stop-timeout", "WGMESH_STOP_TIMEOUT", SCOPE_INIT, SETTING_DURATION, 0, HOUR_MS, NULL,
		"8s", "TIME", "after a stop signal, wait this long before killing what remains" },
	[SETTING_LOCK_TIMEOUT] = { "lock-timeout", "WGMESH_LOCK_TIMEOUT", SCOPE_INIT, SETTING_DURATION, 0, HOUR_MS, NULL,
		"30s", "TIME", "wait this long for another container to give up the state directory" },
	[SETTING_STORAGE_TIMEOUT] = { "storage-timeout", "WGMESH_STORAGE_TIMEOUT", INIT_PHASES, SETTING_DURATION, 0, HOUR_MS, NULL,
		"10s", "TIME", "storage that has not answered a test write by then counts as hung" },
	[SETTING_DRY_RUN] = { "dry-run", NULL, SCOPE_INIT_CHECK, SETTING_FLAG, 0, 1, NULL,
		"false", NULL, "say what would be done, change nothing" },
	[SETTING_LOG_LEVEL] = { "log-level", "WGMESH_LOG_LEVEL", INIT_PHASES | SCOPE_JOIN | SCOPE_STATE | SCOPE_DOWN, SETTING_TEXT, 0, 0, NULL,
		"info", "LEVELS", "error, warn, info or debug; per component as in \"info,exchange=debug\"" },
	[SETTING_LOG_FORMAT] = { "log-format", "WGMESH_LOG_FORMAT", INIT_PHASES | SCOPE_JOIN | SCOPE_STATE | SCOPE_DOWN, SETTING_CHOICE, 0, 0,
		"auto|text|json", "auto", "FORMAT", "text, json lines, or auto: text on a terminal and json otherwise" },
	[SETTING_SECRET] = { "secret", "WGMESH_SECRET", WITH_SECRET | SCOPE_CONFIDENTIAL, SETTING_TEXT, 0, 0, NULL,
		NULL, "SECRET", "the mesh secret; prefer --secret-file, since argv and environment can be read by others" },
	[SETTING_SECRET_FILE] = { "secret-file", "WGMESH_SECRET_FILE", WITH_SECRET, SETTING_TEXT, 0, 0, NULL,
		NULL, "FILE", "file that holds the mesh secret" },
	[SETTING_INTERFACE] = { "interface", "WGMESH_INTERFACE", WITH_IFACE, SETTING_TEXT, 0, 0, NULL,
		"wg0", "NAME", "name of the WireGuard interface" },
	[SETTING_LISTEN_PORT] = { "listen-port", "WGMESH_LISTEN_PORT", SCOPE_JOIN, SETTING_NUMBER, 1, 65535, NULL,
		"51820", "PORT", "UDP port of WireGuard" },
	[SETTING_BACKEND] = { "backend", "WGMESH_BACKEND", SCOPE_JOIN, SETTING_CHOICE, 0, 0,
		"auto|kernel|userspace", "auto", "BACKEND", "WireGuard implementation; auto takes the kernel's, or else wireguard-go" },
	[SETTING_WIREGUARD_GO] = { "wireguard-go", "WGMESH_WIREGUARD_GO", SCOPE_JOIN, SETTING_TEXT, 0, 0, NULL,
		"wireguard-go", "PROGRAM", "userspace WireGuard to run: a path, or a name looked up in PATH" },
	[SETTING_MTU] = { "mtu", "WGMESH_MTU", SCOPE_JOIN, SETTING_NUMBER, 576, 65455, NULL,
		NULL, "BYTES", "MTU of the interface; without it, the route's MTU less WireGuard's overhead" },
	[SETTING_MESH_SUBNET] = { "mesh-subnet", "WGMESH_MESH_SUBNET", SCOPE_JOIN | SCOPE_STATUS, SETTING_TEXT, 0, 0, NULL,
		NULL, "CIDR", "IPv4 subnet of the mesh instead of the one derived from the secret" },
	[SETTING_ADVERTISE_ROUTES] = { "advertise-routes", "WGMESH_ADVERTISE_ROUTES", SCOPE_JOIN, SETTING_TEXT, 0, 0, NULL,
		NULL, "CIDR,...", "networks behind this node that its peers may reach through it" },
	[SETTING_HOSTNAME] = { "hostname", "WGMESH_HOSTNAME", SCOPE_JOIN, SETTING_TEXT, 0, 0, NULL,
		NULL, "NAME", "name announced to peers; without it, the host name" },
	[SETTING_NO_LAN_DISCOVERY] = { "no-lan-discovery", "WGMESH_NO_LAN_DISCOVERY", SCOPE_JOIN, SETTING_FLAG, 0, 1, NULL,
		"false", NULL, "do not announce this node by multicast, nor listen for others" },
	[SETTING_NO_IPV6] = { "no-ipv6", "WGMESH_NO_IPV6", SCOPE_JOIN, SETTING_FLAG, 0, 1, NULL,
		"false", NULL, "no IPv6 mesh address and no IPv6 endpoints" },
	[SETTING_NEW_IDENTITY] = { "new-identity", "WGMESH_NEW_IDENTITY", SCOPE_JOIN | SCOPE_STATE | SCOPE_INIT, SETTING_FLAG, 0, 1, NULL,
		"false", NULL, "accept that a lost key is gone: make a new one where only traces of the old one remain" },
	[SETTING_SOCKET_PATH] = { "socket-path", "WGMESH_SOCKET", SCOPE_JOIN | SCOPE_PEERS | SCOPE_STATUS, SETTING_TEXT, 0, 0, NULL,
		NULL, "PATH", "control socket; without it, /run/wgmesh/INTERFACE.sock" },
	[SETTING_INTRODUCER] = { "introducer", "WGMESH_INTRODUCER", SCOPE_JOIN, SETTING_FLAG, 0, 1, NULL,
		"false", NULL, "announce this node as one that others can reach and be introduced by" },
	[SETTING_GOSSIP] = { "gossip", "WGMESH_GOSSIP", JOIN_NO_OP, SETTING_FLAG, 0, 1, NULL,
		"false", NULL, "accepted, without effect: peers are passed on by the exchange" },
	[SETTING_PRIVACY] = { "privacy", "WGMESH_PRIVACY", JOIN_NO_OP, SETTING_FLAG, 0, 1, NULL,
		"false", NULL, "accepted, without effect, as in existing nodes" },
	[SETTING_FORCE_RELAY] = { "force-relay", "WGMESH_FORCE_RELAY", JOIN_NO_OP, SETTING_FLAG, 0, 1, NULL,
		"false", NULL, "accepted, without effect: this node relays nothing yet" },
	[SETTING_NO_PUNCHING] = { "no-punching", "WGMESH_NO_PUNCHING", SCOPE_JOIN, SETTING_FLAG, 0, 1, NULL,
		"false", NULL, "one HELLO per exchange instead of a series that opens NATs" },
	[SETTING_METRICS] = { "metrics", "WGMESH_METRICS", JOIN_NO_OP, SETTING_TEXT, 0, 0, NULL,
		NULL, "ADDRESS", "accepted, without effect: this node serves no metrics yet" },
	[SETTING_PPROF] = { "pprof", "WGMESH_PPROF", JOIN_NO_OP, SETTING_TEXT, 0, 0, NULL,
		NULL, "ADDRESS", "accepted, without effect: a Go profiler's address" },
	[SETTING_ACCOUNT] = { "account", "WGMESH_ACCOUNT", JOIN_NO_OP | SCOPE_CONFIDENTIAL, SETTING_TEXT, 0, 0, NULL,
		NULL, "KEY", "accepted, without effect: an account of the hosted service" },
	[SETTING_REFERRAL] = { "referral", "WGMESH_REFERRAL", JOIN_NO_OP | SCOPE_NEW_SECRET, SETTING_TEXT, 0, 0, NULL,
		NULL, "CODE", "accepted, without effect: a referral code of the hosted service" },
	[SETTING_JSON] = { "json", NULL, SCOPE_STATUS | SCOPE_PEERS | SCOPE_STATE | SCOPE_INIT_STATUS | SCOPE_INIT_CHECK, SETTING_FLAG, 0, 1, NULL,
		"false", NULL, "print JSON" },
	[SETTING_NOW] = { "now", NULL, SCOPE_DECODE, SETTING_NUMBER, 0, UINT32_MAX, NULL,
		NULL, "SECONDS", "judge the datagram's age at this Unix time instead of now" },
	[SETTING_REPAIR] = { "repair", NULL, SCOPE_STATE, SETTING_FLAG, 0, 1, NULL,
		"false", NULL, "restore a damaged key file from its newest good snapshot" },
	[SETTING_GENERATE_SECRET] = { "secret", NULL, SCOPE_NEW_SECRET, SETTING_FLAG, 0, 1, NULL,
		"false", NULL, "print a new mesh secret" },
};
/* clang-format on */
_Static_assert(ARRAY_LEN(table) == SETTING_COUNT, "a row for every setting");

const struct setting *settings_table(void)
{
	return table;
}

/* Finds the index of @text in "a|b|c". */
static int find_choice(uint64_t *out, const char *choices, const char *text)
{
	const char *p = choices;
	size_t len = strlen(text);

	for (uint64_t i = 0;; i++) {
		size_t n = strcspn(p, "|");

		if (n == len && strncmp(p, text, n) == 0) {
			*out = i;
			return 0;
		}
		if (p[n] == '\0')
			return -EINVAL;
		p += n + 1;
	}
}

static int parse_value(const struct setting *row, const char *text, uint64_t *number)
{
	bool flag = false;
	int r = 0;

	switch (row->type) {
	case SETTING_FLAG:
		r = str_parse_bool(&flag, text);
		*number = flag ? 1 : 0;
		return r;
	case SETTING_NUMBER:
		return str_parse_u64(number, text, row->min, row->max);
	case SETTING_DURATION:
		return str_parse_duration_ms(number, text, row->max);
	case SETTING_CHOICE:
		return find_choice(number, row->choices, text);
	case SETTING_TEXT:
		break;
	}
	return 0;
}

void settings_init(struct settings *s)
{
	memset(s, 0, sizeof(*s));
	for (size_t i = 0; i < SETTING_COUNT; i++) {
		s->v[i].text = table[i].fallback;
		if (table[i].fallback)
			(void)parse_value(&table[i], table[i].fallback, &s->v[i].number);
	}
}

/* @given is "--listen-port" or "WGMESH_LISTEN_PORT", whichever the person wrote. */
static int refuse_value(const struct setting *row, const char *given, const char *text,
			struct err *e)
{
	/* A long value would push the cure out of the message. */
	const char *shown = (row->scope & SCOPE_CONFIDENTIAL) ? "..." : text;

	switch (row->type) {
	case SETTING_FLAG:
		return err_exit(e, EXITS_USAGE, -EINVAL, "%s=\"%.60s\" must be true or false",
				given, shown);
	case SETTING_NUMBER:
		return err_exit(e, EXITS_USAGE, -EINVAL,
				"%s=\"%.60s\" must be a number from %llu to %llu", given, shown,
				(unsigned long long)row->min, (unsigned long long)row->max);
	case SETTING_DURATION:
		return err_exit(e, EXITS_USAGE, -EINVAL,
				"%s=\"%.60s\" must be a time such as 500ms, 8s or 2m, at most 1h",
				given, shown);
	case SETTING_CHOICE:
		return err_exit(e, EXITS_USAGE, -EINVAL, "%s=\"%.60s\" must be one of %s", given,
				shown, row->choices);
	case SETTING_TEXT:
		break;
	}
	return err_exit(e, EXITS_USAGE, -EINVAL, "%s=\"%.60s\" is not accepted", given, shown);
}

/* @given is the flag or the variable as the person wrote it. */
struct origin {
	const char *given;
	enum setting_source source;
};

static int set_value(struct settings *s, size_t id, const char *text, const struct origin *from,
		     struct err *e)
{
	uint64_t number = 0;

	if (parse_value(&table[id], text, &number) < 0)
		return refuse_value(&table[id], from->given, text, e);
	s->v[id] =
		(struct setting_value) { .text = text, .number = number, .source = from->source };
	return 0;
}

/* The part after "NAME=" when @entry sets @name, else NULL. */
static const char *env_value(const char *entry, const char *name)
{
	size_t len = strlen(name);

	return strncmp(entry, name, len) == 0 && entry[len] == '=' ? entry + len + 1 : NULL;
}

int settings_read_env(struct settings *s, unsigned int scope, char *const *envp, struct err *e)
{
	for (size_t id = 0; id < SETTING_COUNT; id++) {
		if (!(table[id].scope & scope) || !table[id].env)
			continue;
		for (char *const *p = envp; *p; p++) {
			const struct origin from = { table[id].env, SOURCE_ENV };
			const char *text = env_value(*p, table[id].env);
			int r;

			if (!text || *text == '\0')
				continue;
			r = set_value(s, id, text, &from, e);
			if (r < 0)
				return r;
		}
	}
	return 0;
}

static const struct setting *find_flag(unsigned int scope, const char *name, size_t len)
{
	for (size_t id = 0; id < SETTING_COUNT; id++)
		if ((table[id].scope & scope) && strlen(table[id].name) == len &&
		    strncmp(table[id].name, name, len) == 0)
			return &table[id];
	return NULL;
}

static int refuse_flag(unsigned int scope, const char *name, size_t len, struct err *e)
{
	char given[NAME_SIZE];
	const char *nearest = NULL;
	unsigned int best = NEAREST_MAX + 1;

	str_cut(given, sizeof(given), name, len);
	for (size_t id = 0; id < SETTING_COUNT; id++) {
		unsigned int d = str_distance(given, table[id].name);

		if ((table[id].scope & scope) && d < best) {
			best = d;
			nearest = table[id].name;
		}
	}
	if (nearest)
		return err_exit(e, EXITS_USAGE, -EINVAL,
				"unknown option --%s; did you mean --%s? --help lists them all",
				given, nearest);
	return err_exit(e, EXITS_USAGE, -EINVAL, "unknown option --%s; --help lists them all",
			given);
}

static bool is_help(const char *name)
{
	return strcmp(name, "help") == 0 || strcmp(name, "h") == 0;
}

/* Where in the arguments we are. */
struct cursor {
	int argc;
	char **argv;
	int i;
};

/* Reads the flag under the cursor, and moves it over a value in the next argument. */
static int read_flag(struct settings *s, unsigned int scope, struct cursor *at, struct err *e)
{
	const char *name = at->argv[at->i] + (at->argv[at->i][1] == '-' ? 2 : 1);
	size_t len = strcspn(name, "=");
	const char *value = name[len] == '=' ? name + len + 1 : NULL;
	const struct setting *row = find_flag(scope, name, len);
	char given[NAME_SIZE];
	const struct origin from = { given, SOURCE_FLAG };

	if (!row)
		return is_help(name) ? -ECANCELED : refuse_flag(scope, name, len, e);
	(void)snprintf(given, sizeof(given), "--%s", row->name);
	if (!value && row->type == SETTING_FLAG)
		value = "true";
	if (!value && at->i + 1 == at->argc)
		return err_exit(e, EXITS_USAGE, -EINVAL, "%s needs a value: %s %s", given, given,
				row->metavar);
	if (!value)
		value = at->argv[++at->i];
	return set_value(s, (size_t)(row - table), value, &from, e);
}

int settings_read_args(struct settings *s, unsigned int scope, int argc, char **argv, struct err *e)
{
	struct cursor at = { .argc = argc, .argv = argv };

	for (; at.i < argc; at.i++) {
		const char *arg = argv[at.i];
		int r;

		if (strcmp(arg, "--") == 0)
			return at.i + 1;
		if (arg[0] != '-' || arg[1] == '\0')
			break;
		r = read_flag(s, scope, &at, e);
		if (r < 0)
			return r;
	}
	return at.i;
}

static bool is_known_env(const char *name)
{
	for (size_t id = 0; id < SETTING_COUNT; id++)
		if (table[id].env && strcmp(table[id].env, name) == 0)
			return true;
	return false;
}

static const char *nearest_env(const char *name)
{
	const char *nearest = NULL;
	unsigned int best = NEAREST_MAX + 1;

	for (size_t id = 0; id < SETTING_COUNT; id++) {
		unsigned int d = table[id].env ? str_distance(name, table[id].env) : best;

		if (d < best) {
			best = d;
			nearest = table[id].env;
		}
	}
	return nearest;
}

bool settings_unknown_env(char *const *envp, size_t *pos, char name[static 64],
			  const char **nearest)
{
	for (; envp[*pos]; (*pos)++) {
		const char *entry = envp[*pos];

		if (strncmp(entry, ENV_PREFIX, strlen(ENV_PREFIX)) != 0)
			continue;
		str_cut(name, NAME_SIZE, entry, strcspn(entry, "="));
		if (is_known_env(name))
			continue;
		*nearest = nearest_env(name);
		(*pos)++;
		return true;
	}
	return false;
}

static void help_row(FILE *out, const struct setting *row)
{
	char left[NAME_SIZE];

	(void)snprintf(left, sizeof(left), "--%s%s%s", row->name, row->metavar ? " " : "",
		       row->metavar ? row->metavar : "");
	(void)fprintf(out, "  %-26s %s", left, row->help);
	if (row->choices)
		(void)fprintf(out, " (%s)", row->choices);
	if (row->fallback && row->type != SETTING_FLAG)
		(void)fprintf(out, " [%s]", row->fallback);
	if (row->env)
		(void)fprintf(out, "\n  %-26s %s", "", row->env);
	(void)fputc('\n', out);
}

void settings_help(FILE *out, unsigned int scope)
{
	for (size_t id = 0; id < SETTING_COUNT; id++)
		if (table[id].scope & scope)
			help_row(out, &table[id]);
}

const char *settings_origin(const struct settings *s, enum setting_id id)
{
	/* Names of flags without dashes would not be found in the help. */
	static char flag[NAME_SIZE];

	if (s->v[id].source == SOURCE_ENV)
		return table[id].env;
	(void)snprintf(flag, sizeof(flag), "--%s", table[id].name);
	return flag;
}
