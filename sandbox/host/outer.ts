import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { succeeds, run } from "../../cli/run";

const CA_DIRECTORY = "/usr/local/share/ca-certificates";

/** A mirror of Debian, as two base addresses. */
export interface DebianMirror {
  readonly archive: string;
  readonly security: string;
}

/** Certificate authorities that the operator added to the outer machine (a company's TLS-inspecting proxy, say). */
export function outerAuthorities(): Record<string, string> {
  if (!existsSync(CA_DIRECTORY)) return {};
  const names = readdirSync(CA_DIRECTORY).filter((name) => name.endsWith(".crt"));
  return Object.fromEntries(names.sort().map((name) => [name, readFileSync(join(CA_DIRECTORY, name), "utf8")]));
}

/** The Debian mirror that the outer machine's apt uses, if it is a Debian and names one. */
export function outerMirror(): DebianMirror | undefined {
  const directory = "/etc/apt/sources.list.d";
  const files = [
    "/etc/apt/sources.list",
    ...(existsSync(directory)
      ? readdirSync(directory)
          .sort()
          .map((name) => join(directory, name))
      : []),
  ];
  return mirrorIn(
    files
      .filter((file) => existsSync(file))
      .map((file) => readFileSync(file, "utf8"))
      .join("\n"),
  );
}

/** Finds a Debian mirror in the text of apt source files, one-line or deb822. */
export function mirrorIn(sources: string): DebianMirror | undefined {
  const uses = sources.split("\n").filter((line) => /^(deb\s|URIs:)/.test(line));
  const addresses = uses
    .flatMap((line) => line.match(/https?:\/\/\S+/g) ?? [])
    .map((address) => address.replace(/\/+$/, ""));
  const archive = addresses.find((address) => address.endsWith("/debian"));
  if (archive === undefined) return undefined;
  return {
    archive,
    security: addresses.find((address) => address.endsWith("/debian-security")) ?? `${archive}-security`,
  };
}

/** The outer apt's proxy settings, as lines for a file in apt.conf.d. */
export async function outerAptProxy(): Promise<string> {
  if (!(await succeeds("apt-config", ["--version"]))) return "";
  const { stdout } = await run("apt-config", ["dump"]);
  return stdout
    .split("\n")
    .filter((line) => /^Acquire::https?::Proxy\b/i.test(line))
    .map((line) => `${line}\n`)
    .join("");
}

/**
 * The outer machine's name servers that a container can reach too. A resolver on loopback (systemd-resolved) is
 * replaced by the servers behind it; with none left the host keeps Docker's own resolver.
 */
export function outerResolver(): string | undefined {
  for (const file of ["/etc/resolv.conf", "/run/systemd/resolve/resolv.conf"]) {
    const kept = existsSync(file) ? reachableResolver(readFileSync(file, "utf8")) : undefined;
    if (kept !== undefined) return kept;
  }
  return undefined;
}

/** A resolv.conf without its loopback name servers, or nothing if no server is left. */
export function reachableResolver(resolvConf: string): string | undefined {
  const lines = resolvConf.split("\n").filter((line) => /^(nameserver|search|options)\s/.test(line));
  const kept = lines.filter((line) => !/^nameserver\s+(127\.|::1\s*$)/.test(line));
  return kept.some((line) => line.startsWith("nameserver")) ? `${kept.join("\n")}\n` : undefined;
}
