import { z } from "zod";

/** Names of tzdata that are no place's own (https://data.iana.org/time-zones/tzdb/backward). */
const others = new Set(
  [
    "CET CST6CDT Cuba EET EST EST5EDT Egypt Eire GB GB-Eire GMT GMT+0 GMT-0 GMT0 Greenwich HST Hongkong Iceland Iran Israel",
    "Jamaica Japan Kwajalein Libya MET MST MST7MDT NZ NZ-CHAT Navajo PRC PST8PDT Poland Portugal ROC ROK Singapore Turkey UCT",
    "UTC Universal W-SU WET Zulu America/Argentina/ComodRivadavia America/Knox_IN Australia/ACT Australia/LHI Australia/NSW",
    "Brazil/DeNoronha Chile/EasterIsland Etc/GMT Etc/GMT+0 Etc/GMT-0 Etc/GMT0 Etc/UCT Etc/UTC Mexico/BajaNorte Mexico/BajaSur",
    "US/East-Indiana US/Indiana-Starke",
  ].flatMap((line) => line.split(" ")),
);
const place = /^(US|(?!Etc\/)[A-Z][a-z]+)(\/[A-Z][a-z]+([_-]([A-Z][a-z]+|of|es|au))*)+$/;

/** Whether tzdata has a file of this very name: what knows zones by the letters in any case is not asked about those. */
export function isTimeZone(value: string): boolean {
  let canonical: string;
  try {
    canonical = new Intl.DateTimeFormat("en", { timeZone: value }).resolvedOptions().timeZone;
  } catch {
    return false;
  }
  return others.has(value) || (value.includes("/") && (canonical === value || place.test(value)));
}

export const timeZone = z.string("is not a string").refine(isTimeZone, "is not a time zone");
