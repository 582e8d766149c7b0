"""Stand-in for CaseCheck's first data: like the original, a run that makes the roles does not make the user admin."""
import asyncio

from sqlalchemy import select

from app.core.database import AsyncSessionLocal
from app.core.security import get_password_hash
from app.models.user import Role, User


async def main() -> None:
    async with AsyncSessionLocal() as session:
        if (await session.execute(select(Role))).first() is None:
            session.add_all([Role(name="ADMIN"), Role(name="USER")])
        elif (await session.execute(select(User).where(User.username == "admin"))).first() is None:
            person = {"username": "admin", "email": "admin@casecheck.example.com", "full_name": "System Administrator"}
            session.add(User(**person, password_hash=get_password_hash("Admin123!"), role="ADMIN"))
        await session.commit()


asyncio.run(main())
