"""TG Signer's WebDAV backup with three more rules. Upstream (tg_signer/webapp/backup.py) ends at its start where the server does not
answer, takes the server's file at every start, and overwrites what another host wrote there.

The volume remembers which contents of the file it has read or written. At a start the file is taken only if it is another one, and it
is never overwritten then: that is a conflict, which the health check reports.
"""
import hashlib
import io
import json
import logging
import tarfile
import time
from contextlib import contextmanager
from pathlib import Path

import httpx
from tg_signer.webapp.backup import WebDavBackupManager

log = logging.getLogger("uvicorn.error")

NOTICE = Path("/tmp/notice")
CONFLICT, FAILED = "backup-conflict", "backup-failed"
# A server may be away for a moment.
PATIENCE = 900

missing = {"_make_backup", "_restore", "_ensure_remote_dirs", "_write_status", "run_scheduler"} - set(dir(WebDavBackupManager))
if missing:
    raise ImportError(f"this commit of TG Signer has no {', '.join(sorted(missing))}: see the image's backup.py")


class Conflict(ValueError):
    """A ValueError is a page with its words in TG Signer, other errors are not."""


def notice():
    """The word of what is wrong with the backup, or an empty text."""
    try:
        word, since = NOTICE.read_text(encoding="utf-8"), NOTICE.stat().st_mtime
    except FileNotFoundError:
        return ""
    return "" if word == FAILED and time.time() - since < PATIENCE else word


def note(word):
    """The time of the first of several failures stays."""
    if word is None:
        NOTICE.unlink(missing_ok=True)
    elif not NOTICE.exists() or NOTICE.read_text(encoding="utf-8") != word:
        NOTICE.write_text(word, encoding="utf-8")


@contextmanager
def noted():
    try:
        yield
    except Conflict:
        note(CONFLICT)
        raise
    except Exception:
        note(FAILED)
        raise
    note(None)


class Backup(WebDavBackupManager):
    # Until TG Signer has started.
    starting = True

    def __init__(self, settings, webdav):
        super().__init__(settings, webdav)
        self._known_path = settings.data_dir / "backup.known.json"
        self._got = None

    async def pull_if_exists(self):
        if not Backup.starting:
            with noted():
                return await super().pull_if_exists()
        try:
            with noted():
                async with self._client() as client:
                    own = await self._state(client) == "own"
                if not own:
                    return await super().pull_if_exists()
        except Exception as fault:
            # What is on the volume is used, and not sent over what could not be read.
            log.warning("WebDAV backup: not read at the start (%s: %s); the data on the volume is used", type(fault).__name__, fault)
            self._write_status(last_error=f"{type(fault).__name__}: {fault}"[:500])
            return False
        # The volume may have changed since.
        await self.schedule_push()
        return False

    async def push(self):
        with noted():
            await super().push()

    def _client(self):
        login = (self._webdav.username, self._webdav.password)
        return httpx.AsyncClient(auth=login, timeout=60, follow_redirects=True)

    def _known(self):
        try:
            known = json.loads(self._known_path.read_text(encoding="utf-8"))
        except (FileNotFoundError, ValueError):
            return {}
        return known if known.get("url") == self._remote_url else {}

    def _remember(self, digests, etag=None):
        new = self._known_path.with_suffix(".new")
        new.write_text(json.dumps({"url": self._remote_url, "sha256": digests, "etag": etag}), encoding="utf-8")
        new.replace(self._known_path)

    async def _state(self, client):
        """Of the file on the server: `none`, `own` or `other`."""
        known = self._known()
        head = await client.head(self._remote_url)
        if head.status_code == 404:
            return "none"
        etag = head.headers.get("etag") if head.is_success else None
        if etag and etag == known.get("etag"):
            return "own"
        # Some servers have no ETag, and some give another one to the same contents.
        answer = await client.get(self._remote_url)
        if answer.status_code == 404:
            return "none"
        answer.raise_for_status()
        digest = hashlib.sha256(answer.content).hexdigest()
        if digest not in known.get("sha256", []):
            return "other"
        self._remember([digest], answer.headers.get("etag"))
        return "own"

    async def _download(self):
        async with self._client() as client:
            answer = await client.get(self._remote_url)
        if answer.status_code == 404:
            return None
        answer.raise_for_status()
        self._got = hashlib.sha256(answer.content).hexdigest(), answer.headers.get("etag")
        return self._fernet.decrypt(answer.content) if self._fernet else answer.content

    async def _restore(self, content):
        # Upstream deletes first, and reads then.
        with tarfile.open(fileobj=io.BytesIO(content), mode="r:gz") as archive:
            for member in archive:
                source = archive.extractfile(member) if member.isfile() else None
                while source and source.read(1 << 20):
                    pass
        await super()._restore(content)
        digest, etag = self._got
        self._remember([digest], etag)

    async def _upload(self, content):
        data = self._fernet.encrypt(content) if self._fernet else content
        digest = hashlib.sha256(data).hexdigest()
        async with self._client() as client:
            if await self._state(client) == "other":
                raise Conflict(
                    "服务器上的备份不是本机写入的，没有覆盖它。The backup on the server is not what this host wrote there, so it was not overwritten."
                )
            await self._ensure_remote_dirs(client)
            # The answer may be lost on its way.
            self._remember([*self._known().get("sha256", []), digest])
            headers = {"Content-Type": "application/octet-stream"}
            answer = await client.put(self._remote_url, content=data, headers=headers)
            if answer.status_code in (403, 405, 409, 412):
                # Some servers overwrite nothing.
                await client.delete(self._remote_url)
                answer = await client.put(self._remote_url, content=data, headers=headers)
            answer.raise_for_status()
            head = await client.head(self._remote_url)
            self._remember([digest], head.headers.get("etag") if head.is_success else None)
