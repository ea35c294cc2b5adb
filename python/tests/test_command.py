"""The command `recblr` that the wheel installs is the native program."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import recblr
from support import data, python

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
