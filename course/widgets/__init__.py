"""The pictures: Python decides what they show, and each is also a static picture and a text."""

from course.widgets.drawing import Drawing
from course.widgets.show import LayerStack, show, watch

__all__ = ["Drawing", "LayerStack", "show", "watch"]
