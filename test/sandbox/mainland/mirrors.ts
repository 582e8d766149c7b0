// Stands in for the default mirrors of mainland China, at their own names: it passes on what this machine gets where things are published.
import { once } from "node:events";
import { createReadStream, existsSync } from "node:fs";
import { type IncomingMessage, type Server, type ServerResponse, createServer } from "node:http";
import { createServer as createHttps } from "node:https";
import { join } from "node:path";
import { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import type { SelfSigned } from "@cloudcode/alicloud-emulator/self-signed";
import { mirrorTable } from "../../../components/mirrors";
import { run } from "../../../cli/run";
import { bundleHost } from "../../support/mainland";

const [apt, npm, pypi, k3s] = (["apt", "npm", "pypi", "k3s"] as const).map(
  (kind) => new URL(mirrorTable[kind].mirrors[0]),
);
const registries: readonly string[] = [mirrorTable.dockerHub.mirrors[0], mirrorTable.ghcr.mirrors[0]];

/** Every name that it has. */
export const mirrorNames = [
  ...new Set([...[apt, npm, pypi, k3s].map((url) => url?.hostname ?? ""), ...registries, bundleHost]),
];

/** Where it gets what it passes on. */
interface Origins {
  /** The sandbox's own registry of images. */
  readonly registry: string;
  /** Folders of files: those of k3s, and Git bundles. */
  readonly k3s: string;
  readonly bundles: string;
}

/** Where npm and pip of this machine download. */
async function publishers() {
  const [ofNpm, ofPip] = await Promise.all([
    run("npm", ["config", "get", "registry"]),
    run("python3", ["-c", "from pip._internal.models.index import PyPI; print(PyPI.simple_url)"]),
  ]);
  return { npm: ofNpm.stdout.trim().replace(/\/$/, ""), pypi: process.env["PIP_INDEX_URL"] ?? ofPip.stdout.trim() };
}

export class MirrorServers {
  /** Requests by the name of the mirror. */
  readonly served = new Map<string, number>();
  /** What was asked of a mirror that does not have it. */
  readonly missing: string[] = [];

  private constructor(
    private readonly servers: readonly Server[],
    private readonly origins: Origins & Awaited<ReturnType<typeof publishers>>,
  ) {}

  /** @param address where it listens, at ports 80 and 443 */
  static async start(address: string, tls: SelfSigned, origins: Origins): Promise<MirrorServers> {
    const answer = (request: IncomingMessage, response: ServerResponse) => {
      void mirrors.#answer(request, response).catch((error: unknown) => {
        mirrors.missing.push(`${request.headers.host}${request.url}: ${String(error)}`);
        response.destroy();
      });
    };
    const servers = [createServer(answer), createHttps({ key: tls.key, cert: tls.certificate }, answer)];
    const mirrors = new MirrorServers(servers, { ...origins, ...(await publishers()) });
    for (const [index, server] of servers.entries()) await once(server.listen([80, 443][index], address), "listening");
    return mirrors;
  }

  stop(): void {
    for (const server of this.servers) {
      server.close();
      server.closeAllConnections();
    }
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { host = "", ...headers } = request.headers;
    const path = request.url ?? "/";
    this.served.set(host, (this.served.get(host) ?? 0) + 1);
    if (host === k3s?.hostname || host === bundleHost) {
      const file = join(host === bundleHost ? this.origins.bundles : this.origins.k3s, path.split("/").at(-1) ?? "");
      if (existsSync(file)) createReadStream(file).pipe(response);
      else this.#lacks(request, response);
      return;
    }
    const source = this.#source(host, path);
    if (source === undefined) {
      this.#lacks(request, response);
      return;
    }
    const { accept, range } = headers;
    const upstream = await fetch(source, {
      method: request.method ?? "GET",
      headers: { ...(accept && { accept }), ...(range && { range }) },
    });
    // A mirror that has not everything is no fault of the host: Docker asks for what it may then push or skip.
    const kept = ["content-type", "docker-content-digest", "docker-distribution-api-version", "etag", "last-modified"];
    for (const name of kept) {
      const value = upstream.headers.get(name);
      if (value !== null) response.setHeader(name, value);
    }
    response.statusCode = upstream.status;
    const body = upstream.body === null ? Readable.from([]) : Readable.from(upstream.body);
    if (!/json|html/.test(upstream.headers.get("content-type") ?? "") || registries.includes(host)) {
      const length = upstream.headers.get("content-length");
      if (length !== null && upstream.headers.get("content-encoding") === null)
        response.setHeader("content-length", length);
      body.pipe(response);
      return;
    }
    response.end(this.#own(host, await text(body)));
  }

  #lacks({ headers, url }: IncomingMessage, response: ServerResponse): void {
    this.missing.push(`${headers.host ?? ""}${url ?? ""}`);
    response.writeHead(404).end();
  }

  /** Where that comes from, unless it is here. Undefined: no mirror has it. */
  #source(host: string, path: string): string | undefined {
    const { registry, ...origins } = this.origins;
    if (registries.includes(host)) return `${registry}${path}`;
    if (host === npm?.hostname) return `${origins.npm}${path}`;
    if (/^\/(debian|debian-security|ubuntu)\//.test(path) && host === apt?.hostname)
      return `http://deb.debian.org${path}`;
    const simple = pypi?.pathname ?? "";
    if (path.startsWith(`${simple}/`)) return `${origins.pypi.replace(/\/$/, "")}${path.slice(simple.length)}`;
    const file = /^\/files\/([^/]+\/.*)$/.exec(path)?.[1];
    return file === undefined ? undefined : `https://${file}`;
  }

  /** A page with the addresses that a mirror writes: its own. */
  #own(host: string, page: string): string {
    return host === npm?.hostname
      ? page.replaceAll(this.origins.npm, `https://${host}`)
      : page.replace(/https:\/\/([^"/ ]+\/[^" ]*\.(?:whl|tar\.gz|zip|tar\.bz2)\b)/g, `https://${host}/files/$1`);
  }
}
