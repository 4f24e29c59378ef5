"""What a theme does to a score."""

from analysis.measures.scores import Score


def impact(theme: Score, everything: Score) -> float | None:
    """The score minus the score without the theme's answers, in the unit of the score.

    n_t * (S_t - S) / (N - n_t), which equals S minus the S of all other answers for any score
    that is a mean over answers, as NPS, CSAT and CES are. Below 0 the theme pulls the score down.
    0.0 for a theme without scored answers; None where no other answers are left to compare with.
    ValueError where the theme has more answers than there are.
    """
    if theme.n > everything.n:
        raise ValueError(f"a theme of {theme.n} answers cannot be part of {everything.n}")
    if theme.n == everything.n:
        return None
    if theme.value is None or everything.value is None:
        return 0.0
    return theme.n * (theme.value - everything.value) / (everything.n - theme.n)
