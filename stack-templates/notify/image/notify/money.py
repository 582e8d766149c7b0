"""What is shared by bill and spending: the report that the index page and `npm run ops -- cost` read, and warnings on the way to a limit."""
import json
import os
import threading

from .settings import place, say

# Per cent of a limit at which there is a warning.
STEPS = (50, 80, 100)


class Report:
    """One JSON file in the volume that Caddy reads too; its parts come from different threads, and stay over a restart."""

    def __init__(self, folder):
        self.path = os.path.join(folder, "report.json")
        self.lock = threading.Lock()
        self.said = False

    @staticmethod
    def read(path):
        try:
            with open(path, encoding="utf-8") as file:
                found = json.load(file)
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}

    def set(self, part, value):
        """@param value None takes the part out"""
        with self.lock:
            before = self.read(self.path)
            after = {key: one for key, one in {**before, part: value}.items() if one is not None}
            if after == before:
                return
            try:
                with open(f"{self.path}.new", "w", encoding="utf-8") as file:
                    json.dump(after, file)
                    os.fchmod(file.fileno(), 0o644)
                os.replace(f"{self.path}.new", self.path)
            except OSError as error:
                if not self.said:
                    say(f"the report of costs cannot be written ({error})")
                self.said = True


def open_report():
    return Report(place("/money"))


def warn(outbox, what, month, amount, limit, title, body):
    """News at each step of a limit, once in a month: of several that are reached at once, the highest alone."""
    reached = [step for step in STEPS if limit and amount >= limit * step / 100]
    for step in reversed(reached):
        kind = "cost" if step == reached[-1] else "passed"
        outbox.add(f"cost:{what}:{month}:{limit:g}:{step}", kind, f"{title} {step} % of its limit", body)
