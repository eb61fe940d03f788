"""The ordinary user whom the tests of the VM engine share: the guest is built once."""

from collections.abc import Iterator

import pytest
import vm_user
from ordinary import Ordinary


@pytest.fixture(scope="session")
def user() -> Iterator[Ordinary]:
    """A user with an engine of their own to start."""
    with vm_user.ordinary_user() as user:
        yield user
