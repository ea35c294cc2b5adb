"""RecBole 1.2.1 itself: its loader, its models, its trainer, its evaluator. Nothing of it is changed.

What is ours: the check that its split is our split; `SeenMasked`, which hands its evaluator the items to leave out; a budget of
time; `GivenScores`, by which its evaluator scores our scores.
"""

import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

# RecBole's checkpoints hold its configuration, which torch.load refuses to unpickle unless told; they are our own.
os.environ["TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD"] = "1"

import torch
from recbole.config import Config
from recbole.data import create_dataset, data_preparation
from recbole.data.dataloader import FullSortEvalDataLoader
from recbole.data.interaction import Interaction
from recbole.trainer import Trainer
from recbole.utils import get_model, get_trainer, init_seed
from torch import Tensor

from cases import Case, Events

METRICS = ["Hit", "NDCG", "MRR"]
PAIRWISE = {"FPMC"}  # RecBole has it with BPR only
SETTINGS = ("unmasked", "masked")

Metrics = dict[str, dict[str, float]]  # by setting, then "hit@10", "ndcg@10", "mrr@10"


def configuration(model: str | type, folder: Path, length: int, seed: int, **more: object) -> Config:
    """RecBole's defaults for the model, but for what is listed here. `folder` holds the atomic file."""
    name = model if isinstance(model, str) else model.__name__
    sys.argv[1:] = []  # RecBole reads these as settings
    settings = {
        "data_path": str(folder.parent), "checkpoint_dir": str(folder.parent / "saved"), "seed": seed,
        "show_progress": False, "load_col": {"inter": ["user_id", "item_id", "timestamp"]}, "MAX_ITEM_LIST_LENGTH": length,
        "metrics": METRICS, "topk": [10], "valid_metric": "NDCG@10", "metric_decimal_place": 10, "eval_batch_size": 512,
        "learning_rate": 1e-3, "train_batch_size": 2048, "stopping_step": 10,
    }
    if name not in PAIRWISE:
        settings["train_neg_sample_args"] = None
    return Config(model=model, dataset=folder.name, config_dict=settings | more)


class SeenMasked(FullSortEvalDataLoader):
    """Tells the evaluator which items each user has seen, as RecBole's own loader does for models that are not sequential."""

    def __init__(self, config: Config, dataset: object, seen: list[Tensor]) -> None:
        self.seen = seen  # of each case
        super().__init__(config, dataset, None)

    def collate_fn(self, index: Iterable[int]) -> tuple:
        index = list(index)
        interaction, _, positive_u, positive_i = super().collate_fn(index)
        rows = torch.cat([torch.full_like(self.seen[case], row) for row, case in enumerate(index)])
        return interaction, (rows, torch.cat([self.seen[case] for case in index])), positive_u, positive_i


class Split:
    """RecBole's loaders over our events, checked case by case."""

    def __init__(self, config: Config, events: Events) -> None:
        self.config = config
        self.events = events
        init_seed(config["seed"], True)
        dataset = create_dataset(config)
        self.item_of = [0] + [int(token) for token in dataset.field2id_token["item_id"][1:]]  # RecBole's number -> ours
        self.user_of = [-1] + [int(token) for token in dataset.field2id_token["user_id"][1:]]
        self.number = {item: number for number, item in enumerate(self.item_of)}
        self.train, self.valid, self.test = data_preparation(config, dataset)
        self._check("training", self.train, events.training())
        self.valid_masked = self._masked("validation", self.valid, list(events.validation()))
        self.test_masked = self._masked("test", self.test, list(events.test()))

    def _check(self, kind: str, loader: object, cases: Iterable[Case]) -> None:
        """That the loader has these cases and no other: by their hashes, since prefixes of all histories are many numbers."""
        longest = self.config["MAX_ITEM_LIST_LENGTH"]
        ours = sorted(hash((case.user, case.target, *case.history[-longest:])) for case in cases)
        theirs = sorted(hash(case) for case in self._cases(loader._dataset.inter_feat))
        if theirs != ours:
            raise SystemExit(f"RecBole's {kind} cases are not ours: it has {len(theirs):,}, we have {len(ours):,}, or they differ")

    def _cases(self, features: Interaction, part: int = 4096) -> Iterator[tuple[int, ...]]:
        """User, target, then the history, in our numbers."""
        for first in range(0, len(features), part):
            columns = (features[name][first : first + part].tolist() for name in ("user_id", "item_id", "item_id_list", "item_length"))
            for user, target, items, length in zip(*columns):
                yield (self.user_of[user], self.item_of[target], *(self.item_of[item] for item in items[:length]))

    def _masked(self, kind: str, loader: object, cases: list[Case]) -> SeenMasked:
        """Seen is what the whole history holds, however little of it the model reads; the target itself stays a candidate."""
        self._check(kind, loader, cases)
        seen = {case.user: sorted(self.number[item] for item in set(case.history) - {case.target}) for case in cases}
        users = loader._dataset.inter_feat["user_id"].tolist()
        return SeenMasked(self.config, loader._dataset, [torch.tensor(seen[self.user_of[user]], dtype=torch.long) for user in users])

    def metrics(self, trainer: object, validation: bool = False) -> Metrics:
        """By RecBole's evaluator, of the model as it is."""
        loaders = (self.valid, self.valid_masked) if validation else (self.test, self.test_masked)
        results = (trainer.evaluate(loader, load_best_model=False) for loader in loaders)
        return {setting: {name: float(value) for name, value in result.items()} for setting, result in zip(SETTINGS, results)}


