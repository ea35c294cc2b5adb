"""Training: options, progress, the same bytes as the command, Ctrl-C."""

import contextlib
import ctypes
import inspect
import os
import pty
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import unittest.mock
from pathlib import Path

import recblr
from recblr._library import ProgressFields
from recblr._progress import _Pace
from recblr._run import INVERTIBLE, observed
from recblr._words import in_keywords
from support import TINY, data, log, python

COMMAND = shutil.which("recblr", path=os.pathsep.join([os.path.dirname(sys.executable), os.environ.get("PATH", "")]))
needs_command = unittest.skipIf(COMMAND is None, "the command recblr is not installed")


def command(*arguments):
    return subprocess.run([COMMAND, *map(str, arguments)], capture_output=True, text=True, check=True).stdout


class Options(unittest.TestCase):
    @needs_command
    def test_every_option_of_the_command_is_a_keyword(self):
        text = re.sub(r"\n {4,}", " ", command("train", "--help"))
        listed = set(re.findall(r"^  (?:-\w, )?--([a-z-]+)", text, re.M)) - {"json", "version", "help"}
        keywords = set(inspect.signature(recblr.train).parameters) - {"data", "progress"}
        self.assertEqual({name.rstrip("_").replace("_", "-") for name in keywords}, listed)
        self.assertEqual({name for name in keywords if f"/--no-{name.replace('_', '-')}" in text}, keywords & INVERTIBLE)

    def test_what_cannot_be_is_said_in_keywords(self):
        for keywords, words in (
            ({"split": "none"}, 'split="none" has no validation'),
            ({"loss": "bpr", "negatives": 3}, 'negatives= is for loss="sampled"'),
            ({"preset": "slow"}, "slow"),
            ({"epochs": 0}, "epochs"),
            ({"resume": True, "restart": True}, "resume=True or restart=True"),
            ({"hidden_size": -3}, "hidden"),
            ({"device": "abacus"}, "abacus"),
        ):
            with self.assertRaises(recblr.UsageError) as caught:
                recblr.train(data(), progress=False, **keywords)
            self.assertIsInstance(caught.exception, ValueError)
            self.assertIn(words, str(caught.exception))
        with self.assertRaises(recblr.DataError):
            recblr.train(log())

    def test_words(self):
        self.assertEqual(in_keywords("Give --epochs or --from MODEL.", {"epochs": 1, "from_": 1}), "Give epochs= or from_=MODEL.")
        self.assertEqual(in_keywords("--no-repeat-aware, --help", {"repeat_aware"}), "repeat_aware=False, --help")
        self.assertEqual(
            in_keywords("Say file_order, or file_order=True.", {"file_order"}), "Say file_order=True, or file_order=True."
        )


class AtTheSameTime(unittest.TestCase):
    def test_equal_trainings_do_not_meet(self):
        models = []
        threads = [threading.Thread(target=lambda: models.append(recblr.train(data(), **TINY))) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(len({(model.folder / "model.safetensors").read_bytes() for model in models}), 1)
        self.assertEqual(len(models), 3)


class Progressing(unittest.TestCase):
    def test_a_function_is_told(self):
        told = []
        recblr.train(data(), **{**TINY, "progress": told.append, "batch_tokens": 64})
        self.assertTrue(told)
        for now in told:
            self.assertIsInstance(now, recblr.Progress)
            self.assertTrue(0 < now.fraction <= 1 and 1 <= now.epoch <= now.epochs == 2)

    def test_a_slow_function_misses_some_but_no_end_of_an_epoch(self):
        ends = []

        def work(observer):
            now = ProgressFields(1, 1, 0, 5000, 0.0, 0.0)
            for now.step in range(1, 5001):
                observer._obj.progress(None, ctypes.pointer(now))

        def show(now):
            time.sleep(0.0001)
            ends.append(now.step)

        observed(work, show)
        self.assertLess(len(ends), 5000)
        self.assertEqual(ends[-1], 5000)

    def test_drawings_are_few(self):
        pace, clock = _Pace(), iter([0, 0.01, 0.09, 0.11, 0.12, 0.13, 0.3])
        reports = [recblr.Progress(1, 2, step, 5, 0.0, 0.0) for step in (1, 2, 3, 4, 5)] + [
            recblr.Progress(2, 2, 1, 5, 0.0, 0.0)
        ] * 2
        with unittest.mock.patch("time.monotonic", lambda: next(clock) + 100):
            self.assertEqual([pace.is_due(report) for report in reports], [True, False, False, True, True, False, True])

    def test_an_error_of_the_function_stops_training(self):
        def fail(now):
            raise ZeroDivisionError("mine")

        with self.assertRaisesRegex(ZeroDivisionError, "mine"):
            recblr.train(data(), **{**TINY, "progress": fail, "epochs": 10_000, "patience": 10_000})

    def test_lines_and_silence(self):
        code = "import support as s, recblr; recblr.train(s.data(), **{**s.TINY, 'progress': %s})"
        here = os.path.dirname(os.path.abspath(__file__))
        self.assertIn("Epoch 2", python(code % True, cwd=here).stderr)
        self.assertNotIn("Epoch", python(code % False, cwd=here).stderr)

    def test_a_bar_on_a_terminal(self):
        ours, theirs = pty.openpty()
        code = "import support as s, recblr; recblr.train(s.data(), **{**s.TINY, 'progress': True, 'batch_tokens': 32})"
        here = os.path.dirname(os.path.abspath(__file__))
        program = subprocess.Popen([sys.executable, "-c", code], stderr=theirs, cwd=here)
        os.close(theirs)
        shown = b""
        with contextlib.suppress(OSError):  # how a terminal says that nobody is there any more
            while piece := os.read(ours, 4096):
                shown += piece
        os.close(ours)
        self.assertEqual(program.wait(60), 0)
        text = shown.decode()
        self.assertIn("█", text)
        self.assertIn("validation NDCG@10", text)
        self.assertTrue(text.endswith("\r\x1b[K"), text[-40:])


class LikeTheCommand(unittest.TestCase):
    @needs_command
    def test_the_same_bytes(self):
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder, "log.csv")
            file.write_text("user,item,timestamp\n" + "".join(f"{u},{i},{t.isoformat()}\n" for u, i, t in log()))
            command("prepare", file, "--output", Path(folder, "data"))
            shape = ["--hidden-size", 16, "--layers", 1, "--epochs", 2, "--seed", 5, "--threads", 2]
            command("train", Path(folder, "data"), "--model", Path(folder, "model"), *shape)
            ours = recblr.train(data(), hidden_size=16, layers=1, epochs=2, seed=5, threads=2, progress=False)
            same = (ours.folder / "model.safetensors").read_bytes() == Path(folder, "model", "model.safetensors").read_bytes()
            self.assertTrue(same, "model.safetensors differ")

    def test_continuing(self):
        first = recblr.train(data(), **TINY)
        final = recblr.train(data(), **{**TINY, "epochs": None}, split="none", epochs_from=first)
        self.assertNotIn("test", final.training)
        later = recblr.train(data(), progress=False, from_=final, epochs=1, split="none")
        self.assertEqual(later.items, first.items)


