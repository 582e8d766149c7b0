import * as pulumi from "@pulumi/pulumi";
import { join } from "node:path";
import type { App } from "../../components/apps/app";
import { enabledApps } from "../../components/apps/registry";
import { type Release, renderRelease } from "../../components/stack/release";
import type { TemplateValues } from "../../components/stack/template";
import type { Kind, Raw } from "./app-settings";
import { projectRoot } from "./project-root";
import { promiseOf } from "./recorder";
import { settingsOf } from "./settings";

/** An App as its release leaves this machine. */
export interface RenderedApp {
  readonly app: App;
  readonly values: TemplateValues;
  /** Those given, those that the stack and the edge generate, and the token of a tunnel. */
  readonly secrets: Readonly<Record<string, string>>;
  readonly release: Release;
}

const domain = "home.example.com";
export const templatesRoot = join(projectRoot, "stack-templates");

/** Renders an App without an engine. @throws Error when a setting is wrong or a template is */
export async function renderApp(kind: Kind, settings: Raw): Promise<RenderedApp> {
  const app = enabledApps(settingsOf({ domain, ...settings })).find(({ name }) => name === kind.name);
  if (app === undefined) throw new Error(`${kind.enabled} does not switch on ${kind.name}`);
  const given = Object.entries(app.secrets).map(async ([name, value]) => [name, await promiseOf(pulumi.output(value))]);
  const generated = Object.entries(app.generated ?? {}).map(([name, length]) => [name, lettersOf(name, length)]);
  const secrets = {
    ...(Object.fromEntries(await Promise.all(given)) as Record<string, string>),
    ...(Object.fromEntries(generated) as Record<string, string>),
    ...Object.fromEntries(
      app.routes.flatMap(({ upstreamLogin: login }) => (login ? [[login.secret, lettersOf(login.secret, 48)]] : [])),
    ),
    ...Object.fromEntries(Object.keys(app.shared ?? {}).map((name) => [name, lettersOf(name, 48)])),
    ...(app.tunnel && { tunnelToken: lettersOf("tunnelToken", 64) }),
  };
  const source = app.release(domain);
  return { app, values: source.values, secrets, release: renderRelease(templatesRoot, source, secrets, "key") };
}

/** Letters and digits, unlike those of another name. */
function lettersOf(name: string, length: number): string {
  return `${Buffer.from(name).toString("hex")}${"x".repeat(length)}`.slice(0, length);
}
