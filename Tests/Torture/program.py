"""Runs the program under test and says what no run of it may ever do."""

import os
import re
import resource
import signal
import subprocess
import threading
from dataclasses import dataclass, field

TIME_LIMIT = 20  # seconds; a run here takes a tenth of one
ALLOWED_CODES = {0} | set(range(64, 79))
TRAP_TEXT = re.compile(rb"Fatal error|Stack dump|\*\*\* |Program crashed|Illegal instruction|terminate called|Swift runtime failure")
NOTE = re.compile(rb"recblr: (warning|note)\b", re.I)


@dataclass
class Outcome:
    """How a run ended. A negative status is the number of a signal."""

    arguments: list
    status: int
    output: bytes
    error: bytes
    timed_out: bool = False

    @property
    def sentences(self):
        """Lines of standard error that say why the program failed; notes and progress are not among them."""
        lines = self.error.replace(b"\r", b"\n").split(b"\n")
        return [line for line in lines if line.startswith((b"recblr: ", b"Error: ")) and not NOTE.match(line)]

    def problems(self):
        """Pairs of kind and explanation."""
        said = self.error[-600:].decode(errors="replace").strip()
        if self.timed_out:
            return [("hang", f"did not end in {TIME_LIMIT} s: {said}")]
        if self.status < 0:
            return [("signal", f"ended by {signal.Signals(-self.status).name}: {said}")]
        found = []
        if self.status not in ALLOWED_CODES:
            found.append(("code", f"exit code {self.status}: {said}"))
        if TRAP_TEXT.search(self.error):
            found.append(("trap-text", said))
        if self.status != 0 and self.output:
            found.append(("partial-output", f"exit code {self.status} after output {self.output[:200]!r}"))
        if self.status in ALLOWED_CODES - {0} and len(self.sentences) != 1:
            found.append(("sentences", f"{len(self.sentences)} sentences, expected 1: {said!r}"))
        return found


@dataclass
class Program:
    """The program, and how often it was run."""

    path: str
    runs: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)
    supported: dict = field(default_factory=dict)

    def environment(self, extra=None):
        base = {name: os.environ[name] for name in ("PATH", "HOME", "LD_LIBRARY_PATH", "TMPDIR") if name in os.environ}
        base |= {
            "COLUMNS": "100", "CUDA_VISIBLE_DEVICES": "", "RECBLR_CUDA_PATH": "", "LANG": "C.UTF-8", "TERM": "dumb",
            "SWIFT_BACKTRACE": "enable=no", "LLVM_PROFILE_FILE": "/dev/null", "OPENBLAS_NUM_THREADS": "1",
        }
        return base | (extra or {})

    def count(self):
        with self.lock:
            self.runs += 1

    def start(self, arguments, folder, prefix=(), limits=(), environment=None, **streams):
        """Starts the program in a session of its own, so that it can be ended with all that it started."""
        self.count()

        def prepare():
            for name, value in limits:
                resource.setrlimit(name, (value, value))

        options = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | streams
        return subprocess.Popen(
            [*prefix, self.path, *arguments], cwd=folder, env=self.environment(environment),
            start_new_session=True, preexec_fn=prepare if limits else None, **options)

    def run(self, arguments, folder, **options):
        return finish(self.start(arguments, folder, **options), arguments)

    def supports(self, command, option):
        """Whether a command's help names an option."""
        with self.lock:
            if command not in self.supported:
                help_text = subprocess.run(
                    [self.path, command, "--help"], capture_output=True, env=self.environment(), timeout=TIME_LIMIT)
                self.supported[command] = help_text.stdout.decode()
        return re.search(re.escape(option) + r"\b", self.supported[command]) is not None


def finish(process, arguments, time_limit=TIME_LIMIT):
    """Waits for a run; one that takes too long is ended with what it started."""
    try:
        output, error = process.communicate(timeout=time_limit)
        return Outcome(arguments, process.returncode, output or b"", error or b"")
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        output, error = process.communicate()
        return Outcome(arguments, process.returncode, output or b"", error or b"", timed_out=True)
