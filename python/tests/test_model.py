"""Models: what they say and how they are kept."""

import math
import pickle
import tempfile
import unittest
import unittest.mock
from pathlib import Path

import recblr
from recblr import _folders
from recblr._run import run
from support import TINY, data, log, model, needs


class Replaced(unittest.TestCase):
    """Commands go by paths: an object whose folder holds something else by now must not be taken for it."""

    def test_dataset(self):
        with tempfile.TemporaryDirectory() as place:
            kept = data().save(Path(place) / "data")
            opened = recblr.Dataset.open(kept)
            recblr.Dataset(log(seed=2)).save(kept)
            for use in (lambda: recblr.train(opened, **TINY), lambda: model().evaluate(opened), lambda: model().recommend(opened)):
                with self.assertRaisesRegex(recblr.DataError, "another dataset"):
                    use()

    def test_model(self):
        with tempfile.TemporaryDirectory() as place:
            kept = model().save(Path(place) / "model")
            opened = recblr.load(kept)
            recblr.train(data(), **{**TINY, "seed": 5}).save(kept)
            with self.assertRaisesRegex(recblr.DataError, "another model"):
                opened.evaluate(data())
            self.assertEqual(opened.configuration["hiddenSize"], 8)
        with self.assertRaisesRegex(recblr.NotFoundError, "gone"):
            opened.evaluate(data())

    def test_what_is_no_id_time_or_session(self):
        with self.assertRaises(recblr.UsageError):
            model().recommend(data(), users=b"u1")
        with self.assertRaises(recblr.UsageError):
            recblr.Session.from_bytes(model(), 10**9)  # type: ignore[arg-type]


class Evaluating(unittest.TestCase):
    def test_metrics_and_table(self):
        result = model().evaluate(data(), threads=1)
        self.assertEqual(set(result.metrics), {"unmasked", "masked"})
        self.assertEqual(result.cases, 60)
        self.assertIn("Popularity", result.rankers)
        self.assertIn(f"{result.metrics['masked']['NDCG@10']:.4f}", str(result))
        self.assertIn("Last-item transitions, unmasked", str(result))
        self.assertIn("<table>", result._repr_html_())
        recorded = model().training["test"]["all"]["unmasked"]["at10"]["ndcg"]
        self.assertAlmostEqual(result.metrics["unmasked"]["NDCG@10"], recorded, places=6)

    def test_cases_are_ranked_once(self):
        with unittest.mock.patch("recblr._evaluation.run", wraps=run) as counted:
            result = model().evaluate(data(), threads=1)
            self.assertIn("NDCG@10", str(result))
        self.assertEqual(counted.call_count, 1)

    def test_options(self):
        validation = model().evaluate(data(), validation=True, max_length=3, threads=1)
        self.assertNotEqual(validation.metrics, model().evaluate(data(), threads=1).metrics)
        with self.assertRaises(recblr.UsageError):
            model().evaluate(data(), max_length=0)
        with self.assertRaises(recblr.DataError):
            model().evaluate(log())

    def test_compare(self):
        other = recblr.train(data(), **{**TINY, "seed": 2})
        result = recblr.compare(model(), other, data())
        difference = result.differences["unmasked"]["NDCG@10"]
        self.assertLessEqual(difference["low"], difference["high"])
        self.assertIn("B − A", str(result))
        self.assertIn("A", result.metrics)
        self.assertIn("<pre>", result._repr_html_())

    @staticmethod
    def _warnings_are_python_s():
        model().evaluate(data())

    def test_warnings(self):
        with self.assertWarnsRegex(recblr.RecBLRWarning, "only 60 test cases") as caught:
            self._warnings_are_python_s()
        self.assertEqual(caught.filename, __file__)


