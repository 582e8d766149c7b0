import type { Say } from "../../cli/run";
import { drive } from "../move/drive";
import { Hosts } from "../move/hosts";
import { type Answer, answer, done } from "../shapes";
import type { StackChoice } from "../stack";

export interface MoveOptions {
  /** Stack that the home goes to. */
  readonly to: string;
  /** Goes back to the host that an unfinished move has left. */
  readonly back: boolean;
}

/**
 * Moves a home to the host of another stack. The journal is on the host that is left: a run that was cut off is continued by the next,
 * from any machine.
 *
 * @throws OpsError where the former host serves in the end, or another run has to go on
 */
export async function move(choice: StackChoice, { to, back }: MoveOptions, say: Say): Promise<Answer> {
  const hosts = await Hosts.open(choice, { ...choice, stack: to }, say);
  try {
    const moved = await drive(hosts, { onlyOnce: hosts.onlyOnce, back, say });
    if (!moved) return done(`The host of ${hosts.names.from} serves again, and nothing was moved.`);
    const { operations, url } = (await hosts.next()).outputs;
    const { domain, publicAddress } = operations;
    const text = [
      `${url} is served by the host of ${hosts.names.to}, after ${hosts.unavailable} s without an answer.`,
      (await hosts.passesOn())
        ? `The host of ${hosts.names.from} is stopped and passes connections on, until you remove it. Keep it until resolvers have forgotten its address.`
        : `The host of ${hosts.names.from} is stopped and answers 503.`,
      `DNS records that you made yourself must point to ${publicAddress}: npm run dns -- ${domain} ${publicAddress} waits until they do.`,
    ].join("\n");
    return answer("move", { message: text, unavailable: hosts.unavailable }, text);
  } finally {
    hosts.close();
  }
}
