import { createHash } from "node:crypto";
import { run, succeeds, CommandError } from "../../cli/run";

/** The addresses of one sandbox on the outer machine. */
export interface Subnet {
  readonly cidr: string;
  /** The outer machine, as the host sees it. */
  readonly gateway: string;
  readonly host: string;
}

/** The n-th subnet to try for a sandbox: the first depends on its name only, the others follow it. */
export function subnetFor(name: string, attempt: number): Subnet {
  const first = createHash("sha256").update(name).digest().readUInt8(0);
  // 10.213.0.0/16 stays clear of the pools that the Docker inside the host chooses from (172.17-31, 192.168).
  const prefix = `10.213.${(first + attempt) % 256}`;
  return { cidr: `${prefix}.0/24`, gateway: `${prefix}.1`, host: `${prefix}.2` };
}

/** Creates the sandbox's own network, or finds the one it has, and returns its addresses. */
export async function ensureNetwork(network: string, name: string): Promise<Subnet> {
  const existing = await existingSubnet(network);
  if (existing !== undefined) return existing;
  for (let attempt = 0; attempt < 256; attempt++) {
    const subnet = subnetFor(name, attempt);
    try {
      await run("docker", ["network", "create", "--subnet", subnet.cidr, "--gateway", subnet.gateway, network]);
      return subnet;
    } catch (error) {
      const taken = error instanceof CommandError && /overlap|already in use|conflicts/i.test(error.message);
      if (!taken) throw error;
    }
  }
  throw new Error("No free network between 10.213.0.0 and 10.213.255.0: stop sandboxes that are no longer needed.");
}

/** Removes the network if it is there. */
export async function removeNetwork(network: string): Promise<void> {
  if (await succeeds("docker", ["network", "inspect", network])) await run("docker", ["network", "rm", network]);
}

async function existingSubnet(network: string): Promise<Subnet | undefined> {
  const format = "{{range .IPAM.Config}}{{.Subnet}} {{.Gateway}}{{end}}";
  const [cidr, gateway] = await run("docker", ["network", "inspect", "--format", format, network]).then(
    ({ stdout }) => stdout.trim().split(" "),
    () => [],
  );
  return cidr === undefined || gateway === undefined
    ? undefined
    : { cidr, gateway, host: gateway.replace(/\.1$/, ".2") };
}
