// What tests of the emulator build up in an account, by signed calls.
import type { Answered } from "./client";
import { call } from "./client";
import type { Emulator } from "../src/emulator";

/** An image of the catalogue. */
export const image = "ubuntu_24_04_x64_20G_alibase_20261012.vhd";
const publicKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ9zQd9vF0eFyY3QdHqf0oTzqsK5m0Q6E2Yw9c5Yx1aB test";

export type Parameters = Readonly<Record<string, string>>;

/** Calls of one emulator that must succeed, or must fail with a code. */
export class Account {
  constructor(readonly emulator: Emulator) {}

  raw(product: string, action: string, parameters: Parameters = {}): Promise<Answered> {
    return call(this.emulator.port, product, action, parameters);
  }

  /** The answer; throws for an error. */
  async ask(product: string, action: string, parameters: Parameters = {}): Promise<Answered["body"]> {
    const { status, body } = await this.raw(product, action, parameters);
    if (status !== 200) throw new Error(`${action}: ${String(body["Code"])}: ${String(body["Message"])}`);
    return body;
  }

  /** The text field of an answer, such as the id of what was made. */
  async text(product: string, action: string, field: string, parameters: Parameters = {}): Promise<string> {
    const value = (await this.ask(product, action, parameters))[field];
    if (typeof value !== "string") throw new Error(`${action} answered no ${field}`);
    return value;
  }

  /** The error code; throws if there was none. */
  async refusal(product: string, action: string, parameters: Parameters = {}): Promise<string> {
    const { status, body } = await this.raw(product, action, parameters);
    if (status === 200) throw new Error(`${action} was not refused`);
    return `${status} ${String(body["Code"])}`;
  }

  /** VPC, vSwitch in zone b, security group and key pair, ready for an instance. */
  async network(): Promise<{ vpc: string; vswitch: string; group: string }> {
    const vpc = await this.text("vpc", "CreateVpc", "VpcId", { CidrBlock: "10.0.0.0/16", EnableIpv6: "true" });
    await this.emulator.idle();
    const block = { VpcId: vpc, ZoneId: "ap-southeast-1b", CidrBlock: "10.0.1.0/24", Ipv6CidrBlock: "1" };
    const vswitch = await this.text("vpc", "CreateVSwitch", "VSwitchId", block);
    const group = await this.text("ecs", "CreateSecurityGroup", "SecurityGroupId", { VpcId: vpc });
    await this.ask("ecs", "ImportKeyPair", { KeyPairName: "operator", PublicKeyBody: publicKey });
    await this.emulator.idle();
    return { vpc, vswitch, group };
  }

  /** The parameters of an instance in that network. */
  instance(network: { vswitch: string; group: string }, more: Parameters = {}): Parameters {
    return {
      ImageId: image,
      InstanceType: "ecs.e-c1m2.large",
      VSwitchId: network.vswitch,
      "SecurityGroupIds.1": network.group,
      KeyPairName: "operator",
      "SystemDisk.Category": "cloud_essd_entry",
      "SystemDisk.Size": "40",
      UserData: Buffer.from("#cloud-config\n{}\n").toString("base64"),
      ...more,
    };
  }

  /** An instance; not yet running. */
  async run(network: { vswitch: string; group: string }, more: Parameters = {}): Promise<string> {
    await this.ask("ecs", "RunInstances", this.instance(network, more));
    const made = [...this.emulator.cloud.state.instances.keys()].at(-1);
    if (made === undefined) throw new Error("RunInstances made nothing");
    return made;
  }

  status(id: string): string | undefined {
    return this.emulator.inventory().find((one) => one.id === id)?.status;
  }
}
