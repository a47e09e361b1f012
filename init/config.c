/* SPDX-License-Identifier: MIT */
#include "init/config.h"
#include "common/defs.h"
#include "common/exits.h"
#include "common/log.h"
#include "common/str.h"
#include "init/process/program.h"
#include "init/process/user.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NONE "none"

static int count(char **list)
{
	int n = 0;

	while (list && list[n])
		n++;
	return n;
}

bool config_is_system_dir(const char *dir)
{
	static const char *const dirs[] = {
		"/bin", "/boot", "/dev",  "/etc",     "/home",	  "/lib",	"/lib64",  "/media",
		"/mnt", "/opt",	 "/proc", "/root",    "/run",	  "/sbin",	"/srv",	   "/sys",
		"/tmp", "/usr",	 "/var",  "/var/lib", "/var/run", "/usr/local", "/var/tmp"
	};
	char trimmed[64];
	size_t len = strlen(dir);

	while (len > 0 && dir[len - 1] == '/')
		len--;
	str_cut(trimmed, sizeof(trimmed), dir, len);
	if (len == 0 || strncmp(dir, "/proc/", 6) == 0 || strncmp(dir, "/sys/", 5) == 0)
		return true;
	for (size_t i = 0; i < ARRAY_LEN(dirs); i++)
		if (strcmp(trimmed, dirs[i]) == 0)
			return true;
	return false;
}

static int check_dir(const struct config *c, enum setting_id id, const char *dir, struct err *e)
{
	const char *origin = settings_origin(&c->settings, id);

	if (dir[0] != '/')
		return err_exit(e, EXITS_USAGE, -EINVAL, "%s=\"%.200s\" must be an absolute path",
				origin, dir);
	if (id == SETTING_STATE_DIR && config_is_system_dir(dir))
		return err_exit(e, EXITS_USAGE, -EINVAL,
				"%s=\"%.200s\" is a directory of the system; give the state a "
				"directory of its own below it",
				origin, dir);
	return 0;
}

/*
 * The daemon's own flags, as it will read them. What it will refuse is refused by it, with a better
 * text: an error only means that no more can be learned here.
 */
static void read_join_flags(const struct config *c, struct settings *join)
{
	char **args = c->program + 2;

	settings_init(join);
	(void)settings_read_env(join, SCOPE_JOIN, c->env.given, NULL);
	(void)settings_read_args(join, SCOPE_JOIN, count(args), args, NULL);
}

static enum setting_source source_of(const struct settings *s, enum setting_id id)
{
	return s->v[id].source;
}

/* One state directory for both programs: whichever of them was given it by flag decides. */
static int agree_on_state_dir(struct config *c, const struct settings *join, struct err *e)
{
	const char *theirs = settings_text(join, SETTING_STATE_DIR);

	if (source_of(join, SETTING_STATE_DIR) != SOURCE_FLAG)
		return 0;
	if (source_of(&c->settings, SETTING_STATE_DIR) == SOURCE_FLAG &&
	    strcmp(c->state_dir, theirs) != 0)
		return err_exit(e, EXITS_USAGE, -EINVAL,
				"wgmesh-init has --state-dir=%.150s and wgmesh join has "
				"--state-dir=%.150s; give it once",
				c->state_dir, theirs);
	c->settings.v[SETTING_STATE_DIR] = join->v[SETTING_STATE_DIR];
	c->state_dir = theirs;
	c->has_their_dir = true;
	return 0;
}

/* As the daemon finds it. */
static const char *find_secret_file(struct config *c, const struct settings *join)
{
	const char *file = settings_text(join, SETTING_SECRET_FILE);
	const char *dir = env_get(&c->env, "CREDENTIALS_DIRECTORY");

	if (file || !dir || settings_text(join, SETTING_SECRET))
		return file;
	(void)snprintf(c->credential, sizeof(c->credential), "%s/wgmesh-secret", dir);
	return c->credential;
}

static int learn_from_program(struct config *c, struct err *e)
{
	struct settings join;
	const char *iface;

	if (!c->is_join)
		return 0;
	read_join_flags(c, &join);
	iface = settings_text(&join, SETTING_INTERFACE);
	if (str_is_interface_name(iface))
		(void)str_copy(c->interface, sizeof(c->interface), iface);
	c->new_identity = c->new_identity || settings_flag(&join, SETTING_NEW_IDENTITY);
	c->secret_file = find_secret_file(c, &join);
	return agree_on_state_dir(c, &join, e);
}

/* A flag of ours that the daemon has too holds for it as well; its own flags still win. */
static int pass_on(struct config *c, enum setting_id id)
{
	if (source_of(&c->settings, id) != SOURCE_FLAG)
		return 0;
	return env_set(&c->env, settings_table()[id].env, settings_text(&c->settings, id));
}

