import json
import random
import subprocess
import sys

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.metrics import adjusted_mutual_info_score

from analysis.text.lexicon import CONNECTORS
from analysis.text.themes import ThemeModel
from analysis.text.words import stop_words
from tests.analysis.text.comments import COMMENTS, LABELS, SILENT


@pytest.fixture(scope="module")
def model() -> ThemeModel:
    return ThemeModel(5).fit(COMMENTS)


def test_causes_are_found(model):
    assert adjusted_mutual_info_score(LABELS, model.labels_) > 0.7
    assert [theme.id for theme in model.themes_] == [0, 1, 2, 3, 4]


def test_the_comments_decide_on_three_to_five_themes():
    assert 3 <= len(ThemeModel().fit(COMMENTS).themes_) <= 5


def test_every_theme_can_be_shown(model):
    labels = [theme.label for theme in model.themes_]
    assert len(set(labels)) == len(labels)
    for theme in model.themes_:
        words = theme.label.lower().split()
        assert theme.label[0].isupper()
        assert not {words[0], words[-1]} & (stop_words("en") | CONNECTORS)
        assert 1 <= len(theme.keywords) <= 8
        assert len(theme.quotes) == 3
        assert set(theme.quotes) <= set(COMMENTS)
        assert 0 < theme.cohesion <= 1


def test_sizes_count_the_comments_biggest_first(model):
    sizes = np.bincount(model.labels_).tolist()
    assert [theme.size for theme in model.themes_] == sizes == sorted(sizes, reverse=True)


def test_labels_name_the_causes(model):
    said = " ".join(" ".join([theme.label, *theme.keywords]) for theme in model.themes_).lower()
    for cause in ("delivery", "invoice", "hotline", "web shop", "bearings"):
        assert cause in said


def test_only_comments_that_say_nothing_have_no_theme():
    model = ThemeModel(5).fit([*SILENT, *COMMENTS])
    assert model.labels_[: len(SILENT)].tolist() == [-1] * len(SILENT)
    assert (model.labels_[len(SILENT) :] >= 0).all()
    assert model.confidence_[: len(SILENT)].tolist() == [0.0] * len(SILENT)


def test_a_new_comment_goes_where_the_old_ones_are(model):
    delivery, invoice = model.labels_[0], model.labels_[12]
    new = ["late delivery, again", "wrong invoice", "", "qqqq zzzq wwwq"]
    labels, confidence = model.assign(new)
    assert labels[:3].tolist() == [delivery, invoice, -1]
    assert labels[3] >= 0
    assert confidence[2:].tolist() == [0.0, 0.0]
    assert (confidence[:2] > 0.3).all()


def test_equal_texts_get_equal_themes_in_fit_and_prediction(model):
    assert np.array_equal(model.predict(COMMENTS), model.labels_)
    shouted = [comment.upper() for comment in COMMENTS]
    assert np.array_equal(model.predict(shouted), model.labels_)


def test_the_order_of_comments_changes_nothing(model):
    places = list(range(len(COMMENTS)))
    random.Random(4).shuffle(places)
    shuffled = ThemeModel(5).fit([COMMENTS[place] for place in places])
    assert shuffled.labels_.tolist() == model.labels_[places].tolist()
    assert shuffled.themes_ == model.themes_


