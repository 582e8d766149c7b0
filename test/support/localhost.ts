import { spawn } from "node:child_process";
import { join } from "node:path";
import { freePort } from "@cloudcode/offline-kit/toolchain/ports";
import { untilOpen } from "./rendered-caddy";

/** What leads Caddy to the localhost of OpenCode's workspace, as its image starts it; here it leads to this machine's. */
export async function startLocalhost(): Promise<{ readonly port: number; stop(): void }> {
  const port = await freePort();
  const program = join(__dirname, "../../stack-templates/opencode/image/localhost.py");
  const child = spawn("python3", ["-I", "-S", program, String(port), "4096"], { stdio: "ignore" });
  await untilOpen(port);
  return { port, stop: () => child.kill() };
}
