#!/usr/bin/env python3
"""check.py PROGRAM [FOLDER]: uses the page of `recblr serve` as people do, on a small model made here, and takes pictures of it into FOLDER."""

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
from urllib.parse import quote

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "Faults"))

import browser as chromium  # noqa: E402
from log import write_log  # noqa: E402
from service import Failed, Service, clean_up_when_ended  # noqa: E402

ITEMS = 60
HOSTILE = "<img src=x onerror=\"document.title='taken'\"> & </li>"
LONG = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft"
TITLES = {"i0": HOSTILE, "i1": LONG, **{f"i{number}": f"Film {number}" for number in range(2, ITEMS)}}
SCREENS = [(1280, 900), (375, 812), (320, 640)]
LOOKS = open(os.path.join(os.path.dirname(__file__), "looks.js"), encoding="utf-8").read()
KEY, READ_KEY = "key-of-the-check", "key-that-only-reads"
STRANGER = "stranger"

BEST = "[...document.querySelectorAll('#best .title')].map((node) => node.textContent)"
EVENTS = "[...document.querySelectorAll('#events .title')].map((node) => node.textContent)"
TROUBLE = "document.querySelector('#trouble').hidden ? '' : document.querySelector('#trouble p').textContent"


def expect(condition, text):
    if not condition:
        raise Failed(text)


def train(program, folder):
    """A small model of items with titles; returns its folder."""
    write_log(os.path.join(folder, "log.csv"), ITEMS, random.Random(1))
    with open(os.path.join(folder, "titles.tsv"), "w") as file:
        file.write("item_id\ttitle\n" + "".join(f"{item}\t{title}\n" for item, title in TITLES.items()))
    shape = ["--hidden-size", "16", "--layers", "1", "--epochs", "3", "--batch-tokens", "256", "--threads", "1"]
    for arguments in (["prepare", "log.csv", "--titles", "titles.tsv", "-o", "data", "--min-user-events", "1", "--min-item-events", "1"],
                      ["train", "data", "-m", "models/v1", *shape]):
        done = subprocess.run([program, *arguments], cwd=folder, capture_output=True)
        if done.returncode != 0:
            raise SystemExit(f"check-page: cannot begin: {' '.join(arguments)}: {done.stderr.decode()}")
    return os.path.join(folder, "models")


class Visit:
    """A person at the page, as a user of this name."""

    def __init__(self, browser, service, user):
        self.browser, self.user, self.client = browser, user, service.client()
        self.address = f"http://127.0.0.1:{service.port}/#{quote(user, safe='')}"
        browser.open(self.address)

    def ready(self, events=0):
        """Waits until the page shows so many events, and the ten best."""
        self.browser.wait(f"document.querySelectorAll('#events li').length === {events} && document.querySelectorAll('#best li').length === 10")
        return self

    def choose(self, rank):
        """Clicks a recommendation."""
        count = len(self.browser.value(EVENTS))
        self.browser.click(f"#best li:nth-child({rank}) .title")
        self.ready(count + 1)

    def trouble(self, text):
        """Waits for a sentence about trouble with this text in it."""
        self.browser.wait(f"({TROUBLE}).includes({json.dumps(text)})")

    def focus(self):
        """What has the focus, as a selector of an id or a class."""
        return self.browser.value("document.activeElement.id || document.activeElement.className")


def by_keyboard(browser, service):
    visit = Visit(browser, service, "keyboard").ready()
    browser.press("Tab")
    expect(visit.focus() == "search", f"the first stop of the keyboard is {visit.focus()}")
    browser.type("film 1")
    browser.wait("document.querySelectorAll('[role=option]').length > 3")
    browser.press("ArrowDown")
    active = "document.getElementById(document.querySelector('#search').getAttribute('aria-activedescendant'))"
    expect(browser.value(f"{active}.matches('[aria-selected=true]:nth-child(2)')"), "the second option is not active")
    title = browser.value(f"{active}.textContent")
    browser.press("Enter")
    visit.ready(1)
    expect(browser.value(EVENTS) == [title], f"the event is not {title}")
    expect(title in browser.value("document.querySelector('#news').textContent"), "nothing was said")
    expect(browser.value("document.querySelector('#step').textContent").endswith("s"), "no time of the step")
    expect(browser.value("document.querySelector('#search').getAttribute('aria-expanded')") == "false", "the list is still open")
    browser.type("film")
    browser.wait("!document.querySelector('#found').hidden")
    browser.press("Escape")
    expect(browser.value("document.querySelector('#found').hidden && document.querySelector('#search').value === 'film'"), "Escape does not close")

    browser.value("document.querySelector('#best .title').focus()")
    first = browser.value(f"({BEST})[0]")
    browser.press("Enter")
    visit.ready(2)
    expect(browser.value(EVENTS)[0] == first and first not in browser.value(BEST), "the recommendation did not become an event")
    expect(browser.value("document.activeElement.matches('#best .title')"), f"the focus went to {visit.focus()}")
    browser.value("document.querySelector('#events button').focus()")
    browser.press("Enter")
    visit.ready(1)
    expect(browser.value("document.activeElement.matches('#events button')"), f"the focus went to {visit.focus()}")


