/* SPDX-License-Identifier: MIT */
/*
 * DOC: Theory of operation
 *
 * The scripts are a few lines that hand the words over to `wgmesh completion words`, which answers
 * from the same tables that the parser reads: whatever the program that is installed knows is
 * completed, also after an update. Each word is handed over with '=' before it, so that none is taken
 * for an option. An answer is a line "word<TAB>explanation", or ":files" where files fit.
 */
#include "common/defs.h"
#include "common/exits.h"
#include "daemon/cli/ask.h"
#include "daemon/cli/cli.h"
#include "daemon/cli/complete.h"
#include "daemon/cli/member.h"
#include "daemon/config.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define WORDS_MAX   256
#define PATIENCE_MS 300 /* a person waits at the prompt */

static const char about[] =
	"Usage: wgmesh completion bash | zsh | fish\n\n"
	"Prints a script that makes the shell complete commands, options, their values,\n"
	"files, and the keys and host names of peers.\n\n"
	"  source <(wgmesh completion bash)    in ~/.bashrc\n"
	"  source <(wgmesh completion zsh)     in ~/.zshrc, behind compinit\n"
	"  wgmesh completion fish > ~/.config/fish/completions/wgmesh.fish\n\n"
	"Exit code: 0.\n";

static const char bash_script[] =
	"# bash completion of wgmesh; `wgmesh completion bash` prints it\n"
	"_wgmesh() {\n"
	"    local line program=${COMP_WORDS[0]}\n"
	"    local -a words=(\"${COMP_WORDS[@]:1:COMP_CWORD}\")\n"
	"    [[ $program == '~'/* ]] && program=$HOME${program:1}\n"
	"    COMPREPLY=()\n"
	"    while IFS= read -r line; do\n"
	"        if [ \"$line\" = :files ]; then\n"
	"            compopt -o default 2>/dev/null\n"
	"        else\n"
	"            COMPREPLY+=(\"${line%%$'\\t'*}\")\n"
	"        fi\n"
	"    done < <(\"$program\" completion words \"${words[@]/#/=}\" 2>/dev/null)\n"
	"}\n"
	"complete -F _wgmesh wgmesh\n";

static const char zsh_script[] =
	"#compdef wgmesh\n"
	"# zsh completion of wgmesh; `wgmesh completion zsh` prints it\n"
	"_wgmesh() {\n"
	"    local line\n"
	"    local -a given found\n"
	"    given=(\"${(@)words[2,CURRENT]}\")\n"
	"    for line in \"${(@f)$(\"${words[1]}\" completion words \"${(@)given/#/=}\" 2>/dev/null)}\"; do\n"
	"        case $line in\n"
	"        (:files) compset -P '-*='; _files ;;\n"
	"        (?*) found+=(\"${${line%%$'\\t'*}//:/\\\\:}:${line#*$'\\t'}\") ;;\n"
	"        esac\n"
	"    done\n"
	"    (( $#found )) && _describe -t words wgmesh found\n"
	"}\n"
	"if [ \"$funcstack[1]\" = _wgmesh ]; then _wgmesh \"$@\"; else compdef _wgmesh wgmesh; fi\n";

static const char fish_script[] =
	"# fish completion of wgmesh; `wgmesh completion fish` prints it\n"
	"function __wgmesh_words\n"
	"    set -l words (commandline -opc) (commandline -ct)\n"
	"    set -l program $words[1]\n"
	"    set -l given (string replace -r '^' '=' -- $words[2..-1])\n"
	"    for line in ($program completion words $given 2>/dev/null)\n"
	"        if test \"$line\" = :files\n"
	"            __fish_complete_path (commandline -ct)\n"
	"        else\n"
	"            echo $line\n"
	"        end\n"
	"    end\n"
	"end\n"
	"complete -c wgmesh -f -a '(__wgmesh_words)'\n";

static const struct {
	const char *name;
	const char *script;
} shells[] = {
	{ "bash", bash_script },
	{ "zsh", zsh_script },
	{ "fish", fish_script },
};

static void print_word(void *arg, const char *word, const char *explanation)
{
	(void)arg;
	(void)printf("%s\t%s\n", word, explanation);
}

/* The node that runs here, with the options for it that are on the line already. */
static int find_node(char path[static CONFIG_SOCKET_SIZE], const struct complete *q)
{
	const char *ifname = NULL;
	char *argv[WORDS_MAX + 1] = { NULL };
	struct settings s;

	settings_init(&s);
	(void)settings_read_env(&s, SCOPE_PEERS, environ, NULL);
	for (size_t i = 0; i < q->n; i++)
		argv[i] = q->words[i];
	/* "peers", options, "get", options; what is not understood is not our business here. */
	for (int at = 0; at < (int)q->n; at++) {
		int n = settings_read_args(&s, SCOPE_PEERS, (int)q->n - at, argv + at, NULL);

		if (n < 0)
			break;
		at += n;
	}
	if (config_interface(&ifname, &s, NULL) < 0)
		return -1;
	return config_socket_path(path, &s, ifname, NULL);
}

/* A host name may be anything; what a shell would have to quote is left out. */
static bool is_plain(const char *name)
{
	return *name != '\0' && *name != '-' &&
	       strspn(name,
		      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-+/=") ==
		       strlen(name);
}

static void print_peers(const struct complete *q)
{
	char path[CONFIG_SOCKET_SIZE];
	const struct cli_question ask = { .path = path,
					  .method = "peers.list",
					  .patience_ms = PATIENCE_MS };
	size_t len = strlen(q->current);
	json_t *answer = NULL;
	json_t *peer;
	size_t i;

	if (find_node(path, q) < 0 || cli_ask(&answer, &ask, NULL) < 0)
		return;
	json_array_foreach (json_object_get(answer, "peers"), i, peer) {
		const char *name = member_text(peer, "hostname");
		const char *key = member_text(peer, "pubkey");
		const char *ip = member_text(peer, "mesh_ip");

		if (is_plain(name) && strncmp(name, q->current, len) == 0)
			print_word(NULL, name, is_plain(ip) ? ip : "");
		if (is_plain(key) && strncmp(key, q->current, len) == 0)
			print_word(NULL, key, is_plain(name) ? name : "");
	}
	json_decref(answer);
}

static int answer_words(int argc, char **argv)
{
	char *words[WORDS_MAX];
	struct complete q = { .words = words };
	enum complete_more more;

	if (argc < 1 || argc > WORDS_MAX)
		return EXITS_USAGE;
	for (int i = 0; i < argc; i++) {
		if (argv[i][0] != '=')
			return EXITS_USAGE;
		words[i] = argv[i] + 1;
	}
	q.n = (size_t)argc - 1;
	q.current = words[q.n];
	more = complete_line(&q, print_word, NULL);
	if (more == COMPLETE_FILES)
		(void)puts(":files");
	if (more == COMPLETE_PEERS)
		print_peers(&q);
	return EXITS_OK;
}

static bool is_help(const char *word)
{
	return strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0 || strcmp(word, "help") == 0;
}

int cli_completion(int argc, char **argv)
{
	if (argc == 1 && is_help(argv[0])) {
		(void)fputs(about, stdout);
		return EXITS_OK;
	}
	if (argc > 0 && strcmp(argv[0], "words") == 0)
		return answer_words(argc - 1, argv + 1);
	for (size_t i = 0; argc == 1 && i < ARRAY_LEN(shells); i++) {
		if (strcmp(argv[0], shells[i].name) == 0) {
			(void)fputs(shells[i].script, stdout);
			return EXITS_OK;
		}
	}
	return cli_usage_error("say `wgmesh completion bash`, `zsh` or `fish`");
}
