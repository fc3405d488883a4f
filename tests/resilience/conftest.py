import pytest
from mail_house import mail_house
from nursery import Nursery


@pytest.fixture(scope="module")
def mail_nursery():
    """Provide what processes of messaging-svc are forked from."""
    opened = Nursery("messaging")
    yield opened
    opened.close()


@pytest.fixture
def open_mail_house(rig_for, mail_nursery, tmp_path):
    """Provide what opens a mail house: `async with open_mail_house(rabbit=…, SETTING=…) as house`."""

    def open_one(**options):
        return mail_house(rig_for, mail_nursery, tmp_path, **options)

    return open_one
