"""How the API writes its rows, field by field as the original does."""
from datetime import datetime

from app.models.user import Activity, ActivityType, Attendance, QRCode, Row, User


def success(data: object, message: str | None = None) -> dict:
    return {"success": True, "data": data, "message": message}


def page(data: list) -> dict:
    """A list on its first page; the stand-in has no other."""
    total = len(data)
    pages = {"page": 1, "per_page": 20, "total": total, "total_pages": 1 if total else 0, "has_next": False, "has_prev": False}
    return {"success": True, "data": data, "pagination": pages}


def fields(row: Row, names: str) -> dict:
    values = {name: getattr(row, name) for name in f"id {names} created_at updated_at".split()}
    return {name: stamp(value) if isinstance(value, datetime) else value for name, value in values.items()}


def stamp(value: datetime) -> str:
    return value.isoformat().replace("+00:00", "Z")


def user(row: User) -> dict:
    role = {"id": row.role.id, "name": row.role.name, "description": row.role.description, "is_system": True}
    always = {"is_active": True, "is_verified": row.username == "admin", "profile_image_url": None, "roles": [role]}
    return {**fields(row, "username email full_name phone department last_login_at"), **always}


def activity_type(row: ActivityType) -> dict:
    named = {name: getattr(row, name) for name in ("id", "name", "description", "requires_approval", "default_risk_level")}
    return {**named, "icon": None, "color": None}


def activity(row: Activity) -> dict:
    never = {"risk_assessment": None, "rejected_by_id": None, "rejected_at": None, "rejection_reason": None}
    names = (
        "case_number title description activity_type_id status risk_level start_date end_date location venue_details "
        "max_participants current_participants creator_id approved_by_id approved_at"
    )
    return {**fields(row, names), **never, "activity_type": activity_type(row.activity_type)}


def attendance(row: Attendance) -> dict:
    names = "activity_id user_id status registered_at checked_in_at checked_out_at check_in_gate_id qr_code_used notes"
    return {**fields(row, names), "check_in_method": row.qr_code_used and "QR", "location_verified": False}


def qr_code(row: QRCode) -> dict:
    named = fields(row, "activity_id code gate_id valid_from valid_until max_uses code_type generated_by_id")
    del named["updated_at"]
    return {**named, "is_active": True, "current_uses": 0}
