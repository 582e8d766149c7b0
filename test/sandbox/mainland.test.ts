import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { selfSigned } from "@cloudcode/alicloud-emulator/self-signed";
import { type ImageName, defaultImages, imageNames } from "../../components/images";
import { type Mirrors, mirroredImage, resolveMirrors } from "../../components/mirrors";
import { cacheDir } from "../../cli/cache";
import { run } from "../../cli/run";
import { say } from "../../cli/say";
import { baseImage } from "../../sandbox/host/base";
import { buildImage } from "../../sandbox/host/build";
import { pythonRecipe } from "../../sandbox/images/app-recipes";
import { hubReference } from "../../sandbox/images/images";
import { pushImages } from "../../sandbox/images/push";
import { sourcesImage } from "../../sandbox/images/sources";
import { openSandbox, removeSandbox } from "../../sandbox/sandbox";
import { bundleHost } from "../support/mainland";
import { AppsWorld, appSecrets, appSettings } from "./apps/world";
import { k3sFiles } from "./lwsandbox/k3s-files";
import { prepareBoard } from "./lwsandbox/open";
import { MirrorServers, mirrorNames } from "./mainland/mirrors";
import { NameServer } from "./mainland/names";
import { username } from "./world";

// A host that reaches nothing but the mirrors of mainland China, by their default names; the first `up` brings all five Apps.
jest.setTimeout(40 * 60_000);

type Repositories = Awaited<ReturnType<typeof sourcesImage>>;

const name = process.env["CLOUDCODE_SANDBOX"] ?? "mainland";
const keep = process.env["CLOUDCODE_KEEP"] !== undefined;
const world = new AppsWorld();
const tls = selfSigned(["mirrors.sandbox.invalid", ...mirrorNames]);
let mirrors: MirrorServers;
let names: NameServer;

/** Names that Apps ask for while they run, which no mirror is for (docs/mainland.md). */
const runtime: readonly string[] = ["models.opencode.ai"];

const debianSources = ["debian trixie trixie-updates", "debian-security trixie-security"]
  .map((words) => {
    const [folder, ...suites] = words.split(" ");
    return `Types: deb\nURIs: http://deb.debian.org/${folder}\nSuites: ${suites.join(" ")}\nComponents: main\nSigned-By: /usr/share/keyrings/debian-archive-keyring.gpg\n`;
  })
  .join("\n");

/** The images that others are built from, with apt's sources as they are published and with trust in the mirrors' certificate. */
async function pushBases(base: string, debian: string): Promise<ReadonlyMap<ImageName, string>> {
  const python = await buildImage(pythonRecipe(base), say);
  const wanted: readonly [ImageName, string][] = [
    ["debian", debian],
    ["python311", python],
    ["python312", python],
  ];
  const made = await Promise.all(
    wanted.map(async ([of, from]) => {
      const dockerfile = `FROM ${from}
RUN rm -rf /etc/apt/sources.list /etc/apt/sources.list.d/*
COPY debian.sources /etc/apt/sources.list.d/
COPY mirrors.crt /usr/local/share/ca-certificates/
RUN update-ca-certificates >/dev/null
ENV NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt PIP_CERT=/etc/ssl/certs/ca-certificates.crt
`;
      const files = { "debian.sources": debianSources, "mirrors.crt": tls.certificate };
      const { repository, tag } = hubReference(defaultImages[of].replace(/@.*/, ""));
      return {
        of,
        image: await buildImage({ name: "mainland", dockerfile, files }, say),
        repository,
        tag: `${tag}-mainland`,
      };
    }),
  );
  await pushImages(`http://${world.sandbox.host.gateway}:5000`, made, cacheDir);
  return new Map(made.map(({ of, repository, tag }) => [of, `docker.io/${repository}:${tag}`]));
}

