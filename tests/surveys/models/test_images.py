import pytest

from surveys.models import images
from surveys.models.images import JPEG, PNG, WEBP, Image
from tests.surveys.models.pictures import (
    chunk,
    extended_webp,
    jpeg,
    lossless_webp,
    lossy_webp,
    png,
)


@pytest.mark.parametrize(
    ("data", "content_type"),
    [
        (png(600, 200), PNG),
        (jpeg(600, 200), JPEG),
        (lossy_webp(600, 200), WEBP),
        (lossless_webp(600, 200), WEBP),
        (extended_webp(600, 200), WEBP),
    ],
)
def test_kind_and_size_are_read_from_the_bytes(data, content_type):
    assert images.read(data) == Image(content_type, 600, 200)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"GIF89a" + b"\0" * 40,
        b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>',
        b"\xef\xbb\xbf<?xml version='1.0'?><svg/>",
        b"RIFF\x00\x00\x00\x00WAVE",
    ],
)
def test_other_files_are_refused(data):
    with pytest.raises(images.NotAnImage, match="no PNG, JPEG or WebP"):
        images.read(data)


@pytest.mark.parametrize(
    "whole", [png(), jpeg(9, 9), lossy_webp(9, 9), lossless_webp(9, 9), extended_webp(9, 9)]
)
def test_a_file_that_is_cut_off_is_refused_wherever_the_cut_is(whole):
    for length in range(len(whole)):
        with pytest.raises(images.NotAnImage):
            images.read(whole[:length])


@pytest.mark.parametrize(
    "data", [png(more=chunk(b"acTL", b"\0" * 8)), extended_webp(9, 9, flags=0b10)]
)
def test_a_picture_that_moves_is_refused(data):
    with pytest.raises(images.NotAnImage, match="a logo stands still"):
        images.read(data)


def test_a_damaged_jpeg_is_refused():
    with pytest.raises(images.NotAnImage, match="damaged"):
        images.read(b"\xff\xd8\xff\xfe\x00\x04\x00\x00\x00\x00\xff\xd9")
