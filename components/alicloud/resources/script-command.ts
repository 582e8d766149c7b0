import * as command from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import { hookCommand } from "../../hook";

/**
 * Runs a script of components/alicloud when the resource is created, and again when what it reads on standard input changes; its
 * line.
 */
export function onCreate(
  name: string,
  script: "place" | "choose-type" | "newest-image",
  input: pulumi.Input<object>,
  opts: pulumi.CustomResourceOptions,
): pulumi.Output<string> {
  return new command.local.Command(
    name,
    {
      create: hookCommand(script),
      stdin: asJson(input),
      // A new choice depends on the previous one.
      addPreviousOutputInEnv: true,
      // Why a machine is the one it is.
      logging: script === "place" ? command.local.Logging.Stderr : command.local.Logging.None,
    },
    // Another command line is no reason to choose again: the preview would show a machine that may be replaced.
    { ...opts, ignoreChanges: ["create", ...(opts.ignoreChanges ?? [])] },
  ).stdout.apply((line) => line.trim());
}

/** Runs a script of components/alicloud when the resource is deleted; what it prints is for the operator. */
export function onDelete(
  name: string,
  script: "final-snapshot" | "leftovers" | "unbind-address" | "unprotect",
  input: pulumi.Input<object>,
  opts: pulumi.CustomResourceOptions,
): pulumi.Resource {
  return new command.local.Command(
    name,
    {
      delete: hookCommand(script),
      stdin: asJson(input),
      addPreviousOutputInEnv: false,
      logging: command.local.Logging.Stdout,
    },
    { ...opts, customTimeouts: { delete: "45m" } },
  );
}

function asJson(input: pulumi.Input<object>): pulumi.Output<string> {
  return pulumi.output(input).apply((value) => JSON.stringify(value));
}
