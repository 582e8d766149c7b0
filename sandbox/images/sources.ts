import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import type { SourceName } from "../../components/images";
import { aptInstallStep, buildImage } from "../host/build";
import type { Say } from "../../cli/run";
import { run } from "../../cli/run";

const folder = join(__dirname, "../../packages/offline-kit/stand-ins/sources");

/** Folder of each stand-in for a program that its authors publish as a Git repository alone. */
const folders = { casecheck: "casecheck", tgSigner: "tg-signer" } satisfies Record<SourceName, string>;

/** An address that Git reads as this folder, through the image's configuration. */
const address = "https://sources.sandbox.invalid/";
const repositories = "/srv/sources/";

/**
 * A Debian that has the stand-ins' repositories on board: a Dockerfile which fetches a commit of theirs from it needs no server.
 * The commits depend on nothing but the files.
 */
export async function sourcesImage(
  base: string,
  say: Say,
): Promise<{ image: string; sources: Record<SourceName, string> }> {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.parentPath.includes("__pycache__"))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
  const image = await buildImage(
    {
      name: "sources",
      files: {
        "make.sh": MAKE,
        ...Object.fromEntries(
          files.map((file) => [`sources/${file.slice(folder.length + 1)}`, readFileSync(file, "utf8")]),
        ),
      },
      dockerfile: `FROM ${base} AS repositories
RUN ${aptInstallStep(["git"])}
COPY . /tmp/
RUN sh /tmp/make.sh ${repositories}

FROM ${base}
COPY --from=repositories ${repositories} ${repositories}
RUN printf '[url "file://${repositories}"]\\n\\tinsteadOf = ${address}\\n[safe]\\n\\tdirectory = *\\n' >/etc/gitconfig
`,
    },
    say,
  );
  const { stdout } = await run("docker", ["run", "--rm", "--network", "none", image, "cat", `${repositories}commits`]);
  const reference = (name: SourceName) => {
    const [, commit] = new RegExp(`^${folders[name]} ([0-9a-f]{40})$`, "m").exec(stdout) ?? [];
    if (commit === undefined) throw new Error(`the image ${image} has no repository ${folders[name]}: ${stdout}`);
    return `${address}${folders[name]}#${commit}`;
  };
  return { image, sources: { casecheck: reference("casecheck"), tgSigner: reference("tgSigner") } };
}

const MAKE = `set -eu
export GIT_AUTHOR_NAME=sandbox GIT_AUTHOR_EMAIL=sandbox@invalid GIT_AUTHOR_DATE=2026-01-01T00:00:00Z
export GIT_COMMITTER_NAME=sandbox GIT_COMMITTER_EMAIL=sandbox@invalid GIT_COMMITTER_DATE=2026-01-01T00:00:00Z
mkdir -p "$1"
for source in /tmp/sources/*; do
  cd "$source"
  git init --quiet --initial-branch main
  git add --all
  git commit --quiet --message 'Stand-in'
  git clone --quiet --bare . "$1\${source##*/}.git"
  echo "\${source##*/} $(git rev-parse HEAD)" >>"$1commits"
done
`;