def clicks(browser, service):
    name = "clicks/with a slash, 50 %"
    visit = Visit(browser, service, name).ready()
    before = browser.value(BEST)
    for rank in (1, 2, 3):
        visit.choose(rank)
    after = browser.value(BEST)
    marks = browser.value("[...document.querySelectorAll('#best li')].map((row) => row.className)")
    expect(before != after and any(marks), "nothing moved")
    stored = visit.client.events(name)
    expect(len(stored) == 3 and all(event.get("recommendationId") and event.get("eventId") for event in stored), f"stored: {stored}")

    browser.click("#best li:nth-child(2) summary")
    numbers = browser.value(
        "[...document.querySelectorAll('#best li:nth-child(2) tr')].map((row) => Number(row.lastChild.textContent.replace('−', '-')))")
    expect(len(numbers) >= 4 and abs(sum(numbers[:-1]) - numbers[-1]) < 0.005 * len(numbers), f"terms do not add up: {numbers}")
    expect("score without it" in browser.value("document.querySelector('#best li:nth-child(2) table').textContent"), "no counterfactual")

    browser.click("#events li:nth-child(2) button")
    visit.ready(2)
    expect(visit.client.events(name) == [stored[0], stored[2]], "another event was forgotten")
    browser.click("#forget-all")
    expect(visit.focus() == "forget-no", f"the dialog begins at {visit.focus()}")
    browser.press("Enter")
    expect(len(visit.client.events(name)) == 2, "forgotten without consent")
    browser.click("#forget-all")
    browser.click("#forget-yes")
    visit.ready(0)
    expect(visit.client.events(name) == [], "not forgotten")


def session(browser, service):
    visit = Visit(browser, service, "session").ready()
    browser.click("[value=session]")
    browser.wait("document.querySelector('#session-note').textContent.includes('sealed')")
    visit.ready(0)
    visit.choose(1)
    visit.choose(1)
    two = browser.value(BEST)
    visit.choose(1)
    browser.click("#events li button")
    visit.ready(2)
    expect(browser.value(BEST) == two, "a forgotten event still counts")
    expect(visit.client.events("session") == [], "a session was stored")


def hostile_texts(browser, service):
    visit = Visit(browser, service, "<b>hostile").ready()
    browser.click("#search")
    browser.type("<img")
    browser.wait("document.querySelectorAll('[role=option]').length === 1")
    browser.press("Enter")
    visit.ready(1)
    expect(browser.value(EVENTS) == [HOSTILE], f"the title became {browser.value(EVENTS)}")
    expect(browser.value("document.images.length === 0 && document.title.startsWith('RecBLR')"), "a title became markup")


def trouble(browser, service):
    visit = Visit(browser, service, "trouble").ready()
    problem = json.dumps({"title": "Service Unavailable", "status": 503, "detail": "too much to do"}).encode()
    for reply, sentence in [((503, {"Retry-After": "7"}, problem), "too much to do. Try again in 7 seconds"), ((507, {}, b"{}"), "disk is full"),
                            ((500, {}, b"<html>"), "makes no sense"), ((0, {}, b""), "does not answer")]:
        browser.intercept(lambda request, reply=reply: reply if request["method"] == "POST" else None)
        browser.click("#best .title")
        visit.trouble(sentence)
        browser.intercept(None)
    lost = []

    def after_storing(request):
        """The event is stored, but something else replies."""
        if request["method"] == "POST" and not lost:
            lost.append(request)
            visit.client.expect("POST", "/v1/users/trouble/events", request["postData"].encode())
            return 502, {}, b"<html>"
        return None

    browser.intercept(after_storing)
    browser.click("#best .title")
    visit.trouble("makes no sense")
    browser.click("#trouble button")
    visit.ready(1)
    expect(len(visit.client.events("trouble")) == 1, "an event was stored twice")
    expect(browser.value(TROUBLE) == "", "the trouble is over and still shown")
    browser.intercept(None)
    browser.complaints.clear()  # of failed requests, which it was all about


