"""An extension of JupyterLab's server: what a kernel says goes to the page at once.

Enters: the server's application. Leaves: a server whose connections to kernels do not hold small messages back. Imports
no other room.

A kernel answers a widget with two small messages, "busy" and then the answer. Left to itself, TCP sends the second one
only when the page has acknowledged the first, and a page takes up to 40 ms to do that: longer than the answer itself.
"""

from typing import Any


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    return [{"module": __name__}]


def _load_jupyter_server_extension(app: Any) -> None:
    configured: Any = app.web_app.settings["kernel_websocket_connection_class"]

    class Prompt(configured):  # type: ignore[misc]
        """The connection of one page to one kernel."""

        def connect(self) -> Any:
            self.websocket_handler.set_nodelay(True)
            return super().connect()

    app.web_app.settings["kernel_websocket_connection_class"] = Prompt
