from analysis.svg import Svg, clean, shorten, tag, text


def test_attributes_and_words_are_escaped():
    assert tag("g", clean("<&>"), class_='a"b') == '<g class="a&quot;b">&lt;&amp;&gt;</g>'


def test_names_of_attributes_and_numbers_are_written_the_svg_way():
    assert tag("line", x1=1.26, y1=2.0, stroke_width=1, fill=None, viewBox="0 0") == (
        '<line x1="1.3" y1="2" stroke-width="1" viewBox="0 0"/>'
    )


def test_control_characters_are_made_visible():
    assert clean("a\x00b\x1bc\ud800d\ne") == "a\ufffdb\ufffdc\ufffdd\ufffde"
    assert clean("na\u00efve \u0645\u0631\u062d\u0628\u0627 \U0001f469\u200d\U0001f527") == (
        "na\u00efve \u0645\u0631\u062d\u0628\u0627 \U0001f469\u200d\U0001f527"
    )


def test_text_is_anchored_in_its_middle_by_default():
    assert text(1, 2, "<") == '<text x="1" y="2" text-anchor="middle">&lt;</text>'


def test_words_are_cut_where_they_would_not_fit():
    assert shorten("September", 100, 13) == "September"
    assert shorten("September 2026", 58, 13) == "Septem\u2026"


def test_markup_knows_that_it_is_safe():
    assert Svg("<svg/>").__html__() == "<svg/>"
