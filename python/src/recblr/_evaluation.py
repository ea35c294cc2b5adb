"""What a model is worth on held-out events."""

from __future__ import annotations

import html
import json
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Dict, List, Literal, Optional, Sequence

from ._dataset import Dataset, checked
from ._run import options, run
from ._table import html_table

if TYPE_CHECKING:
    from ._model import Model

Split = Literal["leave-one-out", "global-time", "stream", "session", "none"]
Metrics = Dict[str, Dict[str, float]]
"""{"unmasked": {"HR@10": …, "NDCG@10": …, "MRR@10": …, "HR@20": …, …}, "masked": {…}}"""


class _Result:
    """The command's answer: as it prints it, and as JSON."""

    def __init__(self, arguments: Sequence[str]) -> None:
        with tempfile.TemporaryDirectory(prefix="recblr-") as folder:
            numbers = Path(folder, "metrics.json")
            self._text = run(["evaluate", f"--output={numbers}", *arguments]).strip("\n")
            self.details: Any = json.loads(numbers.read_text(encoding="utf-8"))

    def __str__(self) -> str:
        """The command's table."""
        return self._text


class Evaluation(_Result):
    """A model on held-out events, beside two counting baselines. `str` of it is the command's table."""

    details: List[Dict[str, Any]]
    """All that `recblr evaluate --json` says, one entry a ranker."""

    @property
    def metrics(self) -> Metrics:
        """The model's: "unmasked" ranks items already seen, too, "masked" leaves them out. Of a model with time, past times only."""
        return self.rankers[self._own]

    @property
    def rankers(self) -> Dict[str, Metrics]:
        """Metrics of the model and of the baselines, by name."""
        return {report["name"]: _metrics(report["all"]) for report in self.details}

    @property
    def cases(self) -> int:
        """How many events were predicted."""
        return int(self.details[-1]["all"]["unmasked"]["cases"])

    @property
    def _own(self) -> str:
        return next(str(report["name"]) for report in self.details if "probability" in report)

    def __repr__(self) -> str:
        return f"<recblr.Evaluation: NDCG@10 {self.metrics['unmasked']['NDCG@10']:.4f} on {self.cases:,} cases>"

    def _repr_html_(self) -> str:
        names = list(self.metrics["unmasked"])
        rows = [
            [f"{ranker}, {setting}", *(metrics[setting][name] for name in names)]
            for setting in ("unmasked", "masked")
            for ranker, metrics in self.rankers.items()
        ]
        return html_table([f"{self.cases:,} cases", *names], rows)


class Difference(Dict[str, Any]):
    """B − A of a metric: "difference", the 95 % interval "low" to "high", and whether it "excludesZero"; B ÷ A is "ratio", from "ratioLow" to "ratioHigh".

    Of fewer than 20 users there is no interval, and where A is 0 no ratio: these keys are left out then.
    """


class Comparison(_Result):
    """Two models, A and B, on the same cases. `str` of it is the command's table."""

    details: Dict[str, Any]
    """All that `recblr evaluate A B DATA --json` says."""

    @property
    def metrics(self) -> Dict[str, Metrics]:
        """Metrics of A, of B and of the baselines, by name."""
        return {report["name"]: _metrics(report["all"]) for report in self.details["reports"]}

    @property
    def differences(self) -> Dict[str, Dict[str, Difference]]:
        """B − A with intervals of a paired bootstrap over users: {"unmasked": {"HR@10": …, "NDCG@10": …, "MRR@10": …}, "masked": {…}}."""
        compared = self.details["comparison"]["all"]
        return {
            setting: {f"{name.upper()}@10": Difference(compared[setting][name]) for name in ("hr", "ndcg", "mrr")}
            for setting in ("unmasked", "masked")
        }

    def __repr__(self) -> str:
        ndcg = self.differences["unmasked"]["NDCG@10"]
        interval = f", from {ndcg['low']:+.4f} to {ndcg['high']:+.4f}" if "low" in ndcg else ""
        return f"<recblr.Comparison: NDCG@10 of B − A {ndcg['difference']:+.4f}{interval}>"

    def _repr_html_(self) -> str:
        return f"<pre>{html.escape(str(self))}</pre>"


def _metrics(report: Dict[str, Any]) -> Metrics:
    return {
        setting: {
            f"{name.upper()}@{values['cutoff']}": float(values[name])
            for values in (report[setting]["at10"], report[setting]["at20"])
            for name in ("hr", "ndcg", "mrr")
        }
        for setting in ("unmasked", "masked")
    }


def evaluate(models: Sequence[Model], data: Dataset, **chosen: object) -> List[str]:
    """The arguments of `recblr evaluate` to measure one model, or to compare two."""
    folders = [os.fspath(model.folder) for model in models] + [os.fspath(checked(data).folder)]
    return [*options(**chosen), "--", *folders]


def compare(
    a: Model,
    b: Model,
    data: Dataset,
    *,
    split: Optional[Split] = None,
    validation_fraction: Optional[float] = None,
    test_fraction: Optional[float] = None,
    validation: bool = False,
    max_length: Optional[int] = None,
    threads: Optional[int] = None,
    device: Optional[str] = None,
) -> Comparison:
    """Which of two models is better on the same cases, and is that more than chance? Arguments as for `Model.evaluate`.

    Raises:
        DataError: the models were trained with different splits, or on what they would be asked.
    """
    arguments = evaluate(
        [a, b],
        data,
        split=split,
        validation_fraction=validation_fraction,
        test_fraction=test_fraction,
        validation=validation,
        max_length=max_length,
        threads=threads,
        device=device,
    )
    return Comparison(arguments)
