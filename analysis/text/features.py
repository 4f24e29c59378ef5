"""From words and characters to dense vectors: TF-IDF, reduced by a truncated SVD.

Every estimator here takes the space-joined lower-case words of a comment (`clean.tokens`), and can
be written down as JSON and arrays and built again from them, so that nothing needs a pickle.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from itertools import pairwise
from typing import Any, Self

import numpy as np
from scipy import sparse
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.preprocessing import normalize

from analysis.text.words import guess_language, is_content, main_language, stem

Arrays = dict[str, np.ndarray]
# Below this many texts a word seen once may be a cause; above it, it is noise.
_FEW = 200


def stems(text: str, language: str = "en") -> list[str]:
    """Stems and neighbouring pairs of stems, stop words left out; `language` where none shows."""
    words = text.split()
    own = guess_language(words, default=language)
    single = [stem(word, own) for word in words if is_content(word, own)]
    return single + [f"{first} {second}" for first, second in pairwise(single)]


class _Reduced(BaseEstimator, TransformerMixin):
    """TF-IDF followed by a truncated SVD; rows of unit length, or zero where nothing is known."""

    def __init__(
        self,
        max_features: int = 20_000,
        min_df: int = 2,
        dimensions: int = 150,
        random_state: int = 0,
    ) -> None:
        self.max_features = max_features
        self.min_df = min_df
        self.dimensions = dimensions
        self.random_state = random_state

    def fit(self, texts: Sequence[str], y: object = None) -> Self:
        self._learn_setting(texts)
        weights = self._fit_tfidf(texts)
        # Half precision halves the saved model; rounding now keeps a saved one identical.
        self.components_ = self._directions(weights).astype(np.float16)
        return self

    def transform(self, texts: Sequence[str]) -> np.ndarray:
        """float32 array of shape (texts, dimensions)."""
        weights = self.tfidf_.transform(texts)
        return normalize(weights @ self.components_.astype(np.float32).T)

    def _directions(self, weights: sparse.csr_matrix) -> np.ndarray:
        """The directions of most variation, shape (dimensions, terms)."""
        if weights.shape[1] == 1:
            return np.ones((1, 1))
        dimensions = min(self.dimensions, *weights.shape)
        svd = TruncatedSVD(dimensions, random_state=self.random_state)
        with np.errstate(invalid="ignore"):  # a single text has no variance to explain
            return svd.fit(weights).components_

    def _fit_tfidf(self, texts: Sequence[str]) -> sparse.csr_matrix:
        min_df = self.min_df if len(texts) >= _FEW else 1
        try:
            self.tfidf_ = self._vectorizer(min_df=min_df)
            return self.tfidf_.fit_transform(texts)
        except ValueError:  # no term is shared by enough texts
            self.tfidf_ = self._vectorizer(min_df=1)
            return self.tfidf_.fit_transform(texts)

    def _learn_setting(self, texts: Sequence[str]) -> None:
        """Subclasses may learn what the vectorizer has to know of the texts."""

    def _vectorizer(self, **settings: Any) -> TfidfVectorizer:
        settings = {"max_features": self.max_features, "dtype": np.float32, **settings}
        return TfidfVectorizer(**self._terms(), **settings)

    def _terms(self) -> dict[str, Any]:
        """Subclasses must give the vectorizer's way of cutting a text into terms."""
        return {}

    def to_state(self) -> tuple[dict[str, Any], Arrays]:
        terms = self.tfidf_.get_feature_names_out().tolist()
        return {"terms": terms}, {"idf": self.tfidf_.idf_, "components": self.components_}

    def restore(self, state: dict[str, Any], arrays: Arrays) -> Self:
        self.tfidf_ = self._vectorizer(vocabulary=state["terms"])
        self.tfidf_.idf_ = arrays["idf"]
        self.components_ = arrays["components"]
        return self


class WordFeatures(_Reduced):
    """Stemmed words and pairs of words, stop words left out."""

    def _learn_setting(self, texts: Sequence[str]) -> None:
        self.language_ = main_language(text.split() for text in texts)

    def _terms(self) -> dict[str, Any]:
        return {"analyzer": partial(stems, language=self.language_)}

    def to_state(self) -> tuple[dict[str, Any], Arrays]:
        state, arrays = super().to_state()
        return {**state, "language": self.language_}, arrays

    def restore(self, state: dict[str, Any], arrays: Arrays) -> Self:
        self.language_ = state["language"]
        return super().restore(state, arrays)


class CharacterFeatures(_Reduced):
    """Three to five characters within words: forgives typing errors and inflection."""

    def _terms(self) -> dict[str, Any]:
        return {"analyzer": "char_wb", "ngram_range": (3, 5), "lowercase": False}


class LexicalFeatures(BaseEstimator, TransformerMixin):
    """Words and characters side by side, the words weighing `word_weight` to the characters' 1."""

    def __init__(
        self,
        dimensions: int = 150,
        word_weight: float = 0.6,
        max_words: int = 10_000,
        max_characters: int = 20_000,
        random_state: int = 0,
    ) -> None:
        self.dimensions = dimensions
        self.word_weight = word_weight
        self.max_words = max_words
        self.max_characters = max_characters
        self.random_state = random_state

    def fit(self, texts: Sequence[str], y: object = None) -> Self:
        self._build()
        self.words_.fit(texts)
        self.characters_.fit(texts)
        return self

    def transform(self, texts: Sequence[str]) -> np.ndarray:
        """float32 array of shape (texts, up to 2 x dimensions), rows of unit length or zero."""
        words = self.word_weight * self.words_.transform(texts)
        return normalize(np.hstack([words, self.characters_.transform(texts)]))

    @property
    def language_(self) -> str:
        """Code of the language of most texts."""
        return self.words_.language_

    def _build(self) -> None:
        shared = {"dimensions": self.dimensions, "random_state": self.random_state}
        self.words_ = WordFeatures(self.max_words, min_df=2, **shared)
        self.characters_ = CharacterFeatures(self.max_characters, min_df=3, **shared)

    def to_state(self) -> tuple[dict[str, Any], Arrays]:
        words, word_arrays = self.words_.to_state()
        characters, character_arrays = self.characters_.to_state()
        arrays = {f"words_{name}": array for name, array in word_arrays.items()}
        arrays |= {f"characters_{name}": array for name, array in character_arrays.items()}
        return {"words": words, "characters": characters}, arrays

    def restore(self, state: dict[str, Any], arrays: Arrays) -> Self:
        self._build()
        for name in ("words", "characters"):
            own = {key: arrays[f"{name}_{key}"] for key in ("idf", "components")}
            getattr(self, f"{name}_").restore(state[name], own)
        return self
