// Stand-in for Authelia 4.39.20: bans users (or addresses) after too many wrong passwords. Pure but for the state it is given.
import type { GatewayConfig } from "../config/types";
import type { State } from "./store";

export type Regulation = GatewayConfig["regulation"];

export function isBanned(state: Readonly<State>, username: string, ip: string, now: number): boolean {
  return state.bans.some(
    (ban) => ban.expires > now && (ban.kind === "user" ? username !== "" && ban.value === username : ban.value === ip),
  );
}

/** Only passwords count, as in the real one. */
export function recordPasswordAttempt(
  state: State,
  rules: Regulation,
  attempt: { readonly username: string; readonly ip: string; readonly successful: boolean },
  now: number,
): void {
  const banned = isBanned(state, attempt.username, attempt.ip, now);
  state.attempts.push({ ...attempt, banned, time: now });
  state.attempts = state.attempts
    .filter((one) => one.time > now - Math.max(rules.findTime, 24 * 3600 * 1000))
    .slice(-1000);
  state.bans = state.bans.filter((ban) => ban.expires > now);
  if (attempt.successful || banned || rules.maxRetries <= 0) return;
  for (const kind of ["user", "ip"] as const) {
    const value = kind === "user" ? attempt.username : attempt.ip;
    if (!rules.modes.includes(kind) || value === "") continue;
    const failures = failuresSince(state, kind, value, now - rules.findTime);
    if (failures >= rules.maxRetries)
      state.bans.push({ id: state.nextId++, kind, value, expires: now + rules.banTime });
  }
}

/** Wrong passwords since the last good one. */
function failuresSince(state: Readonly<State>, kind: "user" | "ip", value: string, since: number): number {
  const own = state.attempts.filter((one) => (kind === "user" ? one.username : one.ip) === value && !one.banned);
  const lastGood = own.findLastIndex((one) => one.successful);
  return own.slice(lastGood + 1).filter((one) => one.time >= since).length;
}
