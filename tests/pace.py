"""How fast this machine is now: it may be slow, or others keep it busy."""

import time
from collections.abc import Callable

_CALM_S = 0.025


def processor_time(work: Callable[[], object]) -> float:
    """The processor's time that it takes, in seconds."""
    began = time.process_time()
    work()
    return time.process_time() - began


def slowness() -> float:
    """How many times as long as on a calm machine a fixed piece of work takes; no less than 1."""
    return max(1.0, min(processor_time(_join_texts) for _ in range(5)) / _CALM_S)


def _join_texts() -> str:
    return "".join([f'<rect x="{n}"/>' for n in range(200_000)])
