"""Headless Chromium, driven over pipes by the DevTools protocol: no package is needed.

    with Browser(path) as browser:
        page = browser.open("http://…", width=390, dark=True)
        page.wait("document.querySelectorAll('svg').length > 3")

Raises TimeoutError if something does not come within a minute.
"""
import base64, json, os, select, subprocess, tempfile, time


class Browser:
    def __init__(self, path):
        self.profile = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        commands, answers = os.pipe(), os.pipe()

        def arrange():
            # Chromium reads commands from descriptor 3 and writes answers to 4; these two may have other meanings here.
            reading, writing = os.dup(commands[0]), os.dup(answers[1])
            os.dup2(reading, 3)
            os.dup2(writing, 4)

        flags = ["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", f"--user-data-dir={self.profile.name}", "--remote-debugging-pipe"]
        self.process = subprocess.Popen([path, *flags, "about:blank"], preexec_fn=arrange, close_fds=False, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        os.close(commands[0])
        os.close(answers[1])
        self.commands, self.answers = commands[1], answers[0]
        self.number, self.rest, self.pages = 0, b"", {}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.profile.cleanup()

    def call(self, method, session=None, **parameters):
        self.number += 1
        number = self.number
        message = dict(id=number, method=method, params=parameters, **({"sessionId": session} if session else {}))
        os.write(self.commands, json.dumps(message).encode() + b"\0")
        until = time.monotonic() + 60
        while True:
            answer = self.next(until, method)
            if answer.get("id") == number:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']}")
                return answer["result"]

    def next(self, until, what):
        """The next message; those about a page are also noted there."""
        while b"\0" not in self.rest:
            if not select.select([self.answers], [], [], max(0, until - time.monotonic()))[0]:
                raise TimeoutError(f"Chromium did not answer {what}")
            more = os.read(self.answers, 1 << 20)
            if not more:
                raise RuntimeError("Chromium ended")
            self.rest += more
        message, self.rest = self.rest.split(b"\0", 1)
        message = json.loads(message)
        page = self.pages.get(message.get("sessionId"))
        if page:
            page.note(message)
        return message

    def open(self, address, width, dark):
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        return Page(self, target, session, address, width, dark)


class Page:
    def __init__(self, browser, target, session, address, width, dark):
        self.browser, self.target, self.session = browser, target, session
        self.said, self.requests = [], []
        browser.pages[session] = self
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=width < 600)
        self.call("Emulation.setEmulatedMedia", features=[dict(name="prefers-color-scheme", value="dark" if dark else "light")])
        self.call("Page.navigate", url=address)

    def call(self, method, **parameters):
        return self.browser.call(method, self.session, **parameters)

    def note(self, message):
        parameters = message.get("params", {})
        if message.get("method") == "Log.entryAdded":
            self.said.append(parameters["entry"]["text"])
        elif message.get("method") == "Runtime.consoleAPICalled":
            self.said.append(str([value.get("value") for value in parameters["args"]]))
        elif message.get("method") == "Runtime.exceptionThrown":
            self.said.append(parameters["exceptionDetails"].get("exception", {}).get("description", "an exception"))
        elif message.get("method") == "Network.requestWillBeSent":
            self.requests.append(parameters["request"]["url"])

    def value(self, expression):
        result = self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        if "exceptionDetails" in result:
            raise RuntimeError(f"{expression}: {result['exceptionDetails']}")
        return result["result"].get("value")

    def wait(self, expression):
        until = time.monotonic() + 60
        while not self.value(f"document.body !== null && ({expression})"):
            if time.monotonic() > until:
                raise TimeoutError(f"not true within a minute: {expression}; the console said {self.said[:3]}")
            time.sleep(0.05)

    def screenshot(self, path, longest=4_000):
        height = min(longest, self.value("document.documentElement.scrollHeight"))
        width = self.value("innerWidth")
        clip = dict(x=0, y=0, width=width, height=height, scale=1)
        image = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=True, clip=clip)["data"]
        with open(path, "wb") as file:
            file.write(base64.b64decode(image))

    def close(self):
        self.browser.call("Target.closeTarget", targetId=self.target)
        del self.browser.pages[self.session]
