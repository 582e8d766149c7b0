"""Asks OPA about every request but those to log in, as the original's middleware does."""
import json
import re

import httpx
from fastapi import Request
from fastapi.responses import JSONResponse

from app.attendance import record_of
from app.core.config import settings
from app.core.database import transaction
from app.core.security import activity_of_qr_code, decode_token
from app.models.user import Activity

PUBLIC = ("/v1/auth/login", "/v1/auth/register", "/health", "/docs", "/redoc", "/openapi.json")
ACTIONS = [
    (re.compile(pattern), action)
    for pattern, action in (
        ("GET /v1/users/me", "user:read_self"),
        ("GET /v1/users", "user:list"),
        ("GET /v1/activities(/types)?", "activity:list"),
        ("POST /v1/activities", "activity:create"),
        ("GET /v1/activities/([^/]+)(/participants)?", "activity:read"),
        ("POST /v1/activities/([^/]+)/submit", "activity:submit"),
        ("POST /v1/activities/([^/]+)/approve", "activity:approve"),
        ("POST /v1/activities/([^/]+)/start", "activity:start"),
        ("POST /v1/attendance/register", "attendance:register"),
        ("POST /v1/attendance/check-in", "attendance:checkin"),
        ("POST /v1/attendance/check-out", "attendance:checkout"),
        ("POST /v1/attendance/qr-code", "attendance:generate_qr"),
        ("GET /v1/attendance/qr-code/[^/]+", "attendance:validate_qr"),
        ("GET /v1/attendance/activity/([^/]+)(/stats)?", "attendance:view"),
    )
]


async def enforce(request: Request, call_next):
    if request.method == "OPTIONS" or request.url.path.startswith(PUBLIC):
        return await call_next(request)
    kind, _, token = request.headers.get("Authorization", "").partition(" ")
    claims = decode_token(token) if kind == "Bearer" else None
    if claims is None:
        return JSONResponse({"detail": "Not authenticated"}, 401)
    target = f"{request.method} {request.url.path}"
    found = next(((match, action) for pattern, action in ACTIONS if (match := pattern.fullmatch(target))), None)
    resource, context = {}, {}
    if found is not None:
        match, action = found
        resource, context = await about(claims["sub"], match.group(1) if match.re.groups else None, await body_of(request))
    else:
        action = "unknown:read"
    asked = {"subject": {"id": claims["sub"], "role": claims["role"]}, "action": action, "resource": resource, "context": context}
    allowed, reasons = await decision(asked)
    if not allowed:
        return JSONResponse({"detail": "Permission denied", "reasons": reasons}, 403)
    request.state.user_id = claims["sub"]
    return await call_next(request)


async def body_of(request: Request) -> dict:
    try:
        body = json.loads(await request.body() or b"{}")
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


async def about(user_id: str, activity_id: str | None, body: dict) -> tuple[dict, dict]:
    """The activity that a request is about, by its path, its body or its QR code, and how the user attends it."""
    activity_id = activity_id or body.get("activity_id") or activity_of_qr_code(str(body.get("qr_code")))
    async with transaction() as db:
        activity = await db.get(Activity, activity_id) if activity_id else None
        if activity is None:
            return {}, {}
        record = await record_of(db, activity.id, user_id)
    resource = {"id": activity.id, "creator_id": activity.creator_id, "status": activity.status}
    return resource, {"is_checked_in": record is not None and record.status == "CHECKED_IN"}


async def decision(asked: dict) -> tuple[bool, list]:
    try:
        async with httpx.AsyncClient(timeout=5) as client:
            answer = (await client.post(settings.OPA_URL + settings.OPA_POLICY_PATH, json={"input": asked})).raise_for_status()
    except httpx.HTTPError:
        return False, ["Policy evaluation failed - defaulting to deny"]
    result = answer.json().get("result", {})
    return result.get("allow", False), result.get("reasons", [])
