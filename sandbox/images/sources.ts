import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import type { SourceName } from "../../components/images";
import { aptInstallStep, buildImage } from "../host/build";
import type { Say } from "../../cli/run";
import { run } from "../../cli/run";

const folder = join(__dirname, "../../packages/offline-kit/stand-ins/sources");

/** Folder of each stand-in for a program that its authors publish as a Git repository alone. */
const folders = { casecheck: "casecheck", tgSigner: "tg-signer" } satisfies Record<SourceName, string>;

/** An address that Git reads as the folder below it, through the image's configuration. */
const address = "https://sources.sandbox.invalid/";
const repositories = "/srv/sources/";
/** Name and commit of each repository, line by line; of CaseCheck also casecheck-next and casecheck-broken. */
export const commitsFile = `${repositories}commits`;

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
  const { stdout } = await run("docker", ["run", "--rm", "--network", "none", image, "cat", commitsFile]);
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
# Two commits that an update of CaseCheck may go to: both change the data, and the API of the second one does not start.
later() {
  git switch --quiet --create next
  cat >backend/alembic/versions/3_later.py <<'END'
"""A revision that the commit before does not know: it changes the data, too."""
import sqlalchemy as sa
from alembic import op

revision = "3"
down_revision = "2"


def upgrade() -> None:
    op.add_column("activity_cases", sa.Column("later", sa.Text))
    op.execute("UPDATE activity_cases SET title = 'Migrated: ' || title")
END
  git add --all
  git commit --quiet --message 'A later revision'
  echo "casecheck-next $(git rev-parse HEAD)" >>"$1commits"
  git switch --quiet --create broken
  echo 'raise SystemExit("this version does not start")' >>backend/app/main.py
  git commit --quiet --all --message 'An API that does not start'
  echo "casecheck-broken $(git rev-parse HEAD)" >>"$1commits"
  git switch --quiet main
}
for source in /tmp/sources/*; do
  cd "$source"
  git init --quiet --initial-branch main
  git add --all
  git commit --quiet --message 'Stand-in'
  echo "\${source##*/} $(git rev-parse HEAD)" >>"$1commits"
  [ "\${source##*/}" != casecheck ] || later "$1"
  git clone --quiet --bare . "$1\${source##*/}.git"
done
`;
