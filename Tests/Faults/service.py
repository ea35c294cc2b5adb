"""Starts and ends `recblr serve`, and talks to it."""

import ctypes
import http.client
import json
import os
import re
import signal
import subprocess
import sys
import time
from urllib.parse import quote

READY = re.compile(r"Serving version (\S+) on https?://\S+?:(\d+)")
TIME_LIMIT = 60  # seconds, for what takes one: a start, a reply


class Failed(Exception):
    """What a check found."""


class Lost(Exception):
    """No reply: the server is gone or closed the connection. Whether it did what was asked is not known."""


def clean_up_when_ended():
    """Makes Ctrl-C and signals that ask to end an exception of the main thread, so that every `with` and `finally` is done."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, lambda number, _: sys.exit(128 + number))


if sys.platform == "linux":
    PRCTL, PR_SET_PDEATHSIG = ctypes.CDLL(None).prctl, 1

    def die_with_parent():
        """For `preexec_fn`: the system kills the process when the thread that starts it is gone, even after kill -9."""
        PRCTL(PR_SET_PDEATHSIG, signal.SIGKILL)
else:
    die_with_parent = None


class Client:
    """One kept-alive connection; it is opened again where it was lost."""

    def __init__(self, port):
        self.port, self.connection = port, None

    def ask(self, method, path, body=None, headers=None):
        """Status and body, as JSON where it is some."""
        headers = dict(headers or {})
        if body is not None:
            headers.setdefault("Content-Type", "application/json")
            body = body if isinstance(body, bytes) else json.dumps(body).encode()
        try:
            if self.connection is None:
                self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=TIME_LIMIT)
            self.connection.request(method, path, body=body, headers=headers)
            reply = self.connection.getresponse()
            data = reply.read()
        except (OSError, http.client.HTTPException) as error:
            self.close()
            raise Lost(f"{method} {path}: {error!r}") from error
        kind = reply.headers.get("Content-Type", "")
        return reply.status, json.loads(data) if "json" in kind else data

    def expect(self, method, path, body=None, status=200):
        """The body of a reply that has this status."""
        found, value = self.ask(method, path, body)
        if found != status:
            raise Failed(f"{method} {path}: {found} instead of {status}: {str(value)[:500]}")
        return value

    def append(self, user, events, recommend=None):
        query = f"?recommend={recommend}&excludeSeen=never" if recommend else ""
        return self.expect("POST", f"/v1/users/{quote(user, safe='')}/events{query}", events)

    def recommendations(self, user, n=50):
        """Pairs of item and score, whatever was seen before."""
        return scores(self.expect("GET", f"/v1/users/{quote(user, safe='')}/recommendations?n={n}&excludeSeen=never"))

    def events(self, user):
        """All events of a user, the first one first; none where there is no such user."""
        found, path = [], f"/v1/users/{quote(user, safe='')}/events?limit=500"
        cursor = ""
        while True:
            status, value = self.ask("GET", path + cursor)
            if status == 404:
                return []
            if status != 200:
                raise Failed(f"GET {path}{cursor}: {status}: {str(value)[:500]}")
            found += value["events"]
            if not value.get("next"):
                return found[::-1]
            cursor = "&before=" + quote(value["next"], safe="")

    def close(self):
        if self.connection:
            self.connection.close()
        self.connection = None


def scores(recommendations):
    return [(item["item"], item["score"]) for item in recommendations["items"]]


class Service:
    """A running server. Standard error goes to a file, which is part of what a failure shows."""

    def __init__(self, program, models, folder, store=None, options=(), environment=None):
        self.error_path = os.path.join(folder, "server.log")
        place = ["--store", store] if store else ["--in-memory"]
        # On a busy machine requests wait: only checks of overload are about that.
        command = [program, "serve", "--models", models, *place, "--port", "0", "--maximum-wait", "60s", *options]
        with open(self.error_path, "ab") as error:
            self.begins = error.tell()
            self.process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=error, start_new_session=True,
                preexec_fn=die_with_parent,
                env={**os.environ, "SWIFT_BACKTRACE": "enable=no", "LLVM_PROFILE_FILE": "/dev/null", **(environment or {})})
        self.port = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.kill()

    @property
    def errors(self):
        with open(self.error_path, "rb") as file:
            file.seek(self.begins)
            return file.read().decode(errors="replace")

    def ready(self):
        """Waits until it serves; fails where it ends instead."""
        if not self.serves():
            raise Failed(f"the server ended with {self.process.returncode} instead of serving: {self.errors[-800:]}")
        return self

    def serves(self):
        """Waits until it serves, or ends: false."""
        limit = time.monotonic() + TIME_LIMIT
        while time.monotonic() < limit:
            found = READY.search(self.errors)
            if found:
                self.port = int(found[2])
                return True
            if self.process.poll() is not None:
                return False
            time.sleep(0.005)
        self.kill()
        raise Failed(f"neither ready nor over after {TIME_LIMIT} s: {self.errors[-800:]}")

    def says(self, text, times=1):
        """Waits until the text is so many times in the log."""
        limit = time.monotonic() + TIME_LIMIT
        while self.errors.count(text) < times:
            self.alive()
            if time.monotonic() > limit:
                raise Failed(f"'{text}' is not in the log after {TIME_LIMIT} s: {self.errors[-800:]}")
            time.sleep(0.01)

    def client(self):
        return Client(self.port)

    def alive(self):
        if self.process.poll() is not None:
            raise Failed(f"the server ended with {self.process.returncode}: {self.errors[-800:]}")

    def kill(self):
        """kill -9."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()

    def stop(self):
        """SIGTERM; it has to end by itself and well."""
        self.process.send_signal(signal.SIGTERM)
        try:
            status = self.process.wait(timeout=TIME_LIMIT)
        except subprocess.TimeoutExpired:
            self.kill()
            raise Failed(f"did not end in {TIME_LIMIT} s after SIGTERM") from None
        if status != 0:
            raise Failed(f"ended with {status} after SIGTERM: {self.errors[-800:]}")
