import { guardedResources } from "../../scripts/preview/policy";

/** What a rule sees of a resource that is about to be made, changed or kept. */
export interface Declared {
  readonly urn: string;
  /** Its inputs. */
  readonly props: Readonly<Record<string, unknown>>;
  /** Whether Pulumi refuses to delete or replace it. */
  readonly protect: boolean;
}

/** One rule of the pack. */
export interface Rule {
  readonly name: string;
  /** One sentence. */
  readonly description: string;
  /** What is wrong with a resource, each a sentence with its fix; nothing for a resource of another kind. */
  readonly faults: (resource: Declared) => string[];
}

/** A need of a guarded resource: the value that an input must have. */
interface Need {
  readonly input: string;
  readonly value: boolean;
  readonly why: string;
}

/**
 * @param below components that it stands below, as in its URN; a resource of that type elsewhere is somebody else's
 * @param setting what protects it
 */
function guard(name: string, below: string, type: string, setting: string, needs: readonly Need[]): Rule {
  const what = guardedResources.get(type) ?? type;
  const place = `${below}$${type}`;
  return {
    name,
    description: `${what} can be neither deleted nor replaced, by Pulumi or in the console.`,
    faults({ urn, props, protect }) {
      const chain = urn.split("::")[2] ?? "";
      if (chain !== place && !chain.endsWith(`$${place}`)) return [];
      const fix = `\`pulumi config set ${setting}\` guards it`;
      return [
        ...(protect ? [] : [`${what} is not protected, so that the next change may delete or replace it: ${fix}.`]),
        ...needs.filter(({ input, value }) => props[input] !== value).map(({ why }) => `${what} ${why}.`),
      ];
    },
  };
}

const host = "cloudcode:index:Host";
const ofCloud: Need = { input: "deletionProtection", value: true, why: "can be deleted in the console" };

/** The three that a preview of a pull request guards, too. What is in a backup store Pulumi itself protects with the data disk. */
export const rules: readonly Rule[] = [
  guard("machine-stays", host, "alicloud:ecs/instance:Instance", "protectMachine true", [ofCloud]),
  guard("data-disk-stays", `${host}$cloudcode:index:DataDisk`, "alicloud:ecs/ecsDisk:EcsDisk", "deleteData false", [
    { input: "deleteWithInstance", value: false, why: "would go with the machine" },
    { input: "deleteAutoSnapshot", value: false, why: "would take its snapshots with it" },
    { input: "encrypted", value: true, why: "is not encrypted" },
  ]),
  guard("address-stays", host, "alicloud:ecs/eipAddress:EipAddress", "protectMachine true", [ofCloud]),
];
