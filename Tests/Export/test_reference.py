"""Weights with the names of the paper's reference code: there and back, and in its twin in PyTorch."""

import os
import pathlib
import subprocess
import unittest

import numpy as np
from safetensors.numpy import load_file

from test_onnx import AWKWARD
from workplace import FOLDER, IMPORTED, ITEMS, LENGTHS, histories, model, recblr, recommended

TWIN = pathlib.Path(__file__).with_name("twin.py")


def exported(kind: str) -> str:
    name = kind + ".safetensors"
    recblr("export", model(kind), "--format", "recbole", "--output", name)
    return name


class Reference(unittest.TestCase):
    def assert_same(self, ours: dict, theirs: dict, users: list[str]) -> None:
        for user in users:
            items = ours[user]
            np.testing.assert_allclose(
                [theirs[user][item] for item in items], list(items.values()), rtol=1e-4, atol=1e-4, err_msg=user)

    def test_there_and_back(self):
        for kind in ["plain", "recurrence-only"]:
            with self.subTest(kind):
                file = exported(kind)
                recblr("import", file, "--length", 64, "--items", "data/items.tsv", "--model", "back")
                self.assertEqual(recommended("back"), recommended(model(kind)))
                recblr("export", "back", "--format", "recbole", "--output", "back.safetensors")
                self.assertEqual((FOLDER / "back.safetensors").read_bytes(), (FOLDER / file).read_bytes())

    def test_what_the_reference_code_does_not_have(self):
        for kind in ["lru", "attention", "time"]:
            refused = recblr("export", model(kind), "--format", "recbole", "--output", "no.safetensors", code=64)
            self.assertIn("reference code has no such model", refused.stderr)
        self.assertFalse((FOLDER / "no.safetensors").exists())
        done = recblr("export", model("transitions"), "--format", "recbole", "--output", "headless.safetensors")
        self.assertIn("the repeat-aware and the transition head is left out", done.stderr)
        names = load_file(FOLDER / "headless.safetensors").keys()
        self.assertFalse([name for name in names if "bias" in name and "repeat" in name or "transition" in name])

    def test_in_pytorch(self):
        python = os.environ.get("TORCH_PYTHON")
        if not python:
            self.skipTest("there is no Python with PyTorch: its twin of the reference code is not asked")
        ids = [line.split("\t")[0] for line in (FOLDER / "data" / "items.tsv").read_text().splitlines()[1:]]
        # Padded to 64 there are no rows before the sequence, padded to 50 there are 14, as the imported model has them.
        for kind, length in [("plain", 64), (IMPORTED, 50)]:
            np.savez(FOLDER / "weights.npz", **load_file(FOLDER / exported(kind)))
            users = [user for user, events in zip(AWKWARD, LENGTHS) if events <= length]
            items = np.zeros([len(users), length], np.int64)
            for row, user in enumerate(users):
                for column, (item, _) in enumerate(histories()[user]):
                    items[row, column] = ids.index(item) + 1
            np.savez(FOLDER / "histories.npz", items=items, lengths=(items > 0).sum(1))
            subprocess.run([python, TWIN, FOLDER / "weights.npz", FOLDER / "histories.npz", FOLDER / "scores.npy"], check=True)
            scores = np.load(FOLDER / "scores.npy")
            self.assertEqual(scores.shape, (len(users), ITEMS))
            theirs = {user: dict(zip(ids, row)) for user, row in zip(users, scores)}
            self.assert_same(recommended(model(kind)), theirs, users)


if __name__ == "__main__":
    unittest.main()
