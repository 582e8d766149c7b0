"""Stand-in for CaseCheck's API: login, registration, and activities that its policy decides on."""
import re

import httpx
from fastapi import FastAPI, HTTPException, Request
from fastapi.middleware.cors import CORSMiddleware
from fastapi.responses import JSONResponse
from pydantic import BaseModel, EmailStr, Field, field_validator
from sqlalchemy import select

from app.core.config import settings
from app.core.database import AsyncSessionLocal
from app.core.security import create_access_token, decode_token, get_password_hash, verify_password
from app.models.user import Activity, User

PUBLIC = ["/v1/auth/login", "/v1/auth/register", "/health", "/docs", "/redoc", "/openapi.json"]
ACTIONS = {
    ("GET", "/v1/activities"): "activity:list",
    ("POST", "/v1/activities"): "activity:create",
    ("GET", "/v1/users"): "user:list",
}
app = FastAPI()
app.add_middleware(
    CORSMiddleware,
    allow_origins=settings.BACKEND_CORS_ORIGINS,
    allow_credentials=True,
    allow_methods=["*"],
    allow_headers=["*"],
)


@app.middleware("http")
async def enforce(request: Request, call_next):
    if request.method == "OPTIONS" or any(request.url.path.startswith(path) for path in PUBLIC):
        return await call_next(request)
    kind, _, token = request.headers.get("Authorization", "").partition(" ")
    claims = decode_token(token) if kind == "Bearer" else None
    if claims is None:
        return JSONResponse({"detail": "Not authenticated"}, 401)
    action = ACTIONS.get((request.method, request.url.path), "unknown:read")
    asked = {"input": {"subject": {"id": claims["sub"], "role": claims["role"]}, "action": action, "resource": {}, "context": {}}}
    try:
        async with httpx.AsyncClient(timeout=5) as client:
            answer = (await client.post(settings.OPA_URL + settings.OPA_POLICY_PATH, json=asked)).raise_for_status()
        allowed = answer.json().get("result", {}).get("allow", False)
    except httpx.HTTPError:
        allowed = False
    return await call_next(request) if allowed else JSONResponse({"detail": "Permission denied"}, 403)


class Credentials(BaseModel):
    username: str
    password: str


class NewUser(BaseModel):
    """With the rules of the original."""

    username: str = Field(min_length=3, max_length=50)
    email: EmailStr
    full_name: str = Field(min_length=1, max_length=100)
    password: str = Field(min_length=8, max_length=100)

    @field_validator("password")
    @classmethod
    def strong(cls, value: str) -> str:
        if not all(re.search(kind, value) for kind in ("[A-Z]", "[a-z]", "[0-9]")):
            raise ValueError("Password must contain an uppercase letter, a lowercase letter and a digit")
        return value


class NewActivity(BaseModel):
    title: str


@app.get("/health")
async def health() -> dict[str, str]:
    return {"status": "healthy", "database": "connected"}


@app.post("/v1/auth/login")
async def login(credentials: Credentials) -> dict[str, object]:
    async with AsyncSessionLocal() as session:
        user = (await session.execute(select(User).where((User.username == credentials.username) | (User.email == credentials.username)))).scalar_one_or_none()
    if user is None or not verify_password(credentials.password, user.password_hash):
        raise HTTPException(401, "Incorrect username or password")
    token = create_access_token({"sub": str(user.id), "role": user.role})
    return {"success": True, "data": {"access_token": token, "token_type": "bearer"}}


@app.post("/v1/auth/register", status_code=201)
async def register(user: NewUser) -> dict[str, bool]:
    async with AsyncSessionLocal() as session:
        for column, value in ((User.username, user.username), (User.email, user.email)):
            if (await session.execute(select(User).where(column == value))).first() is not None:
                raise HTTPException(400, f"{column.key} already registered")
        person = {"username": user.username, "email": user.email, "full_name": user.full_name}
        session.add(User(**person, password_hash=get_password_hash(user.password), role="USER"))
        await session.commit()
    return {"success": True}


@app.get("/v1/activities")
async def activities() -> dict[str, object]:
    async with AsyncSessionLocal() as session:
        return {"success": True, "data": [{"title": row.title} for row in (await session.execute(select(Activity))).scalars()]}


@app.get("/v1/users")
async def users() -> dict[str, object]:
    async with AsyncSessionLocal() as session:
        return {"success": True, "data": [{"username": row.username} for row in (await session.execute(select(User))).scalars()]}


@app.post("/v1/activities", status_code=201)
async def create(activity: NewActivity) -> dict[str, bool]:
    async with AsyncSessionLocal() as session:
        session.add(Activity(title=activity.title))
        await session.commit()
    return {"success": True}
