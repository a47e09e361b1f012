# SPDX-License-Identifier: MIT
"""Each trouble of docs/operations.md is brought about, and is over after the commands of its section.

The commands are read from the page and run as they stand there, with names of the test's own.
"""

import itertools
import json
import subprocess
import time

import pytest

from engines import DISTROLESS, FULL, STATE_DIR
from guide import Guide
from lib import leak
from lib.peer import Mesh, new_key, seal
from lib.wait import eventually

NUMBERS = itertools.count(1)
SYSTEM, DAMAGED, NO_WIREGUARD, LOCKED, PERMISSION, POLICY = 71, 65, 69, 75, 77, 78

pytestmark = pytest.mark.parametrize("engine_name", ["docker"])


class Book:
    """The runbook, and the node that it is about."""

    def __init__(self, engine, network="bridge", secret=None, volume=None, image=FULL):
        number = next(NUMBERS)
        self.engine, self.name = engine.images(), f"book{number}"
        self.volume = volume or f"book{number}-state"
        self.directory = engine.box.path(f"book/{number}")
        self.secret = secret or f"the secret of page number {number}, long enough"
        self.write("mesh_secret", self.secret)
        self.write("passphrase", "correct horse battery")
        self.guide = Guide(engine, "operations.md", self.directory, names={"$COPY": f"{self.name}-copy"},
                           settings={"NODE": self.name, "VOLUME": self.volume, "IMAGE": image, "NETWORK": network})

    def write(self, name, text):
        self.engine.box.run("sh", "-c", 'printf "%s\\n" "$0" >"$1"; chmod 600 "$1"', text, self.directory / name)

    def start(self, options="", healthy=True):
        self.guide.shell(f"start {options}")
        if healthy:
            self.wait()
        return self

    def wait(self):
        eventually(self.is_healthy, "the node", within=40)

    def is_healthy(self):
        return self.exec("wgmesh-init", "healthcheck", check=False).returncode == 0

    def exec(self, *argv, check=True, name=None):
        return self.engine("exec", name or self.name, *argv, check=check)

    def status(self, name=None):
        done = self.exec("wgmesh-init", "status", "--json", check=False, name=name)
        return json.loads(done.stdout) if done.returncode == 0 else {}

    def node(self, name=None):
        done = self.exec("wgmesh", "status", "--json", check=False, name=name)
        return json.loads(done.stdout) if done.returncode == 0 else {}

    def alarms(self, name=None):
        return [alarm["name"] for alarm in self.node(name).get("alarms", [])]

    def address(self):
        return self.engine.inspect(self.name, "{{.NetworkSettings.IPAddress}}")

    def key(self, name=None):
        return self.status(name).get("serves", "").partition(" ")[2]

    def log(self):
        said = self.engine("logs", self.name, check=False)
        return said.stdout + said.stderr

    def code(self):
        """Wait for an end, which the engine may answer with a restart; its code."""
        def ended():
            state, code = self.engine.inspect(self.name, "{{.State.Status}} {{.State.ExitCode}}").split()
            return int(code) if state in ("restarting", "exited") else None
        return eventually(ended, "an end", within=90)

    def close(self):
        found = leak.search([("the log", self.log().encode())], leak.needles({self.secret}))
        listed = self.engine("ps", "-aq", "--filter", f"name={self.name}").stdout.split()
        if listed:
            self.engine("rm", "-f", *listed)
        volumes = self.engine("volume", "ls", "-q").stdout.split()
        for volume in (name for name in volumes if name.startswith(self.volume)):
            self.engine("volume", "rm", "-f", volume, check=False)
        assert found == []


class Said:
    """What a test that failed shows; see conftest.py."""

    def __init__(self, books):
        self._books = books

    def logs(self):
        return [(one.name, one.log()[-6000:]) for one in self._books]


@pytest.fixture
def book(engine, request):
    """A function that opens one."""
    books = []
    request.node.launcher = Said(books)

    def take(**options):
        books.append(Book(engine, **options))
        return books[-1]
    yield take
    for one in reversed(books):
        one.close()


@pytest.fixture(scope="module")
def lonely(start_engine):
    """A node that nobody answers, from the first test on: its alarm takes a minute."""
    one = Book(start_engine("docker"), secret="another secret than all the others have").start()
    yield one
    one.close()


