from datetime import timedelta

import pytest

from analysis import learn, tasks
from analysis.models import Mention, Reading, Theme, ThemeState
from surveys.models import Account, Customer, Kind, Response, Slot
from tests.analysis.rows import answer, at
from tests.conftest import survey_of
from voc.celery import app

NOW = at("2026-03-10 03:10")
TOPICS = {  # what it is about, and what is said of it
    "delivery": (
        ["The parcel", "My delivery", "The courier with the parcel", "Our delivered box"],
        ["came late", "was left outside by the courier", "arrived a week late", "never came"],
    ),
    "price": (
        ["The monthly price", "Your fee", "The price of the plan", "What we pay in fees"],
        ["is too expensive", "rose again", "is far too high", "doubled without a warning"],
    ),
    "app": (
        ["The mobile app", "Login in the app", "The app on my mobile", "The login screen"],
        ["crashes", "loses my password", "crashes at the password", "freezes after login"],
    ),
}


def words(topic, number=0) -> str:
    abouts, saids = TOPICS[topic]
    return f"{abouts[number % 4]} {saids[number // 4 % 4]}"


def write(survey, topic, count=15, **fields) -> list[Response]:
    yesterday = NOW - timedelta(days=1)
    return [
        answer(survey, yesterday, comment=words(topic, number), **fields) for number in range(count)
    ]


@pytest.fixture
def comments(nps):
    return {topic: write(nps, topic) for topic in TOPICS}


def theme_of(response) -> int | None:
    return Mention.objects.filter(response=response).values_list("theme", flat=True).first()


def test_comments_of_one_topic_end_in_one_theme(nps, comments):
    learnt = learn.refit(nps, NOW)
    assert (learnt.comments, learnt.say_nothing, learnt.refitted) == (45, 0, True)
    themes = [{theme_of(row) for row in rows} for rows in comments.values()]
    assert all(None not in group for group in themes)
    assert sum(map(len, themes)) == len(set.union(*themes))  # no two topics in one theme
    assert learnt.themes == learnt.born == Theme.objects.living().count()
    assert Mention.objects.filter(is_main=True).count() == 45


def test_what_says_nothing_is_read_but_has_no_theme(nps, comments):
    empty = answer(nps, NOW, 5, comment="n/a")
    assert learn.refit(nps, NOW).say_nothing == 1
    assert theme_of(empty) is None
    assert Reading.objects.get(response=empty).says_nothing


def test_comments_without_a_score_count_and_a_machines_do_not(nps, comments):
    machine = write(nps, "app", 1, verdict=Response.Verdict.MACHINE)[0]
    assert comments["app"][0].score is None
    assert learn.refit(nps, NOW).comments == 45
    assert not Reading.objects.filter(response=machine).exists()


def test_no_name_enters_a_model(nps, comments):
    account = Account.objects.create(name="Lakeside Mills")
    customer = Customer.objects.create(name="Ines Okafor", account=account)
    text = "Okafor of Lakeside Mills here, the courier came late, write to ines@mill.example"
    for number in range(12):
        answer(nps, NOW, comment=f"{text} {number}", customer=customer)
    learn.refit(nps, NOW)
    known = str(ThemeState.objects.get().state).casefold()
    assert "courier" in known
    for name in ("okafor", "lakeside", "mill.example"):
        assert name not in known


def test_a_second_fit_keeps_the_ids_and_the_given_label(nps, comments):
    learn.refit(nps, NOW)
    theme = Theme.objects.get(pk=theme_of(comments["price"][0]))
    Theme.objects.filter(pk=theme.pk).update(label="What it costs")
    before = {row.pk: theme_of(row) for rows in comments.values() for row in rows}
    write(nps, "price", 3)
    again = learn.refit(nps, NOW + timedelta(days=1))
    assert (again.born, again.retired) == (0, 0)
    assert {pk: theme_of(pk) for pk in before} == before
    assert Theme.objects.get(pk=theme.pk).label == "What it costs"


