"""Stand-in for CaseCheck's passwords (bcrypt), tokens and QR codes (JWT)."""
import secrets
from datetime import datetime, timedelta, timezone

import bcrypt
import jwt
from fastapi import HTTPException

from app.core.config import settings


def get_password_hash(password: str) -> str:
    return bcrypt.hashpw(password.encode(), bcrypt.gensalt(10)).decode()


def verify_password(plain_password: str, hashed_password: str) -> bool:
    return bcrypt.checkpw(plain_password.encode(), hashed_password.encode())


def sign(claims: dict) -> str:
    return jwt.encode(claims, settings.SECRET_KEY, "HS256")


def create_token(kind: str, subject: str, role: str, lifetime: timedelta) -> str:
    return sign({"sub": subject, "role": role, "type": kind, "exp": datetime.now(timezone.utc) + lifetime})


def decode_token(token: str) -> dict | None:
    """The claims of an access token; a QR code is none."""
    try:
        claims = jwt.decode(token, settings.SECRET_KEY, ["HS256"])
    except jwt.InvalidTokenError:
        return None
    return claims if claims.get("type") == "access" else None


def create_qr_code(activity_id: str, gate_id: str, valid_from: datetime, valid_until: datetime) -> str:
    claims = {"activity_id": activity_id, "gate_id": gate_id, "jti": secrets.token_urlsafe(16)}
    return sign({**claims, "nbf": valid_from, "exp": valid_until})


def activity_of_qr_code(code: str) -> str | None:
    """Also of one that has expired."""
    try:
        return jwt.decode(code, settings.SECRET_KEY, ["HS256"], options={"verify_exp": False}).get("activity_id")
    except jwt.InvalidTokenError:
        return None


def read_qr_code(code: str) -> dict:
    try:
        return jwt.decode(code, settings.SECRET_KEY, ["HS256"])
    except jwt.ExpiredSignatureError as fault:
        raise HTTPException(400, "QR code has expired") from fault
    except jwt.InvalidTokenError as fault:
        raise HTTPException(400, "Invalid QR code") from fault
