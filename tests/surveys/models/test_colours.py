import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import surveys
from surveys.models.colours import (
    DARK,
    HEX,
    LIGHT,
    READABLE,
    contrast,
    least_contrast,
    nearest_readable,
)

SHEET = Path(surveys.__file__).parent / "static" / "surveys" / "customer.css"
ANY_COLOUR = st.integers(0, 0xFFFFFF).map("#{:06x}".format)


@pytest.mark.parametrize(
    ("one", "other", "ratio"),
    [
        ("#000000", "#ffffff", 21.0),
        ("#ffffff", "#ffffff", 1.0),
        ("#767676", "#ffffff", 4.54),  # the palest grey that WCAG lets stand on white
        ("#777777", "#ffffff", 4.48),
        ("#ff0000", "#ffffff", 4.0),
        ("#1d4ed8", "#ffffff", 6.7),
    ],
)
def test_contrast_is_that_of_wcag(one, other, ratio):
    assert round(contrast(one, other), 2) == ratio
    assert contrast(other, one) == contrast(one, other)


@given(ANY_COLOUR, st.sampled_from([LIGHT, DARK]))
def test_the_nearest_readable_shade_can_be_read(colour, scheme):
    shade = nearest_readable(colour, scheme)
    assert HEX.fullmatch(shade)
    assert least_contrast(shade, scheme) >= READABLE
    assert (shade == colour) == (least_contrast(colour, scheme) >= READABLE)


def test_a_shade_keeps_its_hue_and_changes_no_more_than_it_must():
    assert nearest_readable("#ffd400", LIGHT) == "#836d00"
    assert nearest_readable("#1d4ed8", DARK) == "#5f84ea"
    assert nearest_readable("#000000", DARK) == "#888888"


@pytest.mark.parametrize("scheme", [LIGHT, DARK])
def test_the_grounds_are_those_of_the_style_sheet(scheme):
    light, dark = re.findall(r":root \{(.+?)\}", SHEET.read_text(), re.DOTALL)[:2]
    of_sheet = dict(re.findall(r"--([\w-]+): (#\w+)", dark if scheme is DARK else light))
    assert (of_sheet["ground"], of_sheet["card"]) == (scheme.ground, scheme.card)
    assert least_contrast(of_sheet["accent"], scheme) >= READABLE
