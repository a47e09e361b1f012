/* SPDX-License-Identifier: MIT */
#include "common/settings.h"
#include "daemon/cli/commands.h"
#include "daemon/cli/complete.h"
#include "tests/unit/shown.h"

#include <string.h>

#define WORDS_MAX 16

/* Notes a word for assert_offers(), and checks its explanation. */
static void note(void *arg, const char *word, const char *about)
{
	assert_true(*about != '\0');
	assert_null(strchr(about, '\n'));
	(void)fprintf(arg, "%s ", word);
}

/* @line is split at blanks; what stands behind the last one is at the cursor. */
static enum complete_more ask(struct shown *s, const char *line)
{
	char text[256];
	char *words[WORDS_MAX];
	struct complete q = { .words = words };
	char *p = text;
	enum complete_more more;

	(void)snprintf(text, sizeof(text), "%s", line);
	for (char *blank; (blank = strchr(p, ' ')); p = blank + 1) {
		*blank = '\0';
		assert_true(q.n < WORDS_MAX);
		words[q.n++] = p;
	}
	q.current = p;
	more = complete_line(&q, note, shown_begin(s));
	return more;
}

static void assert_offers(const char *line, const char *want)
{
	struct shown s;

	assert_int_equal(ask(&s, line), COMPLETE_NOTHING);
	assert_shown(&s, want);
}

static void assert_more(const char *line, enum complete_more more)
{
	struct shown s;

	assert_int_equal(ask(&s, line), more);
	assert_shown(&s, "");
}

static void commands_and_verbs_are_offered(void **state)
{
	(void)state;
	assert_offers("pee", "peers ");
	assert_offers("st", "status state ");
	assert_offers("help pee", "peers ");
	assert_offers("help peers ", "list count get ");
	assert_offers("peers ", "list count get ");
	assert_offers("peers --json ", "list count get ");
	assert_offers("state s", "show snapshot ");
	assert_offers("completion ", "bash zsh fish ");
	assert_offers("no-such-thing ", "");
	assert_offers("state no-such-verb ", "");
	assert_offers("no-such-thing -", "");
}

static void every_command_is_offered_at_the_beginning(void **state)
{
	struct shown s;
	char *text;

	(void)state;
	(void)ask(&s, "");
	text = shown_end(&s);
	for (const struct cli_command *c = cli_commands(); c->name; c++) {
		assert_non_null(strstr(text, c->name));
		assert_ptr_equal(cli_find(c->name), c);
	}
	free(text);
	assert_null(cli_find("no-such-thing"));
}

static void options_are_those_of_the_command_and_verb(void **state)
{
	(void)state;
	assert_offers("status --w", "--watch ");
	assert_offers("join --w", "--wireguard-go ");
	assert_offers("reload -", "--interface --socket-path --help ");
	assert_offers("reload ", "--interface --socket-path --help ");
	assert_offers("state export --pl", "--plain ");
	assert_offers("state list --pl", "");
	assert_offers("init --", "--secret --help ");
}

static void an_option_is_offered_once(void **state)
{
	(void)state;
	assert_offers("status --watch --w", "");
	assert_offers("reload --interface=wg1 --", "--socket-path --help ");
	assert_offers("reload --interface wg1 --", "--socket-path --help ");
	assert_offers("reload -interface wg1 --", "--socket-path --help ");
}

static void what_would_show_a_secret_or_has_no_effect_is_not_offered(void **state)
{
	(void)state;
	assert_offers("qr --", "--secret-file --help ");
	assert_offers("join --priv", "");
	assert_offers("join --account", "");
}

static void values_are_offered_in_their_own_word_and_behind_an_equals_sign(void **state)
{
	(void)state;
	assert_offers("join --backend ", "auto kernel userspace ");
	assert_offers("join --backend k", "kernel ");
	assert_offers("join --backend=", "--backend=auto --backend=kernel --backend=userspace ");
	assert_offers("join --backend=k", "--backend=kernel ");
	/* As bash splits it. */
	assert_offers("join --backend =", "auto kernel userspace ");
	assert_offers("join --backend = k", "kernel ");
	assert_offers("status --watch=", "--watch=true --watch=false ");
	assert_offers("join --log-level d", "debug ");
	assert_offers("join --mtu ", "");
	assert_offers("join --no-such-thing=", "");
	/* A flag takes no word behind it. */
	assert_offers("peers --json l", "list ");
}

static void files_are_left_to_the_shell(void **state)
{
	(void)state;
	assert_more("join --state-dir ", COMPLETE_FILES);
	assert_more("join --state-dir=/va", COMPLETE_FILES);
	assert_more("status --secret-file /etc/x", COMPLETE_FILES);
	assert_more("state import ", COMPLETE_FILES);
	assert_more("state import --offline back", COMPLETE_FILES);
}

static void one_peer_is_offered_where_one_is_wanted(void **state)
{
	(void)state;
	assert_more("peers get ", COMPLETE_PEERS);
	assert_more("peers get --interface wg1 abc", COMPLETE_PEERS);
	assert_offers("peers get abc --j", "--json ");
	assert_offers("peers get abc --w", "--watch ");
	assert_offers("peers list x", "");
}

static void operands_that_have_names_are_offered(void **state)
{
	(void)state;
	assert_offers("log-level ", "error warn info debug ");
	assert_offers("state restore ", "latest ");
}

static void every_option_of_the_table_is_offered_to_those_who_may_use_it(void **state)
{
	const struct setting *table = settings_table();

	(void)state;
	for (const struct cli_command *c = cli_commands(); c->name; c++) {
		struct shown s;
		char line[64];
		char *text;

		(void)snprintf(line, sizeof(line), "%s -", c->name);
		(void)ask(&s, line);
		text = shown_end(&s);
		for (size_t i = 0; i < SETTING_COUNT; i++) {
			char word[64];

			(void)snprintf(word, sizeof(word), "--%s ", table[i].name);
			if ((table[i].scope & c->scope) && table[i].name &&
			    !(table[i].scope & (SCOPE_CONFIDENTIAL | SCOPE_NO_EFFECT)))
				assert_non_null(strstr(text, word));
		}
		free(text);
	}
}

static void a_word_with_colons_is_one_although_bash_takes_it_apart(void **state)
{
	(void)state;
	assert_offers("join --http = 127.0.0.1 : 9464 --back", "--backend ");
	assert_offers("join --http : 9464 --back", "--backend ");
	assert_more("peers get --socket-path /a : b ", COMPLETE_PEERS);
	assert_offers("join --http 127.0.0.1 :", "");
	assert_offers("join --http 127.0.0.1 : --b", "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(commands_and_verbs_are_offered),
		cmocka_unit_test(every_command_is_offered_at_the_beginning),
		cmocka_unit_test(options_are_those_of_the_command_and_verb),
		cmocka_unit_test(an_option_is_offered_once),
		cmocka_unit_test(what_would_show_a_secret_or_has_no_effect_is_not_offered),
		cmocka_unit_test(values_are_offered_in_their_own_word_and_behind_an_equals_sign),
		cmocka_unit_test(files_are_left_to_the_shell),
		cmocka_unit_test(one_peer_is_offered_where_one_is_wanted),
		cmocka_unit_test(operands_that_have_names_are_offered),
		cmocka_unit_test(every_option_of_the_table_is_offered_to_those_who_may_use_it),
		cmocka_unit_test(a_word_with_colons_is_one_although_bash_takes_it_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
