import type { AlicloudSandbox } from "../../sandbox/sandbox";
import { failureOf, type World } from "../sandbox/world";
import type { Account } from "./account";

/** In a zone of the emulated account. */
export const domain = "home.example.com";

export type CloudWorld = World<AlicloudSandbox>;
export type CloudAccount = () => Account;

/** Where a volume's files are on the machine; the marker in it must outlive every machine. */
const marker = "/var/lib/docker/volumes/cloudcode-edge_data/_data/kept.txt";

export const keepSomething = (world: CloudWorld) => world.onHost(`echo precious >${marker} && sync`);
export const keptThing = (world: CloudWorld) => world.onHost(`cat ${marker}`);

/** What must be the same before and after: the public face of the home. */
export async function face(world: CloudWorld): Promise<object> {
  const { stdout } = await world.sandbox.pulumi(["stack", "output", "--json"]);
  const { url, sshCommand } = JSON.parse(stdout) as Record<string, string>;
  const certificate = await world.onHost(
    "find /var/lib/docker/volumes/cloudcode-edge_data/_data/caddy/certificates -name 'auth.*.crt' -exec sha256sum {} + | cut -c1-64",
  );
  return { url, sshCommand, certificate };
}

/** Whether the portal answers a person. */
export async function portalAnswers(world: CloudWorld): Promise<number> {
  return (await world.request("auth", "/")).status;
}

/** The words of an `up` that must fail while something is broken. */
export function upFailsWith(world: CloudWorld, account: Account, fault: object | readonly object[]): Promise<string> {
  return account.during(fault, () => failureOf(world.sandbox.pulumi(["up", "--yes", "--skip-preview"])));
}

/** Lines of the summary, such as `+ 31 to create`, without what is not counted. */
export function counts(output: string): Record<string, number> {
  const words = [...output.matchAll(/^\s+(?:\S+\s)?(\d+) (?:to )?(create|update|replace|delete|unchanged)d?\s*$/gm)];
  return Object.fromEntries(words.map(([, count, what]) => [what ?? "", Number(count)]));
}
