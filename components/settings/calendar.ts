import { z } from "zod";
import { isTimeZone } from "./time-zone";

const words = /^(minutely|hourly|daily|weekly|monthly|quarterly|semiannually|yearly|annually)$/i;
const days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
const dayName = /^(mon(day)?|tue(sday)?|wed(nesday)?|thu(rsday)?|fri(day)?|sat(urday)?|sun(day)?)$/i;

/** `N` or `N..M`, each with `/STEP`. */
const part = /^(\d{1,2})(?:\.\.(\d{1,2}))?(?:\/(\d{1,2}))?$/;

/** The numbers that a component such as `*` or `1..5,20/2` stands for; undefined: systemd knows none between these bounds. */
function numbersOf(component: string, min: number, max: number): number[] | undefined {
  const found: number[] = [];
  for (const one of component === "*" ? [`${min}..${max}`] : component.split(",")) {
    const match = part.exec(one);
    if (match === null) return undefined;
    const [, first, last, step] = match;
    const from = Number(first);
    const repeats = last !== undefined || step !== undefined;
    const to = last !== undefined ? Number(last) : repeats ? max : from;
    const by = step === undefined ? 1 : Number(step);
    // What does not come a second time may not repeat.
    if (from < min || to > max || by < 1 || (repeats && from + by > to)) return undefined;
    for (let number = from; number <= to; number += by) found.push(number);
  }
  return found;
}

function areWeekdays(text: string): boolean {
  return text.split(",").every((range) => {
    const ends = range.split("..");
    const [first = 0, last = first] = ends.map((name) => days.indexOf(name.slice(0, 3).toLowerCase()));
    return ends.length <= 2 && ends.every((name) => dayName.test(name)) && first <= last;
  });
}

/** A day of any year that the calendar has. */
function isDate(text: string): boolean {
  const [year, month = "", day = "", ...rest] = text.split("-");
  const months = numbersOf(month, 1, 12);
  const dates = numbersOf(day, 1, 31);
  if (year !== "*" || rest.length > 0 || months === undefined || dates === undefined) return false;
  // 2024 was a leap year.
  return months.some((one) => dates.some((date) => date <= new Date(Date.UTC(2024, one, 0)).getUTCDate()));
}

function isTime(text: string): boolean {
  const [hour = "", minute = "", second = "0", ...rest] = text.split(":");
  return (
    rest.length === 0 &&
    numbersOf(hour, 0, 23) !== undefined &&
    numbersOf(minute, 0, 59) !== undefined &&
    numbersOf(second, 0, 59) !== undefined
  );
}

/**
 * Whether systemd knows this calendar event and it comes again and again: a part of
 * https://www.freedesktop.org/software/systemd/man/latest/systemd.time.html#Calendar%20Events without single years, fractions of
 * seconds, and days counted from the end of a month.
 */
function isRecurring(text: string): boolean {
  const [last = "", ...others] = text.split(" ").reverse();
  const zoned = others.length > 0 && (last === "UTC" || last.includes("/")) && isTimeZone(last);
  const rest = zoned ? others.reverse() : text.split(" ");
  if (rest.length === 1 && words.test(rest[0] ?? "")) return true;
  if (rest.length > 0 && areWeekdays(rest[0] ?? "")) rest.shift();
  else if (rest.length === 0) return false;
  if (rest.length > 0 && isDate(rest[0] ?? "")) rest.shift();
  if (rest.length > 0 && isTime(rest[0] ?? "")) rest.shift();
  return rest.length === 0;
}

const fault = "is not a calendar event of systemd that recurs, such as *-*-* 03:30:00 or Mon..Fri 04:00";
const text = z.string("is not a string").max(200, "is longer than 200 characters");

export const calendar = text.refine(isRecurring, fault);

export const calendarOrNever = text.refine(
  (value) => value === "never" || isRecurring(value),
  `is not never, and ${fault}`,
);
