/**
 * The local command line of a hook of bin/cloudcode-hook.cjs; relative to the project, so that state holds no path of this
 * machine. State keeps this line: see there.
 */
export function hookCommand(name: string): string {
  return `node bin/cloudcode-hook.cjs ${name}`;
}
