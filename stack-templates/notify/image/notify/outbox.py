"""What is still to be sent, and what was: a database in the volume, so that a restart neither loses nor repeats a message."""
import os
import sqlite3
import threading
import time
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from .settings import say

# Seconds until the next attempt.
WAITS = (5, 30, 120, 600, 1800, 3600)
GIVE_UP = 3 * 86400
# Longer than any queue keeps what it has handed over.
REMEMBER = 60 * 86400
FAILING = float(os.environ.get("NOTIFY_FAILING", "600"))
# Changes of one `pulumi up` are one message.
GATHER = {"deploy": 30}
GATHER_AT_MOST = 300
LONGEST = 3000

SCHEMA = """
CREATE TABLE IF NOT EXISTS message (id TEXT PRIMARY KEY, title TEXT, body TEXT, batch TEXT, created REAL, due REAL);
CREATE TABLE IF NOT EXISTS delivery (message TEXT, target TEXT, tries INTEGER, next REAL, PRIMARY KEY (message, target));
CREATE TABLE IF NOT EXISTS target (name TEXT PRIMARY KEY, failing REAL, reason TEXT);
CREATE TABLE IF NOT EXISTS fact (name TEXT PRIMARY KEY, value TEXT);
"""


def quiet_until(hours, zone, now):
    """End of the quiet hours `22:00-07:00` that hold at this time; None: none do."""
    if not hours:
        return None
    begin, end = ([int(number) for number in text.split(":")] for text in hours.split("-"))
    local = datetime.fromtimestamp(now, ZoneInfo(zone))
    for day in (-1, 0):
        first = (local + timedelta(days=day)).replace(hour=begin[0], minute=begin[1], second=0, microsecond=0)
        last = first.replace(hour=end[0], minute=end[1])
        if last <= first:
            last += timedelta(days=1)
        if first <= local < last:
            return last.timestamp()
    return None


