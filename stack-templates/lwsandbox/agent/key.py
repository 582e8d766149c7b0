"""Keeps one API key of liteboxd's for an agent, and the template of the agent's sandboxes. It asks the server alone and answers nobody.

In the volume /key: `key` while there is a good one, else `problem` with what the operator can do. liteboxd makes keys in a session
alone, so this signs in with the password of its pages, and out again at once. A key lives for two days and is renewed after one; one that
was revoked in the pages is renewed within a minute. At its end the key is revoked, so that none outlives the setting.

usage: key.py SERVER USER IMAGE [FOLDER PASSWORD_FILE LOOKED PAUSE]
"""
import datetime
import http.client
import http.cookies
import json
import os
import re
import signal
import sys
import threading
from urllib.parse import quote, urlsplit

NAME = "agent of OpenCode (cloudcode)"
DAYS = 2
RENEWED = datetime.timedelta(days=1)
# Of an answer this much is read.
MOST = 1 << 20
FORM = re.compile(r"lbxk_[0-9A-Za-z_-]{20,200}")
TEMPLATE = "agent"

server, user, image = sys.argv[1:4]
folder, password_file, looked, pause_text = sys.argv[4:] or ("/key", "/run/secrets/admin-password", "/tmp/looked", "60")
# Seconds between two looks.
PAUSE = int(pause_text)
address = urlsplit(server)
over = threading.Event()


class Refused(Exception):
    """What the operator must do something about."""


def ask(method, path, body=None, *, headers=None, good=(200, 201)):
    """Status, headers and what the JSON says. @raises OSError, http.client.HTTPException where nobody answers; ValueError where it is no JSON"""
    connection = http.client.HTTPConnection(address.hostname, address.port, timeout=10)
    try:
        text = None if body is None else json.dumps(body)
        sent = {**({} if text is None else {"content-type": "application/json"}), **(headers or {})}
        connection.request(method, f"/api/v1{path}", body=text, headers=sent)
        response = connection.getresponse()
        content = response.read(MOST)
        return response.status, response, json.loads(content) if response.status in good and content else None
    finally:
        connection.close()


def bearer(key):
    return {"authorization": f"Bearer {key}"}


class Session:
    """Signed in, as its pages are."""

    def __enter__(self):
        with open(password_file, encoding="utf-8") as file:
            password = file.read()
        status, response, _ = ask("POST", "/auth/login", {"username": user, "password": password})
        if status == 401:
            raise Refused(
                "lwsandbox refuses its own administrator, whose password was changed in its pages: the operator sets "
                "lwsandboxAdminPassword to that password and runs pulumi up"
            )
        cookies = http.cookies.SimpleCookie()
        for header in response.headers.get_all("set-cookie", []):
            cookies.load(header)
        if status != 200 or "liteboxd_session" not in cookies:
            raise OSError(f"liteboxd answers {status} to the login")
        self.headers = {"cookie": f"liteboxd_session={cookies['liteboxd_session'].value}"}
        return self

    def __exit__(self, *_):
        try:
            ask("POST", "/auth/logout", headers=self.headers)
        except (OSError, http.client.HTTPException, ValueError):
            pass

    def make(self):
        status, _, made = ask("POST", "/auth/api-keys", {"name": NAME, "expires_in_days": DAYS}, headers=self.headers)
        key = made.get("key") if isinstance(made, dict) else None
        if status != 201 or not isinstance(key, str) or not FORM.fullmatch(key):
            raise OSError(f"liteboxd answers {status} and makes no key")
        return key, made.get("id")

    def revoke(self, but=None):
        """Every key of this name, which nothing else uses."""
        status, _, known = ask("GET", "/auth/api-keys", headers=self.headers)
        if status != 200:
            raise OSError(f"liteboxd answers {status} to the question for its keys")
        for one in known or []:
            if one["name"] == NAME and one["id"] != but:
                ask("DELETE", f"/auth/api-keys/{quote(str(one['id']), safe='')}", headers=self.headers)


def path_of(name):
    return os.path.join(folder, name)


