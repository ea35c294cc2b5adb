"""Keys, names and TLS."""

import json
import shutil
import socket
import ssl
import subprocess
import urllib.request

from service import Failed

EVENT = {"item": "i1"}
READER, WRITER, BOSS = "key-of-the-reader", "key-of-the-writer", "key-of-the-boss-"


def keys_open_doors(world):
    keys = world.write("keys", f"# for tests\nread {READER}\nwrite {WRITER}\n")
    with world.serve("--keys", keys, environment={"RECBLR_SERVE_ADMIN_KEY": BOSS}) as service:
        client = service.client()
        for method, path, body, expected in [
            ("GET", "/health/ready", None, {None: 200, READER: 200, WRITER: 200, BOSS: 200}),
            ("GET", "/v1/models", None, {None: 401, "wrong": 401, READER: 200, WRITER: 200, BOSS: 200}),
            ("GET", "/metrics", None, {None: 401, READER: 200}),
            ("POST", "/v1/users/a/events", EVENT, {None: 401, READER: 403, WRITER: 200, BOSS: 200}),
            ("POST", "/v1/models/v1:activate", None, {None: 401, READER: 403, WRITER: 403, BOSS: 200}),
        ]:
            for key, status in expected.items():
                for headers in ({"Authorization": f"Bearer {key}"}, {"X-API-Key": str(key)}):
                    found, value = client.ask(method, path, body, headers if key else {})
                    if found != status:
                        raise Failed(f"{method} {path} with {key}: {found} instead of {status}: {value}")
        if any(secret in service.errors for secret in (READER, WRITER, BOSS)):
            raise Failed("a key is in the log")


def strangers_pages_get_nothing(world):
    with world.serve() as service:
        client = service.client()
        json_type = {"Content-Type": "application/json"}
        for headers, status in [
            ({"Host": "evil.example"}, 421), ({"Origin": "http://evil.example", **json_type}, 403),
            ({"Content-Type": "text/plain"}, 415), ({"Content-Type": "application/x-www-form-urlencoded"}, 415), (json_type, 200),
        ]:
            found, value = client.ask("POST", "/v1/users/a/events", json.dumps(EVENT).encode(), headers)
            if found != status:
                raise Failed(f"{headers}: {found} instead of {status}: {value}")
        if len(client.events("a")) != 1:
            raise Failed("a stranger's event was stored")


def hosts_are_looked_at(world):
    """RFC 9112, section 3.2."""
    with world.serve() as service:
        for head, status in [
            ("GET /v1/models HTTP/1.1\r\nHost: localhost\r\n", 200), ("GET /v1/models HTTP/1.1\r\nHost: localhost:1\r\n", 200),
            ("GET /v1/models HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n", 400),
            ("GET /v1/models HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n", 400), ("GET /v1/models HTTP/1.1\r\n", 400),
            ("GET /v1/models HTTP/1.1\r\nHost: localhost:evil\r\n", 400), ("GET /v1/models HTTP/1.1\r\nHost: x@localhost\r\n", 400),
            ("GET http://evil.example/v1/models HTTP/1.1\r\nHost: localhost\r\n", 421),
            ("GET HTTP://localhost/v1/models HTTP/1.1\r\nHost: evil.example\r\n", 200), ("GET /v1/models HTTP/1.0\r\n", 421),
        ]:
            with socket.create_connection(("127.0.0.1", service.port), timeout=30) as stream:
                stream.sendall(head.encode() + b"Connection: close\r\n\r\n")
                found = b""
                while chunk := stream.recv(65536):
                    found += chunk
            if not found.startswith(b"HTTP/1.1 %d " % status) or (status != 200 and b"problem+json" not in found):
                raise Failed(f"{head}: {found[:200]} instead of {status}")


def paths_are_compared_decoded(world):
    with world.serve() as service:
        client = service.client()
        client.append("a", [EVENT])
        client.expect("POST", "/v1/recommendations%3Abatch", {"users": ["a"]})
        client.expect("POST", "/v1/models/v1%3aactivate")
        if len(client.expect("GET", "/v1/users/%61/%65vents")["events"]) != 1:
            raise Failed("an encoded letter is another letter")


def certificate(world, name):
    """A certificate of this machine's own and its key; None without openssl."""
    if not shutil.which("openssl"):
        return None
    paths = world.path(name + ".pem"), world.path(name + ".key")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost",
         "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-out", paths[0], "-keyout", paths[1]],
        check=True, capture_output=True)
    return paths


def tls_from_files(world):
    own, other = certificate(world, "own"), certificate(world, "other")
    if own is None:
        return "openssl is not here: passed over"
    begin = ["--models", world.models, "--in-memory"]
    world.refuses(64, "belong together", *begin, "--certificate", own[0])
    world.refuses(66, "nowhere", *begin, "--certificate", world.path("nowhere"), "--private-key", own[1])
    world.refuses(65, "PEM", *begin, "--certificate", world.write("bad.pem", "no\n"), "--private-key", own[1])
    world.refuses(65, "PEM", *begin, "--certificate", own[0], "--private-key", world.write("bad.key", "no\n"))
    world.refuses(65, "not the key", *begin, "--certificate", own[0], "--private-key", other[1])
    with world.serve("--certificate", own[0], "--private-key", own[1]) as service:
        if "on https://127.0.0.1:" not in service.errors:
            raise Failed(f"the address has no https: {service.errors}")
        trust = ssl.create_default_context(cafile=own[0])
        with urllib.request.urlopen(f"https://localhost:{service.port}/health/ready", context=trust, timeout=30) as reply:
            if reply.status != 200:
                raise Failed(f"{reply.status} over TLS")
        trust.maximum_version = ssl.TLSVersion.TLSv1_2
        urllib.request.urlopen(f"https://localhost:{service.port}/health/live", context=trust, timeout=30).close()
        service.stop()


CHECKS = [keys_open_doors, strangers_pages_get_nothing, hosts_are_looked_at, paths_are_compared_decoded, tls_from_files]
