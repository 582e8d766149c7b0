import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, mkdirSync, writeFileSync } from "node:fs";
import { networkInterfaces, tmpdir } from "node:os";
import { join } from "node:path";
import { keptPackages } from "./cached";
import { composeConfig } from "./compose";
import { runProgram } from "./program";
import { projectRoot } from "./project-root";
import { unpack } from "./releases";
import { freePort } from "@cloudcode/offline-kit/toolchain/ports";
import { untilOpen } from "./rendered-caddy";

const image = join(projectRoot, "stack-templates/casecheck/image/api");

/** What uvicorn and Starlette need of the libraries that CaseCheck's image installs by hash. */
const libraries = ["anyio", "click", "h11", "idna", "starlette", "typing-extensions", "uvicorn"];

/**
 * An API that answers who it takes the visitor for. As CaseCheck's it redirects from a path with one slash too many, and asks for a login before
 * it looks at the origin of a page.
 */
const program = `import json
import os

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import JSONResponse, PlainTextResponse
from starlette.routing import Route


async def enforce(request, call_next):
    public = request.method == "OPTIONS" or request.url.path.startswith("/v1/auth/login")
    if public or request.headers.get("Authorization") == "Bearer good":
        return await call_next(request)
    return JSONResponse({"detail": "Not authenticated"}, 401)


async def visitor(request):
    return PlainTextResponse(f"{request.client.host} {request.url}")


app = Starlette(
    routes=[Route("/v1/visitor", visitor, methods=["GET", "PUT"]), Route("/v1/auth/login", visitor, methods=["GET", "POST"])],
    middleware=[
        Middleware(BaseHTTPMiddleware, dispatch=enforce),
        Middleware(
            CORSMiddleware,
            allow_origins=json.loads(os.environ["BACKEND_CORS_ORIGINS"]),
            allow_credentials=True,
            allow_methods=["*"],
            allow_headers=["*"],
        ),
    ],
)
`;

/** The pinned uvicorn, started by the image's own script with the environment of the service. */
export class CasecheckApi {
  private constructor(
    /** `ADDRESS:PORT` */
    readonly address: string,
    private readonly process: ChildProcess,
    private readonly folder: string,
  ) {}

  /** @param settings of a stack, whose release says its environment */
  static async start(settings: Readonly<Record<string, string>>): Promise<CasecheckApi> {
    const environment = await environmentOf(settings);
    const pinned = readFileSync(join(image, "requirements.txt"), "utf8").split(/^(?=[a-z])/m);
    const needed = libraries.map(
      (name) => pinned.find((block) => block.startsWith(`${name}==`)) ?? `${name} is not pinned`,
    );
    const installed = await keptPackages("casecheck-api", needed.join(""));
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

async function environmentOf(settings: Readonly<Record<string, string>>): Promise<Readonly<Record<string, string>>> {
  const stack = unpack(await runProgram(settings), "casecheck-release");
  try {
    return (await composeConfig(stack.composeFile, stack.folder)).services["api"]?.environment ?? {};
  } finally {
    stack.remove();
  }
}

function ownAddress(): string {
  const all = Object.values(networkInterfaces()).flatMap((each) => each ?? []);
  const own = all.find(({ internal, family }) => !internal && family === "IPv4");
  if (own === undefined) throw new Error("this machine has no IPv4 address but localhost's");
  return own.address;
}
