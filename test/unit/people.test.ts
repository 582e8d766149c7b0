import { readFileSync, readdirSync } from "node:fs";
import { join, relative } from "node:path";
import argon2 from "argon2";
import fc from "fast-check";
import { parse } from "yaml";
import { accessRules } from "../../components/auth-gateway/access-rules";
import { authGatewayRelease } from "../../components/auth-gateway/auth-gateway-stack";
import { enabledApps } from "../../components/apps/registry";
import { type Route, appOf, hostOf } from "../../components/routes";
import type { Person } from "../../components/settings/people";
import { renderRelease } from "../../components/stack/release";
import { policyFor } from "../support/access";
import { configurations } from "../support/configurations";
import { tgSigner, tunnelToken } from "../support/least-apps";
import { textOf } from "../support/plain";
import { minimal } from "../support/minimal";
import { type ProgramRun, runProgram } from "../support/program";
import { projectRoot } from "../support/project-root";
import { type ArrivedFile, arrivedFiles } from "../support/releases";
import { faultsOf, messageOf, settingsOf } from "../support/settings";

const jo: Person = { name: "jo", mail: "jo@example.com", apps: ["opencode"] };
const mia: Person = { name: "mia", mail: "mia@example.com", apps: ["opencode"] };
const people = (...list: readonly unknown[]) => ({ people: JSON.stringify(list) });
const faults = (settings: Readonly<Record<string, string>>) =>
  faultsOf(settings).filter((one) => one.startsWith("people"));

describe("the setting people", () => {
  it("takes one to four people, each with Apps of the stack, own Apps among them", () => {
    const own = {
      ownApps: '["memos","https://git.example.com/x/notes#0123456789012345678901234567890123456789:apps/board"]',
    };
    const four = ["jo", "mia", "al", "b_o-2"].map((name) => ({ name, mail: `${name}@example.com`, apps: ["memos"] }));
    expect(faults({ ...own, ...people(...four) })).toEqual([]);
    expect(faults({ ...own, ...people({ ...jo, apps: ["board", "opencode"] }) })).toEqual([]);
    expect(settingsOf(people(jo)).people).toEqual([jo]);
    expect(settingsOf().people).toBeUndefined();
  });

  it.each<[string, readonly unknown[], Readonly<Record<string, string>>, readonly string[]]>([
    ["no object", ["jo"], {}, ["people [0] is not an object with name, mail and apps"]],
    [
      "a name that is none",
      [{ ...jo, name: "Jo" }],
      {},
      ["people [0].name is not 1 to 32 lower-case letters, digits, _ and -, starting with a letter"],
    ],
    ["no mail", [{ name: "jo", apps: ["opencode"] }], {}, ["people [0].mail is not a string"]],
    ["no Apps", [{ ...jo, apps: [] }], {}, ["people [0].apps is empty: list at least one App"]],
    ["an App twice", [{ ...jo, apps: ["opencode", "opencode"] }], {}, ["people [0].apps[1] is listed twice"]],
    ["a name twice", [jo, { ...mia, name: "jo" }], {}, ["people [1].name is also another person's"]],
    ["a mail twice", [jo, { ...mia, mail: "JO@example.com" }], {}, ["people [1].mail is also another person's"]],
    ["the operator's name", [{ ...jo, name: "admin" }], {}, ["people [0].name is the operator's (adminUsername)"]],
    ["the operator's own name", [jo], { adminUsername: "jo" }, ["people [0].name is the operator's (adminUsername)"]],
    [
      "the operator's mail",
      [jo],
      { adminEmail: "Jo@example.com" },
      ["people [0].mail is the operator's (adminEmail), who would get this person's codes"],
    ],
    [
      "an App that is not there",
      [{ ...jo, apps: ["code"] }],
      {},
      ["people [0].apps[0] is not the name of an App of this stack: opencode"],
    ],
    [
      "an App that is off",
      [{ ...jo, apps: ["opencode", "casecheck"] }],
      {},
      ["people [0].apps[1] is an App that is off: casecheckEnabled"],
    ],
    [
      "an App with one password",
      [{ ...jo, apps: ["tg-signer"] }],
      { ...tgSigner, tgSignerOuterLogin: "basic" },
      [
        "people [0].apps[0] is an App that asks for one password of its own, which has no accounts: tgSignerOuterLogin is basic",
      ],
    ],
    [
      "an App at a tunnel",
      [{ ...jo, apps: ["casecheck"] }],
      {
        casecheckEnabled: "true",
        casecheckPublished: "tunnel",
        casecheckTunnelHost: "c.example.com",
        casecheckTunnelToken: tunnelToken,
      },
      ["people [0].apps[0] is an App that a tunnel publishes, without the sign-in portal: casecheckPublished"],
    ],
    [
      "five people",
      ["a", "b", "c", "d", "e"].map((name) => ({ ...jo, name, mail: `${name}@example.com` })),
      {},
      ["people lists more than 4: with the operator there are at most 5 accounts"],
    ],
  ])("refuses %s", (_, list, settings, expected) => {
    expect(faults({ ...settings, ...people(...list) })).toEqual(expected);
  });

  it("says all faults at once, with an example", () => {
    const message = messageOf({
      ...minimal,
      ...people({ ...jo, name: "admin", apps: ["x"] }, { ...mia, apps: ["y", "donation"] }),
    });
    expect(message).toContain("has 4 problems");
    expect(message).toContain('fix: pulumi config set people \'[{"name":"jo"');
  });

  it("refuses a key that it does not know", () => {
    expect(faults(people({ ...jo, admin: true }))).toHaveLength(1);
  });
});

