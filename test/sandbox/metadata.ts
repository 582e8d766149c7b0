import { once } from "node:events";
import { connect } from "node:net";
import { serviceAnswers } from "../../sandbox/host/service";
import { run } from "../../cli/run";

/** While `action` runs, something answers on port 80 of this address, as a cloud's metadata service does to the sandbox's host. */
export async function withServerAt(address: string, sandbox: string, action: () => Promise<void>): Promise<void> {
  const network = await run("docker", ["network", "inspect", "--format", "{{.Id}}", `cloudcode-${sandbox}`]);
  const bridge = `br-${network.stdout.slice(0, 12)}`;
  const server = `cloudcode-${sandbox}-metadata`;
  const program = `my $s = IO::Socket::INET->new(LocalAddr => "${address}", LocalPort => 80, Listen => 5, ReuseAddr => 1) or die; while (my $c = $s->accept) { close $c }`;
  await run("ip", ["address", "add", `${address}/32`, "dev", bridge]);
  try {
    await run("docker", [
      "run",
      "--detach",
      "--rm",
      "--name",
      server,
      "--network",
      "host",
      "--entrypoint",
      "perl",
      await outerImage(),
      "-MIO::Socket::INET",
      "-e",
      program,
    ]);
    await serviceAnswers({ container: server, ready: () => listens(address, 80) });
    await action();
  } finally {
    await run("docker", ["rm", "--force", server]);
    await run("ip", ["address", "del", `${address}/32`, "dev", bridge]);
  }
}

/** The image of the sandbox's own registry, which has Perl as every Debian has. */
async function outerImage(): Promise<string> {
  const { stdout } = await run("docker", ["ps", "--filter", "name=-registry$", "--format", "{{.Image}}"]);
  const image = stdout.split("\n")[0];
  if (!image) throw new Error("the sandbox's registry does not run");
  return image;
}

async function listens(host: string, port: number): Promise<boolean> {
  const socket = connect({ host, port });
  try {
    await once(socket, "connect");
    return true;
  } finally {
    socket.destroy();
  }
}
