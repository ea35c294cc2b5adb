"""Cases, RecBole's split, its evaluator on given scores, budgets, what is kept: offline, on a few invented events.

What needs RecBole is skipped where it is not installed.
"""

import contextlib
import io
import json
import math
import os
import random
import stat
import sys
import tempfile
import unittest
from array import array
from pathlib import Path

from cases import Case, Events
from ours import Program

try:
    import torch
    from recbole.trainer import Trainer

    import compare
    import yardstick
    from recbole_side import Split, configuration, judge, train
except ImportError:
    torch = None

needs_recbole = unittest.skipUnless(torch, "RecBole is not installed")


def invented(users: int = 30, items: int = 12) -> Events:
    """Walks along the catalogue, with items that come again; the first two users are too short to hold anything out."""
    chance = random.Random(7)
    lengths = [1, 2] + [chance.randrange(3, 20) for _ in range(users - 2)]
    starts = [chance.randrange(items) for _ in lengths]
    sequences = [[(start + step + chance.randrange(3)) % items + 1 for step in range(n)] for start, n in zip(starts, lengths)]
    return Events(sequences, [f"item {item}" for item in range(1, items + 1)])


class CasesTests(unittest.TestCase):
    def test_a_folder_is_read(self):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            folder.joinpath("starts.i64").write_bytes(array("q", [0, 3, 5]).tobytes())
            folder.joinpath("items.i32").write_bytes(array("i", [2, 1, 2, 3, 1]).tobytes())
            folder.joinpath("items.tsv").write_text("id\ttitle\na\tOne\nb\t\nc\tThree\n")
            events = Events.read(folder)
        self.assertEqual(events.sequences, [[2, 1, 2], [3, 1]])
        self.assertEqual(events.items, ["a", "b", "c"])

    def test_the_last_two_of_three_are_held_out(self):
        events = Events([[5, 6, 7, 8], [1, 2], [3], [1, 2, 3]], [])
        self.assertEqual(list(events.test()), [Case(0, [5, 6, 7], 8), Case(3, [1, 2], 3)])
        self.assertEqual(list(events.validation()), [Case(0, [5, 6], 7), Case(3, [1], 2)])
        self.assertEqual(list(events.training()), [Case(0, [5], 6), Case(1, [1], 2)])

    def test_training_events_alone_name_every_item(self):
        with tempfile.TemporaryDirectory() as name:
            path = Path(name) / "training.csv"
            Events([[1, 2, 3, 4], [2, 1]], ["a,a", "b", "c", "d"]).write_training(path)
            self.assertEqual(path.read_text(), 'user,item\n0,"a,a"\n0,b\n1,b\n1,"a,a"\n2,c\n3,d\n')

    def test_the_atomic_file_counts_events_instead_of_seconds(self):
        with tempfile.TemporaryDirectory() as name:
            Events([[2, 1], [2]], []).write_atomic(Path(name) / "log")
            lines = (Path(name) / "log" / "log.inter").read_text().splitlines()
        self.assertEqual(lines, ["user_id:token\titem_id:token\ttimestamp:float", "0\t2\t0", "0\t1\t1", "1\t2\t0"])


class ProgramTests(unittest.TestCase):
    """With a stand-in that prints what it was asked, or what the program would."""

    def program(self, folder: str, body: str) -> Program:
        path = Path(folder) / "stand-in"
        path.write_text(f"#!{sys.executable}\nimport json, sys\n{body}\n")
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
        return Program(path, Path(folder) / "dataset", threads=1)

    def test_metrics_have_recbole_s_names(self):
        reports = [{"name": "Popularity"}, {"name": "RecBLR", "all": {
            "unmasked": {"at10": {"hr": 0.5, "ndcg": 0.25, "mrr": 0.125, "cutoff": 10}},
            "masked": {"at10": {"hr": 0.75, "ndcg": 0.5, "mrr": 0.25, "cutoff": 10}}}}]
        with tempfile.TemporaryDirectory() as folder:
            found = self.program(folder, f"print(json.dumps({reports!r}))").evaluate(Path("model"))
        self.assertEqual(found["unmasked"], {"hit@10": 0.5, "ndcg@10": 0.25, "mrr@10": 0.125})
        self.assertEqual(found["masked"]["hit@10"], 0.75)

    def test_scores_are_asked_for_the_last_events_and_reach_below_the_seen(self):
        body = """
words = sys.argv[1:]
histories = [json.loads(line) for line in open(words[words.index("--histories") + 1])]
many = int(words[words.index("-k") + 1])
for history in histories:
    print(json.dumps({"recommendations": [{"id": item, "score": many + place} for place, item in enumerate(history)]}))"""
        events = Events([[1, 2, 3, 2, 4]], [f"raw {number}" for number in range(1, 40)])
        with tempfile.TemporaryDirectory() as folder:
            found = list(self.program(folder, body).scores(Path(folder) / "model", list(events.test()), events, length=2))
        self.assertEqual(found, [{3: 13.0, 2: 14.0}])  # 10 and the three items seen

    def test_a_failure_is_not_an_empty_answer(self):
        with tempfile.TemporaryDirectory() as folder, self.assertRaises(SystemExit):
            self.program(folder, "sys.exit(65)").evaluate(Path("model"))


