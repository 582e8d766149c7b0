"""Listens to OpenCode's server and tells when a turn ends, and when it waits for the operator.

The stream of events is only a hint where to look: the message and its id come from what the server says of a session when it is
asked. So it does not matter how often an event arrives, and what happened while no stream was open is found by asking again.
"""
import base64
import http.client
import json
import queue
import re
import threading
import time
from urllib.parse import quote, urlencode, urlsplit

from .settings import say
from .spool import clean

# Both majors send a comment or an event more often when nothing happens.
SILENCE = 90
# The server may say that a turn has ended a moment before it says so when it is asked.
LOOKS = (0, 1, 3, 10)
# An answer that comes at once, from a person at the screen or from a rule, needs no news.
GRACE = 5
MARGIN = 60
LONGEST_LINE = 1 << 20
# What a session answers that has something to do.
BUSY = "busy"
OF_INTEREST = re.compile(rb'"type"\s*:\s*"(session\.(idle|status|error|execution\.\w+)|(permission|question|form)\.\w+)"')


# What a session may be at fault with, and what the server.
ODD = (LookupError, ValueError, TypeError, AttributeError)
FAULTS = (OSError, http.client.HTTPException, *ODD)


class Server:
    """Requests to it. @param opencode its part of the settings, with the password"""

    def __init__(self, opencode):
        self.address = urlsplit(opencode["server"])
        token = base64.b64encode(f"{opencode['user']}:{opencode['password']}".encode()).decode()
        self.headers = {"authorization": f"Basic {token}"}

    def _open(self, path, timeout):
        connection = http.client.HTTPConnection(self.address.hostname, self.address.port, timeout=timeout)
        try:
            connection.request("GET", path, headers=self.headers)
            response = connection.getresponse()
            if response.status != 200:
                words = f"{path.split('?')[0]} answers {response.status}"
                raise OSError(words) if response.status in (502, 503, 504) else LookupError(words)
        except BaseException:
            connection.close()
            raise
        return connection, response

    def get(self, path, **query):
        """@raises OSError, http.client.HTTPException where nobody answers now; LookupError, ValueError where the answer is none"""
        known = {key: value for key, value in query.items() if value is not None}
        connection, response = self._open(path + ("?" + urlencode(known) if known else ""), 20)
        try:
            return json.loads(response.read())
        finally:
            connection.close()

    def frames(self, path):
        """Each event of interest; None for all else, so that the caller sees that the stream lives."""
        connection, response = self._open(path, SILENCE)
        try:
            whole = True
            yield None
            while line := response.readline(LONGEST_LINE):
                begun, whole = whole, line.endswith(b"\n")
                if begun and whole and line.startswith(b"data:") and OF_INTEREST.search(line):
                    try:
                        yield json.loads(line[5:])
                    except ValueError:
                        yield None
                else:
                    yield None
        finally:
            connection.close()


