"""Forked and spawned processes."""

import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest
import warnings
from pathlib import Path

import recblr
from support import TINY, data, model, python

HERE = os.path.dirname(os.path.abspath(__file__))


def top_of(session):
    return session.top(3)


def train_again(dataset):
    return recblr.train(dataset, **TINY).items


class Spawned(unittest.TestCase):
    def test_objects_go_to_other_processes(self):
        session = model().session(["sku-1", "sku-2"])
        with multiprocessing.get_context("spawn").Pool(2) as pool:
            self.assertEqual(pool.map(top_of, [session] * 4), [session.top(3)] * 4)
            self.assertEqual(pool.apply(train_again, (data(),)), model().items)


def forked(child):
    """Runs `child` in a fork; its exit status is 0 where it returned True."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        process = os.fork()
    if process == 0:
        signal.alarm(60)
        status = 1
        try:
            status = 0 if child() else 1
        finally:
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])


class Forked(unittest.TestCase):
    def test_sessions_and_events_can_be_used(self):
        session, expected = model().session(["sku-1"]), model().session(["sku-1", "sku-2"]).top(3)
        count = len(data())

        def child():
            session.push("sku-2")
            return session.top(3) == expected and len(list(data().table())) == count

        self.assertEqual(forked(child), 0)

    def test_computing_is_refused(self):
        model()

        def child():
            refused = 0
            for work in (
                lambda: recblr.train(data(), **TINY),
                lambda: model().evaluate(data()),
                lambda: list(model().recommend(data())),
            ):
                try:
                    work()
                except recblr.UnavailableError as error:
                    refused += "spawn" in str(error)
            return refused == 3

        self.assertEqual(forked(child), 0)

    def test_a_child_leaves_its_parent_s_folders(self):
        dataset = recblr.Dataset([(u, i) for u in range(9) for i in range(9)])
        folder = dataset.folder
        holder = [dataset]
        del dataset

        def child():
            holder.clear()
            return folder.is_dir()

        self.assertEqual(forked(child), 0)
        self.assertTrue(folder.is_dir())

    def test_a_fork_before_computing_computes(self):
        python(
            """
import os, recblr, support
child = os.fork()
support.model()
if child == 0: os._exit(0)
assert os.waitpid(child, 0)[1] == 0
""",
            cwd=HERE,
        )


class Importing(unittest.TestCase):
    def test_the_environment_and_threads_stay_as_they_were(self):
        code = (
            "import os; before = dict(os.environ); import recblr; assert dict(os.environ) == before; "
            "print(len(os.listdir('/proc/self/task')))"
        )
        self.assertEqual(python(code).stdout, "1\n")

    def test_a_library_that_cannot_be_loaded_is_explained(self):
        self.assertIn("ImportError: recblr: its library cannot be loaded", self.errors_with(lambda file: file.write_bytes(b"none")))

    @unittest.skipIf(shutil.which("cc") is None, "there is no compiler of C")
    def test_another_interface_is_refused(self):
        def compile_another(file):
            source = file.with_suffix(".c")
            source.write_text("unsigned recblr_abi(void) { return 4711; }")
            subprocess.run(["cc", "-shared", "-fPIC", "-o", file, source], check=True)

        self.assertIn("interface is number 4711", self.errors_with(compile_another))

    def errors_with(self, make_library):
        """What `import recblr` says of a library that `make_library` writes."""
        package = Path(recblr.__file__).parent
        with tempfile.TemporaryDirectory() as folder:
            copy = Path(folder, "recblr")
            (copy / "_native").mkdir(parents=True)
            for file in package.glob("*.py"):
                (copy / file.name).write_bytes(file.read_bytes())
            make_library(copy / "_native" / "libRecBLR.so")
            ended = subprocess.run(
                [sys.executable, "-c", "import recblr"], capture_output=True, text=True, cwd=folder, env={"PYTHONPATH": folder}
            )
        return ended.stderr


if __name__ == "__main__":
    unittest.main()