@pytest.fixture(scope="module")
def cloned(start_engine):
    """A node whose key was live twice, from the first test on: the end of its alarm takes a minute."""
    one = Book(start_engine("docker")).start()
    copy = f"{one.name}-copy"
    one.engine("run", "--rm", "-v", f"{one.volume}:/v:ro", "-v", f"{one.volume}-copy:/w", "--entrypoint", "/bin/sh",
               FULL, "-c", "cp -a /v/wg0.json /w/ && chown -R 65532:65532 /w")
    one.guide.shell(f"NODE={copy} VOLUME={one.volume}-copy\nstart")
    eventually(lambda: "clone" in one.alarms() and "clone" in one.alarms(copy), "the alarm", within=40)
    section = one.guide.section("The key is live twice")
    said = section.step().stdout
    assert "ALARM clone" in said and "cloned=true" in said
    section.step()
    yield one, section
    one.close()


def in_volume(book, script):
    return book.engine("run", "--rm", "-v", f"{book.volume}:/v", "--entrypoint", "/bin/sh", FULL, "-c", script).stdout


TAKE = "import socket; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(('', 51820)); input()"


def take_port(engine):
    """A program that has WireGuard's port on the host, until end()."""
    done = subprocess.Popen(engine.room.argv("/usr/bin/python3", "-c", TAKE), stdin=subprocess.PIPE)
    return done


def end(taker):
    taker.stdin.close()
    taker.wait()


def export(book):
    book.guide.shell(book.guide.commands("Back it up")[0])


@pytest.mark.usefixtures("cloned", "lonely")
def test_where_to_look_first_tells_of_a_node_that_runs_and_of_one_that_does_not(book):
    here = book().start()
    with here.guide.section("Where to look first") as section:
        seen = section.step().stdout
        assert here.name in seen and "healthy=true" in seen and "storage    persistent" in seen
        here.engine("stop", here.name)
        said = section.step(check=False).stdout
        assert "exited 0" in said and "worst:" in said


def test_a_restart_loop_is_held_looked_at_and_over(book, engine):
    here = book(network="host")
    taker = take_port(engine)
    try:
        here.start(healthy=False)
        eventually(lambda: here.status().get("restarts", 0) >= 2, "restarts", within=40)
        with here.guide.section("It restarts again and again") as section:
            said = section.step().stdout
            assert f"last_exit={SYSTEM}" in said and "cause=wgmesh ended with code 71" in said and "51820" in said
            section.step()
            eventually(lambda: here.status().get("failures", 0) >= 2, "failures", within=60)
            end(taker)
            section.step()
            here.wait()
            section.step()
    finally:
        end(taker)


def test_a_new_identity_is_noticed_and_the_old_volume_found(book):
    here = book().start()
    key = here.key()
    here.engine("rm", "-f", here.name)
    other = here.guide.shell(f"VOLUME={here.volume}-2\nstart; docker inspect --format '{{{{.Name}}}}' $NODE")
    assert here.name in other.stdout
    here.wait()
    assert here.key() != key and "identity_created" in here.log()
    with here.guide.section("It has a new identity") as section:
        assert f"{here.volume}-2" in section.step().stdout.split("\n")[0] + here.engine.inspect(here.name, "{{.Mounts}}")
        section.step()
        here.wait()
        assert here.key() == key
        section.skip()
        assert key in section.step().stdout


def test_a_lost_volume_is_made_good_by_a_backup(book):
    here = book().start()
    key = here.key()
    export(here)
    here.engine("rm", "-f", here.name)
    here.engine("volume", "rm", here.volume)
    here.start()
    assert here.key() != key
    _, _, restore, over = here.guide.commands("It has a new identity")
    assert "undo: " in here.guide.shell(restore).stdout
    here.wait()
    assert key in here.guide.shell(over).stdout


def test_a_key_on_storage_that_will_not_last_is_saved(book):
    here = book()
    # As somebody starts it who forgets the volume.
    here.guide.shell(f"""
docker run -d --name {here.name} --network bridge --cap-add NET_ADMIN --device /dev/net/tun \\
    -v "$SECRET:/run/secrets/mesh_secret:ro" -e WGMESH_SECRET_FILE=/run/secrets/mesh_secret "$IMAGE" join""")
    here.wait()
    assert "ephemeral" in here.alarms()
    key = here.key()
    with here.guide.section("The storage will not last") as section:
        section.step()
        here.wait()
        said = section.step().stdout
    assert "verdict=persistent" in said and key in said
    assert "ephemeral" not in here.alarms()


