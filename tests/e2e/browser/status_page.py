"""The status page as a browser shows it: it loads, its numbers move under load, it asks nobody but
its own chatd, the console stays empty, it fits a phone, and it says so when chatd is gone.

Exit code 77: skipped, as there is no browser. --screenshots DIR also keeps what it looked like.
"""

import argparse
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time

SKIPPED = 77
PATIENCE_S = 120

try:
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service
except ImportError:
    print("skipped: Debian's package python3-selenium is not installed")
    sys.exit(SKIPPED)


def wait_for(what, condition, patience_s=PATIENCE_S):
    """What `condition` returns, once that is true."""
    deadline = time.monotonic() + patience_s
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            sys.exit(f"FAILED: {what}: not within {patience_s} s")
        time.sleep(0.05)


def check(holds, what):
    if not holds:
        sys.exit(f"FAILED: {what}")


class Chatd:
    """The real one, on ports that the kernel picks."""

    def __init__(self, folder, *flags):
        self.process = subprocess.Popen(
            [os.path.join(folder, "chatd"), "--tcp-port", "0", "--udp-port", "0", "--tls-port", "0", "--rate-limits", "off",
             "--admin", "127.0.0.1:0", *flags],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.page = None
        for line in self.process.stderr:
            found = re.search(r"admin endpoint: (http://\S+)", line)
            if found:
                self.page = found.group(1)
                break
        check(self.page, "chatd names its admin endpoint")
        ready = re.search(r"tcp=\S+:(\d+) udp=\S+:(\d+) tls=(\S+)",
                          self.process.stdout.readline())
        self.tcp, self.udp, self.tls = ready.groups()

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        self.process.communicate(timeout=PATIENCE_S)


def open_browser(driver):
    options = webdriver.ChromeOptions()
    # Root may not use chromium's sandbox, and /dev/shm is small in containers.
    for flag in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu",
                 "--hide-scrollbars", "--no-proxy-server", "--window-size=1280,900"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    options.binary_location = shutil.which("chromium")
    return webdriver.Chrome(service=Service(driver), options=options)


class Page:
    def __init__(self, browser, screenshots):
        self.browser = browser
        self.screenshots = screenshots

    def text(self, element):
        return self.browser.execute_script(
            "return document.getElementById(arguments[0]).textContent", element)

    def number(self, element):
        """A rate as the page writes it: 1.2 k is 1200."""
        parts = self.text(element).split()
        if not parts or parts[0] == "–":
            return 0.0
        return float(parts[0]) * {"k": 1e3, "M": 1e6, "G": 1e9}.get(parts[-1], 1)

    def resize(self, width, height, phone=False):
        self.browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {
            "width": width, "height": height, "deviceScaleFactor": 2 if phone else 1,
            "mobile": phone})

    def color_scheme(self, scheme):
        self.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {
            "features": [{"name": "prefers-color-scheme", "value": scheme}]})

    def keep(self, name):
        if self.screenshots:
            height = self.browser.execute_script("return document.documentElement.scrollHeight")
            width = self.browser.execute_script("return innerWidth")
            self.resize(width, height, width < 500)
            self.browser.save_screenshot(os.path.join(self.screenshots, name + ".png"))

    def contrast(self, element):
        """Of an element's text with what is behind it (WCAG 2: 4.5 is enough)."""
        return self.browser.execute_script("""
            const rgb = text => text.match(/[\\d.]+/g).map(Number);
            const light = c => { const [r, g, b] = c.map(v => v / 255)
              .map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
              return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
            let element = document.querySelector(arguments[0]);
            const front = rgb(getComputedStyle(element).color).slice(0, 3);
            let back = rgb(getComputedStyle(element).backgroundColor);
            while (back.length === 4 && back[3] === 0) {
              element = element.parentElement;
              back = rgb(getComputedStyle(element).backgroundColor);
            }
            const [a, b] = [light(front), light(back.slice(0, 3))];
            return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);""", element)


