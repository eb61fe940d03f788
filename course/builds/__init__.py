"""Builds on a real engine, traced step by step: `build(client, folder) -> BuildTrace`."""

from course.builds.client import build, read_dockerfile, stream_build
from course.builds.model import BuildError, BuildTrace, Status, StepTrace

__all__ = ["BuildError", "BuildTrace", "Status", "StepTrace", "build", "read_dockerfile", "stream_build"]
