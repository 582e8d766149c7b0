"""Stand-in for CaseCheck's tables."""
from datetime import datetime, timezone
from uuid import uuid4

from sqlalchemy import DateTime, ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship


def now() -> datetime:
    return datetime.now(timezone.utc)


class Base(DeclarativeBase):
    type_annotation_map = {datetime: DateTime(timezone=True)}


class Row(Base):
    """What every table but that of roles begins with."""

    __abstract__ = True
    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=lambda: str(uuid4()))
    created_at: Mapped[datetime] = mapped_column(default=now)
    updated_at: Mapped[datetime] = mapped_column(default=now, onupdate=now)


class Role(Base):
    __tablename__ = "roles"
    name: Mapped[str] = mapped_column(String(20), primary_key=True)
    id: Mapped[str] = mapped_column(String(36), default=lambda: str(uuid4()))
    description: Mapped[str] = mapped_column(String(200))


class User(Row):
    __tablename__ = "users"
    username: Mapped[str] = mapped_column(String(50), unique=True)
    email: Mapped[str] = mapped_column(String(255), unique=True)
    full_name: Mapped[str] = mapped_column(String(100))
    phone: Mapped[str | None] = mapped_column(String(20))
    department: Mapped[str | None] = mapped_column(String(100))
    password_hash: Mapped[str] = mapped_column(String(100))
    last_login_at: Mapped[datetime | None]
    role_name: Mapped[str] = mapped_column(ForeignKey("roles.name"))
    role: Mapped[Role] = relationship(lazy="joined")


class ActivityType(Row):
    __tablename__ = "activity_types"
    name: Mapped[str] = mapped_column(String(100), unique=True)
    description: Mapped[str] = mapped_column(String(200))
    requires_approval: Mapped[bool]
    default_risk_level: Mapped[str] = mapped_column(String(20))


class Activity(Row):
    __tablename__ = "activity_cases"
    case_number: Mapped[str] = mapped_column(String(20), unique=True)
    title: Mapped[str] = mapped_column(String(200))
    description: Mapped[str] = mapped_column(Text)
    activity_type_id: Mapped[str] = mapped_column(ForeignKey("activity_types.id"))
    activity_type: Mapped[ActivityType] = relationship(lazy="joined")
    status: Mapped[str] = mapped_column(String(50), default="DRAFT")
    risk_level: Mapped[str] = mapped_column(String(20))
    start_date: Mapped[datetime]
    end_date: Mapped[datetime]
    location: Mapped[str] = mapped_column(String(200))
    venue_details: Mapped[str | None] = mapped_column(Text)
    max_participants: Mapped[int]
    current_participants: Mapped[int] = mapped_column(default=0)
    creator_id: Mapped[str] = mapped_column(ForeignKey("users.id"))
    approved_by_id: Mapped[str | None] = mapped_column(ForeignKey("users.id"))
    approved_at: Mapped[datetime | None]


class Attendance(Row):
    __tablename__ = "attendance_records"
    __table_args__ = (UniqueConstraint("activity_id", "user_id", name="uq_attendance_activity_user"),)
    activity_id: Mapped[str] = mapped_column(ForeignKey("activity_cases.id"))
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id"))
    status: Mapped[str] = mapped_column(String(20), default="REGISTERED")
    registered_at: Mapped[datetime] = mapped_column(default=now)
    checked_in_at: Mapped[datetime | None]
    checked_out_at: Mapped[datetime | None]
    check_in_gate_id: Mapped[str | None] = mapped_column(String(50))
    qr_code_used: Mapped[str | None] = mapped_column(Text)
    notes: Mapped[str | None] = mapped_column(Text)


class QRCode(Row):
    __tablename__ = "qr_codes"
    activity_id: Mapped[str] = mapped_column(ForeignKey("activity_cases.id"))
    code: Mapped[str] = mapped_column(Text, unique=True)
    gate_id: Mapped[str] = mapped_column(String(50))
    code_type: Mapped[str] = mapped_column(String(20))
    max_uses: Mapped[int | None]
    valid_from: Mapped[datetime]
    valid_until: Mapped[datetime]
    generated_by_id: Mapped[str] = mapped_column(ForeignKey("users.id"))
