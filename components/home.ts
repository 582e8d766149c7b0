import * as pulumi from "@pulumi/pulumi";
import type { HomeArgs, HomeOutputs } from "../library";
import { formerUrns } from "./former";
import { OperatorError } from "./operator-error";
import { homeSettings } from "./settings/arguments";
import type { Settings } from "./settings/settings";

/** Stacks that have a Home, as long as their program runs. */
const furnished = new WeakSet<pulumi.Resource>();

/** The frame of a Home: its arguments, its place in the stack, and its outputs. What is in it, index.ts says. */
export abstract class HomeComponent extends pulumi.ComponentResource {
  /**
   * All outputs of the stack, for a program to return: `npm run ops` reads them. They are there when the cloud was asked what the
   * resources depend on.
   *
   * @throws OperatorError with one sentence when a cloud does not answer or lacks what is set
   */
  readonly outputs: Promise<HomeOutputs>;

  /**
   * @param args the arguments, or settings that were read from the stack's configuration
   * @throws OperatorError that lists every problem of the arguments, before any resource is declared; and for a second Home
   */
  constructor(name: string, args: HomeArgs | Settings, opts: pulumi.ComponentResourceOptions = {}) {
    const settings = "values" in args ? args : homeSettings(args);
    const stack = pulumi.runtime.getStackResource();
    if (stack && furnished.has(stack))
      throw new OperatorError(
        "A stack can have only one Home, because its resources are found by their names: create another stack.",
      );
    const transformations = [...(opts.transformations ?? []), formerUrns(settings.target.kind)];
    super("cloudcode:index:Home", name, {}, { ...opts, transformations });
    if (stack) furnished.add(stack);
    this.outputs = this.whole(settings);
  }

  /** Declares all resources. */
  protected abstract build(settings: Settings): Promise<HomeOutputs>;

  private async whole(settings: Settings): Promise<HomeOutputs> {
    // Pulumi ends a program that waits for nothing else.
    const done = pulumi.runtime.rpcKeepAlive();
    try {
      const outputs = await this.build(settings);
      const { url, urls, publicAddress } = outputs;
      this.registerOutputs({ url, urls, publicAddress });
      return outputs;
    } finally {
      done();
    }
  }

  get url(): pulumi.Output<string> {
    return pulumi.output(this.outputs.then(({ url }) => url));
  }

  get urls(): pulumi.Output<Record<string, string>> {
    return pulumi.output(this.outputs.then(({ urls }) => urls));
  }

  get publicAddress(): pulumi.Output<string> {
    return pulumi.output(this.outputs.then(({ publicAddress }) => publicAddress));
  }

  get adminPassword(): pulumi.Output<string> {
    return pulumi.output(this.outputs.then(({ adminPassword }) => adminPassword));
  }

  get sshCommand(): pulumi.Output<string> {
    return pulumi.output(this.outputs.then(({ sshCommand }) => sshCommand));
  }

  get nextSteps(): pulumi.Output<string[]> {
    return pulumi.output(this.outputs.then(({ nextSteps }) => nextSteps));
  }
}
