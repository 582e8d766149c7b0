"""Fails where CaseCheck's own list names a library that is not installed.

The image installs requirements.txt of this folder by hash. Another commit of CaseCheck may need more than that.
"""
import re
import sys
from importlib.metadata import PackageNotFoundError, version

DEVELOPMENT = {"black", "isort", "mypy", "pytest", "pytest-asyncio", "pytest-cov", "ruff"}


def installed(name: str) -> bool:
    try:
        version(name)
    except PackageNotFoundError:
        return False
    return True


with open(sys.argv[1], encoding="utf-8") as file:
    names = {found.group().lower() for found in (re.match(r"[A-Za-z0-9][\w.-]*", line) for line in file) if found}
missing = sorted(name for name in names - DEVELOPMENT if not installed(name))
if missing:
    sys.exit(f"this commit of CaseCheck needs {', '.join(missing)}: add them to requirements.in and compile it again")
