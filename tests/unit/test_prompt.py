"""The server's extension: connections to kernels hold nothing back."""

from types import SimpleNamespace

from course.prompt import _jupyter_server_extension_points, _load_jupyter_server_extension


def test_a_connection_to_a_kernel_sends_small_messages_at_once_and_is_otherwise_as_configured() -> None:
    asked = []

    class Configured:
        def __init__(self, websocket_handler: object) -> None:
            self.websocket_handler = websocket_handler

        def connect(self) -> str:
            return "connected"

    app = SimpleNamespace(web_app=SimpleNamespace(settings={"kernel_websocket_connection_class": Configured}))
    _load_jupyter_server_extension(app)
    connection = app.web_app.settings["kernel_websocket_connection_class"](SimpleNamespace(set_nodelay=asked.append))
    assert connection.connect() == "connected"
    assert asked == [True]
    assert _jupyter_server_extension_points() == [{"module": "course.prompt"}]
