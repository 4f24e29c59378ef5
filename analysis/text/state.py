"""Learnt numbers as bytes: numpy's own archive without pickle, safe to read from a database."""

from __future__ import annotations

import io

import numpy as np


def pack(arrays: dict[str, np.ndarray]) -> bytes:
    """The arrays as a compressed npz; raises ValueError for an array that would need a pickle."""
    buffer = io.BytesIO()
    for name, array in arrays.items():
        if array.dtype.hasobject:
            raise ValueError(f"Array {name!r} holds Python objects and cannot be stored.")
    np.savez_compressed(buffer, allow_pickle=False, **arrays)
    return buffer.getvalue()


def unpack(data: bytes) -> dict[str, np.ndarray]:
    """The arrays of `pack`; raises ValueError for bytes that are no such archive."""
    with np.load(io.BytesIO(data), allow_pickle=False) as archive:
        return {name: archive[name] for name in archive.files}
