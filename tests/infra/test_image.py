"""The image: every line of the Dockerfile run in a bare Debian, and what it makes started as its user.

Takes minutes, root, debootstrap and the network: by `make prove-image`, not in `make test-faults`.
"""

from __future__ import annotations

import pytest

from infra.docker.prove import main

pytestmark = [pytest.mark.long, pytest.mark.timeout(3600)]


def test_the_dockerfile_builds_and_what_it_makes_works() -> None:
    assert main([]) == 0