const domain = "home.example.com";
const everything = {
  ...configurations[1]?.[1],
  domain,
  tgSignerOuterLogin: "authelia",
  tgSignerBasicPassword: "",
  tgSignerBasicUsername: "",
};

/** An App with paths of every kind, among them closed ones in front of open ones. */
const tricky: Route = {
  subdomain: "own",
  network: "cloudcode-edge-own",
  upstream: "own-web:80",
  policy: "two_factor",
  title: "Own",
  summary: { en: "Own", zh: "Own" },
  paths: [
    { path: "/hooks", policy: "bypass" },
    { path: "/public/closed/*", policy: "two_factor" },
    { path: "/public/half/*", policy: "one_factor" },
    { path: "/public/shut/*", policy: "deny" },
    { path: "/public/*", policy: "bypass" },
    { path: "/events/*", upstream: "own-events:81" },
  ],
};

interface Rule {
  readonly domain: string;
  readonly policy: string;
  readonly subject?: readonly (readonly string[])[];
  readonly resources?: readonly string[];
}

/**
 * What Authelia says to a visitor, by the rendered configuration: the first rule that matches, where each list of `subject` is one alternative and
 * all of a list must be true; a visitor without a name matches every subject (internal/authorization/authorizer.go, access_control_rule.go).
 */
function answerOf(rules: readonly Rule[], host: string, path: string, visitor: string | undefined): string {
  const found = rules.find(
    (rule) =>
      rule.domain === host &&
      (rule.resources?.some((expression) => new RegExp(expression).test(path)) ?? true) &&
      (visitor === undefined || (rule.subject?.some((all) => all.every((one) => one === `user:${visitor}`)) ?? true)),
  );
  return found?.policy ?? "deny";
}

