"""RecBLR as a model of RecTools (https://pypi.org/project/RecTools/), which has to be installed: `pip install recblr[rectools]`.

from recblr.rectools import RecBLRModel
model = RecBLRModel(preset="fast").fit(dataset)
model.recommend(users, dataset, k=10, filter_viewed=True)
"""

from __future__ import annotations

from typing import Any, Dict, List, Optional, Tuple

import numpy as np
from rectools import Columns
from rectools.dataset import Dataset as Interactions
from rectools.models.base import ModelBase, ModelConfig

from ._dataset import Dataset
from ._errors import UsageError
from ._folders import Folder
from ._model import Model
from ._training import train


class RecBLRModelConfig(ModelConfig):  # type: ignore[misc]
    """What a `RecBLRModel` is made with."""

    preset: str = "balanced"
    epochs: Optional[int] = None
    options: Dict[str, Any] = {}


class RecBLRModel(ModelBase[RecBLRModelConfig]):  # type: ignore[misc]
    """RecBLR behind the interface of RecTools: for users with interactions, and from item to item by item vectors.

    Without `epochs` a first training holds events out to choose the epoch, and a second one learns from everything for as many; with
    `epochs` there is only the second. Recommendations are for the interactions of the dataset that is given with them, which need not be those of
    `fit`. Items are told apart by the text of their ids.

    Args:
        preset: how much time it is worth: "fast", "balanced" or "best".
        epochs: passes over the data.
        options: other keywords of `recblr.train`, such as {"hidden_size": 128, "seed": 7, "threads": 4}.
        verbose: 0 shows nothing, more shows how training goes.
    """

    recommends_for_warm = False
    recommends_for_cold = False
    config_class = RecBLRModelConfig

    def __init__(
        self,
        preset: str = "balanced",
        epochs: Optional[int] = None,
        options: Optional[Dict[str, Any]] = None,
        verbose: int = 0,
    ) -> None:
        super().__init__(verbose=verbose)
        self.preset = preset
        self.epochs = epochs
        self.options = dict(options or {})
        self.model: Optional[Model] = None

    def _get_config(self) -> RecBLRModelConfig:
        return RecBLRModelConfig(
            cls=self.__class__, verbose=self.verbose, preset=self.preset, epochs=self.epochs, options=self.options
        )

    @classmethod
    def _from_config(cls, config: RecBLRModelConfig) -> RecBLRModel:
        return cls(preset=config.preset, epochs=config.epochs, options=config.options, verbose=config.verbose)

    def _fit(self, dataset: Interactions) -> None:
        data = _events(dataset)
        if self.epochs is not None:
            self.model = self._train(data, split="none", epochs=self.epochs)
            return
        chosen = self._train(data)
        self.model = self._train(data, split="none", epochs_from=chosen)

    def _fit_partial(self, dataset: Interactions, epochs: Optional[int] = None) -> None:
        """Continues the model on a dataset, which may have new users and items; `epochs` are a tenth of a training's if they are not given.

        A model that was not fitted is, with these `epochs` or else its own.
        """
        if self.model is not None:
            self.model = self._train(_events(dataset), split="none", epochs=epochs, from_=self.model)
        elif epochs is not None:
            self.model = self._train(_events(dataset), split="none", epochs=epochs)
        else:
            self._fit(dataset)

    def _train(self, data: Dataset, **keywords: Any) -> Model:
        given = {**self.options, **keywords}
        return train(data, self.preset, progress=self.verbose > 0, **given)  # type: ignore[arg-type]

    def _fitted(self) -> Model:
        if self.model is None:
            raise UsageError("fit comes first")
        return self.model

    def _recommend_u2i(
        self,
        user_ids: np.ndarray,
        dataset: Interactions,
        k: int,
        filter_viewed: bool,
        sorted_item_ids_to_recommend: Optional[np.ndarray],
    ) -> Tuple[List[int], List[int], List[float]]:
        model, texts = self._fitted(), _texts(dataset)
        only = None
        if sorted_item_ids_to_recommend is not None:
            only = [texts[item] for item in sorted_item_ids_to_recommend if texts[item] in model]
            if not only:
                return [], [], []
        numbers = {text: number for number, text in enumerate(texts)}
        rows = model.recommend(
            _events(dataset, user_ids), list(user_ids), k, exclude_seen=filter_viewed, only=only, threads=self._threads
        )
        users: List[int] = []
        items: List[int] = []
        scores: List[float] = []
        for row in rows:
            # An item that the model knows of its training, but this dataset does not.
            if row.item in numbers:
                users.append(int(row.user))
                items.append(numbers[row.item])
                scores.append(row.score)
        return users, items, scores

    @property
    def _threads(self) -> Optional[int]:
        return self.options.get("threads")

    def _recommend_i2i(
        self,
        target_ids: np.ndarray,
        dataset: Interactions,
        k: int,
        sorted_item_ids_to_recommend: Optional[np.ndarray],
    ) -> Tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The items whose vectors point most nearly in the direction of a target's: by cosines."""
        texts = _texts(dataset)
        vectors = {row.item: row.vector for row in self._fitted().vectors()}
        asked = range(len(texts)) if sorted_item_ids_to_recommend is None else sorted_item_ids_to_recommend
        candidates = np.array([item for item in asked if texts[item] in vectors], dtype=np.int64)
        targets = np.array([item for item in target_ids if texts[item] in vectors], dtype=np.int64)
        if not len(candidates) or not len(targets):
            return np.array([], dtype=np.int64), np.array([], dtype=np.int64), np.array([], dtype=np.float32)
        unit = _unit(np.array([vectors[texts[item]] for item in candidates], dtype=np.float32))
        k = min(k, len(candidates))
        found, scores = [], []
        for target in targets:
            cosines = unit @ _unit(np.array([vectors[texts[target]]], dtype=np.float32))[0]
            best = np.argsort(-cosines, kind="stable")[:k]
            found.append(candidates[best])
            scores.append(cosines[best])
        return np.repeat(targets, k), np.concatenate(found), np.concatenate(scores)

    def __getstate__(self) -> Dict[str, Any]:
        """With the model's files, so that what RecTools saves needs no folder."""
        state = dict(self.__dict__)
        if self.model is not None:
            state["model"] = {path.name: path.read_bytes() for path in self.model.folder.iterdir() if path.is_file()}
        return state

    def __setstate__(self, state: Dict[str, Any]) -> None:
        files = state["model"]
        self.__dict__.update(state)
        if files is not None:
            folder = Folder.temporary()
            folder.path.mkdir()
            for name, content in files.items():
                (folder.path / name).write_bytes(content)
            self.model = Model(folder)


def _texts(dataset: Interactions) -> List[str]:
    """The items' ids as texts, by internal id. Raises `UsageError` where two are the same."""
    texts = [str(item) for item in dataset.item_id_map.external_ids]
    if len(set(texts)) < len(texts):
        raise UsageError("two items' ids have the same text")
    return texts


def _events(dataset: Interactions, users: Optional[np.ndarray] = None) -> Dataset:
    """The interactions of all users, or of some, in order of time: internal ids of users, texts of items."""
    frame = dataset.interactions.df
    if users is not None:
        frame = frame[frame[Columns.User].isin(users)]
    columns = {
        "user": frame[Columns.User].to_numpy(),
        "item": np.array(_texts(dataset), dtype=object)[frame[Columns.Item].to_numpy()],
        "timestamp": frame[Columns.Datetime].to_numpy(),
    }
    return Dataset(columns, "user", "item", "timestamp", min_user_events=1, min_item_events=1)


def _unit(vectors: np.ndarray) -> np.ndarray:
    """Rows divided by their lengths; a row of zeros stays so."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    result: np.ndarray = vectors / np.where(lengths > 0, lengths, 1)
    return result
