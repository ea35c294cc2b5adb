"""Clients that are slow, leave early, or send what is no request: the others notice nothing, and errors are those of the client."""

import json
import re
import socket
import threading
import time

from service import Failed, Lost

EVENT = json.dumps({"item": "i1", "eventId": "e"}).encode()


def request(method=b"POST", path=b"/v1/users/u/events?recommend=3", body=EVENT, headers=b"Content-Type: application/json\r\n", length=None):
    size = b"Content-Length: %d\r\n" % (len(body) if length is None else length)
    return b"%s %s HTTP/1.1\r\nHost: 127.0.0.1\r\n%s%s\r\n%s" % (method, path, headers, size, body)


def connect(service, timeout=10):
    return socket.create_connection(("127.0.0.1", service.port), timeout=timeout)


def read_reply(stream):
    """Status and body of one reply; None where the connection was closed without."""
    data = b""
    while b"\r\n\r\n" not in data:
        part = stream.recv(65536)
        if not part:
            return None
        data += part
    head, _, body = data.partition(b"\r\n\r\n")
    length = re.search(rb"(?i)content-length: *(\d+)", head)
    while length and len(body) < int(length[1]):
        part = stream.recv(65536)
        if not part:
            return None
        body += part
    return int(head.split(b" ")[1]), body


def rude(context):
    """Connections that send slowly, half, nothing, or leave before the reply, while others work."""
    folder = context.folder("rude")
    with context.serve(folder).ready() as service:
        client, generator = service.client(), context.random("rude")
        whole = request()
        slow = [connect(service) for _ in range(200)]
        for stream in slow:
            stream.sendall(whole[:generator.randrange(1, len(whole) - 1)])
        for round in range(60):
            kind = generator.choice(["half-closed", "leaves", "half", "reset"])
            with connect(service) as stream:
                if kind == "half-closed":
                    stream.sendall(request(body=json.dumps({"item": "i2", "eventId": f"half-{round}"}).encode()))
                    stream.shutdown(socket.SHUT_WR)
                    reply = read_reply(stream)
                    if not reply or reply[0] != 200:
                        raise Failed(f"a client that sends no more and waits for its reply got {reply}")
                elif kind == "leaves":
                    stream.sendall(whole)
                elif kind == "half":
                    stream.sendall(whole[:generator.randrange(1, len(whole))])
                else:
                    stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
                    stream.sendall(whole[:generator.randrange(1, len(whole) + 1)])
            client.append("polite", {"item": f"i{round}", "eventId": f"polite-{round}"}, recommend=5)
            context.check_replay(client, "polite")
        service.alive()
        said = f"200 slow and 60 rude connections beside {len(client.events('polite'))} events of a polite one"
        if context.long:
            said += f"; slow ones closed after {closing_time(slow):.0f} s"
        for stream in slow:
            stream.close()
        service.stop()
    return said


def closing_time(slow, limit=180):
    """Seconds until the server has given up all of these."""
    began = time.monotonic()
    for stream in slow:
        stream.settimeout(max(0.1, limit - (time.monotonic() - began)))
        try:
            while stream.recv(4096):
                pass
        except TimeoutError:
            raise Failed(f"slow connections are still open after {limit} s") from None
        except OSError:
            pass
    return time.monotonic() - began


BODIES = [
    b"", b"{", b"[]x", b"null", b"17", b'"x"', b"{}", b'{"item":17}', b'{"item":""}', b'{"item":null}', b'{"item":"a","item2":1}',
    b'{"item":"a","timestamp":"yesterday"}', b'{"item":"a","timestamp":1e400}', b'{"item":"a","timestamp":99999999999}', b'{"item":"a","value":"x"}',
    b'{"item":"a","eventId":""}', b'{"item":"a","user":"another"}', b'{"item":"\\ud800"}', b'{"item":"\xff\xfe"}', b'{"item":"a\\u0000"}',
    b'{"item":"' + b"x" * 300 + b'"}', b'[{"item":"a"},{"item":5}]', b"[" * 5000 + b"]" * 5000, b'{"item":"a",}', b"\xef\xbb\xbf{}", b"{'item':'a'}",
]
PATHS = [
    b"/v1/users/%ff/events", b"/v1/users/%0/events", b"/v1/users//events", b"/v1/users/u/events?recommend=-1", b"/v1/users/u/events?recommend=1001",
    b"/v1/users/u/events?recommend=x", b"/v1/users/u/events?unknown=1", b"/v1/users/" + b"x" * 300 + b"/events", b"/v1/users/u%00/events",
    b"/v1/users/u/nothing", b"/v1/none", b"/v2/events", b"/../../etc/passwd", b"/v1/users/u/events/%2e%2e", b"/v1/models/none:activate",
]
QUERIES = [
    b"n=-1", b"n=1001", b"n=ten", b"n=", b"n=1&n=2", b"excludeSeen=sometimes", b"excludeSeen=30", b"excludeSeen=-1d", b"at=then",
    b"explain=perhaps", b"n=99999999999999999999", b"exclude=", b"only=%ff", b"m=1",
]
HEADERS = [b"Content-Type: text/plain\r\n", b"", b"Content-Type: application/x-www-form-urlencoded\r\n"]


