"""The log, and endless batches of it in both formulations."""

import gzip
from collections.abc import Iterator
from pathlib import Path

import torch
from torch import Tensor

MAX_LENGTH = 200  # of a padded sample, as in the paper

Batch = tuple[Tensor, Tensor, Tensor]


def read_log(path: Path) -> tuple[list[Tensor], int]:
    """Training events of each user (all but the last two), items numbered from 1; and the number of items."""
    numbers: dict[str, int] = {}
    with gzip.open(path, "rt") as lines:
        users = [[numbers.setdefault(item, len(numbers) + 1) for item in line.split()[1:]] for line in lines]
    return [torch.tensor(user[:-2]) for user in users if len(user) >= 4], len(numbers)


def packed_batches(users: list[Tensor], tokens: int) -> Iterator[Batch]:
    """(items, position within the sequence, targets) of `tokens` events or a few more."""
    batch: list[Tensor] = []
    filled = 0
    while True:
        for index in torch.randperm(len(users)).tolist():
            batch.append(users[index])
            filled += len(users[index]) - 1
            if filled >= tokens:
                yield (
                    torch.cat([user[:-1] for user in batch]),
                    torch.cat([torch.arange(len(user) - 1) for user in batch]),
                    torch.cat([user[1:] for user in batch]),
                )
                batch, filled = [], 0


def even_batches(users: list[Tensor], tokens: int) -> Iterator[Batch]:
    """As packed batches, of `tokens` events each: a history cut at a step's end begins anew in the next. No padding."""
    left = (torch.empty(0, dtype=torch.long),) * 3
    for batch in packed_batches(users, tokens):
        items, position, targets = (torch.cat(parts) for parts in zip(left, batch))
        while len(items) >= tokens:
            yield items[:tokens], position[:tokens], targets[:tokens]
            items, position, targets = items[tokens:], position[tokens:], targets[tokens:]
            begun = int((position > 0).cumprod(0).sum())
            position = torch.cat([torch.arange(begun), position[begun:]])
        left = (items, position, targets)


def padded_batches(users: list[Tensor], samples: int) -> Iterator[Batch]:
    """(items [B, T] padded on the right, lengths, targets) of random prefixes."""
    targets = torch.tensor([len(user) - 1 for user in users])
    last = targets.cumsum(0)
    while True:
        chosen = torch.randint(int(last[-1]), (samples,))
        owners = torch.searchsorted(last, chosen, right=True)
        ends = chosen - (last - targets)[owners] + 1
        items = torch.zeros(samples, MAX_LENGTH, dtype=torch.long)
        for row, (owner, end) in enumerate(zip(owners.tolist(), ends.tolist())):
            history = users[owner][max(0, end - MAX_LENGTH) : end]
            items[row, : len(history)] = history
        following = [users[owner][end] for owner, end in zip(owners.tolist(), ends.tolist())]
        yield items, ends.clamp(max=MAX_LENGTH), torch.stack(following)
