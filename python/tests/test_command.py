"""The command `recblr` that the wheel installs is the native program."""

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.request
from pathlib import Path

import recblr
from support import data, model, python

COMMAND = shutil.which("recblr", path=os.path.dirname(sys.executable))


@unittest.skipIf(COMMAND is None, "the command recblr is not installed beside this Python")
class Command(unittest.TestCase):
    def run_it(self, *arguments, **options):
        return subprocess.run([COMMAND, *map(str, arguments)], capture_output=True, text=True, timeout=120, **options)

    def test_version(self):
        self.assertEqual(self.run_it("--version").stdout.strip(), recblr.__version__)

    def test_as_a_module(self):
        ended = subprocess.run([sys.executable, "-m", "recblr", "--version"], capture_output=True, text=True)
        self.assertEqual(ended.stdout.strip(), recblr.__version__)

    def test_python_does_not_load_the_library_for_it(self):
        python("import sys, recblr_command; assert 'recblr' not in sys.modules")
        self.assertIn("recblr_command", Path(COMMAND).read_text())

    def test_exit_codes(self):
        self.assertEqual(self.run_it("train").returncode, 64)
        self.assertEqual(self.run_it("inspect", "nowhere").returncode, 66)

    def test_a_reader_that_goes_away(self):
        program = subprocess.Popen([COMMAND, "train", "--help"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0)
        program.stdout.close()
        program.communicate(timeout=60)
        self.assertIn(program.returncode, (141, -signal.SIGPIPE))

    def test_it_reads_what_python_wrote(self):
        with tempfile.TemporaryDirectory() as folder:
            saved = data().save(Path(folder, "data"))
            self.assertEqual(self.run_it("inspect", saved, "--verify").returncode, 0)

    def test_it_evaluates_and_serves_what_python_trained(self):
        with tempfile.TemporaryDirectory() as folder:
            saved, trained = data().save(Path(folder, "data")), model().save(Path(folder, "models", "shop"))
            table = self.run_it("evaluate", trained, saved, "--threads", 1)
            self.assertIn("RecBLR, unmasked", table.stdout, table.stderr)
            with socket.socket() as taken:
                taken.bind(("127.0.0.1", 0))
                place = f"127.0.0.1:{taken.getsockname()[1]}"
            arguments = ["--models", trained.parent, "--store", Path(folder, "events"), "--port", place.partition(":")[2]]
            with open(Path(folder, "log"), "w") as log:
                server = subprocess.Popen([COMMAND, "serve", *map(str, arguments)], stdout=log, stderr=log)
            try:
                self.wait_for(f"http://{place}/health/ready", server)
                event = urllib.request.Request(
                    f"http://{place}/v1/users/ann/events?recommend=3", b'{"item": "sku-3"}', {"Content-Type": "application/json"}
                )
                with urllib.request.urlopen(event, timeout=60) as reply:
                    answer = json.load(reply)
                ids = [best["item"] for best in answer["recommendations"]["items"]]
                self.assertEqual(ids, [item for item, _, _ in model().session("sku-3").top(3)])
            finally:
                server.terminate()
                self.assertEqual(server.wait(60), 0, Path(folder, "log").read_text())

    def wait_for(self, address, server):
        for _ in range(600):
            with contextlib.suppress(OSError):
                urllib.request.urlopen(address, timeout=60).close()
                return
            self.assertIsNone(server.poll(), "the server has ended")
            time.sleep(0.1)
        self.fail(f"nothing answers at {address}")

    def test_ctrl_c_is_the_program_s(self):
        with tempfile.TemporaryDirectory() as folder:
            saved = data().save(Path(folder, "data"))
            program = subprocess.Popen(
                [COMMAND, "train", str(saved), "--model", str(Path(folder, "model")), "--epochs", "100000", "--threads", "1"],
                stderr=subprocess.PIPE,
                text=True,
            )
            for line in program.stderr:
                if line.startswith("Epoch 1 "):
                    break
            program.send_signal(signal.SIGINT)
            errors = program.communicate(timeout=120)[1]
            self.assertEqual(program.returncode, 75, errors)
            self.assertIn("--resume", errors)


if __name__ == "__main__":
    unittest.main()
