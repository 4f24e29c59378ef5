"""How many of those who were asked have answered."""

from analysis.measures.scores import Score, share


def response_rate(answered: int, invited: int) -> Score:
    """Share, 0..1, of the invitations of a cohort that were answered, with Wilson's interval.

    `invited` counts the invitations that were sent and did not bounce, by the day they were sent;
    `answered` counts those of them that have a counted answer, however late. ValueError where
    more were answered than sent: answers from open links and imports belong to no invitation.
    """
    return share(answered, invited)
