/** A chain's first words in the format of iptables-save: `:NAME POLICY`. */
const chainLine = /^:(\S+) (\S+)/;
const docker = /^-A DOCKER|-[jg] DOCKER| docker0( |$)| br-[0-9a-f]{12}( |$)/;

/**
 * What iptables-restore has to be given so that Docker's rules are gone, its policy of the chain FORWARD too, and every other rule
 * is as it is now.
 *
 * @param now what iptables-save prints
 * @param before what it printed before Docker was started; rules of then stay, whatever they are
 */
export function withoutDocker(now: string, before: string): string {
  const former = new Map<string, { readonly lines: Set<string>; readonly policies: Map<string, string> }>();
  for (const [table, lines] of tablesOf(before)) {
    const policies = lines.flatMap((line) => {
      const [, name, policy] = chainLine.exec(line) ?? [];
      return name !== undefined && policy !== undefined ? [[name, policy] as const] : [];
    });
    former.set(table, { lines: new Set(lines), policies: new Map(policies) });
  }
  return [...tablesOf(now)]
    .map(([table, lines]) => {
      const then = former.get(table);
      const kept = lines.flatMap((line) => {
        const [, name, policy] = chainLine.exec(line) ?? [];
        if (name !== undefined) {
          if (policy === "-") return name.startsWith("DOCKER") && !then?.policies.has(name) ? [] : [line];
          // Docker drops what is forwarded unless a rule of its own lets it pass.
          return [name === "FORWARD" ? `:FORWARD ${then?.policies.get(name) ?? "ACCEPT"} [0:0]` : line];
        }
        return docker.test(line) && !then?.lines.has(line) ? [] : [line];
      });
      return `*${table}\n${kept.map((line) => `${line}\n`).join("")}COMMIT\n`;
    })
    .join("");
}

function tablesOf(saved: string): Map<string, string[]> {
  const tables = new Map<string, string[]>();
  let lines: string[] = [];
  for (const line of saved.split("\n")) {
    if (line.startsWith("*")) {
      lines = [];
      tables.set(line.slice(1), lines);
    } else if (/^[:-]/.test(line)) lines.push(line);
  }
  return tables;
}
