/** What people do with CaseCheck's API, from an account to a check-in by QR code. */
export interface Step {
  readonly status: number;
  readonly body: unknown;
}

interface Sent {
  readonly as?: string | undefined;
  readonly body?: Readonly<Record<string, unknown>>;
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null;

/** A text of an answer that later steps need, such as `data.id`. */
function text(body: unknown, path: string): string {
  const found = path.split(".").reduce<unknown>((value, name) => (isRecord(value) ? value[name] : undefined), body);
  if (typeof found !== "string") throw new Error(`${path} is no text in ${JSON.stringify(body)}`);
  return found;
}

/** CaseCheck's API at an address, seen by accounts that are made for one run. */
class Visit {
  readonly seen = new Map<string, Step>();
  private readonly names = Math.random().toString(36).slice(2, 8);

  constructor(private readonly base: string) {}

  /** A name of this run. */
  name(who: string): string {
    return `${who}-${this.names}`;
  }

  /** Without what no two runs have in common. */
  private steady(value: unknown): unknown {
    // Rows come in any order.
    if (Array.isArray(value))
      return value.map((each) => this.steady(each)).sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
    if (isRecord(value))
      return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, this.steady(each)]));
    if (typeof value !== "string") return value;
    return value
      .replaceAll(`-${this.names}`, "")
      .replace(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/, "ID")
      .replace(/^[\w-]+\.[\w-]+\.[\w-]+$/, "TOKEN")
      .replace(/^C-\d{4,}$/, "C-NUMBER")
      .replace(/^20[2-3]\d-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?/, (time) => (time.startsWith("2030") ? time : "TIME"));
  }

  async send(method: string, path: string, { as, body }: Sent = {}): Promise<Step> {
    const answer = await fetch(this.base + path, {
      method,
      headers: { ...(as && { authorization: `Bearer ${as}` }), ...(body && { "content-type": "application/json" }) },
      ...(body && { body: JSON.stringify(body) }),
    });
    return { status: answer.status, body: await answer.json() };
  }

  /** One request that counts as a step. */
  async step(name: string, method: string, path: string, sent?: Sent): Promise<unknown> {
    const answer = await this.send(method, path, sent);
    this.seen.set(name, { status: answer.status, body: this.steady(answer.body) });
    return answer.body;
  }
}

const password = "Passphrase1";

/**
 * The same steps wherever they run: accounts, an activity from its draft to its start, its QR code, check-ins, and who may not.
 *
 * @param base address of the API, such as `http://127.0.0.1:8000`
 * @param admin password of the user admin
 * @param patient waits until a QR code has expired, which takes a minute
 */
