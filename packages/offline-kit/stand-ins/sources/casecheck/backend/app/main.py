"""Stand-in for CaseCheck's API: accounts here, what people do with them in the other modules, and its policy before all that."""
import re
from datetime import timedelta

from fastapi import FastAPI, HTTPException, Request
from fastapi.middleware.cors import CORSMiddleware
from pydantic import BaseModel, EmailStr, Field, field_validator
from sqlalchemy import select

from app import activities, answers, attendance
from app.core.config import settings
from app.core.database import transaction
from app.core.security import create_token, get_password_hash, verify_password
from app.models.user import User, now
from app.policy import enforce

app = FastAPI()
app.add_middleware(
    CORSMiddleware,
    allow_origins=settings.BACKEND_CORS_ORIGINS,
    allow_credentials=True,
    allow_methods=["*"],
    allow_headers=["*"],
)
app.middleware("http")(enforce)
app.include_router(activities.router)
app.include_router(attendance.router)


class Credentials(BaseModel):
    username: str
    password: str


class NewUser(BaseModel):
    """With the rules of the original."""

    username: str = Field(min_length=3, max_length=50)
    email: EmailStr
    full_name: str = Field(min_length=1, max_length=100)
    phone: str | None = Field(None, max_length=20)
    department: str | None = Field(None, max_length=100)
    password: str = Field(min_length=8, max_length=100)

    @field_validator("password")
    @classmethod
    def strong(cls, value: str) -> str:
        for kind, name in (("[A-Z]", "uppercase letter"), ("[a-z]", "lowercase letter"), ("[0-9]", "digit")):
            if not re.search(kind, value):
                raise ValueError(f"Password must contain at least one {name}")
        return value


@app.get("/health")
async def health() -> dict[str, str]:
    return {"status": "healthy", "database": "connected"}


@app.post("/v1/auth/login")
async def login(credentials: Credentials) -> dict:
    async with transaction() as db:
        known = (User.username == credentials.username) | (User.email == credentials.username)
        user = (await db.execute(select(User).where(known))).scalar_one_or_none()
        if user is None or not verify_password(credentials.password, user.password_hash):
            raise HTTPException(401, "Incorrect username or password")
        user.last_login_at = now()
        access = create_token("access", user.id, user.role_name, timedelta(minutes=15))
        refresh = create_token("refresh", user.id, user.role_name, timedelta(days=7))
    tokens = {"access_token": access, "refresh_token": refresh, "token_type": "bearer", "expires_in": 900}
    return answers.success(tokens, "Login successful")


@app.post("/v1/auth/register", status_code=201)
async def register(new: NewUser) -> dict:
    async with transaction() as db:
        for column, value in ((User.username, new.username), (User.email, new.email)):
            if (await db.execute(select(User).where(column == value))).first() is not None:
                raise HTTPException(400, f"{column.key.capitalize()} already registered")
        values = new.model_dump(exclude={"password"})
        user = User(**values, password_hash=get_password_hash(new.password), role_name="USER")
        db.add(user)
        await db.flush()
        await db.refresh(user)
        return answers.success(answers.user(user), "User created")


@app.get("/v1/users/me")
async def me(request: Request) -> dict:
    async with transaction() as db:
        return answers.success(answers.user(await db.get_one(User, request.state.user_id)))


@app.get("/v1/users")
async def users(search: str = "") -> dict:
    async with transaction() as db:
        return answers.page([answers.user(row) for row in (await db.execute(select(User).where(User.username.contains(search)))).scalars()])
