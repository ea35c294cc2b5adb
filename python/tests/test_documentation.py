"""Every Python snippet of docs/python.md, README.md and python/README.md whose imports are installed, one after the other, as a reader would run them."""

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

ROOT = Path(__file__).parents[2]
PAGES = (ROOT / "docs" / "python.md", ROOT / "README.md", ROOT / "python" / "README.md")


def snippets_of(page):
    """The code, the page and the line before it, of each."""
    text = page.read_text(encoding="utf-8")
    for match in re.finditer(r"^```python\n(.*?)^```$", text, re.M | re.S):
        yield match.group(1), page, text[: match.start()].count("\n") + 1


def is_runnable(code):
    imported = re.findall(r"^(?:import|from) (\w+)", code, re.M)
    return all(importlib.util.find_spec(name) is not None for name in imported)


@needs("polars")
class Documentation(unittest.TestCase):
    def test_snippets(self):
        snippets = [snippet for page in PAGES for snippet in snippets_of(page)]
        runnable = [snippet for snippet in snippets if is_runnable(snippet[0])]
        self.assertGreaterEqual(len(runnable), len(snippets) - 1)
        self.assertEqual({page for _, page, _ in runnable}, set(PAGES))
        self.addCleanup(os.chdir, os.getcwd())
        names = {}
        with contextlib.ExitStack() as stack:
            os.chdir(stack.enter_context(tempfile.TemporaryDirectory()))
            stack.enter_context(contextlib.redirect_stdout(io.StringIO()))
            stack.enter_context(contextlib.redirect_stderr(io.StringIO()))
            stack.enter_context(warnings.catch_warnings())
            warnings.simplefilter("ignore", recblr.RecBLRWarning)
            for code, page, line in runnable:
                if page != PAGES[0] and not os.path.exists("log"):
                    # The other pages have a log of their own; here it is the first one's.
                    names["frame"] = names["log"]
                    os.mkdir("log")
                    names["log"].write_parquet("log/1.parquet")
                # Lines of an error are those of the page.
                exec(compile("\n" * line + code, str(page), "exec"), names)


if __name__ == "__main__":
    unittest.main()
