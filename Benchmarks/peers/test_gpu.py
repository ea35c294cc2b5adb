"""What is timed on a GPU computes what model.py does; and the table says what was reached.

Where there is no GPU, Triton's interpreter runs the kernels; where there is no Triton, the plain scans stand in for them.
"""

import os
import unittest
import unittest.mock

import torch

if not torch.cuda.is_available():
    os.environ["TRITON_INTERPRET"] = "1"  # read when Triton is imported

import gpu_peers
import gpu_table
from data import even_batches
from gpu_peers import TINY, copy_rate, paper_scan, scans
from model import RecBLR, gated
from scan import linear_recurrence, linear_recurrence_by_doubling

try:
    import triton_scan
except ImportError:
    triton_scan = None

DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")


class ScanTests(unittest.TestCase):
    def agree(self, own, length: int, width: int) -> None:
        """States and gradients beside the recurrence of the CPU's peers in double precision."""
        torch.manual_seed(length)
        alpha = torch.rand(length, width, device=DEVICE).requires_grad_()
        drive = torch.randn(length, width, device=DEVICE).requires_grad_()
        gradient = torch.randn(length, width, device=DEVICE)
        states = own(alpha, drive)
        exact = [part.detach().cpu().double().requires_grad_() for part in (alpha, drive)]
        expected = linear_recurrence(*exact)
        pairs = zip(
            (states, *torch.autograd.grad(states, (alpha, drive), gradient)),
            (expected, *torch.autograd.grad(expected, exact, gradient.cpu().double())))
        for value, right in pairs:
            torch.testing.assert_close(value.cpu().double(), right, rtol=1e-5, atol=2e-5, msg=f"{length} x {width}")

    def test_packed(self):
        packed, _ = scans(DEVICE)
        for length, width in ((1, 3), (31, 5), (32, 33), (33, 5), (100, 2)):
            self.agree(packed, length, width)

    def test_doubling(self):
        self.agree(lambda *parts: linear_recurrence_by_doubling(*parts), 37, 3)

    def test_rows(self):
        _, rows = scans(DEVICE)
        for length in (1, 2, 8, 64):
            self.agree(lambda alpha, drive: rows(alpha.T, drive.T).T, length, 3)

    @unittest.skipUnless(triton_scan, "no Triton")
    def test_rows_in_levels(self):
        longest, triton_scan.LONGEST_ROW = triton_scan.LONGEST_ROW, 4
        self.addCleanup(setattr, triton_scan, "LONGEST_ROW", longest)
        for length in (4, 8, 64):  # one level, two, three
            self.agree(lambda alpha, drive: triton_scan.scan_rows(alpha.T, drive.T).T, length, 3)

    def test_paper_s_way_is_the_gated_scan(self):
        torch.manual_seed(4)
        shapes = [(2, 8, 10), (5,), (2, 8, 5), (2, 8, 5)]
        gates, decay, c, z = inputs = [torch.randn(shape, device=DEVICE, requires_grad=True) for shape in shapes]
        output = paper_scan(*inputs, scans(DEVICE)[1])
        alpha, drive = gated(gates.transpose(0, 1), decay, c.transpose(0, 1))
        expected = linear_recurrence(alpha, drive).transpose(0, 1) * torch.nn.functional.silu(z)
        torch.testing.assert_close(output, expected, rtol=1e-5, atol=1e-5)
        gradient = torch.randn_like(output)
        pairs = zip(torch.autograd.grad(output, inputs, gradient), torch.autograd.grad(expected, inputs, gradient))
        for value, right in pairs:
            torch.testing.assert_close(value, right, rtol=1e-4, atol=1e-4)


