"""Fixtures of several rooms."""

import pytest


@pytest.fixture(scope="session")
def make():
    """`make.images`, `make.truth`, `make.graph`, `make.slow`: tests/helpers/made_images.py."""
    from made_images import Make

    return Make
