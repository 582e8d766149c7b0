// Stand-in for Authelia 4.39.20: bans addresses after too many wrong passwords. Pure but for the state it is given.
import type { Config } from "../config/schema";
import type { State } from "./store";

export function isBanned(state: Readonly<State>, ip: string, now: number): boolean {
  return state.bans.some((ban) => ban.expires > now && ban.ip === ip);
}

/** Only passwords count, as in the real one. */
export function recordPasswordAttempt(
  state: State,
  rules: Config["regulation"],
  { ip, successful }: { readonly ip: string; readonly successful: boolean },
  now: number,
): void {
  state.bans = state.bans.filter((ban) => ban.expires > now);
  if (isBanned(state, ip, now)) return;
  state.attempts = [
    ...state.attempts.filter((one) => one.time >= now - rules.find_time),
    { ip, successful, time: now },
  ];
  const own = state.attempts.filter((one) => one.ip === ip);
  const failures = own.slice(own.findLastIndex((one) => one.successful) + 1).length;
  if (failures >= rules.max_retries) state.bans.push({ id: state.nextId++, ip, expires: now + rules.ban_time });
}
