import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.measures.clusters import Moments, clustered_nps, effective_n, moments, student95
from analysis.measures.clusters import variance as variance_of
from analysis.measures.intervals import adjusted_wald_nps

answers = st.lists(st.lists(st.sampled_from([-1, 0, 1]), min_size=1, max_size=6), min_size=1)


def counted(accounts):
    flat = [one for account in accounts for one in account]
    bands = flat.count(1), flat.count(0), flat.count(-1)
    return bands, moments((len(account), sum(account)) for account in accounts)


def width(interval) -> float:
    return interval.high - interval.low


def test_one_answer_an_account_is_what_independence_means():
    bands, found = counted([[1]] * 50 + [[0]] * 20 + [[-1]] * 30)
    assert clustered_nps(*bands, found) == adjusted_wald_nps(50, 20, 30)
    assert effective_n(*bands, found) == 100


def test_ten_of_one_mind_say_hardly_more_than_one():
    alike = [[1] * 10] * 5 + [[0] * 10] * 2 + [[-1] * 10] * 3
    bands, found = counted(alike)
    assert bands == (50, 20, 30)
    assert effective_n(*bands, found) < 10
    assert width(clustered_nps(*bands, found)) > 2.5 * width(adjusted_wald_nps(*bands))


def test_a_single_account_says_nothing_of_the_others():
    bands, found = counted([[1] * 30 + [-1] * 5])
    assert effective_n(*bands, found) == 0
    low, high = clustered_nps(*bands, found)
    assert (round(low, 2), round(high, 2)) == (-0.8, 0.8)
    with pytest.raises(ValueError, match="two of them"):
        variance_of(*bands, found)


def test_a_single_account_of_one_mind_holds_its_own_score():
    bands, found = counted([[-1] * 30])
    assert clustered_nps(*bands, found).low == -1


def test_where_all_say_the_same_each_account_counts_once():
    bands, found = counted([[1] * 20] * 5)
    assert effective_n(*bands, found) < 5
    assert clustered_nps(*bands, found).high == 1


def test_nobody_has_no_interval():
    assert clustered_nps(0, 0, 0, Moments()) is None


def test_moments_of_other_accounts_add_up():
    some, more = [(3, 1), (2, -2)], [(5, 0)]
    assert moments(some) + moments(more) == moments(some + more) == Moments(3, 5, -1, 38)
    assert moments([(0, 0)]) == Moments()


@pytest.mark.parametrize("row", [(2, 3), (1, -2), (-1, 0)])
def test_sums_that_cannot_be_are_refused(row):
    with pytest.raises(ValueError, match=r"must be a whole number|cannot add up"):
        moments([row])


def test_no_degrees_of_freedom_no_quantile():
    with pytest.raises(ValueError, match="at least one"):
        student95(0)


@given(answers)
def test_accounts_never_make_the_interval_narrower(accounts):
    bands, found = counted(accounts)
    n = sum(bands)
    assert 0 <= effective_n(*bands, found) <= n
    low, high = clustered_nps(*bands, found)
    assert -1 <= low <= (bands[0] - bands[2]) / n <= high <= 1
