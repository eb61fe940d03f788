"""The pictures: Python decides what they show, and each is also a static picture and a text."""

from course.widgets.show import Picture, show

__all__ = ["Picture", "show"]
