"""Gives the user admin the password of ADMIN_PASSWORD: CaseCheck makes this user with a public one and has no way to change it."""
import asyncio
import os

from sqlalchemy import select

from app.core.database import AsyncSessionLocal
from app.core.security import get_password_hash, verify_password
from app.models.user import User


async def main() -> None:
    password = os.environ["ADMIN_PASSWORD"]
    async with AsyncSessionLocal() as session:
        admin = (await session.execute(select(User).where(User.username == "admin"))).scalar_one()
        if not verify_password(password, admin.password_hash):
            admin.password_hash = get_password_hash(password)
            await session.commit()


asyncio.run(main())
