"""RecBLR as a model of RecTools."""

import unittest
import warnings

import recblr
from support import log, needs

SMALL = {"hidden_size": 8, "layers": 1, "threads": 1}


@needs("rectools")
class RecTools(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        import pandas
        from rectools.dataset import Dataset

        from recblr.rectools import RecBLRModel

        warnings.simplefilter("ignore", recblr.RecBLRWarning)
        users, items, times = zip(*log())
        naive = [time.replace(tzinfo=None) for time in times]
        frame = pandas.DataFrame({"user_id": users, "item_id": items, "datetime": naive, "weight": 1.0})
        cls.frame, cls.dataset = frame, Dataset.construct(frame)
        cls.model = RecBLRModel(epochs=2, options=SMALL).fit(cls.dataset)

    def recommend(self, users, **keywords):
        return self.model.recommend(users, self.dataset, **{"k": 5, "filter_viewed": True, **keywords})

    def test_users(self):
        table = self.recommend(["u1", "u2"])
        self.assertEqual(list(table.columns), ["user_id", "item_id", "score", "rank"])
        self.assertEqual(list(table["rank"]), [1, 2, 3, 4, 5] * 2)
        for user, rows in table.groupby("user_id"):
            seen = set(self.frame[self.frame["user_id"] == user]["item_id"])
            self.assertFalse(seen & set(rows["item_id"]))
            self.assertTrue(rows["score"].is_monotonic_decreasing)
            history = [item for other, item, _ in log() if other == user]
            self.assertEqual(list(rows["item_id"]), [best.item for best in self.model.model.session(history).top(5)])

    def test_whitelist_and_seen_items(self):
        only = ["sku-1", "sku-2", "sku-3"]
        table = self.recommend(["u1"], filter_viewed=False, items_to_recommend=only)
        self.assertEqual(set(table["item_id"]), set(only))

    def test_strangers_are_unsupported(self):
        with self.assertRaises(ValueError):
            self.recommend(["nobody"])
        self.assertEqual(len(self.recommend(["nobody", "u1"], on_unsupported_targets="ignore")), 5)

    def test_items(self):
        table = self.model.recommend_to_items(["sku-1", "sku-2"], self.dataset, k=4)
        self.assertEqual(len(table), 8)
        self.assertFalse((table["target_item_id"] == table["item_id"]).any())
        self.assertTrue((table["score"] <= 1.0001).all())
        itself = self.model.recommend_to_items(["sku-1"], self.dataset, k=1, filter_itself=False)
        self.assertEqual(list(itself["item_id"]), ["sku-1"])
        few = self.model.recommend_to_items(["sku-1"], self.dataset, k=9, items_to_recommend=["sku-4", "sku-5"])
        self.assertEqual(set(few["item_id"]), {"sku-4", "sku-5"})

    def test_integer_ids(self):
        from rectools.dataset import Dataset

        from recblr.rectools import RecBLRModel

        frame = self.frame.assign(
            user_id=self.frame["user_id"].str[1:].astype(int) + 1000, item_id=self.frame["item_id"].str[4:].astype(int) + 500
        )
        dataset = Dataset.construct(frame)
        table = RecBLRModel(epochs=1, options=SMALL).fit(dataset).recommend([1001], dataset, k=3, filter_viewed=True)
        self.assertTrue((table["item_id"] >= 500).all())

    def test_partial(self):
        from recblr.rectools import RecBLRModel

        fresh = RecBLRModel(epochs=1, options=SMALL)
        fresh.fit_partial(self.dataset, epochs=3)
        self.assertEqual(len(fresh.model.training["epochs"]), 3)
        model = RecBLRModel(epochs=1, options=SMALL)
        model.fit_partial(self.dataset)
        first = model.model
        model.fit_partial(self.dataset, epochs=1)
        self.assertIsNot(model.model, first)
        self.assertEqual(sorted(model.model.items), sorted(first.items))

    def test_configurations(self):
        from rectools.models import model_from_config

        from recblr.rectools import RecBLRModel

        config = self.model.get_config(simple_types=True)
        again = model_from_config(config)
        self.assertIsInstance(again, RecBLRModel)
        self.assertEqual(again.get_config(), self.model.get_config())
        self.assertEqual(RecBLRModel.from_params(self.model.get_params()).options, SMALL)

    def test_saved_as_bytes(self):
        from recblr.rectools import RecBLRModel

        again = RecBLRModel.loads(self.model.dumps())
        expected = self.recommend(["u1"])
        got = again.recommend(["u1"], self.dataset, k=5, filter_viewed=True)
        self.assertTrue(expected.equals(got))

    def test_cross_validation(self):
        from rectools.metrics import NDCG
        from rectools.model_selection import LastNSplitter, cross_validate
        from rectools.models import PopularModel

        from recblr.rectools import RecBLRModel

        models = {"popular": PopularModel(), "RecBLR": RecBLRModel(options=SMALL, epochs=2)}
        result = cross_validate(self.dataset, LastNSplitter(1, 2), {"ndcg": NDCG(10)}, models, k=10, filter_viewed=True)
        self.assertEqual(len(result["metrics"]), 4)


if __name__ == "__main__":
    unittest.main()
