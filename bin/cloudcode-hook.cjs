#!/usr/bin/env node
/**
 * What resources have the Pulumi engine run on the operator's machine: `node bin/cloudcode-hook.cjs NAME WORDS…`, input on
 * standard input, in the project's folder.
 *
 * This line is an interface: the state of a stack keeps it, and the engine runs it from there when a resource is deleted,
 * perhaps years later. So this path and these names stay, whatever becomes of the files behind them. Stacks from before that run
 * those files themselves, as `node --import tsx FILE`; see test/toolchain/hooks.test.ts.
 */
const files = new Map([
  ["reach", "components/host/reach.ts"],
  ["place", "components/alicloud/place.ts"],
  ["choose-type", "components/alicloud/choose-type.ts"],
  ["newest-image", "components/alicloud/newest-image.ts"],
  ["final-snapshot", "components/alicloud/final-snapshot.ts"],
  ["leftovers", "components/alicloud/leftovers.ts"],
  ["unbind-address", "components/alicloud/unbind-address.ts"],
  ["unprotect", "components/alicloud/unprotect.ts"],
  ["refuse-destroy", "components/destroy/refuse.ts"],
  ["end-connections", "components/cloudflare/end-connections.ts"],
  ["firewall", "components/cloudflare/apply-firewall.ts"],
]);

const [name] = process.argv.splice(2, 1);
const file = files.get(name ?? "");
if (file === undefined) {
  console.error(`There is no hook ${name ?? ""}: ${[...files.keys()].join(", ")}.`);
  process.exitCode = 2;
} else
  require("./load.cjs")(file).catch((error) => {
    console.error(error);
    process.exitCode = 1;
  });
