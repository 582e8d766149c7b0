import { PolicyPack } from "@pulumi/policy";
import { rules } from "./rules";

new PolicyPack("cloudcode", {
  description: "What a cloudcode stack cannot have back stays guarded.",
  policies: rules.map(({ name, description, faults }) => ({
    name,
    description,
    enforcementLevel: "mandatory",
    validateResource: ({ urn, props, opts }, report) => {
      for (const fault of faults({ urn, props, protect: opts.protect })) report(fault);
    },
  })),
});