def put(name, text):
    """One of the two files, for the agent's service to read; the other one goes."""
    # One that a sudden end left behind could not be opened again.
    remove(f"{name}.new")
    with open(path_of(f"{name}.new"), "w", encoding="utf-8", opener=lambda path, flags: os.open(path, flags, 0o444)) as file:
        file.write(text)
    os.replace(path_of(f"{name}.new"), path_of(name))
    remove("problem" if name == "key" else "key")


def remove(name):
    try:
        os.unlink(path_of(name))
    except FileNotFoundError:
        pass


def known_key():
    """The key that is there, if it is young and good."""
    try:
        with open(path_of("key"), encoding="utf-8") as file:
            key = file.read()
            made = datetime.datetime.fromtimestamp(os.fstat(file.fileno()).st_mtime, datetime.timezone.utc)
    except FileNotFoundError:
        return None
    if not FORM.fullmatch(key) or datetime.datetime.now(datetime.timezone.utc) - made > RENEWED:
        return None
    status, _, _ = ask("GET", "/auth/me", headers=bearer(key))
    if status not in (200, 401):
        raise OSError(f"liteboxd answers {status}")
    return key if status == 200 else None


def keep():
    key = known_key()
    if key is None:
        with Session() as session:
            key, made = session.make()
            put("key", key)
            session.revoke(but=made)
    keep_template(key)


def keep_template(key):
    """The template is this program's: as often as it is changed or gone, it is made what it was."""
    spec = {
        "image": image,
        # Ends when it is told to, where sleep alone would be killed after half a minute.
        "command": ["sh", "-c", "trap 'exit 0' TERM; while :; do sleep 3600 & wait $!; done"],
        "resources": {"cpu": "1000m", "memory": "1Gi"},
        "ttl": 3600,
        "network": {"allowInternetAccess": True},
    }
    words = {
        "displayName": "Agent",
        "description": "Debian with Python and the internet, for OpenCode's agent. cloudcode keeps it as it is: make others for other work.",
        "tags": ["cloudcode"],
        "spec": spec,
    }
    status, _, known = ask("GET", f"/templates/{TEMPLATE}", headers=bearer(key))
    if status == 404:
        status, _, _ = ask("POST", "/templates", {"name": TEMPLATE, "isPublic": True, **words}, headers=bearer(key))
    elif status == 200 and not same(spec, (known or {}).get("spec")):
        changed = {**words, "isPublic": True, "changelog": "cloudcode"}
        status, _, _ = ask("PUT", f"/templates/{TEMPLATE}", changed, headers=bearer(key))
    if status not in (200, 201):
        raise OSError(f"liteboxd answers {status} to its template")


def same(wanted, known):
    """Whether what is wanted is known; liteboxd adds more."""
    if isinstance(wanted, dict):
        return isinstance(known, dict) and all(same(value, known.get(name)) for name, value in wanted.items())
    return wanted == known


def say(words):
    print(words, file=sys.stderr, flush=True)


def look():
    """One round. Returns how long to wait for the next."""
    try:
        keep()
        return PAUSE
    except Refused as error:
        put("problem", str(error))
        say(str(error))
        return 10 * PAUSE
    except (OSError, http.client.HTTPException, ValueError, LookupError, TypeError, AttributeError) as error:
        # Only words of this program and of the system: an answer may say anything.
        say(f"the agent's key: {error if isinstance(error, OSError) else type(error).__name__}")
        return min(5, PAUSE)


def touch():
    with open(looked, "w", encoding="utf-8"):
        pass


def main():
    for sign in (signal.SIGTERM, signal.SIGINT):
        signal.signal(sign, lambda *_: over.set())
    while not over.is_set():
        pause = look()
        touch()
        # In small steps, so that a long pause is no sign of ill health.
        while pause > 0 and not over.wait(min(pause, PAUSE)):
            pause -= PAUSE
            touch()
    remove("key")
    try:
        with Session() as session:
            session.revoke()
    except (Refused, OSError, http.client.HTTPException, ValueError, LookupError, TypeError):
        say("the agent's key could not be revoked now: it expires by itself within two days")


main()
