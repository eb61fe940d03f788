"""The judges: `check("order")` says what the files of an assignment do."""

from graders.check import check

__all__ = ["check"]
