"""Reads Authelia's database, as Authelia's user, and leaves news of a sign-in from a new address and of a new second factor.

Its tables: https://github.com/authelia/authelia/tree/master/internal/storage/migrations
"""
import ipaddress
import json
import os
import sqlite3
import time

from .settings import place, say
from .spool import clean, leave

EVERY = float(os.environ.get("NOTIFY_EVERY", "20"))
# An address that was not seen for so long is new again.
KNOWN = 90 * 86400
FACTORS = {"webauthn_credentials": "A passkey", "totp_configurations": "An authenticator app"}


def network(address):
    """What counts as one address: with IPv6 a device changes the lower half of its own every day (RFC 8981)."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    return str(ipaddress.ip_network((parsed, 64), strict=False)) if parsed.version == 6 else str(parsed)


class Reader:
    def __init__(self, database, folder):
        self.database, self.folder = database, folder
        self.state = os.path.join(folder, ".state")

    def _read(self, db, state):
        """News since the state, and the state after it. At the first time there are none."""
        tables = {name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        news, after = [], dict(state)
        if "authentication_logs" in tables:
            last = state.get("last")
            rows = db.execute(
                "SELECT id, CAST(strftime('%s', time) AS INTEGER), username, auth_type, remote_ip FROM authentication_logs"
                " WHERE successful AND NOT banned ORDER BY id"
            ).fetchall()
            seen, told = {}, {}
            for id, at, user, kind, address in rows:
                level = "password" if kind == "1FA" else "all"
                key = (user, network(address or ""), level)
                if last is not None and id > last and (at or 0) - seen.get(key, -KNOWN) >= KNOWN:
                    told[(user, address)] = "all" if "all" in (level, told.get((user, address))) else level
                # A complete sign-in includes the password.
                for each in ("password", level):
                    seen[key[:2] + (each,)] = at or 0
            after["last"] = max([last or 0, *(row[0] for row in rows)])
            for (user, address), level in told.items():
                what = "signed in" if level == "all" else "gave the right password, and no second factor yet,"
                news.append((f"New address: {user} {what} from {address}", "Was it you? If not: npm run ops -- password"))
        for table, words in FACTORS.items():
            if table in tables:
                rows = db.execute(f"SELECT id, username FROM {table} ORDER BY id").fetchall()
                if table in state:
                    news += [(f"{words} was registered for {user}", "Was it you? If not: npm run ops -- devices") for id, user in rows if id > state[table]]
                after[table] = max([state.get(table, 0), *(id for id, _ in rows)])
        return news, after

    def look(self):
        if not os.path.exists(self.database):
            return
        try:
            with open(self.state, encoding="utf-8") as file:
                state = json.load(file)
        except (FileNotFoundError, ValueError):
            state = {}
        db = sqlite3.connect(f"file:{self.database}?mode=ro", uri=True, timeout=5)
        try:
            news, after = self._read(db, state)
        finally:
            db.close()
        for title, body in news:
            leave(self.folder, "login", clean(title).replace("\n", " "), body)
        if after != state:
            with open(f"{self.state}.new", "w", encoding="utf-8") as file:
                json.dump(after, file)
            os.replace(f"{self.state}.new", self.state)


def run():
    reader = Reader(place("/gateway/db.sqlite3"), place("/sign-ins"))
    said = ""
    while True:
        words, healthy = "", True
        try:
            reader.look()
        except (sqlite3.Error, OSError) as error:
            words = str(error)
            # Authelia may be writing at this moment. A file that is no database is its fault: it would not be healthy itself.
            healthy = words == "file is not a database"
        if words not in ("", said):
            say(f"Authelia's database cannot be read: {words}")
        said = words
        if healthy:
            with open(place("/tmp/healthy"), "w", encoding="utf-8"):
                pass
        time.sleep(EVERY)
