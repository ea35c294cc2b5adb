"""RecBLR: a sequential recommender that learns from who did what, when, and says what comes next.

data = recblr.Dataset(frame, user="customer", item="sku", timestamp="when")
model = recblr.train(data, preset="fast")
print(model.evaluate(data))
session = model.session()
session.push("sku-17")
session.top(10)
"""

from ._dataset import Dataset
from ._errors import (
    DataError,
    InternalError,
    Interrupted,
    NotFoundError,
    RecBLRError,
    RecBLRWarning,
    SystemLimitError,
    UnavailableError,
    UsageError,
    WriteError,
)
from ._evaluation import Comparison, Difference, Evaluation, compare
from ._library import version as _version
from ._model import Model, Recommendation, Vector, import_weights, load
from ._run import Progress
from ._session import Explanation, Scored, Session, Term
from ._table import Table
from ._training import train

__version__ = _version()

# Errors are shown by the names that programs catch.
for _kind in (RecBLRWarning, RecBLRError, *RecBLRError.__subclasses__()):
    _kind.__module__ = __name__

__all__ = [
    "Comparison",
    "DataError",
    "Dataset",
    "Difference",
    "Evaluation",
    "Explanation",
    "InternalError",
    "Interrupted",
    "Model",
    "NotFoundError",
    "Progress",
    "RecBLRError",
    "RecBLRWarning",
    "Recommendation",
    "Scored",
    "Session",
    "SystemLimitError",
    "Table",
    "Term",
    "UnavailableError",
    "UsageError",
    "Vector",
    "WriteError",
    "compare",
    "import_weights",
    "load",
    "train",
]