LONG = """
import sys, recblr, support
options = {**support.TINY, "epochs": 100_000, "patience": 100_000, "batch_tokens": 64}
def show(now):
    if now.epoch > 2:
        print("going", flush=True)
try:
    recblr.train(support.data(), **{**options, "progress": show}, **MORE)
except KeyboardInterrupt as error:
    assert isinstance(error, recblr.Interrupted), repr(error)
    assert "resume=True" in str(error), error
    print("stopped:", error)
else:
    sys.exit("it was not stopped")
"""


class Interrupting(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.environment = {**os.environ, "XDG_CACHE_HOME": self.folder.name}

    def interrupted(self, more):
        """Begins a long training in a program of its own and presses Ctrl-C once it is going."""
        code = LONG.replace("MORE", repr(more))
        here = os.path.dirname(os.path.abspath(__file__))
        program = subprocess.Popen(
            [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=self.environment, cwd=here
        )
        self.assertEqual(program.stdout.readline(), "going\n")
        program.send_signal(signal.SIGINT)
        output, errors = program.communicate(timeout=120)
        self.assertEqual(program.returncode, 0, errors)
        self.assertIn("stopped:", output)
        self.assertEqual(errors, "")
        return output

    def runs(self):
        return [name for name in os.listdir(os.path.join(self.folder.name, "recblr", "runs")) if not name.endswith(".lock")]

    def test_with_a_folder(self):
        model = os.path.join(self.folder.name, "model")
        self.interrupted({"model": model, "schedule": "constant"})
        with self.assertRaisesRegex(recblr.RecBLRError, "resume=True"):
            recblr.train(data(), model=model, **TINY)
        options = {**TINY, "schedule": "constant", "batch_tokens": 64, "epochs": 4}
        with self.assertRaises(recblr.RecBLRError):
            recblr.train(data(), model=model, resume=True, **{**options, "hidden_size": 4})
        self.interrupted({"model": model, "schedule": "constant", "resume": True})

    def test_without_a_folder(self):
        self.interrupted({})
        runs = self.runs()
        self.assertEqual(len(runs), 1, runs)
        checkpoint = os.path.join(self.folder.name, "recblr", "runs", runs[0], "checkpoint.safetensors")
        before = os.path.getmtime(checkpoint)
        self.interrupted({"resume": True})
        self.assertEqual(self.runs(), runs)
        after = os.path.getmtime(checkpoint)
        self.assertGreater(after, before)

    def test_ended_before_the_model_was_taken(self):
        with unittest.mock.patch.dict(os.environ, {"XDG_CACHE_HOME": self.folder.name}):
            with unittest.mock.patch("recblr._training._moved", side_effect=SystemExit), self.assertRaises(SystemExit):
                recblr.train(data(), **TINY)
            self.assertEqual(len(self.runs()), 1)
            model = recblr.train(data(), resume=True, **TINY)
            self.assertEqual(self.runs(), [])
        self.assertEqual(model.training["epochs"][-1]["epoch"], TINY["epochs"])

    def test_resumed_is_the_same(self):
        """Stopped by a function's own error after an epoch, and gone on: the bytes of a run in one piece."""
        options = {**TINY, "epochs": 3, "batch_tokens": 64}
        whole = recblr.train(data(), **options)

        def stop(now):
            if now.epoch == 2:
                raise ZeroDivisionError

        model = os.path.join(self.folder.name, "model")
        with self.assertRaises(ZeroDivisionError):
            recblr.train(data(), model=model, **{**options, "progress": stop})
        resumed = recblr.train(data(), model=model, resume=True, **options)
        self.assertEqual((resumed.folder / "model.safetensors").read_bytes(), (whole.folder / "model.safetensors").read_bytes())


if __name__ == "__main__":
    unittest.main()
