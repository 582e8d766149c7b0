import { createHash } from "node:crypto";
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { type K3sRelease, k3sRelease } from "../../../components/apps/k3s";
import type { Say } from "../../../cli/run";
import type { Sandbox } from "../../../sandbox/sandbox";
import { buildK3s } from "@cloudcode/offline-kit/stand-ins/k3s/build";

const images = "k3s-airgap-images-amd64.tar.zst";

/** What lwsandbox's stack is given its k3s. */
interface Served {
  readonly settings: Readonly<Record<string, unknown>>;
  readonly stop: () => void;
}

/** Where the k3s of lwsandbox comes from: its publisher, by default; or files of a stand-in, which are served to the machines until `stop`. */
export async function serveK3s(
  { folder, host, origin }: Pick<Sandbox, "folder" | "host" | "origin">,
  say: Say,
): Promise<Served> {
  if (origin === "official") return { settings: {}, stop: () => undefined };
  const place = join(folder, "k3s");
  const release = await k3sFiles(place, say);
  const server = createServer((request, response) => {
    response.end(readFileSync(join(place, (request.url ?? "").replace(/^\/k3s\/(?=[^/]+$)/, ""))));
  });
  await new Promise<void>((resolve) => server.listen(0, host.gateway, resolve));
  const url = `http://${host.gateway}:${(server.address() as AddressInfo).port}/k3s`;
  return { settings: { lwsandboxK3s: release, lwsandboxK3sUrl: url }, stop: () => server.close() };
}

/** Writes the two files that a machine downloads, with real Kubernetes in k3s's place; gives the release they are. */
export async function k3sFiles(folder: string, say: Say): Promise<K3sRelease> {
  mkdirSync(folder, { recursive: true });
  copyFileSync(await buildK3s(say), join(folder, "k3s"));
  // A frame of zstd without contents.
  writeFileSync(join(folder, images), Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x20, 0x00, 0x01, 0x00, 0x00]));
  const sum = (file: string) =>
    createHash("sha256")
      .update(readFileSync(join(folder, file)))
      .digest("hex");
  return { version: k3sRelease.version, binarySha256: sum("k3s"), imagesSha256: sum(images) };
}
