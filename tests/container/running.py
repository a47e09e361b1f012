# SPDX-License-Identifier: MIT
"""A container that runs while a test asks it questions."""

import contextlib
import itertools
import json
import os
import time

from lib.container import as_event
from lib.wait import eventually

from engines import FULL, STATE_DIR

SECRET = "a secret for the tests, long enough"
SECRET_FILE = "/run/secrets/mesh_secret"
# What a node needs that has no WireGuard in its kernel.
RIGHTS = ("--cap-add", "NET_ADMIN", "--device", "/dev/net/tun")
NUMBERS = itertools.count(1)
# Signals a process by its number in the PID namespace of another.
KILL_INSIDE = r"""
there=$(readlink "/proc/$1/ns/pid")
for process in /proc/[0-9]*; do
    [ "$(readlink "$process/ns/pid")" = "$there" ] || continue
    grep -q "^NSpid:.*[[:space:]]$2\$" "$process/status" && exec kill -s "$3" "${process#/proc/}"
done
exit 1
"""


# No test asks anything of the internet.
OFFLINE = ("-e", "WGMESH_NO_DHT=1", "-e", "WGMESH_NO_STUN=1")


def fresh(what):
    """A name that nothing has yet: for a container, a volume, a network."""
    return f"{what}-{next(NUMBERS)}"


def secret_options(engine, mode=0o400):
    """Options that hand a secret over as a file, which only the container's root may read by default."""
    path = engine.box.directory / f"{engine.name}-secret-{mode:o}"
    if not path.exists():
        path.write_text(f"{SECRET}\n", encoding="utf-8")
        path.chmod(mode)
        os.chown(path, engine.user, engine.user)
    return "-v", f"{path}:{SECRET_FILE}:ro", "-e", f"WGMESH_SECRET_FILE={SECRET_FILE}"


def volume_options(name):
    return "-v", f"{name}:{STATE_DIR}"


