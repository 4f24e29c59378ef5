"""Three months in a row, for tests/bench/themes.py: each model goes on from the last one's."""

import json
import sys
from pathlib import Path

import numpy as np

from analysis.text.known import Known
from analysis.text.themes import ThemeModel

months = [json.loads(month) for month in json.loads(Path(sys.argv[1]).read_text())]
first = ThemeModel().fit(months[0])
second = ThemeModel().fit(months[1], previous=first)
third = ThemeModel().fit(months[2], previous=second)


def same(model: ThemeModel) -> float:
    return float(np.mean(model.predict(months[0]) == first.labels_))


def same_without_memory(model: ThemeModel) -> float:
    """As for comments that neither model has ever placed: only features and centres decide."""
    for reader in (model.reader_, first.reader_):
        reader.known = Known()
    return float(np.mean(model.predict(months[0]) == first.predict(months[0])))


figures = {"same": [same(second), same(third)]}
figures["emerging"] = [
    [np.flatnonzero(model.labels_ == theme).tolist() for theme in model.emerging_]
    for model in (second, third)
]
figures["unseen"] = [same_without_memory(second), same_without_memory(third)]
print(json.dumps(figures))
