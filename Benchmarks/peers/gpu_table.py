"""What was measured on a GPU beside its limit or peer, and whether the goal is reached."""

from dataclasses import dataclass

GOALS = {
    "share": 0.8,  # of the device's copy bandwidth
    "paper": 2,  # times as fast as the paper's way
    "eager": 10,  # times as many events a second as PyTorch
    "compiled": 4,  # and as its torch.compile
    "epoch": 0.5,  # seconds, MovieLens-1M
    "train": 30,  # seconds from the process's start to the end of the test
    "ndcg": 0.19,  # masked, at 10, on the test
    "curve": 0.01,  # relative difference of an epoch's loss from the CPU's
    "top_k": 2e-3,  # seconds
}


FAILED = "failed"  # the value of a row that says beside it why


@dataclass(frozen=True)
class Row:
    name: str
    value: str
    beside: str = ""
    ratio: float | None = None
    goal: str = ""
    reached: bool | None = None


def at_least(name: str, value: str, beside: str, ratio: float, goal: float) -> Row:
    return Row(name, value, beside, ratio, f">= {goal:g} x", ratio >= goal)


def at_most(name: str, value: float, goal: float, unit: str = "s", scale: float = 1) -> Row:
    return Row(name, f"{scale * value:,.3g} {unit}", "", value / goal, f"<= {scale * goal:g} {unit}", value <= goal)


def rows(ours: dict, peers: dict, run: dict) -> list[Row]:
    """Of what was measured: each of these may lack parts, or hold nothing."""
    return copy_rows(ours, peers) + scan_rows(ours, peers) + training_rows(ours, peers) + run_rows(run) + rest(ours)


def copy_rows(ours: dict, peers: dict) -> list[Row]:
    own, theirs = ours.get("copy_gigabytes_per_second"), peers.get("copy_gigabytes_per_second")
    name = "copy on the device"
    if own and theirs:
        return [Row(name, f"{own:,.0f} GB/s", f"PyTorch's {theirs:,.0f} GB/s", own / theirs)]
    return [Row(name, f"{own:,.0f} GB/s")] if own else []


def scan_rows(ours: dict, peers: dict) -> list[Row]:
    paper = {(scan["shape"], scan["direction"]): scan["seconds"] for scan in peers.get("scans", [])}
    result = []
    for scan in ours.get("scans", []):
        copy = ours["copy_gigabytes_per_second"]
        name = f"gated scan {scan['shape']} {scan['direction']}"
        if decays := scan.get("decays"):
            name += f", decays {decays}"
        rate = f"{scan['bytes'] / scan['seconds'] / 1e9:,.0f} GB/s"
        result.append(at_least(name, rate, f"copy {copy:,.0f} GB/s", scan["share_of_copy"], GOALS["share"]))
        if other := paper.get((scan["shape"], scan["direction"])):
            own, theirs = f"{1e3 * scan['seconds']:.3f} ms", f"paper's way {1e3 * other:.3f} ms"
            result.append(at_least(name, own, theirs, other / scan["seconds"], GOALS["paper"]))
    return result


def training_rows(ours: dict, peers: dict) -> list[Row]:
    others = {(entry["precision"], entry["tokens_a_step"]): entry["rates"] for entry in peers.get("training", [])}
    result = []
    for entry in ours.get("training", []):
        rate, rates = entry["tokens_per_second"], others.get((entry["precision"], entry["tokens_a_step"]), {})
        name, value = f"training, {entry['precision']}, {entry['tokens_a_step']:,} tokens a step", f"{rate:,.0f} events/s"
        if "eager" in rates:
            result.append(
                at_least(name, value, f"PyTorch {rates['eager']:,.0f}", rate / rates["eager"], GOALS["eager"]))
        # The fastest of what torch.compile offers; where that is slower than none, none.
        if rates.keys() - {"eager"}:
            way, best = max(rates.items(), key=lambda pair: pair[1])
            result.append(at_least(name, value, f"{way} {best:,.0f}", rate / best, GOALS["compiled"]))
        if not rates:
            result.append(Row(name, value))
    if ours.get("training"):
        best = min(ours["training"], key=lambda entry: entry["epoch_seconds"])
        how = f"{best['precision']}, {best['tokens_a_step']:,} tokens a step"
        result.append(at_most(f"epoch of ML-1M, {how}", best["epoch_seconds"], GOALS["epoch"]))
    return result


def run_rows(run: dict) -> list[Row]:
    if not run:
        return []
    ndcg, seconds = run["masked_ndcg"], run["seconds"]
    whole = at_most(f"ML-1M from start to a test of masked NDCG@10 {ndcg:.4f}", seconds, GOALS["train"])
    reached = whole.reached and ndcg >= GOALS["ndcg"]
    result = [Row(whole.name, whole.value, f"goal {GOALS['ndcg']:g}", whole.ratio, whole.goal, reached)]
    if run["passes_after"] is not None:
        result.append(Row(f"  validation passes {GOALS['ndcg']:g} after", f"{run['passes_after']:.1f} s of training"))
    if "cpu_losses" in run:
        difference = curve_difference(run["losses"], run["cpu_losses"])
        result.append(at_most("  its training loss from the CPU's, at most", difference, GOALS["curve"], "%", 100))
    return result


def curve_difference(losses: list[float], others: list[float]) -> float:
    """The largest relative difference of two curves of the same length."""
    return max(abs(own - other) / other for own, other in zip(losses, others, strict=True))


def rest(ours: dict) -> list[Row]:
    if not ours:
        return []
    top = ours["top_k"]
    name = f"top 10 of {top['items']:,} items for {top['users']} users"
    return [at_most(name, top["seconds"], GOALS["top_k"], "ms", 1e3)] + [
        Row(f"sequence of {entry['tokens']:,}", f"{entry['bytes'] / 1e6:,.0f} MB", f"{1e3 * entry['seconds']:,.1f} ms")
        for entry in ours["lengths"]
    ]


def text(table: list[Row]) -> str:
    """The table in columns as wide as they must be; only the reason of a failure is longer."""
    lines = [("", "value", "limit or peer", "ratio", "goal", "reached")] + [
        (row.name, row.value, row.beside, "" if row.ratio is None else f"{row.ratio:,.2f}", row.goal,
         {True: "yes", False: "NO", None: ""}[row.reached])
        for row in table
    ]
    widths = [max(len(line[column]) for line in lines if line[1] != FAILED) for column in range(6)]

    def padded(line: tuple[str, ...]) -> str:
        cells = [cell.ljust(width) if column in (0, 2, 5) else cell.rjust(width)
                 for column, (cell, width) in enumerate(zip(line, widths))]
        return "  ".join(cells).rstrip()

    return "\n".join(map(padded, lines))