static int make_child_env(struct config *c, struct err *e)
{
	const char *state_dir_env = settings_table()[SETTING_STATE_DIR].env;
	int r = 0;

	/* "none" is a word of wgmesh-init, which the daemon would take for a path. */
	if (strcmp(settings_text(&c->settings, SETTING_STATE_DIR), NONE) == 0)
		r = env_set(&c->env, state_dir_env, NULL);
	else if (!c->is_plain && !c->has_their_dir)
		r = pass_on(c, SETTING_STATE_DIR);
	if (r == 0)
		r = pass_on(c, SETTING_LOG_FORMAT);
	if (r == 0)
		r = pass_on(c, SETTING_LOG_LEVEL);
	if (r == 0 && !c->is_plain)
		r = pass_on(c, SETTING_NEW_IDENTITY);
	return r < 0 ? err_set(e, r, "make room for the environment") : 0;
}

void config_fini(struct config *c)
{
	env_fini(&c->env);
}

static void find_program(struct config *c)
{
	const char *name = config_program_name(c);
	bool is_wgmesh = strcmp(name, "wgmesh") == 0;

	c->is_join = is_wgmesh && c->program[1] && strcmp(c->program[1], "join") == 0;
	c->is_one_shot = is_wgmesh && !c->is_join;
	c->is_plain = c->is_one_shot;
	c->wgmesh = is_wgmesh ? c->program[0] : NULL;
}

static int choose_dirs(struct config *c, struct err *e)
{
	int r;

	c->state_dir = settings_text(&c->settings, SETTING_STATE_DIR);
	r = learn_from_program(c, e);
	if (r < 0)
		return r;
	c->is_plain = c->is_plain || strcmp(c->state_dir, NONE) == 0;
	c->legacy_dir = settings_text(&c->settings, SETTING_LEGACY_DIR);
	if (strcmp(c->legacy_dir, NONE) == 0)
		c->legacy_dir = NULL;
	if (c->is_plain)
		return 0;
	r = check_dir(c, SETTING_STATE_DIR, c->state_dir, e);
	if (r == 0 && c->legacy_dir)
		r = check_dir(c, SETTING_LEGACY_DIR, c->legacy_dir, e);
	return r;
}

static int plan_signals(struct config *c, struct err *e)
{
	struct err why = { 0 };
	int r = signals_plan_parse(&c->signals, settings_text(&c->settings, SETTING_REWRITE), &why);

	if (r < 0)
		return err_exit(e, EXITS_USAGE, r, "%s: %s",
				settings_origin(&c->settings, SETTING_REWRITE), why.msg);
	return 0;
}

static int read_options(struct config *c, unsigned int scope, char **argv, struct err *e)
{
	int r;

	settings_init(&c->settings);
	r = settings_read_env(&c->settings, scope, c->env.given, e);
	if (r == 0)
		r = settings_read_args(&c->settings, scope, count(argv), argv, e);
	if (r < 0)
		return r;
	if (scope == SCOPE_INIT && !argv[r])
		return err_exit(e, EXITS_USAGE, -EINVAL,
				"no PROGRAM to run; try: wgmesh-init wgmesh join, or wgmesh-init "
				"--help");
	if (scope != SCOPE_INIT && argv[r])
		return err_exit(e, EXITS_USAGE, -EINVAL, "unexpected argument \"%.60s\"", argv[r]);
	c->program = scope == SCOPE_INIT ? argv + r : NULL;
	return plan_signals(c, e);
}

int config_load(struct config *c, unsigned int scope, char **argv, char **envp, struct err *e)
{
	int r;

	memset(c, 0, sizeof(*c));
	c->env.given = envp;
	env_init(&c->env, envp);
	r = read_options(c, scope, argv, e);
	if (r < 0)
		return r;
	c->is_dry = settings_flag(&c->settings, SETTING_DRY_RUN);
	c->new_identity = settings_flag(&c->settings, SETTING_NEW_IDENTITY);
	(void)str_copy(c->interface, sizeof(c->interface), "wg0");
	if (c->program)
		find_program(c);
	r = choose_dirs(c, e);
	if (r == 0)
		r = user_choose(c, e);
	/* Without state there is nothing that it would have to be asked. */
	if (r == 0 && !c->wgmesh && !c->is_plain)
		c->wgmesh = program_find_wgmesh(envp);
	return r == 0 ? make_child_env(c, e) : r;
}

const char *config_program_name(const struct config *c)
{
	const char *slash = strrchr(c->program[0], '/');

	return slash ? slash + 1 : c->program[0];
}
