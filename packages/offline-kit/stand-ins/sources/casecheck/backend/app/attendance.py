"""Registrations, QR codes, and check-ins with them."""
from datetime import timedelta

from fastapi import APIRouter, HTTPException, Request
from pydantic import BaseModel, Field
from sqlalchemy import select

from app import answers
from app.activities import find
from app.core.database import transaction
from app.core.security import create_qr_code, read_qr_code
from app.models.user import Activity, Attendance, QRCode, now

router = APIRouter(prefix="/v1/attendance")


class Registration(BaseModel):
    activity_id: str
    notes: str | None = None


class Scan(BaseModel):
    qr_code: str
    notes: str | None = None


class NewQRCode(BaseModel):
    activity_id: str
    gate_id: str
    code_type: str = "CHECK_IN"
    max_uses: int | None = Field(None, ge=1)


async def record_of(db, activity_id: str, user_id: str) -> Attendance | None:
    of_both = (Attendance.activity_id == activity_id) & (Attendance.user_id == user_id)
    return (await db.execute(select(Attendance).where(of_both))).scalar_one_or_none()


async def enrol(db, activity: Activity, user_id: str, notes: str | None) -> Attendance:
    if activity.current_participants >= activity.max_participants:
        raise HTTPException(400, "Activity is full")
    activity.current_participants += 1
    record = Attendance(activity_id=activity.id, user_id=user_id, notes=notes)
    db.add(record)
    await db.flush()
    return record


async def written(db, record: Attendance) -> dict:
    await db.flush()
    await db.refresh(record)
    return answers.success(answers.attendance(record))


@router.post("/register", status_code=201)
async def register(registration: Registration, request: Request) -> dict:
    async with transaction() as db:
        activity = await find(db, registration.activity_id)
        if await record_of(db, activity.id, request.state.user_id) is not None:
            raise HTTPException(409, "Already registered")
        return await written(db, await enrol(db, activity, request.state.user_id, registration.notes))


@router.post("/qr-code", status_code=201)
async def make_qr_code(new: NewQRCode, request: Request) -> dict:
    async with transaction() as db:
        activity = await find(db, new.activity_id)
        if activity.status != "IN_PROGRESS":
            raise HTTPException(400, "Activity is not in progress")
        times = {"valid_from": now(), "valid_until": now() + timedelta(seconds=60)}
        code = create_qr_code(activity.id, new.gate_id, **times)
        row = QRCode(**new.model_dump(), **times, code=code, generated_by_id=request.state.user_id)
        db.add(row)
        await db.flush()
        await db.refresh(row)
        return answers.success(answers.qr_code(row))


@router.get("/qr-code/{code}")
async def look_at(code: str) -> dict:
    async with transaction() as db:
        row = (await db.execute(select(QRCode).where(QRCode.code == code))).scalar_one_or_none()
        if row is None:
            raise HTTPException(404, "QR code not found")
        read_qr_code(code)
        return answers.success(answers.qr_code(row))


@router.post("/check-in")
async def check_in(scan: Scan, request: Request) -> dict:
    claims = read_qr_code(scan.qr_code)
    async with transaction() as db:
        activity = await find(db, claims["activity_id"])
        record = await record_of(db, activity.id, request.state.user_id)
        if record is None:
            record = await enrol(db, activity, request.state.user_id, scan.notes)
        if record.status != "REGISTERED":
            raise HTTPException(409, "Already checked in")
        record.status, record.checked_in_at, record.notes = "CHECKED_IN", now(), scan.notes
        record.qr_code_used, record.check_in_gate_id = scan.qr_code, claims["gate_id"]
        return await written(db, record)


@router.post("/check-out")
async def check_out(scan: Scan, request: Request) -> dict:
    claims = read_qr_code(scan.qr_code)
    async with transaction() as db:
        record = await record_of(db, claims["activity_id"], request.state.user_id)
        if record is None:
            raise HTTPException(404, "Attendance record not found")
        record.status, record.checked_out_at, record.notes = "CHECKED_OUT", now(), scan.notes
        return await written(db, record)


async def records_of(db, activity_id: str) -> list[Attendance]:
    await find(db, activity_id)
    return list((await db.execute(select(Attendance).where(Attendance.activity_id == activity_id))).scalars())


@router.get("/activity/{activity_id}")
async def records(activity_id: str) -> dict:
    async with transaction() as db:
        return answers.success([answers.attendance(row) for row in await records_of(db, activity_id)])


@router.get("/activity/{activity_id}/stats")
async def stats(activity_id: str) -> dict:
    async with transaction() as db:
        statuses = [row.status for row in await records_of(db, activity_id)]
    counts = {name: statuses.count(name.upper()) for name in ("checked_in", "checked_out", "absent")}
    rate = round(counts["checked_in"] / len(statuses) * 100, 2) if statuses else 0.0
    return answers.success({"activity_id": activity_id, "total_registered": len(statuses), **counts, "attendance_rate": rate})
