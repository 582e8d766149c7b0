import { spawn } from "node:child_process";
import { mkdirSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { typeAndBase64 } from "../../../components/settings/checks";
import { cacheDir } from "../../../cli/cache";
import { CommandError, type Output, type Say, run } from "../../../cli/run";
import { visit } from "../../../ops/status/outside";
import { type ExistingGround, openExisting } from "../../../sandbox/existing";
import { folderOf, projectRoot } from "../../../sandbox/folder";
import { hostExec } from "../../../sandbox/host/host";
import { openSandbox, removeSandbox } from "../../../sandbox/sandbox";
import { AppsWorld } from "../apps/world";
import { failureOf } from "../world";
import { opsCommand } from "./run";
import { type SftpStore, startStore, stopStore } from "./store";

/** Names of the two Pulumi stacks. */
export const former = "move-former";
export const next = "move-next";

/** Two hosts on one network, and the stacks of both. */
export class MoveWorld extends AppsWorld {
  store: SftpStore | undefined;
  private other: ExistingGround | undefined;
  /** Address of the second host, where the first one reaches it. */
  nextAddress = "";

  constructor(
    private readonly name: string,
    private readonly say: Say,
  ) {
    super();
  }

  override get domain(): string {
    return "home.example.com";
  }

  private get nextName(): string {
    return `${this.name}-next`;
  }

  async open(): Promise<void> {
    mkdirSync(folderOf(this.nextName), { recursive: true, mode: 0o700 });
    this.sandbox = await openSandbox(this.name, this.say, { allApps: true, stack: former });
    this.other = await openExisting(this.nextName, this.say);
    const [network, container] = [`cloudcode-${this.name}`, `cloudcode-${this.nextName}`];
    await run("docker", ["network", "connect", network, container]).catch(() => undefined);
    const format = `{{(index .NetworkSettings.Networks "${network}").IPAddress}}`;
    this.nextAddress = (await run("docker", ["inspect", "--format", format, container])).stdout.trim();
    // Where the CLI looks for the configuration of a stack that is named on the command line.
    rmSync(this.stackFileOf(former), { force: true });
    symlinkSync(this.sandbox.stackFile, this.stackFileOf(former));
    await this.startOutside();
    this.store = await startStore(this.name, this.sandbox.host.gateway, cacheDir, this.say);
  }

  async remove(): Promise<void> {
    await stopStore(this.name);
    await removeSandbox(this.nextName, this.say);
    await removeSandbox(this.name, this.say);
    for (const stack of [former, next]) rmSync(this.stackFileOf(stack), { force: true });
  }

  private stackFileOf(stack: string): string {
    return join(projectRoot, `Pulumi.${stack}.yaml`);
  }

  /** Runs the CLI as an operator does, in the project's folder. */
  async cli(stack: string, args: readonly string[], input?: string): Promise<string> {
    const { engine, env } = this.sandbox;
    const place = ["--non-interactive", "--cwd", projectRoot, ...(stack === "" ? [] : ["--stack", stack])];
    return (
      await run(engine.pulumi, [...args, ...place], { env, ...(input !== undefined && { input }) })
    ).stdout.trim();
  }

  /** The stack of the second host, as docs/operations.md says. */
  async initNext(): Promise<void> {
    if (!this.other) throw new Error("the second host is not open yet");
    const { loginKey, hostKey } = this.other;
    await this.cli("", ["stack", "init", next, "--copy-config-from", former, "--no-select"]);
    await this.cli(next, ["config", "set", "hostAddress", this.nextAddress]);
    await this.cli(next, ["config", "set", "hostKey", typeAndBase64(hostKey.publicKey)]);
    await this.cli(next, ["config", "set", "--secret", "hostPrivateKey"], loginKey.privateKey);
  }

  async ops(stack: string, args: readonly string[]): Promise<Output> {
    const command = await this.command(stack, args);
    return run(command.program, command.args, { cwd: command.cwd, env: command.env });
  }

  async fails(stack: string, args: readonly string[]): Promise<string> {
    return failureOf(this.ops(stack, args));
  }

  /**
   * Kills a command and all that it runs on this machine, a while after it said something, as where a laptop dies.
   *
   * @returns what it had said
   */
  async killed(stack: string, args: readonly string[], words: RegExp, afterMs = 0): Promise<string> {
    const { program, args: all, cwd, env } = await this.command(stack, args);
    const child = spawn(program, all, { cwd, env: { ...process.env, ...env }, detached: true });
    let said = "";
    const seen = new Promise<boolean>((resolve) => {
      child.stderr.on("data", (chunk: Buffer) => {
        said += chunk.toString();
        process.stderr.write(chunk);
        if (words.test(said)) resolve(true);
      });
      child.once("close", () => {
        resolve(false);
      });
    });
    if (!(await seen)) throw new Error(`it ended before it said ${String(words)}: ${said}`);
    await sleep(afterMs);
    if (child.exitCode !== null) throw new Error(`it ended before it was killed: ${said}`);
    process.kill(-(child.pid ?? 0), "SIGKILL");
    await sleep(500);
    // The lock of a run that was killed is the operator's to release.
    for (const one of [former, next])
      await this.cli(one, ["cancel", "--yes"]).catch((error: unknown) => {
        if (!(error instanceof CommandError)) throw error;
      });
    return said;
  }

  private async command(stack: string, args: readonly string[]) {
    return opsCommand(this, [...args, "--cwd", projectRoot], stack);
  }

  onNext(script: string): Promise<string> {
    return hostExec(this.nextName, ["sh", "-c", script]).then(({ stdout }) => stdout.trim());
  }

  /** Names of the containers that run, without the edge's. */
  async running(on: "former" | "next"): Promise<string[]> {
    const script = "docker ps --format '{{.Names}}' | grep '^cloudcode-' | grep -v '^cloudcode-edge-' || true";
    const text = on === "former" ? await this.onHost(script) : await this.onNext(script);
    return text.split("\n").filter(Boolean).sort();
  }

  /** Status of an App's page, by way of the host at an address. */
  async answers(
    address: string,
    subdomain = "auth",
  ): Promise<{ status: number | undefined; retry: string | undefined }> {
    const { status, headers } = await visit(address, this.nameOf(subdomain), "/");
    return { status, retry: headers["retry-after"] };
  }
}
