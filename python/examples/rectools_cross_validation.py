"""RecTools' own cross-validation of RecBLR, of its popular items and, with --sasrec and PyTorch, of its SASRec, on one log.

    python rectools_cross_validation.py ml-100k.inter --preset balanced --sasrec --sasrec-epochs 20

The log is a table with a header and the columns user, item, rating and time, as RecBole's ml-100k.inter; prints a table in Markdown.
"""

import argparse
import time

import pandas as pd
from rectools import Columns
from rectools.dataset import Dataset
from rectools.metrics import MRR, NDCG, HitRate
from rectools.model_selection import LastNSplitter, cross_validate
from rectools.models import PopularModel

from recblr.rectools import RecBLRModel


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("log")
    parser.add_argument("--preset", default="balanced")
    parser.add_argument("--epochs", type=int)
    parser.add_argument("--threads", type=int)
    parser.add_argument("--sasrec", action="store_true", help="SASRec of RecTools, too, which needs PyTorch")
    parser.add_argument("--sasrec-epochs", type=int, default=20)
    options = parser.parse_args()

    own = {} if options.threads is None else {"threads": options.threads}
    models = {
        "popular": PopularModel(),
        "RecBLR": RecBLRModel(options.preset, options.epochs, options=own),
    }
    if options.sasrec:
        from rectools.models import SASRecModel

        models["SASRec"] = SASRecModel(epochs=options.sasrec_epochs, deterministic=True, verbose=0)

    dataset = Dataset.construct(read(options.log))
    metrics = {"NDCG@10": NDCG(k=10), "HR@10": HitRate(k=10), "MRR@10": MRR(k=10)}
    print(f"| model | {' | '.join(metrics)} | seconds |\n| --- |{' --- |' * (len(metrics) + 1)}")
    for name, model in models.items():
        started = time.perf_counter()
        results = cross_validate(dataset, LastNSplitter(n=1, n_splits=1), metrics, {name: model}, k=10, filter_viewed=False)
        seconds = time.perf_counter() - started
        mean = pd.DataFrame(results["metrics"])[list(metrics)].mean()
        print(f"| {name} | {' | '.join(f'{mean[metric]:.4f}' for metric in metrics)} | {seconds:.0f} |", flush=True)


def read(path: str) -> pd.DataFrame:
    """The log with the names of RecTools."""
    frame = pd.read_csv(path, sep=None, engine="python")
    frame = frame[frame.columns[:4]]
    frame.columns = [Columns.User, Columns.Item, Columns.Weight, Columns.Datetime]
    frame[Columns.Weight] = 1
    frame[Columns.Datetime] = pd.to_datetime(frame[Columns.Datetime], unit="s")
    return frame


if __name__ == "__main__":
    main()
