import * as pulumi from "@pulumi/pulumi";
import { z } from "zod";
import { edgeNetwork, hostOf, serviceBase } from "../routes";
import * as check from "../settings/checks";
import { when } from "../settings/problem";
import { array, bool, integer, integers, list, number, secret, text } from "../settings/setting";
import { appKind } from "./app";
import { modelProxyKey, modelProxyUpstream } from "./donation";
import { agentService, agentSandboxesKey } from "./lwsandbox-agent";
import {
  donationName,
  keysOf,
  limitProblems,
  model,
  modelServers,
  openCodeConfig,
  placeholderKeys,
  providerKeys,
  providerProblems,
  providers,
  throughEdge,
  withDonation,
} from "./opencode-providers";
import { releaseLine, version } from "./opencode-release-line";
import { ownPorts, previewLabel, previewProblems, previewRoutes } from "./opencode-previews";

const name = "opencode";
const uid = 1000;
/** Caddy on its network, for calls of models. */
const modelsAlias = "opencode-models";
/** The same for servers of other Apps. */
const servicesAlias = "opencode-services";
/** The program by which its agent uses sandboxes, and the file of the key that it sends. */
const sandboxProgram = "/usr/local/lib/workplace/sandboxes.py";
const sandboxKeyFile = "sandboxes-key";
/** The one user of its server; the second major has no other. */
const user = "opencode";

// renovate: datasource=npm depName=opencode-ai
export const opencodeVersion = "1.18.33";

/**
 * A name as Debian's policy has it (https://www.debian.org/doc/debian-policy/ch-controlfields.html#source). A single sign at its end would be
 * an order to apt: to remove that package, say.
 */
const packageName = z
  .string("is not a text")
  .regex(/^[a-z0-9][a-z0-9+.-]{0,126}([a-z0-9.]|\+\+)$/, "is not the name of a Debian package");

const settings = {
  opencodeEnabled: bool({ description: "OpenCode: AI coding in the browser.", example: "true", default: true }),
  opencodeSubdomain: text(check.subdomain, { description: "Subdomain of OpenCode.", example: "code", default: "code" }),
  opencodeTerminal: bool({
    description: "Web terminal for OpenCode's workspace, at /terminal.",
    example: "true",
    default: true,
  }),
  opencodeMemoryMiB: integer(512, 262144, {
    description: "Memory limit of OpenCode and everything that runs in its workspace, in MiB.",
    example: "2048",
    default: 2048,
  }),
  opencodeTerminalMemoryMiB: integer(128, 262144, {
    description:
      "Memory limit of the server of OpenCode's web terminal, in MiB. What runs in the terminal counts toward opencodeMemoryMiB.",
    example: "512",
    default: 1024,
  }),
  opencodeDiskGiB: integer(1, 65536, {
    description:
      "Budget of disk space for OpenCode's home folder, in GiB: npm run ops -- status warns from 80 % and is red at 100 %; nothing is deleted or refused. Not set: it warns when little of the disk is free.",
    example: "20",
  }),
  opencodeVersion: text(version, {
    description:
      "Version of OpenCode. 2.x migrates the data of 1.x permanently: the host keeps a copy first, and npm run ops -- rollback opencode restores version and data.",
    example: "1.18.33",
    default: opencodeVersion,
  }),
  opencodePackages: list(packageName, {
    description: "Debian packages to install in OpenCode's workspace, when its image is built.",
    example: '\'["postgresql-client","php-cli"]\'',
    default: [],
  }),
  opencodePreviews: integers(1, 65535, {
    description:
      "Ports of dev servers in OpenCode's workspace, each shown at https://PORT-SUBDOMAIN.DOMAIN after the sign-in, such as 3000-code.DOMAIN.",
    example: "'[3000,5173]'",
    default: [],
  }),
  opencodeSandboxes: integer(0, 20, {
    description:
      "Number of sandboxes of lwsandbox that OpenCode's agent may have at a time: there it runs code apart from the workspace and its keys. Needs lwsandboxEnabled. 0: none.",
    example: "2",
    default: 0,
  }),
  opencodeDevices: list(check.label, {
    description:
      "Names of OpenCode's own clients, such as opencode attach and its desktop and phone apps. Each gets a key: pulumi stack output deviceKeys --show-secrets.",
    example: '\'["laptop","phone"]\'',
    default: [],
  }),
  opencodeAnthropicApiKey: secret(check.oneLine, {
    description: "Key of Anthropic's API, for OpenCode.",
    example: "sk-ant-…",
  }),
  opencodeOpenaiApiKey: secret(check.oneLine, {
    description: "Key of OpenAI's API, for OpenCode.",
    example: "sk-…",
  }),
  opencodeOpenaiBaseUrl: text(check.secretBase, {
    description: "Address of an OpenAI-compatible API, for OpenCode.",
    example: "https://api.example.com/v1",
  }),
  opencodeProviders: array(providers, {
    description:
      "More model providers for OpenCode: name, kind (openai, openai-compatible, anthropic, anthropic-compatible), baseUrl, models, default (the model that OpenCode starts with), small (the model for titles) and prices (USD for a million tokens, by model: input, output, cacheRead, cacheWrite).",
    example:
      '\'[{"name":"mine","kind":"openai-compatible","baseUrl":"https://llm.example.com/v1","models":["qwen3-coder"],"default":"qwen3-coder"}]\'',
    default: [],
  }),
  opencodeDonationModels: list(model, {
    description:
      "Models of the donation site that OpenCode may use through CLIProxyAPI, as the provider `donation` with its own key. Needs donationEnabled.",
    example: "'[\"claude-sonnet-4-5\"]'",
    default: [],
  }),
  opencodeProviderKeys: secret(providerKeys, {
    description: "API keys of opencodeProviders, by name.",
    placeholder: ({ opencodeProviders }) => placeholderKeys(opencodeProviders),
    example: '\'{"mine":"sk-0123456789"}\'',
  }),
  opencodeMonthlyLimitUsd: number(0.01, 1e6, {
    description:
      "Most that OpenCode's models may cost in a month, in USD as OpenCode counts it: there is news at 50, 80 and 100 %. At 100 % models that have a key from this configuration give no more answers until npm run ops -- cost --allow or the next month. OpenCode then calls them by way of Caddy and does not have the keys itself. Needs notify.",
    example: "20",
  }),
};