class OutOfTime(Exception):
    """The time for a training is spent."""


@dataclass(frozen=True)
class Trained:
    """How a training went, and the test metrics of its best epoch."""

    model: str
    test: Metrics
    epochs: int
    best_epoch: int
    seconds: float  # of training and validation
    finished: bool  # whether early stopping ended it, or RecBole's number of epochs
    settings: dict[str, object]


def train(name: str, split: Split, minutes: float, tell: Callable[[str], None]) -> Trained:
    """By RecBole's trainer, until more epochs than `stopping_step` in a row brought nothing better, or the time is spent."""
    config = split.config
    model = get_model(name)(config, split.train._dataset).to(config["device"])
    trainer = get_trainer(config["MODEL_TYPE"], name)(config, model)
    start, scores, finished = time.monotonic(), [], True

    def after_epoch(epoch: int, score: float) -> None:
        scores.append(score)
        seconds = time.monotonic() - start
        tell(f"{name}: epoch {epoch + 1}, validation NDCG@10 {score:.4f}, {seconds:,.0f} s")
        if seconds > 60 * minutes and trainer.cur_step <= config["stopping_step"]:
            raise OutOfTime

    try:
        trainer.fit(split.train, split.valid, verbose=False, callback_fn=after_epoch)
    except OutOfTime:
        finished = False
    seconds = time.monotonic() - start
    trainer.resume_checkpoint(trainer.saved_model_file)  # of the best epoch
    Path(trainer.saved_model_file).unlink()
    trainer.tensorboard.close()
    return Trained(name, split.metrics(trainer), len(scores), scores.index(max(scores)) + 1, seconds, finished, used(config))


class GivenScores(torch.nn.Module):
    """A model of RecBole that was told its answers: the scores of some items for each user, by RecBole's numbers."""

    def __init__(self, answers: dict[int, tuple[Tensor, Tensor]], item_count: int) -> None:
        super().__init__()
        self.answers = answers
        self.item_count = item_count
        self.unused = torch.nn.Parameter(torch.zeros(()))  # RecBole's trainer wants something to train

    def full_sort_predict(self, interaction: Interaction) -> Tensor:
        users = interaction["user_id"].tolist()
        scores = torch.full((len(users), self.item_count), -torch.inf)
        for row, user in zip(scores, users):
            items, values = self.answers[user]
            row[items] = values
        return scores


def judge(split: Split, scores: Iterable[dict[int, float]]) -> Metrics:
    """What RecBole's evaluator says of our scores, which come in the order of the test cases."""
    users = {user: number for number, user in enumerate(split.user_of)}
    answers = {
        users[case.user]: (torch.tensor([split.number[item] for item in own]), torch.tensor(list(own.values())))
        for case, own in zip(split.events.test(), scores, strict=True)}
    trainer = Trainer(split.config, GivenScores(answers, len(split.item_of)))
    trainer.tensorboard.close()
    return split.metrics(trainer)


def used(config: Config) -> dict[str, object]:
    """The settings that decide the result: those of the model's own file in RecBole, and those of training."""
    file = Path(sys.modules[Config.__module__].__file__).parents[1] / "properties/model" / f"{config['model']}.yaml"
    own = [line.split(":")[0] for line in file.read_text().splitlines() if line[:1].isalpha()]
    shared = ["MAX_ITEM_LIST_LENGTH", "learner", "learning_rate", "train_batch_size", "stopping_step", "epochs", "valid_metric", "seed"]
    return {key: config[key] for key in own + shared}
