# SPDX-License-Identifier: MIT
"""When the program ends, PID 1 says in one sentence who ended it and why, wherever people look."""

import signal
import subprocess
import threading
import time

import pytest

from lib import supervised, wait
from lib.container import Mount
from lib.node import STATE_DIR
from lib.supervised import ending, endings, status
from lib.wait import eventually

pytestmark = pytest.mark.asan

LOOP = 10  # failures in a row that make one


def shell(lab, script, init=(), **options):
    return lab.container("node", [*supervised.PLAIN, *init, "--", "sh", "-c", script], **options)


def is_healthy(box):
    return box.exec("wgmesh-init", "healthcheck", check=False).returncode == 0


def test_a_crash_is_named_so(lab):
    box = shell(lab, "echo 'reading the file' >&2; kill -SEGV $$")
    assert "sh crashed by signal 11 (Segmentation fault) after" in ending(box)
    assert "its last line: reading the file" in ending(box)


def test_an_exit_code_comes_with_the_last_line(lab):
    box = shell(lab, "echo first >&2; echo 'cannot find the thing' >&2; exit 3")
    assert "sh ended with code 3 after" in ending(box)
    assert ending(box).endswith("its last line: cannot find the thing")
    assert status(box)["cause"] in endings(box)


def test_a_last_line_without_a_line_break_counts_and_spoils_no_line_of_the_log(lab):
    box = shell(lab, "printf 'no line break' >&2; exit 78")
    assert box.wait() == 78
    assert ending(box).endswith("its last line: no line break")
    assert "no line break" in box.log.lines


def test_of_a_log_in_json_the_message_is_quoted(lab):
    box = shell(lab, """echo '{"level":"error","msg":"no such peer","n":1}' >&2; exit 3""")
    assert ending(box).endswith("its last line: no such peer")


def test_a_program_that_cannot_be_started_is_named(lab):
    box = lab.container("node", [*supervised.PLAIN, "--", "/no/such/program"])
    assert box.wait() == 127
    assert "/no/such/program" in ending(box)
    assert "No such file or directory" in ending(box)


def test_a_program_that_is_none_is_named(lab):
    box = lab.container("node", [*supervised.PLAIN, "--", "/etc/hostname"])
    assert box.wait() == 126
    assert "/etc/hostname: Permission denied" in ending(box)


def test_a_prompt_appears_before_its_line_ends(lab):
    init = f"exec {' '.join(supervised.PLAIN)} -- sh -c \"printf 'name? ' >&2; exec sleep 1000\" 2>/tmp/log"
    box = lab.container("node", ["sh", "-c", init])
    log = box.root("/tmp/log")
    eventually(lambda: log.exists() and log.read_text().endswith("name? "), "the prompt")


def test_the_termination_log_holds_the_sentence(lab):
    file = lab.directory / "termination-log"
    file.write_text("what an earlier container left behind, a good deal longer than the new text" * 9)
    box = shell(lab, "echo 'bad configuration' >&2; exit 78",
                mounts=[Mount.bind(file, "/dev/termination-log")])
    assert box.wait() == 78
    assert "sh ended with code 78" in file.read_text()
    assert "its last line: bad configuration" in file.read_text()
    assert "left behind" not in file.read_text()


def test_a_stop_is_told_with_its_sender(lab):
    script = "trap 'exit 0' TERM; echo ready; while :; do sleep 0.01; done"
    box = shell(lab, script)
    eventually(lambda: "ready" in box.stdout.lines, "the program")
    box.stop()
    assert ending(box) == ("stopped by SIGTERM from outside the container (docker stop, kubelet): "
                           "sh ended with code 0")
    box = shell(lab, script)
    eventually(lambda: "ready" in box.stdout.lines, "the program")
    box.run("sh", "-c", "kill -TERM 1; sleep 0.5", check=False)
    box.wait()
    assert "stopped by SIGTERM from process " in ending(box)
    assert "(sh)" in ending(box)


def test_a_senders_name_cannot_spoil_the_log(lab):
    box = shell(lab, "trap 'exit 0' TERM; echo ready; while :; do sleep 0.01; done")
    eventually(lambda: "ready" in box.stdout.lines, "the program")
    box.run("sh", "-c", "name=$(printf '/tmp/a\\033[2Jb'); cp /bin/sh $name; $name -c 'kill -TERM 1; sleep 0.5'",
            check=False)
    box.wait()
    assert "(a?[2Jb)" in ending(box)


def test_a_program_that_had_to_be_killed_at_the_stop_is_named(lab):
    box = shell(lab, "trap '' TERM; echo ready; while :; do sleep 0.01; done",
                init=["--stop-timeout=300ms"])
    eventually(lambda: "ready" in box.stdout.lines, "the program")
    box.stop()
    assert "did not end within 0.3 s and was killed" in ending(box)


def test_ten_megabytes_of_output_pass_unchanged_and_complete(lab):
    box = shell(lab, "seq -f '%099.0f' 100000 >&2; exit 78")
    assert box.wait(within=30) == 78
    lines = [line for line in box.log.lines if not line.startswith("{")]
    assert len(lines) == 100000
    assert lines == [f"{number:099}" for number in range(1, 100001)]
    assert ending(box).endswith(f"its last line: {100000:099}")


# Holds both ends of a FIFO that becomes PID 1's standard error, and reads nothing.
UNREAD = 'mkfifo -m 666 /run/unread; sleep 1000 <>/run/unread >/dev/null & exec "$@" 2>/run/unread'


