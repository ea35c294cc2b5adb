"""Sessions: one user, live."""

import datetime
import math
import pickle
import threading
import unittest

import recblr
from support import TINY, data, model, needs


class Sessions(unittest.TestCase):
    def test_push_and_top(self):
        session = model().session()
        self.assertEqual(len(session), 0)
        self.assertTrue(all(math.isnan(best.score) for best in session.top(3)))
        session.push("sku-17")
        session.push("sku-3")
        best = session.top(5)
        self.assertEqual(len(best), 5)
        self.assertEqual(len(session), 2)
        self.assertFalse({"sku-17", "sku-3"} & {item for item, _, _ in session.top(30)})
        self.assertEqual(len(session.top(10**9, exclude_seen=False)), 30)
        self.assertEqual(best, model().session(["sku-17", "sku-3"]).top(5))
        self.assertEqual(len(model().session("sku-17")), 1)

    def test_unknown_items_change_nothing(self):
        session = model().session(["sku-1"])
        before = session.to_bytes()
        with self.assertRaisesRegex(recblr.DataError, "nothing"):
            session.push("nothing")
        self.assertEqual(session.to_bytes(), before)
        for wrong in (None, 1.5, True, b"sku-1"):
            with self.assertRaises(recblr.UsageError):
                session.push(wrong)
        for k in (0, -1):
            with self.assertRaises(recblr.UsageError):
                session.top(k)

    def test_fork(self):
        session = model().session(["sku-1"])
        copy = session.fork()
        copy.push("sku-9")
        self.assertEqual((len(session), len(copy)), (1, 2))
        self.assertEqual(session.top(5), model().session(["sku-1"]).top(5))

    def test_bytes_and_pickle(self):
        session = model().session(["sku-1", "sku-2"])
        self.assertEqual(recblr.Session.from_bytes(model(), session.to_bytes()).top(9), session.top(9))
        self.assertEqual(pickle.loads(pickle.dumps(session)).top(9), session.top(9))
        data_of_it = bytearray(session.to_bytes())
        data_of_it[-9] ^= 1
        for wrong in (bytes(data_of_it), b"", b"no session"):
            with self.assertRaises(recblr.DataError):
                recblr.Session.from_bytes(model(), wrong)
        other = recblr.train(data(), **{**TINY, "seed": 3})
        with self.assertRaises(recblr.DataError):
            recblr.Session.from_bytes(other, session.to_bytes())

    def test_a_session_keeps_its_model(self):
        session = recblr.load(model().folder).session(["sku-1"])
        self.assertEqual(session.top(3), model().session(["sku-1"]).top(3))

    def test_explain(self):
        session = model().session(["sku-1", "sku-2"])
        best = session.top(1)[0]
        self.assertAlmostEqual(session.explain(best.item).score, best.score, places=4)
        with self.assertRaises(recblr.DataError):
            session.explain("nothing")

    @needs("numpy")
    def test_numpy_scalars(self):
        import numpy

        numbers = recblr.Dataset([(u, (u + i) % 9) for u in range(20) for i in range(9)])
        trained = recblr.train(numbers, **TINY)
        session = trained.session([numpy.int64(3), numpy.str_("4"), 5])
        self.assertEqual(session.top(3), trained.session(["3", "4", "5"]).top(3))


class Times(unittest.TestCase):
    def test_times(self):
        trained = recblr.train(data(), time=True, **TINY)
        now = datetime.datetime(2026, 3, 1, 12, tzinfo=datetime.timezone.utc)
        said = [now, now.replace(tzinfo=None), now.timestamp(), int(now.timestamp()), "2026-03-01T12:00:00Z"]
        answers = set()
        for time in said:
            session = trained.session()
            session.push("sku-1", time)
            answers.add(str(session.top(3, time=now + datetime.timedelta(days=2))))
        self.assertEqual(len(answers), 1)
        with self.assertRaises(recblr.UsageError):
            session.push("sku-2", "yesterday")
        with self.assertRaises(recblr.UsageError):
            session.push("sku-2", datetime.datetime(2300, 1, 1))
        self.assertEqual(len(list(trained.recommend(data(), users=["u1"], time=datetime.datetime(2027, 1, 1)))), 10)
        self.assertEqual(len([e for e in trained.evaluate(data(), threads=1).details if "probability" in e]), 2)


class Threads(unittest.TestCase):
    def test_many_sessions_of_one_model(self):
        expected = [model().session([f"sku-{n}"]).top(5) for n in range(30)]
        wrong = []

        def work(offset):
            for n in range(60):
                item = (n + offset) % 30
                if model().session([f"sku-{item}"]).top(5) != expected[item]:
                    wrong.append(item)

        threads = [threading.Thread(target=work, args=(offset,)) for offset in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(wrong, [])

    def test_threads_take_turns_on_one_session(self):
        session = model().session()

        def work():
            for n in range(100):
                session.push(f"sku-{n % 30}")
                session.top(3)

        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(len(session), 400)


if __name__ == "__main__":
    unittest.main()
