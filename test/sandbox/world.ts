import { readFileSync } from "node:fs";
import { request as httpsRequest } from "node:https";
import type { IncomingHttpHeaders } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import type { BrowserContext } from "playwright-core";
import { parse } from "yaml";
import { CommandError, type Output } from "../../cli/run";
import type { ExistingSandbox, Sandbox } from "../../sandbox/sandbox";
import { stateResources } from "../support/exported-state";
import { leaks } from "../support/leaks";

/** Values that would break a careless template and that no output, state file or process list may show. */
export const secrets = {
  adminPassword: `pä'ss "wörd" $HOME & <b>#{{x}}\\n %41`,
  opencodeAnthropicApiKey: `sk-ant-'$(id)'"&<>#\\ü`,
} as const;

export const username = "operator";

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface RequestOptions {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** What the scenarios share: the sandbox, and the operator's session once someone has signed in. */
export class World<S extends Sandbox = ExistingSandbox> {
  private opened: S | undefined;
  /** `Cookie` header of a signed-in browser. */
  cookie = "";

  get sandbox(): S {
    if (!this.opened) throw new Error("the sandbox is not open yet");
    return this.opened;
  }

  set sandbox(sandbox: S) {
    this.opened = sandbox;
  }

  get domain(): string {
    return this.sandbox.domain;
  }

  /** With the preview that an operator sees first. */
  async up(...args: readonly string[]): Promise<string> {
    const { stdout, stderr } = await this.sandbox.pulumi(["up", "--yes", ...args]);
    return stdout + stderr;
  }

  /** The words of an `up` that must fail. */
  async upFails(): Promise<string> {
    return failureOf(this.sandbox.pulumi(["up", "--yes", "--skip-preview"]));
  }

  /** As an operator types them: encrypted in the stack file, and on no command line. */
  async setSecrets(values: Readonly<Record<string, string>>): Promise<void> {
    for (const [key, input] of Object.entries(values))
      await this.sandbox.pulumi(["config", "set", "--secret", key], { input });
  }

  /** Keeps the session of a signed-in browser for requests. */
  async keepSession(context: BrowserContext): Promise<void> {
    const cookies = await context.cookies(`https://${this.domain}`);
    this.cookie = cookies.map(({ name, value }) => `${name}=${value}`).join("; ");
  }

  /** Gives that session to another browser. */
  async giveSession(context: BrowserContext): Promise<void> {
    const cookies = this.cookie.split("; ").map((pair) => {
      const [name = "", value = ""] = pair.split("=");
      return { name, value, domain: `.${this.domain}`, path: "/", secure: true, sameSite: "Lax" as const };
    });
    await context.addCookies(cookies);
  }

  onHost(script: string): Promise<string> {
    return this.sandbox.exec(["sh", "-c", script]).then(({ stdout }) => stdout.trim());
  }

  /** One HTTPS request to a name below the domain ("" for the domain itself), past DNS; certificates are other tests' matter. */
  request(
    subdomain: string,
    path: string,
    { method = "GET", headers = {}, body }: RequestOptions = {},
  ): Promise<Answer> {
    const name = this.nameOf(subdomain);
    return new Promise((resolve, reject) => {
      const options = {
        host: this.sandbox.host.address,
        servername: name,
        path,
        method,
        rejectUnauthorized: false,
        agent: false,
      };
      const sent = httpsRequest({ ...options, headers: { host: name, ...headers } }, (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("error", reject);
        response.on("end", () => {
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            body: Buffer.concat(chunks).toString(),
          });
        });
      });
      sent.setTimeout(60_000, () => sent.destroy(new Error(`no answer from https://${name}${path} within 60 s`)));
      sent.on("error", reject);
      sent.end(body);
    });
  }

  nameOf(subdomain: string): string {
    return subdomain === "" ? this.domain : `${subdomain}.${this.domain}`;
  }

  /** New TCP connections to the host's SSH port while `action` runs, counted by the host's own packet filter. */
  async sshConnections(action: () => Promise<unknown>): Promise<number> {
    const rule = "INPUT -p tcp --dport 22 --syn -m comment --comment counted";
    await this.onHost(`iptables -w -I ${rule}`);
    try {
      await action();
      return Number(await this.onHost("iptables -w -nvxL INPUT | awk '/counted/ { print $1 }'"));
    } finally {
      await this.onHost(`iptables -w -D ${rule}`);
    }
  }

  /** Container id of each service, by `project-service`: it changes exactly when a container is made again. */
  async containers(): Promise<Record<string, string>> {
    const label = (name: string) => `{{.Label "com.docker.compose.${name}"}}`;
    const lines = await this.onHost(
      `docker ps --filter label=com.docker.compose.project --format '${label("project")}-${label("service")} {{.ID}}'`,
    );
    return Object.fromEntries(lines.split("\n").map((line) => line.split(" ") as [string, string]));
  }

  /**
   * Name of the one container of a service, which ends in another number after each start-first update.
   *
   * @throws Error where it has none, or more
   */
  async container(stack: string, service: string): Promise<string> {
    const filters = [`project=cloudcode-${stack}`, `service=${service}`].map(
      (label) => `--filter label=com.docker.compose.${label}`,
    );
    const names = await this.onHost(`docker ps --all ${filters.join(" ")} --format '{{.Names}}'`);
    if (!/^\S+$/.test(names)) throw new Error(`containers of ${stack}/${service}: ${names}`);
    return names;
  }

  /** The newest one-time code of the login portal, as nextSteps tells the operator to read it. */
  async oneTimeCode(): Promise<string> {
    const authelia = await this.container("auth", "authelia");
    const text = await this.onHost(`docker exec ${authelia} cat /config/notification.txt`);
    const code = /^[A-Z0-9]{8}$/m.exec(text)?.[0];
    if (code === undefined) throw new Error(`no one-time code in: ${text}`);
    return code;
  }

  /** Everything the CLI keeps of the stack, as it lies on disk. */
  async stateText(): Promise<string> {
    const { stdout } = await this.sandbox.pulumi(["stack", "export"]);
    return stdout;
  }

  /**
   * Every secret that the plain half of the state, or another text, shows or gives away.
   *
   * @param given secrets of the configuration
   * @param others more texts, by name
   */
  async leaks(given: readonly string[], others: Readonly<Record<string, string>> = {}): Promise<string[]> {
    const { stdout: shown } = await this.sandbox.pulumi(["stack", "export", "--show-secrets"]);
    const resources = stateResources(await this.stateText(), shown);
    const texts = Object.entries(others).map(([name, text]) => ({ name, plain: text.split("\n") }));
    return leaks(
      [...resources, ...texts.map((each) => ({ ...each, type: "text", secretOutputs: [], stdin: undefined }))],
      given,
    );
  }

  /** URN of the resource of that name. */
  async urnOf(name: string): Promise<string> {
    const state = JSON.parse(await this.stateText()) as { deployment: { resources: { urn: string }[] } };
    const urn = state.deployment.resources.map((resource) => resource.urn).find((one) => one.endsWith(`::${name}`));
    if (urn === undefined) throw new Error(`no resource ${name} in the state`);
    return urn;
  }

  config(): Record<string, unknown> {
    return (parse(readFileSync(this.sandbox.stackFile, "utf8")) as { config: Record<string, unknown> }).config;
  }
}

/** The whole output of a command that must fail. */
export async function failureOf(command: Promise<Output>): Promise<string> {
  try {
    await command;
  } catch (error) {
    if (error instanceof CommandError) return error.output.stdout + error.output.stderr;
    throw error;
  }
  throw new Error("the command succeeded, but had to fail");
}

export async function eventually(seconds: number, holds: () => Promise<boolean>): Promise<boolean> {
  const end = Date.now() + seconds * 1000;
  while (Date.now() < end) {
    if (await holds().catch(() => false)) return true;
    await sleep(1000);
  }
  return false;
}
