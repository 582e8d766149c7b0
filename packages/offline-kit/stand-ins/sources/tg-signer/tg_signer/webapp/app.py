"""Stand-in for TG Signer's web version: its login, its pages' login check, its accounts and its live log of a run."""
import asyncio
import json
import os
import re
import secrets
from collections.abc import AsyncIterator
from html import escape
from pathlib import Path
from urllib.parse import urlencode

from fastapi import FastAPI, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response, StreamingResponse
from starlette.middleware.sessions import SessionMiddleware

from tg_signer.webapp.backup import Place, Server, WebDavBackupManager
from tg_signer.webapp.settings import WEBDAV, data_folder, value
from tg_signer.webapp.telegram import first_call

DATA = data_folder()
app = FastAPI()
app.state.backup_manager = None
app.add_middleware(SessionMiddleware, secret_key=value("TG_SIGNER_WEB_SESSION_SECRET"), same_site="lax", https_only=True)


def login_page(request: Request, next_path: str, status: int = 200) -> HTMLResponse:
    token = request.session.setdefault("csrf_token", secrets.token_urlsafe(32))
    error = "<p>wrong user or password</p>" if status == 401 else ""
    return HTMLResponse(
        f"""<!doctype html><title>TG Signer Web</title>{error}<form method="post" action="/login">
<input type="hidden" name="csrf_token" value="{token}"><input type="hidden" name="next" value="{escape(next_path)}">
<input name="username" value="admin"><input type="password" name="password"><button>OK</button></form>""",
        status,
    )


def stranger(request: Request) -> Response | None:
    if request.session.get("logged_in") is True:
        return None
    return RedirectResponse("/login?" + urlencode({"next": request.url.path}), 303)


@app.on_event("startup")
async def start() -> None:
    if not value(WEBDAV[0]):
        return
    interval, key = int(value("TG_SIGNER_BACKUP_INTERVAL_SECONDS")), value("TG_SIGNER_BACKUP_ENCRYPTION_KEY")
    manager = WebDavBackupManager(Place(DATA), Server(*(value(name) for name in WEBDAV), interval, key))
    app.state.backup_manager = manager
    await manager.pull_if_exists()
    app.state.backup_task = asyncio.create_task(manager.run_scheduler())


@app.exception_handler(ValueError)
async def refused(request: Request, fault: ValueError) -> Response:
    return HTMLResponse(escape(str(fault)), 400)


@app.post("/backup/push")
async def push(request: Request) -> Response:
    if page := stranger(request):
        return page
    await app.state.backup_manager.push()
    return RedirectResponse("/backup?ok=1", 303)


@app.get("/settings")
async def settings(request: Request) -> Response:
    return stranger(request) or HTMLResponse(escape(value("TG_API_HASH")))


@app.get("/healthz")
async def healthz() -> dict[str, str]:
    return {"status": "ok"}


@app.get("/login")
async def show_login(request: Request, next: str = "/") -> Response:
    return login_page(request, next)


@app.post("/login")
async def do_login(
    request: Request, username: str = Form(""), password: str = Form(""), next: str = Form("/"), csrf_token: str = Form("")
) -> Response:
    expected = request.session.get("csrf_token", "")
    if not expected or not secrets.compare_digest(expected, csrf_token):
        return HTMLResponse("csrf validation failed", 403)
    if username.strip() != "admin" or password != value("TG_SIGNER_WEB_ADMIN_PASSWORD"):
        return login_page(request, next, 401)
    request.session["logged_in"] = True
    return RedirectResponse(next if re.match("/(?!/)", next) else "/", 303)


@app.get("/")
async def index(request: Request) -> Response:
    names = "".join(f"<li>{escape(path.name)}</li>" for path in sorted((DATA / "sessions").iterdir()))
    return stranger(request) or HTMLResponse(f"<!doctype html><title>TG Signer Web</title><ul>{names}</ul>")


def accounts() -> dict[str, dict[str, str]]:
    file = DATA / "accounts.json"
    return json.loads(file.read_text())["accounts"] if file.exists() else {}


def keep_account(name: str, words: dict[str, str]) -> None:
    if not re.fullmatch("[0-9A-Za-z][0-9A-Za-z_-]{0,63}", name):
        raise ValueError("no name of an account")
    known = accounts()
    (DATA / "accounts.json").write_text(json.dumps({"accounts": {**known, name: {**known.get(name, {}), **words}}}))


def checked(request: Request, csrf_token: str) -> Response | None:
    if not secrets.compare_digest(request.session.get("csrf_token", ""), csrf_token):
        return HTMLResponse("csrf validation failed", 403)
    return stranger(request)


@app.get("/accounts")
async def show_accounts(request: Request) -> Response:
    names = "".join(f"<li>{escape(name)}</li>" for name in accounts())
    return stranger(request) or HTMLResponse(f"<!doctype html><title>TG Signer Web</title><ul>{names}</ul>")


@app.post("/accounts")
async def add_account(request: Request, account_name: str = Form(""), csrf_token: str = Form("")) -> Response:
    if page := checked(request, csrf_token):
        return page
    keep_account(account_name, {})
    return RedirectResponse("/accounts", 303)


@app.post("/accounts/{name}/login/start")
async def start_login(request: Request, name: str, phone_number: str = Form(""), csrf_token: str = Form("")) -> Response:
    if page := checked(request, csrf_token):
        return page
    keep_account(name, {})
    fault = await first_call(os.environ.get("TG_PROXY", ""))
    keep_account(name, {"last_error": fault})
    return HTMLResponse(escape(fault), 400)


async def tail(request: Request, path: Path) -> AsyncIterator[str]:
    offset = 0
    while not await request.is_disconnected():
        if path.exists():
            with path.open("rb") as log:
                log.seek(offset)
                chunk = log.read()
            offset += len(chunk)
            for line in chunk.decode(errors="replace").splitlines():
                yield f"event: log\ndata: {line}\n\n"
        await asyncio.sleep(1)


@app.get("/runs/{run_id}/logs/stream")
async def stream(request: Request, run_id: str) -> Response:
    path = DATA / "runs" / re.sub("[^0-9A-Za-z_-]", "", run_id) / "run.log"
    return stranger(request) or StreamingResponse(
        tail(request, path), media_type="text/event-stream", headers={"Cache-Control": "no-cache"}
    )
