import * as pulumi from "@pulumi/pulumi";
import type { Machine } from "../host/host";
import { remoteCommand } from "../host/remote";
import { releasePayload } from "./payload";
import type { ReleasePlan } from "./plan";
import { type ReleaseSource, digestComment, renderRelease } from "./release";

/** A release, and the command that it is sent to. */
export interface ReleaseCommandArgs {
  /** The machine that it goes to. */
  readonly host: Machine;
  /** Folder of the templates, `stack-templates` of the project. */
  readonly templatesRoot: string;
  /** Key of the digests that name the release and stand in the preview; a secret kept in state. */
  readonly digestKey: pulumi.Input<string>;
  /** What is rendered; an output where it is known only when resources exist. */
  readonly source: ReleaseSource | pulumi.Output<ReleaseSource>;
  /** `secrets.NAME` of its templates. */
  readonly secrets: Readonly<Record<string, pulumi.Input<string>>>;
  /** The words of the command on the machine: fixed, never a secret. */
  readonly words: pulumi.Input<string> | ((release: string) => string);
  /** More shell comments that stand in the preview. @default none */
  readonly comments?: (plan: ReleasePlan) => readonly string[];
  /** Whether the command's standard error is for the operator to read: warnings that hold no secret. @default false */
  readonly warns?: boolean;
}

export interface ReleaseCommand {
  /** Undefined while the machine is switched off. */
  readonly command: ReturnType<typeof remoteCommand>;
  /** Id of the release: the keyed hash of its contents. */
  readonly id: pulumi.Output<string>;
}

/**
 * The one way of a release to a machine: rendered with its secrets, sent as an archive on the standard input of one remote command.
 * In the preview stand the command and a keyed digest of each file, which tell nothing of the secrets and show which file changes.
 */
export function releaseCommand(
  name: string,
  { host, templatesRoot, source, words, comments, warns, ...args }: ReleaseCommandArgs,
  opts: Parameters<typeof remoteCommand>[2],
): ReleaseCommand {
  const known = pulumi.all([pulumi.all(args.secrets), args.digestKey]);
  const rendered = (one: ReleaseSource) =>
    known.apply(([secrets, key]) => renderRelease(templatesRoot, one, secrets, key));
  const release = pulumi.Output.isInstance(source) ? source.apply(rendered) : rendered(source);
  const id = pulumi.unsecret(release).apply((one) => one.id);
  const command = remoteCommand(
    name,
    {
      host,
      create: typeof words === "function" ? id.apply(words) : words,
      digests: pulumi
        .unsecret(release)
        .apply((one) => [...(comments?.(one.plan) ?? []), digestComment(one)].join("\n")),
      stdin: pulumi.secret(release.apply(releasePayload)),
      ...(warns && { warns }),
    },
    opts,
  );
  return { command, id };
}
