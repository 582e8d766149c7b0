import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { withLock } from "@cloudcode/offline-kit/toolchain/lock";
import { aptInstall, mayInstall } from "./apt";
import { aptInstallStep, buildImage, imageExists, imageTag } from "./build";
import { officialRegistryAnswers } from "./official";
import { type DebianMirror, outerAptProxy, outerAuthorities, outerMirror } from "./outer";
import { Shared } from "./shared";
import { run, succeeds } from "../../cli/run";
import type { Say } from "../../cli/run";

/** The systems that a host of cloudcode may run, by ID and VERSION_ID of os-release. */
export const systems = {
  "debian 12": { suite: "bookworm", official: "docker.io/library/debian:bookworm-slim" },
  "debian 13": { suite: "trixie", official: "docker.io/library/debian:trixie-slim" },
  "ubuntu 22.04": { suite: "jammy", official: "docker.io/library/ubuntu:22.04" },
  "ubuntu 24.04": { suite: "noble", official: "docker.io/library/ubuntu:24.04" },
} as const;

export type System = keyof typeof systems;

const ubuntu = {
  archive: "http://archive.ubuntu.com/ubuntu",
  keyring: "pool/main/u/ubuntu-keyring/ubuntu-keyring_2023.11.28.1_all.deb",
  keyringSha256: "36de43b15853ccae0028e9a767613770c704833f82586f28eb262f0311adb8a8",
} as const;

/** Where the base image's pieces are kept between runs, and who hears of progress. */
export interface BaseArgs {
  readonly cacheDir: string;
  /** @default debian 13 */
  readonly system?: System;
  readonly say: Say;
}

/**
 * A minimal system that every image of the sandbox starts from: working apt sources, and trust in the authorities
 * that the outer machine trusts. Returns its tag in the outer machine's Docker.
 */
export async function baseImage(args: BaseArgs): Promise<string> {
  const { say } = args;
  const authorities = Object.entries(outerAuthorities());
  const proxy = await outerAptProxy();
  const trust = authorities.length > 0 ? "\nENV NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt" : "";
  return buildImage(
    {
      name: "base",
      dockerfile: `FROM ${await rootFilesystem(args)}
COPY apt.conf /etc/apt/apt.conf.d/01outer
COPY authorities/ /usr/local/share/ca-certificates/
RUN ${aptInstallStep(["ca-certificates"])} && update-ca-certificates >/dev/null
ENV LANG=C.UTF-8${trust}
CMD ["bash"]
`,
      files: {
        "apt.conf": `APT::Install-Recommends "false";\nAcquire::Languages "none";\n${proxy}`,
        "authorities/.keep": "",
        ...Object.fromEntries(authorities.map(([name, pem]) => [`authorities/${name}`, pem])),
      },
    },
    say,
  );
}

const roots = new Shared<System, string>();

/** Found or made once, however many images start from it side by side. */
function rootFilesystem(args: BaseArgs): Promise<string> {
  return roots.get(args.system ?? "debian 13", () => findRoot(args));
}

/** The official image where Docker Hub can be reached, otherwise the same made from the distribution's packages. */
async function findRoot(args: BaseArgs): Promise<string> {
  const { official } = systems[args.system ?? "debian 13"];
  if (await imageExists(official)) return official;
  if ((await officialRegistryAnswers()) && (await succeeds("docker", ["pull", "--quiet", official]))) return official;
  return bootstrapped(args);
}

async function bootstrapped({ cacheDir, system = "debian 13", say }: BaseArgs): Promise<string> {
  const mirror = system.startsWith("debian") ? outerMirror() : undefined;
  const tag = imageTag("rootfs", [systems[system].suite, CLEAN_UP, mirror?.archive ?? ""]);
  if (await imageExists(tag)) return tag;
  const tar = join(cacheDir, `${tag.replace(/[/:]/g, "-")}.tar`);
  const wait = () => {
    say(`Waiting for another sandbox that builds ${system}`);
  };
  await withLock(`${tar}.lock`, wait, async () => {
    if (!existsSync(tar)) await bootstrap(tar, { cacheDir, system, say }, mirror);
  });
  await run("docker", ["import", tar, tag]);
  return tag;
}

