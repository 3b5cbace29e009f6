"""Which browser and platform a user agent speaks of: it is taken apart, and the telling names are looked up.

A user agent is product names, each with a version, and a remark in parentheses on the system. For compatibility's sake
most browsers also name others, so that the telling name is the one that the others do not name.
"""

from __future__ import annotations

import re

_PRODUCT = re.compile(r"([A-Za-z]+)[/ ][\d.]+")

# A product's name, and the browser that names it; the earlier, the fewer others name it too.
_BROWSERS = {
    **dict.fromkeys(("Edge", "Edg", "EdgA", "EdgiOS"), "Edge"),
    **dict.fromkeys(("OPR", "Opera"), "Opera"),
    "SamsungBrowser": "Samsung Internet",
    **dict.fromkeys(("Trident", "MSIE"), "Internet Explorer"),
    **dict.fromkeys(("Firefox", "FxiOS"), "Firefox"),
    "Chromium": "Chromium",
    **dict.fromkeys(("CriOS", "Chrome"), "Chrome"),
    "Safari": "Safari",
}
# A word of the remark on the system, and the platform that has it; the earlier, the fewer others have it too.
_PLATFORMS = {
    "Windows Phone": "Windows Phone",
    "iPad": "iPad",
    "iPod": "iPod",
    "iPhone": "iPhone",
    "Android": "Android",
    "Windows": "Windows",
    "Macintosh": "macOS",
    "CrOS": "ChromeOS",
    "Linux": "Linux",
}


def browser(user_agent: str | None) -> str:
    """The browser's name, ``other`` for one that is not known, ``unknown`` if nothing was sent."""
    if user_agent is None:
        return "unknown"
    products = set(_PRODUCT.findall(user_agent))
    found = next((name for product, name in _BROWSERS.items() if product in products), "other")
    # Android's own browser calls itself Safari, which never was on Android.
    return "Android Browser" if found == "Safari" and platform(user_agent) == "Android" else found


def platform(user_agent: str | None) -> str:
    """The system's name, ``other`` for one that is not known, ``unknown`` if nothing was sent."""
    if user_agent is None:
        return "unknown"
    remark = user_agent.partition("(")[2].partition(")")[0]
    return next((name for word, name in _PLATFORMS.items() if re.search(rf"\b{word}\b", remark)), "other")