export async function checkInSteps(base: string, admin: string, patient = false): Promise<ReadonlyMap<string, Step>> {
  const visit = new Visit(base);
  const person = (who: string) => ({
    username: visit.name(who),
    email: `${visit.name(who)}@example.com`,
    full_name: who,
  });
  const login = (name: string, username: string, word: string) =>
    visit.step(name, "POST", "/v1/auth/login", { body: { username, password: word } });
  const register = (name: string, body: Readonly<Record<string, unknown>>) =>
    visit.step(name, "POST", "/v1/auth/register", { body });

  await login("an unknown login", "nobody", password);
  await visit.step("a login without a password", "POST", "/v1/auth/login", { body: { username: "nobody" } });
  await register("an account with a weak password", { ...person("olga"), password: "passphrase1" });
  await register("an account without a mail address", { username: visit.name("olga"), full_name: "olga", password });
  for (const who of ["olga", "pia", "quinn"]) await register(`an account for ${who}`, { ...person(who), password });
  await register("a second one of that name", { ...person("olga"), password });
  await register("a second one of that address", { ...person("olga"), username: visit.name("other"), password });
  const tokenOf = async (name: string, username: string, word: string) =>
    text(await login(name, username, word), "data.access_token");
  const olga = await tokenOf("olga's login", visit.name("olga"), password);
  const pia = await tokenOf("pia's login, by mail address", `${visit.name("pia")}@example.com`, password);
  const quinn = await tokenOf("quinn's login", visit.name("quinn"), password);
  const root = await tokenOf("admin's login", "admin", admin);
  await visit.step("who olga is", "GET", "/v1/users/me", { as: olga });
  await visit.step("who an unknown token is", "GET", "/v1/users/me", { as: "none" });
  await visit.step("the users, for olga", "GET", "/v1/users", { as: olga });
  await visit.step("the users, for admin", "GET", `/v1/users?search=${visit.name("olga")}`, { as: root });

  const activity = {
    title: visit.name("Opening"),
    description: "An activity of a comparison",
    activity_type_id: "any",
    start_date: "2030-06-15T08:00:00Z",
    end_date: "2030-06-15T18:00:00Z",
    location: "Here",
    max_participants: 2,
  };
  const create = (name: string, more: Readonly<Record<string, unknown>>, as: string | undefined = olga) =>
    visit.step(name, "POST", "/v1/activities", { as, body: { ...activity, ...more } });
  await visit.step("an activity without a login", "POST", "/v1/activities", { body: activity });
  await create("an activity with a short title", { title: "Open" });
  await create("an activity that ends before it starts", { end_date: "2030-06-14T18:00:00Z" });
  const id = text(await create("an activity", {}), "data.id");
  await visit.step("the list of activities", "GET", `/v1/activities?search=${visit.name("Opening")}`, { as: pia });
  const act = (name: string, as: string, verb: string) =>
    visit.step(name, "POST", `/v1/activities/${id}/${verb}`, { as, body: {} });
  const qrCode = (name: string, as: string, body: Readonly<Record<string, unknown>> = { gate_id: "main" }) =>
    visit.step(name, "POST", "/v1/attendance/qr-code", { as, body: { activity_id: id, ...body } });
  const take = (name: string, as: string, code: string) =>
    visit.step(name, "POST", "/v1/attendance/check-in", { as, body: { qr_code: code } });
  const enrol = (name: string, as: string) =>
    visit.step(name, "POST", "/v1/attendance/register", { as, body: { activity_id: id } });

  await visit.step("a draft, for another", "GET", `/v1/activities/${id}`, { as: pia });
  await visit.step("a draft, for its creator", "GET", `/v1/activities/${id}`, { as: olga });
  await visit.step("an activity that is not there", "GET", "/v1/activities/none", { as: root });
  await act("a draft is approved", root, "approve");
  await act("a draft is submitted by another", pia, "submit");
  await act("a draft is submitted", olga, "submit");
  await enrol("pia registers too early", pia);
  await act("it is approved by its creator", olga, "approve");
  await act("it is approved by admin", root, "approve");
  await enrol("pia registers", pia);
  await enrol("pia registers again", pia);
  await qrCode("a QR code before the start", olga);
  await act("it is started by another", pia, "start");
  await act("it is started by its creator", olga, "start");
  await act("it is started again", olga, "start");

  await qrCode("a QR code for a participant", pia);
  await qrCode("a QR code without a gate", olga, {});
  const code = text(await qrCode("a QR code for its creator", olga), "data.code");
  await visit.step("what the QR code is", "GET", `/v1/attendance/qr-code/${code}`, { as: pia });
  await visit.step("what an unknown QR code is", "GET", "/v1/attendance/qr-code/none", { as: pia });
  await take("a check-in with another text", pia, "none");
  await take("a check-in with a login in place of a code", pia, pia);
  await take("a check-in with a code of another key", pia, code.replace(/.{20}$/, "AAAAAAAAAAAAAAAAAAAA"));
  await visit.step("a check-in without a login", "POST", "/v1/attendance/check-in", { body: { qr_code: code } });
  const count = (name: string, as: string) => visit.step(name, "GET", `/v1/attendance/activity/${id}/stats`, { as });
  await count("the count before", olga);
  await take("pia checks in", pia, code);
  await take("pia checks in again", pia, code);
  await take("quinn checks in without having registered", quinn, code);
  await take("there is no room for olga", olga, code);
  await count("the count after, for its creator", olga);
  await count("the count after, for admin", root);
  await count("the count after, for a participant", pia);
  await visit.step("the records", "GET", `/v1/attendance/activity/${id}`, { as: olga });
  await visit.step("the participants, for its creator", "GET", `/v1/activities/${id}/participants`, { as: olga });
  await visit.step("the activity after that", "GET", `/v1/activities/${id}`, { as: olga });
  await visit.step("pia checks out", "POST", "/v1/attendance/check-out", { as: pia, body: { qr_code: code } });
  await visit.step("pia checks out again", "POST", "/v1/attendance/check-out", { as: pia, body: { qr_code: code } });
  await take("pia checks in after that", pia, code);
  await count("the count at the end", olga);

  // Five requests at once are one check-in.
  const crowd = text(await create("an activity of many", { max_participants: 50 }), "data.id");
  for (const [as, verb] of [
    [olga, "submit"],
    [root, "approve"],
    [olga, "start"],
  ] as const)
    await visit.send("POST", `/v1/activities/${crowd}/${verb}`, { as, body: {} });
  const shown = await visit.send("POST", "/v1/attendance/qr-code", {
    as: olga,
    body: { activity_id: crowd, gate_id: "main" },
  });
  const again = () =>
    visit.send("POST", "/v1/attendance/check-in", { as: pia, body: { qr_code: text(shown.body, "data.code") } });
  await Promise.allSettled([again(), again(), again(), again(), again()]);
  await visit.step("the count of five check-ins at once", "GET", `/v1/attendance/activity/${crowd}/stats`, {
    as: olga,
  });
  if (patient) {
    await new Promise((resolve) => setTimeout(resolve, 61_000));
    await take("a check-in with a code that has expired", quinn, code);
    await visit.step("what an expired QR code is", "GET", `/v1/attendance/qr-code/${code}`, { as: pia });
  }
  return visit.seen;
}
