"""step.onnx and encode.onnx in onnxruntime: the scores are those of `recblr recommend`."""

import json
import unittest

import numpy as np
import onnx
import onnxruntime

from workplace import ASKED_AT, FOLDER, IMPORTED, ITEMS, KINDS, LENGTHS, export, histories, model, recblr, recommended

TOLERANCE = 1e-4
ALL = [*KINDS, IMPORTED]
AWKWARD = [f"u{number}" for number in range(len(LENGTHS))]


class Exported:
    """The two models of a kind, called with raw ids."""

    def __init__(self, kind: str) -> None:
        folder = export(kind)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.log_severity_level = 4  # what is wrong is thrown, too
        self.step, self.encode = (
            onnxruntime.InferenceSession(folder / name, options, providers=["CPUExecutionProvider"])
            for name in ["step.onnx", "encode.onnx"])
        self.about = self.step.get_modelmeta().custom_metadata_map
        self.rows = {item: row for row, item in enumerate(json.loads(self.about["items"]))}
        self.knows_time = "time" in [each.name for each in self.step.get_inputs()]

    def encoded(self, users: list[str], asked_at: int = 0, junk: int = 0) -> list[np.ndarray]:
        """State, hidden and scores after the histories of these users, with `junk` behind their ends."""
        lengths = np.array([len(histories()[user]) for user in users])
        items = np.full([len(users), lengths.max() + junk], junk)
        times = np.full(items.shape, ASKED_AT * junk)
        for row, user in enumerate(users):
            for column, (item, time) in enumerate(histories()[user]):
                items[row, column], times[row, column] = self.rows[item], time
        inputs = {"items": items, "lengths": lengths}
        if self.knows_time:
            inputs |= {"times": times, "asked_at": np.full(len(users), asked_at)}
        return self.encode.run(["state", "hidden", "scores"], inputs)

    def stepped(self, users: list[str], asked_at: int = 0) -> list[np.ndarray]:
        """The same, one event after the other."""
        initial = np.array(json.loads(self.about["initial_state"]), np.float32)
        state = np.tile(initial, [len(users), 1])
        hidden, scores = [np.empty([len(users), size], np.float32) for size in (self.step.get_outputs()[1].shape[1], ITEMS)]
        events = [histories()[user] for user in users]
        for turn in range(max(map(len, events))):
            active = [row for row in range(len(users)) if turn < len(events[row])]
            inputs = {"state": state[active], "item": np.array([self.rows[events[row][turn][0]] for row in active])}
            if self.knows_time:
                inputs["time"] = np.array([events[row][turn][1] for row in active])
                inputs["asked_at"] = np.full(len(active), asked_at)
            state[active], hidden[active], scores[active] = self.step.run(["new_state", "hidden", "scores"], inputs)
        return [state, hidden, scores]


