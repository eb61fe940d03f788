"""Builds on a real engine, traced step by step: `build(client, folder) -> BuildTrace`."""

from course.builds.client import build, stream_build
from course.builds.model import BuildError, BuildTrace, Status, StepTrace
from course.builds.read import read_dockerfile

__all__ = ["BuildError", "BuildTrace", "Status", "StepTrace", "build", "read_dockerfile", "stream_build"]
