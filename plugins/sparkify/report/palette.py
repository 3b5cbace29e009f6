"""The report's colours, on a light and on a dark background."""

from __future__ import annotations

# name -> (on light, on dark). A chart is drawn in the light ones, which the page's style turns into the dark ones: no
# two may be the same in light.
COLOURS: dict[str, tuple[str, str]] = {
    "ground": ("#f6f7f9", "#10161d"),
    "card": ("#ffffff", "#18212b"),
    "ink": ("#17212b", "#e8edf2"),
    "muted": ("#566473", "#a3b0bd"),
    "line": ("#dde3e9", "#2d3945"),
    "bar": ("#1f66b8", "#74b0f7"),
    "soft": ("#a8c6e8", "#34577f"),
    "other": ("#d0662a", "#f29e63"),
    "rest": ("#ccd4dc", "#44515e"),
    "alarm": ("#b3261e", "#ff9b92"),
}


def light(name: str) -> str:
    """The colour on light ground."""
    return COLOURS[name][0]
