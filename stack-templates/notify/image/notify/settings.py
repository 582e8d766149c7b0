"""Where the program finds what it needs. A test gives it another root by NOTIFY_ROOT."""
import json
import os

ROOT = os.environ.get("NOTIFY_ROOT", "")


def place(path):
    return ROOT + path


def read(name):
    """Text of a file of the release, without the line end; empty where it is not there."""
    try:
        with open(place(f"/run/secrets/{name}"), encoding="utf-8") as file:
            return file.read().strip()
    except FileNotFoundError:
        return ""


def settings():
    return json.loads(read("settings.json"))


def urls():
    """Apprise's addresses; each is a secret."""
    return json.loads(read("urls"))


def target_name(index, url):
    """How an address is called where it may be seen: `1 ntfys`. What follows the scheme is secret."""
    return f"{index + 1} {url.split('://', 1)[0].lower()}"


def say(text):
    print(text, flush=True)
