// What `pulumi up --policy-pack packages/policy-pack` runs: pack.ts, without the seconds that compiling it takes.
require("../../bin/load.cjs").now("packages/policy-pack/pack.ts");
