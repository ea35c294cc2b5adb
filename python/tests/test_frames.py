"""Data frames in, and tables out, by Arrow."""

import sys
import tempfile
import unittest
import unittest.mock
from pathlib import Path

import recblr
from support import data, log, model, needs

NAMES = ("customer", "sku", "when")


def columns():
    return dict(zip(NAMES, map(list, zip(*log()))))


class Frames(unittest.TestCase):
    def check(self, frame):
        self.assertEqual(recblr.Dataset(frame, user="customer", item="sku", timestamp="when").mark, data().mark)

    @needs("polars")
    def test_polars(self):
        import polars

        frame = polars.DataFrame(columns())
        self.check(frame)
        self.check(frame.with_columns(polars.col("customer").cast(polars.Categorical)))
        self.check(polars.concat([frame[:100], frame[100:]], rechunk=False))
        with self.assertRaisesRegex(recblr.UsageError, "collect"):
            self.check(_without_arrow(frame.lazy()))
        if not hasattr(frame.lazy(), "__arrow_c_stream__"):
            with self.assertRaisesRegex(recblr.UsageError, "collect"):
                self.check(frame.lazy())
        sliced = recblr.Dataset(polars.concat([frame[:3], frame])[3:], "customer", "sku", "when")
        self.assertEqual(sliced.mark, data().mark)
        self.assertEqual(polars.DataFrame(data()).shape, (len(data()), 3))
        answers = polars.DataFrame(model().recommend(data(), users=["u1", "u2"], k=3))
        self.assertEqual(answers.columns, ["user", "item", "rank", "score"])
        self.assertEqual(answers["rank"].to_list(), [1, 2, 3, 1, 2, 3])
        self.assertEqual(model().recommend(data()).to_polars().height, 600)
        self.assertEqual(len(list(model().recommend(data(), users=answers["user"].unique()))), 20)

    @needs("pandas", "numpy")
    def test_pandas(self):
        import pandas

        frame = pandas.DataFrame(columns())
        self.check(frame)
        self.check(frame.assign(when=frame["when"].astype("int64") // 10**3 if frame["when"].dt.unit == "us" else frame["when"]))
        self.check(frame.set_index(frame.index + 5))
        answers = model().recommend(data(), users=frame["customer"].unique()[:2]).to_pandas()
        self.assertEqual(list(answers.columns), ["user", "item", "rank", "score"])
        self.assertEqual(len(answers), 20)

    @needs("pandas", "numpy")
    def test_columns_of_pandas(self):
        import pandas

        labels = [-float(n) for n in range(len(log()))]
        self.check({name: pandas.Series(values, index=labels) for name, values in columns().items()})
        ids = pandas.Series([3, None] * 20, dtype="Int64")
        times = pandas.Series(pandas.date_range("2026-01-01", periods=40, tz="UTC"))
        dataset = recblr.Dataset({"user": ids, "item": [1] * 40, "timestamp": times}, skip_bad_rows=True)
        self.assertEqual({user for user, _, _ in dataset.table()}, {"3"})

    @needs("pyarrow")
    def test_pyarrow(self):
        import pyarrow
        import pyarrow.parquet

        table = pyarrow.table(columns())
        self.check(table)
        self.check(table.set_column(0, "customer", table["customer"].dictionary_encode()))
        self.check(table.set_column(1, "sku", table["sku"].cast(pyarrow.large_string())))
        self.check(pyarrow.RecordBatchReader.from_batches(table.schema, table.to_batches(max_chunksize=77)))
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder, "log.parquet")
            pyarrow.parquet.write_table(table, file)
            self.check(pyarrow.parquet.read_table(file))
        events = pyarrow.table(data())
        self.assertEqual(events.column_names, ["user", "item", "timestamp"])
        events.validate(full=True)
        vectors = model().vectors().to_arrow()
        vectors.validate(full=True)
        self.assertEqual(vectors.num_rows, 30)
        self.assertEqual(
            vectors.schema.field("vector").type,
            pyarrow.list_(
                pyarrow.field(
                    vectors.schema.field("vector").type.value_field.name,
                    pyarrow.float32(),
                    vectors.schema.field("vector").type.value_field.nullable,
                ),
                8,
            ),
        )

    def check_files(self, write, hidden):
        """Parts of the log in a folder, and as a list, are the log; `hidden` libraries cannot be imported."""
        with tempfile.TemporaryDirectory() as folder, unittest.mock.patch.dict(sys.modules, dict.fromkeys(hidden)):
            parts = [Path(folder, f"part-{number}") for number in (1, 2)]
            for part, rows in zip(parts, (slice(0, 100), slice(100, None))):
                write({**{name: values[rows] for name, values in columns().items()}, "note": ["…"] * len(log()[rows])}, part)
            Path(folder, "_SUCCESS").touch()
            for paths in (folder, parts):
                read = recblr.Dataset.read(paths, user="customer", item="sku", timestamp="when")
                self.assertEqual(read.mark, data().mark)
            with self.assertRaisesRegex(recblr.DataError, "colour.*customer"):
                recblr.Dataset.read(parts, user="colour", item="sku", timestamp="when")
            with self.assertRaisesRegex(recblr.UsageError, "delimiter="):
                recblr.Dataset.read(parts, delimiter=",")
            with self.assertRaisesRegex(recblr.UsageError, "user=1"):
                recblr.Dataset.read(parts, user=1)
            Path(folder, "text.csv").write_text("customer,sku\n")
            with self.assertRaisesRegex(recblr.DataError, "text.csv is no"):
                recblr.Dataset.read(folder)
            parts[0].write_bytes(parts[0].read_bytes()[:300])
            with self.assertRaisesRegex(recblr.DataError, "part-1"):
                recblr.Dataset.read(parts[:1])

    @needs("pyarrow")
    def test_files_by_pyarrow(self):
        import pyarrow.feather
        import pyarrow.parquet

        self.check_files(lambda rows, path: pyarrow.parquet.write_table(pyarrow.table(rows), path), {"polars"})
        self.check_files(lambda rows, path: pyarrow.feather.write_feather(pyarrow.table(rows), str(path)), {"polars"})

    @needs("polars")
    def test_files_by_polars(self):
        import polars

        self.check_files(lambda rows, path: polars.DataFrame(rows).write_parquet(path), {"pyarrow.dataset"})
        self.check_files(lambda rows, path: polars.DataFrame(rows).write_ipc(path), {"pyarrow.dataset"})

    def test_files_by_nothing(self):
        with (
            tempfile.TemporaryDirectory() as folder,
            unittest.mock.patch.dict(sys.modules, {"pyarrow.dataset": None, "polars": None}),
        ):
            file = Path(folder, "log.parquet")
            file.write_bytes(b"PAR1...")
            with self.assertRaisesRegex(recblr.UnavailableError, "pip install pyarrow"):
                recblr.Dataset.read(file)

    @needs("pyarrow")
    def test_columns_of_ids(self):
        import pyarrow

        users = pyarrow.chunked_array([["u1"], ["u2"]])
        self.assertEqual(len(list(model().recommend(data(), users=users, k=2))), 4)
        self.assertEqual(len(model().session(pyarrow.array(["sku-1", "sku-2"]))), 2)

    @needs("duckdb", "pyarrow")
    def test_duckdb(self):
        import duckdb
        import pyarrow

        events = pyarrow.table(columns())  # duckdb finds it by its name
        self.check(duckdb.sql("select * from events"))
        answers = model().recommend(data(), users=["u1"], k=5)  # noqa: F841 (duckdb finds it by its name)
        self.assertEqual(duckdb.sql("select count(*) from answers").fetchall(), [(5,)])
        self.assertEqual(len(events), len(log()))

    @needs("polars")
    def test_one_stream_is_read_once(self):
        import polars

        class Once:
            capsule = polars.DataFrame(columns()).__arrow_c_stream__()

            def __arrow_c_stream__(self, requested_schema=None):
                return self.capsule

        self.check(Once())
        with self.assertRaises(recblr.RecBLRError):
            recblr.Dataset(Once())


def _without_arrow(frame):
    """A lazy frame as those of versions that know no streams."""

    class Lazy:
        def collect(self):
            return frame.collect()

    return Lazy()


class Foreign(unittest.TestCase):
    def test_no_capsule(self):
        class Wrong:
            def __arrow_c_stream__(self, requested_schema=None):
                return "stream"

        with self.assertRaises(TypeError):
            recblr.Dataset(Wrong())


if __name__ == "__main__":
    unittest.main()
