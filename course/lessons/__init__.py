"""What all lessons share: `open_lesson(name)`, `Hunt`, `lighten`, `mark` and `keep_my_work()`."""

from course.lessons.compose import mark
from course.lessons.hunt import Hunt
from course.lessons.keep import keep_my_work
from course.lessons.lesson import Lesson, open_lesson
from course.lessons.lighter import lighten

__all__ = ["Hunt", "Lesson", "keep_my_work", "lighten", "mark", "open_lesson"]
