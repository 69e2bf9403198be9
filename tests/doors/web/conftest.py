"""The operators' pages, for the tests of this folder."""

from collections.abc import Iterator

import pytest

from tests.support.office import Office
from tests.support.operator_pages import OperatorPages, opened


@pytest.fixture
def pages(office: Office) -> Iterator[OperatorPages]:
    with opened(office) as found:
        yield found