class TrainingTests(unittest.TestCase):
    users = [torch.arange(1, 5), torch.arange(10, 12), torch.arange(20, 60)]

    def test_loss_and_gradients_are_those_of_the_model_on_the_cpu(self):
        torch.manual_seed(5)
        model = RecBLR(items=60, hidden=8, dropout=0)
        own = RecBLR(items=60, hidden=8, dropout=0, recurrence=scans(DEVICE)[0])
        own.load_state_dict(model.state_dict())
        own.to(DEVICE)
        batch = next(even_batches(self.users, 40))
        right, value = model.packed_loss(*batch), own.packed_loss(*(part.to(DEVICE) for part in batch))
        right.backward()
        value.backward()
        torch.testing.assert_close(value.cpu(), right, rtol=1e-5, atol=0)
        for (name, expected), parameter in zip(model.named_parameters(), own.parameters()):
            scale = expected.grad.abs().max().item()
            torch.testing.assert_close(parameter.grad.cpu(), expected.grad, rtol=0, atol=1e-4 * scale + 1e-9, msg=name)

    def test_batches_are_even_and_cut_histories_begin_anew(self):
        torch.manual_seed(6)
        batches = even_batches(self.users, 16)
        for _ in range(20):
            items, position, targets = next(batches)
            self.assertEqual([len(items), len(position), position[0].item()], [16, 16, 0])
            self.assertTrue(torch.equal(targets, items + 1))
            goes_on = position[1:] > 0
            self.assertTrue(torch.equal(position[1:][goes_on], position[:-1][goes_on] + 1))
            self.assertTrue((items[1:][goes_on] == items[:-1][goes_on] + 1).all())

    def test_no_event_is_lost_or_repeated(self):
        torch.manual_seed(7)
        batches = even_batches(self.users, 11)
        seen = torch.cat([next(batches)[0] for _ in range(4)])  # 44 events; the three histories have 3, 1 and 39
        self.assertEqual(sorted(seen[:43].tolist()), [1, 2, 3, 10, *range(20, 59)])

    @unittest.mock.patch.dict(os.environ, TRITON_INTERPRET="0")  # it would take minutes
    def test_steps_and_copies_are_timed(self):
        self.assertGreater(copy_rate(DEVICE, TINY), 0)
        ways = gpu_peers.WAYS
        gpu_peers.WAYS = {"eager": None}
        self.addCleanup(setattr, gpu_peers, "WAYS", ways)
        rates, failures = gpu_peers.training_rates(self.users, 60, 8, "bfloat16", DEVICE, TINY)
        self.assertGreater(rates["eager"], 0)
        self.assertEqual(failures, {})


class ClockTests(unittest.TestCase):
    def test_several_calls_are_timed_together(self):
        """Three calls that do not count; then, as in GPUBench.swift, each time one more, and five between the events."""
        seen = []

        class Event:
            def __init__(self, enable_timing: bool):
                pass

            def record(self):
                seen.append("event")

            def elapsed_time(self, end) -> float:
                return 10  # milliseconds

        with unittest.mock.patch("torch.cuda.Event", Event), unittest.mock.patch("gpu_peers.synchronize"):
            seconds = gpu_peers.median_seconds(lambda: seen.append("call"), torch.device("cuda"), repeats=2)
        self.assertAlmostEqual(seconds, 0.002)
        self.assertEqual(seen, 3 * ["call"] + 2 * ["call", "event", *5 * ["call"], "event"])


