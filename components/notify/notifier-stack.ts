import * as pulumi from "@pulumi/pulumi";
import { ComposeStack, type StackContext } from "../stack/compose-stack";
import type { Settings } from "../settings/settings";
import { type NotifierSettings, notifierName, notifierRelease } from "./notifier-release";

export interface NotifierStackArgs extends Omit<NotifierSettings, "domain" | "news">, StackContext {
  /** The same, where it may be known only once the host has its address. */
  readonly domain: pulumi.Output<string>;
  /** What is sent and when, and the addresses, a secret; undefined: nothing is to be applied, but what is on the Host is removed later. */
  readonly news: Settings["news"];
  /** Password of the server of the App with sessions; undefined where none is on. */
  readonly serverPassword: pulumi.Output<string> | undefined;
}

/** The notifier: one container that sends all news by Apprise. */
export class NotifierStack extends pulumi.ComponentResource {
  constructor(name: string, args: NotifierStackArgs, opts?: pulumi.ComponentResourceOptions) {
    super("cloudcode:index:NotifierStack", name, {}, opts);
    const { news, serverPassword } = args;
    const applied = news && {
      release: args.domain.apply((domain) => notifierRelease({ ...args, news, domain })),
      secrets: {
        urls: news.urls,
        ...(serverPassword && { serverPassword }),
        ...(news.billingKey && { billingKey: news.billingKey }),
      },
    };
    new ComposeStack(notifierName, { secrets: {}, ...args, ...applied }, { parent: this });
    this.registerOutputs();
  }
}
