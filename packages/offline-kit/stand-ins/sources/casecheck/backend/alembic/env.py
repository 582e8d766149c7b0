"""Stand-in for CaseCheck's migrations: the raw address goes through ConfigParser, where a % ends them."""
import asyncio

from alembic import context
from app.core.config import settings
from app.models.user import Base
from sqlalchemy import pool
from sqlalchemy.ext.asyncio import async_engine_from_config

config = context.config
config.set_main_option("sqlalchemy.url", settings.DATABASE_URL)


def migrate(connection) -> None:
    context.configure(connection=connection, target_metadata=Base.metadata)
    with context.begin_transaction():
        context.run_migrations()


async def main() -> None:
    engine = async_engine_from_config(config.get_section("alembic", {}), prefix="sqlalchemy.", poolclass=pool.NullPool)
    async with engine.connect() as connection:
        await connection.run_sync(migrate)
    await engine.dispose()


asyncio.run(main())
