import pytest

from surveys.delivery import verp
from surveys.models import Message


@pytest.fixture(autouse=True)
def _bounce_address(settings):
    settings.BOUNCE_ADDRESS = "bounces@northwind.example"


def test_each_mail_has_a_return_path_of_its_own_that_names_it():
    paths = [verp.address(Message(pk=pk)) for pk in (17, 18)]
    assert len(set(paths)) == 2
    assert paths[0].startswith("bounces+17-")
    assert [verp.read(path) for path in paths] == [17, 18]


def test_the_local_part_fits_rfc_5321_for_any_row():
    local, _, domain = verp.address(Message(pk=2**63 - 1)).rpartition("@")
    assert (len(local) <= 64, domain) == (True, "northwind.example")


def test_a_server_that_changes_the_case_or_a_new_domain_do_no_harm():
    path = verp.address(Message(pk=17))
    assert verp.read(f" {path.upper()} ") == 17
    assert verp.read(path.replace("northwind", "southwind")) == 17


@pytest.mark.parametrize(
    "forge",
    [
        lambda path: path.replace("+17-", "+18-"),
        lambda path: path.replace("@", "x@"),
        lambda path: path.replace("bounces+17-", "bounces+17-a")[:-1],
        lambda path: "bounces+17-aaaaaaaaaaaa@northwind.example",
        lambda path: "bounces@northwind.example",
        lambda path: "bounces+" + "9" * 5_000 + "-aaaaaaaaaaaa@northwind.example",
        lambda path: "",
        lambda path: f"{path}\n",
    ],
)
def test_a_forged_return_path_names_nothing(forge):
    path = verp.address(Message(pk=17))
    forged = forge(path)
    assert verp.read(forged) == (17 if forged.strip() == path else None)


def test_another_key_makes_other_paths(settings):
    path = verp.address(Message(pk=17))
    settings.LINK_KEY = "another"
    assert verp.read(path) is None


def test_without_a_bounce_address_bounces_come_to_the_contact_address(settings):
    settings.BOUNCE_ADDRESS = ""
    assert verp.address(Message(pk=17)) == "surveys@northwind.example"
