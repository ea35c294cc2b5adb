"""Every Python snippet of docs/python.md whose imports are installed, one after the other, as a reader would run them."""

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


def is_runnable(code):
    imported = re.findall(r"^(?:import|from) (\w+)", code, re.M)
    return all(importlib.util.find_spec(name) is not None for name in imported)


@needs("polars")
class Documentation(unittest.TestCase):
    def test_snippets(self):
        page = PAGE.read_text(encoding="utf-8")
        snippets = [
            (match.group(1), page[: match.start()].count("\n") + 1)
            for match in re.finditer(r"^```python\n(.*?)^```$", page, re.M | re.S)
        ]
        runnable = [(code, line) for code, line in snippets if is_runnable(code)]
        self.assertGreaterEqual(len(runnable), len(snippets) - 1)
        self.addCleanup(os.chdir, os.getcwd())
        names = {}
        with contextlib.ExitStack() as stack:
            os.chdir(stack.enter_context(tempfile.TemporaryDirectory()))
            stack.enter_context(contextlib.redirect_stdout(io.StringIO()))
            stack.enter_context(contextlib.redirect_stderr(io.StringIO()))
            stack.enter_context(warnings.catch_warnings())
            warnings.simplefilter("ignore", recblr.RecBLRWarning)
            for code, line in runnable:
                # Lines of an error are those of the page.
                exec(compile("\n" * line + code, str(PAGE), "exec"), names)


if __name__ == "__main__":
    unittest.main()