describe("the access rules that are rendered", () => {
  const routes = [...enabledApps(settingsOf(everything)).flatMap((app) => app.routes), tricky];
  const apps = [...new Set(routes.map(appOf))];
  const base = settingsOf(everything);
  const secrets = Object.fromEntries(
    ["passwordHash", "sessionSecret", "resetSecret", "encryptionKey", "smtpPassword"].map((name) => [name, "x"]),
  );
  const rulesFor = (list: readonly Person[]): readonly Rule[] => {
    const hashes = Object.fromEntries(list.map(({ name }) => [`hash-of-${name}`, "x"]));
    const source = authGatewayRelease({ ...base, people: list, domain, routes });
    const { files } = renderRelease(join(projectRoot, "stack-templates"), source, { ...secrets, ...hashes }, "key");
    const text = files.find(({ path }) => path.endsWith("configuration.yml"))?.content ?? "";
    return (parse(text, { strict: true, uniqueKeys: true }) as { access_control: { rules: Rule[] } }).access_control
      .rules;
  };
  const alone = rulesFor([]);

  const hosts = [domain, `unknown.${domain}`, ...routes.map((route) => hostOf(route, domain))];
  const listed = routes.flatMap(({ paths }) => paths.map(({ path }) => path.replace(/\/\*$/, "")));
  const segment = fc.oneof(
    fc.string({ unit: fc.constantFrom(..."az09-._~!$&'()*+,;=:@".split("")) }),
    fc.string({ unit: "grapheme" }).map(encodeURIComponent),
  );
  const path = fc.oneof(
    fc.constantFrom(
      "/",
      "/?x=/public",
      "/index.html",
      "/icon.svg",
      "/terminal/ws",
      "/event",
      ...listed,
      ...listed.map((one) => `${one}/x?y=1`),
    ),
    // Not webPath(), which takes seconds to begin with.
    fc.array(segment, { maxLength: 4 }).map((parts) => `/${parts.join("/")}`),
  );
  const someApps = fc.subarray(apps, { minLength: 1 });
  const names = ["ann", "mia", "al", "bo"];
  const somePeople = fc
    .tuple(fc.subarray(names, { minLength: 1 }), fc.array(someApps, { minLength: 4, maxLength: 4 }))
    .map(([chosen, own]) =>
      chosen.map((name, index): Person => ({ name, mail: `${name}@example.com`, apps: own[index] ?? [] })),
    );

  it("let nobody but the operator reach a site outside of their Apps, whatever the people and the paths", () => {
    fc.assert(
      fc.property(
        somePeople,
        fc.array(fc.tuple(fc.constantFrom(...hosts), path), { minLength: 30, maxLength: 30 }),
        (list, places) => {
          const rules = rulesFor(list);
          const checked = places.flatMap(([host, where]) => {
            const before = answerOf(alone, host, where, undefined);
            const app = routes.find((route) => hostOf(route, domain) === host);
            const wanted = (visitor: string | undefined, answer: string) => ({ visitor, host, where, answer });
            return [
              // A stranger is asked for what was asked for before, and the operator, too.
              wanted(undefined, before),
              wanted(base.operator.username, before),
              ...list.map(({ name, apps: own }) => {
                const may = host === domain || (app !== undefined && own.includes(appOf(app)));
                return wanted(name, may || before === "bypass" ? before : "deny");
              }),
              // Who was removed, or was added to the users file by hand.
              wanted("eve", before === "bypass" ? "bypass" : "deny"),
            ];
          });
          const seen = checked.map((one) => ({ ...one, answer: answerOf(rules, one.host, one.where, one.visitor) }));
          expect(seen).toEqual(checked);
        },
      ),
      { numRuns: 40 },
    );
  });

  it("have cases of each kind, so that the property is not empty", () => {
    const rules = rulesFor([{ ...mia, apps: ["own"] }]);
    const own = `own.${domain}`;
    expect(answerOf(rules, own, "/public/closed/x", "mia")).toBe("two_factor");
    expect(answerOf(rules, own, "/public/closed/x", "eve")).toBe("deny");
    expect(answerOf(rules, own, "/public/half/x", "eve")).toBe("deny");
    expect(answerOf(rules, own, "/public/x", "eve")).toBe("bypass");
    expect(answerOf(rules, own, "/events/x", "mia")).toBe("two_factor");
    expect(answerOf(rules, `${base.values.opencodeSubdomain}.${domain}`, "/terminal/ws", "mia")).toBe("deny");
    expect(apps).toEqual(
      expect.arrayContaining(["opencode", "tg-signer", "donation", "casecheck", "lwsandbox", "own"]),
    );
  });

  it("are those of before where there are no people", () => {
    expect(JSON.stringify(accessRules(routes, domain, { operator: "admin", people: [] }))).toBe(
      JSON.stringify(accessRules(routes, domain)),
    );
    expect(alone.some(({ subject }) => subject !== undefined)).toBe(false);
  });

  it("say the same as the pure function does", () => {
    const accounts = { operator: "admin", people: [{ ...jo, apps: ["own"] }] };
    expect(policyFor(routes, domain, `own.${domain}`, "/public/closed/x", { accounts, visitor: "jo" })).toBe(
      "two_factor",
    );
    expect(policyFor(routes, domain, `own.${domain}`, "/public/closed/x", { accounts, visitor: "mia" })).toBe("deny");
  });
});