class ONNX(unittest.TestCase):
    def check(self, exported: Exported, scores: np.ndarray, users: list[str], expected: dict) -> None:
        for row, user in zip(scores, users):
            ours = np.array([expected[user][item] for item in exported.rows])
            np.testing.assert_allclose(row, ours, rtol=TOLERANCE, atol=TOLERANCE, err_msg=user)

    def test_the_files_are_valid(self):
        for kind in ALL:
            with self.subTest(kind):
                exported = Exported(kind)
                for name in ["step.onnx", "encode.onnx"]:
                    path = export(kind) / name
                    onnx.checker.check_model(path, full_check=True)
                    loaded = onnx.load(path)
                    self.assertGreaterEqual(loaded.opset_import[0].version, 17)
                    metadata = {each.key: each.value for each in loaded.metadata_props}
                    beside = json.loads((export(kind) / "onnx.json").read_text())
                    self.assertEqual(metadata.keys(), beside.keys())
                    self.assertEqual(json.loads(metadata["items"]), beside["items"])
                    self.assertEqual(metadata["mark"], json.loads(recblr("inspect", model(kind), "--json").stdout)["fingerprint"])
                self.assertEqual(len(json.loads(metadata["items"])), ITEMS)
                self.assertIn('The "third", é', json.loads(metadata["titles"]))
                size = sum(part["rows"] * part["width"] for part in json.loads(metadata["state"]))
                self.assertEqual(size, len(json.loads(metadata["initial_state"])))
                self.assertEqual(exported.step.get_inputs()[0].shape, ["batch", size])

    def test_scores_are_those_of_recommend(self):
        for kind in ALL:
            with self.subTest(kind):
                exported = Exported(kind)
                expected = recommended(model(kind))
                for size in [1, 3, 8]:
                    for start in range(0, len(AWKWARD), size):
                        users = AWKWARD[start:start + size]
                        self.check(exported, exported.encoded(users)[2], users, expected)
                self.check(exported, exported.stepped(AWKWARD)[2], AWKWARD, expected)

    def test_a_model_with_time_is_asked_later(self):
        for kind in ["time", "time-one-layer"]:
            exported = Exported(kind)
            expected = recommended(model(kind), "--at", str(ASKED_AT))
            at_once = recommended(model(kind))
            self.assertGreater(max(abs(expected["u5"][item] - at_once["u5"][item]) for item in exported.rows), 1e-3)
            for results in [exported.encoded(AWKWARD, ASKED_AT), exported.stepped(AWKWARD, ASKED_AT)]:
                self.check(exported, results[2], AWKWARD, expected)

    def test_steps_are_a_pass(self):
        for kind in ALL:
            with self.subTest(kind):
                exported = Exported(kind)
                for stepped, encoded in zip(exported.stepped(AWKWARD), exported.encoded(AWKWARD)):
                    np.testing.assert_allclose(stepped, encoded, rtol=TOLERANCE, atol=TOLERANCE)

    def test_what_is_behind_an_end_changes_nothing(self):
        for kind in ALL:
            with self.subTest(kind):
                exported = Exported(kind)
                users = AWKWARD[:-1]
                for padded, alone in zip(exported.encoded(users, junk=5), exported.encoded(users)):
                    np.testing.assert_allclose(padded, alone, rtol=1e-5, atol=1e-5)
                for row, user in enumerate(users):
                    np.testing.assert_allclose(
                        exported.encoded(users)[2][row], exported.encoded([user])[2][0], rtol=1e-5, atol=1e-5)

    def test_a_batch_can_be_empty(self):
        for kind in ALL:
            with self.subTest(kind):
                exported = Exported(kind)
                for model in [exported.step, exported.encode]:
                    shapes = {each.name: [0 if size == "batch" else size for size in each.shape] for each in model.get_inputs()}
                    inputs = {
                        name: np.zeros([5 if size == "length" else size for size in shape], np.float32 if name == "state" else np.int64)
                        for name, shape in shapes.items()
                    }
                    self.assertEqual(model.run(["scores"], inputs)[0].shape, (0, ITEMS))

    def test_imported_weights_begin_from_another_state(self):
        initial = json.loads(Exported(IMPORTED).about["initial_state"])
        self.assertGreater(np.abs(initial).max(), 1e-3)

    def test_impossible_inputs_are_errors(self):
        exported = Exported("default")
        state = np.zeros([1, exported.step.get_inputs()[0].shape[1]], np.float32)
        for item in [-1, ITEMS]:
            with self.assertRaisesRegex(Exception, "invalid index|out of data bounds"):
                exported.step.run(None, {"state": state, "item": np.array([item])})
        for length in [-1, 0, 3]:
            with self.assertRaisesRegex(Exception, "invalid index|out of data bounds"):
                exported.encode.run(None, {"items": np.array([[0, 1]]), "lengths": np.array([length])})

    def test_folders(self):
        """An earlier export is replaced, anything else refused, and nothing is left over."""
        first = (export("plain") / "step.onnx").read_bytes()
        recblr("export", model("plain"), "--format", "onnx", "--output", "again")
        recblr("export", model("lru"), "--format", "onnx", "--output", "again")
        recblr("export", model("plain"), "--format", "onnx", "--output", "again")
        self.assertEqual((FOLDER / "again" / "step.onnx").read_bytes(), first)
        (FOLDER / "again" / "mine.txt").write_text("mine")
        refused = recblr("export", model("lru"), "--format", "onnx", "--output", "again", code=73)
        self.assertIn("mine.txt", refused.stderr)
        self.assertEqual((FOLDER / "again" / "step.onnx").read_bytes(), first)
        for place, code in [("plain", 73), ("plain/onnx", 64), (".", 64), ("log.csv", 73), ("again/inside", 64)]:
            recblr("export", model("plain"), "--format", "onnx", "--output", place, code=code)
        recblr("export", "nothing", "--format", "onnx", "--output", "other", code=66)
        self.assertFalse((FOLDER / "other").exists())
        self.assertEqual([name for name in FOLDER.iterdir() if name.name.startswith(".")], [])


if __name__ == "__main__":
    unittest.main()
