"""Models: what has been learnt, and what it says comes next."""

from __future__ import annotations

import ctypes
import json
import os
from pathlib import Path
from typing import Any, Dict, Iterable, List, Literal, NamedTuple, Optional, Sequence, Tuple, Union

from . import _folders
from ._arrow import ArrowArrayStream, capsule_of, stream_in
from ._dataset import Dataset, checked
from ._errors import DataError, NotFoundError
from ._evaluation import Evaluation, Split, evaluate
from ._exporter import stream_of_columns
from ._folders import Folder, PathLike
from ._library import GivenText, Handle, Text, call, lib
from ._run import run
from ._session import Explanation, Session
from ._table import Table, html_table
from ._values import Id, Time, id_text, id_texts, nanoseconds, settings_text

ExportFormat = Literal["onnx", "recbole", "vectors"]


class Recommendation(NamedTuple):
    """A row of what `Model.recommend` returns."""

    user: str
    item: str
    rank: int
    """From 1."""
    score: float
    """NaN where a user has no event that the model knows and gets popular items."""


class Vector(NamedTuple):
    """A row of what `Model.vectors` returns."""

    item: str
    vector: Sequence[float]
    """D numbers."""


class Model:
    """A trained model, opened for a processor.

    Made by `recblr.train`, `recblr.load` or `recblr.import_weights`. It does not change: any number of threads may use one, and a forked process,
    except for what computes on several threads (`evaluate`, `recommend`) where its parent has done that before. `pickle` passes the folder's path,
    so that a model that was not saved has to be alive where it came from.
    """

    def __init__(self, _folder: Folder) -> None:
        self._place = _folder
        self._handle = Handle(lib.recblr_model_free)
        self._names: Dict[int, Tuple[str, Optional[str]]] = {}
        call(lib.recblr_model_open, Text.of(os.fspath(_folder.path)), self._handle.place)
        self._configuration: Dict[str, Any] = json.loads((_folder.path / _folders.MODEL.marker).read_text(encoding="utf-8"))

    @property
    def folder(self) -> Path:
        """Where its files are, a `report.html` among them.

        Raises:
            NotFoundError: the folder is gone.
            DataError: it holds another model by now.
        """
        marker = self._place.path / _folders.MODEL.marker
        if not marker.is_file():
            raise NotFoundError(f"the model's folder {self._place.path} is gone")
        if json.loads(marker.read_text(encoding="utf-8")) != self._configuration:
            raise DataError(f"{self._place.path} holds another model by now: load it again")
        return self._place.path

    def save(self, folder: PathLike) -> Path:
        """Copies the model to a folder, which the command and `recblr serve` understand as well; returns its path. A model that is there is
        replaced.

        Raises:
            WriteError: it cannot be written, or something else is there.
        """
        return _folders.copy(self.folder, folder, _folders.MODEL)

    @property
    def configuration(self) -> Dict[str, Any]:
        """The model's shape, as its `config.json` has it."""
        return dict(self._configuration)

    @property
    def training(self) -> Dict[str, Any]:
        """How it was trained: options, epochs, metrics; empty for a model that was not trained here."""
        record = self.folder / "training.json"
        return dict(json.loads(record.read_text(encoding="utf-8"))) if record.is_file() else {}

    @property
    def items(self) -> List[str]:
        """The ids of the items that it knows. O(V)."""
        return [self._named(number)[0] for number in range(len(self))]

    def title(self, item: Id) -> Optional[str]:
        """The title of an item; None where it has none, or the model does not know it."""
        number = self._find(item)
        return None if number < 0 else self._named(number)[1]

    def __contains__(self, item: Id) -> bool:
        """Whether the model knows an item."""
        return self._find(item) >= 0

    def __len__(self) -> int:
        """The number of items."""
        return int(lib.recblr_model_item_count(self._handle.pointer))

    def _find(self, item: Id) -> int:
        return int(lib.recblr_model_find(self._handle.pointer, Text.of(id_text(item))))

    def _named(self, number: int) -> Tuple[str, Optional[str]]:
        """The id and the title of an item."""
        named = self._names.get(number)
        if named is None:
            id: GivenText = lib.recblr_model_item(self._handle.pointer, number)
            title: GivenText = lib.recblr_model_title(self._handle.pointer, number)
            named = self._names[number] = (id.text(), title.text() or None)
        return named

    def evaluate(
        self,
        data: Dataset,
        *,
        split: Optional[Split] = None,
        validation_fraction: Optional[float] = None,
        test_fraction: Optional[float] = None,
        validation: bool = False,
        max_length: Optional[int] = None,
        threads: Optional[int] = None,
        device: Optional[str] = None,
    ) -> Evaluation:
        """Ranks each held-out event among all items, as `recblr evaluate` does.

        Args:
            data: the model's own dataset, or one that was prepared anew: items are matched by id.
            split: how to split; left out, as the model was trained.
            validation_fraction: of events or sessions, held out for validation by "global-time", "stream" and "session" (.1).
            test_fraction: of events or sessions, held out for the test by these (.1).
            validation: use the validation cases instead of the test cases.
            max_length: use only a history's last events, this many.
            threads: how many to use; left out, all cores.
            device: "cpu", "cuda", "cuda:1", or "auto", the first GPU that can be used, else the processor.

        Raises:
            DataError: no user has enough events, or items do not fit.
            UnavailableError: no such device, or a forked process.
        """
        arguments = evaluate(
            [self],
            data,
            split=split,
            validation_fraction=validation_fraction,
            test_fraction=test_fraction,
            validation=validation,
            max_length=max_length,
            threads=threads,
            device=device,
        )
        return Evaluation(arguments)

    def recommend(
        self,
        data: Dataset,
        users: Union[Iterable[Id], Id, None] = None,
        k: int = 10,
        *,
        exclude_seen: bool = True,
        exclude: Optional[Iterable[Id]] = None,
        only: Optional[Iterable[Id]] = None,
        time: Optional[Time] = None,
        threads: Optional[int] = None,
    ) -> Table[Recommendation]:
        """The `k` best next items of users of a dataset: a table of user, item, rank (from 1) and score, which is computed while it is read.

        Args:
            data: where the users' events are; items that the model does not know are skipped.
            users: one or several; left out, all of the dataset. Who is not in it gets popular items, whose score is NaN.
            k: how many items a user.
            exclude_seen: leave out items of the user's history.
            exclude: items to leave out.
            only: recommend only these items.
            time: when it is asked, for a model with time; left out, at each user's last event.
            threads: how many to use; left out, all cores.

        Raises:
            UsageError: settings that cannot be; while the table is read, a `time` before the last event of a user.
            DataError: an item of `exclude` or `only` that the model does not know.
            UnavailableError: a forked process.
            RecBLRError: while the table is read, what else goes wrong, such as a damaged file. Who reads it by Arrow gets errors of their own library.
        """
        data = checked(data)
        ids = None if users is None else id_texts(users)
        settings: Dict[str, object] = {"k": k, "exclude_seen": exclude_seen, "threads": threads}
        for name, items in (("exclude", exclude), ("only", only)):
            if items is not None:
                settings[name] = id_texts(items)
        if time is not None:
            settings["at"] = nanoseconds(time)

        def open_stream() -> ArrowArrayStream:
            asked = None if ids is None else capsule_of(stream_of_columns({"user": ids}))
            answers = ArrowArrayStream()
            call(
                lib.recblr_model_recommend,
                self._handle.pointer,
                data._handle.pointer,
                None if asked is None else stream_in(asked),
                Text.of(settings_text(settings)),
                ctypes.byref(answers),
            )
            return answers

        return Table(open_stream, Recommendation)

    def vectors(self) -> Table[Vector]:
        """The items' embeddings, [V, D]: a table of item and vector (float32)."""

        def open_stream() -> ArrowArrayStream:
            vectors = ArrowArrayStream()
            call(lib.recblr_model_vectors, self._handle.pointer, ctypes.byref(vectors))
            return vectors

        return Table(open_stream, Vector)

    def session(self, history: Union[Iterable[Id], Id] = ()) -> Session:
        """A new user, live, after the events of `history`, one or several, oldest first (for a model with time, push them with their times instead).

        Raises:
            DataError: the model does not know an item.
        """
        session = Session(self)
        for item in id_texts(history):
            session.push(item)
        return session

    def explain(self, history: Union[Iterable[Id], Id], item: Id) -> Explanation:
        """Why an item has its score after a history, oldest event first; see `Session.explain`."""
        return self.session(history).explain(item)

    def export(self, path: PathLike, format: ExportFormat = "onnx") -> Path:
        """Writes the model for other programs, as `recblr export` does; returns the path.

        Args:
            path: the file or folder to write.
            format: "onnx" (a folder with step.onnx and encode.onnx), "recbole" (weights for PyTorch) or "vectors" (item vectors with ids).
        """
        run(["export", f"--format={format}", f"--output={os.fspath(path)}", "--", os.fspath(self.folder)])
        return Path(path)

    def __reduce__(self) -> Tuple[Any, ...]:
        return (load, (os.fspath(self.folder),))

    def __repr__(self) -> str:
        return f"<recblr.Model: {len(self):,} items>"

    def _repr_html_(self) -> str:
        shape, training = self.configuration, self.training
        shape = shape.get("model", shape)
        rows = [["Items", f"{len(self):,}"]]
        rows += [[name, shape[key]] for name, key in _SHOWN if key in shape]
        if "bestEpoch" in training:
            rows.append(["Epoch", f"{training['bestEpoch']} of {len(training['epochs'])}"])
        return html_table(["Model", ""], rows)


_SHOWN = (("Mixer", "mixer"), ("Hidden size", "hiddenSize"), ("Layers", "layerCount"))


def load(folder: PathLike) -> Model:
    """Opens a model's folder, which `Model.save` or the command `recblr train` has written. O(weights).

    Raises:
        NotFoundError: there is no such folder.
        DataError: it is no model's, or damaged.
    """
    return Model(Folder(_folders.existing(folder)))


def import_weights(weights: PathLike, length: int, *, items: Optional[PathLike] = None) -> Model:
    """Makes a model from weights that the paper's reference code trained, as `recblr import` does.

    Args:
        weights: a safetensors file of the reference implementation's parameters.
        length: the sequence length that they were trained with.
        items: a file with ids and titles of the items in order, as a dataset's items.tsv; left out, their numbers are their ids.

    Raises:
        DataError: they do not fit.
    """
    folder = Folder.temporary()
    arguments = [f"--length={length}", f"--model={folder.path}"]
    if items is not None:
        arguments.append(f"--items={os.fspath(items)}")
    run(["import", *arguments, "--", os.fspath(weights)])
    return Model(folder)