/** Writes the repositories of the sandbox as bundles into a folder; gives the settings that name them. */
async function bundle(folder: string, { image, sources }: Repositories): Promise<Record<string, string>> {
  mkdirSync(folder, { recursive: true });
  await run("docker", ["run", "--rm", "--volume", `${folder}:/out`, image, "cp", "-r", "/srv/sources/.", "/out"]);
  const written = Object.entries(sources).map(async ([of, source]) => {
    const [, repository = "", commit = ""] = /([^/]+)#(.*)$/.exec(source) ?? [];
    const git = ["-c", "safe.directory=*", "-C", join(folder, `${repository}.git`)];
    await run("git", [...git, "bundle", "create", join(folder, `${repository}.bundle`), "main"]);
    return [of, `https://${bundleHost}/${repository}.bundle#${commit}`] as const;
  });
  return Object.fromEntries(await Promise.all(written));
}

/** Its names come from the test's server, and what leaves it for anywhere but this machine is dropped and counted. */
async function wallIn(): Promise<void> {
  const { gateway } = world.sandbox.host;
  await world.sandbox.exec(["sh", "-c", "cat >/usr/local/share/ca-certificates/mirrors.crt"], {
    input: tls.certificate,
  });
  await world.onHost(`update-ca-certificates >/dev/null; systemctl restart docker
    echo 'nameserver ${gateway}' >/etc/resolv.conf
    device=$(ip -o route get ${gateway} | sed 's/.* dev \\([^ ]*\\).*/\\1/')
    iptables -t mangle -A POSTROUTING -o "$device" ! -d ${gateway} -m comment --comment strays -j DROP`);
}

const strayPackets = () => world.onHost("iptables -t mangle -nvxL POSTROUTING | awk '/strays/ { print $1 }'");

beforeAll(async () => {
  if (!keep) await removeSandbox(name, say);
  // What the mirrors have is of this machine's making.
  process.env["CLOUDCODE_STAND_INS"] = "1";
  world.sandbox = await openSandbox(name, say, { allApps: true });
  const { folder, host } = world.sandbox;
  const table: Mirrors | undefined = resolveMirrors("mainland", {});
  const places = {
    k3s: join(folder, "k3s"),
    bundles: join(folder, "bundles"),
    registry: `http://${host.gateway}:5000`,
  };
  const lwsandboxK3s = await k3sFiles(places.k3s, say);
  const base = await baseImage({ cacheDir, say });
  const repositories = await sourcesImage(base, say);
  const bases = await pushBases(base, repositories.image);
  const images = imageNames.map((image) => {
    return [image, mirroredImage(bases.get(image) ?? defaultImages[image].replace(/@.*/, ""), table)] as const;
  });
  await prepareBoard(world);
  mirrors = await MirrorServers.start(host.gateway, tls, places);
  names = await NameServer.start(host.gateway, mirrorNames);
  await wallIn();
  await world.startOutside();
  world.sandbox.configure({
    ...appSettings,
    opencodeEnabled: "true",
    lwsandboxEnabled: "true",
    lwsandboxK3s,
    adminUsername: username,
    domain: "home.example.com",
    network: "mainland",
    icpFiled: "true",
    registryMirrors: undefined,
    images: Object.fromEntries(images),
    sources: await bundle(places.bundles, repositories),
  });
  await world.setSecrets(appSecrets);
});
afterAll(async () => {
  world.stopOutside();
  mirrors.stop();
  names.stop();
  if (!keep) await removeSandbox(name, say);
});

test("the first up brings all five Apps, healthy", async () => {
  await world.up();
  const lines = (await world.onHost("docker ps --all --format '{{.Names}} {{.Status}}'")).split("\n");
  expect(lines.filter((line) => !/\(healthy\)$|Exited \(0\)/.test(line))).toEqual([]);
  for (const app of ["opencode", "tg-signer", "donation", "casecheck", "lwsandbox"])
    expect([app, lines.some((line) => line.startsWith(`cloudcode-${app}-`))]).toEqual([app, true]);
});

test("each mirror was asked for what it has, and nothing else was asked for anything", async () => {
  expect([...mirrors.served.keys()].sort()).toEqual([...mirrorNames].sort());
  expect(mirrors.missing).toEqual([]);
  expect(names.strays.filter((stray) => !runtime.includes(stray))).toEqual([]);
  expect(await strayPackets()).toBe("0");
});
