"""Fixtures of several rooms."""

import signal

import pytest

# Under nohup or behind a shell's `&` signals are ignored, and so they are by whatever a test starts and wants to stop.
signal.signal(signal.SIGHUP, signal.SIG_DFL)
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def make():
    """`make.images`, `make.truth`, `make.graph`, `make.slow`: tests/helpers/made_images.py."""
    from made_images import Make

    return Make
