"""What tests of a private engine, which the course starts for root, need of a machine."""

import os
import shutil
import sys
from typing import Final

import pytest

_POSSIBLE: Final = (
    sys.platform == "linux" and os.geteuid() == 0 and shutil.which("dockerd", path="/usr/sbin:/usr/bin") is not None
)
NEEDED: Final = pytest.mark.skipif(
    not _POSSIBLE and not os.environ.get("LAYER_BY_LAYER_REQUIRE_ENGINE"),
    reason="a private engine needs Linux, root and dockerd",
)
"""Skips the tests where they cannot be run, unless they have to be, as in CI: there they fail."""
