"""What all lessons share: `open_lesson(name)`, `Hunt`, and `keep_my_work()`."""

from course.lessons.hunt import Hunt
from course.lessons.keep import keep_my_work
from course.lessons.lesson import Lesson, open_lesson

__all__ = ["Hunt", "Lesson", "keep_my_work", "open_lesson"]