def test_new_comments_join_the_themes_there_are(nps, comments):
    learn.refit(nps, NOW)
    late = answer(
        nps, NOW, comment="Parcel late, the courier was rude and the delivery was outside"
    )
    learnt = learn.assign_new(nps, NOW)
    assert (learnt.comments, learnt.refitted) == (1, False)
    assert theme_of(late) == theme_of(comments["delivery"][0])
    assert learn.assign_new(nps, NOW).comments == 0


def test_a_corrected_comment_is_read_again_and_an_emptied_one_forgotten(nps, comments):
    learn.refit(nps, NOW)
    changed, emptied, unmasked = comments["delivery"][:3]
    Response.objects.filter(pk=changed.pk).update(comment=words("price", 9))
    Response.objects.filter(pk=emptied.pk).update(comment="")
    Response.objects.filter(pk=unmasked.pk).update(verdict=Response.Verdict.MACHINE)
    assert learn.assign_new(nps, NOW).comments == 1
    assert theme_of(changed) == theme_of(comments["price"][9])
    for gone in (emptied, unmasked):
        assert not Reading.objects.filter(response=gone).exists()
        assert theme_of(gone) is None


def test_learning_fits_in_a_new_month_or_after_growth_and_else_only_reads(nps, comments):
    assert learn.learn(nps, NOW).refitted
    assert not learn.learn(nps, NOW + timedelta(days=1)).refitted
    assert learn.learn(nps, NOW + timedelta(days=30)).refitted
    write(nps, "app", 30)
    assert learn.learn(nps, NOW + timedelta(days=30)).refitted


def test_a_model_of_another_version_is_fitted_anew(nps, comments):
    learn.refit(nps, NOW)
    ThemeState.objects.update(state={"version": 0})
    assert learn.assign_new(nps, NOW).refitted


def test_too_few_comments_are_refused_and_change_nothing(nps):
    write(nps, "app", 9)
    with pytest.raises(learn.TooFewComments, match="has 9 comments; themes need 10"):
        learn.refit(nps, NOW)
    assert not Theme.objects.exists()


def test_a_survey_that_fails_stops_no_other(nps, comments, monkeypatch, caplog):
    broken = survey_of(Kind.CSAT, name="Broken")
    really = learn.learn

    def fail(survey, now):
        if survey == broken:
            raise RuntimeError("a poisoned comment")
        return really(survey, now)

    monkeypatch.setattr(learn, "learn", fail)
    done = learn.learn_all(NOW)
    assert done.keys() == {nps.name}
    assert f"the themes of survey {broken.pk} failed" in caplog.text


def test_a_run_overtaken_by_a_fit_writes_nothing(nps, comments, monkeypatch):
    learn.refit(nps, NOW)
    answer(nps, NOW, comment="The parcel came late")
    read = learn._redacted

    def slowly(responses):
        found = read(responses)
        ThemeState.objects.update(fitted_at=NOW + timedelta(hours=1))
        return found

    monkeypatch.setattr(learn, "_redacted", slowly)
    assert learn.assign_new(nps, NOW) == learn.Learnt()
    assert Reading.objects.count() == 45
    monkeypatch.setattr(learn, "_redacted", read)
    assert learn.assign_new(nps, NOW).comments == 1  # undisturbed, it does write


def test_the_task_runs_once_a_day_however_often_it_is_asked(nps, comments, monkeypatch):
    tasks.learn_themes()
    assert Mention.objects.count() == 45
    answer(nps, NOW, comment="The parcel came late")
    tasks.learn_themes()
    assert Mention.objects.count() == 45
    Slot.objects.all().delete()
    tasks.learn_themes()
    assert Mention.objects.count() == 46


def test_the_task_has_the_name_and_the_queue_of_the_calendar():
    entry = app.conf.beat_schedule["learn themes"]
    assert (entry["task"], entry["options"]["queue"]) == (tasks.learn_themes.name, "themes")