class TableTests(unittest.TestCase):
    ours = {
        "device": "a GPU",
        "copy_gigabytes_per_second": 3000,
        "scans": [
            {
                "shape": "1 x 2 x 3",
                "direction": "forward",
                "decays": "0.9 to 0.999",
                "seconds": 1e-3,
                "bytes": 2.7e9,
                "share_of_copy": 0.9,
            }
        ],
        "training": [
            {"precision": "tf32", "tokens_a_step": 1024, "tokens_per_second": 9e6, "epoch_seconds": 0.11},
            {"precision": "float32", "tokens_a_step": 1024, "tokens_per_second": 1e6, "epoch_seconds": 1},
        ],
        "top_k": {"items": 1_000_000, "users": 256, "seconds": 3e-3},
        "lengths": [{"tokens": 102_400, "bytes": 5e6, "seconds": 0.02}],
    }
    rates = {"eager": 1e6, "compiled": 2e6, "compiled, CUDA graphs": 3e6}
    peers = {
        "copy_gigabytes_per_second": 2900,
        "scans": [{"shape": "1 x 2 x 3", "direction": "forward", "seconds": 1.5e-3}],
        "training": [{"precision": "tf32", "tokens_a_step": 1024, "rates": rates, "failures": {}}],
    }
    whole = {"seconds": 12, "masked_ndcg": 0.2, "passes_after": 5.0, "losses": [6.0, 5.0], "cpu_losses": [6.0, 5.1]}

    def table(self, **changes) -> dict[tuple[str, str], gpu_table.Row]:
        rows = gpu_table.rows(self.ours, self.peers, self.whole | changes)
        return {(row.name, row.goal): row for row in rows}

    def test_reached_and_missed(self):
        table = self.table()
        outcomes = {
            ("gated scan 1 x 2 x 3 forward, decays 0.9 to 0.999", ">= 0.8 x"): (0.9, True),
            ("gated scan 1 x 2 x 3 forward, decays 0.9 to 0.999", ">= 2 x"): (1.5, False),
            ("training, tf32, 1,024 tokens a step", ">= 10 x"): (9, False),
            ("training, tf32, 1,024 tokens a step", ">= 4 x"): (3, False),
            ("training, float32, 1,024 tokens a step", ""): (None, None),
            ("epoch of ML-1M, tf32, 1,024 tokens a step", "<= 0.5 s"): (0.22, True),
            ("ML-1M from start to a test of masked NDCG@10 0.2000", "<= 30 s"): (0.4, True),
            ("  its training loss from the CPU's, at most", "<= 1 %"): (0.1 / 5.1 / 0.01, False),
            ("top 10 of 1,000,000 items for 256 users", "<= 2 ms"): (1.5, False),
        }
        for key, (ratio, reached) in outcomes.items():
            self.assertIs(table[key].reached, reached, key)
            self.assertEqual(table[key].ratio is None, ratio is None, key)
            if ratio is not None:
                self.assertAlmostEqual(table[key].ratio, ratio, msg=key)

    def test_a_quick_run_that_learns_too_little_misses(self):
        key = ("ML-1M from start to a test of masked NDCG@10 0.1899", "<= 30 s")
        self.assertFalse(self.table(masked_ndcg=0.1899, passes_after=None)[key].reached)

    def test_what_is_missing_is_left_out(self):
        self.assertEqual(gpu_table.rows({}, {}, {}), [])
        alone = gpu_table.rows(self.ours, {}, {})
        self.assertEqual([row.name for row in alone][:3], ["copy on the device", "gated scan 1 x 2 x 3 forward, decays 0.9 to 0.999",
                                                           "training, tf32, 1,024 tokens a step"])
        self.assertFalse([row for row in alone if "PyTorch" in row.beside or "paper" in row.beside])
        whole = {key: value for key, value in self.whole.items() if key != "cpu_losses"}
        self.assertFalse([row for row in gpu_table.rows({}, {}, whole) if "loss" in row.name])

    def test_compiled_counts_where_eager_fails(self):
        training = [self.peers["training"][0] | {"rates": {"compiled": 2e6}}]
        goals = [row.goal for row in gpu_table.training_rows(self.ours, {"training": training})]
        self.assertEqual(goals[:2], [">= 4 x", ""])

    def test_a_long_reason_does_not_widen_the_table(self):
        table = list(self.table().values())
        widths = {len(line) for line in gpu_table.text(table).splitlines()}
        failed = gpu_table.Row("PyTorch's side", gpu_table.FAILED, 200 * "why ")
        lines = gpu_table.text(table + [failed]).splitlines()
        self.assertEqual({len(line) for line in lines[:-1]}, widths)
        self.assertTrue(lines[-1].endswith("why"))

    def test_text(self):
        text = gpu_table.text(list(self.table().values())).splitlines()
        self.assertIn("gated scan 1 x 2 x 3 forward, decays 0.9 to 0.999", text[2])
        self.assertTrue(text[2].endswith("yes") and text[3].endswith("NO"), text[2:4])

    def test_curves_of_different_lengths_are_not_compared(self):
        with self.assertRaises(ValueError):
            gpu_table.curve_difference([1], [1, 2])


if __name__ == "__main__":
    unittest.main()
