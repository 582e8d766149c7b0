import { judgeClock, judgeProjects, judgeReleases, parseHostReport, renderChecks } from "../../ops/status/check";
import {
  type Visit,
  judgeCertificate,
  judgeClosedPorts,
  judgeGate,
  judgeNames,
  judgeOpenPort,
  judgePortal,
} from "../../ops/status/outside";

const day = 86_400_000;
const now = Date.UTC(2026, 10, 25);
const states = (checks: readonly { readonly name: string; readonly state: string }[]) =>
  checks.map(({ name, state }) => `${name} ${state}`);

describe("the report of a host", () => {
  it("is checks and facts; what cannot be read is red", () => {
    const report = parseHostReport(
      "clock\tfact\t1700000000\t\ndisk /\tok\t9 MiB\t\nswap\tnone\tnone here\t\ndocker\tred\tdoes not answer\tstart it\nsh: oops\n",
    );
    expect(report.facts).toEqual({ clock: "1700000000" });
    expect(states(report.checks)).toEqual(["disk / ok", "swap none", "docker red", "host report red"]);
    expect(report.checks[2]).toMatchObject({ seen: "does not answer", fix: "start it" });
  });
});

describe("releases", () => {
  it("are right where host and state say the same", () => {
    const facts = { "release auth": "a1", "release edge": "e1" };
    const inState = (release: string) => ({ release, tainted: false });
    const checks = judgeReleases(facts, { auth: inState("a1"), edge: inState("e2"), opencode: inState("o1") }, [
      "auth",
      "edge",
      "opencode",
      "donation",
    ]);
    expect(states(checks)).toEqual([
      "release auth ok",
      "release edge red",
      "release opencode red",
      "release donation red",
    ]);
    expect(checks.map(({ seen }) => seen)).toEqual([
      "a1",
      "runs e1, the state says e2",
      "runs none, the state says o1",
      "runs none, the state has none",
    ]);
  });

  it("that ops rollback returned to are no fault until the next up", () => {
    const tainted = { release: "r2", tainted: true };
    const judge = (onHost: string) => judgeReleases({ "release auth": onHost }, { auth: tainted }, ["auth"])[0];
    expect(judge("r1")).toMatchObject({
      state: "warn",
      seen: "runs r1, after ops rollback",
      fix: "pulumi up applies the program's, r2, again",
    });
    expect(judge("r2")).toMatchObject({ state: "ok" });
    expect(judgeReleases({}, { auth: tainted }, ["auth"])[0]).toMatchObject({
      state: "red",
      seen: expect.stringContaining("runs none") as string,
    });
  });

  it("are not known of a state that an older version of the program wrote", () => {
    const [check] = judgeReleases({ "release auth": "a1" }, { auth: { release: undefined, tainted: false } }, ["auth"]);
    expect(check).toMatchObject({ state: "red", fix: "pulumi up" });
    expect(check?.seen).toBe("runs a1; the last up was for other stacks only, or by an older version of the program");
  });
});

describe("projects on the host", () => {
  it("that the program does not have are red, but for data that is kept", () => {
    const facts = {
      "project auth": "files, 3 containers, 2 volumes, 1 network",
      "project tg-signer": "1 volume",
      "project donation": "files, 1 container, 1 volume, 1 network",
      "project casecheck": "1 network",
      "release donation": "none",
    };
    const checks = judgeProjects(facts, ["auth"], "admin");
    expect(states(checks)).toEqual(["project tg-signer none", "project donation red", "project casecheck red"]);
    expect(checks[1]?.fix).toContain(
      "npm run ops -- ssh 'sudo -n /opt/cloudcode/bin/cloudcode-host remove donation keep-data'",
    );
  });
});

describe("the clock", () => {
  it.each([
    [0, "ok"],
    [9, "ok"],
    [-9, "ok"],
    [86_400, "red"],
    [-86_400, "red"],
  ])("%d s off is %s", (off, state) => {
    expect(judgeClock({ clock: String(1_700_000_000 + off) }, 1_700_000_000).state).toBe(state);
  });
});

