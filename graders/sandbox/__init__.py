"""Where submissions are replayed: an engine of the graders' own, clean each time, within limits, without internet."""

from graders.sandbox.engine import PROJECT, Ran, ReplayEngine, replay_engine
from graders.sandbox.isolated import isolated_engine

__all__ = ["PROJECT", "Ran", "ReplayEngine", "isolated_engine", "replay_engine"]
