import * as pulumi from "@pulumi/pulumi";

/** `ORGANIZATION/PROJECT/STACK`; with a state in a file or a bucket the organization is `organization`. */
const home = new pulumi.StackReference(new pulumi.Config().require("home"));

/** What a monitor would ask for: the index page, and one address for each App. */
export const pages = pulumi
  .all([home.requireOutput("url"), home.requireOutput("urls")])
  .apply(([url, urls]: [string, Record<string, string>]) => [url, ...Object.values(urls)]);

/** A secret stays one. */
export const password = home.requireOutput("adminPassword");
