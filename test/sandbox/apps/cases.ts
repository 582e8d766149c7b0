import type { Answer, RequestOptions } from "../world";

type Send = (path: string, options: RequestOptions) => Promise<Answer>;

/** What an activity needs next to its title. An unknown type becomes the first one that there is. */
const activity = {
  description: "An activity of the tests",
  activity_type_id: "any",
  location: "Here",
  max_participants: 10,
  start_date: "2030-06-15T08:00:00Z",
  end_date: "2030-06-15T18:00:00Z",
};

/** CaseCheck's API, reached in one way or another. */
export class Cases {
  constructor(private readonly send: Send) {}

  login(username: string, password: string): Promise<Answer> {
    return this.#post("/v1/auth/login", { username, password });
  }

  register(username: string, password: string): Promise<Answer> {
    const person = { email: `${username}@example.com`, full_name: username };
    return this.#post("/v1/auth/register", { username, password, ...person });
  }

  async token(username: string, password: string): Promise<string> {
    const { status, body } = await this.login(username, password);
    if (status !== 200) throw new Error(`CaseCheck's login answered ${status}: ${body}`);
    return (JSON.parse(body) as { data: { access_token: string } }).data.access_token;
  }

  create(title: string, token: string): Promise<Answer> {
    return this.#post("/v1/activities", { title, ...activity }, token);
  }

  /** In alphabetical order. */
  async titles(token: string): Promise<string[]> {
    const { status, body } = await this.send("/v1/activities", { headers: bearer(token) });
    if (status !== 200) throw new Error(`CaseCheck's activities answered ${status}: ${body}`);
    return (JSON.parse(body) as { data: { title: string }[] }).data.map(({ title }) => title).sort();
  }

  /** The one of this title. */
  async idOf(title: string, token: string): Promise<string> {
    const { body } = await this.send("/v1/activities", { headers: bearer(token) });
    const found = (JSON.parse(body) as { data: { id: string; title: string }[] }).data.find((it) => it.title === title);
    if (found === undefined) throw new Error(`CaseCheck has no activity ${title}: ${body}`);
    return found.id;
  }

  /** A step from the draft to the start of an activity. */
  move(id: string, step: "submit" | "approve" | "start", token: string): Promise<Answer> {
    return this.#post(`/v1/activities/${id}/${step}`, {}, token);
  }

  /** What its QR code says at the gate `main`. */
  qrCode(id: string, token: string): Promise<Answer> {
    return this.#post("/v1/attendance/qr-code", { activity_id: id, gate_id: "main" }, token);
  }

  /** How many people have checked in. */
  count(id: string, token: string): Promise<Answer> {
    return this.send(`/v1/attendance/activity/${id}/stats`, { headers: bearer(token) });
  }

  /** The list of users, which its policy gives to administrators alone. */
  users(token: string): Promise<Answer> {
    return this.send("/v1/users", { headers: bearer(token) });
  }

  #post(path: string, value: Readonly<Record<string, string | number>>, token?: string): Promise<Answer> {
    const headers = { "content-type": "application/json", ...(token !== undefined && bearer(token)) };
    return this.send(path, { method: "POST", headers, body: JSON.stringify(value) });
  }
}

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
