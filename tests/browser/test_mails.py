"""The invitation as a mail program on a phone, a tablet or a desk shows it."""

import pytest

from surveys.delivery.compiled import said
from tests.surveys.delivery.test_sheets import sheet_in, values_of

WIDTHS = [320, 600, 1200]  # pixels
LOOK = """() => {
    const luminance = colour => {
        const parts = colour.match(/[0-9.]+/g).slice(0, 3).map(part => {
            const share = part / 255;
            return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
        });
        return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2];
    };
    const ground = element => {
        const colour = getComputedStyle(element).backgroundColor;
        return colour.endsWith(", 0)") ? ground(element.parentElement) : colour;
    };
    const contrast = element => {
        const two = [getComputedStyle(element).color, ground(element)].map(luminance);
        return (Math.max(...two) + 0.05) / (Math.min(...two) + 0.05);
    };
    const shown = [...document.querySelectorAll(".ink div, .soft div, a")]
        .filter(element => element.getClientRects().length);
    const boxes = shown.map(element => element.getBoundingClientRect());
    const scores = [...document.querySelectorAll("a.score")].map(a => a.getBoundingClientRect());
    return {
        scrolls: document.documentElement.scrollWidth > innerWidth,
        left: Math.min(...boxes.map(box => box.left)),
        right: Math.max(...boxes.map(box => box.right)),
        scores: scores.length,
        smallest: Math.min(...scores.flatMap(box => [box.width, box.height])),
        firstIsLeft: scores[0].left < scores[1].left,
        isDark: luminance(ground(document.querySelector(".card"))) < 0.2,
        contrast: Math.min(...shown.map(contrast)),
    };
}"""


@pytest.fixture(scope="module")
def pane(chromium):
    page = chromium.new_page()
    yield page
    page.close()


@pytest.mark.parametrize("language", ["en", "de", "ar"])
def test_the_invitation_fits_and_can_be_read_in_light_and_dark(pane, language):
    sheet, values = sheet_in(language, "nps"), values_of("Ines Okafor")
    pane.set_content(said(sheet.html, values))
    for scheme in ("light", "dark"):
        pane.emulate_media(color_scheme=scheme)
        for width in WIDTHS:
            pane.set_viewport_size({"width": width, "height": 700})
            seen = pane.evaluate(LOOK)
            assert not seen["scrolls"], (scheme, width)
            assert 0 <= seen["left"] < seen["right"] <= width
            assert (seen["scores"], seen["firstIsLeft"]) == (11, language != "ar")
            assert seen["smallest"] >= 42  # a thumb hits it
            assert seen["isDark"] == (scheme == "dark")
            assert seen["contrast"] >= 4.5  # WCAG 2.2, 1.4.3
