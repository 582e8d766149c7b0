import type { AppliedStack } from "../stack";

/** One thing that was checked. */
export interface Check {
  readonly name: string;
  /** `none`: it does not apply to this stack. `warn`: worth knowing, and no failure. */
  readonly state: "ok" | "red" | "warn" | "none";
  readonly seen: string;
  /** What to do; a red check and a warning always have it. */
  readonly fix?: string;
}

export const ok = (name: string, seen: string): Check => ({ name, state: "ok", seen });
export const none = (name: string, seen: string): Check => ({ name, state: "none", seen });
export const red = (name: string, seen: string, fix: string): Check => ({ name, state: "red", seen, fix });

export const warn = (name: string, seen: string, fix: string): Check => ({ name, state: "warn", seen, fix });

/** What the host says of itself. */
export interface HostReport {
  readonly checks: readonly Check[];
  /** What only the operator's side can judge, by name. */
  readonly facts: Readonly<Record<string, string>>;
}

/** Reads the lines of stack-templates/host/cloudcode-check. A line it does not know is red, so that nothing is missed. */
export function parseHostReport(text: string): HostReport {
  const checks: Check[] = [];
  const facts: Record<string, string> = {};
  for (const line of text.split("\n").filter((one) => one !== "")) {
    const [name = "", state = "", seen = "", fix = ""] = line.split("\t");
    if (state === "fact") facts[name] = seen;
    else if (state === "ok") checks.push(ok(name, seen));
    else if (state === "none") checks.push(none(name, seen));
    else if (state === "red") checks.push(red(name, seen, fix));
    else if (state === "warn") checks.push(warn(name, seen, fix));
    else
      checks.push(
        red("host report", `cannot be read: ${line}`, "run pulumi up, so that host and program have the same version"),
      );
  }
  return { checks, facts };
}

/** Whether each stack runs the release that the state says. */
export function judgeReleases(
  facts: HostReport["facts"],
  inState: Readonly<Record<string, Pick<AppliedStack, "release" | "tainted">>>,
  stacks: readonly string[],
): Check[] {
  return stacks.map((stack) => {
    const name = `release ${stack}`;
    const onHost = facts[name] ?? "none";
    const applied = inState[stack];
    if (applied === undefined) return red(name, `runs ${onHost}, the state has none`, "pulumi up");
    const { release, tainted } = applied;
    if (release === undefined)
      return red(
        name,
        `runs ${onHost}; the last up was for other stacks only, or by an older version of the program`,
        "pulumi up",
      );
    if (onHost === release) return ok(name, onHost);
    if (tainted && onHost !== "none")
      return warn(name, `runs ${onHost}, after ops rollback`, `pulumi up applies the program's, ${release}, again`);
    return red(
      name,
      `runs ${onHost}, the state says ${release}`,
      `npm run ops -- history says who changed it; pulumi up --target-replace '**${stack}-release' applies the program's again`,
    );
  });
}

/**
 * What there is on the host of stacks that the program does not have. Volumes alone are data that the operator chose to keep.
 *
 * @param user whom `ops ssh` logs in as
 */
export function judgeProjects(facts: HostReport["facts"], stacks: readonly string[], user: string): Check[] {
  const known = new Set(stacks.map((stack) => `project ${stack}`));
  const others = Object.entries(facts).filter(([name]) => name.startsWith("project ") && !known.has(name));
  return others.map(([name, parts]) =>
    /^\d+ volumes?$/.test(parts)
      ? none(name, `is off; its data is kept: ${parts}`)
      : red(
          name,
          `is on the host, but not in the program: ${parts}`,
          `an interrupted \`up\` may have left it; npm run ops -- ssh '${removal(user, name.slice(8))}' removes everything but its data`,
        ),
  );
}

const removal = (user: string, stack: string) =>
  `${user === "root" ? "" : "sudo -n "}/opt/cloudcode/bin/cloudcode-host remove ${stack} keep-data`;

/** Seconds that host and operator may differ: one-time codes fail at 30. */
const clockSeconds = 10;

/** @param now seconds since 1970 at the operator's, half way between question and answer */
export function judgeClock(facts: HostReport["facts"], now: number): Check {
  const seen = Number(facts["clock"]);
  const off = Math.round(Math.abs(seen - now));
  if (off <= clockSeconds) return ok("clock", `within ${off} s of this machine's`);
  return red(
    "clock",
    `${off} s ${seen > now ? "ahead of" : "behind"} this machine's`,
    "set the host's time (see ntpServer), or this machine's",
  );
}

/** One line a check, the red ones with what to do. */
export function renderChecks(checks: readonly Check[], colour: boolean): string {
  const width = Math.max(...checks.map(({ name }) => name.length));
  const mark = {
    ok: paint("ok  ", 32, colour),
    red: paint("RED ", 31, colour),
    warn: paint("warn", 33, colour),
    none: paint("-   ", 90, colour),
  };
  const lines = checks.map(({ name, state, seen, fix }) => {
    const line = `${mark[state]} ${name.padEnd(width)}  ${seen}`;
    return fix !== undefined ? `${line}\n     ${" ".repeat(width)}  -> ${fix}` : line;
  });
  const count = checks.filter(({ state }) => state === "red").length;
  const blind = checks.every(({ state }) => state === "none");
  const sum = blind
    ? "nothing could be checked"
    : count === 0
      ? "all is well"
      : count === 1
        ? "1 check is red"
        : `${count} checks are red`;
  return [...lines, sum].join("\n");
}

function paint(text: string, colour: number, on: boolean): string {
  return on ? `\u001b[${colour}m${text}\u001b[0m` : text;
}
