"""Every Python snippet of docs/python.md, one after the other, as a reader would run them."""

import contextlib
import importlib.util
import io
import os
import re
import tempfile
import unittest
import warnings
from pathlib import Path

import recblr
from support import needs

PAGE = Path(__file__).parents[2] / "docs" / "python.md"


@needs("polars", "pyarrow", "duckdb")
class Documentation(unittest.TestCase):
    def test_snippets(self):
        snippets = [
            (match.group(1), PAGE.read_text()[: match.start()].count("\n") + 1)
            for match in re.finditer(r"^```python\n(.*?)^```$", PAGE.read_text(), re.M | re.S)
        ]
        self.assertGreater(len(snippets), 5)
        here = os.getcwd()
        with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
            warnings.simplefilter("ignore", recblr.RecBLRWarning)
            os.chdir(folder)
            self.addCleanup(os.chdir, here)
            names = {}
            for code, line in snippets:
                if "rectools" in code and importlib.util.find_spec("rectools") is None:
                    continue
                # Lines of an error are those of the page.
                with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
                    exec(compile("\n" * line + code, str(PAGE), "exec"), names)
            os.chdir(here)


if __name__ == "__main__":
    unittest.main()