describe("a certificate", () => {
  const visit = (issuer: string, days: number, untrusted?: string, life = 90): Visit => ({
    status: 200,
    headers: {},
    certificate: {
      issuer,
      validFrom: now + (days - life) * day,
      validTo: now + days * day,
      ...(untrusted !== undefined && { untrusted }),
    },
  });
  it.each([
    ["fresh", visit("Let's Encrypt, R11", 60), "ok"],
    ["of a short-lived profile", visit("Let's Encrypt, R11", 2, undefined, 6), "ok"],
    ["of a short-lived profile that should have been renewed", visit("Let's Encrypt, R11", 1, undefined, 6), "red"],
    ["that should have been renewed", visit("Let's Encrypt, R11", 15), "red"],
    ["that nobody renewed for weeks", visit("Let's Encrypt, R11", 5), "red"],
    ["that has run out", visit("Let's Encrypt, R11", -1), "red"],
    ["of the fallback", visit("Caddy Local Authority - ECC Intermediate", 0.04, "self-signed"), "red"],
    ["of an authority this machine does not know", visit("Pebble", 60, "UNABLE_TO_VERIFY_LEAF_SIGNATURE"), "red"],
    ["that is not there", { headers: {}, fault: "connect ECONNREFUSED" }, "red"],
  ])("%s is judged %s", (_what, seen, state) => {
    const check = judgeCertificate("home.example.com", seen, now);
    expect(check.state).toBe(state);
    if (state === "red") expect(check.fix).toContain("npm run ops -- logs edge");
  });

  it("of the fallback that has run out is no fallback any more", () => {
    const seen = visit("Caddy Local Authority - ECC Intermediate", -0.01, "self-signed", 0.04);
    expect(judgeCertificate("home.example.com", seen, now).seen).toMatch(/minutes left: it has expired$/);
  });
});

describe("the gate", () => {
  const site = { title: "OpenCode", host: "code.home.example.com", open: false };
  const location = "https://auth.home.example.com/?rd=x";
  it.each<[Visit, string]>([
    [{ status: 302, headers: { location } }, "ok"],
    [{ status: 401, headers: {} }, "ok"],
    [{ status: 403, headers: {} }, "ok"],
    [{ status: 200, headers: {} }, "red"],
    [{ status: 302, headers: { location: "https://auth.home.example.com.evil.example/" } }, "red"],
    [{ status: 302, headers: {} }, "red"],
    [{ status: 502, headers: {} }, "red"],
    [{ headers: {}, fault: "ECONNRESET" }, "red"],
  ])("%j: %s", (visit, state) => {
    expect(judgeGate(site, "auth.home.example.com", visit).state).toBe(state);
  });
});

describe("from outside", () => {
  it("the portal must answer 200", () => {
    expect(judgePortal({ status: 200, headers: {} }).state).toBe("ok");
    expect(judgePortal({ status: 502, headers: {} })).toMatchObject({ state: "red", seen: "answers 502" });
    expect(judgePortal({ headers: {}, fault: "ETIMEDOUT" })).toMatchObject({ state: "red", seen: "ETIMEDOUT" });
  });

  it("ports that must be open are, and no other is", () => {
    expect(
      [judgeOpenPort({ port: 443, state: "open" }), judgeOpenPort({ port: 443, state: "silent" })].map(
        ({ state }) => state,
      ),
    ).toEqual(["ok", "red"]);
    // Not everybody may connect: an answer is as good, and none is no fault; a refusal still is.
    const limited = (["open", "silent", "refused"] as const).map((state) => judgeOpenPort({ port: 443, state }, true));
    expect(limited.map(({ state, seen }) => [state, seen])).toEqual([
      ["ok", "open"],
      ["none", "no answer: webCidrs admits only some networks"],
      ["red", "refused: nothing listens there"],
    ]);
    expect(
      judgeClosedPorts([
        { port: 2375, state: "refused" },
        { port: 6379, state: "silent" },
      ]).state,
    ).toBe("ok");
    expect(
      judgeClosedPorts([
        { port: 2375, state: "open" },
        { port: 6379, state: "silent" },
      ]),
    ).toMatchObject({
      state: "red",
      seen: "open from outside: 2375",
    });
  });

  it("names point to the host and to nothing else", () => {
    const right = { name: "home.example.com", addresses: ["203.0.113.7"] };
    expect(judgeNames("203.0.113.7", [right, { ...right, name: "*.home.example.com" }]).state).toBe("ok");
    const wrong = judgeNames("203.0.113.7", [right, { name: "*.home.example.com", addresses: [] }]);
    expect(wrong).toMatchObject({
      state: "red",
      fix: expect.stringContaining("npm run dns -- home.example.com 203.0.113.7") as string,
    });
  });
});

describe("the table", () => {
  it("has one line a check, and what to do below a red one", () => {
    const text = renderChecks(
      [
        { name: "docker", state: "ok", seen: "28.1" },
        { name: "swap", state: "none", seen: "no" },
        { name: "dns", state: "red", seen: "wrong", fix: "fix it" },
      ],
      false,
    );
    expect(text.split("\n")).toEqual([
      "ok   docker  28.1",
      "-    swap    no",
      "RED  dns     wrong",
      "             -> fix it",
      "1 check is red",
    ]);
  });
});
