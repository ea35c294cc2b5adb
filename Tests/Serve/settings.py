"""What the program is told, and how it ends where that cannot be."""

import os
import socket
import subprocess

from service import Failed


def settings_come_from_three_places(world):
    file = world.write("serve.json", '{"port": 7001, "host": "localhost", "event-types": ["view", "buy"]}')
    code, output, error = world.outcome(
        "--configuration", file, "--print-configuration", "--in-memory",
        environment={"RECBLR_SERVE_PORT": "7002", "RECBLR_SERVE_ADMIN_KEY": "swordfish-swordfish", "RECBLR_SERVE_PROT": "1"})
    rows = {line.split()[0]: line.split()[1:] for line in output.splitlines()[2:]}
    expected = {
        "port": ["7002", "RECBLR_SERVE_PORT"], "host": ["localhost", "serve.json:", "host"],
        "event-types": ["view,buy", "serve.json:", "event-types"], "in-memory": ["true", "--in-memory"],
        "admin-key": ["(secret)", "RECBLR_SERVE_ADMIN_KEY"], "durability": ["full", "default"]}
    wrong = {name: rows.get(name) for name, row in expected.items() if rows.get(name) != row}
    if code != 0 or wrong or "swordfish" in output + error:
        raise Failed(f"{code}: {wrong}: {output} {error}")
    if "RECBLR_SERVE_PROT is no setting" not in error:
        raise Failed(f"a variable that is no setting goes unnoticed: {error}")


def the_first_variable_of_the_environment_counts(world):
    """Until libraries have started, its place is lent to another variable; an optimiser once dropped the giving back."""
    done = subprocess.run(
        [world.program, "serve", "--models", "x", "--print-configuration"], capture_output=True, env={"RECBLR_SERVE_PORT": "4711"})
    if b"4711" not in done.stdout:
        raise Failed(f"RECBLR_SERVE_PORT is not seen: {done.stdout.decode()}{done.stderr.decode()}")


def what_cannot_be_is_refused(world):
    models = ["--models", world.models]
    world.refuses(64, "give --models", "--in-memory")
    world.refuses(64, "give --store", *models)
    world.refuses(64, "exclude each other", *models, "--in-memory", "--store", world.path("events"))
    world.refuses(64, "'x' is not a number", *models, "--in-memory", "--port", "x")
    world.refuses(64, "RECBLR_SERVE_PORT: 'tcp://10.0.0.1:80'", *models, "--in-memory", environment={"RECBLR_SERVE_PORT": "tcp://10.0.0.1:80"})
    world.refuses(64, "without keys only this machine", *models, "--in-memory", "--host", "0.0.0.0")
    for option, value, words in [
        ("--maximum-wait", "0ms", "1ms ... 1440min"), ("--idle-timeout", "0s", "100ms ... 1440min"), ("--state-memory", "100", "at least 8KiB"),
        ("--cors-origins", "shop.example", "https://shop.example"), ("--allowed-hosts", "http://x", "without scheme"),
    ]:
        world.refuses(64, words, *models, "--in-memory", option, value)
    world.refuses(64, "a key without spaces", *models, "--in-memory", environment={"RECBLR_SERVE_READ_KEY": "two words"})
    world.refuses(64, "there is no setting 'prot'", *models, "--configuration", world.write("bad.json", '{"prot": 1}'))
    world.refuses(65, "one JSON object", *models, "--configuration", world.write("bad.json", "[1]"))
    world.refuses(66, "nowhere", *models, "--configuration", world.path("nowhere.json"))
    world.refuses(66, "nowhere", "--in-memory", "--models", world.path("nowhere"))
    world.refuses(66, "nowhere", *models, "--in-memory", "--keys", world.path("nowhere"))
    world.refuses(65, "line 1", *models, "--in-memory", "--keys", world.write("keys", "nobody secret\n"))
    world.refuses(65, "hexadecimal", *models, "--in-memory", "--token-keys", world.write("tokens", "abc\n"))


def a_port_in_use_is_said(world):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        world.refuses(69, f"port {port} of 127.0.0.1 is in use", "--models", world.models, "--in-memory", "--port", str(port))
        store = world.path("never")
        world.refuses(69, f"port {port} of 127.0.0.1 is in use", "--models", world.models, "--store", store, "--port", str(port))
        world.refuses(66, "nowhere", "--models", world.path("nowhere"), "--store", store, "--port", "0")
        if os.path.exists(store):
            raise Failed("a start that is refused leaves a store behind")


def a_store_in_use_is_said(world):
    store = world.path("events")
    with world.serve(store=store) as first:
        world.refuses(69, "events", "--models", world.models, "--store", store, "--port", "0")
        first.client().append("a", [{"item": "i1"}])
        first.stop()
    with world.serve(store=store) as second:
        if len(second.client().events("a")) != 1:
            raise Failed("an event is gone after a restart")


CHECKS = [
    settings_come_from_three_places, the_first_variable_of_the_environment_counts, what_cannot_be_is_refused, a_port_in_use_is_said, a_store_in_use_is_said,
]
