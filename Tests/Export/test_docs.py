"""Every snippet of docs/onnx.md in `sh` and `python`, in their order."""

import contextlib
import io
import json
import os
import pathlib
import re
import shutil
import subprocess
import unittest

import numpy as np

from workplace import FOLDER, PROGRAM, dataset, model, recblr

PAGE = pathlib.Path(__file__).parents[2] / "docs" / "onnx.md"


def snippets(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE.read_text(), re.DOTALL | re.MULTILINE)


def scores_after(history: str) -> dict[str, float]:
    done = recblr("recommend", "models/shop", "--history", history, "-k", 1000, "--no-exclude-seen", "--json")
    return {best["id"]: best["score"] for best in json.loads(done.stdout)[0]["recommendations"]}


class Page(unittest.TestCase):
    def test_its_snippets(self):
        shutil.copytree(FOLDER / model("plain"), FOLDER / "models" / "shop")
        for snippet in snippets("sh"):
            subprocess.run(["bash", "-ec", f'recblr() {{ "{PROGRAM}" "$@"; }}\n{snippet}'], cwd=FOLDER, check=True, capture_output=True)
        found = {}
        os.chdir(FOLDER)
        for snippet in snippets("python"):
            with contextlib.redirect_stdout(io.StringIO()):
                exec(compile(snippet, PAGE, "exec"), found)
        for user, history in [("anna", "i17,i3,i4"), ("bert", "i5,i6")]:
            expected = scores_after(history)
            top = found["shop"].top(user, len(expected))
            np.testing.assert_allclose([score for _, score in top], [expected[item] for item, _ in top], rtol=1e-4, atol=1e-4)
        expected = scores_after("i17,i3,i4")
        best = list(expected)[:10]
        ids = found["ids"]
        self.assertEqual([ids[row] for row in found["rows"][0]], best)
        self.assertEqual([ids[row] for row in found["matches"].keys], best)
        for scores in [found["products"][0], 1 - found["matches"].distances]:
            np.testing.assert_allclose(scores, [expected[item] for item in best], rtol=1e-4, atol=1e-4)
        copied = [line.split("\t") for line in (FOLDER / "shop.copy").read_text().splitlines()]
        self.assertEqual([item for item, _ in copied], ids)
        np.testing.assert_array_equal(np.array([json.loads(vector) for _, vector in copied], np.float32), found["vectors"])

    def test_its_numbers_of_triton(self):
        """2048 and 64 are the sizes of the usual shape."""
        recblr("train", dataset(), "--model", "usual", "--epochs", 1, "--threads", 1, "--split", "none")
        recblr("export", "usual", "--format", "onnx", "--output", "usual-onnx")
        about = json.loads((FOLDER / "usual-onnx" / "onnx.json").read_text())
        self.assertEqual((len(about["initial_state"]), about["configuration"]["hiddenSize"]), (2048, 64))


if __name__ == "__main__":
    unittest.main()
