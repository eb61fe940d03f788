"""The one exception that the course raises for trouble that a person can act on.

Enters: what failed and what to try next. Leaves: `CourseError`. Imports no other room.
"""


class CourseError(Exception):
    """Something failed outside the learner's own files: `message` says what, `fix` what to try next."""

    def __init__(self, message: str, *, fix: str) -> None:
        super().__init__(f"{message}\nTry: {fix}")
        self.message = message
        self.fix = fix
