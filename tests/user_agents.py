"""Browsers' descriptions of themselves, with the browser and the platform that each is."""

from __future__ import annotations

_WEBKIT = "AppleWebKit/537.36 (KHTML, like Gecko)"
_IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)"

USER_AGENTS: dict[str | None, tuple[str, str]] = {
    # As the published month has them.
    f'"Mozilla/5.0 (Windows NT 6.1; WOW64) {_WEBKIT} Chrome/36.0.1985.125 Safari/537.36"': ("Chrome", "Windows"),
    f'"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_9_4) {_WEBKIT} Chrome/36.0.1985.143 Safari/537.36"': (
        "Chrome", "macOS"),
    f"Mozilla/5.0 (X11; Linux x86_64) {_WEBKIT} Chrome/37.0.2062.94 Safari/537.36": ("Chrome", "Linux"),
    f"Mozilla/5.0 (X11; Linux x86_64) {_WEBKIT} Ubuntu Chromium/36.0.1985.125 Chrome/36.0.1985.125 Safari/537.36": (
        "Chromium", "Linux"),
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_10) AppleWebKit/538.46 (KHTML, like Gecko) Version/8.0 Safari/538.46": (
        "Safari", "macOS"),
    "Mozilla/5.0 (iPhone; CPU iPhone OS 7_1_2 like Mac OS X) AppleWebKit/537.51.2 (KHTML, like Gecko) Version/7.0 "
    "Mobile/11D257 Safari/9537.53": ("Safari", "iPhone"),
    "Mozilla/5.0 (iPad; CPU OS 7_1_2 like Mac OS X) AppleWebKit/537.51.2 (KHTML, like Gecko) Version/7.0 "
    "Mobile/11D257 Safari/9537.53": ("Safari", "iPad"),
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10.9; rv:31.0) Gecko/20100101 Firefox/31.0": ("Firefox", "macOS"),
    "Mozilla/5.0 (Windows NT 5.1; rv:31.0) Gecko/20100101 Firefox/31.0": ("Firefox", "Windows"),
    "Mozilla/5.0 (X11; Linux x86_64; rv:31.0) Gecko/20100101 Firefox/31.0": ("Firefox", "Linux"),
    "Mozilla/5.0 (Windows NT 6.1; WOW64; Trident/7.0; rv:11.0) like Gecko": ("Internet Explorer", "Windows"),
    "Mozilla/5.0 (compatible; MSIE 9.0; Windows NT 6.1; Trident/5.0)": ("Internet Explorer", "Windows"),
    # As others send them.
    "Mozilla/4.0 (compatible; MSIE 7.0; Windows NT 6.0)": ("Internet Explorer", "Windows"),
    "Mozilla/5.0 (Mobile; Windows Phone 8.1; Android 4.0; ARM; Trident/7.0; Touch; rv:11.0; IEMobile/11.0; NOKIA; "
    "Lumia 520) like iPhone OS 7_0_3 Mac OS X AppleWebKit/537 (KHTML, like Gecko) Mobile Safari/537": (
        "Internet Explorer", "Windows Phone"),
    f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {_WEBKIT} Chrome/64.0.3282.140 Safari/537.36 Edge/18.17763": (
        "Edge", "Windows"),
    f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {_WEBKIT} Chrome/122.0.0.0 Safari/537.36 Edg/122.0.2365.80": (
        "Edge", "Windows"),
    f"Mozilla/5.0 (Linux; Android 10; HD1913) {_WEBKIT} Chrome/122.0.0.0 Mobile Safari/537.36 EdgA/122.0.2365.56": (
        "Edge", "Android"),
    f"{_IPHONE} Version/17.0 EdgiOS/122.2365.56 Mobile/15E148 Safari/605.1.15": ("Edge", "iPhone"),
    f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {_WEBKIT} Chrome/122.0.0.0 Safari/537.36 OPR/108.0.0.0": (
        "Opera", "Windows"),
    "Opera/9.80 (Windows NT 6.1; WOW64) Presto/2.12.388 Version/12.17": ("Opera", "Windows"),
    f"Mozilla/5.0 (Linux; Android 14; SM-S911B) {_WEBKIT} SamsungBrowser/24.0 Chrome/117.0.0.0 Mobile Safari/537.36": (
        "Samsung Internet", "Android"),
    f"Mozilla/5.0 (Linux; Android 14; Pixel 8) {_WEBKIT} Chrome/122.0.0.0 Mobile Safari/537.36": ("Chrome", "Android"),
    "Mozilla/5.0 (Linux; U; Android 4.0.3; en-us; GT-I9100) AppleWebKit/534.30 (KHTML, like Gecko) Version/4.0 Mobile "
    "Safari/534.30": ("Android Browser", "Android"),
    "Mozilla/5.0 (Android 14; Mobile; rv:123.0) Gecko/123.0 Firefox/123.0": ("Firefox", "Android"),
    f"{_IPHONE} CriOS/122.0.6261.89 Mobile/15E148 Safari/604.1": ("Chrome", "iPhone"),
    f"{_IPHONE} FxiOS/123.0 Mobile/15E148 Safari/605.1.15": ("Firefox", "iPhone"),
    "Mozilla/5.0 (iPod touch; CPU iPhone OS 7_1_1 like Mac OS X) AppleWebKit/537.51.2 (KHTML, like Gecko) Version/7.0 "
    "Mobile/11D201 Safari/9537.53": ("Safari", "iPod"),
    f"Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) {_WEBKIT} Chrome/122.0.0.0 Safari/537.36": ("Chrome", "ChromeOS"),
    "curl/8.5.0": ("other", "other"),
    "": ("other", "other"),
    None: ("unknown", "unknown"),
}  # fmt: skip
