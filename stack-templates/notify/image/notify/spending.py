"""What OpenCode's models cost this month, in USD as its sessions say. At the limit the way to the models is closed.

Whoever can write OpenCode's database can make its sessions say less: this holds mistakes, not an agent that is hostile.
"""
import math
import os
import sqlite3
import threading
import time
from datetime import datetime
from zoneinfo import ZoneInfo

from .money import warn
from .opencode import FAULTS, First, Second, Server
from .settings import place, say

EVERY = float(os.environ.get("NOTIFY_EVERY", "20"))
# Seconds that two looks overlap.
MARGIN = 120

SCHEMA = """
CREATE TABLE IF NOT EXISTS session (id TEXT PRIMARY KEY, cost REAL);
CREATE TABLE IF NOT EXISTS month (name TEXT PRIMARY KEY, usd REAL);
CREATE TABLE IF NOT EXISTS fact (name TEXT PRIMARY KEY, value TEXT);
"""


def month_of(at, zone):
    return datetime.fromtimestamp(at, ZoneInfo(zone)).strftime("%Y-%m")


def month_begin(at, zone):
    return datetime.fromtimestamp(at, ZoneInfo(zone)).replace(day=1, hour=0, minute=0, second=0, microsecond=0).timestamp()


def amount(value):
    """A cost as a number; None: it is none."""
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return float(value) if number and math.isfinite(value) and value >= 0 else None


class Book:
    """The sum of each month. A session that is deleted stays in it."""

    def __init__(self, path):
        self.db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self.db.executescript(SCHEMA)

    def fact(self, name, value=None):
        if value is not None:
            self.db.execute("INSERT OR REPLACE INTO fact VALUES (?, ?)", (name, str(value)))
        row = self.db.execute("SELECT value FROM fact WHERE name = ?", (name,)).fetchone()
        return row and row[0]

    def usd(self, month):
        row = self.db.execute("SELECT usd FROM month WHERE name = ?", (month,)).fetchone()
        return row[0] if row else 0.0

    def enter(self, month, began, sessions):
        """Adds what the sessions cost more than at the look before. @param sessions (id, cost, when it was created)"""
        self.db.execute("BEGIN IMMEDIATE")
        try:
            for id, cost, created in sessions:
                row = self.db.execute("SELECT cost FROM session WHERE id = ?", (id,)).fetchone()
                # Of one from before the book began, nobody knows how much of it was this month.
                before = row[0] if row else (0.0 if created >= began else cost)
                more = max(0.0, cost - before)
                self.db.execute("INSERT OR REPLACE INTO session VALUES (?, ?)", (id, cost))
                self.db.execute("INSERT OR IGNORE INTO month VALUES (?, 0)", (month,))
                self.db.execute("UPDATE month SET usd = usd + ? WHERE name = ?", (more, month))
            self.db.execute("COMMIT")
        except BaseException:
            self.db.execute("ROLLBACK")
            raise


class Spending:
    """@param opencode its part of the settings, with the password"""

    def __init__(self, opencode, zone, outbox, report):
        server = Server(opencode)
        self.major = (First if opencode["major"] == 1 else Second)(server)
        self.limit, self.zone, self.outbox, self.report = opencode.get("limit"), zone, outbox, report
        self.book = None
        self.closed = place("/money/closed")
        self.said = ""

    def start(self):
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self):
        while True:
            words = self._turn()
            if words not in ("", self.said):
                say(words)
            self.said = words
            time.sleep(EVERY)

    def _turn(self):
        """What could not be done, in words. What is closed stays closed where the book cannot be read or written."""
        words = ""
        try:
            self.book = self.book or Book(place("/data/spending.db"))
            try:
                self.look(time.time())
            except FAULTS as error:
                words = f"OpenCode's sessions cannot be asked for their cost: {error or type(error).__name__}"
            self.judge(time.time())
        except (sqlite3.Error, OSError) as error:
            return f"the cost of OpenCode's models cannot be written down: {error}"
        return words

    def look(self, now):
        began = float(self.book.fact("began") or self.book.fact("began", month_begin(now, self.zone)))
        since = float(self.book.fact("seen") or began + MARGIN) - MARGIN
        found = [(id, amount(cost), created / 1000) for id, cost, created in self.major.costs(since)]
        self.book.enter(month_of(now, self.zone), began, [one for one in found if one[1] is not None])
        self.book.fact("seen", now)

    def judge(self, now):
        month = month_of(now, self.zone)
        usd = self.book.usd(month)
        closed = bool(self.limit) and usd >= self.limit and self.book.fact("allowed") != month
        body = f"OpenCode's models have cost {usd:.2f} of {self.limit or 0:.2f} USD in {month}."
        if closed:
            body += " They get no more answers until npm run ops -- cost --allow, or the next month."
        warn(self.outbox, "models", month, usd, self.limit, "OpenCode's models have reached", body)
        if closed:
            with open(self.closed, "w", encoding="utf-8") as file:
                file.write(f"{month}\n")
                os.fchmod(file.fileno(), 0o644)
        elif os.path.exists(self.closed):
            os.unlink(self.closed)
        self.report.set("models", {"month": month, "usd": round(usd, 4), "limit": self.limit, "closed": closed})


def allow(zone):
    """Opens the way to the models for the rest of the month. The running service hears of it by its next look."""
    Book(place("/data/spending.db")).fact("allowed", month_of(time.time(), zone))
    try:
        os.unlink(place("/money/closed"))
    except FileNotFoundError:
        pass
