"""Random builds, predicted and then done: no disagreement. `--long` does thousands."""

import time

import pytest
from cache_differential import run
from docker import DockerClient

pytestmark = [pytest.mark.engine, pytest.mark.usefixtures("busybox")]

SMALL, LONG = 100, 5000


def test_predictions_agree_with_the_engine_on_random_builds(
    client: DockerClient, long: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    seed = int(time.time()) if long else 1
    salt = f"{time.time_ns():x}"  # the engine may keep what an earlier run of the seed has built
    counts = run(client, builds=LONG if long else SMALL, seed=seed, salt=salt)
    with capsys.disabled():
        print(f"\nseed {seed} salt {salt}: {counts}")
    assert not counts.disagreements, "\n".join(counts.disagreements)
    assert counts.share_open <= 0.05