class First:
    """The first major: /global/event, and what it answers below / (generated types of @opencode-ai/sdk 1.18.33)."""

    stream = "/global/event"

    def __init__(self, server):
        self.server = server

    def signal(self, frame):
        """(what, session, directory, more) of an event, or None."""
        payload, directory = frame.get("payload") or {}, frame.get("directory")
        kind, data = payload.get("type", ""), payload.get("properties") or {}
        session = data.get("sessionID")
        if kind == "session.idle" or (kind == "session.status" and data["status"]["type"] == "idle"):
            return "ended", session, directory, None
        if kind == "session.error" and session and (data.get("error") or {}).get("name") != "MessageAbortedError":
            return "ended", session, directory, (payload.get("id"), "failed", data.get("error"))
        if kind in ("permission.asked", "question.asked"):
            return "asked", session, directory, self._ask(data)
        if kind in ("permission.replied", "question.replied", "question.rejected"):
            return "answered", session, directory, data["requestID"]
        return None

    @staticmethod
    def _ask(data):
        if "questions" in data:
            return data["id"], "question", "", "\n".join(one.get("question", "") for one in data["questions"])
        return data["id"], "permission", data.get("permission", ""), "\n".join(data.get("patterns") or [])

    def session(self, id, directory):
        info = self.server.get(f"/session/{quote(id)}", directory=directory)
        return {"title": info.get("title"), "directory": info["directory"], "parent": info.get("parentID")}

    def ended(self, id, directory):
        """(id of the turn, outcome, error, text, time) of the newest turn, which has ended; BUSY where it goes on; None: there is none."""
        # Twice: one that seems to have been cut off may have begun, or ended, between the two answers.
        for _ in range(2):
            if self.server.get("/session/status", directory=directory).get(id, {"type": "idle"})["type"] != "idle":
                return BUSY
            messages = self.server.get(f"/session/{quote(id)}/message", directory=directory, limit=1)
            info = messages[-1]["info"] if messages else {}
            if info.get("role") != "assistant":
                return None
            if info.get("error") or info["time"].get("completed"):
                break
        error, times = info.get("error"), info["time"]
        text = "\n".join(part.get("text", "") for part in messages[-1].get("parts", []) if part.get("type") == "text")
        if error:
            # The operator stopped it.
            outcome = "stopped" if error.get("name") == "MessageAbortedError" else "failed"
        else:
            outcome = "done" if times.get("completed") else "interrupted"
        return info["id"], outcome, error, text, (times.get("completed") or times["created"]) / 1000

    def recent(self, since):
        """(session, directory) of each root session that changed since then."""
        found = self._sessions(since, roots="true", limit=100)
        return [(one["id"], one["directory"]) for one in found if not one.get("parentID")]

    def costs(self, since):
        """(session, cost in USD, when it was created in ms) of each session that changed since then, those of subagents too."""
        found = self._sessions(since, limit=1000)
        return [(one["id"], one["cost"] if "cost" in one else self._cost(one), one["time"]["created"]) for one in found]

    def _sessions(self, since, **query):
        """What the server lists of those that changed since then, by the path that its release has."""
        query = {**query, "start": int(since * 1000)}
        try:
            return self.server.get("/experimental/session", **query)
        except (LookupError, ValueError):
            return self.server.get("/session", **query)

    def _cost(self, session):
        """Of a release that does not add it up."""
        messages = self.server.get(f"/session/{quote(session['id'])}/message", directory=session["directory"])
        return sum(one["info"].get("cost") or 0 for one in messages)

    def pending(self, sessions):
        """(session, directory, ask) of all that waits in the folders of these sessions."""
        asks = []
        for directory in {directory for _, directory in sessions if directory}:
            try:
                for path in ("/permission", "/question"):
                    found = self.server.get(path, directory=directory)
                    asks += [(one["sessionID"], directory, self._ask(one)) for one in found]
            except ODD:
                # A folder that is gone, or a release that asks no questions.
                continue
        return asks


