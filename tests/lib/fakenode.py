# SPDX-License-Identifier: MIT
"""A control socket that answers what a test wants, also what no node would."""

import contextlib
import json
import os
import socket
import threading


class FakeNode:
    """Answers JSON-RPC requests on a Unix socket; answers are values by method, or functions of the params."""

    def __init__(self, path, answers):
        self.path = str(path)
        self.answers = answers
        self.asked = []
        self._socket = self._thread = None
        self.start()

    def start(self):
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.bind(self.path)
        self._socket.listen(16)
        self._thread = threading.Thread(target=self._serve, args=(self._socket,), daemon=True)
        self._thread.start()

    def stop(self):
        """Go away, and leave no socket behind; start() comes back."""
        if self._socket is None:
            return
        os.unlink(self.path)
        # A thread in accept() does not notice that its socket is closed.
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join()
        self._socket = None

    def _serve(self, listener):
        while True:
            try:
                connection = listener.accept()[0]
            except OSError:
                return
            with connection, contextlib.suppress(OSError):
                self._answer(connection)

    def _answer(self, connection):
        request = json.loads(connection.makefile("rb").readline())
        params = request.get("params")
        self.asked.append((request["method"], params))
        answer = self.answers.get(request["method"])
        if callable(answer):
            answer = answer(params)
        if isinstance(answer, bytes):
            connection.sendall(answer)
            return
        reply = {"jsonrpc": "2.0", "id": request["id"]}
        if answer is None:
            reply["error"] = {"code": -32601, "message": f"method not found: {request['method']}"}
        else:
            reply["result"] = answer
        connection.sendall(json.dumps(reply).encode() + b"\n")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()
