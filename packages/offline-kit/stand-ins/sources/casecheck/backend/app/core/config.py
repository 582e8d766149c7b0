"""Stand-in for CaseCheck's settings: the same variables, but what the original would take wrongly ends the program."""
from pydantic import field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    model_config = SettingsConfigDict(case_sensitive=True, extra="allow")

    API_V1_PREFIX: str
    DATABASE_URL: str
    SECRET_KEY: str
    BACKEND_CORS_ORIGINS: list[str]
    OPA_URL: str
    OPA_POLICY_PATH: str

    @field_validator("*")
    @classmethod
    def checked(cls, value, info):
        fine = {
            # Its middleware knows no other.
            "API_V1_PREFIX": lambda: value == "/v1",
            "DATABASE_URL": lambda: value.startswith("postgresql+asyncpg://") and "%" not in value,
            "SECRET_KEY": lambda: len(value) >= 32 and value != "your-secret-key-change-in-production",
            "BACKEND_CORS_ORIGINS": lambda: len(value) > 0 and all(each.startswith("https://") for each in value),
            "OPA_URL": lambda: value.startswith("http://"),
            "OPA_POLICY_PATH": lambda: value.startswith("/v1/data/"),
        }
        if not fine[info.field_name]():
            raise ValueError(f"stand-in for CaseCheck: {info.field_name} is wrong")
        return value


settings = Settings()
