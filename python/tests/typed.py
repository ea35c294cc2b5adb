"""A program of a user's, for mypy --strict against the installed wheel's types."""

from datetime import datetime
from typing import Dict, List

from typing_extensions import assert_type

import recblr

data = recblr.Dataset([("u", "i", datetime(2026, 1, 1))], min_user_events=1)
model = recblr.train(data, "fast", epochs=3, progress=lambda now: print(now.fraction))
assert_type(model, recblr.Model)
assert_type(model.evaluate(data).metrics, Dict[str, Dict[str, float]])
for row in model.recommend(data, users=["u"], k=3):
    assert_type(row, recblr.Recommendation)
session = model.session()
session.push("i", datetime(2026, 1, 2))
assert_type(session.top(3), List[recblr.Scored])
assert_type(session.explain("i").terms[0].contribution, float)
