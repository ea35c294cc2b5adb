"""The paper's model as RecBole trains it, beside ours: whose gap is it?

The PyTorch twin of Benchmarks/peers, whose loss and gradients are the reference implementation's, is a model of RecBole: prefixes
padded to 50 by its loader, the last position's cross-entropy over all items, Adam at 1e-3, 2,048 samples a step, by its trainer;
ranks by its evaluator. recblr trains beside it: the same samples, as many a step on average, the same rate, float32.
"""

import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1] / "peers"))

from cases import Events
from ours import Program
from recbole_side import OutOfTime, Split

import torch
import torch.nn.functional as F
from recbole.config import Config
from recbole.data.interaction import Interaction
from recbole.model.abstract_recommender import SequentialRecommender
from recbole.trainer import Trainer
from torch import Tensor

import model as twin

SAMPLES = 2048  # a step
SETTINGS = {  # of RecBole; its patience is longer than any budget
    "hidden_size": 64, "n_layers": 2, "dropout_prob": 0.2, "loss_type": "CE", "train_batch_size": SAMPLES, "stopping_step": 300}
PART = 128  # samples a pass on a CPU: 2,048 at once leave its caches, and take three times as long


class RecBLR(SequentialRecommender):
    """Computes packed what the reference computes padded: without the padding, but with the state that its padding leaves."""

    def __init__(self, config: Config, dataset: object) -> None:
        super().__init__(config, dataset)
        pads = (1 << (self.max_seq_length - 1).bit_length()) - self.max_seq_length
        self.twin = twin.RecBLR(
            self.n_items - 1, config["hidden_size"], config["n_layers"], dropout=config["dropout_prob"], pads=pads)
        self.losses = torch.zeros(3, dtype=torch.double)  # sums of the loss, and of the loss without the padding item; samples

    def encode(self, interaction: Interaction) -> Tensor:
        """[B, D]."""
        items, lengths = interaction[self.ITEM_SEQ], interaction[self.ITEM_SEQ_LEN]
        position = torch.arange(items.shape[1], device=items.device).expand_as(items)
        present = position < lengths.unsqueeze(1)
        return self.twin.hidden_packed_at(lengths.cumsum(0) - 1, items[present], position[present])

    def calculate_loss(self, interaction: Interaction) -> Tensor:
        """The mean over the batch. The gradients are there already, part by part: RecBole's own backward pass adds nothing to them."""
        total = torch.zeros((), device=self.device, requires_grad=True)
        samples = PART if self.device.type == "cpu" else len(interaction)
        for first in range(0, len(interaction), samples):
            part = interaction[first : first + samples]
            logits, targets = F.linear(self.encode(part), self.twin.item_embedding.weight), part[self.POS_ITEM_ID]
            loss = F.cross_entropy(logits, targets, reduction="sum")
            (loss / len(interaction)).backward()
            total = total + loss.detach() / len(interaction)
            items_alone = F.cross_entropy(logits.detach()[:, 1:], targets - 1, reduction="sum")
            self.losses += torch.tensor([loss.item(), items_alone.item(), len(targets)])
        return total

    def full_sort_predict(self, interaction: Interaction) -> Tensor:
        return F.linear(self.encode(interaction), self.twin.item_embedding.weight)


Epochs = list[dict[str, object]]  # the loss of each; test and validation metrics by setting
Tell = Callable[[Epochs], None]  # is told all epochs so far after each


def recbole_epochs(split: Split, minutes: float, tell: Tell) -> Epochs:
    """As many as the time allows."""
    model = RecBLR(split.config, split.train._dataset).to(split.config["device"])
    trainer = Trainer(split.config, model)
    start, done = time.monotonic(), []

    def after_epoch(epoch: int, score: float) -> None:
        loss, items_alone, samples = model.losses.tolist()
        model.losses.zero_()
        done.append({
            "loss": items_alone / samples, "lossWithPadding": loss / samples,
            "validation": split.metrics(trainer, validation=True), "test": split.metrics(trainer)})
        tell(done)
        if time.monotonic() - start > 60 * minutes:
            raise OutOfTime

    try:
        trainer.fit(split.train, split.valid, verbose=False, saved=False, callback_fn=after_epoch)
    except OutOfTime:
        pass
    trainer.tensorboard.close()
    return done


def our_epochs(program: Program, work: Path, split: Split, epochs: int, tell: Tell) -> Epochs:
    """An epoch a call, going on with the same bits. With nothing held out of the training events, each epoch's model is kept."""
    log, model = work / "training.csv", work / "yardstick"
    split.events.write_training(log)
    training = Program(program.path, work / "training", program.threads)
    training.prepare(log, "--file-order", "--min-user-events", 1, "--min-item-events", 1)
    length = split.config["MAX_ITEM_LIST_LENGTH"]
    options = [
        "--split", "none", "--no-repeat-aware", "--objective", "last-position", "--max-length", length, "--schedule", "constant",
        "--learning-rate", 1e-3, "--warmup-steps", 0, "--dropout", 0.2, "--weight-decay", 0, "--precision", "float32",
        "--seed", split.config["seed"], "--batch-tokens", batch_tokens(split.events, length)]
    held_out = ["--split", "leave-one-out", "--max-length", length]
    done: Epochs = []
    for epoch in range(1, epochs + 1):
        record = training.train(model, "--epochs", epoch, "--restart" if epoch == 1 else "--resume", *options)["epochs"][-1]
        done.append({
            "loss": record["loss"], "steps": record["step"], "validation": program.evaluate(model, *held_out, "--validation"),
            "test": program.evaluate(model, *held_out)})
        tell(done)
    return done


def batch_tokens(events: Events, length: int) -> int:
    """Tokens a step that make as many steps of an epoch as RecBole makes of 2,048 samples."""
    lengths = [min(len(case.history), length) for case in events.training()]
    return -(-sum(lengths) * SAMPLES // len(lengths))


def table(theirs: Epochs, ours: Epochs) -> str:
    """Loss, and NDCG@10 of validation and test with masked / unmasked, RecBole's trainer beside ours."""
    def cells(epoch: dict[str, object]) -> list[str]:
        found = [f"{epoch['loss']:.3f}"]
        for kind in ("validation", "test"):
            unmasked, masked = (epoch[kind][setting]["ndcg@10"] for setting in ("unmasked", "masked"))
            found += [f"{unmasked:.4f}", f"{masked / unmasked:.3f}"]
        return found

    head = ["epoch"] + [f"{who} {what}" for what in ("loss", "validation", "ratio", "test", "ratio") for who in ("RecBole", "recblr")]
    rows = [
        [str(number)] + [cell for pair in zip(cells(their), cells(our)) for cell in pair]
        for number, (their, our) in enumerate(zip(theirs, ours, strict=True), 1)]
    return "\n".join(f"| {' | '.join(row)} |" for row in [head, ["---:"] * len(head)] + rows)
