# SPDX-License-Identifier: MIT
"""--watch on a real terminal: it redraws in place, survives the node, and leaves nothing behind."""

import json
import re
import signal
import subprocess
import termios
import threading

import pytest

from lib import person
from lib.fakenode import FakeNode
from lib.wait import eventually

KEY = "cV7LcuFgYBTAUzNX8KaA/Vv5JSZwZ+bKMA9CJ0y2j0A="
STATUS = {"mesh_ip": "10.77.0.1", "pubkey": KEY, "uptime": 5 * 10**9, "interface": "wg0", "version": "0.1.0",
          "phase": "running", "ready": True, "hostname": "here", "alarms": [], "checks": []}


def peer(number, **members):
    return {"pubkey": f"{number:04}{KEY[4:]}", "hostname": f"node-{number:04}", "mesh_ip": f"10.77.1.{number}",
            "endpoint": f"192.0.2.{number}:51820", "last_seen": "2026-01-01T00:00:00Z", "path": "direct",
            "discovered_via": ["lan"], "handshake_age_s": 7, "rx_bytes": 1000, "tx_bytes": 1000, **members}


@pytest.fixture
def node(tmp_path):
    answers = {"daemon.status": dict(STATUS), "peers.list": {"peers": [peer(1), peer(2)]}}
    with FakeNode(tmp_path / "node.sock", answers) as fake:
        yield fake


def watch(node, *arguments, command=("status",), **options):
    return person.Session(person.program(), *command, "--watch", "--interval=100ms",
                          f"--socket-path={node.path}", *arguments, **options)


def test_a_frame_is_drawn_over_the_last_one(node):
    with watch(node) as session:
        session.wait_for_text("node-0002")
        scrolled = session.screen.scrolled
        node.answers["daemon.status"]["hostname"] = "elsewhere"
        session.wait_for_text("elsewhere, running")
        node.answers["peers.list"] = {"peers": [peer(2)]}
        lines = session.wait_for(lambda lines: not any("node-0001" in line for line in lines), "one peer less")
        assert session.screen.scrolled == scrolled, "nothing scrolls"
        assert lines[0].startswith("wgmesh status every 100ms, ")
        assert sum("node " in line for line in lines) == 1, "nothing is left of earlier frames"


def test_each_frame_is_one_write_and_the_rest_of_the_time_it_sleeps(node, tmp_path):
    log = tmp_path / "strace"
    command = ["strace", "-s", "99999", "-e", "trace=write,ppoll", "-o", str(log)]
    with person.Session(*command, person.program(), "status", "--watch", "--interval=100ms",
                        f"--socket-path={node.path}", rows=30) as session:
        eventually(lambda: session.look() and session.shown.count("\x1b[J") > 5, "some frames")
        session.terminal.press_interrupt()
        session.end()
    calls = log.read_text().splitlines()
    drawn = [line for line in calls if line.startswith("write(1, ")]
    # The first makes room, the last puts the cursor below.
    assert re.fullmatch(r'write\(1, "(\\n)+", 29\) += 29', drawn[0]), drawn[0]
    assert re.fullmatch(r'write\(1, "\\n", 1\) += 1', drawn[-1]), drawn[-1]
    for line in drawn[1:-1]:
        assert line.startswith(r'write(1, "\33[H') and r'\33[J"' in line, line
        assert line.count(r"\33[H") == 1
    waits = sum(line.startswith("ppoll(") for line in calls)
    assert len(drawn) - 3 <= waits <= len(drawn), "one wait for each frame"


