"""Activities, from the draft to the start."""
from datetime import datetime

from fastapi import APIRouter, HTTPException, Request
from pydantic import BaseModel, Field, field_validator
from sqlalchemy import func, select

from app import answers
from app.core.database import transaction
from app.models.user import Activity, ActivityType, Attendance, User, now

router = APIRouter(prefix="/v1/activities")


class NewActivity(BaseModel):
    """With the rules of the original."""

    title: str = Field(min_length=5, max_length=200)
    description: str = Field(min_length=10)
    activity_type_id: str
    start_date: datetime
    end_date: datetime
    location: str = Field(min_length=3, max_length=200)
    venue_details: str | None = None
    max_participants: int = Field(ge=1, le=10000)

    @field_validator("end_date")
    @classmethod
    def later(cls, value: datetime, info) -> datetime:
        if "start_date" in info.data and value <= info.data["start_date"]:
            raise ValueError("end_date must be after start_date")
        return value


async def find(db, activity_id: str) -> Activity:
    activity = await db.get(Activity, activity_id)
    if activity is None:
        raise HTTPException(404, "Activity not found")
    return activity


@router.post("", status_code=201)
async def create(new: NewActivity, request: Request) -> dict:
    async with transaction() as db:
        types = (await db.execute(select(ActivityType).order_by(ActivityType.name))).scalars().all()
        kind = next((each for each in types if each.id == new.activity_type_id), types[0])
        number = (await db.execute(select(func.count(Activity.id)))).scalar_one() + 1
        values = {**new.model_dump(), "activity_type_id": kind.id, "creator_id": request.state.user_id}
        activity = Activity(**values, case_number=f"C-{number:04d}", risk_level=kind.default_risk_level)
        db.add(activity)
        await db.flush()
        await db.refresh(activity)
        return answers.success(answers.activity(activity))


@router.get("")
async def listed(search: str = "") -> dict:
    async with transaction() as db:
        found = await db.execute(select(Activity).where(Activity.title.contains(search)).order_by(Activity.created_at.desc()))
        return answers.page([answers.activity(row) for row in found.scalars()])


@router.get("/types")
async def types() -> dict:
    async with transaction() as db:
        found = await db.execute(select(ActivityType).order_by(ActivityType.name))
        return answers.success([answers.activity_type(row) for row in found.scalars()])


@router.get("/{activity_id}")
async def one(activity_id: str) -> dict:
    async with transaction() as db:
        return answers.success(answers.activity(await find(db, activity_id)))


@router.get("/{activity_id}/participants")
async def participants(activity_id: str) -> dict:
    async with transaction() as db:
        await find(db, activity_id)
        there = select(User).join(Attendance, Attendance.user_id == User.id).where(Attendance.activity_id == activity_id)
        names = ("id", "username", "full_name", "email")
        return answers.success([{name: getattr(row, name) for name in names} for row in (await db.execute(there)).scalars()])


async def move(activity_id: str, **changes: object) -> dict:
    """What the policy has allowed already, for one who may and an activity that is ready for it."""
    async with transaction() as db:
        activity = await find(db, activity_id)
        for name, value in changes.items():
            setattr(activity, name, value)
        await db.flush()
        await db.refresh(activity)
        return answers.success(answers.activity(activity))


@router.post("/{activity_id}/submit")
async def submit(activity_id: str) -> dict:
    return await move(activity_id, status="PENDING_APPROVAL")


@router.post("/{activity_id}/approve")
async def approve(activity_id: str, request: Request) -> dict:
    return await move(activity_id, status="APPROVED", approved_by_id=request.state.user_id, approved_at=now())


@router.post("/{activity_id}/start")
async def start(activity_id: str) -> dict:
    return await move(activity_id, status="IN_PROGRESS")
