"""As in the original, QR codes come in a later revision, with the rule that a participant has one record. Where one has two, it fails."""
import sqlalchemy as sa
from alembic import op

revision = "2"
down_revision = "1"


def upgrade() -> None:
    op.create_table(
        "qr_codes",
        sa.Column("id", sa.String(36), primary_key=True),
        *(sa.Column(name, sa.DateTime(timezone=True), nullable=False) for name in ("created_at", "updated_at", "valid_from", "valid_until")),
        sa.Column("activity_id", sa.String(36), sa.ForeignKey("activity_cases.id"), nullable=False),
        sa.Column("code", sa.Text, nullable=False, unique=True),
        sa.Column("gate_id", sa.String(50), nullable=False),
        sa.Column("code_type", sa.String(20), nullable=False),
        sa.Column("max_uses", sa.Integer),
        sa.Column("generated_by_id", sa.String(36), sa.ForeignKey("users.id"), nullable=False),
    )
    op.add_column("attendance_records", sa.Column("check_in_gate_id", sa.String(50)))
    op.add_column("attendance_records", sa.Column("qr_code_used", sa.Text))
    op.create_unique_constraint("uq_attendance_activity_user", "attendance_records", ["activity_id", "user_id"])
