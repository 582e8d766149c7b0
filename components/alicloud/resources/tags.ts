import * as pulumi from "@pulumi/pulumi";

/** What everything of a stack is tagged with, so that it can be listed without the state. */
export function stackTags(): Record<"project" | "stack", string> {
  return { project: pulumi.getProject(), stack: pulumi.getStack() };
}

/** Name of what a stack has once; the console shows it. */
export function stackName(): string {
  return `${pulumi.getProject()}-${pulumi.getStack()}`;
}

/** What everything is given that can carry tags and a resource group; undefined: the account's own group. */
export function ownership(resourceGroupId: string | undefined): {
  readonly tags: Record<"project" | "stack", string>;
  readonly resourceGroupId?: string;
} {
  return { tags: stackTags(), ...(resourceGroupId !== undefined && { resourceGroupId }) };
}