def with_unread_log(lab, script):
    """A supervised program that has said more than anybody reads."""
    box = lab.container("node", ["sh", "-c", UNREAD, "sh", *supervised.PLAIN, "--", "sh", "-c", script])
    eventually(lambda: "begun" in box.stdout.lines, "the program")
    eventually(lambda: [p for p in box.processes() if p.argv[:1] == ["seq"] and p.state == "S"],
               "the program to wait for its reader")
    return box


def test_output_that_nobody_reads_stops_the_program_but_not_pid_1(lab, time_scale):
    box = with_unread_log(lab, "echo begun; seq -f '%099.0f' 10000 >&2; echo done")
    assert is_healthy(box)
    assert status(box)["state"] == "running"
    assert "done" not in box.stdout.lines
    begun = time.monotonic()
    box.stop()
    assert time.monotonic() - begun < 3 * time_scale


def read_unread(box, count):
    """The program's first lines, from now on read."""
    said = []
    with subprocess.Popen(["cat", str(box.root("/run/unread"))], stdout=subprocess.PIPE,
                          text=True) as reader:
        stuck = threading.Timer(20 * wait.scale, reader.kill)
        stuck.start()
        while len(said) < count and (line := reader.stdout.readline()):
            if not line.startswith("{"):
                said.append(line.rstrip("\n"))
        stuck.cancel()
        reader.kill()
    return said


def test_what_nobody_read_for_a_while_is_not_lost(lab):
    box = with_unread_log(lab, "echo begun; seq -f '%099.0f' 10000 >&2; echo done; exec sleep 1000")
    assert read_unread(box, 10000) == [f"{number:099}" for number in range(1, 10001)]
    eventually(lambda: "done" in box.stdout.lines, "the program to go on")


def test_nor_is_it_when_the_program_has_ended_meanwhile(lab):
    volume = lab.volume("state")
    write_history(volume, LOOP - 1)
    script = "seq -f '%099.0f' 800 >&2; exit 3"
    box = lab.container("node", ["sh", "-c", UNREAD, "sh", "wgmesh-init", "--on-loop=hold", "--",
                                 "sh", "-c", script], mounts=[Mount.bind(volume, STATE_DIR)])
    eventually(lambda: status(box)["state"] == "holding", "the loop to be held")
    assert status(box)["cause"].endswith(f"its last line: {800:099}")
    assert read_unread(box, 800) == [f"{number:099}" for number in range(1, 801)]


def failing(lab, volume, *init):
    return lab.container("node", ["wgmesh-init", *init, "--", "sh", "-c", "echo 'no luck' >&2; exit 3"],
                         mounts=[Mount.bind(volume, STATE_DIR)])


def history(volume):
    try:
        return (volume / ".wgmesh.history").read_text().splitlines()
    except FileNotFoundError:
        return []


def write_history(volume, failures):
    now = int(time.time())
    (volume / ".wgmesh.history").write_text(f"{now} {now} code=3 5 exit\n" * failures)


def test_a_restart_loop_is_counted_over_two_containers(lab):
    volume = lab.volume("state")
    first = failing(lab, volume)
    eventually(lambda: len(history(volume)) >= 2, "two endings on the volume")
    first.kill()
    before = len(history(volume))
    second = failing(lab, volume)
    ending(second)
    assert status(second)["failures"] > before
    eventually(lambda: len(history(volume)) > before, "the third ending on the volume")
    boots = {line.split()[1] for line in history(volume)}
    assert len(boots) <= 2
    assert all(line.split()[2] == "code=3" and line.split()[4] == "exit" for line in history(volume))


def test_a_loop_that_began_in_earlier_containers_ends_with_the_programs_code(lab):
    volume = lab.volume("state")
    write_history(volume, LOOP - 1)
    box = failing(lab, volume)
    assert box.wait() == 3
    assert len(endings(box)) == 1
    assert len(history(volume)) == LOOP


def test_a_loop_of_successes_is_no_success(lab):
    volume = lab.volume("state")
    write_history(volume, LOOP - 1)
    box = lab.container("node", ["wgmesh-init", "--restart=always", "--", "true"],
                        mounts=[Mount.bind(volume, STATE_DIR)])
    assert box.wait() == 1
    assert len(endings(box)) == 1


def test_a_loop_can_be_held_for_inspection_with_the_sentence_at_hand(lab):
    volume = lab.volume("state")
    write_history(volume, LOOP - 1)
    box = failing(lab, volume, "--on-loop=hold")
    eventually(lambda: status(box)["state"] == "holding", "the loop to be held")
    assert not is_healthy(box)
    assert status(box)["cause"].endswith("its last line: no luck")
    box.signal(signal.SIGTERM)
    assert box.wait() == 3


def test_a_history_of_somebody_else_is_no_reason_to_refuse(lab):
    volume = lab.volume("state")
    (volume / ".wgmesh.history").write_text("never mind\n")
    box = failing(lab, volume)
    eventually(lambda: "code=3" in "".join(history(volume)), "the first ending on the volume")
    assert "(failure 1 of " in box.log.text()


def test_a_program_with_a_user_of_its_own_can_open_its_standard_error_by_name(lab):
    box = lab.container("node", ["wgmesh-init", "--restart=never", "--", "sh", "-c", "echo heard >/dev/stderr"],
                        mounts=[Mount.bind(lab.volume("state"), "/var/lib/wgmesh")])
    assert box.wait() == 0
    assert "heard" in box.log.lines