def certainly_malformed(generator):
    """A request that a client could send by mistake, and that is wrong in one place."""
    kind = generator.randrange(5)
    if kind == 0:
        return request(body=generator.choice(BODIES))
    if kind == 1:
        return request(path=generator.choice(PATHS))
    if kind == 2:
        return request(b"GET", b"/v1/users/u/recommendations?" + generator.choice(QUERIES), body=b"", headers=b"")
    if kind == 3:
        return request(headers=generator.choice(HEADERS))
    method = generator.choice([b"PUT", b"DELETE", b"PATCH"])
    return request(method, b"/v1/recommendations:batch", body=b'{"users":["a"]}')


def mutated(generator):
    """A request with a few bytes changed anywhere; it may still be one."""
    data = bytearray(request() if generator.random() < 0.5 else certainly_malformed(generator))
    for _ in range(generator.randrange(1, 6)):
        place = generator.randrange(len(data))
        action = generator.randrange(3)
        if action == 0:
            data[place] = generator.randrange(256)
        elif action == 1:
            del data[place]
        else:
            data[place:place] = generator.randbytes(generator.randrange(1, 4))
    return bytes(data)


def fuzz_some(service, generator, count, statuses, failures):
    for _ in range(count):
        is_certain = generator.random() < 0.5
        data = certainly_malformed(generator) if is_certain else mutated(generator)
        reply = None
        try:
            with connect(service) as stream:
                stream.sendall(data)
                if not is_certain:
                    stream.shutdown(socket.SHUT_WR)  # it may have promised a longer body
                reply = read_reply(stream)
        except (ConnectionError, TimeoutError) as error:
            if isinstance(error, TimeoutError):
                failures.append(f"no reply and no end to {data[:300]!r}")
        status = reply[0] if reply else 0
        statuses[status] = statuses.get(status, 0) + 1
        if status >= 500 or is_certain and not 400 <= status < 500:
            failures.append(f"{status} to {data[:300]!r}: {reply and reply[1][:300]!r}")
        if status >= 400 and is_certain and b'"status"' not in reply[1]:
            failures.append(f"no problem in the reply to {data[:300]!r}: {reply[1][:200]!r}")


def fuzz(context):
    """Malformed requests get 4xx and a problem; a client beside them its replies."""
    folder = context.folder("fuzz")
    total = 10_000 if context.long else 2_000
    statuses, failures = {}, []
    with context.serve(folder).ready() as service:
        client = service.client()
        client.append("polite", [{"item": f"i{n}"} for n in range(5)])
        expected = client.recommendations("polite")
        threads = [
            threading.Thread(
                target=fuzz_some, args=(service, context.random(f"fuzz/{n}"), total // 4, statuses, failures), daemon=True) for n in range(4)]
        for thread in threads:
            thread.start()
        while any(thread.is_alive() for thread in threads):
            try:
                if client.recommendations("polite") != expected:
                    failures.append("another answer to the polite client")
                    break
            except Lost as lost:
                failures.append(str(lost))
                break
            time.sleep(0.02)
        for thread in threads:
            thread.join()
        service.alive()
        if failures:
            raise Failed(f"{len(failures)} of {total}, by status {dict(sorted(statuses.items()))}, such as:\n    " + "\n    ".join(failures[:5]))
        service.stop()
    return f"{total:,} requests, replies by status (0: closed) {dict(sorted(statuses.items()))}"


CHECKS = {"rude-clients": rude, "malformed-requests": fuzz}