/**
 * OpenCode (https://opencode.ai): an agent that runs commands, so all of it asks for two factors and no path bypasses that
 * (CVE-2026-22812). It has a host of its own, since it knows no base path.
 */
export const opencode = appKind({
  name,
  settings,
  enabled: "opencodeEnabled",
  subdomains: ["opencodeSubdomain"],
  moreSubdomains: ({ opencodePreviews: ports = [], opencodeSubdomain: subdomain }) =>
    subdomain === undefined
      ? []
      : ports.map((port) => ({ key: "opencodePreviews", subdomain: previewLabel(port, subdomain) })),
  problems(values, { donationEnabled, lwsandboxEnabled, notify }) {
    const { opencodeProviders: own, opencodeDonationModels: donated = [] } = values;
    const keys = {
      opencodeAnthropicApiKey: values.opencodeAnthropicApiKey,
      opencodeOpenaiApiKey: values.opencodeOpenaiApiKey,
      opencodeProviderKeys: Object.values(keysOf(values.opencodeProviderKeys ?? "{}")).join(""),
    };
    const limited = values.opencodeMonthlyLimitUsd !== undefined;
    return [
      ...when(
        limited && notify === undefined,
        "opencodeMonthlyLimitUsd",
        "needs notify: the notifier counts what the models cost",
      ),
      ...when(
        limited && donated.length === 0 && (own ?? []).length === 0 && !Object.values(keys).some(Boolean),
        "opencodeMonthlyLimitUsd",
        "has no effect: OpenCode has no key from this configuration",
      ),
      ...(limited ? limitProblems(own ?? [], keys) : []),
      ...previewProblems(values.opencodePreviews ?? [], values.opencodeSubdomain ?? ""),
      ...(own === undefined ? [] : providerProblems(own, values.opencodeProviderKeys)),
      ...when(
        donated.length > 0 && donationEnabled !== true,
        "opencodeDonationModels",
        "needs the donation site, which is off: donationEnabled",
      ),
      ...when(
        (values.opencodeSandboxes ?? 0) > 0 && lwsandboxEnabled !== true,
        "opencodeSandboxes",
        "needs lwsandbox, which is off: lwsandboxEnabled",
      ),
      ...when(
        donated.length > 0 && own?.some((one) => one.name === donationName) === true,
        "opencodeProviders",
        `has a provider ${donationName}, a name that opencodeDonationModels uses`,
      ),
    ];
  },
  warnings: (
    { opencodeAnthropicApiKey: anthropic, opencodeOpenaiApiKey: openai, opencodeOpenaiBaseUrl: base },
    { mirrors },
  ) =>
    mirrors === undefined
      ? []
      : [
          ...when(
            anthropic !== undefined,
            "opencodeAnthropicApiKey",
            "is for api.anthropic.com, which does not serve mainland China: use a provider in opencodeProviders",
          ),
          ...when(
            openai !== undefined && base === undefined,
            "opencodeOpenaiBaseUrl",
            "is not set: api.openai.com does not serve mainland China",
          ),
        ],
  app(values, { images, mirrors, timeZone, modelProxy }) {
    const network = edgeNetwork(name);
    const line = releaseLine(values.opencodeVersion);
    const { opencodeAnthropicApiKey: anthropic, opencodeOpenaiApiKey: openai, opencodeProviders: own } = values;
    const donated = values.opencodeDonationModels;
    const shared: Record<string, string> =
      donated.length > 0 ? { [`provider-${donationName}`]: modelProxyKey(name) } : {};
    const hasSandboxes = values.opencodeSandboxes > 0;
    const ofSandboxes: Record<string, string> = hasSandboxes ? { sandboxesKey: agentSandboxesKey } : {};
    const ownKeys = pulumi.output(values.opencodeProviderKeys ?? "{}").apply(keysOf);
    const limit = values.opencodeMonthlyLimitUsd;
    const limited = limit !== undefined;
    // Path below /run/secrets by secret.
    const keys: Readonly<Record<string, pulumi.Output<string>>> = {
      ...(anthropic && { ANTHROPIC_API_KEY: anthropic }),
      ...(openai && { OPENAI_API_KEY: openai }),
      ...Object.fromEntries(
        own.map((one) => [`provider-${one.name}`, pulumi.secret(ownKeys.apply((known) => known[one.name] ?? ""))]),
      ),
    };
    const files = [...Object.keys(keys), ...Object.keys(shared)];
    const models = {
      alias: modelsAlias,
      secret: "modelKey",
      servers: modelServers(
        [...(anthropic ? (["ANTHROPIC_API_KEY"] as const) : []), ...(openai ? (["OPENAI_API_KEY"] as const) : [])],
        values.opencodeOpenaiBaseUrl,
        withDonation(own, `http://${modelProxyUpstream}`, donated),
      ),
    };
    const sandboxes = {
      command: [
        "/usr/bin/python3",
        "-I",
        "-S",
        "-B",
        sandboxProgram,
        serviceBase(servicesAlias, agentService),
        `/run/secrets/${sandboxKeyFile}`,
      ],
    };
    const config = (domain: string) => {
      const direct = openCodeConfig(
        withDonation(own, `https://${hostOf(modelProxy, domain)}`, donated),
        values.opencodeOpenaiBaseUrl,
      );
      const asked = limited ? throughEdge(direct, models.alias, models.servers) : direct;
      return { ...asked, ...(hasSandboxes && { mcp: line.mcp("sandbox", sandboxes.command) }) };
    };
    return {
      routes: [
        {
          subdomain: values.opencodeSubdomain,
          network,
          calls: donated.length > 0 && !limited ? [modelProxy.subdomain] : [],
          ...(limited && { models }),
          ...(hasSandboxes && { services: { alias: servicesAlias, services: [agentService] } }),
          upstream: `opencode-server:${ownPorts.server}`,
          health: line.health,
          upstreamLogin: {
            name,
            username: user,
            secret: "serverPassword",
            parameter: "auth_token",
            devices: values.opencodeDevices,
            tickets: line.tickets,
          },
          policy: "two_factor",
          pages: line.pages,
          paths: values.opencodeTerminal
            ? [{ path: "/terminal/*", upstream: `opencode-terminal:${ownPorts.terminal}` }]
            : [],
          title: "OpenCode",
          version: values.opencodeVersion,
          summary: { en: "AI coding in the browser", zh: "浏览器里的 AI 编程" },
        },
        ...previewRoutes(values.opencodePreviews, values.opencodeSubdomain, network),
      ],
      release: (domain) => ({
        template: name,
        without: hasSandboxes ? [] : ["sandboxes/"],
        secretFiles: {
          "server-password": "serverPassword",
          ...(hasSandboxes && { [sandboxKeyFile]: "sandboxesKey" }),
          ...Object.fromEntries(files.map((file) => [file, limited ? models.secret : file])),
        },
        values: {
          images,
          mirrors,
          package: `${line.package}@${values.opencodeVersion}`,
          passwordFile: `/run/secrets/${line.passwordVariable}`,
          healthUrl: `http://127.0.0.1:${ownPorts.server}${line.health.path}`,
          healthCommand: `curl -fsS --config /run/secrets/health | grep -qzE '${line.health.body}'`,
          user,
          packages: values.opencodePackages.join(" "),
          timeZone,
          network,
          keys: hasSandboxes ? [...files, sandboxKeyFile] : files,
          sandboxProgram: hasSandboxes ? sandboxProgram : "",
          config: { ...config(domain) },
          terminal: values.opencodeTerminal,
          memoryMiB: values.opencodeMemoryMiB,
          terminalMemoryMiB: values.opencodeTerminalMemoryMiB,
        },
        plan: {
          networks: [network],
          build: ["server"],
          ...(values.opencodeDiskGiB !== undefined && {
            disk: { gib: values.opencodeDiskGiB, setting: "opencodeDiskGiB" },
          }),
          // Not the workspace, which is the user's and is not migrated.
          dataFormat: { number: line.dataFormat, volumes: ["config", "data"] },
        },
        owners: Object.fromEntries(
          ["server-password", "health", "opencode.json", sandboxKeyFile, "sandboxes/", ...files].map((file) => [
            file,
            uid,
          ]),
        ),
      }),
      secrets: limited ? {} : keys,
      ...(limited && { edge: { secrets: keys, shared } }),
      sessions: { major: line.major, monthlyLimitUsd: limit },
      shared: limited ? ofSandboxes : { ...shared, ...ofSandboxes },
    };
  },
});