class Recommending(unittest.TestCase):
    def test_rows(self):
        rows = list(model().recommend(data(), users=["u1", "u2"], k=4))
        self.assertEqual([(row.user, row.rank) for row in rows], [(u, r) for u in ("u1", "u2") for r in (1, 2, 3, 4)])
        scores = [row.score for row in rows[:4]]
        self.assertEqual(scores, sorted(scores, reverse=True))
        self.assertEqual(model().recommend(data(), users="u1", k=4).to_dicts(), [row._asdict() for row in rows[:4]])

    def test_as_a_session_says(self):
        seen = [item for user, item, _ in log() if user == "u3"]
        session = model().session(seen)
        for exclude_seen in (True, False):
            rows = model().recommend(data(), users=["u3"], k=5, exclude_seen=exclude_seen)
            top = session.top(5, exclude_seen=exclude_seen)
            self.assertEqual([row.item for row in rows], [best.item for best in top])
            for row, best in zip(rows, top):
                self.assertAlmostEqual(row.score, best.score, places=4)

    def test_all_users_and_again(self):
        table = model().recommend(data(), k=2)
        self.assertEqual(len(list(table)), 120)
        self.assertEqual(len(list(table)), 120)
        self.assertIn("…", table._repr_html_())

    def test_whitelist(self):
        only = ["sku-1", "sku-2", "sku-3"]
        rows = list(model().recommend(data(), users=["u1"], only=only, exclude_seen=False))
        self.assertEqual({row.item for row in rows}, set(only))
        rows = list(model().recommend(data(), users=["u1"], only=only, exclude=["sku-2"], exclude_seen=False))
        self.assertEqual({row.item for row in rows}, {"sku-1", "sku-3"})

    def test_strangers_get_popular_items(self):
        rows = list(model().recommend(data(), users=["nobody"], k=3))
        self.assertTrue(all(math.isnan(row.score) for row in rows))
        self.assertEqual([row.item for row in rows], [best.item for best in model().session().top(3)])

    def test_what_cannot_be(self):
        for wrong in ({"k": 0}, {"threads": 0}, {"users": [1.5]}):
            with self.assertRaises(recblr.UsageError):
                list(model().recommend(data(), **wrong))
        with self.assertRaises(recblr.RecBLRError):
            list(model().recommend(data(), only=["nothing"]))

    def test_nobody(self):
        nobody = model().recommend(data(), users=[])
        self.assertEqual(nobody.to_dicts(), [])
        self.assertIn("<table>", nobody._repr_html_())

    def test_an_unread_table_hides_no_error(self):
        with self.assertRaisesRegex(TypeError, "len"):
            len(model().recommend(data(), users=["u1"]))

    def test_a_time_before_the_last_event(self):
        timed = recblr.train(data(), **TINY, time=True)
        table = timed.recommend(data(), users=["u1"], time=0)
        with self.assertRaisesRegex(recblr.UsageError, "^time lies before the last event of the user 'u1'"):
            list(table)
        self.assertEqual(len(list(timed.recommend(data(), users=["u1"], time="2030-01-01"))), 10)

    @needs("pyarrow")
    def test_pyarrow_says_what_is_wrong(self):
        timed = recblr.train(data(), **TINY, time=True)
        with self.assertRaisesRegex(OSError, "before the last event"):
            timed.recommend(data(), users=["u1"], time=0).to_arrow()


class Kept(unittest.TestCase):
    def test_save_and_load(self):
        with tempfile.TemporaryDirectory() as folder:
            saved = model().save(Path(folder, "models", "shop"))
            loaded = recblr.load(str(saved))
            self.assertEqual(loaded.items, model().items)
            self.assertEqual(loaded.session(["sku-1"]).top(3), model().session(["sku-1"]).top(3))
            with self.assertRaises(recblr.WriteError):
                model().save(folder)
            self.assertEqual(recblr.load(model().save(saved)).items, model().items)
            weights = saved / "model.safetensors"
            weights.write_bytes(weights.read_bytes()[:-1] + b"x")
            with self.assertRaises(recblr.DataError):
                recblr.load(saved)
        with self.assertRaises(recblr.NotFoundError):
            recblr.load("nowhere")

    def test_pickle(self):
        again = pickle.loads(pickle.dumps(model()))
        self.assertEqual(again.items, model().items)

    def test_items(self):
        self.assertEqual(len(model()), 30)
        self.assertIn("sku-3", model())
        self.assertNotIn("sku-30", model())
        self.assertIsNone(model().title("sku-3"))
        self.assertEqual(sorted(model().items), sorted(f"sku-{n}" for n in range(30)))

    def test_titles(self):
        titled = recblr.Dataset(log(), titles={f"sku-{n}": f"Thing {n}" for n in range(30)})
        trained = recblr.train(titled, **TINY)
        self.assertEqual(trained.title("sku-3"), "Thing 3")
        best = trained.session(["sku-1"]).top(1)[0]
        self.assertEqual(best.title, f"Thing {best.item[4:]}")

    def test_vectors(self):
        rows = list(model().vectors())
        self.assertEqual([row.item for row in rows], model().items)
        self.assertTrue(all(len(row.vector) == 8 and all(map(math.isfinite, row.vector)) for row in rows))

    def test_every_file_is_a_model_s(self):
        known = _folders.MODEL.files
        self.assertLessEqual({file.name for file in model().folder.iterdir()}, known)

    def test_nothing_to_explain(self):
        with self.assertRaises(recblr.DataError):
            model().session().explain("sku-1")

    def test_half_a_character_is_no_id(self):
        with self.assertRaises(recblr.UsageError):
            model().session().push("\ud800")
        with self.assertRaises(recblr.UsageError):
            model().recommend(data(), users=["\ud800"])

    def test_explain(self):
        parts = model().explain(["sku-1", "sku-2"], "sku-3")
        total = sum(term.contribution for term in parts.terms) + parts.earlier + parts.constant + parts.repeats + parts.transitions
        self.assertAlmostEqual(total, parts.score, places=4)

    def test_exports(self):
        paper = recblr.train(data(), **TINY, repeat_aware=False)
        with tempfile.TemporaryDirectory() as folder:
            onnx = paper.export(Path(folder, "onnx"))
            self.assertTrue((onnx / "step.onnx").is_file())
            self.assertTrue(paper.export(Path(folder, "vectors.npy"), "vectors").is_file())
            weights = paper.export(Path(folder, "paper.safetensors"), "recbole")
            self.assertEqual(len(recblr.import_weights(weights, 50)), 30)
            with self.assertRaises(recblr.RecBLRError):
                recblr.import_weights(paper.folder / "model.safetensors", 50)

    def test_shown(self):
        self.assertIn("30 items", repr(model()))
        self.assertIn("Hidden size", model()._repr_html_())


if __name__ == "__main__":
    unittest.main()