@pytest.mark.parametrize("number,code", [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_the_end_leaves_the_terminal_as_it_was(node, number, code):
    with watch(node) as session:
        before = termios.tcgetattr(session.terminal._master)
        lines = session.wait_for_text("node-0002")
        if number == signal.SIGINT:
            session.terminal.press_interrupt()
        else:
            session.process.send_signal(number)
        assert session.end() == code
        assert termios.tcgetattr(session.terminal._master) == before
        last = session.look()
        # The terminal itself shows the key that was pressed.
        assert [line.removesuffix("^C") for line in last[2:len(lines)]] == lines[2:], "the last frame stays"
        row, column = session.screen.cursor
        assert column == 0 and row >= len(lines), "the prompt comes below"
        assert not re.search(r"\x1b\[\?|\x1b[^\[]", session.shown), "no mode was changed"


def test_what_was_on_the_screen_is_in_its_history(node):
    with watch(node, rows=10) as session:
        session.wait_for_text("node ")
        assert session.shown.startswith("\r\n" * 9 + "\x1b[H")


def test_it_goes_on_when_the_node_goes_away_and_comes_back(node):
    with watch(node) as session:
        session.wait_for_text("node-0002")
        node.stop()
        lines = session.wait_for_text("no node answers at")
        assert not any("node-0002" in line for line in lines), "what is no longer true is gone"
        node.start()
        session.wait_for_text("node-0002")
        session.terminal.press_interrupt()
        assert session.end() == 130


def test_it_follows_the_size_of_the_terminal(node):
    with watch(node, "--interval=1h", columns=150) as session:
        session.wait_for_text("PUBLIC KEY")
        session.resize(24, 40)
        lines = session.wait_for_text("node-0002")
        assert all(len(line) <= 40 for line in lines)
        assert not any("PUBLIC KEY" in line for line in lines)
        session.resize(24, 150)
        session.wait_for_text("PUBLIC KEY")


def test_more_than_the_screen_holds_is_counted(node):
    node.answers["peers.list"] = {"peers": [peer(number) for number in range(1, 60)]}
    with watch(node, rows=20) as session:
        lines = session.wait_for_text("more lines")
        assert len(lines) == 20 and re.fullmatch(r"… \d+ more lines", lines[-1])
        assert session.screen.scrolled == 0 or session.look()[0].startswith("wgmesh status")


def test_whole_keys_that_wrap_do_not_scroll(node):
    with watch(node, "--full", columns=60, rows=30) as session:
        lines = session.wait_for(lambda lines: KEY[4:] in "".join(lines), "a whole key")
        assert lines[0].startswith("wgmesh status every")


def test_peers_list_is_watched_too(node):
    with watch(node, command=("peers", "list")) as session:
        lines = session.wait_for_text("node-0002")
        assert lines[0].startswith("wgmesh peers list every 100ms")
        node.answers["peers.list"] = {"peers": []}
        session.wait_for_text("No active peers")


def test_names_of_strangers_cannot_draw(node):
    evil = "\x1b[2J\x1b[1;1Hgotcha\x07\u202e\u009b1m"
    node.answers["peers.list"] = {"peers": [peer(1, hostname=evil, why=evil, endpoint=evil)]}
    with watch(node, rows=40) as session:
        # The screen itself refuses sequences that it does not know.
        session.wait_for_text("gotcha")
        assert "\x1b[2J" not in session.shown and "\u009b" not in session.shown and "\x07" not in session.shown


def read_lines(process, count):
    return [process.stdout.readline() for _ in range(count)]


def test_into_a_pipe_frames_come_one_after_the_other(node):
    with subprocess.Popen([person.program(), "peers", "list", "--watch", "--interval=100ms",
                           "--socket-path", node.path], text=True, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, env=person.environment()) as process:
        lines = read_lines(process, 14)
        process.terminate()
    assert "\x1b" not in "".join(lines)
    titles = [number for number, line in enumerate(lines) if line.startswith("wgmesh peers list every")]
    assert len(titles) >= 2 and lines[titles[1] - 1] == "\n"


def test_json_is_one_line_for_each_frame_also_without_a_node(node):
    with subprocess.Popen([person.program(), "status", "--json", "--watch", "--interval=100ms",
                           "--socket-path", node.path], text=True, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, env=person.environment()) as process:
        frames = [json.loads(line) for line in read_lines(process, 3)]
        node.stop()
        failure = next(frame for frame in map(json.loads, process.stdout) if "error" in frame)
        node.start()
        again = next(frame for frame in map(json.loads, process.stdout) if "error" not in frame)
        process.terminate()
    assert [frame["pubkey"] for frame in frames] == [KEY] * 3
    assert [entry["hostname"] for entry in frames[0]["peers_detail"]] == ["node-0001", "node-0002"]
    assert "wgmesh doctor" in failure["error"] and again["pubkey"] == KEY


def test_it_ends_with_its_reader(node):
    with subprocess.Popen([person.program(), "status", "--watch", "--interval=100ms", "--socket-path", node.path],
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                          env=person.environment()) as process:
        process.stdout.readline()
        process.stdout.close()
        assert process.wait(5) != 0


def test_a_question_that_is_broken_off_by_the_end_leaves_the_last_frame(node):
    with watch(node) as session:
        lines = session.wait_for_text("node-0002")
        asked = threading.Event()
        over = threading.Event()
        node.answers["daemon.status"] = lambda params: asked.set() or over.wait(20) and dict(STATUS)
        assert asked.wait(5)
        session.terminal.press_interrupt()
        assert session.end() == 130
        over.set()
        assert [line.removesuffix("^C") for line in session.look()[2:len(lines)]] == lines[2:]


def test_a_question_that_is_broken_off_by_a_stop_is_asked_again(node):
    with watch(node) as session:
        session.wait_for_text("node-0002")
        asked = threading.Event()
        over = threading.Event()
        node.answers["daemon.status"] = lambda params: asked.set() or over.wait(20) and dict(STATUS)
        assert asked.wait(5)
        session.process.send_signal(signal.SIGSTOP)
        session.process.send_signal(signal.SIGCONT)
        node.answers["daemon.status"] = dict(STATUS, hostname="again")
        over.set()
        session.wait_for_text("again, running")
        assert "did not answer" not in session.shown and "Interrupted" not in session.shown
        session.terminal.press_interrupt()
        assert session.end() == 130


def test_what_nohup_has_turned_off_stays_off(node):
    command = ["nohup", person.program(), "peers", "count", "--json", "--watch", "--interval=100ms",
               "--socket-path", node.path]
    node.answers["peers.count"] = {"active": 1, "total": 1, "dead": 0}
    with subprocess.Popen(command, text=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          env=person.environment()) as process:
        read_lines(process, 1)
        process.send_signal(signal.SIGHUP)
        assert len([line for line in read_lines(process, 3) if line]) == 3
        process.terminate()
        process.stdout.close()
        assert process.wait(5) != 0
