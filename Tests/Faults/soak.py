"""A long load at 80 % of saturation while states are evicted all the time: neither memory nor latency may grow."""

import json
import os
import subprocess

from service import Failed


def load(context, service, folder, seconds, *options):
    output = os.path.join(folder, "load.json")
    items = os.path.join(context.models_of("v1"), "v1", "items.tsv")
    subprocess.run(
        [context.bench, "load", "--port", str(service.port), "--items", items, "--process", str(service.process.pid), "--users", "20000",
         "--seconds", str(seconds), "--disk", folder, "--output", output, *options], check=True, stdout=subprocess.DEVNULL)
    with open(output) as file:
        return json.load(file)


def soak(context):
    if not context.bench:
        context.note("no --bench: nothing was soaked")
        return "skipped"
    folder = context.folder("soak")
    with context.serve(folder, "--state-memory", "2MB").ready() as service:
        # In an empty log all users are new, and no state has to come back: that says nothing about the hours that follow.
        load(context, service, folder, min(120, 60 * context.soak_minutes))
        saturation = load(context, service, folder, 15)["perSecond"]
        found = load(context, service, folder, 60 * context.soak_minutes, "--rate", str(0.8 * saturation))
        service.alive()
        service.stop()
    windows = found["windows"]
    if found["failures"] or found["unsent"]:
        raise Failed(f"failures: {found['statuses']}, unsent {found['unsent']}")
    first, last = windows[1], windows[-1]
    middle = sorted(window["p99"] for window in windows[1:6])[2]
    end = sorted(window["p99"] for window in windows[5:])[2]
    said = f"{found['perSecond']:.0f}/s for {context.soak_minutes} min, {first['megabytes']:.0f} to {last['megabytes']:.0f} MB, p99 {middle:.1f} to {end:.1f} ms"
    if last["megabytes"] > 1.1 * first["megabytes"] + 16:
        raise Failed(f"memory grows: {said}: {windows}")
    if end > 2 * middle + 5:
        raise Failed(f"latency grows: {said}: {windows}")
    return said


CHECKS = {"soak": soak}
