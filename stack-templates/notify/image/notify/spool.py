"""News that others left as files: the first line is its kind, the second its title, the rest its text."""
import os
import tempfile
import time

LARGEST = 16384
KEEP = 3 * 86400


def clean(text):
    return "".join(letter if letter == "\n" or letter.isprintable() else " " for letter in text)


class Spool:
    """A folder that another user fills and empties; here it is only read. @param kind the only one that may come from there"""

    def __init__(self, folder, outbox, kind=None):
        self.folder, self.outbox, self.kind = folder, outbox, kind
        self.seen = set()

    def take(self):
        try:
            names = sorted(name for name in os.listdir(self.folder) if not name.startswith("."))
        except FileNotFoundError:
            return
        for name in names:
            if name not in self.seen:
                self._take(name)
        self.seen = set(names)

    def _take(self, name):
        try:
            with open(os.open(os.path.join(self.folder, name), os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb") as file:
                text = file.read(LARGEST).decode("utf-8", "replace")
        except OSError:
            return
        kind, title, body = (text.split("\n", 2) + ["", ""])[:3]
        self.outbox.add(f"{self.folder}/{name}", self.kind or kind.strip(), clean(title)[:200], clean(body).strip())


def leave(folder, kind, title, body):
    """Writes such a file, whole or not at all, and removes those that were read long ago."""
    for name in os.listdir(folder):
        path = os.path.join(folder, name)
        if not name.startswith(".") and time.time() - os.stat(path).st_mtime > KEEP:
            os.unlink(path)
    handle, path = tempfile.mkstemp(prefix=".", dir=folder)
    with open(handle, "w", encoding="utf-8") as file:
        file.write(f"{kind}\n{title}\n{body}\n")
        os.fchmod(file.fileno(), 0o644)
    os.rename(path, os.path.join(folder, f"{time.time_ns()}{os.path.basename(path)}"))
