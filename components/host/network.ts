/** One thing that the network in front of a Host lets in. */
export interface InboundRule {
  readonly protocol: "tcp" | "udp";
  readonly port: number;
  /** Networks in CIDR notation; empty: everywhere. */
  readonly sources: readonly string[];
}

/**
 * What stands between the internet and a Host. A Target that makes its own (VPC, vSwitch, security group) opens just these; in
 * front of an existing host the operator does.
 */
export interface Network {
  readonly inbound: readonly InboundRule[];
  /**
   * Whether it is the network that keeps all else out. Where not, the machine itself refuses SSH from elsewhere; where it is, the
   * machine does not, since a rule on a machine that no longer lets the operator in can be changed from nowhere.
   */
  readonly enforced: boolean;
}

/** SSH for the operator, HTTP for redirects and certificates, HTTPS by TCP and by QUIC (HTTP/3); nothing else. */
export function inboundRules(sshPort: number, sshCidrs: readonly string[]): InboundRule[] {
  return [
    { protocol: "tcp", port: sshPort, sources: sshCidrs },
    { protocol: "tcp", port: 80, sources: [] },
    { protocol: "tcp", port: 443, sources: [] },
    { protocol: "udp", port: 443, sources: [] },
  ];
}

export function describeRule({ protocol, port, sources }: InboundRule): string {
  return `${port}/${protocol}${sources.length > 0 ? ` (from ${sources.join(" ")})` : ""}`;
}

/** Ends the name of a security group's rule. */
export function inboundSuffix(protocol: string, ports: string, cidr: string): string {
  return `in-${protocol}-${ports}-from-${cidr.replace("/", "-").replaceAll(":", "_")}`;
}
