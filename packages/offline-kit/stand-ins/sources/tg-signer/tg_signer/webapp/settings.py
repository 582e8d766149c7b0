"""Stand-in for TG Signer's settings: the same variables, but what is missing or wrong ends the program with a list of it."""
import fcntl
import os
import re
from pathlib import Path

WEBDAV = ["TG_SIGNER_BACKUP_WEBDAV_URL", "TG_SIGNER_BACKUP_WEBDAV_USERNAME", "TG_SIGNER_BACKUP_WEBDAV_PASSWORD", "TG_SIGNER_BACKUP_REMOTE_PATH"]


def value(name: str) -> str:
    """As the original reads it."""
    return os.environ.get(name, "").strip()


def faults() -> list[str]:
    folder = os.environ.get("TG_SIGNER_DATA_DIR", "")
    given = [name for name in WEBDAV if value(name)]
    told = {
        "TG_SIGNER_DATA_DIR is no mounted folder, so that the Telegram sessions would be lost": not (folder.startswith("/") and os.path.ismount(folder)),
        "TG_SIGNER_DATA_DIR cannot be written": not os.access(folder or "/nowhere", os.W_OK | os.X_OK),
        "TG_API_ID is no number": not value("TG_API_ID").isdecimal(),
        "TG_API_HASH is not 32 hexadecimal digits": re.fullmatch("[0-9a-f]{32}", value("TG_API_HASH")) is None,
        "TG_SIGNER_WEB_ADMIN_PASSWORD is empty: a password would be made and logged": not value("TG_SIGNER_WEB_ADMIN_PASSWORD"),
        "TG_SIGNER_WEB_SESSION_SECRET has fewer than 32 characters": len(value("TG_SIGNER_WEB_SESSION_SECRET")) < 32,
        "TG_SIGNER_WEB_COOKIE_SECURE is not 1": value("TG_SIGNER_WEB_COOKIE_SECURE") != "1",
        "TG_PROXY is no proxy": value("TG_PROXY") != "" and re.match("(socks[45]|http)://", value("TG_PROXY")) is None,
        f"of the WebDAV variables only {given} are there": 0 < len(given) < len(WEBDAV),
        "it runs as root": os.getuid() == 0,
        "HOME cannot be written": not os.access(os.environ.get("HOME", "/nowhere"), os.W_OK),
    }
    return [fault for fault, holds in told.items() if holds]


def data_folder() -> Path:
    """The checked data folder, which this process alone uses."""
    problems = faults()
    if problems:
        raise SystemExit("stand-in for TG Signer: " + "; ".join(problems))
    folder = Path(os.environ["TG_SIGNER_DATA_DIR"])
    for name in ["sessions", "workdir", "runs"]:
        (folder / name).mkdir(exist_ok=True)
    lock = (folder / "instance.lock").open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        raise SystemExit("stand-in for TG Signer: another instance uses the same sessions") from None
    held.append(lock)
    return folder


held: list[object] = []