describe("a stack with people", () => {
  let alone: ProgramRun;
  let one: ProgramRun;
  let two: ProgramRun;
  let files: ReadonlyMap<string, ArrivedFile>;
  beforeAll(async () => {
    alone = await runProgram();
    one = await runProgram(people(jo));
    two = await runProgram(people(jo, mia));
    files = await arrivedFiles(two, "auth-release");
  });
  interface Users {
    readonly users: Readonly<Record<string, { password: string; email: string; groups: readonly string[] }>>;
  }
  const usersOf = async (run: ProgramRun) =>
    (parse((await arrivedFiles(run, "auth-release")).get("operator.yml")?.content ?? "") as Users).users;
  const passwordOf = (run: ProgramRun, name: string) =>
    run.resource(`auth-password-of-${name}`).outputs["result"] ?? "";

  it("has an account for each behind the operator's, none of them an admin, with the hash of a password of their own", async () => {
    const users = await usersOf(two);
    expect(Object.keys(users)).toEqual(["admin", "jo", "mia"]);
    expect(Object.values(users).map(({ groups }) => groups)).toEqual([["admins"], ["people"], ["people"]]);
    for (const name of ["jo", "mia"]) {
      expect(passwordOf(two, name)).toMatch(/^[A-Za-z0-9]{24}$/);
      expect(await argon2.verify(users[name]?.password ?? "", passwordOf(two, name))).toBe(true);
      expect(users[name]?.email).toBe(`${name}@example.com`);
    }
    expect(
      new Set([...["jo", "mia"].map((name) => passwordOf(two, name)), textOf(two.outputs["adminPassword"]?.value)])
        .size,
    ).toBe(3);
  });

  it("keeps everybody else's password and account when one is added or removed", async () => {
    const [before, after] = [await usersOf(one), await usersOf(two)];
    expect([after["admin"], after["jo"]]).toEqual([before["admin"], before["jo"]]);
    expect((await usersOf(alone))["admin"]).toEqual(before["admin"]);
  });

  it("touches gateway and edge alone when it changes", () => {
    const inputs = (run: ProgramRun) =>
      new Map(run.resources.map(({ name, inputs: own }) => [name, JSON.stringify(own)]));
    const [a, b] = [inputs(one), inputs(two)];
    const changed = [...b].filter(([name, text]) => a.get(name) !== text).map(([name]) => name);
    expect(changed.sort()).toEqual(["auth-password-of-mia", "auth-release", "auth-salt-of-mia", "edge-release"]);
  });

  it("gives the first passwords as one secret output, and ops the names", () => {
    expect(two.outputs["peoplePasswords"]).toEqual({
      value: { jo: passwordOf(two, "jo"), mia: passwordOf(two, "mia") },
      secret: true,
    });
    expect(two.outputs["operations"]?.value).toMatchObject({
      people: [
        { name: "jo", mail: "jo@example.com" },
        { name: "mia", mail: "mia@example.com" },
      ],
    });
    expect(alone.outputs).not.toHaveProperty("peoplePasswords");
    expect(alone.outputs["operations"]?.value).not.toHaveProperty("people");
  });

  it("holds no password in clear in any file, and the hashes in the users' alone", async () => {
    const { jo: account } = await usersOf(two);
    for (const { path, content } of files.values()) {
      if (path !== "release/secrets") expect([path, content.includes(passwordOf(two, "jo"))]).toEqual([path, false]);
      if (!/operator\.yml$|^release\/secrets$/.test(path))
        expect([path, content.includes(account?.password ?? "none")]).toEqual([path, false]);
    }
  });

  it("starts Authelia behind the services that give new people a clean account, and only there", async () => {
    interface Compose {
      readonly services: Readonly<Record<string, { entrypoint: readonly string[]; depends_on: object }>>;
    }
    const compose = (arrived: ReadonlyMap<string, ArrivedFile>) =>
      (parse(arrived.get("compose.yaml")?.content ?? "", { merge: true }) as Compose).services;
    expect(Object.keys(compose(files)).sort()).toEqual(["authelia", "forget", "seed", "sessions"]);
    expect(compose(files)["authelia"]).toMatchObject({
      entrypoint: ["/bin/sh", "/seed/admit.sh"],
      depends_on: { forget: { condition: "service_completed_successfully" } },
    });
    const without = await arrivedFiles(alone, "auth-release");
    expect(Object.keys(compose(without)).sort()).toEqual(["authelia", "seed", "sessions"]);
    expect(compose(without)["authelia"]?.entrypoint).toEqual(["authelia"]);
    expect([...without.keys()].filter((path) => path.includes("admit"))).toEqual([]);
    expect([...(await arrivedFiles(alone, "edge-release")).keys()].filter((path) => path.includes("people"))).toEqual(
      [],
    );
  });

  it("has the edge wait for the gateway, so that the streams of a removed person end when nobody lets them in again", () => {
    const edge = ({ resources }: ProgramRun) =>
      resources.find(({ name, type }) => name === "edge" && type === "cloudcode:index:ComposeStack");
    // A component's children are registered behind it, and it behind what it depends on.
    const waits = (run: ProgramRun) =>
      edge(run)?.options.dependsOn.some((urn) => urn.endsWith("::auth-release")) ?? false;
    expect([waits(alone), waits(one)]).toEqual([false, true]);
  });
});

