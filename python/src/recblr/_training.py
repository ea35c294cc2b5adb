"""Training."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Dict, Literal, Optional, Union

from . import _folders
from ._dataset import Dataset, checked
from ._errors import Interrupted, RecBLRError, UsageError, WriteError
from ._evaluation import Split
from ._folders import Folder, PathLike
from ._model import Model
from ._progress import ProgressOption, display_for
from ._run import options, run
from ._words import in_keywords, translated

Preset = Literal["fast", "balanced", "best"]


def train(
    data: Dataset,
    preset: Preset = "balanced",
    *,
    model: Optional[PathLike] = None,
    resume: bool = False,
    restart: bool = False,
    progress: ProgressOption = True,
    hidden_size: Optional[int] = None,
    layers: Optional[int] = None,
    mixer: Optional[Literal["bdlru", "attention", "lru"]] = None,
    attention_window: Optional[int] = None,
    expansion: Optional[int] = None,
    convolution_width: Optional[int] = None,
    time: bool = False,
    without_feed_forward: bool = False,
    recurrence_only: bool = False,
    without_decay_ring: bool = False,
    epochs: Optional[int] = None,
    batch_tokens: Optional[int] = None,
    learning_rate: Optional[float] = None,
    warmup_steps: Optional[int] = None,
    schedule: Optional[Literal["cosine", "constant"]] = None,
    dropout: Optional[float] = None,
    objective: Optional[Literal["every-position", "last-position"]] = None,
    loss: Optional[Literal["full", "sampled", "bpr"]] = None,
    negatives: Optional[int] = None,
    weight_decay: Optional[float] = None,
    clip_norm: Optional[float] = None,
    patience: Optional[int] = None,
    max_length: Optional[int] = None,
    seed: Optional[int] = None,
    repeat_aware: Optional[bool] = None,
    transitions: Optional[bool] = None,
    split: Optional[Split] = None,
    validation_fraction: Optional[float] = None,
    test_fraction: Optional[float] = None,
    epochs_from: Union[Model, PathLike, None] = None,
    from_: Union[Model, PathLike, None] = None,
    threads: Optional[int] = None,
    device: Optional[str] = None,
    precision: Optional[Literal["float32", "tf32", "bfloat16"]] = None,
) -> Model:
    """Trains a model, as `recblr train` does: the same data, options, seed and threads give the same bytes of `model.safetensors`.

    Ctrl-C writes a checkpoint and raises `Interrupted`; the same call with `resume=True` goes on, with the same bits as if nothing had happened.

    Args:
        data: what to learn from.
        preset: how much time it is worth: "fast", "balanced", or "best", with three teachers on a processor. What is left out below follows from it
            and the data.
        model: the model's folder; one that is there is replaced when training is done. Left out, the model is temporary (`Model.save` keeps it), and
            an unfinished run lies in the user's cache folder, by the dataset and the options, where `resume=True` finds it.
        resume: go on from a checkpoint, if there is one (or give the model, if training had ended and the program before it took it); a finished model with a folder of its own, too, can get more `epochs` where the `schedule` is
            constant, and more `patience` where patience ended it.
        restart: throw an unfinished run away. Without `model` that is so unless `resume` is given.
        progress: True shows a bar in a terminal and a notebook, and lines elsewhere; False nothing; a function is called with each `Progress`.
        hidden_size: D (64).
        layers: recurrent layers L (2).
        mixer: what carries information from event to event: "bdlru" is RecBLR, "attention" is as in SASRec, "lru" as in LRURec.
        attention_window: events that "attention" attends to (64).
        expansion: the recurrence is E·D wide (2).
        convolution_width: taps K of the convolution (4); 0 leaves it out.
        time: let the model know when events happened and when it is asked; the dataset needs dates.
        without_feed_forward: leave the feed-forward networks out.
        recurrence_only: bare recurrences, without projections, convolution and output gates.
        without_decay_ring: start the decays as other weights instead of on their ring.
        epochs: passes over the data.
        batch_tokens: events a step (1024).
        learning_rate: at its peak (.005; .002 for more than 100,000 items).
        warmup_steps: over which the learning rate rises.
        schedule: "cosine" falls to zero.
        dropout: left out, by the data.
        objective: "every-position", or "last-position" as in the paper, much slower.
        loss: left out, "full" up to 100,000 items, else "sampled".
        negatives: a target, for "sampled" (512).
        weight_decay: decoupled; left out, by the data.
        clip_norm: the largest norm of the gradient (no limit).
        patience: stop after this many epochs without a better validation NDCG@10.
        max_length: the longest piece of a history learnt from at once (512).
        seed: of weights, order, dropout and negatives (1).
        repeat_aware: learn how likely items of the history come again (True, except with "bpr").
        transitions: learn how much it counts that an item followed one of the last three (False).
        split: what is held out; "none" holds nothing out, for a final model, and needs `epochs`, `epochs_from` or `from_`.
        validation_fraction: of events or sessions, held out by "global-time", "stream" and "session" (.1).
        test_fraction: the same for the test (.1).
        epochs_from: train as many epochs, on the same schedule, as validation chose for this model.
        from_: continue the weights of this model on a dataset prepared anew: items are matched by id.
        threads: how many to use; left out, all cores.
        device: "cpu", "cuda", "cuda:1", or "auto", the first GPU that can be used, else the processor.
        precision: what matrix products round their operands to while training.

    Returns:
        The model of the best epoch.

    Raises:
        UsageError: options that cannot be, or not together.
        DataError: too few events, or a training that diverged.
        WriteError: an unfinished run is in the way, or the folder cannot be written.
        UnavailableError: no such device, or a forked process.
        Interrupted: Ctrl-C.
    """
    chosen: Dict[str, object] = {
        "preset": preset,
        "hidden_size": hidden_size,
        "layers": layers,
        "mixer": mixer,
        "attention_window": attention_window,
        "expansion": expansion,
        "convolution_width": convolution_width,
        "time": time,
        "without_feed_forward": without_feed_forward,
        "recurrence_only": recurrence_only,
        "without_decay_ring": without_decay_ring,
        "epochs": epochs,
        "batch_tokens": batch_tokens,
        "learning_rate": learning_rate,
        "warmup_steps": warmup_steps,
        "schedule": schedule,
        "dropout": dropout,
        "objective": objective,
        "loss": loss,
        "negatives": negatives,
        "weight_decay": weight_decay,
        "clip_norm": clip_norm,
        "patience": patience,
        "max_length": max_length,
        "seed": seed,
        "repeat_aware": repeat_aware,
        "transitions": transitions,
        "split": split,
        "validation_fraction": validation_fraction,
        "test_fraction": test_fraction,
        "epochs_from": _path(epochs_from),
        "from_": _path(from_),
        "threads": threads,
        "device": device,
        "precision": precision,
    }
    data = checked(data)
    if model is not None:
        folder = Path(model).absolute()
        _run(data, folder, chosen, resume, restart, progress)
        return Model(Folder(folder))
    if resume and restart:
        raise UsageError("give resume=True or restart=True, not both")
    name = _folders.name_of((data.mark, sorted(chosen.items(), key=str)))
    with _folders.run_folder(name, resume) as (own, is_own):
        hint = "resume=True" if own.name == name else f'model="{own}" and resume=True'
        # Training may have ended and the program before it took the model.
        if not (resume and is_own and _folders.is_finished_run(own)):
            _run(data, own, chosen, resume, not resume, progress, hint)
        return Model(_moved(own))


def _path(model: Union[Model, PathLike, None]) -> Optional[str]:
    if model is None:
        return None
    return os.fspath(model.folder if isinstance(model, Model) else Path(model).absolute())


def _run(
    data: Dataset,
    folder: Path,
    chosen: Dict[str, object],
    resume: bool,
    restart: bool,
    progress: ProgressOption,
    how_to_go_on: str = "resume=True",
) -> None:
    arguments = options(model=folder, resume=resume, restart=restart, **chosen)
    keywords = {"model", "resume", "restart", *chosen}
    display = display_for(progress)
    try:
        run(["train", *arguments, "--json", "--", os.fspath(data.folder)], display)
    except Interrupted as error:
        raise Interrupted(f"{in_keywords(str(error), keywords)}: call train again as before, and with {how_to_go_on}") from None
    except RecBLRError as error:
        raise translated(error, keywords) from None
    finally:
        display.close()


def _moved(run_folder: Path) -> Folder:
    """Takes a finished model out of the cache, where the next run of its name would replace it."""
    folder = Folder.temporary()
    try:
        shutil.move(os.fspath(run_folder), os.fspath(folder.path))
    except OSError as error:
        raise WriteError(
            f"the model is trained and lies in {run_folder}, where recblr.load finds it; it cannot be moved to {folder.path}: {str(error)[:200]}"
        ) from None
    return folder
