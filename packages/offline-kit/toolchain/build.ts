import { join } from "node:path";
import { buildGo, requireGo } from "./go";

/** Builds the real CLI from its public Go module. */
export async function buildPulumi(version: string, target: string, say: (line: string) => void): Promise<void> {
  const program = {
    name: "Pulumi CLI",
    module: join(__dirname, "pulumi-cli"),
    package: "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi",
    stamps: [`github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=${version}`],
    instead: `the official Pulumi CLI ${version}`,
  };
  await requireGo(program);
  say(`Building the Pulumi CLI ${version} from its Go module. Once only: some minutes, 2.5 GB of memory.`);
  await buildGo(program, target);
}
