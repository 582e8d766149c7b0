import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, mkdirSync, writeFileSync } from "node:fs";
import { networkInterfaces, tmpdir } from "node:os";
import { join } from "node:path";
import { keptFolder, pipInstall } from "./cached";
import { projectRoot } from "./program";
import { freePort } from "@cloudcode/offline-kit/toolchain/ports";
import { untilOpen } from "./rendered-caddy";

const image = join(projectRoot, "stack-templates/casecheck/image/api");

/** What uvicorn and Starlette need of the libraries that CaseCheck's image installs by hash. */
const libraries = ["anyio", "click", "h11", "idna", "starlette", "typing-extensions", "uvicorn"];

/** An API that answers who it takes the visitor for, and redirects as CaseCheck's does from a path with one slash too many. */
const program = `from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route


async def visitor(request):
    return PlainTextResponse(f"{request.client.host} {request.url}")


app = Starlette(routes=[Route("/v1/visitor", visitor), Route("/v1/auth/login", visitor, methods=["GET", "POST"])])
`;

/** The pinned uvicorn, started by the image's own script with the environment of the service. */
export class CasecheckApi {
  private constructor(
    /** `ADDRESS:PORT` */
    readonly address: string,
    private readonly process: ChildProcess,
    private readonly folder: string,
  ) {}

  static async start(environment: Readonly<Record<string, string | null>>): Promise<CasecheckApi> {
    const pinned = readFileSync(join(image, "requirements.txt"), "utf8").split(/^(?=[a-z])/m);
    const needed = libraries.map(
      (name) => pinned.find((block) => block.startsWith(`${name}==`)) ?? `${name} is not pinned`,
    );
    const versions = needed
      .map((block) => /^\S+/.exec(block)?.[0])
      .join("-")
      .replaceAll("==", "_");
    const installed = await keptFolder(`casecheck-${versions}`, (made) => {
      const file = join(made, "requirements.txt");
      writeFileSync(file, needed.join(""));
      pipInstall(file, made);
    });
    const folder = mkdtempSync(join(tmpdir(), "casecheck-api-"));
    mkdirSync(join(folder, "app"));
    writeFileSync(join(folder, "app/main.py"), program);
    const port = await freePort();
    const script = readFileSync(join(image, "entrypoint.sh"), "utf8").replace("--port 8000", `--port ${port}`);
    const child = spawn("sh", ["-c", script, "entrypoint.sh", "api"], {
      cwd: folder,
      env: {
        ...environment,
        PATH: `${installed}/bin:${process.env["PATH"] ?? ""}`,
        PYTHONPATH: `${folder}:${installed}`,
      },
      stdio: "ignore",
    });
    await untilOpen(port);
    // By an address that is not localhost's, whose headers uvicorn believes anyway.
    return new CasecheckApi(`${ownAddress()}:${port}`, child, folder);
  }

  stop(): void {
    this.process.kill();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

function ownAddress(): string {
  const all = Object.values(networkInterfaces()).flatMap((each) => each ?? []);
  const own = all.find(({ internal, family }) => !internal && family === "IPv4");
  if (own === undefined) throw new Error("this machine has no IPv4 address but localhost's");
  return own.address;
}
