"""Stand-in for CaseCheck's database sessions."""
from contextlib import asynccontextmanager

from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine
from sqlalchemy.pool import NullPool

from app.core.config import settings

engine = create_async_engine(settings.DATABASE_URL, poolclass=NullPool)
AsyncSessionLocal = async_sessionmaker(engine, expire_on_commit=False)


@asynccontextmanager
async def transaction():
    """What one request changes, all or nothing."""
    async with AsyncSessionLocal() as session, session.begin():
        yield session
