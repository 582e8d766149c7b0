import { projectRoot } from "../../sandbox/sandbox";
import { domain, type CloudWorld } from "../cloud/world";
import { latencyProfiles } from "@cloudcode/alicloud-emulator/latency";
import type { Row } from "./main";
import { type Chain, type Operation, graphOf, longestChain, timeline } from "./timeline";

/**
 * The first `up` of the target alicloud, against what nobody could make shorter: the longest chain of operations where each
 * needs an output of the one before. An operation is as long as it was in this very run: the emulator's state changes
 * (latencyProfiles.realistic), the provider's waits and polls, the start of the container that is the machine.
 */
export async function cloudUp(world: CloudWorld): Promise<Row[]> {
  const { sandbox } = world;
  await setLatencies(sandbox.controlUrl, "realistic");
  sandbox.configure({ domain, opencodeEnabled: "false" });
  const place = ["--non-interactive", "--cwd", projectRoot, "--stack", "sandbox", "--config-file", sandbox.stackFile];
  const operations = await timeline(sandbox.engine.pulumi, ["up", "--yes", "--skip-preview", ...place], sandbox.env);
  await setLatencies(sandbox.controlUrl, "fast");
  const graph = graphOf(await world.stateText());

  const cloud = operations.filter(({ urn }) => typeOf(urn).startsWith("alicloud:"));
  const every = operations.filter(({ urn }) => graph.get(urn)?.custom);
  const byData = longestChain(cloud, (urn) => graph.get(urn)?.data ?? []);
  const byProgram = longestChain(cloud, (urn) => graph.get(urn)?.all ?? []);
  return [
    {
      measure: "first cloud up until the last cloud resource / longest chain of API latencies (needed inputs only)",
      value: against(cloud, byData),
      aim: "<= 1.15",
    },
    {
      measure: "the same / longest chain with the order that the program adds (dependsOn)",
      value: against(cloud, byProgram),
      aim: "<= 1.15",
    },
    {
      measure: "whole first cloud up / longest chain of all operations, the host's included",
      value: against(
        every,
        longestChain(every, (urn) => graph.get(urn)?.all ?? []),
      ),
      aim: "<= 1.15",
    },
  ];
}

async function setLatencies(controlUrl: string, profile: keyof typeof latencyProfiles): Promise<void> {
  const body = JSON.stringify(latencyProfiles[profile]);
  const answer = await fetch(`${controlUrl}latencies`, { method: "PUT", body });
  if (!answer.ok) throw new Error(`PUT latencies: ${await answer.text()}`);
}

function against(operations: readonly Operation[], chain: Chain): string {
  const seconds = Math.max(...operations.map(({ end }) => end));
  const names = chain.urns.map((urn) => urn.split("::").at(-1) ?? "");
  const sums = `${seconds.toFixed(1)} s / ${chain.seconds.toFixed(1)} s`;
  return `${(seconds / chain.seconds).toFixed(2)} (${sums}: ${names.join(", ")})`;
}

/** The resource's own type, without its parents'. */
function typeOf(urn: string): string {
  return urn.split("::")[2]?.split("$").at(-1) ?? "";
}
