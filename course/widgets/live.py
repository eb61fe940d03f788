"""A picture in JupyterLab: drawn by the same functions as the static one, and brought to life by `picture.js`.

Enters: a `Drawing`. Leaves: a widget, and beside it the static picture, which GitHub, nbviewer, exports and feedback
show and which the widget hides while it is there. May import its neighbours.
"""

import threading
import time
from pathlib import Path
from typing import Any, Final

import anywidget
import traitlets
from IPython.display import DisplayHandle

from course.widgets.drawing import Drawing
from course.widgets.style import live_style

_PAUSE_S: Final = 0.08
"""Between two drawings while something runs; the last one is always made."""
_QUIET_S: Final = 0.5


def script(name: str) -> str:
    """The script of a widget, after what all of them share."""
    return "".join((Path(__file__).parent / f"{part}.js").read_text(encoding="utf-8") for part in ("common", name))


class LivePicture(anywidget.AnyWidget):
    """A drawing that can be replaced by the next; what is picked in it shows what Python has prepared for it."""

    _esm = script("picture")
    _css = live_style()

    svg = traitlets.Unicode().tag(sync=True)
    slim = traitlets.Unicode().tag(sync=True)
    """The same for a narrow page; the browser knows which one it needs, also while the kernel is busy."""
    words = traitlets.Unicode().tag(sync=True)
    panels = traitlets.Dict().tag(sync=True)
    """Per key of the picture its details: `[{"heading", "text", "code": bool}]`."""
    picked = traitlets.Unicode().tag(sync=True)

    def __init__(self, drawing: Drawing, **traits: Any) -> None:
        self.drawing = drawing
        self._shown: list[DisplayHandle] = []
        self._saver: threading.Timer | None = None
        self._drawn_at = 0.0
        super().__init__(**_state(drawing), **traits)

    def draw(self, drawing: Drawing, *, soon: bool = False) -> None:
        """Show another drawing in the place of this; `soon` may leave it out when the last has only just been made."""
        if soon and time.monotonic() - self._drawn_at < _PAUSE_S:
            return
        self._drawn_at = time.monotonic()
        self.drawing = drawing
        with self.hold_sync():
            for name, value in _state(drawing).items():
                setattr(self, name, value)
        if not soon:
            self._save()

    def keep(self, drawing: Drawing) -> None:
        """Take a drawing for the static picture alone, once no other has come for a moment."""
        self.drawing = drawing
        if self._saver is not None:
            self._saver.cancel()
        self._saver = threading.Timer(_QUIET_S, self._save)
        self._saver.daemon = True
        self._saver.start()

    def _save(self) -> None:
        for handle in self._shown:
            handle.update(self.drawing)

    def __repr__(self) -> str:
        return self.drawing.text

    def _repr_svg_(self) -> str:
        return self.drawing.svg

    def _ipython_display_(self, **options: Any) -> None:
        from IPython.display import display

        handle = display(self.drawing, display_id=True)
        if handle is not None:
            self._shown.append(handle)
        bundle = self._repr_mimebundle_(**options)
        data, metadata = bundle if isinstance(bundle, tuple) else (bundle, {})
        live = {kind: value for kind, value in (data or {}).items() if kind.startswith("application/")}
        display(live, raw=True, metadata=metadata or {})


def _state(drawing: Drawing) -> dict[str, Any]:
    panels = {
        key: [{"heading": part.heading, "text": part.text, "code": part.code} for part in parts]
        for key, parts in drawing.panels.items()
    }
    return {"svg": drawing.svg, "slim": drawing.slim, "words": drawing.text, "panels": panels}