@needs_recbole
class RecBoleTests(unittest.TestCase):
    def setUp(self):
        self.here = os.getcwd()
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.addCleanup(os.chdir, self.here)
        os.chdir(folder.name)
        self.folder = Path(folder.name) / "events"
        self.events = invented()
        self.events.write_atomic(self.folder)

    def split(self, model: object = "SASRec", length: int = 5, **settings: object) -> "Split":
        return Split(configuration(model, self.folder, length, seed=1, **settings), self.events)

    def test_its_split_is_ours(self):
        split = self.split()
        self.assertEqual(len(split.train._dataset), sum(1 for _ in self.events.training()))
        self.assertEqual(len(split.test._dataset), 28)

    def test_another_split_is_refused(self):
        for change in (lambda own: own[:-1], lambda own: own[::-1], lambda own: own + own[:1]):
            events = Events(self.events.sequences[:-1] + [change(self.events.sequences[-1])], self.events.items)
            with self.assertRaises(SystemExit):
                Split(configuration("SASRec", self.folder, 5, seed=1), events)

    def test_it_scores_given_scores_in_both_settings(self):
        split = self.split()
        chance = random.Random(3)
        cases = list(self.events.test())
        scores = [{item: -chance.random() for item in range(1, 13)} for _ in cases]

        def ndcg(case: Case, own: dict[int, float], left_out: set[int]) -> float:
            rank = sum(value >= own[case.target] for item, value in own.items() if item not in left_out)
            return 1 / math.log2(rank + 1) if rank <= 10 else 0

        found = judge(split, scores)
        for setting, seen in (("unmasked", lambda case: set()), ("masked", lambda case: set(case.history) - {case.target})):
            expected = sum(ndcg(case, own, seen(case)) for case, own in zip(cases, scores)) / len(cases)
            self.assertAlmostEqual(found[setting]["ndcg@10"], expected, places=6)
        self.assertGreater(found["masked"]["hit@10"], found["unmasked"]["hit@10"])
        self.assertTrue(any(case.target in case.history for case in cases))  # stays a candidate

    def test_every_model_trains_and_says_that_it_was_out_of_time(self):
        for name in compare.MODELS.split(","):
            lines = []
            trained = train(name, self.split(name, length=10), 0, lines.append)
            self.assertEqual((trained.epochs, trained.best_epoch, trained.finished), (1, 1, False), name)
            self.assertGreaterEqual(trained.test["masked"]["hit@10"], trained.test["unmasked"]["hit@10"], name)
            self.assertIn("learning_rate", trained.settings)
            self.assertEqual(len(lines), 1)

    def test_an_item_without_a_score_comes_last(self):
        split = self.split()
        given = [{case.target: -3.5} | {item: -1.0 - item for item in range(1, 6) if item != case.target} for case in self.events.test()]
        ranks = [sum(value >= -3.5 for value in own.values()) for own in given]
        self.assertAlmostEqual(judge(split, given)["unmasked"]["mrr@10"], sum(1 / rank for rank in ranks) / len(ranks), places=6)

    def test_a_model_stops_early_by_itself(self):
        trained = train("GRU4Rec", self.split("GRU4Rec", stopping_step=1, epochs=40), 10, lambda line: None)
        self.assertTrue(trained.finished)
        self.assertLessEqual(trained.best_epoch, trained.epochs)

    def test_the_yardstick_is_the_twin_on_recbole_s_batches(self):
        split = self.split(yardstick.RecBLR, length=6, **yardstick.SETTINGS | {"dropout_prob": 0})
        batch = next(iter(split.train))
        torch.manual_seed(1)
        model = yardstick.RecBLR(split.config, split.train._dataset)
        expected = model.twin.padded_loss(batch["item_id_list"], batch["item_length"], batch["item_id"])
        expected.backward()
        gradients = {name: parameter.grad.clone() for name, parameter in model.named_parameters()}
        model.zero_grad()
        saved, yardstick.PART = yardstick.PART, 7
        self.addCleanup(setattr, yardstick, "PART", saved)
        loss = model.calculate_loss(batch)
        loss.backward()
        self.assertAlmostEqual(loss.item(), expected.item(), places=5)
        for name, parameter in model.named_parameters():
            torch.testing.assert_close(parameter.grad, gradients[name], rtol=1e-3, atol=1e-6, msg=name)
        self.assertAlmostEqual(model.losses[0].item() / model.losses[2].item(), expected.item(), places=5)

    def test_the_yardstick_trains_in_recbole(self):
        split = self.split(yardstick.RecBLR, **yardstick.SETTINGS | {"epochs": 3})
        told = []
        epochs = yardstick.recbole_epochs(split, 10, lambda done: told.append(len(done)))
        self.assertEqual(told, [1, 2, 3])
        self.assertLess(epochs[-1]["loss"], epochs[0]["loss"])
        self.assertIn("| 3 |", yardstick.table(epochs, epochs))

    def test_as_many_steps_as_recbole_makes(self):
        chance = random.Random(5)
        events = Events([list(range(1, chance.randrange(3, 90))) for _ in range(1000)], [])
        lengths = [min(len(case.history), 50) for case in events.training()]
        chance.shuffle(lengths)
        tokens, steps, filled = yardstick.batch_tokens(events, 50), 1, 0
        for length in lengths:  # as BatchPlan.groups does
            if filled + length > tokens:
                steps, filled = steps + 1, 0
            filled += length
        self.assertEqual(steps, -(-len(lengths) // 2048))


@needs_recbole
class KeptTests(unittest.TestCase):
    def run_in(self, folder: str, minutes: float) -> "compare.Run":
        return compare.Run(None, invented(), Path(folder), 5, minutes, 1)

    def let_train_be(self, train) -> None:
        for owner, name, value in ((compare, "train", train), (compare.Run, "split", lambda *_: None)):
            self.addCleanup(setattr, owner, name, getattr(owner, name))
            setattr(owner, name, value)

    def test_what_is_done_is_not_done_again(self):
        with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()):
            made = [self.run_in(folder, 1).kept("a", lambda: {"n": number}, {"of": of})["n"] for number, of in ((1, 1), (2, 1), (3, 2))]
        self.assertEqual(made, [1, 1, 3])

    def test_an_unfinished_model_gets_more_minutes_only(self):
        def trained(name, split, minutes, tell):
            done.append(minutes)
            return compare.Trained(name, {}, 1, 1, 1.0, False, {})

        done: list[float] = []
        self.let_train_be(trained)
        with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()):
            for minutes in (1, 1, 0.5, 2):
                compare.theirs(self.run_in(folder, minutes), "FPMC")
        self.assertEqual(done, [1, 2])

    def test_a_model_that_fails_takes_no_other_with_it(self):
        def broken(*_: object) -> None:
            raise RuntimeError("no such option")

        self.let_train_be(broken)
        with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            row = compare.theirs(self.run_in(folder, 1), "Caser")
            self.assertEqual(os.listdir(folder), [])
        self.assertEqual(row, {"model": "Caser", "failed": "RuntimeError: no such option"})
        self.assertIn("| Caser | – | – | – | – | – | – | failed, see above | – |", compare.table([row]))

    def test_the_table_says_what_did_not_finish(self):
        numbers = {setting: dict.fromkeys(compare.METRICS, 0.125) for setting in ("unmasked", "masked")}
        row = {"model": "NARM", "test": numbers, "epochs": 9, "best_epoch": 8, "seconds": 1801.4, "finished": False}
        self.assertIn("| NARM | 0.1250 |", compare.table([row]))
        self.assertIn("8 of 9, not finished | 1,801 |", compare.table([row]))
        self.assertNotIn("not finished", compare.table([row | {"finished": True}]))


if __name__ == "__main__":
    unittest.main()
