import { isUtf8 } from "node:buffer";
import { createHmac } from "node:crypto";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { basename, join, relative, resolve, sep } from "node:path";
import type { ReleasePlan } from "./plan";
import { type TemplateHelpers, type TemplateValues, renderTemplate } from "./template";

/** One file of a Release. */
export interface ReleaseFile {
  /** Path below the template folder, without `.hbs`. */
  readonly path: string;
  readonly content: string;
  /** How the content is written as bytes; latin1: each letter is one byte, as of a picture. @default "utf8" */
  readonly encoding?: "latin1";
  /** @default 0o400 */
  readonly mode: number;
  /** Numeric owner on the host: the uid the container runs as, since Compose keeps owner and mode of mounted files. */
  readonly owner: number;
}

/** Everything a ComposeStack is made of, before secrets are known. */
export interface ReleaseSource {
  /** Folder below `stack-templates/`. */
  readonly template: string;
  /** Folders of the template, each with a slash at its end, that this release does not have. @default none */
  readonly without?: readonly string[];
  /** More files and whole folders, as they are: path in the release to path from `stack-templates/`. @default none */
  readonly also?: Readonly<Record<string, string>>;
  /** Files that hold one secret each: path in the release to the secret's name. @default none */
  readonly secretFiles?: Readonly<Record<string, string>>;
  readonly values: TemplateValues;
  readonly plan: ReleasePlan;
  /** Uid that owns files matching the path prefix, where it is not root. */
  readonly owners?: Readonly<Record<string, number>>;
}

/** A rendered ComposeStack at one moment. */
export interface Release {
  /** Keyed hash of everything below; names the folder on the host. */
  readonly id: string;
  /** Path and short keyed digest of each file: safe to show, useless for guessing a secret. */
  readonly digests: readonly { readonly path: string; readonly digest: string }[];
  readonly files: readonly ReleaseFile[];
  readonly plan: ReleasePlan;
  readonly secrets: readonly string[];
}

const composeFile = "compose.yaml";

/** Folders of a template that are mounted whole; every other file is mounted by itself. */
const mountedFolder = /^(image|mounts\/[^/]+)\//;

/**
 * Files below these folders are read in place through the release folder: `live/` by a reload (a file mounted by itself
 * stays the old one: caddyserver/caddy-docker#364), `host/` by the machine itself, whose `ready.sh` and `gone.sh` are what the stack needs of it in addition to Docker.
 */
const inPlaceFolder = /^(live|host)\//;

/**
 * Renders `stack-templates/<template>/` into a Release. Pure but for reading the templates.
 *
 * A compose file names a file of the release as `{{mount "path"}}`, a host path that holds the file's digest, or as the
 * volume entry `{{bind "path" "/target"}}`; `{{secret "path"}}` is the volume entry of a file in /run/secrets. (Compose's own
 * `secrets` do not do: a change of their file does not recreate a container.) A service is therefore recreated exactly when a file it mounts has changed,
 * and an old container keeps its old files. `{{> name}}` includes a file of `stack-templates/compose-parts/`, in a file of an image one of `stack-templates/image-parts/`. An image built on the host is named `{{tag "name" "folder/"}}` after the digest
 * of its folder.
 *
 * @param digestKey secret key of the digests (kept in state), so that a digest in plain state reveals nothing of a secret
 * @throws Error when a template is wrong, naming the file
 */
