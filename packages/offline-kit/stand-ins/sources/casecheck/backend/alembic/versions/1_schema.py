"""Stand-in for CaseCheck's schema."""
import sqlalchemy as sa
from alembic import op

revision = "1"
down_revision = None


def row() -> list[sa.Column]:
    return [sa.Column("id", sa.String(36), primary_key=True)] + [
        sa.Column(name, sa.DateTime(timezone=True), nullable=False) for name in ("created_at", "updated_at")
    ]


def to(column: str, target: str, nullable: bool = False) -> sa.Column:
    return sa.Column(column, sa.String(36), sa.ForeignKey(target), nullable=nullable)


def text(name: str, size: int | None, nullable: bool = False, **more: object) -> sa.Column:
    return sa.Column(name, sa.String(size) if size else sa.Text(), nullable=nullable, **more)


def time(name: str, nullable: bool = True) -> sa.Column:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def number(name: str, nullable: bool = False) -> sa.Column:
    return sa.Column(name, sa.Integer, nullable=nullable)


def upgrade() -> None:
    op.create_table("roles", sa.Column("name", sa.String(20), primary_key=True), text("id", 36), text("description", 200))
    op.create_table(
        "users",
        *row(),
        text("username", 50, unique=True),
        text("email", 255, unique=True),
        text("full_name", 100),
        text("phone", 20, nullable=True),
        text("department", 100, nullable=True),
        text("password_hash", 100),
        time("last_login_at"),
        sa.Column("role_name", sa.String(20), sa.ForeignKey("roles.name"), nullable=False),
    )
    op.create_table(
        "activity_types",
        *row(),
        text("name", 100, unique=True),
        text("description", 200),
        sa.Column("requires_approval", sa.Boolean, nullable=False),
        text("default_risk_level", 20),
    )
    op.create_table(
        "activity_cases",
        *row(),
        text("case_number", 20, unique=True),
        text("title", 200),
        text("description", None),
        to("activity_type_id", "activity_types.id"),
        text("status", 50),
        text("risk_level", 20),
        time("start_date", nullable=False),
        time("end_date", nullable=False),
        text("location", 200),
        text("venue_details", None, nullable=True),
        number("max_participants"),
        number("current_participants"),
        to("creator_id", "users.id"),
        to("approved_by_id", "users.id", nullable=True),
        time("approved_at"),
    )
    op.create_table(
        "attendance_records",
        *row(),
        to("activity_id", "activity_cases.id"),
        to("user_id", "users.id"),
        text("status", 20),
        time("registered_at", nullable=False),
        time("checked_in_at"),
        time("checked_out_at"),
        text("notes", None, nullable=True),
    )
