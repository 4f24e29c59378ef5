from collections import Counter

from surveys.demo.company import ACCOUNTS, CUSTOMERS, STAFF, customers
from surveys.models import Role


def test_there_are_300_customers_of_40_accounts_and_few_cannot_be_mailed():
    people = customers()
    assert len(people) == CUSTOMERS == 300
    assert {one.account for one in people} == {account.key for account in ACCOUNTS}
    assert len(ACCOUNTS) == 40
    assert sum(not one.email for one in people) == 6
    addresses = [one.email for one in people if one.email]
    assert len(set(addresses)) == len(addresses)
    assert all(address.endswith(".example") and address.isascii() for address in addresses)


def test_the_same_seed_gives_the_same_people():
    assert customers() == customers()
    assert customers(1) != customers(2)


def test_every_role_has_a_colleague():
    roles = Counter(one.role for one in STAFF)
    assert set(roles) == set(Role.values)
    assert roles[Role.ACCOUNT_MANAGER] == 3
    assert {one.team for one in STAFF} == {"", "North", "South"}


def test_accounts_belong_to_colleagues_but_for_two():
    owners = [account.owner for account in ACCOUNTS]
    assert set(owners) - {""} <= {one.email for one in STAFF}
    assert owners.count("") == 2