def test_a_damaged_key_is_refused_and_comes_back_from_a_backup(book):
    here = book().start()
    key = here.key()
    export(here)
    here.engine("stop", here.name)
    in_volume(here, "cd /v; rm -rf .snapshots; printf '{\"wg_pub' >wg0.json")
    here.engine("start", here.name)
    assert here.code() == DAMAGED
    with here.guide.section("The key is damaged") as section:
        assert "damaged" in section.step(check=False).stdout
        section.step()
    here.wait()
    assert here.key() == key


class Disk:
    """A disk of its own for one node, with a trouble that comes and goes."""

    def __init__(self, box, trouble):
        self._box, self.trouble = box, trouble
        self._image = box.directory / f"book-{trouble}.img"
        self.point = box.directory / f"book-{trouble}"
        self.state = self.point / "state"
        box.run("sh", "-c", 'truncate -s 16M "$0"; mkfs.ext4 -q "$0"; mkdir "$1"', self._image, self.point)
        self._mount()
        box.run("mkdir", "-m", "777", self.state)

    def _mount(self):
        self._box.run("mount", "-o", "loop,errors=remount-ro", self._image, self.point)

    def begin(self):
        how = {"full": ("sh", "-c", f"head -c 80M /dev/zero >{self.point}/junk 2>/dev/null; :"),
               "readonly": ("mount", "-o", "remount,abort", self.point), "hung": ("fsfreeze", "-f", self.point)}
        self._box.run(*how[self.trouble])

    def end(self, book):
        """Cure it, as the page says."""
        if self.trouble == "full":
            self._box.run("rm", f"{self.point}/junk")
        elif self.trouble == "hung":
            self._box.run("fsfreeze", "-u", self.point)
        else:
            book.engine("stop", book.name)
            self._box.run("umount", self.point)
            self._box.run("fsck.ext4", "-fy", self._image, check=False)
            self._mount()
            book.engine("start", book.name)

    def close(self):
        self._box.run("fsfreeze", "-u", self.point, check=False)
        self._box.run("umount", "-l", self.point, check=False)


@pytest.fixture
def disk(engine, trouble):
    the_disk = Disk(engine.box, trouble)
    yield the_disk
    the_disk.close()


@pytest.mark.parametrize("trouble", ["full", "readonly", "hung"])
def test_bad_storage_is_named_and_good_again_after_its_cure(disk, book, trouble):
    here = book(volume=str(disk.state))
    here.start("-e WGMESH_STORAGE_CHECK=1s -e WGMESH_STORAGE_TIMEOUT=1s")
    disk.begin()
    try:
        eventually(lambda: here.status().get("storage") == trouble, trouble, within=60)
        with here.guide.section("It is not ready") as section:
            assert "NOT READY" in section.step().stdout
        assert "storage" in here.alarms()
        section = here.guide.section("The storage is full, read-only or hangs")
        assert f"storage={trouble}" in section.step().stdout
    finally:
        disk.end(here)
    eventually(lambda: here.status().get("storage") == "ok", "good storage", within=60)
    section.step()
    assert "storage_degraded" in here.log()
    # After a restart there was nothing to recover from.
    assert trouble == "readonly" or "storage_recovered" in here.log()


SEND = "import socket, sys; socket.socket(socket.AF_INET, socket.SOCK_DGRAM)" \
       ".sendto(bytes.fromhex(sys.argv[3]), (sys.argv[1], int(sys.argv[2])))"


def test_a_wrong_clock_is_named(book, engine):
    here = book().start()
    mesh, (_, key) = Mesh(here.secret), new_key()

    def speak():
        body = {"protocol": "wgmesh-v1", "wg_pubkey": key, "hostname": "late", "mesh_ip": mesh.mesh_ip(key),
                "wg_endpoint": "192.0.2.1:51820", "timestamp": int(time.time()) - 5000}
        datagram = seal(mesh.gossip_key, "HELLO", body).hex()
        engine.room.run("/usr/bin/python3", "-c", SEND, here.address(), mesh.gossip_port, datagram)
        return "clock" in here.alarms()
    eventually(speak, "the alarm", within=40)
    assert "ALARM clock" in here.guide.run("A clock is wrong").stdout


