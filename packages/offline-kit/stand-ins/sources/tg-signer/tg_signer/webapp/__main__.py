"""Stand-in for TG Signer's web version: starts its one server process."""
import os

import uvicorn


def main() -> None:
    port = int(os.environ.get("PORT", "8000"))
    uvicorn.run("tg_signer.webapp.app:app", host=os.environ.get("HOST", "0.0.0.0"), port=port, workers=1)


if __name__ == "__main__":
    main()
