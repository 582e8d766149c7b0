import type { Answer, RequestOptions } from "../world";

type Send = (path: string, options: RequestOptions) => Promise<Answer>;

/** CaseCheck's API, reached in one way or another. */
export class Cases {
  constructor(private readonly send: Send) {}

  login(username: string, password: string): Promise<Answer> {
    return this.#post("/v1/auth/login", { username, password });
  }

  register(username: string, password: string): Promise<Answer> {
    return this.#post("/v1/auth/register", { username, password });
  }

  async token(username: string, password: string): Promise<string> {
    const { status, body } = await this.login(username, password);
    if (status !== 200) throw new Error(`CaseCheck's login answered ${status}: ${body}`);
    return (JSON.parse(body) as { data: { access_token: string } }).data.access_token;
  }

  create(title: string, token: string): Promise<Answer> {
    return this.#post("/v1/activities", { title }, token);
  }

  async titles(token: string): Promise<string[]> {
    const { status, body } = await this.send("/v1/activities", { headers: bearer(token) });
    if (status !== 200) throw new Error(`CaseCheck's activities answered ${status}: ${body}`);
    return (JSON.parse(body) as { data: string[] }).data;
  }

  #post(path: string, value: Readonly<Record<string, string>>, token?: string): Promise<Answer> {
    const headers = { "content-type": "application/json", ...(token !== undefined && bearer(token)) };
    return this.send(path, { method: "POST", headers, body: JSON.stringify(value) });
  }
}

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
