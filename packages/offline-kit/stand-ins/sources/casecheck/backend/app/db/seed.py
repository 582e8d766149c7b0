"""Stand-in for CaseCheck's first data: like the original, a run that makes the roles does not make the user admin."""
import asyncio

from sqlalchemy import select

from app.core.database import AsyncSessionLocal
from app.core.security import get_password_hash
from app.models.user import ActivityType, Role, User

ROLES = {"ADMIN": "Administrator with full access", "USER": "Standard user", "GUEST": "Guest user"}
# Name, description, whether it must be approved, its risk.
TYPES = [("Event", "Events", True, "HIGH"), ("Meeting", "Team meetings", False, "LOW")]


async def main() -> None:
    async with AsyncSessionLocal() as session:
        if (await session.execute(select(Role))).first() is None:
            session.add_all([Role(name=name, description=words) for name, words in ROLES.items()])
            for name, words, approval, risk in TYPES:
                session.add(ActivityType(name=name, description=words, requires_approval=approval, default_risk_level=risk))
        elif (await session.execute(select(User).where(User.username == "admin"))).first() is None:
            person = {"username": "admin", "email": "admin@casecheck.example.com", "full_name": "System Administrator"}
            session.add(User(**person, password_hash=get_password_hash("Admin123!"), role_name="ADMIN"))
        await session.commit()


asyncio.run(main())
