import { z } from "zod";
import { cacheDir } from "../cli/cache";
import { cloudImage } from "./cloud/image";
import { machinesOf, ensureCloudNetworks } from "./cloud/machines";
import { controlUrlOf, ensureEmulator } from "./cloud/process";
import { machineContainers } from "./cloud/remove";
import { trust } from "./cloud/trust";
import { folderOf } from "./folder";
import { containerExec } from "./host/container";
import type { Say } from "../cli/run";
import type { Ground } from "./sandbox";

const region = "ap-southeast-1";

export interface AlicloudGround extends Ground {
  /** Base of the emulator's control API, see packages/alicloud-emulator/src/control.ts. */
  readonly controlUrl: string;
  /** The container of the instance that runs; throws unless exactly one does. */
  container(): Promise<string>;
}

/** An emulated cloud account, as the target `alicloud` wants it. */
export async function openAlicloud(name: string, say: Say): Promise<AlicloudGround> {
  const { privateNetwork, publicNetwork } = await ensureCloudNetworks(name);
  // Here the output can say that this takes a while; a purchase of an instance is waited for.
  await cloudImage({ cacheDir, say });
  const emulator = await ensureEmulator(name, say);
  const controlUrl = controlUrlOf(emulator);
  await startMachines(name, controlUrl);
  const container = async () => {
    const [one, ...more] = await machineContainers(name, "running");
    if (one === undefined || more.length > 0)
      throw new Error(`The sandbox ${name} has ${one === undefined ? "no" : "more than one"} running machine.`);
    return one;
  };
  return {
    controlUrl,
    container,
    // The first public address that a stack allocates, and the gateway that a machine reaches without one.
    host: { name, address: publicNetwork.host, gateway: privateNetwork.gateway, sshPort: 22 },
    env: { ...emulator.environment, ...trust(folderOf(name), emulator.environment) },
    settings: { target: "alicloud", region, sshCidrs: [`${publicNetwork.gateway}/32`] },
    secrets: {},
    exec: async (command, options) => containerExec(await container(), command, options),
  };
}

const inventory = z.array(z.object({ kind: z.string(), id: z.string(), status: z.string() }));

/** After a restart of the outer machine only the account says which machines run. */
async function startMachines(name: string, controlUrl: string): Promise<void> {
  const items = inventory.parse(await (await fetch(`${controlUrl}inventory`)).json());
  const machines = machinesOf(name);
  for (const { kind, id, status } of items) if (kind === "instances" && status === "Running") await machines.start(id);
}
