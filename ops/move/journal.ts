import type { Ssh } from "../ssh";
import { OpsError } from "../stack";
import { type Point, points } from "./plan";

const file = "/opt/cloudcode/stacks/.move";

/** Appends a line, unless another run has: the number of lines is what it was when this run read them. */
const append = `exec 9>>${file} || exit
flock 9
[ "$(wc -l <${file})" = "$1" ] || { echo "another run of this move is at work" >&2; exit 1; }
printf '%s\\t%s\\t%s\\n' "$(date +%s)" "$2" "$3" >&9 && sync ${file}`;

/** How far a move has come: a file on the host that is left, so that it outlives the operator's machine. A line a point: time, stack, point. */
export class Journal {
  private lines = 0;

  /** @param to stack that the home goes to */
  constructor(
    private readonly ssh: Ssh,
    private readonly to: string,
  ) {}

  /** The last point; undefined: no move is under way. @throws OpsError where one to another stack is */
  async read(): Promise<Point | undefined> {
    const { stdout } = await this.ssh.script(`[ ! -e ${file} ] || cat ${file}`);
    const lines = stdout.split("\n").filter((line) => line !== "");
    this.lines = lines.length;
    const [, to, word] = lines.at(-1)?.split("\t") ?? [];
    if (to === undefined) return undefined;
    if (to !== this.to)
      throw new OpsError(
        `a move to ${to} is not finished: npm run ops -- move --to ${to} goes on with it, --back goes back`,
      );
    const point = points.find((one) => one === word);
    if (point === undefined) throw new OpsError(`the journal ${file} of the host cannot be read: ${word ?? ""}`);
    return point;
  }

  /** @throws OpsError where another run has noted a point since this one read or noted the last */
  async note(point: Point): Promise<void> {
    await this.ssh.script(append, [String(this.lines), this.to, point]);
    this.lines++;
  }

  /** Removes it, and gives the seconds since 1970 at which each point was reached. */
  async end(): Promise<ReadonlyMap<string, number>> {
    const { stdout } = await this.ssh.script(`cat ${file}; rm -f ${file}`);
    return new Map(
      stdout.split("\n").flatMap((line) => {
        const [time, , point] = line.split("\t");
        return point === undefined ? [] : [[point, Number(time)] as const];
      }),
    );
  }
}
