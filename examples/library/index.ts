import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";
import { Home } from "cloudcode";

const config = new pulumi.Config();

/** A home on a machine that is there already, with two Apps. All that Home tells of itself is returned, so that `ops` can use it. */
export = () => {
  // A secret may be an output of another resource.
  const modelKey = new random.RandomPassword("model-key", { length: 32, special: false });
  const home = new Home("home", {
    target: {
      kind: "existing",
      hostAddress: config.require("hostAddress"),
      hostKey: config.require("hostKey"),
      hostPrivateKey: config.requireSecret("hostPrivateKey"),
    },
    domain: "home.example.com",
    adminUsername: "jo",
    apps: {
      opencode: { subdomain: "code", anthropicApiKey: modelKey.result },
      casecheck: { memoryMiB: 512 },
    },
  });
  return home.outputs;
};