export function renderRelease(
  templatesRoot: string,
  source: ReleaseSource,
  secrets: Readonly<Record<string, string>>,
  digestKey: string,
): Release {
  const digestOf = (text: string) => createHmac("sha256", digestKey).update(text).digest("hex");
  const root = join(templatesRoot, source.template);
  const values = { ...source.values, secrets };
  const owned = (file: ReleaseFile): ReleaseFile => {
    const [, owner] = Object.entries(source.owners ?? {}).find(([prefix]) => file.path.startsWith(prefix)) ?? [];
    return owner === undefined ? file : { ...file, owner };
  };
  const plain = (from: string, path: string) => owned(plainFile(from, path));
  const render = (
    path: string,
    helpers?: TemplateHelpers,
    partials?: Readonly<Record<string, string>>,
  ): ReleaseFile => {
    const raw = plain(join(root, path), path.replace(/\.hbs$/, ""));
    try {
      return raw.path === path ? raw : { ...raw, content: renderTemplate(raw.content, values, helpers, partials) };
    } catch (error) {
      throw new Error(`stack-templates/${source.template}/${path}: ${(error as Error).message}`, { cause: error });
    }
  };

  const templates = listFiles(root).filter((path) => !source.without?.some((folder) => path.startsWith(folder)));
  const also = Object.entries(source.also ?? {}).flatMap(([path, from]) =>
    filesAt(resolve(templatesRoot, from)).map((below) => plain(resolve(templatesRoot, from, below), join(path, below))),
  );
  const secretFiles = Object.entries(source.secretFiles ?? {}).map(([path, name]) => {
    const secret = secrets[name];
    if (secret === undefined) throw new Error(`${source.template}: there is no secret ${name} for ${path}`);
    return owned(textFile(path, secret));
  });
  const imageParts = partsIn(templatesRoot, "image-parts");
  const rendered = templates
    .filter((path) => !path.startsWith(composeFile))
    .map((path) => render(path, {}, path.startsWith("image/") ? imageParts : {}));
  const files = [...rendered, ...also, ...secretFiles];
  // Each file of a folder asks for the digest of the whole folder.
  const mounts = new Map<string, Mount>();
  const mount = (path: string): Mount => {
    const known = mounts.get(path) ?? mountPath(files, path, digestOf);
    mounts.set(path, known);
    return known;
  };
  const mounted = (path: string): string => {
    const { folder, path: below } = mount(path);
    return `./${folder}/${below}`;
  };
  const composeHelpers: TemplateHelpers = {
    mount: mounted,
    secret: (path) => `${mounted(path)}:/run/secrets/${basename(path)}:ro`,
    bind: (path, target) => `${mounted(path)}:${target ?? ""}:ro`,
    tag: (image, path) => `${image}:${mount(path ?? "").digest}`,
  };
  const compose = templates
    .filter((path) => path.startsWith(composeFile))
    .map((path) => render(path, composeHelpers, partsIn(templatesRoot, "compose-parts")));
  // Without a compose file nothing mounts anything: DockerEngine's installer reads its neighbours where they are.
  const inPlace = (file: ReleaseFile) => compose.length === 0 || inPlaceFolder.test(file.path);
  const placed = files.map((file) => (inPlace(file) ? file : place(file, mount)));

  const all = [...compose, ...placed];
  const fingerprint = JSON.stringify([all, source.plan]);
  return {
    id: digestOf(fingerprint).slice(0, 12),
    digests: [...compose, ...files].map((file) => ({
      path: file.path,
      digest: digestOf(JSON.stringify(file)).slice(0, 8),
    })),
    files: all,
    plan: source.plan,
    secrets: Object.values(secrets),
  };
}

/** A file as it stands in the templates. */
export function plainFile(from: string, path: string): ReleaseFile {
  const bytes = readFileSync(from);
  return isUtf8(bytes)
    ? textFile(path, bytes.toString("utf8"))
    : { ...textFile(path, bytes.toString("latin1")), encoding: "latin1" };
}

function textFile(path: string, content: string): ReleaseFile {
  return { path, content, owner: 0, mode: mountedFolder.test(path) || path.endsWith(".sh") ? 0o555 : 0o400 };
}

/** What files include as `{{> name}}`: the lines that many services, or many images, have in common. */
function partsIn(templatesRoot: string, folder: string): Record<string, string> {
  const root = join(templatesRoot, folder);
  if (!existsSync(root)) return {};
  return Object.fromEntries(
    listFiles(root).map((path) => [path.replace(/\.hbs$/, ""), readFileSync(join(root, path), "utf8")]),
  );
}

/**
 * Shell comments that list the digest of each file: the readable half of a change, since its contents are secret. The name of a file may
 * have a line end, behind which it would be a command.
 */
export function digestComment(release: Pick<Release, "digests">): string {
  const shown = (path: string) => (/\p{Cc}/u.test(path) ? JSON.stringify(path) : path);
  return release.digests.map(({ path, digest }) => `# ${digest} ${shown(path)}`).join("\n");
}

interface Mount {
  readonly folder: string;
  readonly digest: string;
  readonly path: string;
}

function mountPath(files: readonly ReleaseFile[], path: string, digestOf: (text: string) => string): Mount {
  const folder = path.endsWith("/");
  const members = files.filter((file) => (folder ? file.path.startsWith(path) : file.path === path));
  if (members.length === 0) throw new Error(`no file "${path}" to mount`);
  const digest = digestOf(JSON.stringify(members)).slice(0, 16);
  return { folder: `files/${digest}`, digest, path: folder ? path.slice(0, -1) : path };
}

function place(file: ReleaseFile, mount: (path: string) => Mount): ReleaseFile {
  const folder = mountedFolder.exec(file.path)?.[0];
  return { ...file, path: `${mount(folder ?? file.path).folder}/${file.path}` };
}

/** Paths of the files below a folder; of a file the empty path. */
function filesAt(path: string): string[] {
  return statSync(path).isDirectory() ? listFiles(path) : [""];
}

/** Paths of the files below a folder, in their order. */
export function listFiles(root: string): string[] {
  return readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(root, join(entry.parentPath, entry.name)).replaceAll(sep, "/"))
    .sort();
}
