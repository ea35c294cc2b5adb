"""Releases under load and kills during releases: every reply is that of one version, whole."""

import threading
import time

from context import ITEMS, run_threads
from service import Failed, Lost, scores

USERS = 24


def histories(context):
    generator = context.random("releases")
    return {f"reader-{user}": [f"i{generator.randrange(ITEMS)}" for _ in range(10)] for user in range(USERS)}


def expected_answers(context, folder, known):
    """What each version answers each user, from servers that have only that version."""
    answers = {}
    for version in ("v1", "v2"):
        with context.serve(folder, models=context.models_of(version), store=False).ready() as service:
            client = service.client()
            for user, items in known.items():
                client.append(user, [{"item": item} for item in items])
            answers[version] = {user: client.recommendations(user, n=20) for user in known}
    return answers


def check_answer(client, user, answers):
    value = client.expect("GET", f"/v1/users/{user}/recommendations?n=20&excludeSeen=never")
    if scores(value) != answers[value["modelVersion"]][user]:
        raise Failed(f"{user}: {value} is not what {value['modelVersion']} answers: {answers[value['modelVersion']][user][:3]}")
    return value["modelVersion"]


def release_under_load(context):
    """The two versions are released in turn while eight clients ask."""
    folder, known = context.folder("releases"), histories(context)
    answers = expected_answers(context, folder, known)
    is_over, counts = threading.Event(), {"v1": 0, "v2": 0}

    def read(service, seed):
        client = service.client()
        while not is_over.is_set():
            counts[check_answer(client, seed.choice(list(known)), answers)] += 1
        client.close()

    def release(service):
        try:
            client = service.client()
            for number in range(4 * context.rounds):
                client.expect("POST", f"/v1/models/v{1 + number % 2}:activate")
                check = check_answer(client, next(iter(known)), answers)
                if check != f"v{1 + number % 2}":
                    raise Failed(f"{check} answers after the release of v{1 + number % 2}")
        finally:
            is_over.set()

    with context.serve(folder, models=context.models_copy(folder)).ready() as service:
        client = service.client()
        for user, items in known.items():
            client.append(user, [{"item": item} for item in items])
        bodies = [lambda seed=context.random(f"releases/{reader}"): read(service, seed) for reader in range(8)]
        run_threads([lambda: release(service), *bodies])
        service.stop()
    return f"{4 * context.rounds} releases, answers by version {counts}"


def kill_while_releasing(context):
    """After a kill in the middle of a release the server answers with one version, and the next release works. Every other kill comes after
    the reply: that release is kept."""
    folder, known = context.folder("kill-release"), histories(context)
    answers = expected_answers(context, folder, known)
    models, generator, met = context.models_copy(folder), context.random("kill-release"), {"v1": 0, "v2": 0}
    with context.serve(folder, models=models).ready() as service:
        client = service.client()
        for user, items in known.items():
            client.append(user, [{"item": item} for item in items])
    released = None
    for number in range(max(3, context.rounds)):
        with context.serve(folder, models=models).ready() as service:
            versions = {check_answer(service.client(), user, answers) for user in known}
            if len(versions) != 1:
                raise Failed(f"several versions at once: {versions}")
            version = versions.pop()
            if released not in (None, version):
                raise Failed(f"{version} answers although the release of {released} was acknowledged")
            met[version] += 1
            other = "v1" if version == "v2" else "v2"
            if number % 2:
                service.client().expect("POST", f"/v1/models/{other}:activate")
                released = other
                continue  # which kills it
            released = None
            killer = threading.Timer(generator.uniform(0, 0.05), service.kill)
            killer.start()
            try:
                service.client().ask("POST", f"/v1/models/{other}:activate")
                time.sleep(0.05)
            except Lost:
                pass
            killer.join()
    if not all(met.values()):
        raise Failed(f"only one version was ever met: {met}")
    return f"{max(3, context.rounds)} kills; found afterwards {met}"


CHECKS = {"release-under-load": release_under_load, "kill-while-releasing": kill_while_releasing}
