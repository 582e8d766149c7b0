/** How far a connection came before it failed. */
export interface Unreachable {
  readonly stage:
    "tcp" | "banner" | "handshake" | "host-key" | "authentication" | "shell" | "root" | "begun" | "command";
  readonly detail: string;
}

interface Endpoint {
  readonly address: string;
  readonly port: number;
  readonly user: string;
  readonly hostKey: string;
  readonly seconds: number;
}

/** A booting machine opens its port, its banner and its handshake one after the other; a wrong key stays wrong. */
export function retryable(fault: Unreachable): boolean {
  return fault.stage === "tcp" || fault.stage === "banner" || fault.stage === "handshake";
}

/** One sentence that names the stage, what was seen there, and what to do about it. */
export function describeUnreachable(host: Endpoint, { stage, detail }: Unreachable): string {
  const where = `${host.address} port ${host.port}`;
  switch (stage) {
    case "tcp":
      return `TCP: ${where} accepted no connection within ${host.seconds} s (${detail}). Is the machine on, and is the port open to your address?`;
    case "banner":
      return `Banner: ${where} accepted the connection but sent no SSH banner within ${host.seconds} s (${detail}). Is it an SSH server?`;
    case "handshake":
      return `Handshake: ${where} did not complete the SSH handshake within ${host.seconds} s (${detail}).`;
    case "host-key":
      return `Host key: ${where} showed ${detail}, but ${host.hostKey} is pinned. If the machine was reinstalled, check its key on its console and set hostKey.`;
    case "authentication":
      return `Authentication: ${where} refused the key for user ${host.user} (${detail}). Is the public half in ~${host.user}/.ssh/authorized_keys?`;
    case "shell":
      return `Shell: ${where} let user ${host.user} in, but ran no command there: ${detail}. Its login shell, its start-up files or a forced command must let \`ssh ${host.user}@${host.address} true\` through.`;
    case "root":
      return `Root: ${where} refused to work for user ${host.user}: ${detail}. The user must be root, or be allowed to \`sudo -n\` everything.`;
    case "begun":
      return `${where} lost the connection while the command was running; it continues there: ${detail}`;
    case "command":
      return detail;
  }
}

/** Ends the error of a removal: how to go on when the machine is gone for good. */
export function forgetSentence(urn: string): string {
  return `If that machine no longer exists, \`pulumi state delete '${urn}'\` removes this stack of it from the state, \`pulumi state delete --all --force\` removes everything.`;
}
