import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { enabledApps } from "../../components/apps/registry";
import { type Images, imageNames } from "../../components/images";
import { type MirrorKind, type Mirrors, k3sMirror, mirrorKinds, mirrorTable } from "../../components/mirrors";
import { notifierName } from "../../components/notify/notifier-release";
import type { Settings } from "../../components/settings/settings";
import { type Check, ok, red, warn } from "../status/check";

/** A mirror that the host asks, and what it answered. */
export interface MirrorAnswer {
  readonly kind: string;
  readonly address: string;
  /** Milliseconds, `none`, or `lacks` and what is not there. */
  readonly answer: string;
}

/** What each mirror is asked for: lines for look/7-mirrors.sh. Those in use come first, then the others of the table. */
export function mirrorQuestions(settings: Settings, templates: string): string[] {
  const { mirrors } = settings;
  if (mirrors === undefined) return [];
  return mirrorKinds.flatMap((kind) => {
    const addresses = [...new Set([mirrors[kind], ...mirrorTable[kind].mirrors])];
    return addresses.flatMap((address) => {
      const words = questionOf(kind, address, { settings, mirrors, templates });
      return words === undefined ? [] : [`${kind} ${address} ${words}`];
    });
  });
}

interface Asked {
  readonly settings: Settings;
  readonly mirrors: Mirrors;
  readonly templates: string;
}

/** Something small that each mirror of a kind has; {system} and {codename} are the host's. Undefined: nothing of it is needed. */
function questionOf(kind: MirrorKind, address: string, { settings, mirrors, templates }: Asked): string | undefined {
  const file = (path: string) => `file ${address}/${path}`;
  switch (kind) {
    case "apt":
    case "dockerApt":
      return file("{system}/dists/{codename}/InRelease");
    case "dockerHub":
    case "ghcr": {
      const images = neededImages(settings, templates)
        .filter((image) => image.startsWith(`${mirrors[kind]}/`))
        .map((image) => image.slice(mirrors[kind].length + 1).replace(/:[\w.-]+@/, "@"));
      return images.length === 0 ? undefined : `images ${images.join(" ")}`;
    }
    case "npm":
      return file("tslib/latest");
    case "pypi":
      return file("pip/");
    case "go":
      return file("golang.org/x/text/@v/list");
    case "k3s":
      return settings.values.lwsandboxEnabled
        ? `file ${k3sMirror({ ...mirrors, k3s: address }, settings.values.lwsandboxK3s.version)}/k3s`
        : undefined;
  }
}

/** The images that the templates of what is switched on name. */
function neededImages(settings: Settings, templates: string): string[] {
  const stacks = [
    "auth-gateway",
    "reverse-proxy",
    ...enabledApps(settings).map(({ name }) => name),
    ...(settings.news ? [notifierName] : []),
  ];
  const texts = stacks.flatMap((stack) =>
    readdirSync(join(templates, stack), { recursive: true, encoding: "utf8" })
      .filter((path) => path.endsWith(".hbs"))
      .map((path) => readFileSync(join(templates, stack, path), "utf8")),
  );
  const named = new Set(texts.flatMap((text) => [...text.matchAll(/\bimages\.(\w+)/g)].map(([, name]) => name)));
  const wanted = (name: keyof Images) => named.has(name) || (name === "restic" && settings.backup !== undefined);
  return [...new Set(imageNames.filter(wanted).map((name) => settings.images[name]))];
}

/** How much slower than the best a mirror may be before another one is named. */
const tolerance = 2;

/** One check for each kind: the mirror in use, and the best. */
export function judgeMirrors(answers: readonly MirrorAnswer[], inUse: Mirrors): Check[] {
  return mirrorKinds.flatMap((kind) => {
    const all = answers.filter((one) => one.kind === kind);
    if (all.length === 0) return [];
    const used = all.find(({ address }) => address === inUse[kind]);
    const best = all
      .filter(({ answer }) => /^\d+$/.test(answer))
      .toSorted((one, other) => Number(one.answer) - Number(other.answer))[0];
    const seen = all.map(({ address, answer }) => `${address} ${words(answer)}`).join(", ");
    const name = `mirror ${kind}`;
    const fix = (address: string) => `pulumi config set --path 'mirrors.${kind}' ${address}`;
    if (best === undefined)
      return red(name, seen, `${fix("ADDRESS")}, with another mirror of ${mirrorTable[kind].what}; docs/mainland.md`);
    const said = `the best is ${best.address}: ${seen}`;
    if (used === undefined || !/^\d+$/.test(used.answer)) return red(name, said, fix(best.address));
    return Number(used.answer) > tolerance * Number(best.answer) + 50
      ? warn(name, said, fix(best.address))
      : ok(name, said);
  });
}

function words(answer: string): string {
  if (/^\d+$/.test(answer)) return `${answer} ms`;
  return answer === "none" ? "does not answer" : answer;
}
