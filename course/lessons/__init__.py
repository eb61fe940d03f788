"""What all lessons share: `open_lesson(name)`, and `keep_my_work()`."""

from course.lessons.keep import keep_my_work
from course.lessons.lesson import Lesson, open_lesson

__all__ = ["Lesson", "keep_my_work", "open_lesson"]