class Second:
    """The second major: /api/event, and what it answers below /api (generated types of opencode-python-sdk 0.2.3)."""

    stream = "/api/event"
    # Kinds of an interruption that somebody wanted.
    wanted = ("user", "superseded")

    def __init__(self, server):
        self.server = server

    def signal(self, frame):
        kind, data = frame.get("type", ""), frame.get("data") or {}
        directory = (frame.get("location") or {}).get("directory")
        session, id = data.get("sessionID"), frame.get("id")
        if kind in ("session.idle", "session.execution.succeeded"):
            return "ended", session, directory, (id, "done", None) if kind != "session.idle" else None
        if kind == "session.execution.failed":
            return "ended", session, directory, (id, "failed", data.get("error"))
        if kind == "session.execution.interrupted":
            wanted = data.get("reason") in self.wanted
            return "ended", session, directory, (id, "stopped" if wanted else "interrupted", None)
        if kind == "permission.asked":
            return "asked", session, directory, self._permission(data)
        if kind == "form.created":
            return "asked", data["form"]["sessionID"], directory, self._form(data["form"])
        if kind in ("permission.replied", "form.replied", "form.cancelled"):
            return "answered", session, directory, data.get("requestID") or data.get("id")
        return None

    @staticmethod
    def _permission(data):
        return data["id"], "permission", data.get("action", ""), "\n".join(data.get("resources") or [])

    @staticmethod
    def _form(form):
        fields = [field.get("title") or field.get("description") or "" for field in form.get("fields") or []]
        return form["id"], "question", "", "\n".join([form.get("title", ""), *fields]).strip()

    def _data(self, path, **query):
        answer = self.server.get(path, **query)
        return answer["data"] if "data" in answer else answer

    def session(self, id, directory):
        info = self._data(f"/api/session/{quote(id)}")
        place = (info.get("location") or {}).get("directory") or directory or ""
        return {"title": info.get("title"), "directory": place, "parent": info.get("parentID")}

    def ended(self, id, directory):
        for _ in range(2):
            if id in self._data("/api/session/active"):
                return BUSY
            info = self._data(f"/api/session/{quote(id)}")
            newest = self._data(f"/api/session/{quote(id)}/message", limit=10, order="desc")
            spoken = next((one for one in newest if one.get("type") == "assistant"), {})
            if not spoken or spoken["time"].get("completed"):
                break
        text = "\n".join(part.get("text", "") for part in spoken.get("content") or [] if part.get("type") == "text")
        idle = next((one for one in newest if one.get("type") == "idle"), {})
        at = info["time"].get("idle") or (idle.get("time") or {}).get("created")
        begun = (spoken.get("time") or {}).get("created")
        if begun and not spoken["time"].get("completed") and begun > (at or 0):
            return spoken["id"], "interrupted", spoken.get("error"), text, begun / 1000
        outcome = info.get("outcome") or idle.get("outcome")
        if at is None or outcome is None:
            return None
        return str(at), "done" if outcome == "succeeded" else outcome, idle.get("error") or spoken.get("error"), text, at / 1000

    def recent(self, since):
        found = self._data("/api/session", limit=100, order="desc")
        return [
            (one["id"], (one.get("location") or {}).get("directory"))
            for one in found
            if not one.get("parentID") and one["time"]["updated"] >= since * 1000
        ]

    def costs(self, since):
        sessions, cursor = [], None
        while True:
            page = self.server.get("/api/session", limit=100, order="desc", cursor=cursor)
            found = [one for one in page["data"] if one["time"]["updated"] >= since * 1000]
            sessions += [(one["id"], one.get("cost", 0), one["time"]["created"]) for one in found]
            cursor = (page.get("cursor") or {}).get("next")
            if not cursor or len(found) < len(page["data"]):
                return sessions

    def pending(self, sessions):
        asks = []
        # Who waits for an answer is active.
        for id in self._data("/api/session/active"):
            asks += [(id, None, self._permission(one)) for one in self._data(f"/api/session/{quote(id)}/permission")]
            asks += [(id, None, self._form(one)) for one in self._data(f"/api/session/{quote(id)}/form")]
        return asks


