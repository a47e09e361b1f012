# SPDX-License-Identifier: MIT
"""What a person gets for <TAB>, from the shells themselves."""

import os
import pathlib
import shlex
import subprocess
import time

import pytest

from lib import person
from lib.fakenode import FakeNode

KEY_ONE = "cV7LcuFgYBTAUzNX8KaA/Vv5JSZwZ+bKMA9CJ0y2j0A="
KEY_TWO = "dV7LcuFgYBTAUzNX8KaA/Vv5JSZwZ+bKMA9CJ0y2j0A="
PEERS = [{"pubkey": KEY_ONE, "hostname": "node-1", "mesh_ip": "10.77.0.1"},
         {"pubkey": KEY_TWO, "hostname": "node-2", "mesh_ip": "10.77.0.2"}]

BASH = r"""
eval "$PRELUDE"
source <(wgmesh completion bash)
complete -p wgmesh | grep -q -- '-F _wgmesh' || exit 9
IFS=$'\n' read -r -d '' -a COMP_WORDS
COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
[ "${COMP_WORDS[COMP_CWORD]}" = EMPTY ] && COMP_WORDS[COMP_CWORD]=
compopt() { [ "$*" != "-o default" ] || COMPREPLY+=(FILES); }
_wgmesh
printf '%s\n' "${COMPREPLY[@]}"
"""

# Completes a line in a real interactive zsh; what it lists is taken from the call that lists it.
ZSH = r"""
zmodload zsh/zpty
zpty z zsh -f -i
zpty -w z 'PS1=; eval "$PRELUDE"; autoload -Uz compinit; compinit -u -D; source <(wgmesh completion zsh)
_describe() { print -rl -- "${(@P)${@[-1]}}" > $OUT; compadd -- ${${(@P)${@[-1]}}%%:*} }
_files() { print -r -- FILES > $OUT }
null-line() { print -r -- done >> $OUT; exit }
zle -N null-line; bindkey "^X" null-line; print rea""dy'
zpty -r z line '*ready*'
zpty -w -n z "$LINE"$'\t\C-X'
while [[ ! -s $OUT ]] || ! grep -qx done $OUT; do zpty -r -t z line; sleep 0.01; done
"""


