"""Item vectors: NumPy's array and its ids."""

import unittest

import numpy as np

from test_onnx import AWKWARD, Exported
from workplace import FOLDER, ITEMS, model, recblr, recommended


class Vectors(unittest.TestCase):
    def test_rows_are_items(self):
        recblr("export", model("plain"), "--format", "vectors", "--output", "plain.npy")
        vectors = np.load(FOLDER / "plain.npy", allow_pickle=False)
        self.assertEqual((vectors.dtype, vectors.shape, vectors.flags.c_contiguous), (np.float32, (ITEMS, 8), True))
        self.assertEqual((FOLDER / "plain.tsv").read_bytes(), (FOLDER / "data" / "items.tsv").read_bytes())
        ids = [line.split("\t")[0] for line in (FOLDER / "plain.tsv").read_text().splitlines()[1:]]
        hidden, expected = Exported("plain").encoded(AWKWARD)[1], recommended(model("plain"))
        for user, scores in zip(AWKWARD, hidden @ vectors.T):
            np.testing.assert_allclose(scores, [expected[user][item] for item in ids], rtol=1e-4, atol=1e-4)

    def test_an_earlier_export_is_replaced_and_nothing_else(self):
        for kind in ["plain", "lru"]:
            recblr("export", model(kind), "--format", "vectors", "--output", "twice.npy")
        (FOLDER / "mine.tsv").write_text("mine")
        refused = recblr("export", model("plain"), "--format", "vectors", "--output", "mine.npy", code=73)
        self.assertIn("mine.tsv", refused.stderr)
        self.assertEqual((FOLDER / "mine.tsv").read_text(), "mine")
        self.assertFalse((FOLDER / "mine.npy").exists())

    def test_places(self):
        for place, code in [("vectors.bin", 64), ("plain/v.npy", 64), ("nowhere/v.npy", 73)]:
            recblr("export", model("plain"), "--format", "vectors", "--output", place, code=code)


if __name__ == "__main__":
    unittest.main()
