"""One fit of the product's themes, for tests/bench/themes.py: texts in a file, figures printed."""

import json
import resource
import sys
import time
from pathlib import Path

from analysis.text.themes import ThemeModel

texts = json.loads(Path(sys.argv[1]).read_text())
model = ThemeModel(**json.loads(sys.argv[2])).fit(texts)
figures = {
    "labels": model.labels_.tolist(),
    "sublabels": model.sublabels_.tolist(),
    "cpu": time.process_time(),
    "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
}
print(json.dumps(figures))