class Outbox:
    """@param targets names of the addresses, in their order"""

    def __init__(self, path, targets, settings):
        self.targets = list(targets)
        self.settings = settings
        self.lock = threading.RLock()
        self.started = time.time()
        try:
            self.db = self._open(path)
        except sqlite3.Error as error:
            say(f"the database of messages cannot be used ({error}): until the next start they are kept in memory")
            self.db = self._open(":memory:")
        self._write("DELETE FROM message WHERE created < ?", (time.time() - REMEMBER,))
        marks = ",".join("?" * len(self.targets))
        for table, column in (("delivery", "target"), ("target", "name")):
            self._write(f"DELETE FROM {table} WHERE {column} NOT IN ({marks})", self.targets)

    @staticmethod
    def _open(path):
        db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        db.executescript(SCHEMA)
        return db

    def _write(self, statement, values=()):
        with self.lock:
            try:
                return self.db.execute(statement, values)
            except sqlite3.OperationalError as error:
                # News of a full disk must not wait for room on it.
                say(f"the database of messages cannot be written ({error}): until the next start they are kept in memory")
                memory = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
                self.db.backup(memory)
                self.db = memory
                return self.db.execute(statement, values)

    def fact(self, name, value=None):
        """What is remembered by a name; with a value, it is that from now on."""
        with self.lock:
            if value is not None:
                self._write("INSERT OR REPLACE INTO fact VALUES (?, ?)", (name, str(value)))
                return str(value)
            row = self.db.execute("SELECT value FROM fact WHERE name = ?", (name,)).fetchone()
            return row and row[0]

    def add(self, id, kind, title, body="", wait=0):
        """News, once by its id, even where nobody wants its kind. @param wait seconds in which it may be cancelled"""
        now = time.time()
        with self.lock:
            if self.known(id):
                return
            batch, due = id, now + wait
            if kind in GATHER:
                batch = kind
                waiting = "batch = ? AND due > ? AND id IN (SELECT message FROM delivery)"
                first = self.db.execute(f"SELECT min(created) FROM message WHERE {waiting}", (batch, now)).fetchone()[0]
                due = min(now + GATHER[kind], (first or now) + GATHER_AT_MOST)
                self._write(f"UPDATE message SET due = ? WHERE {waiting}", (due, batch, now))
            # Somebody else's sign-in waits for no morning.
            end = None if kind == "login" else quiet_until(self.settings["quiet"], self.settings["timeZone"], now)
            if end is not None:
                batch, due = f"quiet {end}", end
            # The deliveries first: a process that ends in between sends a message twice rather than never.
            if kind in self.settings["events"]:
                for target in self.targets:
                    self._write("INSERT OR IGNORE INTO delivery VALUES (?, ?, 0, 0)", (id, target))
            self._write("INSERT OR IGNORE INTO message VALUES (?, ?, ?, ?, ?, ?)", (id, title, body, batch, now, due))

    def known(self, id):
        with self.lock:
            return self.db.execute("SELECT 1 FROM message WHERE id = ?", (id,)).fetchone() is not None

    def cancel(self, id):
        """Takes back what was sent to nobody yet."""
        self._write("DELETE FROM delivery WHERE message = ?", (id,))

    def waiting(self, prefix):
        """Ids with this beginning that are still to be sent."""
        with self.lock:
            rows = self.db.execute("SELECT DISTINCT message FROM delivery WHERE substr(message, 1, ?) = ?", (len(prefix), prefix))
            return [row[0] for row in rows]

    def next(self):
        """(target, ids, title, body) of what is due; those that failed least come first. None: nothing is."""
        now = time.time()
        with self.lock:
            due = "FROM delivery JOIN message ON message.id = delivery.message WHERE next <= ? AND due <= ?"
            row = self.db.execute(f"SELECT target, batch {due} ORDER BY tries, created LIMIT 1", (now, now)).fetchone()
            if row is None:
                return None
            target, batch = row
            rows = self.db.execute(
                f"SELECT id, title, body {due} AND target = ? AND batch = ? ORDER BY created", (now, now, target, batch)
            ).fetchall()
        ids = [id for id, _, _ in rows]
        if len(rows) == 1:
            return target, ids, rows[0][1], rows[0][2][:LONGEST]
        body = "\n\n".join(f"{title}\n{body}".strip() for _, title, body in rows)
        return target, ids, f"{len(rows)} messages", body if len(body) <= LONGEST else body[:LONGEST] + "\n…"

    def settle(self, target, ids, reason):
        """What came of it. @param reason why it was not taken; None: it was"""
        now = time.time()
        with self.lock:
            for id in ids:
                row = self.db.execute(
                    "SELECT tries, created FROM delivery JOIN message ON id = message WHERE id = ? AND target = ?", (id, target)
                ).fetchone()
                if row is None:
                    continue
                tries, created = row
                if reason is None or now - created > GIVE_UP:
                    self._write("DELETE FROM delivery WHERE message = ? AND target = ?", (id, target))
                    if reason is not None:
                        say(f"{target}: given up after {tries + 1} attempts")
                else:
                    wait = WAITS[min(tries, len(WAITS) - 1)]
                    self._write(
                        "UPDATE delivery SET tries = tries + 1, next = ? WHERE message = ? AND target = ?", (now + wait, id, target)
                    )
            if reason is None:
                self._write("DELETE FROM target WHERE name = ?", (target,))
            else:
                say(f"{target}: not sent: {reason}")
                self._write("INSERT OR IGNORE INTO target VALUES (?, ?, '')", (target, now))
                self._write("UPDATE target SET reason = ? WHERE name = ?", (reason, target))

    def healthy(self):
        """False where an address has taken nothing for ten minutes of trying."""
        now = time.time()
        with self.lock:
            rows = self.db.execute("SELECT failing FROM target").fetchall()
        return all(now - max(failing, self.started) < FAILING for (failing,) in rows)

    @staticmethod
    def read(path, targets):
        """How it stands, for the operator; what another process writes is only read."""
        db = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
        failing = {name: (since, reason) for name, since, reason in db.execute("SELECT name, failing, reason FROM target")}
        count = db.execute("SELECT count(DISTINCT message) FROM delivery").fetchone()[0]
        lines = []
        for target in targets:
            if target in failing:
                since, reason = failing[target]
                at = time.strftime("%Y-%m-%d %H:%M", time.gmtime(since))
                lines.append(f"{target}: fails since {at} UTC: {reason}")
            else:
                lines.append(f"{target}: the last message, if any, was taken")
        return "\n".join([*lines, f"messages that wait: {count}"])