def keys(browser, program, models, folder):
    with Service(program, models, folder, environment={"RECBLR_SERVE_WRITE_KEY": KEY, "RECBLR_SERVE_READ_KEY": READ_KEY}) as service:
        service.ready()
        visit = Visit(browser, service, "keys")
        visit.trouble("asks for a key")
        expect(visit.focus() == "key", "the key's field has no focus")
        expect(visit.address.split("#")[0] in browser.value("document.querySelector('#shell').textContent"), "the command names no address")
        browser.type("wrong")
        browser.press("Enter")
        visit.trouble("does not know this key")
        browser.type(READ_KEY)
        browser.press("Enter")
        visit.ready()
        browser.click("#best .title")
        visit.trouble("does not allow that")
        expect(visit.focus() == "key", "no other key can be given")
        browser.type(KEY)
        browser.press("Enter")
        visit.ready(1)
        expect(browser.value("document.querySelector('#key-form').hidden"), "the key's form stays")
        kept = browser.value("document.cookie + JSON.stringify(localStorage) + JSON.stringify(sessionStorage) + location.href")
        expect(KEY not in kept, "the key is kept")
        service.kill()
        browser.click("#best .title")
        visit.trouble("does not answer")
    browser.complaints.clear()  # of 401 and of no connection


def stillness(browser, service):
    browser.screen(1280, 900, still=True)
    visit = Visit(browser, service, "still").ready()
    browser.value("document.body.animate = Element.prototype.animate = () => { throw new Error('it moves'); }")
    visit.choose(2)
    expect(browser.value(TROUBLE) == "", "it moves")
    browser.screen(1280, 900)


def looks(browser, service, pictures):
    """Contrast, sizes and widths with everything on the page; pictures of it."""
    for width, height in SCREENS:
        for dark in (False, True):
            browser.screen(width, height, dark)
            scheme = "dark" if dark else "light"
            visit = Visit(browser, service, f"looks-{width}-{scheme}").ready()
            counts = browser.value("[...document.querySelectorAll('.score')].map((node) => [node.firstChild.data, node.offsetHeight])")
            expect(all(text.isdigit() and tall < 30 for text, tall in counts), f"popularity is not written as counts: {counts}")
            browser.wait("document.getAnimations().length === 0")
            browser.picture(f"{pictures}/{width}-{scheme}-popular.png")
            visit.client.append(visit.user, [{"item": item} for item in ("i1", "i0", STRANGER, "i7", "i8")])
            browser.open(visit.address)
            visit.ready(5)
            visit.choose(3)
            visit.choose(1)
            browser.click("#best li:nth-child(2) summary")
            browser.wait("document.getAnimations().length === 0")
            found = browser.value(LOOKS)
            browser.picture(f"{pictures}/{width}-{scheme}.png")
            browser.click("#search")
            browser.type("film")
            browser.wait("!document.querySelector('#found').hidden")
            found += browser.value(LOOKS)
            browser.picture(f"{pictures}/{width}-{scheme}-search.png")
            expect(not found, f"{width} {scheme}: {found}")
            expect("not in this model" in browser.value("document.querySelector('#events').textContent"), "a stranger is not named")
    browser.complaints = [text for text in browser.complaints if STRANGER not in text]  # It has no title: 404.
    browser.screen(1280, 900)


def visits(browser, program, folder, pictures):
    """All checks, one after the other."""
    models = train(program, folder)
    with Service(program, models, folder) as service:
        service.ready()
        browser.screen(1280, 900)
        for check in (by_keyboard, clicks, session, hostile_texts, trouble, stillness):
            print(f"  {check.__name__}", flush=True)
            check(browser, service)
            expect(not browser.complaints, f"the browser complains: {browser.complaints}")
        print("  looks", flush=True)
        looks(browser, service, pictures)
    print("  keys", flush=True)
    keys(browser, program, models, folder)
    expect(not browser.complaints, f"the browser complains: {browser.complaints}")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("program")
    parser.add_argument("folder", nargs="?", default=".build/page")
    options = parser.parse_args()
    clean_up_when_ended()
    path = chromium.find()
    if path is None:
        return print("check-page: skipped: there is no chromium on the PATH")
    os.makedirs(options.folder, exist_ok=True)
    program = os.path.abspath(options.program)
    with tempfile.TemporaryDirectory(prefix="recblr-page-") as folder, chromium.Browser(path, folder) as browser:
        try:
            visits(browser, program, folder, options.folder)
        except (Failed, chromium.BrowserError):
            browser.picture(f"{options.folder}/failed.png")
            raise
    print(f"check-page: well; pictures in {options.folder}")


if __name__ == "__main__":
    try:
        main()
    except (Failed, chromium.BrowserError) as failure:
        sys.exit(f"check-page: {failure}")