def start_load(folder, chatd, seconds):
    return subprocess.Popen(
        [os.path.join(folder, "chatbench"), "run", "--tcp-port", chatd.tcp, "--udp-port", chatd.udp,
         "--rooms", "20", "--members", "12", "--rate", "3000", "--duration", f"{seconds}s"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def look_at_page(folder, page, chatd, long_look):
    browser = page.browser
    browser.get(chatd.page)
    wait_for("the page shows that chatd serves", lambda: page.text("state") == "serving")
    check(page.number("out") == 0, "nothing is delivered before anybody speaks")

    load = start_load(folder, chatd, 120)
    try:
        wait_for("rooms appear", lambda: page.text("rooms") == "20")
        wait_for("members appear", lambda: page.text("members") == "240")
        wait_for("messages come in", lambda: page.number("in") > 1000)
        check(page.number("out") > 5 * page.number("in"), "more goes out than comes in")
        wait_for("a latency is shown", lambda: page.text("latency").endswith(("µs", "ms")))
        wait_for("the charts have lines", lambda: browser.execute_script(
            "return [...document.querySelectorAll('svg')].every(s => s.querySelector('path'))"))
        wait_for("the load is shown", lambda: browser.execute_script(
            "return document.querySelector('meter').value > 0"))
        time.sleep(45 if long_look else 0)

        for scheme in ("light", "dark"):
            page.color_scheme(scheme)
            page.resize(1280, 900)
            page.keep(f"wide-{scheme}")
            for element in ("#state", "#about", "#in", "small", "h2", ".key", "th", "footer a"):
                contrast = page.contrast(element)
                check(contrast >= 4.5, f"{element} can be read ({scheme}: contrast {contrast:.1f})")
            page.resize(375, 720, True)
            widths = browser.execute_script(
                "return [document.documentElement.scrollWidth, innerWidth]")
            check(widths[0] <= widths[1] == 375, f"no horizontal scrolling on a phone: {widths}")
            page.keep(f"phone-{scheme}")
    finally:
        load.terminate()
        load.wait()
    page.color_scheme("light")
    page.resize(1280, 900)
    wait_for("silence is shown", lambda: page.number("in") == 0)


def look_for_strangers(page, chatd):
    """Everything that the browser has asked for, and everything it has complained about."""
    asked = set()
    for entry in page.browser.get_log("performance"):
        message = json.loads(entry["message"])["message"]
        if message["method"] == "Network.requestWillBeSent":
            asked.add(message["params"]["request"]["url"])
    check(chatd.page + "status.json" in asked, "the page has asked for its figures")
    strangers = [url for url in asked if not url.startswith((chatd.page, "data:"))]
    check(not strangers, f"the page asks nobody else: {strangers}")
    complaints = page.browser.get_log("browser")
    check(not complaints, f"the console is empty: {complaints}")


def look_at_end(page, chatd):
    chatd.stop()
    wait_for("the page says that chatd is gone", lambda: page.text("state") == "not reachable")
    check("cannot be reached" in page.text("alarm"), "and what that means")
    page.keep("gone")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bin", required=True, help="where chatd and chatbench are")
    parser.add_argument("--screenshots", help="a folder for pictures, after a minute of load")
    arguments = parser.parse_args()
    driver = shutil.which("chromedriver")
    if not driver or not shutil.which("chromium"):
        print("skipped: Debian's packages chromium and chromium-driver are not installed")
        sys.exit(SKIPPED)

    chatd = Chatd(arguments.bin, "--shards", "2")
    browser = open_browser(driver)
    try:
        page = Page(browser, arguments.screenshots)
        look_at_page(arguments.bin, page, chatd, bool(arguments.screenshots))
        look_for_strangers(page, chatd)
        look_at_end(page, chatd)
    finally:
        browser.quit()
        chatd.stop()
    print("the status page is as it should be")


if __name__ == "__main__":
    main()