def test_foreign_datagrams_are_named_in_the_log(book, engine):
    here = book().start()
    port = Mesh(here.secret).gossip_port
    sections = here.guide.commands("It hears nobody")
    here.guide.shell(sections[1].splitlines()[0])
    engine.room.run("/usr/bin/python3", "-c", SEND, here.address(), port, "00" * 200)
    eventually(lambda: "datagram_rejected" in here.log(), "the line", within=20)
    assert "datagram_rejected" in here.guide.shell(sections[1]).stdout


def test_peers_are_asked_and_a_changed_secret_brings_them_back_together(book):
    one = book().start()
    two = book(secret=one.secret).start()
    eventually(lambda: one.node().get("active_peers", one.node().get("peers", {}).get("active")), "a peer", within=40)
    port = Mesh(one.secret).gossip_port
    with one.guide.section("Peers are lost") as section:
        assert "direct" in section.step(check=False).stdout
        said = one.guide.shell(f"PEER={two.address()}:{port}\n{section.skip()}").stdout
        assert "SUCCESS" in said
    old = one.node()["network_id"]
    with one.guide.section("The secret leaked") as section:
        section.step()
        two.engine.box.run("cp", one.directory / "mesh_secret", two.directory / "mesh_secret")
        key = one.key()
        section.step()
        two.guide.shell(two.guide.commands("The secret leaked")[1])
        one.wait()
        two.wait()
        assert old not in section.step().stdout
    eventually(lambda: "1 active" in one.exec("wgmesh", "status").stdout, "the peer again", within=40)
    assert one.key() == key


def test_the_way_to_a_peer_can_be_looked_at(book):
    one = book().start()
    two = book(secret=one.secret).start()
    eventually(lambda: two.key() in one.exec("wgmesh", "status", "--full").stdout, "the peer", within=40)
    with one.guide.section("Peers are relayed") as section:
        assert "found by" in section.step().stdout
    with one.guide.section("Peers come from our own gateway") as section:
        assert json.loads(section.step().stdout) is not None


def test_a_network_that_is_refused_is_named_with_the_reason(book):
    one = book().start()
    # The one that both are in: a route to it would lead the tunnel into itself.
    net = one.engine("network", "inspect", "bridge", "--format",
                     "{{(index .IPAM.Config 0).Subnet}}").stdout.strip()
    two = book(secret=one.secret).start(f"-e WGMESH_ADVERTISE_ROUTES={net}")
    eventually(lambda: two.key() in one.exec("wgmesh", "status", "--full").stdout, "the peer", within=40)
    with one.guide.section("A network is not reached") as section:
        said = one.guide.shell(f"PEER={two.key()}\n{section.skip()}", check=False).stdout
    assert "refused_networks" in said and net in said
    with one.guide.section("Another node has its address") as section:
        assert "10." in section.step().stdout


def test_a_node_without_its_supervisor_gets_one_again(book):
    here = book()
    here.guide.shell(f"""
docker run -d --name {here.name} --network bridge --cap-add NET_ADMIN --device /dev/net/tun --user 0 \\
    -v "$VOLUME:/var/lib/wgmesh" -v "$SECRET:/run/secrets/mesh_secret:ro" --entrypoint wgmesh \\
    -e WGMESH_SECRET_FILE=/run/secrets/mesh_secret "$IMAGE" join""")
    eventually(lambda: "interface_ready" in here.log(), "the node", within=20)
    with here.guide.section("Nobody supervises it") as section:
        assert "wgmesh-init" not in section.step().stdout
        section.step()
        here.wait()
        section.step()
    assert "wgmesh-init" in here.engine.inspect(here.name, "{{.Path}}")


def test_a_foreign_interface_is_left_alone_and_gone_around(book, engine):
    here = book(network="host").start()
    key = here.key()
    here.engine("stop", here.name)
    here.engine("rm", here.name)
    engine.room.run("ip", "tuntap", "add", "wg0", "mode", "tun")
    try:
        here.start(healthy=False)
        assert here.code() == POLICY
        with here.guide.section("wg0 belongs to somebody else") as section:
            assert "tun" in section.step().stdout
            section.step()
            here.wait()
            assert engine.room.run("ip", "link", "show", "wg0").returncode == 0
            assert here.status()["serves"] == f"wg7 {key}"
            here.engine("stop", here.name)
            section.step()
            here.wait()
            assert here.status()["serves"] == f"wg0 {key}"
    finally:
        engine.room.run("ip", "link", "delete", "wg0", check=False)


