# SPDX-License-Identifier: MIT
"""A stream of pings, and which of them were never answered, however late an answer came."""

import re
import signal
import subprocess

from lib.container import Output
from lib.wait import NotYet, eventually

ANSWER = re.compile(r"icmp_seq=(\d+) ttl=")


class Ping:
    """Pings from a node's network to an address, from now on until it is asked for the result."""

    def __init__(self, node, address, interval_s=0.02):
        # Line by line, since it tells a pipe nothing until it ends; and not in a PID namespace, where
        # a signal would reach the nsenter(1) before it only.
        self._process = subprocess.Popen(
            ["setpriv", "--pdeathsig=KILL",
             *node.port.command("stdbuf", "-oL", "ping", "-n", f"-i{interval_s}", address)],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
        self._output = Output(self._process.stdout)
        eventually(self.answered, f"the first answer of {address}")

    def answered(self):
        """Sequence numbers, in the order in which the answers came."""
        return [int(found[1]) for found in map(ANSWER.search, list(self._output.lines)) if found]

    def lost(self, further=25, within=10.0):
        """The numbers without an answer, once `further` pings have come through; ends the stream.

        ping(8) itself gives the last ones no more than two round trips, which is too little on a busy machine.
        """
        last = max(self.answered(), default=0) + further

        def missing():
            return sorted(set(range(1, last + 1)) - set(self.answered()))

        try:
            eventually(lambda: not missing(), "answers", within)
        except NotYet:
            pass
        finally:
            self._process.send_signal(signal.SIGINT)
            self._process.wait()
            self._output.join()
        return missing()
