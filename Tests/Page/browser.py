"""Headless Chromium, driven through a pipe by its own protocol: https://chromedevtools.github.io/devtools-protocol/."""

import base64
import collections
import json
import os
import select
import shutil
import subprocess
import time

from service import die_with_parent

NAMES = ("chromium", "chromium-browser", "google-chrome")
TIME_LIMIT = 60  # seconds, for a command or for what a check waits for


class BrowserError(Exception):
    """The browser said no, or nothing."""


def find():
    """The path of a Chromium; None where there is none."""
    return next(filter(None, map(shutil.which, NAMES)), None)


class Browser:
    """One page of one browser, whose profile lies in `folder`."""

    def __init__(self, program, folder):
        (read_commands, self.commands), (self.replies, write_replies) = os.pipe(), os.pipe()
        flags = ["--headless", "--disable-gpu", "--hide-scrollbars", "--remote-debugging-pipe", "--disable-dev-shm-usage",
                 "--no-first-run", f"--user-data-dir={folder}/profile"]
        if os.geteuid() == 0:
            flags.append("--no-sandbox")

        # The browser reads descriptor 3 and writes 4. A shell puts them there: a descriptor may have either number already.
        script = f'exec "$0" "$@" 3<&{read_commands} 4>&{write_replies}'
        with open(os.path.join(folder, "browser.log"), "ab") as log:
            self.process = subprocess.Popen(
                ["bash", "-c", script, program, *flags, "about:blank"], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                pass_fds=(read_commands, write_replies), start_new_session=True, preexec_fn=die_with_parent)
        os.close(read_commands)
        os.close(write_replies)
        self.buffer, self.count, self.session = b"", 0, None
        self.complaints, self.answers, self.events = [], {}, collections.deque()
        self.on_request = None
        pages = self("Target.getTargets")["targetInfos"]
        page = next(target["targetId"] for target in pages if target["type"] == "page")
        self.session = self("Target.attachToTarget", targetId=page, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self(f"{domain}.enable")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        try:
            self.session = None
            self("Browser.close")
            self.process.wait(timeout=TIME_LIMIT)
        except (BrowserError, OSError, subprocess.TimeoutExpired):
            self.process.kill()
            self.process.wait()

    def __call__(self, method, **parameters):
        """Calls a method of the protocol; returns its result."""
        number = self._send(method, parameters)
        limit = time.monotonic() + TIME_LIMIT
        while number not in self.answers:
            self._receive(limit - time.monotonic(), method)
        answer = self.answers.pop(number)
        if "error" in answer:
            raise BrowserError(f"{method}: {answer['error']}")
        return answer["result"]

    def _send(self, method, parameters):
        self.count += 1
        message = {"id": self.count, "method": method, "params": parameters}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.commands, json.dumps(message).encode() + b"\0")
        return self.count

    def _receive(self, seconds, what):
        if not select.select([self.replies], [], [], max(0, seconds))[0]:
            raise BrowserError(f"{what}: no answer in {TIME_LIMIT} s")
        data = os.read(self.replies, 1 << 16)
        if not data:
            raise BrowserError(f"{what}: the browser has ended")
        *messages, self.buffer = (self.buffer + data).split(b"\0")
        for message in map(json.loads, messages):
            if "id" in message:
                self.answers[message["id"]] = message
            else:
                self._note(message["method"], message["params"])

    def _note(self, method, event):
        if method == "Runtime.exceptionThrown":
            details = event["exceptionDetails"]
            self.complaints.append(details.get("exception", {}).get("description", details["text"]))
        elif method == "Log.entryAdded" and event["entry"]["level"] in ("warning", "error"):
            self.complaints.append(f"{event['entry']['text']} {event['entry'].get('url', '')}")
        elif method == "Runtime.consoleAPICalled" and event["type"] in ("warning", "error"):
            self.complaints.append(str([value.get("value", value.get("description")) for value in event["args"]]))
        elif method == "Page.javascriptDialogOpening":
            self.complaints.append(f"dialog: {event['message']}")
            self._send("Page.handleJavaScriptDialog", {"accept": True})
        elif method == "Fetch.requestPaused":
            self._answer_paused(event)

    def _answer_paused(self, event):
        reply = self.on_request(event["request"]) if self.on_request else None
        if reply is None:
            return self._send("Fetch.continueRequest", {"requestId": event["requestId"]})
        status, headers, body = reply
        if status == 0:
            return self._send("Fetch.failRequest", {"requestId": event["requestId"], "errorReason": "ConnectionRefused"})
        return self._send("Fetch.fulfillRequest", {
            "requestId": event["requestId"], "responseCode": status,
            "responseHeaders": [{"name": name, "value": value} for name, value in headers.items()],
            "body": base64.b64encode(body).decode()})

    # What checks do.

    def screen(self, width, height, dark=False, still=False):
        """Becomes a screen of this size and scheme; narrow ones are phones."""
        phone = width < 600
        self("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=2 if phone else 1, mobile=phone)
        self("Emulation.setTouchEmulationEnabled", enabled=phone)
        self("Emulation.setEmulatedMedia", features=[
            {"name": "prefers-color-scheme", "value": "dark" if dark else "light"},
            {"name": "prefers-reduced-motion", "value": "reduce" if still else "no-preference"}])

    def open(self, address):
        """Loads a page anew, even where only the fragment differs."""
        self("Page.navigate", url="about:blank")
        self("Page.navigate", url=address)
        self.wait("document.readyState === 'complete' && location.href !== 'about:blank'")

    def value(self, expression):
        """The value of a JavaScript expression, awaited."""
        result = self("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in result:
            raise BrowserError(f"{expression}: {result['exceptionDetails']['exception'].get('description')}")
        return result["result"].get("value")

    def wait(self, expression):
        """Waits until an expression is true."""
        limit = time.monotonic() + TIME_LIMIT
        while True:
            try:
                if self.value(expression):
                    return
            except BrowserError as error:  # also while one page takes the place of another
                if "ended" in str(error):
                    raise
            if time.monotonic() > limit:
                raise BrowserError(f"waited {TIME_LIMIT} s for: {expression}")
            time.sleep(0.02)

    def press(self, key, modifiers=0):
        """Presses a key by its name."""
        text = {"Enter": "\r", " ": " "}.get(key)
        codes = {"Enter": 13, "Tab": 9, "Escape": 27, "ArrowDown": 40, "ArrowUp": 38, " ": 32}
        key_event = {"key": key, "code": "Space" if key == " " else key, "windowsVirtualKeyCode": codes[key], "modifiers": modifiers}
        self("Input.dispatchKeyEvent", type="keyDown", **key_event, **({"text": text} if text else {}))
        self("Input.dispatchKeyEvent", type="keyUp", **key_event)

    def type(self, text):
        """Types into what has the focus."""
        self("Input.insertText", text=text)

    def click(self, selector):
        """Clicks the middle of an element, once everything stands still."""
        self.wait("document.getAnimations().length === 0")
        self.value(f"document.querySelector({json.dumps(selector)}).scrollIntoView({{block: 'center', behavior: 'instant'}})")
        x, y = self.value(
            f"(() => {{ const box = document.querySelector({json.dumps(selector)}).getBoundingClientRect();"
            "return [box.x + box.width / 2, box.y + box.height / 2]; })()")
        for kind in ("mouseMoved", "mousePressed", "mouseReleased"):
            self("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="none" if kind == "mouseMoved" else "left", clickCount=1)

    def picture(self, path):
        """Writes the whole page as a PNG."""
        data = self("Page.captureScreenshot", format="png", captureBeyondViewport=True)["data"]
        with open(path, "wb") as file:
            file.write(base64.b64decode(data))

    def intercept(self, on_request):
        """Lets a function answer requests: a status (0: no server), headers and a body; None: the server answers. No function: all as usual."""
        self.on_request = on_request
        if on_request:
            self("Fetch.enable", patterns=[{"urlPattern": "*/v1/*"}])
        else:
            self("Fetch.disable")
