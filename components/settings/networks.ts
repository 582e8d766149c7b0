import { BlockList, isIP } from "node:net";

/** Two networks share an address exactly when one holds the other's first. */
export function overlap(one: string, other: string): boolean {
  return holds(one, other) || holds(other, one);
}

/** Whether the first IPv4 network holds the first address of the other; false for what is no IPv4 network. */
export function holds(cidr: string, other: string): boolean {
  const [address = "", bits] = cidr.split("/");
  const [first = ""] = other.split("/");
  if (isIP(address) !== 4 || isIP(first) !== 4) return false;
  const network = new BlockList();
  network.addSubnet(address, Number(bits));
  return network.check(first);
}
