"""Signals."""

import shutil
import signal
import time

from service import Failed, Lost


def drains_after_sigterm(world):
    with world.serve("--drain-delay", "2s") as service:
        kept = service.client()
        kept.append("a", [{"item": "i1"}])
        service.process.send_signal(signal.SIGTERM)
        limit = time.monotonic() + 30
        while (status := service.client().ask("GET", "/health/ready")[0]) == 200:
            if time.monotonic() > limit:
                raise Failed("ready for ever after SIGTERM")
            time.sleep(0.01)
        if status != 503 or service.client().ask("GET", "/health/live")[0] != 200:
            raise Failed(f"ready is {status} while it drains")
        kept.append("a", [{"item": "i2"}], recommend=3)
        if service.process.wait(timeout=60) != 0:
            raise Failed(f"ended with {service.process.returncode}: {service.errors}")


def ends_at_once_after_the_second(world):
    with world.serve("--drain-delay", "5min") as service:
        service.process.send_signal(signal.SIGTERM)
        service.says("Stopping.")
        service.process.send_signal(signal.SIGINT)
        if service.process.wait(timeout=60) != 75:
            raise Failed(f"ended with {service.process.returncode}")


def no_request_is_lost_while_it_stops(world):
    store = world.path("stopping")
    with world.serve("--drain-delay", "300ms", store=store) as service:
        client = service.client()
        client.append("a", [{"item": "i1"}])
        acknowledged = 1
        service.process.send_signal(signal.SIGTERM)
        try:
            while True:
                client.append("a", [{"item": "i1"}])
                acknowledged += 1
        except (Lost, Failed):
            pass
        if service.process.wait(timeout=60) != 0:
            raise Failed(f"ended with {service.process.returncode}: {service.errors}")
    with world.serve(store=store) as service:
        stored = len(service.client().events("a"))
        if stored != acknowledged:
            raise Failed(f"{acknowledged} events acknowledged, {stored} stored")


def releases_after_sighup(world):
    models = world.path("releases")
    shutil.copytree(world.models, models)
    with world.serve(models=models) as service:
        client = service.client()
        client.append("a", [{"item": "i1"}])
        shutil.copytree(world.second, models + "/v2")
        service.process.send_signal(signal.SIGHUP)
        limit = time.monotonic() + 60
        while True:
            value = client.expect("GET", "/v1/users/a/recommendations?n=3")
            if value["modelVersion"] == "v2":
                break
            if time.monotonic() > limit:
                raise Failed(f"still {value['modelVersion']}: {service.errors}")
            time.sleep(0.05)
        service.process.send_signal(signal.SIGHUP)  # nothing new
        service.says("The newest version answers.", times=2)
        service.stop()
        if service.errors.count("A model was released.") != 1:
            raise Failed(f"a release of nothing: {service.errors}")


CHECKS = [drains_after_sigterm, ends_at_once_after_the_second, no_request_is_lost_while_it_stops, releases_after_sighup]