def test_a_second_process_finds_the_same(model):
    program = (
        "from analysis.text.themes import ThemeModel;"
        "from tests.analysis.text.comments import COMMENTS;"
        "model = ThemeModel(5).fit(COMMENTS);"
        "print(model.labels_.tolist(), model.confidence_.tolist())"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == f"{model.labels_.tolist()} {model.confidence_.tolist()}"


def test_a_sample_teaches_the_rest():
    model = ThemeModel(5, sample_size=40, read_whole=0).fit(COMMENTS)
    assert sum(theme.size for theme in model.themes_) == len(COMMENTS)
    assert adjusted_mutual_info_score(LABELS, model.labels_) > 0.5


@pytest.mark.parametrize(("asked", "given"), [(1, 1), (2, 2), (12, 12), (45, 45), (500, 60)])
def test_an_explicit_number_is_obeyed_as_far_as_comments_differ(asked, given):
    themes = ThemeModel(asked).fit(COMMENTS).themes_
    assert len(themes) == given
    assert len({theme.label for theme in themes}) == given


@pytest.mark.parametrize("asked", [0, -3])
def test_a_number_below_one_is_refused(asked):
    with pytest.raises(ValueError, match="n_themes must be 1 or more"):
        ThemeModel(asked).fit(COMMENTS)


@pytest.mark.parametrize("comments", [[], [""], SILENT, [None] * 3, ["the", "and of"]])
def test_nothing_said_gives_no_themes(comments):
    model = ThemeModel().fit(comments)
    assert model.labels_.tolist() == [-1] * len(comments)
    assert model.themes_ == []
    assert model.predict(["late delivery", ""]).tolist() == [-1, -1]


@pytest.mark.parametrize(
    ("comments", "labels"),
    [
        (["slow"], [0]),
        (["slow", "slow", "Slow!"], [0, 0, 0]),
        (["slow", "n/a"], [0, -1]),
        (["late delivery", "wrong invoice"], [0, 0]),
    ],
)
def test_a_handful_of_comments_is_one_theme(comments, labels):
    model = ThemeModel().fit(comments)
    assert model.labels_.tolist() == labels
    assert [theme.size for theme in model.themes_] == [labels.count(0)]
    assert model.themes_[0].label != ""


HOSTILE = {
    "huge": "late " * 250_000,
    "one endless word": "lateness" * 125_000,
    "NUL and surrogates": "late\x00delivery \ud800 \udfff",
    "markup": "<script>alert(1)</script> {{7*7}} ${jndi:ldap://x}",
    "SQL": "'; DROP TABLE themes; --",
    "emoji": "🚚💔 late 👩‍👩‍👧",
    "Japanese": "配送が遅い とても残念です",
    "Arabic": "الشحن متأخر جدا",
    "French": "la livraison est en retard et c'est dommage",
    "German": "Die Rechnung war schon wieder falsch",
    "combining signs": "late " + "a\u0301e\u0302" * 5000,
}


@pytest.mark.parametrize("hostile", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_comments_are_only_comments(hostile):
    model = ThemeModel(5).fit([*COMMENTS, hostile, hostile])
    assert model.labels_[-1] == model.labels_[-2] >= 0
    state, _ = model.to_state()
    assert json.dumps(state).encode("utf-8")
    for theme in model.themes_:
        assert all(len(quote) <= 2002 for quote in theme.quotes)
        "".join([theme.label, *theme.keywords, *theme.quotes]).encode("utf-8")


def test_a_saved_model_predicts_the_same(model):
    state, data = model.to_state()
    loaded = ThemeModel.from_state(json.loads(json.dumps(state)), data)
    new = [*COMMENTS, "late invoice", "", "deliverys and invioces"]
    before, after = model.assign(new), loaded.assign(new)
    assert np.array_equal(before[0], after[0])
    assert np.array_equal(before[1], after[1])
    assert [theme.label for theme in loaded.themes_] == [theme.label for theme in model.themes_]
    assert loaded.to_state()[0] == state


def test_a_saved_model_holds_no_comment(model):
    state, data = model.to_state()
    assert [theme["quotes"] for theme in state["themes"]] == [[]] * 5
    assert not any(comment in json.dumps(state) for comment in COMMENTS)
    assert b"pickle" not in data


def test_an_empty_model_can_be_saved():
    loaded = ThemeModel.from_state(*ThemeModel().fit([]).to_state())
    assert loaded.predict(["late", ""]).tolist() == [-1, -1]


def test_a_state_of_another_version_is_refused(model):
    state, data = model.to_state()
    with pytest.raises(ValueError, match="fit it again"):
        ThemeModel.from_state({**state, "version": 0}, data)


def test_fitting_again_forgets_the_first_comments(model):
    again = clone(model).fit(COMMENTS)
    again.fit([])
    assert again.predict(COMMENTS).tolist() == [-1] * len(COMMENTS)


def test_excluded_words_never_make_a_label():
    model = ThemeModel(5, exclude=["Invoice", "invoices"]).fit(COMMENTS)
    said = [word for theme in model.themes_ for word in (theme.label, *theme.keywords)]
    assert not any("invoice" in word.lower() for word in said)


def test_two_languages_are_stemmed_each_in_its_own():
    german = [
        "Die Lieferung war wieder zu spät",
        "Die Lieferungen kommen nie pünktlich",
        "Wir warten noch immer auf die Lieferung",
    ]
    model = ThemeModel(6).fit(COMMENTS + german * 2)
    assert len(set(model.labels_[-3:].tolist())) == 1
    assert (model.labels_[: len(COMMENTS)] != model.labels_[-1]).all()


def test_a_model_goes_on_from_the_last_one(model):
    saved = ThemeModel.from_state(*model.to_state())
    new = ["The parcel was late once more", "Our invoice shows a wrong amount", "n/a"]
    later = ThemeModel(5).fit([*COMMENTS[::2], *new], previous=saved)
    assert later.predict(COMMENTS).tolist() == model.labels_.tolist()
    assert later.labels_[-3:].tolist() == [model.labels_[0], model.labels_[12], -1]
    assert [theme.label for theme in later.themes_] == [theme.label for theme in model.themes_]
    assert later.emerging_ == {}


def test_two_complaints_count_in_both_themes(model):
    both = "The delivery was three days late. The invoice was wrong again."
    delivery, invoice = model.labels_[0], model.labels_[12]
    memberships = model.memberships([both, COMMENTS[0], "n/a"])
    assert set(memberships[0]) == {delivery, invoice}
    assert memberships[1:] == [(delivery,), ()]


def test_words_and_characters_do_where_there_is_no_encoder():
    model = ThemeModel(5, use_encoder=False).fit(COMMENTS)
    assert adjusted_mutual_info_score(LABELS, model.labels_) > 0.5
    assert np.array_equal(model.predict(COMMENTS), model.labels_)


def test_sub_themes_lie_within_their_themes():
    model = ThemeModel(read_whole=0).fit([f"{text} {n}" for n in range(3) for text in COMMENTS])
    tops = [theme for theme in model.themes_ if theme.parent is None]
    assert model.labels_.max() == len(tops) - 1
    for theme in model.themes_[len(tops) :]:
        assert set(model.labels_[model.sublabels_ == theme.id]) <= {theme.parent}