class Running:
    """A container, started in the background; close() removes it and what it alone has.

    argv     what comes after the image, such as "join"
    options  of `run`
    """

    def __init__(self, engine, *argv, image=FULL, options=(), name=None):
        self.engine = engine
        self.name = name or fresh("running")
        self.image = image
        self.argv = argv
        self.options = tuple(map(str, options))
        self.engine.images()
        self("run", "-d", "--name", self.name, *self.options, image, *argv)

    def __call__(self, *argv, check=True):
        return self.engine(*argv, check=check)

    def exec(self, *argv, check=True):
        """Run a program in it."""
        return self("exec", self.name, *argv, check=check)

    # What the engine knows

    def state(self):
        """As `inspect` has it: Status, Running, Pid, ExitCode, OOMKilled, StartedAt, FinishedAt, Health."""
        return json.loads(self.engine.inspect(self.name, "{{json .State}}"))

    def health(self):
        """starting, healthy, unhealthy; Podman calls what it keeps of that by either name."""
        state = self.state()
        return (state.get("Health") or state.get("Healthcheck") or {}).get("Status")

    def restarts(self):
        return int(self.engine.inspect(self.name, "{{.RestartCount}}"))

    def is_running(self):
        return self.state()["Running"]

    def exit_code(self, within=30):
        """Wait for its end; its code."""
        eventually(lambda: not self.is_running(), f"the end of {self.name}", within)
        return self.state()["ExitCode"]

    # What it says

    def output(self):
        """Everything it has written to its standard error."""
        return self("logs", self.name).stderr

    def said(self):
        """The end of what it has written, wherever to; for whoever looks at a failure."""
        done = self("logs", self.name, check=False)
        return (done.stdout + done.stderr)[-6000:]

    def log(self):
        """Its log as dictionaries; what is no line of ours as {"msg": line}."""
        return [as_event(line) for line in self.output().splitlines()]

    def find_log(self, text, level=None):
        return next((event for event in self.log()
                     if text in event.get("msg", "") and level in (None, event.get("level"))), None)

    def wait_for_log(self, text, within=30):
        return eventually(lambda: self.find_log(text), f'"{text}" in the log of {self.name}', within)

    def status(self):
        """What PID 1 says of itself; None while it cannot be asked."""
        done = self.exec("wgmesh-init", "status", "--json", check=False)
        return json.loads(done.stdout) if done.returncode == 0 else None

    def node(self):
        """What the daemon says of itself and of its peers; None while it cannot be asked."""
        done = self.exec("wgmesh", "status", "--json", check=False)
        return json.loads(done.stdout) if done.returncode == 0 else None

    def is_healthy(self):
        return self.exec("wgmesh-init", "healthcheck", check=False).returncode == 0

    def wait_until_healthy(self, within=30):
        """Wait until its own health check says so; returns self."""
        eventually(self.is_healthy, f"{self.name} to be healthy", within)
        return self

    def pubkey(self):
        """The key it serves, once it is healthy."""
        return self.wait_until_healthy().node()["pubkey"]

    # Its life

    def stop(self, *options):
        """Stop it; how long that took in seconds, and the exit code."""
        started = time.monotonic()
        self("stop", *options, self.name)
        return time.monotonic() - started, self.state()["ExitCode"]

    def start(self):
        self("start", self.name)

    def restart(self, *options):
        self("restart", *options, self.name)

    def signal(self, name):
        self("kill", "-s", name, self.name)

    def signal_daemon(self, name):
        """Signal the daemon, past PID 1."""
        container = self.engine.inspect(self.name, "{{.State.Pid}}")
        self.engine.box.run("sh", "-c", KILL_INSIDE, "sh", container, self.status()["daemon_pid"], name)

    def replace(self, *argv, options=None, image=None):
        """Remove it and run another one of its name and, unless told, of its options."""
        self.remove()
        return Running(self.engine, *(argv or self.argv), image=image or self.image,
                       options=self.options if options is None else options, name=self.name)

    def remove(self):
        # Podman 4 waits for the end that it was to bring about, unless it is told not to.
        self("kill", self.name, check=False)
        self("rm", "-f", "-v", self.name, check=False)

    def close(self):
        self.remove()


class Launcher:
    """Starts containers of one engine; close() removes them, and the volumes of nodes."""

    def __init__(self, engine):
        self.engine = engine
        self._cleanup = contextlib.ExitStack()
        self._volumes = set()
        self._running = []

    def __call__(self, *argv, **kwargs):
        """Start a container; as Running."""
        return self.keep(Running(self.engine, *argv, **kwargs))

    def keep(self, container):
        """See to the end of one that was started otherwise; returns it."""
        self._running.append(container)
        self._cleanup.callback(container.close)
        return container

    def volume(self, name=None):
        """A volume's name; one of it that is still there at the end goes."""
        name = name or fresh("volume")
        if name not in self._volumes:
            self._volumes.add(name)
            self._cleanup.callback(self.engine, "volume", "rm", "-f", name, check=False)
        return name

    def network(self):
        """A network of its own for some containers."""
        name = fresh("network")
        self.engine("network", "create", name)
        self._cleanup.callback(self.engine, "network", "rm", name, check=False)
        return name

    def node(self, *options, volume=None, join=(), secret_mode=0o400, **kwargs):
        """Start a node of the full image.

        options      further ones of `run`
        volume       name of its volume, for one that is used twice
        join         further arguments of `join`
        secret_mode  of the file; it belongs to the root of the machine, or to the user of the engine
        """
        options = (*RIGHTS, *OFFLINE, *secret_options(self.engine, secret_mode), *volume_options(self.volume(volume)), *options)
        return self("join", *join, options=options, **kwargs)

    def logs(self):
        """What the containers said: pairs of a name and a text."""
        return [(container.name, container.said()) for container in self._running]

    def close(self):
        self._cleanup.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
