"""Clients that are slow, half gone, too many, or speak no HTTP."""

import socket
import struct
import time

from service import Failed, Lost

HEAD = b"POST /v1/users/a/events HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
BODY = b'{"item": "i1"}'
PATIENCE = 30  # seconds; limits under test are a second


def connect(service):
    return socket.create_connection(("127.0.0.1", service.port), timeout=PATIENCE)


def rest(stream):
    """All bytes until the server closes; fails where it does not."""
    found = b""
    try:
        while chunk := stream.recv(65536):
            found += chunk
    except ConnectionResetError:
        pass
    except TimeoutError:
        raise Failed(f"still open after {PATIENCE} s; got {found[:200]}") from None
    return found


def slow_clients_lose_their_connection(world):
    with world.serve("--idle-timeout", "1s", "--request-timeout", "1s") as service:
        streams = {}
        for name, begin in [
            ("silent", b""), ("half a head", HEAD[:40]), ("a head", HEAD + b"Content-Length: 14\r\n\r\n"),
            ("half a body", HEAD + b"Content-Length: 14\r\n\r\n" + BODY[:5]),
            ("half a chunk", HEAD + b"Transfer-Encoding: chunked\r\n\r\nff\r\n{"), ("idle", HEAD + b"Content-Length: 14\r\n\r\n" + BODY),
        ]:
            streams[name] = connect(service)
            streams[name].sendall(begin)
        drip = connect(service)
        drip.sendall(HEAD + b"Content-Length: 1000\r\n\r\n")
        began = time.monotonic()
        try:
            while time.monotonic() - began < PATIENCE:  # a byte from time to time is not enough
                drip.sendall(b" ")
                time.sleep(0.2)
            raise Failed("a body that drips is read for ever")
        except OSError:
            pass
        for name, stream in streams.items():
            found = rest(stream)
            if name == "idle" and b" 200 " not in found:
                raise Failed(f"no reply before it was idle: {found}")
        limit = time.monotonic() + PATIENCE  # connections close before they are counted
        while wrong := what_is_wrong(metrics(service)):
            if time.monotonic() > limit:
                raise Failed(wrong)
            time.sleep(0.1)


def metrics(service):
    """Their text; empty where the connection closed before the request was there, as it may after a second."""
    try:
        return service.client().expect("GET", "/metrics").decode()
    except Lost:
        return ""


def what_is_wrong(text):
    for reason in ("idle", "slow_request"):
        line = next((line for line in text.splitlines() if f'ended_total{{reason="{reason}"}}' in line), f"no {reason} 0")
        if float(line.split()[-1]) < 2:
            return line
    return None if 'recblr_http_connections 1\n' in text else "connections that are over are counted as open"


def half_closed_clients_get_their_reply(world):
    with world.serve() as service:
        stream = connect(service)
        stream.sendall(HEAD + b"Content-Length: 14\r\n\r\n" + BODY)
        stream.shutdown(socket.SHUT_WR)
        if b" 200 " not in rest(stream):
            raise Failed("no reply to a client that sends no more")
        for begin in (b"", HEAD[:40], HEAD + b"Content-Length: 14\r\n\r\n" + BODY[:5]):
            stream = connect(service)
            stream.sendall(begin)
            stream.shutdown(socket.SHUT_WR)
            rest(stream)
        if len(service.client().events("a")) != 1:
            raise Failed("half an event was stored")


def what_is_no_http_gets_a_problem(world):
    many = b"".join(b"X-%d: 1\r\n" % index for index in range(200))
    with world.serve() as service:
        for text, status in [
            (b"HELO there\r\n\r\n", 400), (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400), (b"GET / HTTP/9.9\r\n\r\n", 400),
            (b"GET / HTTP/1.1\r\nHost: localhost\r\n" + many + b"\r\n", 431),
            (b"GET /" + 100_000 * b"a" + b" HTTP/1.1\r\nHost: localhost\r\n\r\n", 431),
            (HEAD + b"Content-Length: x\r\n\r\n", 400), (HEAD + b"Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd", 400),
        ]:
            stream = connect(service)
            stream.sendall(text)
            found = rest(stream)
            if not found.startswith(b"HTTP/1.1 %d " % status) or b"application/problem+json" not in found:
                raise Failed(f"{text[:60]}: {found[:300]} instead of {status}")


def broken_bodies_get_a_problem(world):
    with world.serve("--log-level", "debug") as service:
        for body in (b"Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n", b"Content-Length: 14\r\n\r\n" + BODY[:5]):
            stream = connect(service)
            stream.sendall(HEAD + body)
            stream.shutdown(socket.SHUT_WR)
            found = rest(stream)
            if not found.startswith(b"HTTP/1.1 400 ") or b"application/problem+json" not in found:
                raise Failed(f"{body}: {found[:300]}")
        stream = connect(service)
        stream.sendall(HEAD + b"Content-Length: 14\r\n\r\n" + BODY[:5])
        stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # the connection is reset
        stream.close()
        service.says("A client went away")
        if " error " in service.errors:
            raise Failed(f"an error that is none: {service.errors}")


def connections_close_when_clients_say_so(world):
    kept = b"GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n"
    with world.serve() as service:
        for text, replies in [
            (b"GET /health/live HTTP/1.0\r\nHost: localhost\r\n\r\n", 1),
            (b"GET /health/live HTTP/1.1\r\nHost: localhost\r\nConnection: Close\r\n\r\n", 1),
            (kept + kept + b"GET /health/live HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", 3),
        ]:
            stream = connect(service)
            stream.sendall(text)
            found = rest(stream)
            if found.count(b"HTTP/1.1 200 OK") != replies:
                raise Failed(f"{text}: {found}")


def large_bodies_are_refused_before_they_are_sent(world):
    with world.serve() as service:
        stream = connect(service)
        stream.sendall(HEAD + b"Expect: 100-continue\r\nContent-Length: 14\r\n\r\n")
        if not stream.recv(100).startswith(b"HTTP/1.1 100 "):
            raise Failed("a client that waits for 100 is not told to go on")
        stream.sendall(BODY)
        if not stream.recv(1000).startswith(b"HTTP/1.1 200 "):
            raise Failed("no reply after 100")
        stream = connect(service)
        stream.sendall(HEAD + b"Expect: 100-continue\r\nContent-Length: 99999999\r\n\r\n")
        found = rest(stream)
        if not found.startswith(b"HTTP/1.1 413 ") or b"connection: close" not in found.lower():
            raise Failed(f"a body that is too large: {found[:300]}")


def connections_are_limited(world):
    with world.serve("--maximum-connections", "2") as service:
        request = b"GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n"
        first, second = connect(service), connect(service)
        for stream in (first, second):
            stream.sendall(request)
            stream.recv(1000)
        third = connect(service)  # the system takes it, the server does not yet
        third.sendall(request)
        third.settimeout(1)
        try:
            third.recv(1000)
            raise Failed("a third connection is served")
        except TimeoutError:
            pass
        first.close()
        third.settimeout(PATIENCE)
        if not third.recv(1000).startswith(b"HTTP/1.1 200 "):
            raise Failed("a connection that waited is not served after another closed")


CHECKS = [
    slow_clients_lose_their_connection, half_closed_clients_get_their_reply, what_is_no_http_gets_a_problem,
    broken_bodies_get_a_problem,
    connections_close_when_clients_say_so, large_bodies_are_refused_before_they_are_sent, connections_are_limited]
