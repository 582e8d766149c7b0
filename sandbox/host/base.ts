import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { withLock } from "../toolchain/lock";
import { aptInstall, mayInstall } from "./apt";
import { aptInstallStep, buildImage, imageExists, imageTag } from "./build";
import { officialRegistryAnswers } from "./official";
import { outerAptProxy, outerAuthorities, outerMirror } from "./outer";
import { run, succeeds } from "./run";
import type { Say } from "./run";

const SUITE = "trixie";
const OFFICIAL = "docker.io/library/debian:trixie-slim";

/** Where the base image's pieces are kept between runs, and who hears of progress. */
export interface BaseArgs {
  readonly cacheDir: string;
  readonly say: Say;
}

/**
 * A minimal Debian that every image of the sandbox starts from: working apt sources, and trust in the authorities
 * that the outer machine trusts. Returns its tag in the outer machine's Docker.
 */
export async function baseImage({ cacheDir, say }: BaseArgs): Promise<string> {
  const authorities = Object.entries(outerAuthorities());
  const proxy = await outerAptProxy();
  const trust = authorities.length > 0 ? "\nENV NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt" : "";
  return buildImage(
    {
      name: "base",
      dockerfile: `FROM ${await rootFilesystem(cacheDir, say)}
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

/** The official image where Docker Hub can be reached, otherwise the same made from Debian's packages. */
async function rootFilesystem(cacheDir: string, say: Say): Promise<string> {
  if (await imageExists(OFFICIAL)) return OFFICIAL;
  if ((await officialRegistryAnswers()) && (await succeeds("docker", ["pull", "--quiet", OFFICIAL]))) return OFFICIAL;
  return bootstrapped(cacheDir, say);
}

async function bootstrapped(cacheDir: string, say: Say): Promise<string> {
  const mirror = outerMirror();
  const tag = imageTag("rootfs", [SUITE, CLEAN_UP, mirror?.archive ?? ""]);
  if (await imageExists(tag)) return tag;
  const tar = join(cacheDir, `${tag.replace(/[/:]/g, "-")}.tar`);
  const wait = () => {
    say("Waiting for another sandbox that makes a Debian");
  };
  await withLock(`${tar}.lock`, wait, async () => {
    if (!existsSync(tar)) await bootstrap(tar, cacheDir, say);
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

async function bootstrap(tar: string, cacheDir: string, say: Say): Promise<void> {
  if (!mayInstall()) {
    throw new Error(
      "The sandbox cannot reach Docker Hub, and only root on Debian or Ubuntu can make its images from packages instead.",
    );
  }
  if (!(await succeeds("debootstrap", ["--version"]))) await aptInstall(["debootstrap", "debian-archive-keyring"], say);
  say(`Making a minimal Debian ${SUITE} from packages`);
  mkdirSync(cacheDir, { recursive: true });
  const work = mkdtempSync(join(cacheDir, "debootstrap-"));
  const root = join(work, "root");
  try {
    const mirror = outerMirror();
    await run("debootstrap", ["--variant=minbase", SUITE, root, ...(mirror === undefined ? [] : [mirror.archive])]);
    writeFileSync(
      join(root, "etc/apt/sources.list"),
      sources(readFileSync(join(root, "etc/apt/sources.list"), "utf8"), mirror?.security),
    );
    await run("sh", ["-c", CLEAN_UP, "sh", root, join(work, "root.tar")]);
    // Renamed last, so that an interrupted run never leaves half a file under the final name.
    renameSync(join(work, "root.tar"), tar);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** Adds the suites with updates and security fixes to the one line that debootstrap wrote. */
export function sources(bootstrapLine: string, security?: string): string {
  const archive = /^deb (\S+)/m.exec(bootstrapLine)?.[1];
  if (archive === undefined) throw new Error(`debootstrap wrote no apt source, but: ${bootstrapLine}`);
  const updates = security ?? archive.replace(/\/debian\/*$/, "/debian-security");
  return `deb ${archive} ${SUITE} main\ndeb ${archive} ${SUITE}-updates main\ndeb ${updates} ${SUITE}-security main\n`;
}
