import { spawn } from "node:child_process";
import { toString as render } from "qrcode";
import { OpsError, type StackChoice, type StackOutputs, readOutputs } from "../stack";

/** Address of an App by its title or subdomain; without one, of the index page. */
export function addressOf(outputs: StackOutputs, app: string | undefined): string {
  if (app === undefined) return outputs.url;
  const wanted = app.toLowerCase();
  const found = Object.entries(outputs.urls).find(
    ([title, url]) => title.toLowerCase() === wanted || new URL(url).hostname.split(".")[0] === wanted,
  );
  if (found) return found[1];
  throw new OpsError(`this stack has no App ${app}; it has ${Object.keys(outputs.urls).join(", ")}`);
}

/** Address of an App, or of the index page, by the stack's outputs. */
export async function readAddress(choice: StackChoice, app: string | undefined): Promise<string> {
  return addressOf(await readOutputs(choice), app);
}

/** What opens an address on this kind of machine. */
export function opener(platform: NodeJS.Platform): readonly [string, ...string[]] {
  if (platform === "darwin") return ["open"];
  return platform === "win32" ? ["cmd", "/c", "start", ""] : ["xdg-open"];
}

/** A QR code in half blocks, black on white whatever the terminal's own colours, since not every phone reads it inverted. */
export async function qrCode(text: string): Promise<string> {
  const blocks = await render(text, { type: "utf8" });
  return blocks
    .split("\n")
    .map((line) => `\u001b[30;107m${line}\u001b[0m`)
    .join("\n");
}

/** Opens an address in the browser, or prints it as a QR code for a phone. Gives what to print. */
export async function openApp(url: string, qr: boolean): Promise<string> {
  if (qr) return `${await qrCode(url)}\n${url}`;
  const [program, ...args] = opener(process.platform);
  const opened = await new Promise<boolean>((resolve) => {
    const child = spawn(program, [...args, url], { stdio: "ignore", detached: true });
    child.once("error", () => {
      resolve(false);
    });
    child.once("spawn", () => {
      child.unref();
      resolve(true);
    });
  });
  return opened ? url : `No browser here; open ${url}, or ops open --qr for a phone`;
}
