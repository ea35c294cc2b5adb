"""What the server says: log lines and metrics."""

import json
import os
import re

from service import Failed


def log_lines_are_json_without_users(world):
    with world.serve("--log-format", "json", "--log-level", "debug", "--log-requests") as service:
        client = service.client()
        client.append("alice-in-the-log", [{"item": "i1"}], recommend=3)
        client.ask("GET", "/v1/users/alice-in-the-log", headers={"X-Request-Id": "mine-1"})
        client.ask("GET", "/v1/users/alice-in-the-log/nothing")
        client.ask("POST", "/v1/users/alice-in-the-log/events", b"{")
        service.stop()
        entries = [json.loads(line) for line in service.errors.splitlines()]
        messages = [entry["message"] for entry in entries]
        if not any("in memory only" in text for text in messages) or messages[-1] != "Stopped.":
            raise Failed(f"what may be lost, and the end: {messages}")
        if "alice" in service.errors:
            raise Failed("a user is in the log")
        found = [entry for entry in entries if entry.get("request") == "mine-1"]
        if len(found) != 1 or found[0]["route"] != "/v1/users/{user}" or found[0]["status"] != 200 or found[0]["level"] != "info":
            raise Failed(f"the line of a request: {found}")


def described():
    """The names of the metrics in the operator's handbook."""
    with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../docs/operations.md"), encoding="utf-8") as file:
        return re.findall(r"^\| `(recblr_[a-z_]+)` \|", file.read(), re.MULTILINE)


def all_metrics_are_there_from_the_start(world):
    """A counter that appears with its first event has no increase for Prometheus."""
    with world.serve() as service:
        client = service.client()
        client.expect("GET", "/health/ready")
        text = client.expect("GET", "/metrics").decode()
    missing = [name for name in described() if f"# TYPE {name} " not in text]
    empty = [name for name in described() if not re.search(f"^{name}(_count)?({{.*}})? ", text, re.MULTILINE)]
    if not described() or missing or empty:
        raise Failed(f"not exported: {missing} {empty}")


def metrics_are_what_prometheus_reads(world):
    with world.serve() as service:
        client = service.client()
        for index in range(20):
            client.append(f"user-{index}", [{"item": "i1"}, {"item": "nobody knows"}], recommend=3)
        client.ask("GET", "/v1/users/nobody")
        status, text = client.ask("GET", "/metrics")
        text = text.decode()
        if status != 200 or "user-" in text or "Not described" in text:
            raise Failed(f"{status}: {[line for line in text.splitlines() if 'user-' in line or 'Not described' in line]}")
    try:
        from prometheus_client.parser import text_string_to_metric_families
    except ImportError:
        return "prometheus_client is not here: passed over"
    families = {family.name: family for family in text_string_to_metric_families(text)}
    samples = {(sample.name, tuple(sorted(sample.labels.items()))): sample.value for family in families.values() for sample in family.samples}
    if len(samples) != len([line for line in text.splitlines() if not line.startswith("#")]):
        raise Failed("a series is there twice")
    wrong = [
        name for name, family in families.items()
        if not re.fullmatch("recblr_[a-z0-9_]+", name) or family.type == "unknown" or not family.documentation]
    if wrong:
        raise Failed(f"names, types or help: {wrong}")
    route = (("method", "POST"), ("route", "/v1/users/{user}/events"))
    if samples["recblr_http_requests_total", route + (("status", "200"),)] != 20 or samples["recblr_events_total", ()] != 40:
        raise Failed("counts are wrong")
    if samples["recblr_http_request_duration_seconds_count", route] != 20:
        raise Failed("durations are not counted")
    for name, family in families.items():
        if family.type == "histogram":
            check_histogram(name, family)
    if samples["recblr_process_resident_memory_bytes", ()] < 1e6 or samples["recblr_process_open_fds", ()] < 4:
        raise Failed("the process tells no sizes")


def check_histogram(name, family):
    """Buckets grow and end with the count."""
    series = {}
    for sample in family.samples:
        labels = tuple(sorted((key, value) for key, value in sample.labels.items() if key != "le"))
        series.setdefault(labels, {}).setdefault(sample.name.removeprefix(name), []).append(sample.value)
    for parts in series.values():
        if parts["_bucket"] != sorted(parts["_bucket"]) or parts["_bucket"][-1] != parts["_count"][0]:
            raise Failed(f"{name}: {parts}")


CHECKS = [log_lines_are_json_without_users, all_metrics_are_there_from_the_start, metrics_are_what_prometheus_reads]
