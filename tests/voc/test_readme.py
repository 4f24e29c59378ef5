"""What the README promises to keep is what the settings say."""

import re
from pathlib import Path

import pytest
from django.conf import settings

README = (Path(__file__).resolve().parents[2] / "README.md").read_text()
ROW = re.compile(r"^\| [^|]+ \| (\d+) (days|months)[^|]* \| `(KEEP_\w+)` \|$", re.MULTILINE)
KEEP = sorted(name for name in dir(settings) if name.startswith("KEEP_"))


def test_the_table_names_every_setting_once():
    assert sorted(name for _, _, name in ROW.findall(README)) == KEEP


@pytest.mark.parametrize("name", KEEP)
def test_how_long_is_what_the_settings_say(name):
    [(number, unit)] = [(int(n), unit) for n, unit, named in ROW.findall(README) if named == name]
    assert (number, unit.upper()) == (getattr(settings, name), name.rpartition("_")[2])
