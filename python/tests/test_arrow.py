"""The Arrow C interface by itself: what goes out is what comes in, and nothing stays behind."""

import array
import gc
import unittest
from datetime import datetime, timezone

from recblr import RecBLRError, UsageError
from recblr._arrow import capsule_of, lent, release, stream_in
from recblr._exporter import kept_count, stream_of_columns
from recblr._reader import batches
from support import needs, python


def there_and_back(**columns):
    return list(batches(stream_of_columns(columns)))


class Columns(unittest.TestCase):
    def test_kinds(self):
        when = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=timezone.utc)
        columns = {
            "text": ["a", "", None, "ä€𝄞", "\0"],
            "number": [1, -(2**63), 2**63 - 1, None, 0],
            "real": [1.5, 2, None, float("inf"), -0.0],
            "time": [when, None, when.replace(year=1), when.replace(year=9999), when],
            "nothing": [None] * 5,
        }
        self.assertEqual(there_and_back(**columns), [columns])

    def test_buffers(self):
        self.assertEqual(there_and_back(a=array.array("q", [1, 2]), b=array.array("d", [1, 2.5])), [{"a": [1, 2], "b": [1.0, 2.5]}])

    @needs("numpy")
    def test_numpy(self):
        import numpy

        columns = {
            "int8": numpy.arange(6, dtype="int8")[::2],
            "uint16": numpy.array([1, 2, 65535], "uint16"),
            "float32": numpy.array([1, 2, numpy.nan], "float32"),
            "bool": numpy.array([True, False, True]),
            "text": numpy.array(["a", "bc", ""]),
            "object": numpy.array(["a", None, "b"], dtype=object),
            "swapped": numpy.array([1, 2, 3], ">i8"),
        }
        got = there_and_back(**columns)[0]
        self.assertEqual(got["int8"], [0, 2, 4])
        self.assertEqual(got["uint16"], [1, 2, 65535])
        self.assertEqual(got["swapped"], [1, 2, 3])
        self.assertEqual(got["object"], ["a", None, "b"])
        self.assertEqual(got["text"], ["a", "bc", ""])
        day = numpy.array(["2026-01-01", "NaT"], "datetime64[D]")
        self.assertEqual(there_and_back(day=day)[0]["day"], [datetime(2026, 1, 1, tzinfo=timezone.utc), None])

    def test_nan_is_nothing_among_strings_and_times(self):
        nan, when = float("nan"), datetime(2026, 1, 2, tzinfo=timezone.utc)
        self.assertEqual(there_and_back(a=["b", nan], c=[when, nan]), [{"a": ["b", None], "c": [when, None]}])

    @needs("numpy")
    def test_large_unsigned_numbers(self):
        import numpy

        self.assertEqual(there_and_back(a=numpy.array([2**63 + 5, 1], "uint64"))[0]["a"], [2**63 + 5, 1])

    def test_half_characters_are_refused(self):
        for columns in ({"a": ["\ud800"]}, {"a": ["b", None, "\udcff"]}, {"\ud800": ["a"]}):
            with self.assertRaises(UsageError):
                there_and_back(**columns)

    def test_what_cannot_be(self):
        for values in (["a", 1], [object()], [b"a"], [2**63]):
            with self.assertRaises(UsageError):
                there_and_back(a=values)

    def test_a_late_error_is_the_stream_s(self):
        from recblr import _exporter

        rows = _exporter.ROWS_OF_A_BATCH
        with self.assertRaisesRegex(RecBLRError, "int and str"):
            there_and_back(a=["a"] * rows + ["b", 1])
        with self.assertRaisesRegex(RecBLRError, "changes its kind"):
            there_and_back(a=["a"] * rows + [1])


class Ownership(unittest.TestCase):
    def tearDown(self):
        gc.collect()
        self.assertEqual(kept_count(), 0)

    def test_unread_streams_go_with_their_capsule(self):
        for _ in range(10):
            capsule = capsule_of(stream_of_columns({"a": ["b"] * 10}))
            self.assertGreater(kept_count(), 0)
            del capsule
            self.assertEqual(kept_count(), 0)

    def test_half_read_streams_go(self):
        iterator = batches(stream_of_columns({"a": [None] * 3_000_000}))
        next(iterator)
        del iterator

    def test_only_capsules_of_streams_are_taken(self):
        with self.assertRaises(TypeError):
            stream_in("no capsule")
        release(stream_in(capsule_of(stream_of_columns({"a": ["b"]}))).contents)

    def test_a_lent_stream_outlives_its_capsule(self):
        """A library may drop the capsule while it raises an error, which running Python then would lose."""
        capsule = lent(stream_of_columns({"a": ["b"]}))
        del capsule
        self.assertGreater(kept_count(), 0)
        for _ in range(100):
            release(stream_in(lent(stream_of_columns({"a": ["b"]}))).contents)
        self.assertEqual(kept_count(), 0)

    @needs("pyarrow")
    def test_pyarrow_takes_it(self):
        import pyarrow

        class Frame:
            def __arrow_c_stream__(self, requested_schema=None):
                return capsule_of(stream_of_columns({"a": ["b", None], "c": [1, 2]}))

        table = pyarrow.table(Frame())
        table.validate(full=True)
        self.assertEqual(table.to_pydict(), {"a": ["b", None], "c": [1, 2]})
        del table


class Memory(unittest.TestCase):
    def test_nothing_grows(self):
        python(
            """
import gc, resource, recblr, support
def round():
    data = recblr.Dataset(support.log())
    support.model().recommend(data, k=10)
    list(support.model().recommend(data, k=10))
    list(data.table()); list(support.model().vectors())
    data.__arrow_c_stream__()
    session = support.model().session(["sku-1"]); session.fork(); session.to_bytes(); session.explain("sku-2")
    try: session.push("nothing")
    except recblr.DataError: pass
    recblr.load(support.model().folder)
def kilobytes():
    gc.collect()
    return int([line.split()[1] for line in open("/proc/self/status") if line.startswith("VmRSS")][0])
for _ in range(20): round()
before = kilobytes()
for _ in range(60): round()
grown = kilobytes() - before
assert grown < 20_000, grown
""",
            cwd=__file__.rpartition("/")[0] or ".",
        )

    def test_the_end_of_a_program_with_everything_open(self):
        python(
            """
import support
from recblr._arrow import capsule_of
from recblr._exporter import stream_of_columns
data, model = support.data(), support.model()
kept = [data.__arrow_c_stream__(), model.recommend(data), model.vectors(), iter(model.recommend(data)), model.session(["sku-1"]),
        capsule_of(stream_of_columns({"a": ["b"]}))]
next(kept[3])
kept.append(kept)
""",
            cwd=__file__.rpartition("/")[0] or ".",
        )


if __name__ == "__main__":
    unittest.main()
