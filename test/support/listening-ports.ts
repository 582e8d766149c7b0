/**
 * TCP ports on which something listens, from the text of /proc/PID/net/tcp and tcp6, but for what listens on a loopback address
 * (https://www.kernel.org/doc/html/latest/networking/proc_net_tcp.html).
 */
export function listeningPorts(table: string): number[] {
  const found = [...table.matchAll(/^ *\d+: ([0-9A-F]{8}|[0-9A-F]{32}):([0-9A-F]{4}) \S+ 0A /gm)].flatMap(
    ([, address = "", port = ""]) => (isLoopback(address) ? [] : [Number.parseInt(port, 16)]),
  );
  return [...new Set(found)].sort((a, b) => a - b);
}

/** 127.0.0.0/8, ::1, and the first within IPv6, as the kernel writes them: words of the machine's own byte order. */
function isLoopback(address: string): boolean {
  return /^(0{16}FFFF0000)?[0-9A-F]{6}7F$/.test(address) || address === "00000000000000000000000001000000";
}
