"""Colours and type of all pictures, once for the static ones and once for those that live in JupyterLab.

Enters: nothing. Leaves: style sheets as text. Pure; imports no other room.

Shapes have classes, classes have variables, and only the variables differ between light and dark: a static picture asks
what the reader's screen prefers, a live one takes JupyterLab's own variables and follows its theme.
"""

from typing import Final

LIGHT: Final = {
    "paper": "#ffffff",
    "ink": "#1f2328",
    "faint": "#59636e",
    "line": "#d0d7de",
    "quiet": "#f6f8fa",
    "good": "#dafbe1",
    "good-line": "#2da44e",
    "work": "#fff1e5",
    "work-line": "#e16f24",
    "work-ink": "#a04100",
    "bad": "#ffebe9",
    "bad-line": "#cf222e",
    "ask": "#ddf4ff",
    "ask-line": "#218bff",
}
DARK: Final = {
    "paper": "#0d1117",
    "ink": "#f0f6fc",
    "faint": "#9198a1",
    "line": "#3d444d",
    "quiet": "#151b23",
    "good": "#12261e",
    "good-line": "#2ea043",
    "work": "#2b1a0d",
    "work-line": "#db6d28",
    "work-ink": "#f0883e",
    "bad": "#2d1214",
    "bad-line": "#f85149",
    "ask": "#0d2238",
    "ask-line": "#388bfd",
}
_JUPYTER: Final = {
    "paper": "--jp-layout-color0",
    "ink": "--jp-content-font-color1",
    "line": "--jp-border-color1",
}
"""Where JupyterLab has a variable that means the same."""
_SHAPES: Final = """
.lbl text{font:13px ui-sans-serif,system-ui,sans-serif;fill:var(--lbl-ink)}
.lbl .code{font-family:ui-monospace,Menlo,Consolas,monospace;font-size:12px}
.lbl .title{font-size:15px;font-weight:600} .lbl .small{font-size:11px} .lbl .strong{font-weight:600}
.lbl .faint{fill:var(--lbl-faint)} .lbl .broke{fill:var(--lbl-work-ink)}
.lbl .paper{fill:var(--lbl-paper);stroke:var(--lbl-line)}
.lbl .quiet{fill:var(--lbl-quiet);stroke:var(--lbl-line)}
.lbl .good{fill:var(--lbl-good);stroke:var(--lbl-good-line)}
.lbl .work{fill:var(--lbl-work);stroke:var(--lbl-work-line)}
.lbl .bad{fill:var(--lbl-bad);stroke:var(--lbl-bad-line)}
.lbl .ask{fill:var(--lbl-ask);stroke:var(--lbl-ask-line)}
.lbl :is(.good,.work,.bad,.ask){stroke-opacity:.6}
.lbl .bar{fill:var(--lbl-work-line)} .lbl .badbar{fill:var(--lbl-bad-line)} .lbl .goodbar{fill:var(--lbl-good-line)}
.lbl .askbar{fill:var(--lbl-ask-line)} .lbl .quietbar{fill:var(--lbl-faint)}
.lbl .rule{stroke:var(--lbl-line);fill:none} .lbl .breakline{stroke:var(--lbl-work-line);stroke-dasharray:5 4}
.lbl .fallen{stroke:var(--lbl-work-line);stroke-width:2.5}
.lbl .halo{paint-order:stroke;stroke:var(--lbl-paper);stroke-width:4px;stroke-linejoin:round}
.lbl .thread{fill:none;stroke:var(--lbl-ask-line)} .lbl .faintthread{fill:none;stroke:var(--lbl-faint)}
"""
_LIVE: Final = """
.lbl{color:var(--lbl-ink);font:13px/1.5 ui-sans-serif,system-ui,sans-serif;max-width:860px}
.lbl .picture{overflow-x:auto} .lbl .picture>svg{display:block;width:100%;height:auto;min-width:400px}
.lbl .picture.more{mask-image:linear-gradient(to left,transparent,#000 48px)}
.lbl .picture:focus-visible{outline:2px solid var(--lbl-ask-line)}
.lbl [data-key]{cursor:pointer} .lbl [data-key]:focus{outline:none}
.lbl [data-key]:focus-visible>rect:first-of-type,.lbl [data-key].picked>rect:first-of-type{stroke-width:2.5;
stroke-opacity:1}
.lbl [data-of]{visibility:hidden} .lbl [data-of].hot{visibility:visible}
.lbl .panel{border:1px solid var(--lbl-line);border-radius:8px;padding:10px 14px;margin-top:6px;
background:var(--lbl-paper)}
.lbl .panel h4{margin:0 0 2px;font-size:13px} .lbl .panel p{margin:0 0 8px}
.lbl .panel pre{margin:0 0 8px;padding:8px;max-height:260px;overflow:auto;white-space:pre-wrap;
background:var(--lbl-quiet);color:var(--lbl-ink);font:12px/1.45 ui-monospace,Menlo,Consolas,monospace}
.lbl .error{color:var(--lbl-ink);border-left:4px solid var(--lbl-bad-line);padding:4px 10px}
.lbl .words{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:pre}
.lbl [hidden]{display:none}
.lbl .lines{list-style:none;margin:0 0 8px;padding:0}
.lbl .lines li{display:grid;grid-template-columns:18px minmax(200px,1fr) 92px 60px;gap:0 8px;align-items:baseline;
padding:3px 10px;margin:2px 0;border:1px solid;border-radius:4px;cursor:grab}
.lbl .lines code{font:12px/1.5 ui-monospace,Menlo,Consolas,monospace;color:inherit;background:none;
overflow-wrap:anywhere}
.lbl .lines .handle{color:var(--lbl-faint)} .lbl .lines .seconds{text-align:right}
.lbl .lines .reason{grid-column:2/-1;font-size:12px;color:var(--lbl-faint)}
.lbl li.good{background:var(--lbl-good);border-color:var(--lbl-good-line)}
.lbl li.work{background:var(--lbl-work);border-color:var(--lbl-work-line)}
.lbl li.ask{background:var(--lbl-ask);border-color:var(--lbl-ask-line)}
.lbl li.quiet{background:var(--lbl-quiet);border-color:var(--lbl-line)}
.lbl .knobs{display:flex;flex-wrap:wrap;gap:4px 18px;margin:6px 0 10px} .lbl .faintwords{color:var(--lbl-faint)}
.lbl .lines .broke{color:var(--lbl-work-ink);font-weight:600}
.lbl.whatif h4{margin:4px 0;font-size:15px} .lbl.whatif p{margin:0 0 6px} .lbl .result{margin-top:10px}
.lbl button{font:inherit;color:var(--lbl-ink);background:var(--lbl-quiet);border:1px solid var(--lbl-line);
border-radius:6px;padding:3px 12px;cursor:pointer}
.lbl button:focus-visible,.lbl input:focus-visible,.lbl li:focus-visible,.lbl pre:focus-visible{
outline:2px solid var(--lbl-ask-line);outline-offset:1px}
"""


def static_style() -> str:
    """For a picture that stands alone."""
    return f".lbl{{{_variables(LIGHT)}}}@media (prefers-color-scheme:dark){{.lbl{{{_variables(DARK)}}}}}{_SHAPES}"


def live_style() -> str:
    """For pictures in JupyterLab, in its light and its dark theme."""
    light = {name: f"var({_JUPYTER[name]},{value})" if name in _JUPYTER else value for name, value in LIGHT.items()}
    dark = {name: f"var({_JUPYTER[name]},{value})" if name in _JUPYTER else value for name, value in DARK.items()}
    return (
        f'.lbl{{{_variables(light)}}}[data-jp-theme-light="false"] .lbl{{{_variables(dark)}}}{_SHAPES.strip()}{_LIVE}'
    )


def _variables(colours: dict[str, str]) -> str:
    return ";".join(f"--lbl-{name}:{value}" for name, value in colours.items())