class Listener:
    """@param opencode its part of the settings, with the password; @param details whether news may hold code and words of prompts"""

    def __init__(self, opencode, outbox, details):
        self.server = Server(opencode)
        self.major = (First if opencode["major"] == 1 else Second)(self.server)
        self.page, self.outbox, self.details = opencode["page"], outbox, details
        self.signals = queue.PriorityQueue()
        self.count = 0
        # Whether all that happened before is known, and whether it is about to be asked for once more.
        self.whole = self.again = False
        self.began = float(outbox.fact("opencode began") or outbox.fact("opencode began", time.time()))

    def start(self):
        for run in (self._listen, self._work):
            threading.Thread(target=run, daemon=True).start()

    def _put(self, wait, signal):
        self.count += 1
        self.signals.put((time.time() + wait, self.count, signal))

    def _listen(self):
        wait, said = 1, ""
        while True:
            try:
                opened = False
                for frame in self.server.frames(self.major.stream):
                    if not opened:
                        # What happens from now on is in the stream; what happened before is asked for.
                        self._put(0, ("all", time.time(), None, None))
                        opened, wait, said, alive = True, 1, "", time.time()
                    if frame is not None:
                        try:
                            signal = self.major.signal(frame)
                        except FAULTS:
                            signal = None
                        if signal is not None and (signal[1] or signal[0] == "answered"):
                            self._put(0, signal + (0,) if signal[0] == "ended" else signal)
                    if time.time() - alive > 30:
                        alive = time.time()
                        self._put(0, ("alive", alive, None, None))
                words = "the stream of events ended"
            except FAULTS as error:
                words = f"the stream of events: {error or type(error).__name__}"
            if words != said:
                say(f"OpenCode: {words}; tried again until it is there")
            said = words
            time.sleep(wait)
            wait = min(wait * 2, 30)

    def _work(self):
        while True:
            at, _, signal = self.signals.get()
            if at > time.time():
                self.signals.put((at, _, signal))
                time.sleep(min(0.2, at - time.time() if at > time.time() else 0))
                continue
            try:
                self._handle(*signal)
            except FAULTS as error:
                # A server that is gone is asked for all with the next connection; one that is there, soon.
                tries = signal[4] + 1 if signal[0] == "ended" else len(LOOKS)
                if tries < len(LOOKS):
                    self._put(LOOKS[tries], signal[:4] + (tries,))
                else:
                    say(f"OpenCode: a session could not be asked for: {error or type(error).__name__}")
                    if not self.again:
                        self.again = True
                        self._put(10, ("all", time.time(), None, None))

    def _handle(self, what, session, directory, more, tries=0):
        if what == "ended":
            self._ended(session, directory, more, tries)
        elif what == "asked":
            self._asked(session, directory, more)
        elif what == "answered":
            self.outbox.cancel(f"ask:{more}")
        elif what == "alive" and self.whole:
            self.outbox.fact("opencode seen", session)
        elif what == "all":
            self.whole = self.again = False
            self._all(session)
            self.whole = True

    def _all(self, now):
        """Asks for all that may have happened since the stream was last open."""
        since = float(self.outbox.fact("opencode seen") or self.began) - MARGIN
        waiting = self.major.pending(self.major.recent(min(since, now - 86400)))
        for session, directory, ask in waiting:
            try:
                self._asked(session, directory, ask)
            except ODD:
                continue
        for id in {*self.outbox.waiting("ask:")} - {f"ask:{ask[0]}" for _, _, ask in waiting}:
            self.outbox.cancel(id)
        for session, directory in self.major.recent(since):
            try:
                self._ended(session, directory, None, len(LOOKS))
            except ODD:
                continue
        self.outbox.fact("opencode seen", now)

    def _root(self, session, directory):
        """The session that the operator knows: one that another session started shows up in that."""
        info = self.major.session(session, directory)
        for _ in range(10):
            if not info["parent"]:
                break
            session, info = info["parent"], self.major.session(info["parent"], info["directory"])
        title = clean(info["title"] or "a session").replace("\n", " ").strip()[:120]
        folder = base64.urlsafe_b64encode(info["directory"].encode()).decode().rstrip("=")
        return session, title, f"{self.page}/{folder}/session/{quote(session)}"

    def _asked(self, session, directory, ask):
        id, kind, about, words = ask
        _, title, link = self._root(session, directory)
        head = {"permission": "Permission asked", "question": "Question"}[kind]
        body = [f"for {clean(about)[:60]}"] if about else []
        if self.details and words:
            body.append(clean(words)[:1000])
        self.outbox.add(f"ask:{id}", kind, f"{head}: {title}", "\n".join([*body, link]), GRACE)

    def _ended(self, session, directory, event, tries):
        root, title, link = self._root(session, directory)
        if root != session:
            return
        turn = self.major.ended(session, directory)
        key = f"end:{session}:{turn[0]}" if turn and turn != BUSY else None
        if key and turn[4] < self.began:
            key = None
        if key and not self.outbox.known(key):
            outcome = turn[1]
            if event and event[1] == "stopped":
                outcome = "stopped"
            elif outcome == "interrupted" and not event and tries <= len(LOOKS):
                # By whom, its own event says, which may be on its way: the stream was opened before all sessions were asked for.
                if tries == len(LOOKS):
                    self._put(LOOKS[-2], ("ended", session, directory, None, tries + 1))
                return
            self._tell(key, outcome, *turn[2:4], title, link)
        elif tries + 1 < len(LOOKS) and (event or not key):
            self._put(LOOKS[tries + 1], ("ended", session, directory, event, tries + 1))
        elif event and turn is None and tries + 1 == len(LOOKS):
            # It ended before anything was answered.
            self._tell(f"end:{session}:{event[0]}", *event[1:], "", title, link)

    def _tell(self, key, outcome, error, text, title, link):
        body = []
        if outcome == "stopped":
            # Remembered, so that it is not sent later.
            self.outbox.add(key, outcome, "")
            return
        if outcome == "done":
            kind, head = "done", "Done"
        else:
            kind, head = "failed", "Failed"
            if outcome == "interrupted":
                body.append("It was interrupted.")
        if isinstance(error, dict):
            body.append(clean(str(error.get("name") or error.get("type") or ""))[:60])
            message = error.get("message") or (error.get("data") or {}).get("message") or ""
            if self.details and message:
                body.append(clean(str(message))[:1000])
        elif self.details and text:
            body.append(clean(text)[-1000:])
        self.outbox.add(key, kind, f"{head}: {title}", "\n".join([*filter(None, body), link]))
