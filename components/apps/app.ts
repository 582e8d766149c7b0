import type * as pulumi from "@pulumi/pulumi";
import type { Route } from "../routes";
import type { ReleaseSource } from "../stack/release";

/** A ComposeStack a person opens, before any resource of it exists. */
export interface App {
  /** Names the stack, its compose project and its folder on the host. */
  readonly name: string;
  readonly routes: readonly Route[];
  readonly release: ReleaseSource;
  /** `secrets.NAME` of its templates. */
  readonly secrets: Readonly<Record<string, pulumi.Input<string>>>;
}
