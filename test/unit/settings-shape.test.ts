import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { parse } from "yaml";
import { defaultImages, imageNames } from "../../components/images";
import { settingKeys } from "../../components/settings/table";
import { withSettings } from "../../scripts/project-file";
import { settingsPage } from "../../scripts/settings-page";
import { privateKey } from "../support/minimal";
import { secretKeys } from "../support/program";
import { projectRoot } from "../support/project-root";
import { promiseOf } from "../support/recorder";
import { settingsOf } from "../support/settings";

describe("settings that are not given", () => {
  it("have these defaults", () => {
    const { target, values, ...settings } = settingsOf();
    expect(target).toMatchObject({
      kind: "existing",
      address: "203.0.113.7",
      port: 22,
      user: "root",
      waitSeconds: 600,
      sshCidrs: [],
    });
    expect(settings).toEqual({
      withText: expect.any(Function) as unknown,
      domain: undefined,
      standby: false,
      operator: {
        username: "admin",
        password: undefined,
        email: undefined,
        session: { inactivity: "1d", lifetime: "7d", remembered: "1M" },
      },
      mail: undefined,
      alerts: { webhook: undefined, mail: undefined },
      backup: undefined,
      ownApps: { sources: [], secrets: undefined, secretNames: undefined, timeZone: "UTC" },
      certificates: {
        email: undefined,
        directories: ["https://acme-v02.api.letsencrypt.org/directory", "https://acme.zerossl.com/v2/DV90"],
        trustedRoot: undefined,
        fallbackMinutes: 60,
      },
      docker: {
        packages: "docker-ce",
        aptRepository: "https://download.docker.com/linux",
        registryMirrors: [],
        dns: [],
        addressPool: "10.201.0.0/16",
        swapMiB: 2048,
        ntpServer: undefined,
        automaticUpdates: true,
        rebootTime: undefined,
      },
      images: defaultImages,
      sources: {
        casecheck: {
          repository: "https://github.com/Newbear1010/CaseCheck",
          commit: "3b30a58887e422528160b7fd17ebc65ecbc5442f",
        },
        tgSigner: {
          repository: "https://github.com/wosa1402/wosa-tg-qiandao",
          commit: "c300d734ad0ebe44be19dada126b9df8fc18e29b",
        },
      },
      timeZone: "UTC",
      deleteData: false,
    });
    expect(values).toMatchObject({
      opencodeEnabled: true,
      opencodeSubdomain: "code",
      opencodeTerminal: true,
      opencodeMemoryMiB: 2048,
      tgSignerEnabled: false,
      casecheckEnabled: false,
      lwsandboxEnabled: false,
    });
  });
});

describe("settings", () => {
  it("cannot be changed once they are read, at any depth", () => {
    const settings = settingsOf({ sshCidrs: '["203.0.113.0/24"]' });
    const { target, values, docker, images } = settings;
    for (const part of [settings, target, docker, values.sshCidrs, images]) {
      expect(Object.isFrozen(part)).toBe(true);
    }
    expect(Reflect.set(settings.operator, "username", "mallory")).toBe(false);
  });

  it("hold secrets as Pulumi secrets", async () => {
    const settings = settingsOf({
      adminPassword: "a long passphrase of mine",
      smtpAddress: "smtp://mx.example.com",
      smtpUsername: "me",
      smtpPassword: "secret",
      opencodeAnthropicApiKey: "sk-ant-1",
      opencodeOpenaiApiKey: "sk-1",
    });
    const { operator, mail, values } = settings;
    const secrets = [
      values.hostPrivateKey,
      operator.password,
      mail?.password,
      values.opencodeAnthropicApiKey,
      values.opencodeOpenaiApiKey,
    ];
    for (const secret of secrets) expect(await (secret && pulumi.isSecret(secret))).toBe(true);
    expect(await (values.hostPrivateKey && promiseOf(values.hostPrivateKey))).toBe(privateKey);
  });

  it("of numbers, flags, lists and objects are read from the texts in which Pulumi keeps them", () => {
    const settings = settingsOf({
      hostPort: "2222",
      deleteData: "true",
      dockerDns: '["1.1.1.1","2606:4700:4700::1111"]',
      images: '{"caddy":"registry.example.com/caddy:2"}',
      dockerAptRepository: "https://mirror.example.com/linux//",
    });
    expect(settings.target).toMatchObject({ port: 2222 });
    expect(settings.deleteData).toBe(true);
    expect(settings.docker.dns).toEqual(["1.1.1.1", "2606:4700:4700::1111"]);
    expect(settings.images).toEqual({ ...defaultImages, caddy: "registry.example.com/caddy:2" });
    expect(settings.docker.aptRepository).toBe("https://mirror.example.com/linux");
  });
});

describe("a private registry", () => {
  it("takes the place of every public one in each image, but for one that is given by name", () => {
    const images = `{"ttyd":"docker.io/me/ttyd:1"}`;
    const moved = settingsOf({ imageRegistry: "registry.example.com/mirror", images }).images;
    expect(moved.caddy).toBe(defaultImages.caddy.replace("docker.io/", "registry.example.com/mirror/"));
    expect(moved.ttyd).toBe("docker.io/me/ttyd:1");
    for (const name of imageNames.filter((other) => other !== "ttyd"))
      expect(moved[name]).toMatch(/^registry\.example\.com\/mirror\//);
  });
});

describe("every default image", () => {
  it.each(imageNames)("%s is pinned by a version, from a public registry", (name) => {
    expect(defaultImages[name]).toMatch(/^(docker|ghcr)\.io\/[a-z0-9/-]+:[\w.-]+(@sha256:[0-9a-f]{64})?$/);
    expect(defaultImages[name]).not.toMatch(/:latest/);
  });
});

describe("Pulumi.yaml", () => {
  const project = readFileSync(join(projectRoot, "Pulumi.yaml"), "utf8");

  it("is what `npm run settings` writes from the table", () => {
    expect(project).toBe(withSettings(project));
  });

  it("declares no configuration: `pulumi config` lists what the operator set, and Pulumi itself refuses no key", () => {
    expect(parse(project)).not.toHaveProperty("config");
  });

  it("asks for a new project's target, its place, domain, operator and model key, the last as a secret", () => {
    const { template } = parse(project) as { template: { config: Record<string, { secret?: boolean }> } };
    const asked = Object.entries(template.config);
    expect(asked.map(([key]) => key)).toEqual([
      "target",
      "region",
      "sshCidrs",
      "hostAddress",
      "domain",
      "adminUsername",
      "adminEmail",
      "opencodeAnthropicApiKey",
    ]);
    for (const [key, { secret = false }] of asked) expect([key, secret]).toEqual([key, secretKeys.includes(key)]);
  });
});

describe("docs/settings.md", () => {
  const page = readFileSync(join(projectRoot, "docs/settings.md"), "utf8");

  it("is what `npm run settings` writes from the table", () => {
    expect(page).toBe(settingsPage());
  });

  it("has one row for each setting", () => {
    const rows = [...page.matchAll(/^\| `(\w+)` \|/gm)].map(([, key]) => key);
    expect(rows.sort()).toEqual([...settingKeys].sort());
  });
});
