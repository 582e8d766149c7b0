"""Starts TG Signer's web version. Its settings are those of the environment: its own page for them shows api_hash and passwords and writes
them in plain text into the data, and so into the WebDAV backup."""
import json
import os
from pathlib import Path
from urllib.parse import unquote

import backup
import tg_signer.webapp.backup
import uvicorn
from fastapi.responses import HTMLResponse

# What the environment gives, by its name in TG Signer's file.
GIVEN = {
    "api_hash": "TG_API_HASH",
    "proxy": "TG_PROXY",
    "admin_password": "TG_SIGNER_WEB_ADMIN_PASSWORD",
    "session_secret": "TG_SIGNER_WEB_SESSION_SECRET",
}
PAGE = """<!doctype html><html lang="zh"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>TG Signer</title>
<p>这里的配置由部署程序管理：在电脑上用 <code>pulumi config set tgSigner…</code> 修改，然后 <code>pulumi up</code>。<a href="/">返回</a></p>
<p lang="en">These settings belong to the deployment: change them with <code>pulumi config set tgSigner…</code> and <code>pulumi up</code>.
<a href="/">Back</a></p>"""


def without_given(file):
    """Secrets that its settings page wrote once, and that count no longer."""
    try:
        config = json.loads(file.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return
    rest = {key: value for key, value in config.items() if not os.environ.get(GIVEN.get(key, ""))}
    if isinstance(rest.get("webdav"), dict) and os.environ.get("TG_SIGNER_BACKUP_WEBDAV_URL"):
        del rest["webdav"]
    if rest != config:
        new = file.with_suffix(".new")
        new.write_text(json.dumps(rest, ensure_ascii=False), encoding="utf-8")
        new.replace(file)


def with_decoded_login(url):
    """TG Signer decodes neither the user nor the password of its proxy."""
    scheme, separator, rest = url.partition("://")
    login, at, host = rest.rpartition("@")
    return f"{scheme}{separator}{unquote(login)}{at}{host}"


def serve():
    if "TG_PROXY" in os.environ:
        os.environ["TG_PROXY"] = with_decoded_login(os.environ["TG_PROXY"])
    without_given(Path(os.environ["TG_SIGNER_DATA_DIR"]) / "web.config.json")
    # Its app takes the name at its import.
    tg_signer.webapp.backup.WebDavBackupManager = backup.Backup
    from tg_signer.webapp.app import app

    app.router.routes[:] = [route for route in app.router.routes if getattr(route, "path", "") != "/settings"]

    @app.get("/settings")
    async def settings():
        return HTMLResponse(PAGE)

    @app.on_event("startup")
    async def started():
        backup.Backup.starting = False

    # Of a page with live log lines it would wait for the end.
    uvicorn.run(app, host="0.0.0.0", port=8000, workers=1, timeout_graceful_shutdown=3)


if __name__ == "__main__":
    serve()