const CLEAN_UP = `
set -eu
cd "$1"
rm -rf var/lib/apt/lists/* var/cache/apt/*.bin var/cache/apt/archives/*.deb var/log/* debootstrap
find usr/share/doc -mindepth 1 -not -name copyright -not -type d -delete
rm -rf usr/share/man/* usr/share/locale/* usr/share/info/* dev/*
tar --numeric-owner -C . -cf "$2" .
`;

async function bootstrap(
  tar: string,
  { cacheDir, system, say }: Required<BaseArgs>,
  mirror: DebianMirror | undefined,
): Promise<void> {
  if (!mayInstall()) {
    throw new Error(
      "The sandbox cannot reach Docker Hub, and only root on Debian or Ubuntu can build its images from packages instead.",
    );
  }
  if (!(await succeeds("debootstrap", ["--version"]))) await aptInstall(["debootstrap", "debian-archive-keyring"], say);
  const { suite } = systems[system];
  say(`Building a minimal ${system} from packages`);
  mkdirSync(cacheDir, { recursive: true });
  const work = mkdtempSync(join(cacheDir, "debootstrap-"));
  const root = join(work, "root");
  try {
    const rest = system.startsWith("debian")
      ? [suite, root, ...(mirror === undefined ? [] : [mirror.archive])]
      : [`--keyring=${await ubuntuKeyring(work)}`, suite, root, ubuntu.archive, ubuntuScript];
    await run("debootstrap", ["--variant=minbase", ...rest]);
    const list = join(root, "etc/apt/sources.list");
    writeFileSync(list, sources(readFileSync(list, "utf8"), system, mirror?.security));
    await run("sh", ["-c", CLEAN_UP, "sh", root, join(work, "root.tar")]);
    // Renamed last, so that an interrupted run never leaves half a file under the final name.
    renameSync(join(work, "root.tar"), tar);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** What all releases of Ubuntu are made by; an older debootstrap lacks the names of the newest. */
const ubuntuScript = "/usr/share/debootstrap/scripts/gutsy";

/** Debian has no package with Ubuntu's keys everywhere: theirs, by its sum. */
async function ubuntuKeyring(work: string): Promise<string> {
  const answer = await fetch(`${ubuntu.archive}/${ubuntu.keyring}`);
  const file = Buffer.from(await answer.arrayBuffer());
  const sum = createHash("sha256").update(file).digest("hex");
  if (sum !== ubuntu.keyringSha256) throw new Error(`Ubuntu's keyring has the sum ${sum} (${answer.status})`);
  writeFileSync(join(work, "keyring.deb"), file);
  await run("dpkg-deb", ["--extract", join(work, "keyring.deb"), join(work, "keyring")]);
  return join(work, "keyring/usr/share/keyrings/ubuntu-archive-keyring.gpg");
}

/** Adds the suites with updates and security fixes to the one line that debootstrap wrote. */
export function sources(bootstrapLine: string, system: System = "debian 13", security?: string): string {
  const archive = /^deb (\S+)/m.exec(bootstrapLine)?.[1];
  if (archive === undefined) throw new Error(`debootstrap wrote no apt source, but: ${bootstrapLine}`);
  const { suite } = systems[system];
  const debian = system.startsWith("debian");
  const updates = security ?? (debian ? archive.replace(/\/debian\/*$/, "/debian-security") : archive);
  const components = debian ? "main" : "main universe";
  return [
    `deb ${archive} ${suite} ${components}`,
    `deb ${archive} ${suite}-updates ${components}`,
    `deb ${updates} ${suite}-security ${components}`,
    "",
  ].join("\n");
}