def test_a_taken_port_is_named_and_another_one_taken(book, engine):
    here = book(network="host")
    taker = take_port(engine)
    try:
        here.start(healthy=False)
        eventually(lambda: "51820" in here.log(), "the sentence", within=30)
        with here.guide.section("A port is taken") as section:
            said = section.step().stdout
            assert "UDP port 51820" in said and ":51820" in said.partition("\n")[2]
            section.step()
        here.wait()
    finally:
        end(taker)


def test_a_second_container_on_a_volume_is_found(book):
    here = book().start()
    here.guide.shell(f"NODE={here.name}-second\nstart -e WGMESH_LOCK_TIMEOUT=1s")
    second = f"{here.name}-second"
    eventually(lambda: "is in use by" in here.engine("logs", second).stderr, "the sentence", within=30)
    said = here.guide.run("Another container has the volume").stdout
    assert second in said and here.name in said
    here.engine("update", "--restart=no", second)
    eventually(lambda: here.engine.inspect(second, "{{.State.ExitCode}}") == str(LOCKED), "its end", within=30)
    here.engine("stop", here.name)
    here.engine("start", second)
    eventually(lambda: here.exec("wgmesh-init", "healthcheck", check=False, name=second).returncode == 0, "it", within=30)


def test_an_upgrade_keeps_the_node_and_so_does_going_back(book):
    here = book().start()
    key = here.key()
    here.engine("tag", FULL, "wgmesh:next")
    with here.guide.section("Upgrade") as section:
        here.guide.shell(f"NEXT=wgmesh:next\n{section.skip()}")
        here.wait()
        said = section.step().stdout
    assert "proof=proven" in said and key in said
    assert here.engine.inspect(here.name, "{{.Config.Image}}") == "wgmesh:next"
    rolled = here.guide.commands("Roll back")[0]
    here.guide.shell("\n".join(rolled.splitlines()[:-1]))
    here.wait()
    assert key in here.guide.shell(rolled.splitlines()[-1]).stdout
    assert here.engine.inspect(here.name, "{{.Config.Image}}") == FULL


def test_backups_are_made_and_each_can_be_restored(book):
    here = book().start()
    key = here.key()
    with here.guide.section("Back it up") as section:
        section.step()
        assert "wg0.json." in section.step().stdout
        section.step()
    with here.guide.section("Restore it") as section:
        section.step()
        here.wait()
        assert here.key() == key
        section.step()
        here.wait()
    assert here.key() == key
    assert f"{here.volume}-2" in here.engine.inspect(here.name, "{{.Mounts}}")


def test_a_node_moves_to_another_volume_as_to_another_host(book):
    here = book().start()
    key = here.key()
    here.guide.run("Move it to another host")
    there = f"{here.name}-there"
    eventually(lambda: here.key(there) == key, "the same node there", within=40)


def test_each_refusal_ends_with_the_code_of_the_table(book):
    here = book(image=DISTROLESS)
    here.start(healthy=False)
    assert here.code() == NO_WIREGUARD and "modprobe wireguard" in here.log()
    lacking = book()
    done = lacking.engine("run", "--rm", "-v", f"{lacking.volume}:{STATE_DIR}", "-e", "WGMESH_SECRET=long enough, and more",
                          FULL, "join", check=False)
    assert done.returncode == PERMISSION and "NET_ADMIN" in done.stderr


@pytest.mark.usefixtures("engine")
def test_a_cloned_key_is_an_alarm_until_one_of_the_two_is_gone(cloned):
    here, section = cloned
    eventually(lambda: "clone" not in here.alarms(), "its end", within=120)
    eventually(here.is_healthy, "health", within=20)
    with section:
        section.step()
    assert "clone_silent" in here.log()


def test_who_hears_nobody_is_told_what_to_compare(lonely, book):
    eventually(lambda: "alone" in lonely.alarms(), "the alarm", within=120)
    with lonely.guide.section("It hears nobody") as section:
        said = section.step(check=False).stdout
        assert "network id" in said and "worst:" in said
        section.skip()
        # What it lacks: another node with its secret.
        book(secret=lonely.secret).start()
        eventually(lambda: "alone" not in lonely.alarms(), "its end", within=60)
        assert section.step().stdout.strip()
