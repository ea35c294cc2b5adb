"""Datasets from Python's own objects, files and folders."""

import array
import os
import pickle
import tempfile
import unittest
from pathlib import Path

import recblr
from support import data, log, needs


def rows(dataset):
    return [tuple(row) for row in dataset.table()]


def by_user(events):
    """As a dataset has them: users as they first occur, each by time."""
    users = {}
    for user, item, time in events:
        users.setdefault(user, []).append((user, item, time))
    return [event for events in users.values() for event in sorted(events, key=lambda event: event[2])]


class FromPython(unittest.TestCase):
    def test_tuples(self):
        self.assertEqual(rows(data()), by_user(log()))
        self.assertEqual(len(data()), len(log()))
        self.assertEqual((data().users, data().items), (60, 30))
        self.assertTrue(data().has_times)

    def test_forms_of_one_log_are_one_dataset(self):
        events = log()
        names = ("user", "item", "timestamp")
        seconds = [int(time.timestamp()) for _, _, time in events]
        columns = {"who": [user for user, _, _ in events], "what": [item for _, item, _ in events], "when": seconds}
        same = [
            recblr.Dataset([dict(zip(names, event)) for event in events]),
            recblr.Dataset(columns, user="who", item="what", timestamp="when"),
            recblr.Dataset({**columns, "when": array.array("q", seconds)}, "who", "what", "when"),
            recblr.Dataset(event for event in events),
            recblr.Dataset([(user, item, time.isoformat()) for user, item, time in events]),
        ]
        for dataset in same:
            self.assertEqual(dataset.mark, data().mark)

    def test_two_columns_have_no_times(self):
        dataset = recblr.Dataset([(user, item) for user, item, _ in log()])
        self.assertFalse(dataset.has_times)
        with self.assertRaisesRegex(recblr.DataError, "file_order=True"):
            recblr.Dataset([{"user": user, "item": item} for user, item, _ in log()])
        self.assertEqual(rows(dataset)[0], log()[0][:2])

    def test_integers_are_ids(self):
        dataset = recblr.Dataset([(u, i) for u in range(8) for i in range(9)])
        self.assertEqual(rows(dataset)[0], ("0", "0"))
        self.assertEqual(recblr.Dataset([[u, i] for u in range(8) for i in range(9)]).mark, dataset.mark)

    def test_filters(self):
        ratings = [(user, item, time, number % 5) for number, (user, item, time) in enumerate(log())]
        dataset = recblr.Dataset(ratings, min_rating=1, min_user_events=1, min_item_events=1)
        self.assertEqual(len(dataset), sum(number % 5 >= 1 for number in range(len(ratings))))
        where = recblr.Dataset(
            [{"user": user, "item": item, "type": "view" if n % 2 else "buy"} for n, (user, item, _) in enumerate(log())],
            where={"type": "buy"},
            file_order=True,
            min_user_events=1,
            min_item_events=1,
        )
        self.assertEqual(len(where), (len(log()) + 1) // 2)

    def test_titles(self):
        titled = recblr.Dataset(log(), titles={f"sku-{n}": f"Thing {n}" for n in range(30)})
        self.assertIn("Thing 3", (titled.folder / "items.tsv").read_text())

    def test_what_is_wrong_is_said(self):
        wrong = {
            "there are no events": [],
            "columns differ in length": {"user": ["a"], "item": []},
            "int and str": [("a", "b"), (1, "b")],
            "tuples of one length": [("a", "b"), ("a", "b", 3)],
            "give a list": {"user": "a", "item": "b"},
            "holds no events": 7,
            "Dataset.read": "log.csv",
        }
        for words, events in wrong.items():
            with self.assertRaisesRegex(recblr.UsageError, words):
                recblr.Dataset(events)
        with self.assertRaises(recblr.RecBLRError):
            recblr.Dataset(log(), user="nobody")
        with self.assertRaises(recblr.RecBLRError):
            recblr.Dataset([("a", None), ("a", "b")])
        with self.assertRaises(recblr.RecBLRError):
            recblr.Dataset([("a", "b")])
        with self.assertRaises(recblr.RecBLRError):
            recblr.Dataset(log(), min_user_events=-1)
        for wrong in ({"where": "item"}, {"min_rating": float("nan")}, {"min_user_events": 2.5j}):
            with self.assertRaises(recblr.UsageError):
                recblr.Dataset(log(), **wrong)
        with self.assertRaises(recblr.UsageError):
            recblr.Dataset([("\ud800", "b")] * 9)

    def test_bad_rows_can_be_skipped(self):
        with self.assertRaisesRegex(recblr.DataError, "skip_bad_rows=True"):
            recblr.Dataset([*log(), ("u0", None, log()[0][2])])
        dataset = recblr.Dataset([*log(), ("u0", None, log()[0][2])], skip_bad_rows=True)
        self.assertEqual(len(dataset), len(log()))

    def test_many_batches(self):
        count = (1 << 20) + 7
        users = [str(n % 1000) for n in range(count)]
        dataset = recblr.Dataset({"user": users, "item": [n % 77 for n in range(count)]}, file_order=True)
        self.assertEqual(len(dataset), count)


@needs("numpy")
class FromNumPy(unittest.TestCase):
    def test_columns(self):
        import numpy

        users, items, times = zip(*log())
        whens = numpy.array([time.replace(tzinfo=None) for time in times], dtype="datetime64[ns]")
        for when in (whens, whens.astype("datetime64[s]"), whens.astype("datetime64[us]"), whens.astype("int64")):
            dataset = recblr.Dataset({"user": numpy.array(users), "item": numpy.array(items, dtype=object), "timestamp": when})
            self.assertEqual(dataset.mark, data().mark)

    def test_strides_and_scalars(self):
        import numpy

        numbers = numpy.arange(400, dtype=numpy.int32).reshape(-1, 2)
        dataset = recblr.Dataset({"user": numbers[:, 0] // 20, "item": numbers[:, 1] % 7}, file_order=True)
        self.assertEqual(rows(dataset)[0], ("0", "1"))
        large = recblr.Dataset({"user": numpy.full(9, 2**63 + 5, "uint64"), "item": [1] * 9}, file_order=True)
        self.assertEqual(rows(large)[0], (str(2**63 + 5), "1"))
        recblr.Dataset(log(), min_user_events=numpy.int64(1))
        scalars = recblr.Dataset([(user, item) for user, item in zip(numbers[:, 0] // 20, numbers[:, 1] % 7)])
        self.assertEqual(scalars.mark, dataset.mark)


class FromFiles(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.file = Path(self.folder.name, "log.csv")
        lines = [f"{user},{item},{int(time.timestamp())}" for user, item, time in log()]
        self.file.write_text("\n".join(["customer,sku,when", *lines]) + "\n")

    def test_read(self):
        dataset = recblr.Dataset.read(self.file, user="customer", item="sku", timestamp="when")
        self.assertEqual(dataset.mark, data().mark)
        self.assertTrue(any("customer" in note for note in dataset.notes), dataset.notes)

    def test_several_files(self):
        other = self.file.with_name("more.csv")
        other.write_bytes(self.file.read_bytes())
        dataset = recblr.Dataset.read([self.file, str(other)], user="customer", item="sku", timestamp="when", dedupe="exact")
        self.assertEqual(len(dataset), len(log()))

    def test_no_such_file(self):
        with self.assertRaises(FileNotFoundError) as caught:
            recblr.Dataset.read("nowhere.csv")
        self.assertIsInstance(caught.exception, recblr.NotFoundError)

    def test_save_and_open(self):
        saved = data().save(Path(self.folder.name, "deep", "shop"))
        self.assertEqual(recblr.Dataset.open(saved).mark, data().mark)
        data().save(saved)
        self.assertEqual(os.listdir(saved.parent), ["shop"])
        with self.assertRaises(recblr.WriteError):
            data().save(self.folder.name)
        with self.assertRaises(recblr.NotFoundError):
            recblr.Dataset.open(Path(self.folder.name, "nowhere"))
        with self.assertRaises(recblr.RecBLRError):
            recblr.Dataset.open(self.folder.name)

    def test_damage_is_noticed(self):
        saved = data().save(Path(self.folder.name, "shop"))
        (saved / "dataset.json").write_text("{")
        with self.assertRaises(recblr.DataError):
            recblr.Dataset.open(saved)


class Objects(unittest.TestCase):
    def test_temporary_folders_go(self):
        dataset = recblr.Dataset(log())
        folder = dataset.folder
        self.assertTrue(folder.is_dir())
        del dataset
        self.assertFalse(folder.parent.exists())

    def test_pickle(self):
        self.assertEqual(rows(pickle.loads(pickle.dumps(data()))), rows(data()))

    def test_shown(self):
        self.assertIn("60 users", repr(data()))
        self.assertIn("<table>", data()._repr_html_())


if __name__ == "__main__":
    unittest.main()