describe("what the gateway tells an App about the visitor", () => {
  const read = (folder: string, own: RegExp) =>
    readdirSync(join(projectRoot, folder), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && own.test(entry.name))
      .map((entry) => join(entry.parentPath, entry.name))
      .filter((file) => /remote[-_](user|groups|email|name)/i.test(readFileSync(file, "utf8")))
      .map((file) => relative(projectRoot, file))
      .sort();

  it("makes nobody an admin: no App reads it, but for CaseCheck's web server, which asks only whether there is anybody", () => {
    expect([...read("stack-templates", /./), ...read("packages/donation-site/src", /\.ts$/)]).toEqual([
      "stack-templates/casecheck/image/web/Caddyfile.hbs",
      "stack-templates/people/people.html",
      "stack-templates/reverse-proxy/live/Caddyfile.hbs",
    ]);
    const web = readFileSync(join(projectRoot, "stack-templates/casecheck/image/web/Caddyfile.hbs"), "utf8");
    expect(web.split("\n").flatMap((line) => (/remote-/i.test(line) ? [line.trim()] : []))).toEqual([
      "not header Remote-User *",
      "not header Remote-User *",
    ]);
  });

  it("lets only those register at an open CaseCheck who reach it", () => {
    const routes = enabledApps(settingsOf({ casecheckEnabled: "true", casecheckOpen: "true" })).flatMap(
      (app) => app.routes,
    );
    const accounts = { operator: "admin", people: [{ ...jo, apps: ["casecheck"] }, mia] };
    const at = (visitor: string) =>
      ["/v1/auth/register", "/v1/auth/register/x", "/v1/activities"].map((path) =>
        policyFor(routes, domain, `casecheck.${domain}`, path, { accounts, visitor }),
      );
    expect([at("admin"), at("jo"), at("mia")]).toEqual([
      ["two_factor", "two_factor", "bypass"],
      ["two_factor", "two_factor", "bypass"],
      ["deny", "deny", "bypass"],
    ]);
  });
});
