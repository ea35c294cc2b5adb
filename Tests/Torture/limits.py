"""Standard streams that are full, closed or broken, and limits on memory, files, descriptors and stacks."""

import os
import resource

from case import Case, Failure
from syscalls import identity
from world import EXPERIMENT, FILTERS, TINY, copy

MEGABYTE = 1 << 20
COMMANDS = {
    "prepare": (("prepare", "log.csv", "-o", "out", *FILTERS), ("log.csv",), "out"),
    "train": (("train", "data", "-m", "out", *TINY), ("data",), "out"),
    "evaluate": (("evaluate", "model", "data"), ("model", "data"), None),
    "recommend": (("recommend", "model", "--data", "data", "--user", "u3"), ("model", "data"), None),
    "recommend-json": (("recommend", "model", "--histories", "histories.txt", "--json"), ("model", "histories.txt"), None),
    "inspect": (("inspect", "model"), ("model",), None),
    "experiment": (("experiment", "expansion", "data", "-o", "out", *EXPERIMENT), ("data",), "out"),
    "import": (
        ("import", "reference.safetensors", "--length", "16", "--items", "items.tsv", "-m", "out"),
        ("reference.safetensors", "items.tsv"), "out"),
    "version": (("--version",), (), None),
    "help": (("train", "--help"), (), None),
}
# Redirections, and whether the result is lost by them: then the program has to say so.
STREAMS = {
    "output-full": (">/dev/full", True), "output-closed": (">&-", True), "error-full": ("2>/dev/full", False),
    "error-closed": ("2>&-", False), "input-closed": ("<&-", False), "all-closed": ("<&- >&- 2>&-", True),
    "output-error-full": (">/dev/full 2>/dev/full", True),
}
LIMITS = {
    "memory": (resource.RLIMIT_AS, [60, 100, 250, 400, 700, 1500]), "data": (resource.RLIMIT_DATA, [8, 30, 100, 400]),
    "stack": (resource.RLIMIT_STACK, [0.0625, 0.125, 0.25, 0.5, 1]),
    "file-size": (resource.RLIMIT_FSIZE, [0, 0.0005, 0.004, 0.03]),
}
DESCRIPTORS = [4, 5, 6, 7, 8, 10, 14]


def cases(context, seed, count):
    for name, command in COMMANDS.items():
        for stream, (redirection, is_lost) in STREAMS.items():
            yield Case("limits", f"{name}:{stream}", lambda case, c=command, r=redirection, l=is_lost: streams(context, case, c, r, l))
        yield Case("limits", f"{name}:output-broken", lambda case, c=command: broken_pipe(context, case, c, "output"))
        yield Case("limits", f"{name}:error-broken", lambda case, c=command: broken_pipe(context, case, c, "error"))
    for name in ("prepare", "train", "recommend", "experiment", "version"):
        for limit, (number, sizes) in LIMITS.items():
            values = [(f"{size:g}M", int(size * MEGABYTE)) for size in sizes]
            yield from (limit_case(context, name, limit, number, text, value) for text, value in values)
        yield from (limit_case(context, name, "descriptors", resource.RLIMIT_NOFILE, str(n), n) for n in DESCRIPTORS)


def limit_case(context, name, limit, number, text, value):
    return Case("limits", f"{name}:{limit}-{text}", lambda case: limited(context, case, COMMANDS[name], number, value))


def ready(context, case, command):
    folder = context.folder(case)
    copy(context.world, folder, command[1])
    return folder


def failures(context, case, folder, found):
    subject = case.name.split("-")[0] if ":" not in case.name else case.name.replace(":", "/")
    if not found:
        context.discard(folder)
    return [Failure(f"limits/{subject}/{kind}", f"{case.name}: {detail}", folder=folder) for kind, detail in found]


def whole(context, command, folder):
    """What the command leaves without limits, next to what it left with them."""
    arguments, needs, output = command
    place = folder + "-whole"
    copy(context.world, place, needs)
    context.program.run(list(arguments), place)
    result = identity(os.path.join(place, output)) if output else None
    context.discard(place)
    return result


def streams(context, case, command, redirection, is_lost):
    folder = ready(context, case, command)
    arguments, _, output = command
    outcome = context.program.run(
        list(arguments), folder, prefix=["/bin/sh", "-c", f'exec "$@" {redirection}', "sh"])
    found = outcome.problems()
    if "2>" in redirection:  # then its sentence is lost
        found = [problem for problem in found if problem[0] != "sentences"]
    if is_lost and outcome.status != 73:
        found.append(("lost-output", f"exit code {outcome.status}, though its output was lost; expected 73"))
    if not is_lost and outcome.status != 0:
        found.append(("ended", f"exit code {outcome.status} for the loss of a message"))
    if output and identity(os.path.join(folder, output)) != whole(context, command, folder):
        found.append(("lost-work", "the output folder is not as without the redirection"))
    return failures(context, case, folder, found)


def broken_pipe(context, case, command, stream):
    """Nobody reads any more, as behind `head`."""
    folder = ready(context, case, command)
    reading, writing = os.pipe()
    os.close(reading)
    streams = {"stdout": writing} if stream == "output" else {"stderr": writing}
    outcome = context.program.run(list(command[0]), folder, **streams)
    os.close(writing)
    found = []
    # Dying of SIGPIPE is what a shell's tools do for their output; a message may never be the end of a training.
    if stream == "output" and outcome.status not in (-13, 73):
        found = outcome.problems() + [("lost-output", f"exit code {outcome.status}, though its output was lost")]
    if stream == "error" and outcome.status != 0:
        found = [("ended", f"status {outcome.status} for the loss of a message")]
    if command[2] and identity(os.path.join(folder, command[2])) != whole(context, command, folder):
        found.append(("lost-work", "the output folder is not as it would be otherwise"))
    return failures(context, case, folder, found)


def limited(context, case, command, number, value):
    folder = ready(context, case, command)
    arguments, needs, output = command
    before = set(os.listdir(folder))
    outcome = context.program.run(list(arguments), folder, limits=[(number, value)])
    if outcome.status == 127:  # the loader did not get as far as the program
        context.discard(folder)
        return []
    found = outcome.problems()
    if output:
        now = identity(os.path.join(folder, output))
        if outcome.status == 0 and now != whole(context, command, folder):
            found.append(("other-result", "exit code 0 with another result"))
        extra = set(os.listdir(folder)) - before - {output, output + ".training"}
        if extra:
            found.append(("leftover", f"left {sorted(extra)}"))
    return failures(context, case, folder, found)
