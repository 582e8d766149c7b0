"""Stand-in for CaseCheck's schema."""
import sqlalchemy as sa
from alembic import op

revision = "1"
down_revision = None


def upgrade() -> None:
    op.create_table("roles", sa.Column("name", sa.String(20), primary_key=True))
    op.create_table(
        "users",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("username", sa.String(50), nullable=False, unique=True),
        sa.Column("email", sa.String(255), nullable=False, unique=True),
        sa.Column("full_name", sa.String(100), nullable=False),
        sa.Column("password_hash", sa.String(100), nullable=False),
        sa.Column("role", sa.String(20), sa.ForeignKey("roles.name"), nullable=False),
    )
    op.create_table("activity_cases", sa.Column("id", sa.Integer, primary_key=True), sa.Column("title", sa.String(200), nullable=False))
