"""Where submissions are replayed: an engine of the graders' own, clean each time, within limits, without internet."""

from graders.sandbox.engine import ReplayEngine, replay_engine

__all__ = ["ReplayEngine", "replay_engine"]
