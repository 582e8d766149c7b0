"""Stand-in for TG Signer's WebDAV backup: the parts that the image's backup.py replaces or uses, with the original's names and habits."""
import asyncio
import base64
import hashlib
import io
import json
import shutil
import tarfile
from dataclasses import dataclass
from pathlib import Path

import httpx
from cryptography.fernet import Fernet


@dataclass(frozen=True)
class Server:
    url: str
    username: str
    password: str
    remote_path: str
    interval_seconds: int
    encryption_key: str


@dataclass(frozen=True)
class Place:
    data_dir: Path


class WebDavBackupManager:
    def __init__(self, settings: Place, webdav: Server):
        self._settings, self._webdav = settings, webdav
        name = webdav.remote_path.strip("/")
        self._remote_file = f"/{name}/backup.latest.tar.gz" if webdav.remote_path.endswith("/") else f"/{name}"
        self._remote_url = webdav.url.rstrip("/") + self._remote_file
        self._dirty, self._event = False, asyncio.Event()
        key = base64.urlsafe_b64encode(hashlib.sha256(webdav.encryption_key.encode()).digest())
        self._fernet = Fernet(key) if webdav.encryption_key else None

    def _write_status(self, *, last_pull_at=None, last_push_at=None, last_error=None):
        (self._settings.data_dir / "backup.status.json").write_text(json.dumps({"last_error": last_error}))

    async def schedule_push(self, reason=""):
        self._dirty = True
        self._event.set()

    async def run_scheduler(self):
        while True:
            try:
                await asyncio.wait_for(self._event.wait(), self._webdav.interval_seconds)
            except TimeoutError:
                pass
            self._event.clear()
            try:
                if self._dirty:
                    await self.push()
                    self._dirty = False
            except Exception:
                await asyncio.sleep(5)

    async def pull_if_exists(self):
        content = await self._download()
        if content is not None:
            await self._restore(content)
        return content is not None

    async def push(self):
        await self._upload(self._make())

    def _make(self):
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
            for name in ["sessions", "workdir"]:
                archive.add(self._settings.data_dir / name, arcname=name)
        return buffer.getvalue()

    async def _make_backup(self):
        return self._make()

    async def _ensure_remote_dirs(self, client):
        place = self._webdav.url.rstrip("/")
        for part in self._remote_file.split("/")[1:-1]:
            place += f"/{part}"
            await client.request("MKCOL", place)

    async def _restore(self, content):
        for name in ["sessions", "workdir"]:
            shutil.rmtree(self._settings.data_dir / name)
        with tarfile.open(fileobj=io.BytesIO(content), mode="r:gz") as archive:
            archive.extractall(self._settings.data_dir, filter="data")
