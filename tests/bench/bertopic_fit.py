"""One fit of BERTopic, for tests/bench/themes.py, with the vectors of the product's encoder."""

import json
import resource
import sys
import time
from pathlib import Path

from bertopic import BERTopic
from sklearn.cluster import KMeans
from umap import UMAP

from analysis.text import encoder

texts = json.loads(Path(sys.argv[1]).read_text())
asked = json.loads(sys.argv[2]).get("n_themes")
found = encoder.load()
if found is None:
    sys.exit("The encoder is not installed in this environment.")
given = {
    "umap_model": UMAP(
        n_neighbors=15, n_components=5, min_dist=0.0, metric="cosine", random_state=0
    )
}
if asked:
    given["hdbscan_model"] = KMeans(asked, n_init=10, random_state=0)
model = BERTopic(embedding_model=None, **given)
labels, _ = model.fit_transform(texts, embeddings=found.encode(texts))
figures = {
    "labels": [int(label) for label in labels],
    "cpu": time.process_time(),
    "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
}
print(json.dumps(figures))
