"""What is timed is the model: logits, loss and gradients of the paper's reference implementation come out."""

import unittest
from pathlib import Path

import torch

from data import packed_batches, padded_batches
from fixtures import read_safetensors
from model import RecBLR
from run import System, summary, table
from scan import chunked, doubling, linear_recurrence

FIXTURES = sorted((Path(__file__).parents[2] / "Tests/Fixtures/reference").glob("recblr-*.safetensors"))


def reference(path: Path, pads: int = 0) -> tuple[RecBLR, dict[str, torch.Tensor]]:
    tensors, metadata = read_safetensors(path)
    shape = {"hidden": "hidden_size", "layers": "num_layers", "expansion": "expand", "taps": "d_conv"}
    sizes = {own: int(metadata[theirs]) for own, theirs in shape.items()}
    model = RecBLR(items=int(metadata["num_items"]) - 1, dropout=0, pads=pads, **sizes)
    weights = {name.removeprefix("param."): value for name, value in tensors.items() if name.startswith("param.")}
    model.load_state_dict(weights)
    return model, tensors


class PaddedTests(unittest.TestCase):
    def test_loss_and_gradients_are_the_reference_s(self):
        self.assertEqual(len(FIXTURES), 3)
        for path in FIXTURES:
            model, tensors = reference(path)
            loss = model.padded_loss(
                tensors["input.item_seq"].long(), tensors["input.item_seq_len"], tensors["input.target"])
            loss.backward()
            assert_reference(model, loss, tensors)


def assert_reference(model: RecBLR, loss: torch.Tensor, tensors: dict[str, torch.Tensor]) -> None:
    """The loss, and the gradient of every parameter."""
    torch.testing.assert_close(loss.detach().reshape(1), tensors["output.loss"], rtol=1e-5, atol=0)
    for name, parameter in model.named_parameters():
        expected = tensors["grad." + name]
        scale = expected.abs().max().item()
        torch.testing.assert_close(parameter.grad, expected, rtol=0, atol=1e-4 * scale + 1e-9, msg=name)


class PackedTests(unittest.TestCase):
    def test_steps_of_padding_make_it_the_reference_s(self):
        for path in FIXTURES:
            padded = reference(path)[1]["input.item_seq"].shape[1]
            model, tensors = reference(path, pads=(1 << (padded - 1).bit_length()) - padded)
            items, lengths = tensors["input.item_seq"].long(), tensors["input.item_seq_len"].long()
            position = torch.cat([torch.arange(n) for n in lengths.tolist()])
            hidden = model.hidden_packed_at(lengths.cumsum(0) - 1, items[items > 0], position)
            logits = torch.nn.functional.linear(hidden, model.item_embedding.weight)
            loss = torch.nn.functional.cross_entropy(logits, tensors["input.target"].long())
            loss.backward()
            assert_reference(model, loss, tensors)

    def test_hidden_vectors_are_the_reference_s_where_it_pads_nothing(self):
        path = next(path for path in FIXTURES if "nopad" in path.name)
        model, tensors = reference(path)
        lengths = tensors["input.item_seq_len"].tolist()
        rows = [row[:n] for row, n in zip(tensors["input.item_seq"].long(), lengths)]
        position = torch.cat([torch.arange(n) for n in lengths])
        hidden = model.hidden_packed(torch.cat(rows), position)
        last = torch.tensor(lengths).cumsum(0) - 1
        torch.testing.assert_close(hidden[last], tensors["output.seq_output"], rtol=0, atol=1e-5)

    def test_sequences_do_not_see_each_other(self):
        torch.manual_seed(1)
        model = RecBLR(items=9, hidden=8, dropout=0)
        items = torch.tensor([1, 2, 3, 4, 5, 6, 7])
        together = model.hidden_packed(items, torch.tensor([0, 1, 2, 0, 1, 2, 3]))
        alone = model.hidden_packed(items[3:], torch.arange(4))
        torch.testing.assert_close(together[3:], alone)


class ScanTests(unittest.TestCase):
    def test_both_ways_are_the_loop(self):
        for length in (1, 2, 3, 31, 32, 33, 64, 65, 200, 1100):
            alpha, drive = torch.rand(length, 3, dtype=torch.double), torch.randn(length, 3, dtype=torch.double)
            states, state = [], torch.zeros(3, dtype=torch.double)
            for t in range(length):
                state = alpha[t] * state + drive[t]
                states.append(state)
            for way in (chunked, doubling):
                torch.testing.assert_close(way(alpha, drive), torch.stack(states))

    def test_gradient(self):
        alpha = torch.rand(40, 2, dtype=torch.double, requires_grad=True)
        drive = torch.randn(40, 2, dtype=torch.double, requires_grad=True)
        self.assertTrue(torch.autograd.gradcheck(linear_recurrence, (alpha, drive)))


class BatchTests(unittest.TestCase):
    users = [torch.arange(1, 5), torch.arange(10, 12), torch.arange(20, 520)]

    def test_packed_targets_follow_their_items(self):
        items, position, targets = next(packed_batches(self.users, 503))
        self.assertEqual(len(items), 3 + 1 + 499)
        self.assertTrue(torch.equal(targets, items + 1))
        self.assertEqual((position == 0).sum().item(), 3)

    def test_padded_targets_follow_the_last_item(self):
        torch.manual_seed(2)
        items, lengths, targets = next(padded_batches(self.users, 400))
        self.assertEqual(items.shape, (400, 200))
        self.assertTrue(torch.equal(targets, items[torch.arange(400), lengths - 1] + 1))
        self.assertTrue(((items > 0).sum(1) == lengths).all())
        self.assertEqual(lengths.max(), 200)  # of histories that were longer, too: the newest 200
        self.assertGreater(targets.max(), 400)

    def test_every_prefix_is_a_sample(self):
        torch.manual_seed(3)
        _, lengths, targets = next(padded_batches(self.users[:2], 200))
        self.assertEqual({(n, t) for n, t in zip(lengths.tolist(), targets.tolist())}, {(1, 2), (2, 3), (3, 4), (1, 11)})


class SummaryTests(unittest.TestCase):
    def test_ratios_are_those_of_the_rounds(self):
        ours = System("recblr float32, 1,024 tokens a step", "events", "recblr float32, 1,024 tokens a step", [10, 20, 40])
        theirs = System("PyTorch", "samples", ours.name, [5, 5, 8])
        rows = summary([ours, theirs], predictions=100)
        self.assertEqual([row.times_as_long for row in rows], [1, 4])  # 2, 4 and 5
        self.assertEqual([row.epoch_seconds for row in rows], [5, 20])
        self.assertIn("4.00 x, 1,024 tokens a step", table(rows))


if __name__ == "__main__":
    unittest.main()
