import { type AppsWorld, appSecrets } from "../apps/world";
import { signIn } from "../sign-in";
import { type Answer, username } from "../world";

/** Answers at port 3000 with the first line of what it is asked, which the stand-in for k3s does in every pod. */
export const answering = {
  image: "docker.io/library/python:3.12-alpine",
  // In one line and without a backslash, which not every shell passes on.
  command: [
    "python3",
    "-uc",
    `import http.server as h; h.ThreadingHTTPServer(("", 3000), type("A", (h.BaseHTTPRequestHandler,), {"do_GET": lambda s: (s.send_response(200), s.end_headers(), s.wfile.write((s.requestline + chr(10)).encode()))})).serve_forever()`,
  ],
};

export interface Box {
  readonly id: string;
  readonly accessToken: string;
  readonly accessUrl: string;
}

/** liteboxd as its users have it: its login behind the gateway, and scripts with a key or a sandbox's token. */
export class Liteboxd {
  /** An API key. */
  key = "";

  constructor(private readonly world: AppsWorld) {}

  get withKey() {
    return { authorization: `Bearer ${this.key}` };
  }

  /** A script's request. */
  ask(method: string, path: string, headers: Readonly<Record<string, string>>, body?: object): Promise<Answer> {
    const json = { accept: "application/json", "content-type": "application/json" };
    return this.world.request("sandbox", path, {
      method,
      headers: { ...json, ...headers },
      ...(body && { body: JSON.stringify(body) }),
    });
  }

  /** Signs the operator in at the gateway for the first time; gives the title of the pages. */
  async openPages(): Promise<string> {
    let title = "";
    await signIn(this.world, username, appSecrets.adminPassword, async ({ page }) => {
      await page.goto(`https://sandbox.${this.world.domain}/templates`);
      title = await page.title();
    });
    return title;
  }

  login(password: string): Promise<Answer> {
    const { cookie } = this.world;
    return this.ask("POST", "/api/v1/auth/login", { cookie }, { username: "admin", password });
  }

  async create(): Promise<Box> {
    const spec = { ...answering, ttl: 86_400, resources: { cpu: "50m", memory: "64Mi" } };
    const template = await this.ask("POST", "/api/v1/templates", this.withKey, { name: "answering", spec });
    expect([201, 409]).toContain(template.status);
    const made = await this.ask("POST", "/api/v1/sandboxes", this.withKey, { template: "answering" });
    expect([made.status, made.body]).toEqual([201, expect.any(String)]);
    return JSON.parse(made.body) as Box;
  }

  async ids(): Promise<string[]> {
    const path = "/api/v1/sandboxes?include_terminating=false";
    const { status, body } = await this.ask("GET", path, this.withKey);
    expect([status, body]).toEqual([200, expect.any(String)]);
    return (JSON.parse(body) as { items: { id: string }[] }).items.map(({ id }) => id);
  }

  /** What answers inside the sandbox to who has this token. */
  inside({ id, accessToken }: Omit<Box, "accessUrl">): Promise<Answer> {
    return this.ask("GET", `/api/v1/sandbox/${id}/port/3000/hello`, { "x-access-token": accessToken });
  }

  /** What kubectl prints to the machine's own root. */
  kubectl(words: string): Promise<string> {
    const program = "/opt/cloudcode/k3s/bin/k3s kubectl --kubeconfig /opt/cloudcode/k3s/admin.yaml";
    return this.world.onHost(`${program} ${words}`);
  }

  /** Secrets that no configuration or state holds: they were made on the machine, or by liteboxd. */
  async madeOnHost(): Promise<string[]> {
    const files = await this.world.onHost(
      `cat /var/lib/docker/volumes/cloudcode-lwsandbox_keys/_data/token; echo
       sed -n 's/.*token: *\\([^ }]*\\).*/\\1/p' /opt/cloudcode/stacks/lwsandbox/access/*/kubeconfig`,
    );
    const made = [this.key, ...files.split("\n")];
    if (made.length !== 4 || made.some((one) => one.length < 32)) throw new Error("not all secrets were found");
    return made;
  }

  /** Names of the pods of all sandboxes. */
  async pods(): Promise<string[]> {
    return (await this.kubectl("get pods -n liteboxd-sandbox -o name | cut -d/ -f2")).split("\n").filter(Boolean);
  }
}