@pytest.fixture
def path(tmp_path):
    """A PATH on which wgmesh is ours."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "wgmesh").symlink_to(person.program())
    return f"{tmp_path / 'bin'}:{os.environ['PATH']}"


@pytest.fixture
def node(tmp_path):
    with FakeNode(tmp_path / "node.sock", {"peers.list": {"peers": PEERS}}) as fake:
        yield fake


class Shell:
    """Completes lines in one of the shells; answers are sorted."""

    def __init__(self, name, path, directory):
        self.name = name
        self.env = {"PATH": path, "HOME": str(directory), "TERM": "xterm", "WGMESH_SOCKET": str(directory / "none"), "PRELUDE": ""}
        self.directory = directory

    def run(self, *argv, **kwargs):
        kwargs.setdefault("stdin", subprocess.DEVNULL)
        return subprocess.run(argv, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=30,
                              cwd=self.directory, check=False, env={**self.env, **kwargs.pop("env", {})}, **kwargs)

    def complete(self, line):
        return sorted(getattr(self, self.name)(line))

    def bash(self, line):
        # As readline splits it: '=' is a word of its own.
        words = line.replace("=", " = ").split()
        if line.endswith(" "):
            words.append("EMPTY")
        done = self.run("bash", "--norc", "-c", BASH, stdin=None, input="\n".join(words) + "\n")
        assert done.returncode == 0 and done.stderr == "", done
        return [word for word in done.stdout.splitlines() if word]

    def fish(self, line):
        script = f"eval $PRELUDE; wgmesh completion fish | source; complete -C {shlex.quote(line)}"
        done = self.run("fish", "--no-config", "-c", script)
        assert done.returncode == 0 and done.stderr == "", done
        return [word.partition("\t")[0] for word in done.stdout.splitlines()]

    def zsh(self, line):
        out = self.directory / "zsh-out"
        out.unlink(missing_ok=True)
        done = self.run("zsh", "-f", "-c", ZSH, env={"LINE": line, "OUT": str(out)})
        assert done.returncode == 0, done
        lines = out.read_text().splitlines()
        assert lines.pop() == "done"
        return [word.replace("\\:", "\0").partition(":")[0].replace("\0", ":") for word in lines]


@pytest.fixture(params=["bash", "zsh", "fish"])
def shell(request, path, tmp_path):
    return Shell(request.param, path, tmp_path)


def test_commands_are_completed(shell):
    assert shell.complete("wgmesh s") == ["state", "status"]
    assert {"join", "status", "peers", "test-peer", "qr", "completion"} <= set(shell.complete("wgmesh "))


def test_verbs_are_completed(shell):
    assert shell.complete("wgmesh peers ") == ["count", "get", "list"]
    assert shell.complete("wgmesh completion ") == ["bash", "fish", "zsh"]


def test_options_are_completed(shell):
    assert shell.complete("wgmesh reload --") == ["--help", "--interface", "--socket-path"]
    assert shell.complete("wgmesh reload --interface wg1 --") == ["--help", "--socket-path"]


def test_choices_are_completed(shell):
    assert shell.complete("wgmesh join --backend ") == ["auto", "kernel", "userspace"]
    head = "" if shell.name == "bash" else "--backend="
    assert shell.complete("wgmesh join --backend=k") == [f"{head}kernel"]
    assert shell.complete("wgmesh log-level d") == ["debug"]


def test_files_are_completed(shell):
    (shell.directory / "secret-here").touch()
    found = shell.complete("wgmesh status --secret-file sec")
    assert found == (["secret-here"] if shell.name == "fish" else ["FILES"])


@pytest.mark.parametrize("typed,completed", [
    ("--secret-file=pl", "--secret-file=plain "),
    ("--secret-file 'with", "--secret-file 'with a blank' "),
    ("--secret-file with", r"--secret-file with\ a\ blank "),
    ("--secret-file=~/pl", "--secret-file=~/plain "),
    (r"--secret-file \$", r"--secret-file \$\(touch\ x\) "),
    ("--http=127.0.0.1:9464 --backend=k", "--http=127.0.0.1:9464 --backend=kernel ")])
@pytest.mark.parametrize("command", ["wgmesh", "~/bin/wgmesh"])
def test_bash_completes_words_that_need_quotes(path, tmp_path, command, typed, completed):
    for name in ("plain", "with a blank", "$(touch x)"):
        (tmp_path / name).touch()
    env = {"PATH": path, "HOME": str(tmp_path), "TERM": "dumb", "PS1": "> "}
    with person.Session("bash", "--norc", "--noprofile", columns=200, env=env, cwd=tmp_path) as session:
        session.terminal.type("source <(wgmesh completion bash); PS1='# '\n")
        session.terminal.type(f"{command} join {typed}\t.")
        session.terminal.read_until(f"# {command} join {completed}.")
    assert not (tmp_path / "x").exists()


def test_peers_are_completed_by_name_and_key(shell, node):
    shell.env["WGMESH_SOCKET"] = node.path
    assert shell.complete("wgmesh peers get ") == [KEY_ONE, KEY_TWO, "node-1", "node-2"]
    assert shell.complete("wgmesh peers get node-") == ["node-1", "node-2"]
    assert shell.complete("wgmesh peers get d") == [KEY_TWO]


def test_peers_are_those_of_the_node_that_the_line_names(shell, node):
    assert shell.complete(f"wgmesh peers --socket-path {node.path} get node-") == ["node-1", "node-2"]


def test_without_a_node_there_are_none_and_nothing_is_said(shell):
    started = time.monotonic()
    assert shell.complete("wgmesh peers get ") == []
    assert time.monotonic() - started < 5


def test_a_function_that_runs_it_elsewhere_is_completed_too(shell):
    shell.env["PATH"] = os.environ["PATH"]
    shell.env["REAL"] = str(person.program())
    body = '"$REAL" "$@"' if shell.name != "fish" else "$REAL $argv"
    shell.env["PRELUDE"] = f"wgmesh() {{ {body}; }}" if shell.name != "fish" else f"function wgmesh; {body}; end"
    assert shell.complete("wgmesh s") == ["state", "status"]


def words(*given, env=None):
    return person.run("completion", "words", *(f"={word}" for word in given), env=env)


def test_a_node_that_does_not_answer_is_not_waited_for(tmp_path):
    with FakeNode(tmp_path / "sock", {"peers.list": lambda params: time.sleep(2) or {"peers": PEERS}}):
        started = time.monotonic()
        done = words("peers", "get", "", env={"WGMESH_SOCKET": str(tmp_path / "sock")})
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
        assert time.monotonic() - started < 1.5


def test_names_that_a_shell_would_take_apart_are_not_offered(tmp_path):
    evil = ["$(touch /tmp/x)", "a b", "a;b", "-x", "a\nb", "`id`", "\x1b[2J", "", "~root", "a'b"]
    peers = [{"pubkey": name, "hostname": name, "mesh_ip": name} for name in evil]
    with FakeNode(tmp_path / "sock", {"peers.list": {"peers": [*peers, PEERS[0]]}}) as fake:
        done = words("peers", "get", "", env={"WGMESH_SOCKET": fake.path})
        assert done.stdout == f"node-1\t10.77.0.1\n{KEY_ONE}\tnode-1\n"


def test_a_version_option_on_the_line_does_not_print_the_version():
    assert "wgmesh version" not in words("status", "--version").stdout + words("-v", "").stdout


def test_wrong_usage_is_refused():
    assert person.run("completion").returncode == 64
    assert person.run("completion", "tcsh").returncode == 64
    assert person.run("completion", "words").returncode == 64
    assert person.run("completion", "words", "status").returncode == 64
    assert person.run("completion", "--help").returncode == 0


def test_the_scripts_have_no_mistakes_that_a_checker_finds(tmp_path):
    script = tmp_path / "wgmesh.bash"
    script.write_text(person.run("completion", "bash").stdout)
    done = subprocess.run(["shellcheck", "--shell=bash", script], text=True, stdout=subprocess.PIPE, check=False)
    assert done.returncode == 0, done.stdout
    for shell in ("zsh", "fish"):
        pathlib.Path(tmp_path / shell).write_text(person.run("completion", shell).stdout)
        assert subprocess.run([shell, "-n", tmp_path / shell], check=False).returncode == 0
